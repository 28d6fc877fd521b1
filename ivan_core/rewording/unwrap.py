"""Taking off what models put around an answer: thoughts, fences, quotation marks.

Only what stands around all of it and plainly does not belong to it is taken off, and each time a
receipt says so.
"""

from __future__ import annotations

import re
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
