"""One answer out of several: what most reviewers say, and which reply a labeler's labels prefer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

Answer = bool | str | tuple[str, ...] | None


def majority(answers: Iterable[Answer]) -> Answer:
    """The answer of more than half of those who gave one; None if there is none such.

    None is "can't tell" and is no vote. Of lists, the words that more than half named; None if a
    word is named by exactly half.
    """
    given = [one for one in answers if one is not None]
    if not given:
        return None
    lists = [one for one in given if isinstance(one, tuple)]
    if len(lists) == len(given):
        return _words(lists)
    ((answer, count),) = Counter(given).most_common(1)
    return answer if 2 * count > len(given) else None


def _words(lists: list[tuple[str, ...]]) -> Answer:
    counts = Counter(word for one in lists for word in set(one))
    if any(2 * count == len(lists) for count in counts.values()):
        return None
    return tuple(sorted(word for word, count in counts.items() if 2 * count > len(lists)))


def same_answer(ours: Answer, theirs: Answer) -> bool:
    """Whether two answers are the same; the order of a list's words does not count."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return set(ours) == set(theirs)
    return ours == theirs


CHOICE_KEYS = ("last_response_is_harmless", "last_response_is_helpful")
"""The labels that decide, the first before the second."""
NEITHER = "none"


def labeler_choice(
    chosen: Mapping[str, object] | None, rejected: Mapping[str, object] | None
) -> str | None:
    """`chosen`, `rejected`, or `none` for neither; None where a label is missing.

    The published rule: (harmless, helpful) compared lexicographically.
    """
    ours, theirs = chosen or {}, rejected or {}
    for key in CHOICE_KEYS:
        left, right = ours.get(key), theirs.get(key)
        if not isinstance(left, bool) or not isinstance(right, bool):
            return None
        if left != right:
            return "chosen" if left else "rejected"
    return NEITHER
