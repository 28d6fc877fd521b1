"""The pieces of a pair that are reworded, and the pair put together again from their rewordings.

Whatever both sides share is one piece, so that they still share it afterwards. A piece with fewer
than two words has nothing that could be reworded: it is not asked for and stands as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, islice

from ivan_core.domain.pairs import SIDES, Pair
from ivan_core.domain.rewriting import PieceKey, PieceRole, PieceSide, Scope
from ivan_core.domain.transcripts import Dialogue, Turn, prompt_turns

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
    return PairInPieces(pair, scope).asked


class PairInPieces:
    """A pair taken apart once, to be put together again as often as there are rewordings."""

    def __init__(self, pair: Pair, scope: Scope) -> None:
        self._pair = pair
        self._chosen, self._rejected = (_parts(pair, scope, side) for side in SIDES)

    @property
    def asked(self) -> list[Piece]:
        """The pieces that are to be reworded, each once."""
        parts = {one.piece.key: one for one in (*self._chosen, *self._rejected)}
        return [one.piece for one in parts.values() if one.is_asked]

    def assemble(self, accepted: Mapping[PieceKey, str]) -> tuple[Dialogue | None, Dialogue | None]:
        """The reworded chosen and rejected dialogue from the accepted texts of their pieces.

        A side is None if one of its pieces was not accepted, or if it has none: where nothing was
        reworded there is no rewording.
        """
        parts = {one.piece.key: one for one in (*self._chosen, *self._rejected)}
        told = {
            key: Dialogue(accepted[key]) if key in accepted else one.dialogue
            for key, one in parts.items()
        }
        return (
            _joined(self._pair.chosen, self._chosen, accepted, told),
            _joined(self._pair.rejected, self._rejected, accepted, told),
        )


def has_something_to_reword(dialogue: Dialogue) -> bool:
    """Whether a piece has at least two words outside the names of its speakers."""
    said = chain([dialogue.preamble], (turn.content for turn in dialogue.turns))
    words = chain.from_iterable(_WORD.finditer(one) for one in said)
    return len(list(islice(words, _FEWEST_WORDS))) == _FEWEST_WORDS


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece with its turns, and whether it has anything to be reworded."""

    piece: Piece
    dialogue: Dialogue
    is_asked: bool


def _parts(pair: Pair, scope: Scope, side: PieceSide) -> list[_Part]:
    """One side in parts which, joined, give its turns back as they are."""
    ours, theirs = pair.chosen, pair.rejected
    if side == "rejected":
        ours, theirs = theirs, ours
    if scope == "whole":
        same = ours.text == theirs.text
        return [_part(pair, "both" if same else side, "dialogue", ours)]
    prompt = prompt_turns(ours)
    # Preambles are a part of the prompt: sides that begin differently share nothing.
    alike = ours.preamble == theirs.preamble
    shared = len(pair.shared_turns) if alike else 0
    reply = ours.turns[len(prompt) :]
    same_reply = reply == theirs.turns[len(prompt_turns(theirs)) :]
    parts = [
        _part(pair, "both", "prompt", _kept(ours.preamble if alike else "", prompt[:shared])),
        _part(pair, side, "prompt", _kept("" if alike else ours.preamble, prompt[shared:])),
        _part(pair, "both" if same_reply else side, "reply", _kept("", reply)),
    ]
    return [one for one in parts if one.piece.text]


def _part(pair: Pair, side: PieceSide, role: PieceRole, dialogue: Dialogue) -> _Part:
    piece = Piece(PieceKey(pair.row_id, side, role), dialogue.text)
    return _Part(piece, dialogue, has_something_to_reword(dialogue))


def _kept(preamble: str, turns: tuple[Turn, ...]) -> Dialogue:
    return Dialogue("").with_turns(preamble, turns)


def _joined(
    original: Dialogue,
    parts: list[_Part],
    accepted: Mapping[PieceKey, str],
    told: Mapping[PieceKey, Dialogue],
) -> Dialogue | None:
    wanted = [one.piece.key for one in parts if one.is_asked]
    if not wanted or any(key not in accepted for key in wanted):
        return None
    own = [told[one.piece.key] for one in parts]
    turns = tuple(chain.from_iterable(one.turns for one in own))
    return original.with_turns("".join(one.preamble for one in own), turns)
