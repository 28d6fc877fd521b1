"""What a finished analysis shows at a glance: what a model rewards the most, if that is clear."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.rewards import effect_sentence, shown_effects
from ivan_core.experiments.compare.findings import replies
from ivan_core.figures.finding import Bar, Example, Finding
from ivan_core.labels.schema import features
from ivan_core.metrics.imprint.effects import CLEAR
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH
from ivan_core.metrics.intervals import number_text
from ivan_core.metrics.margin_words import preference

if TYPE_CHECKING:
    import pandas as pd

_MOST_BARS = 3


def findings(analysed: Analysed) -> list[Finding]:
    """The strongest clear effect of a label on a model's margins, if there is one.

    What is clear with every labeler at hand comes before what is clear for one.
    """
    clear = _clear(analysed)
    if clear.empty:
        return []
    row = clear.iloc[0].to_dict()
    model, feature, labeler = (str(row[name]) for name in ("model", "feature", "labeler"))
    strongest = clear[(clear["model"] == model) & (clear["labeler"] == labeler)]
    pair = pair_that_shows(analysed, model, labeler, feature, float(row["estimate"]))
    return [
        Finding(
            effect_sentence(row, analysed.labeler(labeler)),
            "See what else it rewards",
            pair,
            _bars(strongest.head(_MOST_BARS)),
            {"effect": f"{feature}~{model}", "labeler": labeler},
            example=None if pair is None else partial(_example, analysed, pair, model),
        )
    ]


def _clear(analysed: Analysed) -> pd.DataFrame:
    """The clear effects of features on the margins of models, by how sure and how strong."""
    import pandas as pd

    control = analysed.spec.control
    own = [shown_effects(analysed, one.run_id, "together", control) for one in analysed.labelers]
    found = pd.concat(own, ignore_index=True)
    found = found[~found["feature"].isin([LENGTH, CHOSEN]) & found["clear"].ne("")]
    order = found.assign(sure=found["clear"].eq(CLEAR), size=found["estimate"].abs())
    return order.sort_values(["sure", "size"], ascending=False, kind="stable")


def _bars(strongest: pd.DataFrame) -> tuple[Bar, ...]:
    """The strongest effects, each as long as it is strong beside the first."""
    titles = {one.key: one.title for one in features()}
    most = float(strongest["estimate"].abs().max())
    return tuple(
        Bar(
            titles.get(str(row["feature"]), str(row["feature"])),
            number_text(float(row["estimate"]), 1, signed=True),
            {"share": abs(float(row["estimate"])) / most},
        )
        for row in strongest.to_dict("records")
    )


def pair_that_shows(
    analysed: Analysed, model: str, labeler: str, feature: str, estimate: float
) -> int | None:
    """The pair that shows an effect the most: it differs in the feature, and the margin follows."""
    pairs = analysed.behind(model, labeler, feature)
    if pairs.empty:
        return None
    toward = pairs["typical"] * pairs["difference"] * (1 if estimate > 0 else -1)
    return int(pairs.loc[toward.idxmax(), "row_id"]) if toward.max() > 0 else None


def _example(analysed: Analysed, row: int, model: str) -> Example:
    """The replies of a pair, and what the model does with them."""
    does = preference(analysed.margin(model, row), "the chosen reply", "the rejected reply")
    shown = replies(analysed.dataset, row)
    return Example(shown.first, shown.second, f"Pair {row:,}: {model} {does}.")
