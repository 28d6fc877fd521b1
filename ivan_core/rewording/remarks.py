"""What a model says about its task in place of doing it: remarks, and that it will not.

Each sign counts only where the original does not show it too: a dialogue may well be about
rewriting an essay, and a reply that declines is reworded into one that still declines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TASK = r"(?:re-?word|re-?phras|re-?writ|re-?wrote|paraphras)\w*"
_OF_THE_TASK = re.compile(rf"\b{_TASK}", re.IGNORECASE)
_ABOUT_THE_TASK = re.compile(
    rf"\b(?:here(?:'s| is| are)|this is|below is|following is|i(?:'ve| have)?)\b"
    rf"[^.!?\n]{{0,40}}\b{_TASK}"
    rf"|\b{_TASK}\s+(?:text|version|dialogue|conversation|message|response|reply|turn)s?\b"
    rf"|\A\W*(?:the )?{_TASK}\W*:",
    re.IGNORECASE,
)
_PREFACE = re.compile(
    r"\W*(?:sure|certainly|of course|okay|ok|absolutely|here(?:'s| is| are| it is)|below is)\b",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\W*(?:notes?\s*:|n\.b\.|explanation\s*:|disclaimer\s*:|changes?(?: made)?\s*:"
    r"|(?:please )?let me know\b|(?:i )?hope (?:this|that|it)\b|feel free\b"
    r"|is there anything else\b|would you like me\b|i(?:'ve| have)? (?:kept|made|changed|tried"
    r"|preserved|maintained|replaced|used)\b|the (?:meaning|tone|intent)\b)",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"[(\[]\s*note\s*:", re.IGNORECASE)
_CANNOT = (
    r"(?:can'?t|cannot|can not|won't|will not|must not"
    r"|unable|not able|not comfortable|not going to)"
)
_DO = (
    r"(?:help|assist|comply|fulfil|provide|answer|engage|continue|create|generate|discuss|support"
    r"|participate|produce|respond|decline|refuse|do (?:that|this|so))"
)
_DECLINES = re.compile(
    rf"\W*(?:[^.!?\n]{{0,20}}\b(?:sorry|afraid|apologi[sz]e|unfortunately)\b"
    rf"[^!?\n]{{0,60}}\b{_CANNOT}\b"
    rf"|(?:i|i'm|i am)\b[^.!?\n]{{0,12}}\b{_CANNOT}\b[^.!?\n]{{0,30}}\b{_DO}"
    r"|as an? (?:ai|artificial|large language|language model)\b)",
    re.IGNORECASE,
)
_WILL_NOT_REWORD = re.compile(rf"\b{_CANNOT}\b[^.!?\n]{{0,40}}\b{_TASK}", re.IGNORECASE)
_NEGATES = re.compile(
    r"n't\b|\b(?:no|not|never|cannot|sorry|afraid|unable|unfortunate\w*|apolog\w*|refus\w*"
    r"|declin\w*|against|ai|language model)\b",
    re.IGNORECASE,
)


def speaks_of_its_task(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether a model's remark stands inside the reworded turns.

    `before` and `after` are the words of the turns, as many of one as of the other, at least one.
    """
    old, new = [_plain(words) for words in before], [_plain(words) for words in after]
    if not _OF_THE_TASK.search("\n".join(old)):
        ends = {line for words in new for line in _ends(words)}
        if any(_ABOUT_THE_TASK.search(line) for line in ends):
            return True
    if any(_ASIDE.search(words) for words in new) and not any(map(_ASIDE.search, old)):
        return True
    return _prefaced(old[0], new[0]) or _closed(old[-1], new[-1])


def declines(text: str) -> bool:
    """Whether an answer that is no rewording says that the model will not do it."""
    plain = _plain(text)
    return bool(_DECLINES.match(plain) or _WILL_NOT_REWORD.search(plain))


def declines_in_turn(before: str, after: str) -> bool:
    """Whether the model declines in a turn's place where the original turn does not."""
    old, new = _plain(before), _plain(after)
    if _WILL_NOT_REWORD.search(new) and not _OF_THE_TASK.search(old):
        return True
    return bool(_DECLINES.match(new)) and not _NEGATES.search(old)


def _prefaced(old: str, new: str) -> bool:
    lines, first = _lines(new), _lines(old)[:1]
    if len(lines) <= len(_lines(old)) or not _PREFACE.match(lines[0]):
        return False
    return lines[0].endswith(":") and not (first and first[0].endswith(":"))


def _closed(old: str, new: str) -> bool:
    lines, last = _lines(new), _lines(old)[-1:]
    if len(lines) <= len(_lines(old)) or not _CLOSING.match(lines[-1]):
        return False
    return not (last and _CLOSING.match(last[0]))


def _ends(words: str) -> list[str]:
    lines = _lines(words)
    return [lines[0], lines[-1]] if lines else []


def _lines(words: str) -> list[str]:
    return [line.strip() for line in words.splitlines() if line.strip()]


def _plain(words: str) -> str:
    """The words with straight apostrophes, which the patterns are written with."""
    return words.replace("’", "'")
