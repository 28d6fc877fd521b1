"""The report of an analysis: by question its sentences, its charts with their numbers, and texts
where they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any, cast

from ivan_core.charts.plain_dots import plain_dots
from ivan_core.engine.figures import sentences_of
from ivan_core.experiments.analysis.figures import FIGURES, TITLES
from ivan_core.experiments.analysis.html_report.texts import pairs_that_show
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.several import differences_known
from ivan_core.figures.chart import Chart, Drawn
from ivan_core.figures.choices import LABELER, MODEL, OTHER, Wish
from ivan_core.figures.files import SAMPLE_MARK, by_names, caption, file_names, named
from ivan_core.figures.html.frame import bullets, fold, page, paragraph, table, text
from ivan_core.figures.html.numbers import cell, holds, numbers_table
from ivan_core.figures.pick import is_sample, pick
from ivan_core.metrics.intervals import interval_text, number_text

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 12_000_000
_NEVER_CONCLUDE = (
    "No causes: replies that differ in a label differ in what nobody labelled too.",
    "Nothing without its labeler, its rows and its interval; what is not clear is not zero.",
    "No difference between models by their scales: they are compared in typical margins.",
    "Mistakes of a labeler shrink effects and give some to features that have none; more rows do"
    " not help.",
)
_EFFECTS = {"feature", "estimate", "low", "high", "clear", "differs", "n"}
_APART = (LABELER.name, MODEL.name, OTHER.name)
"""What charts are drawn apart by: the other choices stay as they usually are."""


def html_report(analysed: Analysed, *, texts: bool = False) -> str:
    """One page of at most 12 MB; with `texts` also pairs that show the strongest effects."""
    source, quotes = sentences_of(FIGURES, analysed)
    charts: dict[str, list[Chart]] = {}
    for chart in FIGURES.charts:
        charts.setdefault(chart.title, []).append(chart)
    questions = dict.fromkeys([*charts, *(quote.question for quote in quotes)])
    sections: dict[str, list[str]] = {}
    for question in questions:
        told = [quote.sentence for quote in quotes if quote.question == question]
        parts = [paragraph(told[0], "lead")] if told else []
        for chart in charts.get(question, []):
            parts += _drawn(analysed, chart)
        if told[1:]:
            parts.append(bullets(told[1:]))
        commands = dict.fromkeys(quote.command for quote in quotes if quote.question == question)
        if commands:
            inside = "".join(f"<pre>{text(command)}</pre>" for command in commands)
            parts.append(fold("Commands that tell these numbers again", inside))
        sections[question] = parts
    if texts:
        sections["Pairs that show it"] = pairs_that_show(analysed, MOST_BYTES // 2)
    sections["What must not be concluded"] = [bullets(_NEVER_CONCLUDE)]
    mark = SAMPLE_MARK if is_sample(analysed.dataset) else ""
    head = [paragraph(mark, "note")] if mark else []
    return page(
        "What do these reward models reward?", [*head, paragraph(source, "small")], sections
    )


def _drawn(analysed: Analysed, chart: Chart) -> Iterator[str]:
    """A chart for each labeler, and for each model where it shows one; or what it lacks."""
    lacking = chart.lacking(analysed)
    if lacking is not None:
        yield paragraph(f"{lacking.message} {lacking.hint}", "note")
        return
    apart = [choice for choice in chart.choices if choice.option.name in _APART]
    offered = [[value for value, _ in choice.offers(analysed)] for choice in apart]
    for values in product(*offered):
        names = (choice.option.name for choice in apart)
        wish = cast("Wish", dict(zip(names, values, strict=True)))
        if OTHER.name in wish and not differences_known(analysed, wish):
            continue
        picked = by_names(
            pick(FIGURES, analysed, chart.name, wish), file_names(FIGURES.paths(analysed))
        )
        drawn = picked.draw()
        yield _figure(drawn, caption(picked, drawn), picked.shown)


def _figure(drawn: Drawn, words: str, names: Mapping[str, str]) -> str:
    """A chart as dots where it is one of effects, what is seen, and its numbers."""
    data = drawn.data
    picture = ""
    if set(data.columns) >= _EFFECTS:
        picture = _picture(data, names)
    numbers = fold("Numbers", _numbers(data, names))
    return (
        f"<figure>{picture}<figcaption>{text(words)}</figcaption></figure>\n"
        f"{numbers}\n{fold('How they were computed', paragraph(drawn.methods))}"
    )


def _picture(data: pd.DataFrame, names: Mapping[str, str]) -> str:
    points = "points" in data.columns
    series = next((one for one in ("side", "model", "series") if one in data.columns), "feature")
    across = "Percentage points more often" if points else "Typical margins"
    effects = [{**row, "series": named(str(row[series]), names)} for row in data.to_dict("records")]
    drawn = plain_dots(effects, TITLES, across, 1 if points else 2)
    if not drawn:
        return paragraph("No feature differs in enough pairs, so there is nothing to draw.")
    how = "dot: clear, ring: clear for this labeler, stroke: not; beside it pairs that differ"
    return f"{drawn}{paragraph(how, 'small')}"


_COLUMNS = {
    "feature": "Feature",
    "model": "Model",
    "before": "Less",
    "side": "Of the reply",
    "estimate": "Estimate, 95% interval",
    "p_holm": "p (Holm)",
    "differs": "Differ",
    "n": "Of",
    "clear": "How sure",
}
"""What people read of the numbers of effects, and the heads of these columns."""


def _numbers(data: pd.DataFrame, names: Mapping[str, str]) -> str:
    """The numbers of a chart in columns that hold any; the CSV has all of them as they are."""
    if not set(data.columns) >= _EFFECTS:
        return numbers_table(data, names)
    heads = {one: head for one, head in _COLUMNS.items() if one in data and holds(data[one])}
    columns = {head: data[one].dtype.kind in "if" for one, head in heads.items()}
    rows = data.to_dict("records")
    return table(columns, ([_cell(row, one, names) for one in heads] for row in rows))


def _cell(row: Mapping[str, Any], column: str, names: Mapping[str, str]) -> str:
    value = row[column]
    if column == "feature":
        return str(TITLES.get(value, value))
    if column == "estimate" and value == value:
        ends = interval_text(row["low"], row["high"], 2, signed=True)
        return f"{number_text(value, 2, signed=True)} {ends}"
    return cell(value, column, names)
