"""Rewordings as a run keeps them, and the pairs that are put together from them.

With the five labels of original and reworded texts, as they are asked for and read back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from typing import Any, Literal, TypeVar

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.labels import REWRITE_FEATURES, Label, Labeler, TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.domain.pairs import SIDES, Pair, Side
from ivan_core.domain.rewriting import PieceKey, Scope, Style
from ivan_core.domain.specs import RewriteSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.labels.steps import ask_until_usable
from ivan_core.experiments.rewrite.units import LABELLED, Variant, variants_of
from ivan_core.labels.prompt import build_prompt
from ivan_core.labels.reconcile import USABLE
from ivan_core.labels.validate import read_reply
from ivan_core.models.names import is_rules
from ivan_core.rewording.accept import REASONS, Refused, Rewording
from ivan_core.rewording.pieces import PairInPieces, Piece, pieces_of
from ivan_core.runs.context import Parts

STYLE_OF: dict[Variant, Style] = {"reworded": "published", "second": "second", "surface": "surface"}
"""The style that each variant of a text is made in; the original is made by none."""
NOTHING = "There is nothing to reword: a text has fewer than two words."
NO_RULE_FITS = "no rule fits"
Sides = tuple[Dialogue | None, Dialogue | None]
_Found = Mapping[PieceKey, Rewording]
_Item = TypeVar("_Item")


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
        rewording.text,
        rewording.tries,
        [list(astuple(one)) for one in rewording.refusals],
        list(rewording.mends),
        rewording.input_tokens,
        rewording.output_tokens,
    ]


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

    A variant is put together when it is first looked at: that of a long dialogue takes its time.
    `tries` counts by side how often the rewriter was asked for the pieces of that side.
    """

    pair: Pair
    sides: Mapping[Variant, Sides]
    missing: Mapping[Variant, tuple[Missing | None, Missing | None]]
    tries: Mapping[Variant, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class RewordedReplies:
    """Both last replies of a row as reworded, or as they were where that is not there, and why."""

    row_id: int
    replies: tuple[str | None, str | None]
    before: tuple[str | None, str | None]
    missing: tuple[Missing | None, Missing | None]


class _Lazy(Mapping[Variant, _Item]):
    """Something of each variant, made when it is first asked for."""

    def __init__(self, variants: Sequence[Variant], make: Callable[[Variant], _Item]) -> None:
        self._variants, self._make = variants, cache(make)

    def __getitem__(self, variant: Variant) -> _Item:
        if variant not in self._variants:
            raise KeyError(variant)
        return self._make(variant)

    def __iter__(self) -> Iterator[Variant]:
        return iter(self._variants)

    def __len__(self) -> int:
        return len(self._variants)


def pieces_to_reword(pair: Pair, scope: Scope) -> list[Piece]:
    """The pieces of a pair that are asked for; none where no model rates it."""
    return [] if pair.unrated else pieces_of(pair, scope)


def reworded_pair(pair: Pair, spec: RewriteSpec, kept: Iterable[KeptRewording]) -> RewordedPair:
    """A pair put together from what came of its pieces."""
    found = _by_style(kept)
    in_pieces = cache(lambda: PairInPieces(pair, spec.scope))

    def sides(variant: Variant) -> Sides:
        if variant == "original":
            return pair.chosen, pair.rejected
        if pair.unrated:
            return None, None
        own = found.get(STYLE_OF[variant], {})
        return _changed(pair, spec, in_pieces(), own)

    def missing(variant: Variant) -> tuple[Missing | None, Missing | None]:
        if variant == "original":
            return None, None
        own = found.get(STYLE_OF[variant], {})
        chosen, rejected = made[variant]
        return (
            None if chosen else _missing(pair, spec, own, "chosen"),
            None if rejected else _missing(pair, spec, own, "rejected"),
        )

    variants = variants_of(spec)
    made = _Lazy(variants, sides)
    tries = {
        variant: (_tries(own, "chosen"), _tries(own, "rejected"))
        for variant in variants
        for own in [{} if variant == "original" else found.get(STYLE_OF[variant], {})]
    }
    return RewordedPair(pair, made, _Lazy(variants, missing), tries)


def reworded_replies(
    pair: Pair, spec: RewriteSpec, kept: Iterable[KeptRewording]
) -> RewordedReplies:
    """What a list says of a row, read without putting its dialogues together."""
    own = _by_style(kept).get(STYLE_OF["reworded"], {})
    replies: list[str | None] = []
    missing: list[Missing | None] = []
    for side, original in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        there = not pair.unrated and _is_whole(spec, own, side)
        after = _last(own, side) if there else None
        replies.append(after.reply if after else original.reply)
        missing.append(None if there else _missing(pair, spec, own, side))
    before = pair.chosen.reply, pair.rejected.reply
    return RewordedReplies(pair.row_id, (replies[0], replies[1]), before, (missing[0], missing[1]))


def _by_style(kept: Iterable[KeptRewording]) -> dict[Style, dict[PieceKey, Rewording]]:
    by_style: dict[Style, dict[PieceKey, Rewording]] = {}
    for one in kept:
        by_style.setdefault(one.style, {})[one.key] = one.rewording
    return by_style


def _of_side(found: _Found, side: str) -> list[tuple[PieceKey, Rewording]]:
    return [(key, one) for key, one in found.items() if key.side in ("both", side)]


def _is_whole(spec: RewriteSpec, found: _Found, side: str) -> bool:
    """Whether a side has a rewording: each of its pieces was accepted, and there is one."""
    own = _of_side(found, side)
    stands = [
        one.text is not None or (is_rules(spec.rewriter) and key.role == "prompt")
        for key, one in own
    ]
    return all(stands) and any(one.text is not None for _, one in own)


def _last(found: _Found, side: str) -> Dialogue | None:
    """The reworded piece that holds a side's last reply; None where it stands as it was."""
    for key, one in _of_side(found, side):
        if key.role != "prompt" and one.text is not None:
            return Dialogue(one.text)
    return None


def _changed(pair: Pair, spec: RewriteSpec, pieces: PairInPieces, found: _Found) -> Sides:
    """Both dialogues with the accepted texts; None where one is not there or nothing changed."""
    texts = {key: one.text for key, one in found.items() if one.text is not None}
    if is_rules(spec.rewriter):
        # A prompt that no rule fits stands as it is, so that replies are measured.
        texts = {one.key: one.text for one in pieces.asked if one.role == "prompt"} | texts
    chosen, rejected = pieces.assemble(texts)
    return (
        chosen if chosen and chosen.text != pair.chosen.text else None,
        rejected if rejected and rejected.text != pair.rejected.text else None,
    )


def _by_unit(unit_of: Mapping[int, str], row_ids: Sequence[int]) -> dict[str, list[int]]:
    """Rows by the unit that holds them, both in the order of the rows."""
    found: dict[str, list[int]] = {}
    for row_id in row_ids:
        found.setdefault(unit_of[row_id], []).append(row_id)
    return found


def read_pairs(
    parts: Parts,
    spec: RewriteSpec,
    dataset: PreparedDataset,
    unit_of: Mapping[int, str],
    row_ids: Sequence[int],
) -> list[RewordedPair]:
    """Rows with their rewordings; `unit_of` tells the finished unit that holds each row's."""
    kept: dict[int, list[KeptRewording]] = {}
    for key, own in _by_unit(unit_of, row_ids).items():
        kept |= _kept(parts, key, own)
    pairs = dataset.pairs(row_ids) if len(row_ids) != 1 else [dataset.pair(row_ids[0])]
    return [reworded_pair(pair, spec, kept[pair.row_id]) for pair in pairs]


def read_replies(
    parts: Parts,
    spec: RewriteSpec,
    dataset: PreparedDataset,
    unit_of: Mapping[int, str],
    row_ids: Sequence[int],
) -> Iterator[RewordedReplies]:
    """The replies of rows for a list, unit by unit: each is read once, in no order of rows."""
    for key, own in _by_unit(unit_of, row_ids).items():
        kept = _kept(parts, key, own)
        for pair in dataset.pairs(own):
            yield reworded_replies(pair, spec, kept[pair.row_id])


def _kept(parts: Parts, unit: str, row_ids: Sequence[int]) -> dict[int, list[KeptRewording]]:
    """What a finished unit kept of some rows."""
    kept: dict[int, list[KeptRewording]] = {row_id: [] for row_id in row_ids}
    for row in parts.rows(unit):
        one = KeptRewording.from_list(row)
        if one.key.row_id in kept:
            kept[one.key.row_id].append(one)
    return kept


def reason_words(refused: Refused, spec: RewriteSpec) -> str:
    """Why an answer was refused, in a few words, for counts."""
    if is_rules(spec.rewriter) and refused.reason == "no_answer":
        return NO_RULE_FITS
    return REASONS[refused.reason]


def _missing(pair: Pair, spec: RewriteSpec, found: _Found, side: str) -> Missing:
    """Why there is no text: the first piece of the side that was not accepted, if any."""
    if pair.unrated:
        return Missing(pair.unrated, f"{pair.unrated.capitalize()}.")
    for key, one in _of_side(found, side):
        if one.text is None:
            last = one.refusals[-1]
            return Missing(reason_words(last, spec), last.sentence, last.raw, key.text)
    return Missing("nothing to reword", NOTHING)


def _tries(found: _Found, side: str) -> int:
    return sum(one.tries for _, one in _of_side(found, side))


Move = Literal["lost", "gained", "same"]
_SENTIMENTS = {"negative": -1, "neutral": 0, "positive": 1}


@dataclass(frozen=True, slots=True)
class LabelledText:
    """The usable labels of one text, and why there are none where there are none."""

    row_id: int
    variant: Variant
    preference: Side
    labels: dict[str, Label]
    status: str
    problem: str = ""
    reused: str = ""


def ask_labels(
    labeler: Labeler, pairs: Sequence[RewordedPair], variants: Sequence[Variant] = LABELLED
) -> Iterator[list[Any]]:
    """Row id, variant, side and replies of each text that is there, the last reply counting."""
    for one in pairs:
        for variant in variants:
            for side, text in zip(SIDES, one.sides[variant], strict=True):
                if text is not None:
                    key = TextKey(one.pair.row_id, side)
                    prompt = build_prompt(key, text.text, REWRITE_FEATURES)
                    yield [one.pair.row_id, variant, side, ask_until_usable(labeler, prompt)]


def read_labels(row: Sequence[Any]) -> LabelledText:
    """What a kept row of `ask_labels` says."""
    row_id, variant, side, replies = row
    reply = ModelReply(**replies[-1])
    outcome = read_reply(reply, REWRITE_FEATURES)
    if outcome.status in USABLE:
        labels = dict(outcome.labels)
        return LabelledText(row_id, variant, side, labels, outcome.status, reused=reply.reused)
    why = "; ".join(" ".join(filter(None, (one.key, one.message))) for one in outcome.problems)
    return LabelledText(row_id, variant, side, {}, outcome.status, why)


def move_of(before: Label, after: Label) -> Move | None:
    """What became of a label: lost if it went down, gained if up; None where one is not there."""
    first, last = _number(before), _number(after)
    if first is None or last is None:
        return None
    return "same" if first == last else "lost" if first > last else "gained"


def _number(label: Label) -> int | None:
    """Yes is 1 and no is 0; a sentiment is -1, 0 or 1."""
    if isinstance(label, bool):
        return int(label)
    return _SENTIMENTS.get(label) if isinstance(label, str) else None
