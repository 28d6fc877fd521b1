"""What breaks it? In sentences: what rewording away a label moves, beside what is rewarded."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan, log
from typing import TYPE_CHECKING, Any

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.steps.rewordings import why_not
from ivan_core.figures.words import Quote
from ivan_core.labels.schema import features
from ivan_core.metrics.imprint.rewording import ITSELF
from ivan_core.metrics.imprint.rows import LENGTH
from ivan_core.metrics.intervals import interval_text, number_text
from ivan_core.models.names import shown_name

if TYPE_CHECKING:
    import pandas as pd

BREAKS = "What breaks it?"
_NAMES = {one.key: one.title for one in features()}
_SENTIMENT = "last_response_sentiment"
ALIKE = "all else in this table alike"
ATTENUATED = (
    "Labels that the labeler flips by itself are among the changes, and shrink what a change of a"
    " label seems to move: in simulations mistakes in 3% of its answers halve it."
)


def rewording_of(analysed: Analysed) -> Mapping[str, str] | None:
    """The rewording of an analysis: its run, its rewriter, its labeler; None without one."""
    found: Mapping[str, str] | None = analysed.manifest.get("rewording")
    return found


def lacking(analysed: Analysed) -> str:
    """Why the analysis does not tell whether rewording moves rewards as the imprint says."""
    found = rewording_of(analysed)
    if found is None:
        return "This analysis has no rewording of its pairs."
    return why_not(found["rewriter"], found["labeler"])


def rewording_rows(analysed: Analysed, model: str) -> pd.DataFrame:
    """What rewording moves in a model and what its imprint says, a row each, to draw."""
    import pandas as pd

    table = analysed.table("rewording", model=model)
    table = table[table["feature"] != ITSELF]
    moved = table.assign(series="moved by rewording", differs=table["texts_changed"])
    ends = {"estimate": "imprint", "low": "imprint_low", "high": "imprint_high"}
    said = moved.assign(series="imprint of the originals")
    said = said.assign(**{name: table[column] for name, column in ends.items()})
    said = said[moved["estimate"].notna()]
    return pd.concat([moved, said], ignore_index=True).assign(n=lambda own: own["texts"], clear="")


def move_sentence(row: Mapping[str, Any], labeler: str) -> str:
    """How a model's reward moves with one change, beside its imprint; or why nobody knows."""
    feature, model = str(row["feature"]), row["model"]
    texts = number_of(int(row["texts"]), "text")
    of = f"{row['texts_changed']:,} of {texts} changed; labels: {shown_name(labeler)}"
    where = f"Where a reworded text gains “{_NAMES.get(feature, feature)}”"
    if feature == _SENTIMENT:
        where = "Where the sentiment of a reworded text rises by a step"
    elif feature == LENGTH:
        where = "Where a reworded text is a tenth longer"
    elif feature == ITSELF:
        where = "Where no label and no length changes"
    if isnan(row["estimate"]):
        return f"{where}, nothing can be told of {model}: {row['why']} ({of})."
    unit = log(1.1) if feature == LENGTH else 1.0
    value = _told(row, ("estimate", "low", "high"), unit)
    if feature == ITSELF:
        return f"{where}, rewording itself moves the reward of {model} by {value} ({texts})."
    beside = ""
    if not isnan(row["imprint"]):
        said = _told(row, ("imprint", "imprint_low", "imprint_high"), unit, words="")
        beside = f"; its imprint on the originals is {said}"
    return f"{where}, {ALIKE}, the reward of {model} moves by {value}{beside} ({of})."


def too_few_sentence(analysed: Analysed, model: str) -> str:
    """Which changes have no number, and why; empty where all have."""
    rows = analysed.table("rewording", model=model).to_dict("records")
    told = [
        f"{_NAMES.get(row['feature'], row['feature'])} ({row['why']})" for row in rows if row["why"]
    ]
    return f"Without a number: {', '.join(told)}." if told else ""


def _told(
    row: Mapping[str, Any], names: tuple[str, str, str], unit: float, words: str = "typical margins"
) -> str:
    value, low, high = (row[name] * unit for name in names)
    told = [number_text(value, 2, signed=True), words]
    told += [] if isnan(low) else [interval_text(low, high, 2, signed=True)]
    return " ".join(one for one in told if one)


def rewording_quotes(analysed: Analysed) -> list[Quote]:
    """Every sentence of the table of rewording."""
    found = rewording_of(analysed)
    if found is None or "rewording" not in analysed.tables:
        return []
    rows = analysed.tables["rewording"].dropna(subset=["estimate"]).to_dict("records")
    return [
        Quote(BREAKS, move_sentence(row, found["labeler"]), "rewording", {"model": row["model"]})
        for row in rows
    ]
