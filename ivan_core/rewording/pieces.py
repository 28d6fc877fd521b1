"""The pieces of a pair that are reworded, and the pair put together again from their rewordings.

Whatever both sides share is one piece, so that they still share it afterwards. A piece with fewer
than two words has nothing that could be reworded: it is not asked for and stands as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ivan_core.domain.pairs import Pair, prompt_turns
from ivan_core.domain.rewriting import PieceKey, PieceRole, PieceSide, Scope
from ivan_core.domain.transcripts import Dialogue, Turn

# Scripts without spaces between words, where each character counts as a word.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:['’][^\W_{_UNSPACED}]+)*")
_FEWEST_WORDS = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pair that is reworded by itself.

    `text` is what a dialogue of these turns is kept as, `printed` what is read of it: each turn
    stands after its `\\n\\nHuman:` or `\\n\\nAssistant:`, in a reply too. prompt: turns before the
    last reply; reply: the last reply; dialogue: all of it.
    """

    key: PieceKey
    text: str

    @property
    def printed(self) -> str:
        return Dialogue(self.text).printed

    @property
    def role(self) -> PieceRole:
        return self.key.role

    @property
    def side(self) -> PieceSide:
        return self.key.side


def pieces_of(pair: Pair, scope: Scope) -> list[Piece]:
    """What is to be reworded of a pair, in the order in which it is read.

    "shared": the turns both sides begin with, once; what a side's prompt says after they part
    ways, by side; each last reply, once where both sides have the same. "whole": both dialogues.
    """
    parts = {piece.key: piece for side in _SIDES for piece in _parts(pair, scope, side)}
    return [piece for piece in parts.values() if has_something_to_reword(piece.text)]


def assemble(
    pair: Pair, scope: Scope, accepted: Mapping[PieceKey, str]
) -> tuple[Dialogue | None, Dialogue | None]:
    """The reworded chosen and rejected dialogue from the accepted texts of their pieces.

    A side is None if one of its pieces was not accepted, or if it has none: where nothing was
    reworded there is no rewording.
    """
    chosen = _joined(pair.chosen, _parts(pair, scope, "chosen"), accepted)
    return chosen, _joined(pair.rejected, _parts(pair, scope, "rejected"), accepted)


def has_something_to_reword(text: str) -> bool:
    """Whether a piece has at least two words outside the names of its speakers."""
    dialogue = Dialogue(text)
    said = "\n".join([dialogue.preamble, *(turn.content for turn in dialogue.turns)])
    return len(_WORD.findall(said)) >= _FEWEST_WORDS


_SIDES: tuple[PieceSide, PieceSide] = ("chosen", "rejected")


def _parts(pair: Pair, scope: Scope, side: PieceSide) -> list[Piece]:
    """One side in parts which, joined, give its turns back as they are."""
    ours, theirs = pair.chosen, pair.rejected
    if side == "rejected":
        ours, theirs = theirs, ours
    if scope == "whole":
        same = ours.text == theirs.text
        return [_piece(pair, "both" if same else side, "dialogue", ours.text)]
    prompt = prompt_turns(ours)
    # Preambles are a part of the prompt: sides that begin differently share nothing.
    alike = ours.preamble == theirs.preamble
    shared = len(pair.shared_turns) if alike else 0
    reply = ours.turns[len(prompt) :]
    same_reply = reply == theirs.turns[len(prompt_turns(theirs)) :]
    parts = [
        _piece(pair, "both", "prompt", _kept(ours.preamble if alike else "", prompt[:shared])),
        _piece(pair, side, "prompt", _kept("" if alike else ours.preamble, prompt[shared:])),
        _piece(pair, "both" if same_reply else side, "reply", _kept("", reply)),
    ]
    return [part for part in parts if part.text]


def _piece(pair: Pair, side: PieceSide, role: PieceRole, text: str) -> Piece:
    return Piece(PieceKey(pair.row_id, side, role), text)


def _kept(preamble: str, turns: tuple[Turn, ...]) -> str:
    return Dialogue("").with_turns(preamble, turns).text


def _joined(
    original: Dialogue, parts: list[Piece], accepted: Mapping[PieceKey, str]
) -> Dialogue | None:
    wanted = [part.key for part in parts if has_something_to_reword(part.text)]
    if not wanted or any(key not in accepted for key in wanted):
        return None
    told = [Dialogue(accepted.get(part.key, part.text)) for part in parts]
    turns = tuple(turn for one in told for turn in one.turns)
    return original.with_turns("".join(one.preamble for one in told), turns)
