"""The rows behind a number, as the conditions of a comparison's list of pairs."""

from __future__ import annotations

from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.compare.conditions import LANGUAGE, VerdictIs
from ivan_core.experiments.labels.conditions import LANGUAGE as OF_LABELS, SidesDiffer
from ivan_core.experiments.rewrite.conditions import LANGUAGE as OF_REWORDINGS, LabelMoves
from ivan_core.lists.conditions import Filter
from ivan_core.lists.others import Elsewhere
from ivan_core.lists.url import query_of


def rows_behind(analysed: Analysed, labeler: str, feature: str) -> dict[str, str]:
    """The address, on Compare, of the pairs whose two replies differ in a feature."""
    asked = Elsewhere(run=labeler, of=OF_LABELS.name, asked=SidesDiffer(label=feature))
    return {"run": analysed.spec.comparison, **query_of(Filter(LANGUAGE, (asked,)))}


def verdict_rows(analysed: Analysed, model: str) -> dict[str, str]:
    """The address, on Compare, of the pairs in which a model prefers the other reply."""
    wanted = Filter(LANGUAGE, (VerdictIs(model=model, verdict="disagree"),))
    return {"run": analysed.spec.comparison, **query_of(wanted)}


def reworded_rows(analysed: Analysed, feature: str) -> dict[str, str]:
    """The address, on Rewrite, of the pairs with a text whose label flips when it is reworded."""
    wanted = Filter(OF_REWORDINGS, (LabelMoves(label=feature, move="flipped"),))
    return {"run": analysed.spec.rewording, **query_of(wanted)}
