"""Which answers are accepted as a rewording, and asking again, with the reason, where not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ivan_core.domain.models import ModelReply
from ivan_core.domain.rewriting import Rewriter, Style
from ivan_core.domain.transcripts import Dialogue, Role, Turn
from ivan_core.rewording.pieces import Piece
from ivan_core.rewording.styles import build_request, change_surface
from ivan_core.rewording.unwrap import (
    Mend,
    declines,
    declines_in_turn,
    read_turns,
    speaks_of_its_task,
    thinks_aloud,
    unquoted,
    unwrapped,
)

MOST_TRIES = 3
"""How often a rewriter is asked for one piece whose answer cannot be used."""
MOST_SILENT = 2
"""After so many tries without any answer a piece is given up: a time-out takes minutes."""
SHORTEST, LONGEST = 0.5, 2.0
"""Bounds of a reworded turn's length, as shares of the original's characters."""
SHORT_TURN = 20
"""Characters. A turn up to this long has no lower bound, and the upper one of one that long."""

Reason = Literal[
    "no_answer",
    "prompt_cut",
    "declined",
    "cut_off",
    "thinking",
    "empty",
    "turns",
    "remark",
    "identical",
    "too_short",
    "too_long",
    "left_out",
]
REASONS: dict[Reason, str] = {
    "no_answer": "no answer",
    "prompt_cut": "the prompt was cut",
    "declined": "the model declined",
    "cut_off": "cut off",
    "thinking": "thoughts of the model",
    "empty": "empty",
    "turns": "other roles or turns",
    "remark": "a remark of the model",
    "identical": "identical",
    "too_short": "too short",
    "too_long": "too long",
    "left_out": "left out",
}
"""Why an answer is refused, in the words that stand on charts, in the order of the checks."""
_SENTENCES: dict[Reason, str] = {
    "no_answer": "The rewriter gave no answer.",
    "prompt_cut": "The server did not read all of the text.",
    "declined": "The model declined to reword the text.",
    "cut_off": "The answer was cut off at its longest allowed length.",
    "thinking": "The answer holds thoughts of the model.",
    "empty": "The answer, or one of its turns, is empty.",
    "turns": "The answer has other roles or turns than the original.",
    "remark": "A remark of the model stands in or around the answer.",
    "identical": "The answer is the same text as the original.",
    "too_short": "A turn of the answer has less than half the length of the original's.",
    "too_long": "A turn of the answer has more than twice the length of the original's.",
    "left_out": "The text of this rewording was left out of the file that the run came from.",
}
LEFT_OUT = _SENTENCES["left_out"]
_ADVICE: dict[Reason, str] = {
    "no_answer": "",
    "prompt_cut": "",
    "declined": "You are not asked to agree with the text nor to answer it, only to reword it.",
    "cut_off": "Keep to the length of the original.",
    "thinking": "Do not think aloud.",
    "empty": "Every turn that has words must keep words.",
    "turns": "Begin each turn after an empty line, and answer none of them.",
    "remark": "Begin with the first word of the text and end with its last.",
    "identical": "Change words or grammar.",
    "too_short": "Leave nothing out.",
    "too_long": "Add nothing.",
    "left_out": "",
}
_MOST_ROLES = 12


@dataclass(frozen=True, slots=True)
class Accepted:
    """A rewording in the white space of the original; `mends` says what was taken off it."""

    text: str
    mends: tuple[Mend, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is no rewording: why, in a sentence without any of its words, and itself.

    Where there is no answer, the sentence is what the rewriter told instead.
    """

    reason: Reason
    sentence: str
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Rewording:
    """What came of one piece: its rewording, or None, and every answer that was refused before.

    Tokens are those of all tries, None where a try has none counted.
    """

    text: str | None
    tries: int
    refusals: tuple[Refused, ...] = ()
    mends: tuple[Mend, ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None


def judge(piece: Piece, raw: str) -> Accepted | Refused:
    """Whether an answer is a rewording of the piece. Never raises, whatever the answer holds.

    Thoughts before it, a fence or quotation marks around it are taken off with a receipt; what
    else a model adds is refused, because nobody can tell where its remark ends.
    """
    original = Dialogue(piece.text)
    if _words(raw) == _words(original.printed):
        return _refused("identical", raw)
    text, mends = unwrapped(raw, original)
    if thinks_aloud(text, original.printed):
        return _refused("thinking", raw)
    if not text:
        return _refused("empty", raw)
    roles = original.roles
    answer, by_line = read_turns(text, original)
    if answer.roles != roles:
        if not answer.turns and declines(text):
            return _refused("declined", raw)
        return Refused("turns", _other_turns(roles, answer.roles), raw)
    before, after = _said(original), _said(answer)
    reworded = [unquoted(new, old) for old, new in zip(before, after, strict=True)]
    if reason := _wrong(before, reworded):
        return _refused(reason, raw)
    rebuilt = _in_the_space_of(original, reworded)
    if rebuilt.roles != roles or (rebuilt.exact and not original.exact):
        return _refused("turns", raw)
    if by_line:
        mends.append("turn-spacing")
    if reworded != after:
        mends.append("quotes")
    return Accepted(rebuilt.text, tuple(dict.fromkeys(mends)))


def judge_reply(piece: Piece, reply: ModelReply) -> Accepted | Refused:
    """Whether a rewriter's reply is a rewording: what it says of itself first, then its text."""
    raw = reply.text or reply.refusal
    if reply.problem:
        # Whoever answers in spite of a problem answered less than was asked.
        return Refused("prompt_cut" if reply.text else "no_answer", reply.problem, raw)
    if reply.refusal or reply.finish == "content_filter":
        return _refused("declined", raw)
    if reply.finish == "length":
        return _refused("cut_off", raw)
    return judge(piece, reply.text)


def reason_for_retry(refused: Refused) -> str:
    """What a model is told when it is asked again; none of its own words are repeated."""
    if refused.reason in ("no_answer", "prompt_cut"):
        return ""
    return f"{refused.sentence} {_ADVICE[refused.reason]}"


def rewrite_piece(
    rewriter: Rewriter | None, piece: Piece, style: Style, tries: int = MOST_TRIES
) -> Rewording:
    """Ask for a rewording until one is accepted, at most `tries` times, then keep what came.

    The surface change is made here, without a rewriter; rules are asked once, for they would
    only repeat themselves.

    Raises:
        BackendUnavailable: the rewriter is away; nothing is known about the piece.
        ValueError: there is no rewriter for a style that needs one.
    """
    if style == "surface":
        changed = change_surface(piece.text)
        return Rewording(changed, 1, () if changed else (_refused("identical", piece.printed),))
    if rewriter is None:
        raise ValueError(f"The style {style} needs a rewriter.")
    refusals: list[Refused] = []
    replies: list[ModelReply] = []
    reason = ""
    for attempt in range(1, (1 if rewriter.card.kind == "rules" else tries) + 1):
        replies.append(rewriter.rewrite(build_request(piece, style, attempt, reason)))
        judged = judge_reply(piece, replies[-1])
        if isinstance(judged, Accepted):
            return _rewording(judged.text, replies, refusals, judged.mends)
        refusals.append(judged)
        silent = [one.reason for one in refusals].count("no_answer") == MOST_SILENT
        if silent or judged.reason == "prompt_cut":  # the same text would be cut again
            break
        reason = reason_for_retry(judged) or reason
    return _rewording(None, replies, refusals)


def _rewording(
    text: str | None,
    replies: list[ModelReply],
    refusals: list[Refused],
    mends: tuple[Mend, ...] = (),
) -> Rewording:
    read = [reply.input_tokens for reply in replies]
    written = [reply.output_tokens for reply in replies]
    return Rewording(text, len(replies), tuple(refusals), mends, _sum(read), _sum(written))


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None


def _wrong(before: list[str], after: list[str]) -> Reason | None:
    """The first thing that is wrong with the words of the preamble and the turns, if any."""
    if after[0] and not before[0]:
        return "remark"
    for old, new in zip(before, after, strict=True):
        if old and not new:
            return "empty"
        if new and not old:
            return "turns"
    if [one.split() for one in before] == [one.split() for one in after]:
        return "identical"
    said = [(old, new) for old, new in zip(before, after, strict=True) if old]
    if any(declines_in_turn(old, new) for old, new in said):
        return "declined"
    if said and speaks_of_its_task([old for old, _ in said], [new for _, new in said]):
        return "remark"
    if any(len(old) > SHORT_TURN and len(new) < SHORTEST * len(old) for old, new in said):
        return "too_short"
    if any(len(new) > LONGEST * max(len(old), SHORT_TURN) for old, new in said):
        return "too_long"
    return None


def _said(dialogue: Dialogue) -> list[str]:
    """The words of the preamble, then of each turn."""
    return [dialogue.preamble.strip(), *(turn.words for turn in dialogue.turns)]


def _in_the_space_of(original: Dialogue, words: list[str]) -> Dialogue:
    """Reworded words with the original's white space around each turn: space is not reworded."""
    turns = tuple(
        Turn(turn.role, _framed(turn.content, new))
        for turn, new in zip(original.turns, words[1:], strict=True)
    )
    return original.with_turns(_framed(original.preamble, words[0]), turns)


def _framed(content: str, words: str) -> str:
    old = content.strip()
    if not old:
        return content
    start = content.index(old)
    return content[:start] + words + content[start + len(old) :]


def _refused(reason: Reason, raw: str) -> Refused:
    return Refused(reason, _SENTENCES[reason], raw)


def _other_turns(wanted: tuple[Role, ...], found: tuple[Role, ...]) -> str:
    return f"The original's turns are {_named(wanted)}; the answer's are {_named(found)}."


def _named(roles: tuple[Role, ...]) -> str:
    if not roles:
        return "none"
    more = f" and {len(roles) - _MOST_ROLES} more" if len(roles) > _MOST_ROLES else ""
    return ", ".join(roles[:_MOST_ROLES]) + more


def _words(text: str) -> list[str]:
    return text.split()
