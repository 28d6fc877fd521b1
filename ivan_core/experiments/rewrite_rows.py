"""Rewordings as a run keeps them, and the pairs that are put together from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.pairs import Pair
from ivan_core.domain.rewrite_specs import RewriteSpec
from ivan_core.domain.rewriting import PieceKey, Scope, Style
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.rewrite_units import Variant, variants_of
from ivan_core.rewording.accept import REASONS, Refused, Rewording
from ivan_core.rewording.pieces import Piece, assemble, pieces_of
from ivan_core.runs.parts import Parts

STYLE_OF: dict[Variant, Style] = {
    "reworded": "published",
    "second": "second",
    "surface": "surface",
}
"""The style that each variant of a text is made in; the original is made by none."""
NOTHING = "There is nothing to reword: a text has fewer than two words."
NO_RULE_FITS = "no rule fits"
Sides = tuple[Dialogue | None, Dialogue | None]


@dataclass(frozen=True, slots=True)
class KeptRewording:
    """What came of one piece in one style, as it is kept in the parts of a run."""

    key: PieceKey
    style: Style
    rewording: Rewording

    def as_list(self) -> list[Any]:
        return [self.key.text, self.style, *rewording_as_list(self.rewording)]

    @classmethod
    def from_list(cls, row: Sequence[Any]) -> KeptRewording:
        name, style, *rest = row
        key = PieceKey.from_text(name)
        if key is None:
            raise StorageProblem("The parts of this run are damaged.", "Start a new run.")
        return cls(key, style, rewording_from_list(rest))


def rewording_as_list(rewording: Rewording) -> list[Any]:
    """A rewording as JSON holds it."""
    return [
        rewording.text, rewording.tries, [list(astuple(one)) for one in rewording.refusals],
        list(rewording.mends), rewording.input_tokens, rewording.output_tokens,
    ]  # fmt: skip


def rewording_from_list(row: Sequence[Any]) -> Rewording:
    """The inverse of `rewording_as_list`."""
    text, tries, refusals, mends, read, written = row
    return Rewording(
        text, tries, tuple(Refused(*one) for one in refusals), tuple(mends), read, written
    )


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a side has no text in a variant: in one word for counts, in a sentence, and the answer.

    `part` is the piece that was not accepted, as in `12.both.prompt`; empty where there was none.
    """

    reason: str
    sentence: str
    raw: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class RewordedPair:
    """A pair with its dialogues in every variant; a side that is not there has its reason.

    `tries` counts by side how often the rewriter was asked for the pieces of that side.
    """

    pair: Pair
    sides: Mapping[Variant, Sides]
    missing: Mapping[Variant, tuple[Missing | None, Missing | None]]
    tries: Mapping[Variant, tuple[int, int]]


def pieces_to_reword(pair: Pair, scope: Scope) -> list[Piece]:
    """The pieces of a pair that are asked for; none where no model rates it."""
    return [] if pair.unrated else pieces_of(pair, scope)


def reworded_pair(pair: Pair, spec: RewriteSpec, kept: Iterable[KeptRewording]) -> RewordedPair:
    """A pair put together from what came of its pieces."""
    by_style: dict[Style, dict[PieceKey, Rewording]] = {}
    for one in kept:
        by_style.setdefault(one.style, {})[one.key] = one.rewording
    sides: dict[Variant, Sides] = {"original": (pair.chosen, pair.rejected)}
    missing: dict[Variant, tuple[Missing | None, Missing | None]] = {"original": (None, None)}
    tries: dict[Variant, tuple[int, int]] = {"original": (0, 0)}
    for variant in variants_of(spec)[1:]:
        found = by_style.get(STYLE_OF[variant], {})
        texts = {key: one.text for key, one in found.items() if one.text is not None}
        if spec.is_rules:
            texts = _prompts(pair, spec.scope) | texts
        sides[variant] = _changed(pair, spec.scope, texts)
        missing[variant] = (
            _missing(pair, spec, found, "chosen", sides[variant][0]),
            _missing(pair, spec, found, "rejected", sides[variant][1]),
        )
        tries[variant] = (_tries(found, "chosen"), _tries(found, "rejected"))
    return RewordedPair(pair, sides, missing, tries)


def _prompts(pair: Pair, scope: Scope) -> dict[PieceKey, str]:
    """The prompts as they are: where no rule fits one, it stands, so that replies are measured."""
    pieces = pieces_to_reword(pair, scope)
    return {one.key: one.text for one in pieces if one.role == "prompt"}


def _changed(pair: Pair, scope: Scope, accepted: Mapping[PieceKey, str]) -> Sides:
    """Both dialogues with the accepted texts; None where one is not there or nothing changed."""
    if pair.unrated:
        return None, None
    chosen, rejected = assemble(pair, scope, accepted)
    return (
        chosen if chosen and chosen.text != pair.chosen.text else None,
        rejected if rejected and rejected.text != pair.rejected.text else None,
    )


def read_pairs(
    parts: Parts,
    spec: RewriteSpec,
    dataset: PreparedDataset,
    unit_of: Mapping[int, str],
    row_ids: Sequence[int],
) -> list[RewordedPair]:
    """Rows with their rewordings; `unit_of` tells the finished unit that holds each row's."""
    kept: dict[int, list[KeptRewording]] = {row_id: [] for row_id in row_ids}
    for key in dict.fromkeys(unit_of[row_id] for row_id in row_ids):
        for row in parts.rows(key):
            one = KeptRewording.from_list(row)
            if one.key.row_id in kept:
                kept[one.key.row_id].append(one)
    return [reworded_pair(pair, spec, kept[pair.row_id]) for pair in dataset.pairs(row_ids)]


def reason_words(refused: Refused, spec: RewriteSpec) -> str:
    """Why an answer was refused, in a few words, for counts."""
    if spec.is_rules and refused.reason == "no_answer":
        return NO_RULE_FITS
    return REASONS[refused.reason]


def _missing(
    pair: Pair,
    spec: RewriteSpec,
    found: Mapping[PieceKey, Rewording],
    side: str,
    text: Dialogue | None,
) -> Missing | None:
    """Why there is no text: the first piece of the side that was not accepted, if any."""
    if text is not None:
        return None
    if pair.unrated:
        return Missing(pair.unrated, f"{pair.unrated.capitalize()}.")
    for key, one in found.items():
        if one.text is None and key.side in ("both", side):
            last = one.refusals[-1]
            return Missing(reason_words(last, spec), last.sentence, last.raw, key.text)
    return Missing("nothing to reword", NOTHING)


def _tries(found: Mapping[PieceKey, Rewording], side: str) -> int:
    return sum(one.tries for key, one in found.items() if key.side in ("both", side))
