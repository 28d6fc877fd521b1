"""Where the pairs behind the numbers of an analysis are listed, as addresses of other pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivan_core.experiments.analysis.conditions import (
    LANGUAGE,
    AgainstIs,
    Away,
    Behind,
    LabelsPrefer,
    RegimeIs,
)
from ivan_core.experiments.analysis.joined import TOPICS
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.steps.rewards import SUBSET
from ivan_core.experiments.compare.conditions import LANGUAGE as OF_COMPARISONS, Seen
from ivan_core.experiments.compare.verdicts import RatedBy
from ivan_core.experiments.labels.conditions import LANGUAGE as OF_LABELS, LabelIs
from ivan_core.experiments.rewrite.conditions import LANGUAGE as OF_REWORDINGS, LabelMoves
from ivan_core.lists.conditions import Condition, Filter
from ivan_core.lists.others import Elsewhere
from ivan_core.lists.pairs import SubsetIs
from ivan_core.lists.url import query_of
from ivan_core.metrics.agreement import subset_label
from ivan_core.metrics.imprint.against import ALL
from ivan_core.metrics.imprint.rows import CHOSEN


def listed_rows(analysed: Analysed, *conditions: Condition) -> dict[str, str]:
    """The address, on Compare, of the pairs that meet conditions of an analysis or a comparison."""
    asked = [
        one
        if isinstance(one, Elsewhere) or type(one) in OF_COMPARISONS.conditions
        else Elsewhere(run=analysed.run.id, of=LANGUAGE.name, asked=one)
        for one in conditions
    ]
    return {"run": analysed.spec.comparison, **query_of(Filter(OF_COMPARISONS, tuple(asked)))}


def behind(labeler: str, row: Mapping[str, Any]) -> Condition:
    """The pairs of a row of the imprint: as many as differ there."""
    return Behind(
        labeler=labeler,
        model=row["model"],
        feature=row["feature"],
        before=row["before"],
        view=row["view"],
        control=row["control"] or "length",
    )


def behind_choice(
    analysed: Analysed, labeler: str, model: str, row: Mapping[str, Any]
) -> tuple[Condition, ...]:
    """The pairs of a row of `choice`: all models rated them, and they differ in its feature."""
    mark = Behind(labeler=labeler, model=model, feature=row["feature"])
    return mark, *(RatedBy(model=one) for one in analysed.models if one != model)


def behind_both(row: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The pairs of a row of `authored`: they differ by its labels, and the others tell them too."""
    mark = Behind(labeler=row["labeler"], model=row["model"], feature=row["feature"])
    return mark, Behind(labeler=row["beside"], model=row["model"], feature=CHOSEN)


def inside_topic(row: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The pairs of a row of `topics` that differ in its feature inside: as many as it says."""
    where, labeler = str(row["topic"]), str(row["labeler"])
    mark = Behind(labeler=labeler, model=row["model"], feature=row["feature"])
    subset = where.removeprefix(SUBSET)
    if subset != where:
        return mark, SubsetIs(label=subset_label(subset))
    asked = LabelIs(label=TOPICS, value=where, side="chosen")
    return mark, Elsewhere(run=labeler, of=OF_LABELS.name, asked=asked)


def why_behind(labeler: str, row: Mapping[str, Any]) -> Condition:
    """The pairs of a row of `why`: as many as are away from the most common label."""
    return Away(labeler=labeler, model=row["model"], column=row["column"])


def of_regime(row: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The pairs of a row of the regimes."""
    regime = RegimeIs(regime=row["regime"], before=row["before"], after=row["after"])
    return regime, LabelsPrefer(labeler=row["labeler"], prefers=row["labeler_prefers"])


def of_share(row: Mapping[str, Any], *, ties: bool = False) -> tuple[Condition, ...]:
    """The pairs of a row of `misaligned` that go against the choice, or its ties alone."""
    found = AgainstIs(model=row["model"], how="tie" if ties else "misaligned")
    if row["labeler_prefers"] == ALL:
        return (found,)
    return found, LabelsPrefer(labeler=row["labeler"], prefers=row["labeler_prefers"])


def of_training(row: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The pairs of a row of `shift` by what the later model was trained on."""
    seen = Seen(model=row["after"], seen=row["value"] == "seen")
    return seen, RatedBy(model=row["before"]), RatedBy(model=row["after"])


def reworded_rows(analysed: Analysed, feature: str) -> dict[str, str]:
    """The address, on Rewrite, of the pairs with a text whose label flips when it is reworded."""
    wanted = Filter(OF_REWORDINGS, (LabelMoves(label=feature, move="flipped"),))
    return {"run": analysed.spec.rewording, **query_of(wanted)}
