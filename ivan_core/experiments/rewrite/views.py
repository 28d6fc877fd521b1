"""Rows of a rewording as a page reads them: one with all of its texts, or fifty in short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivan_core.domain.labels import REWRITE_FEATURES, Label, Labels
from ivan_core.domain.pairs import SIDES, Side
from ivan_core.domain.specs import RewriteSpec
from ivan_core.experiments.rewrite.rows import Missing, Move, RewordedPair, move_of
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON, notes_of
from ivan_core.experiments.rewrite.units import Variant, variants_of
from ivan_core.lists.cells import Verdicts
from ivan_core.lists.page import page_of
from ivan_core.metrics.intervals import number_text

if TYPE_CHECKING:
    import pandas as pd

    from ivan_core.experiments.rewrite.results import RewriteResults

VARIANTS: Mapping[Variant, str] = {
    "original": "original",
    "reworded": "rewording",
    "second": "second rewording",
    "surface": "change of punctuation",
}
"""The variants of a text as a person reads them."""
_NOW = {"agree": "agrees", "tie": "likes both the same", "disagree": "disagrees"}
_THEN = {"agree": "agreed", "tie": "liked both the same", "disagree": "disagreed"}
"""What a verdict says of its model."""
Rewards = tuple[float | None, float | None]


@dataclass(frozen=True)
class Measured:
    """All that was measured of one row of a run.

    `rewards` holds those of the chosen and the rejected text by model and variant, `similarity` the
    cosines with the original, `labels` what the labeler said of a side.
    """

    row_id: int
    rewards: Mapping[tuple[str, Variant], Rewards]
    similarity: Mapping[Variant, Rewards]
    ratio: Mapping[Variant, Rewards]
    labels: Mapping[tuple[Side, Variant], Labels]

    def verdict(self, model: str, variant: Variant) -> str:
        """agree, tie or disagree; empty where a reward is missing."""
        chosen, rejected = self.rewards.get((model, variant), (None, None))
        if chosen is None or rejected is None:
            return ""
        return "tie" if chosen == rejected else "agree" if chosen > rejected else "disagree"

    def margin(self, model: str, variant: Variant) -> float | None:
        """How much more a model likes the chosen text; None where a reward is missing."""
        chosen, rejected = self.rewards.get((model, variant), (None, None))
        return None if chosen is None or rejected is None else chosen - rejected

    def moved(self, side: Side, key: str) -> Move | None:
        """What became of a label when the text was reworded."""
        before = self.labels.get((side, "original"), {})
        after = self.labels.get((side, "reworded"), {})
        return move_of(before.get(key), after.get(key))


@dataclass(frozen=True)
class RowView(Measured):
    """One row of a run as it is read: what was measured, and its texts in every variant."""

    run_id: str
    spec: RewriteSpec
    texts: RewordedPair

    @property
    def models(self) -> tuple[str, ...]:
        return self.spec.models

    @property
    def changes(self) -> tuple[Variant, ...]:
        """The variants that are no original: the rewording first."""
        return tuple(variant for variant in variants_of(self.spec) if variant != "original")

    def missing(self, variant: Variant, side: Side) -> Missing | None:
        """Why a text is not there; None if it is."""
        return self.texts.missing[variant][SIDES.index(side)]


def row_view(results: RewriteResults, texts: RewordedPair) -> RowView:
    """A row of a run with its texts."""
    known = measured(results, texts.pair.row_id)
    return RowView(**vars(known), run_id=results.run.id, spec=results.spec, texts=texts)


def measured(results: RewriteResults, row_id: int) -> Measured:
    """A row joined from the tables of its run by its number, never by position."""
    labels, alike = results.labels, results.similarities
    own = results.scores[results.scores["row_id"] == row_id]
    alike = alike[alike["row_id"] == row_id].set_index("variant")
    said = labels[(labels["row_id"] == row_id) & ~labels["again"].astype(bool)]
    return Measured(
        row_id,
        {
            (row["model"], row["variant"]): (
                _number(row["chosen_reward"]),
                _number(row["rejected_reward"]),
            )
            for _, row in own.iterrows()
        },
        _both(alike, "similarity"),
        _both(alike, "length_ratio"),
        {
            (row["preference"], row["variant"]): {key: _label(row[key]) for key in REWRITE_FEATURES}
            for _, row in said.iterrows()
        },
    )


def row_sentence(row: RowView) -> str:
    """What rewording did to the verdicts of a row, model by model, and to its labels."""
    if any(row.missing("reworded", side) for side in SIDES):
        return "This pair has no whole rewording."
    told = []
    for model in row.models:
        before, after = row.verdict(model, "original"), row.verdict(model, "reworded")
        if not before or not after:
            told.append(f"{model} did not rate it")
        elif before == after:
            told.append(f"{model} still {_NOW[after]}")
        else:
            told.append(f"{model} {_THEN[before]} and now {_NOW[after]}")
    moves = [(side, key) for side in SIDES for key in REWRITE_FEATURES]
    known = [row.moved(side, key) for side, key in moves if row.moved(side, key)]
    moved = sum(move != "same" for move in known)
    # The rules edit the very words that the lexicon reads: the two are not told in one breath.
    if known and RULES_AND_LEXICON not in notes_of(row.spec):
        told.append(f"{moved:,} of {len(known):,} labels move")
    return f"Reworded: {', '.join(told)}."


def rows_page(
    results: RewriteResults, units: Mapping[str, float | None], row_ids: list[int], page: int
) -> pd.DataFrame:
    """One page of at most 50 rows to read: both replies as reworded, what that did, what failed.

    `page` counts from 1 and is clamped. Beside the verdicts of a model stands the change of its
    margin in typical margins. Where a side was not reworded its original stands.
    """
    import pandas as pd

    records = []
    shown = page_of(row_ids, page)
    for row_id, short in zip(shown, results.in_short(shown), strict=True):
        row = measured(results, row_id)
        record: dict[str, object] = {"row_id": row_id}
        record |= zip(SIDES, short.replies, strict=True)
        alike = [one for one in row.similarity.get("reworded", ()) if one is not None]
        record["similarity"] = min(alike, default=None)
        for model in results.models:
            record[model] = _verdicts(row, model, units.get(model))
        record["problem"], record["raw"] = short.problem, short.refused
        records.append(record)
    return pd.DataFrame.from_records(records)


def _verdicts(row: Measured, model: str, unit: float | None) -> Verdicts:
    """A model's verdicts before and after, and the change of its margin in typical margins."""
    before, after = row.verdict(model, "original"), row.verdict(model, "reworded")
    if not before or not after:
        return Verdicts((before, "not reworded") if before else ("not rated",))
    words = (before,) if before == after else (before, after)
    moved = row.margin(model, "reworded"), row.margin(model, "original")
    if moved[0] is None or moved[1] is None or not unit:
        return Verdicts(words)
    return Verdicts(words, number_text((moved[0] - moved[1]) / unit, 2, signed=True))


def _both(alike: pd.DataFrame, name: str) -> dict[Variant, Rewards]:
    return {
        variant: (_number(row[f"chosen_{name}"]), _number(row[f"rejected_{name}"]))
        for variant, row in alike.iterrows()
    }


def _number(value: object) -> float | None:
    number = float(value) if isinstance(value, int | float) else float("nan")
    return None if number != number else number


def _label(value: object) -> Label:
    if isinstance(value, str):
        return value
    return None if value is None or str(value) in ("<NA>", "nan", "None") else bool(value)
