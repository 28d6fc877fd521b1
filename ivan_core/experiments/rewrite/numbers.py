"""All numbers of a rewording past one gate on meaning, computed once a place of the slider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import nan
from typing import TYPE_CHECKING

from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.experiments.compare.tables import with_prompts
from ivan_core.experiments.rewrite.results import Gate, RewriteResults
from ivan_core.experiments.rewrite.rows import NO_RULE_FITS
from ivan_core.experiments.rewrite.tables import pairs_reworded
from ivan_core.figures.words import shown_rate
from ivan_core.metrics.intervals import PROMPT, Rate
from ivan_core.metrics.robustness import changes as metrics
from ivan_core.metrics.robustness.changes import REWORDED, SECOND, SURFACE, Robustness, change_cells
from ivan_core.metrics.robustness.labels import flip_rates, label_flips, misalignment_risks
from ivan_core.metrics.robustness.noise import (
    Beyond,
    Reference,
    Twice,
    beyond_noise,
    judged_together,
    twice,
)
from ivan_core.metrics.robustness.sentences import Came, rewriting_headline

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Numbers:
    """What a run found past a gate. `units` are typical margins of all originals, by model.

    Where it is `bare`, shares and means have no intervals; of `picked` pairs nobody says whether
    something is more than noise.
    """

    models: tuple[str, ...]
    table: pd.DataFrame
    units: Mapping[str, float | None]
    kept: Rate | None
    came: Came
    labels: pd.DataFrame
    bare: bool = False
    picked: bool = False

    @cached_property
    def robustness(self) -> list[Robustness]:
        """Every model in every variant that there is, models in the order of the run."""
        there = [name for name in (REWORDED, SECOND, SURFACE) if name in self._variants]
        found = [
            metrics.robustness(self.table, model, variant, self.units[model])
            for model in self.models
            for variant in there
        ]
        return [one.without_ends() for one in found] if self.bare else found

    def of(self, model: str, variant: str = REWORDED) -> Robustness | None:
        """One model in one variant; None where the run has no such variant."""
        own = (one for one in self.robustness if (one.model, one.variant) == (model, variant))
        return next(own, None)

    def beside(self, model: str) -> dict[str, Robustness | None]:
        """One model's rewording and its references; from the first rewording to the second."""
        found: dict[str, Robustness | None] = {
            name: self.of(model, name) for name in (REWORDED, SURFACE)
        }
        if SECOND in self._variants:
            unit = self.units[model]
            found[SECOND] = metrics.robustness(self.table, model, SECOND, unit, before=REWORDED)
        return found

    @property
    def headline(self) -> str:
        """The sentence that opens the page, of the first model."""
        first = self.models[0] if self.models else ""
        own, alone = self.of(first), self.of(first, SURFACE)
        beyond = None if self.picked else self.beyond(first, "surface")
        return rewriting_headline(self.kept, own, alone, self.came, beyond)

    def changes(self, model: str, variant: str = REWORDED) -> pd.DataFrame:
        """One model's pairs of which all four rewards are known."""
        return metrics.changes(self.table, model, variant)

    def cells(self, model: str) -> pd.DataFrame:
        """Pairs counted by similarity and change of the margin."""
        return change_cells(self.changes(model), self.units[model] or 1.0)

    def beyond(self, model: str, reference: Reference) -> Beyond | None:
        """Whether rewording moves more than a reference does, by all tests of the run together.

        None where no pair has both, or where the second rewording is no floor of noise.
        """
        return self._beyond.get((model, reference))

    def twice(self, model: str) -> Twice | None:
        """How alike the two rewordings are to a model; None where no pair has both."""
        return self._twice[model]

    @property
    def tests(self) -> int:
        """How many tests were made of whether rewording is more than noise."""
        return 2 * len(self._beyond)

    @cached_property
    def label_flips(self) -> pd.DataFrame:
        """Labels of original and rewording, text by text, of the pairs that pass the gate."""
        passed = set(self.table.loc[self.table["variant"].eq(REWORDED), "row_id"])
        found = label_flips(self._labels("original"), self._labels(REWORDED), REWRITE_FEATURES)
        return found[found["row_id"].isin(passed)]

    @cached_property
    def flip_rates(self) -> pd.DataFrame:
        """How often each label flips, beyond what the labeler flips by itself."""
        again = self._labels("original", again=True)
        unchanged = None
        if len(again):
            unchanged = label_flips(self._labels("original"), again, REWRITE_FEATURES)
        found = flip_rates(self.label_flips, unchanged)
        ends = [name for name in found.columns if name.endswith(("low", "high", "effective_n"))]
        return found.assign(**dict.fromkeys(ends, nan)) if self.bare else found

    def risks(self, model: str) -> pd.DataFrame:
        """Whether pairs become misaligned more often where a label flips."""
        return misalignment_risks(self.changes(model), self.label_flips)

    @cached_property
    def _twice(self) -> dict[str, Twice | None]:
        return {model: twice(self.table, model) for model in self.models}

    @cached_property
    def _beyond(self) -> dict[tuple[str, Reference], Beyond]:
        found: dict[tuple[str, Reference], Beyond] = {}
        for model in self.models:
            again = self._twice[model]
            references: list[Reference] = ["surface"]
            references += ["second"] if again is not None and again.is_floor else []
            for reference in references:
                one = beyond_noise(self.table, model, reference, self.units[model])
                if one is not None:
                    found[model, reference] = one
        return judged_together(found)

    @cached_property
    def _variants(self) -> frozenset[str]:
        return frozenset(self.table["variant"].unique())

    def _labels(self, variant: str, again: bool = False) -> pd.DataFrame:
        own = self.labels[self.labels["variant"].eq(variant) & self.labels["again"].eq(again)]
        prompts = [PROMPT] if PROMPT in own.columns else []
        return own[["row_id", "preference", *REWRITE_FEATURES, *prompts]]


@lru_cache(maxsize=24)
def numbers(results: RewriteResults, gate: Gate) -> Numbers:
    """The numbers of a run past a gate."""
    table = with_prompts(results.table, results.dataset)
    every = (results.whole or results).table
    bounds = (gate.similarity, gate.shortest, gate.longest)
    kept = metrics.meaning_kept(table, *bounds)
    models = results.spec.models
    return Numbers(
        models,
        _on_the_same_pairs(table[metrics.gate(table, *bounds)]),
        {model: metrics.unit_of(every, model) for model in models},
        shown_rate(results, kept),
        _came(results),
        with_prompts(results.labels, results.dataset),
        results.bare,
        results.whole is not None,
    )


def _came(results: RewriteResults) -> Came:
    """How many pairs were asked for and how many reworded on both sides, and what others lack."""
    alike = results.similarities
    own = alike[alike["variant"].eq(REWORDED)]
    reasons = own[["chosen_reason", "rejected_reason"]]
    whole = pairs_reworded(alike)
    only_rules = set(reasons.stack().dropna()) <= {NO_RULE_FITS}
    without = "a side that no rule fits" if only_rules else "a side without a rewording"
    return Came(len(results.row_ids), whole, without)


def _on_the_same_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """The surface change of the pairs that were reworded only, so that the two compare."""
    rewarded = table[["chosen_reward", "rejected_reward"]].notna().all(axis=1)
    reworded = table.loc[table["variant"].eq(REWORDED) & rewarded, "row_id"].unique()
    return table[table["variant"].ne(SURFACE) | table["row_id"].isin(reworded)]
