"""What a pair of an analysis may have to be: behind a mark, in a regime, preferred by labels.

A condition reads the joined rows that the numbers were computed from, so that the pairs it lists
are those of the number.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import SIDES
from ivan_core.engine.opened import named_runs
from ivan_core.experiments.analysis.joined import Joined
from ivan_core.experiments.analysis.numbers import joined_again
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.steps.against import preferences, regimes_of
from ivan_core.experiments.columns.conditions import OFFERS as SEARCHES, TextHas, UserColumnIn
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.experiments.labels.conditions import LABELS
from ivan_core.experiments.labels.results import labeler_of
from ivan_core.labels.schema import features
from ivan_core.lists.conditions import (
    Bools,
    Choice,
    Condition,
    Floats,
    Language,
    Listing,
    Model,
    Name,
    Names,
    Offer,
    Picks,
    fixed,
)
from ivan_core.lists.others import RunId
from ivan_core.lists.pairs import OF_PAIRS, OFFERS
from ivan_core.metrics.imprint.controls import Control
from ivan_core.metrics.imprint.preference import PREFERS, Codes
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH
from ivan_core.metrics.imprint.why import away
from ivan_core.models.names import shown_name

REGIME_WORDS = {
    "stayed": "stayed with the choice",
    "got": "got aligned with the choice",
    "resists": "against the choice before and after",
    "reversed": "turned against the choice",
}
PREFERS_WORDS = {
    "chosen": "the chosen reply",
    "none": "neither reply",
    "rejected": "the rejected reply",
    "unlabelled": "nothing, for lack of labels",
}
_AGAINST_WORDS = {
    "misaligned": "does not prefer the chosen reply",
    "tie": "gives both replies the same",
}
_TITLES = {**{one.key: one.title for one in features()}, LENGTH: "Length"}


class _OfAnalysis(Condition):
    """A condition on the joined rows; what it names must be in the analysis."""

    def check(self, listing: Listing) -> None:
        analysed: Analysed = listing.results
        for name in ("model", "before", "after"):
            model = getattr(self, name, "")
            if model and model not in analysed.models:
                raise BadInput(f"Run {analysed.run.id} has no model {model}.")
        if (one := getattr(self, "before", "")) and one in (
            getattr(self, "after", ""),
            getattr(self, "model", ""),
        ):
            raise BadInput(f"Model {one} is set beside itself.")
        labeler = getattr(self, "labeler", "")
        if labeler and labeler not in [one.run_id for one in analysed.labelers]:
            raise BadInput(f"Run {analysed.run.id} has no labels of run {labeler}.")

    def labels_by(self) -> str:
        """Whose labels these are."""
        run = str(getattr(self, "labeler", ""))
        labeler = labeler_of(run)
        return f"labels by {shown_name(labeler)}" if labeler else f"labels of run {run}"


class _Ranked(_OfAnalysis):
    """The first of its pairs are those that speak most against what was found."""

    @property
    def ranked(self) -> str:
        return "those that speak most against it first"


class Behind(_Ranked):
    """The pairs that an effect rests on, and that differ in its feature.

    The first are those whose margins speak most against the sign of the effect.
    """

    query: ClassVar[str] = "behind"
    identity: ClassVar[tuple[str, ...]] = ("labeler",)
    labeler: RunId
    model: Model
    feature: Name
    before: Name = ""
    view: Literal["together", "alone"] = "together"
    control: Control = "length"

    def words(self, names: Names) -> str:
        of = names.get(self.model, self.model)
        of = f"{of} less {names.get(self.before, self.before)}" if self.before else of
        named = _TITLES.get(self.feature, self.feature)
        which = "all in the number" if self.feature == CHOSEN else f"differ in {named}"
        return f"{which} ({of}, {self.labels_by()}), {self.ranked}"

    def check(self, listing: Listing) -> None:
        super().check(listing)
        labelled = self._joined(listing).labelers[self.labeler]
        if self.feature not in (*labelled.features, LENGTH, CHOSEN):
            raise BadInput(f"Run {self.labeler} has no label {self.feature[:60]}.")

    def holds(self, listing: Listing) -> Bools:
        inside, difference = self._rows(listing)
        return np.asarray(inside & (difference != 0))

    def ranks(self, listing: Listing) -> Floats | None:
        analysed: Analysed = listing.results
        asked = {"model": self.model, "before": self.before, "labeler": self.labeler}
        control = self.control if self.view == "together" else ""
        own = analysed.table(
            "imprint", **asked, view=self.view, control=control, feature=self.feature
        )
        sign = float(np.sign(own["estimate"].iloc[0])) if len(own) else np.nan
        if np.isnan(sign):
            return None
        joined, (_, difference) = self._joined(listing), self._rows(listing)
        outcome = joined.models[self.model].in_units
        if self.before:
            outcome = outcome - joined.models[self.before].in_units
        return np.asarray(outcome * np.sign(difference) * sign)

    def _models(self) -> list[str]:
        return [self.model, *([self.before] if self.before else [])]

    def _joined(self, listing: Listing) -> Joined:
        return joined_again(listing.results, self._models(), self.labeler)

    def _rows(self, listing: Listing) -> tuple[Bools, Floats]:
        """Which pairs enter the number, and how their replies differ."""
        self.check(listing)
        joined = self._joined(listing)
        own = joined.labelers[self.labeler]
        if self.feature == LENGTH:
            difference = joined.length
        elif self.feature == CHOSEN:
            difference = np.ones(len(joined))
        else:
            difference = own.differences[:, own.features.index(self.feature)]
        return joined.enters(self._models(), self.labeler), difference


class Away(_Ranked):
    """The pairs in which a reply has not the most common value of a label (or, of length, that
    differ), as they count for what goes with going against the choice.

    The first are those that speak most against the sign of what was found.
    """

    query: ClassVar[str] = "away"
    labeler: RunId
    model: Model
    column: Name

    def words(self, names: Names) -> str:
        side, _, feature = self.column.rpartition(":")
        named, of = _TITLES.get(feature, feature), names.get(self.model, self.model)
        which = f"{named} of the {side} reply is the rarer" if side else f"differ in {named}"
        return f"{which} ({of}, {self.labels_by()}), {self.ranked}"

    def check(self, listing: Listing) -> None:
        super().check(listing)
        side, _, feature = self.column.rpartition(":")
        labelled = joined_again(listing.results, [self.model], self.labeler)
        own = labelled.labelers[self.labeler]
        if own.authored:
            raise BadInput("Authored labels do not tell what each reply is.")
        if self.column != LENGTH and (side not in SIDES or feature not in own.features):
            raise BadInput(f"Run {self.labeler} has no column {self.column[:60]}.")

    def holds(self, listing: Listing) -> Bools:
        inside, far = self._rows(listing)
        return np.asarray(inside & (far != 0))

    def ranks(self, listing: Listing) -> Floats | None:
        analysed: Analysed = listing.results
        asked = {"model": self.model, "labeler": self.labeler, "column": self.column}
        own = analysed.table("why", **asked)
        sign = float(np.sign(own["points"].iloc[0])) if len(own) else np.nan
        if np.isnan(sign):
            return None
        joined = joined_again(analysed, [self.model], self.labeler)
        _, far = self._rows(listing)
        return np.asarray(-joined.models[self.model].in_units * np.sign(far) * sign)

    def _rows(self, listing: Listing) -> tuple[Bools, Floats]:
        """Which pairs enter the number, and how far each is from the most common value."""
        self.check(listing)
        joined = joined_again(listing.results, [self.model], self.labeler)
        inside = joined.enters([self.model], self.labeler)
        side, _, feature = self.column.rpartition(":")
        if not side:
            return inside, joined.length
        own = joined.labelers[self.labeler]
        values = own.chosen if side == "chosen" else own.rejected
        labels = values[:, own.features.index(feature)]
        usual = labels[inside][~away(labels[inside])]
        return inside, np.asarray(labels - (usual[0] if len(usual) else 0.0))


class RegimeIs(_OfAnalysis):
    """How two models side with the choice, one after the other."""

    query: ClassVar[str] = "regime"
    measure: ClassVar[str] = REWARDS
    regime: Literal["stayed", "got", "resists", "reversed"]
    before: Model
    after: Model

    def words(self, names: Names) -> str:
        before, after = (names.get(one, one) for one in (self.before, self.after))
        return f"{REGIME_WORDS[self.regime]} from {before} to {after}"

    def holds(self, listing: Listing) -> Bools:
        self.check(listing)
        joined = joined_again(listing.results, [self.before, self.after])
        return regimes_of(joined, None, self.before, self.after).rows(self.regime)

    def known(self, listing: Listing) -> Bools:
        return joined_again(listing.results, [self.before, self.after]).rated_by(
            [self.before, self.after]
        )


class LabelsPrefer(_OfAnalysis):
    """Which reply a labeler's labels prefer: the harmless one, else the helpful one."""

    query: ClassVar[str] = "prefer"
    identity: ClassVar[tuple[str, ...]] = ("labeler",)
    measure: ClassVar[str] = LABELS
    labeler: RunId
    prefers: Literal["chosen", "none", "rejected", "unlabelled"]

    def words(self, names: Names) -> str:
        return f"{self.labels_by()} prefer {PREFERS_WORDS[self.prefers]}"

    def holds(self, listing: Listing) -> Bools:
        return np.asarray(self._codes(listing) == PREFERS.index(self.prefers))

    def known(self, listing: Listing) -> Bools | None:
        if self.prefers == "unlabelled":
            return None
        return np.asarray(self._codes(listing) != PREFERS.index("unlabelled"))

    def _codes(self, listing: Listing) -> Codes:
        self.check(listing)
        joined = joined_again(listing.results, [], self.labeler)
        codes = preferences(joined, self.labeler)
        if codes is None:
            return np.full(len(joined), PREFERS.index("unlabelled"), dtype=np.int8)
        return codes


class AgainstIs(_OfAnalysis):
    """The model does not prefer the chosen reply: it prefers the other one, or gives both the same;
    or gives both the same alone."""

    query: ClassVar[str] = "against"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    measure: ClassVar[str] = REWARDS
    model: Model
    how: Literal["misaligned", "tie"] = "misaligned"

    def words(self, names: Names) -> str:
        return f"{names.get(self.model, self.model)} {_AGAINST_WORDS[self.how]}"

    def holds(self, listing: Listing) -> Bools:
        margin = self._margin(listing)
        return np.asarray(margin <= 0 if self.how == "misaligned" else margin == 0)

    def known(self, listing: Listing) -> Bools:
        return ~np.isnan(self._margin(listing))

    def _margin(self, listing: Listing) -> Floats:
        self.check(listing)
        return joined_again(listing.results, [self.model]).models[self.model].margin


def listing(analysed: Analysed) -> Listing:
    """The pairs of an analysis."""
    rows = np.asarray(analysed.row_ids, dtype=np.int64)
    return Listing(analysed.run.id, analysed.dataset, rows, analysed)


def _labelers(listing: Listing, _: Picks) -> dict[str, str]:
    analysed: Analysed = listing.results
    return {one.run_id: one.named for one in analysed.labelers}


def _models(listing: Listing, _: Picks) -> dict[str, str]:
    analysed: Analysed = listing.results
    return {model: model for model in analysed.models}


def _others(listing: Listing, picks: Picks) -> dict[str, str]:
    return {model: model for model in _models(listing, picks) if model != picks.get("before")}


LANGUAGE = Language(
    "analysis",
    (Behind, Away, RegimeIs, LabelsPrefer, AgainstIs, *OF_PAIRS, TextHas, UserColumnIn),
    None,
    lambda run_id: listing(open_analysis(run_id)),
    named_runs("analysis"),
    (
        Offer(
            "What the labels prefer",
            LabelsPrefer,
            (
                Choice("labeler", "Labels by", _labelers),
                Choice("prefers", "They prefer", fixed(PREFERS_WORDS)),
            ),
        ),
        Offer(
            "Before and after training",
            RegimeIs,
            (
                Choice("before", "Before", _models),
                Choice("after", "After", _others),
                Choice("regime", "What it did", fixed(REGIME_WORDS)),
            ),
            there=lambda listing: len(_models(listing, {})) > 1,
        ),
        *OFFERS,
        *SEARCHES,
    ),
)
