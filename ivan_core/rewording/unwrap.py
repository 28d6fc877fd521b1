"""What models put around an answer and into it: wrapping that is taken off, remarks that are known.

Only what stands around all of it and plainly does not belong to it is taken off, and each time a
receipt says so. A sign of a remark, or that the model will not do its task, counts only where the
original does not show it too: a dialogue may well be about rewriting an essay, and a reply that
declines is reworded into one that still declines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from ivan_core.domain.transcripts import Dialogue

Mend = Literal["thoughts", "fence", "quotes", "turn-spacing"]
"""A receipt: thoughts before the answer, a fence or quotation marks around it or around a turn
were taken off; or turns were told apart although no empty line stood between them."""

_THOUGHTS = re.compile(
    r"\A(?:<think(?:ing)?>)?(?:(?!<think).)*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE
)
_THINKING = re.compile(r"</?think(?:ing)?>", re.IGNORECASE)
_CODE_FENCE = re.compile(r"\A```[\w-]*[ \t]*\n(.*)```\Z", re.DOTALL)
_OUR_FENCE = re.compile(r"</?dialogue-[0-9a-f]{6,64}>", re.IGNORECASE)
_STARTS_WITH_ROLE = re.compile(r"(?:Human|Assistant|System):")
_LINE_MARKER = re.compile(r"(?:\A|\n)[ \t]*(Human|Assistant):")
_ANY_LINE_MARKER = re.compile(r"(?:\A|\n)[ \t]*(Human|Assistant|System):")
_CLOSING = {'"': '"', "“": "”", "‘": "’", "«": "»", "'": "'"}
_MOST_LAYERS = 4


def thinks_aloud(text: str, original: str) -> bool:
    """Whether thoughts are left in the text that the original does not have."""
    return bool(_THINKING.search(text)) and not _THINKING.search(original)


def unwrapped(raw: str, original: Dialogue) -> tuple[str, list[Mend]]:
    """The answer without what stands around all of it, and a receipt for each layer taken off."""
    text, mends = raw.strip(), list[Mend]()
    if not _THINKING.search(original.printed) and (thoughts := _THOUGHTS.match(text)):
        text = text[thoughts.end() :].strip()
        mends.append("thoughts")
    for _ in range(_MOST_LAYERS):
        layer = _without_fence(text, original.printed)
        mend: Mend = "fence"
        if layer == text:
            layer, mend = _without_quotes(text, original), "quotes"
        if layer == text:
            break
        text = layer
        mends.append(mend)
    return text, mends


def read_turns(text: str, original: Dialogue) -> tuple[Dialogue, bool]:
    """The answer as a dialogue, and whether turns had to be told apart by lines alone.

    Models often leave out the empty line before a turn. That counts only if the roles come out
    right that way and not otherwise.
    """
    begun = f"\n\n{text}" if _STARTS_WITH_ROLE.match(text) else text
    strict, roles = original.read_again(begun), original.roles
    if strict.roles == roles:
        return strict, False
    marker = _ANY_LINE_MARKER if original.exact else _LINE_MARKER
    by_line = original.read_again(marker.sub(r"\n\n\1:", text))
    return (by_line, True) if by_line.roles == roles else (strict, False)


def unquoted(words: str, original: str) -> str:
    """A turn's words without quotation marks around all of them that the original has not."""
    closing = _CLOSING.get(words[:1])
    if closing is None or len(words) < 3 or words[-1] != closing or original[:1] in _CLOSING:
        return words
    inner = words[1:-1]
    return words if words[0] in inner or closing in inner else inner.strip()


def _without_fence(text: str, original: str) -> str:
    """The text without a code fence around it and without the lines of our own fence."""
    if not original.strip().startswith("```") and (found := _CODE_FENCE.match(text)):
        text = found[1].strip()
    first, _, rest = text.partition("\n")
    if _is_fence(first, original):
        text = rest.strip()
    rest, _, last = text.rpartition("\n")
    if _is_fence(last, original):
        text = rest.strip()
    return text


def _is_fence(line: str, original: str) -> bool:
    return bool(_OUR_FENCE.fullmatch(line.strip())) and line.strip() not in original


def _without_quotes(text: str, original: Dialogue) -> str:
    """The text without quotation marks around all turns; by themselves turns have none."""
    if not original.turns:
        return unquoted(text, original.printed.strip())
    closed = len(text) > 2 and text[-1] == _CLOSING.get(text[0])
    inner = text[1:-1].strip() if closed else ""
    return inner if _STARTS_WITH_ROLE.match(inner) else text


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
_CLOSING_REMARK = re.compile(
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
    if len(lines) <= len(_lines(old)) or not _CLOSING_REMARK.match(lines[-1]):
        return False
    return not (last and _CLOSING_REMARK.match(last[0]))


def _ends(words: str) -> list[str]:
    lines = _lines(words)
    return [lines[0], lines[-1]] if lines else []


def _lines(words: str) -> list[str]:
    return [line.strip() for line in words.splitlines() if line.strip()]


def _plain(words: str) -> str:
    """The words with straight apostrophes, which the patterns are written with."""
    return words.replace("’", "'")
