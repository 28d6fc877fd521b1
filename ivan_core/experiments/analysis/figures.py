"""The charts of an analysis, what each leaves to choose, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.analysis.findings import findings
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.sentences import quotes, shown_effects
from ivan_core.figures.chart import Chart, ChartsAndSentences, Chosen, Drawn
from ivan_core.figures.choices import CONTROL, LABELER, VIEW, Choice, FigureOption, Wish, asked_for
from ivan_core.figures.words import rows_words, source_line
from ivan_core.labels.schema import features
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH

TITLES = {
    **{one.key: one.title for one in features()},
    LENGTH: "Length (log)",
    CHOSEN: "Being chosen, beyond the labels",
}
"""What features are called in charts."""
_INTERVALS = (
    "Margins are in typical margins of each model. Intervals are 95%, from leaving out one prompt"
    " at a time (CR3; HC3 where no prompt repeats); p-values are adjusted by Holm over the features"
    " of one model."
)


def _imprint(analysed: Analysed, labeler: str, control: str, view: str) -> Drawn:
    from ivan_core.charts.imprint import imprint_dots

    who = analysed.labeler(labeler)
    table = shown_effects(analysed, labeler, view, control)
    alike = "alike in all else in the table" if view == "together" else "each feature by itself"
    beside = {"length": " and of log length", "none": "", "chosen": " and of log length"}[control]
    constant = "with" if control == "chosen" else "without"
    return Drawn(
        lambda: imprint_dots(table, TITLES, dark=False),
        table.drop(columns=["why", "spread"]),
        "By how many typical margins each model likes the reply with a feature more,"
        f" {alike}. Labels: {who.named}.",
        f"A regression of margins on differences of labels{beside}, {constant} a constant."
        f" {_INTERVALS}"
        if view == "together"
        else f"Margins on differences of one label at a time, without a constant. {_INTERVALS}",
    )


def _labeler(chart: str, analysed: Analysed, wish: Wish) -> str:
    runs = [one.run_id for one in analysed.labelers]
    return _one_of(chart, wish, LABELER, runs, runs[0])


def _control(chart: str, analysed: Analysed, wish: Wish) -> str:
    return _one_of(chart, wish, CONTROL, CONTROL.among, analysed.spec.control)


def _view(chart: str, analysed: Analysed, wish: Wish) -> str:
    return _one_of(chart, wish, VIEW, VIEW.among, VIEW.among[0])


def _one_of(chart: str, wish: Wish, option: FigureOption, known: Sequence[str], usual: str) -> str:
    asked = asked_for(wish, option)
    if not asked:
        return usual
    if asked[0] not in known:
        raise BadInput(
            f"The chart {chart} has no {option.words} {asked[0]!r}.",
            f"There are {', '.join(known)}.",
        )
    return asked[0]


def _labelers(analysed: Analysed) -> list[tuple[str, str]]:
    return [(one.run_id, one.named) for one in analysed.labelers]


_CHOICES = (
    Choice(LABELER, _labeler, offers=_labelers, before="labels"),
    Choice(CONTROL, _control, before="beside"),
    Choice(VIEW, _view),
)


def _methods(analysed: Analysed, _: Chosen) -> str:
    named = ", ".join(analysed.models)
    return f"Margins of {named} were taken from run {analysed.spec.comparison}."


FIGURES = ChartsAndSentences(
    (Chart("imprint", "What does it reward?", _imprint, _CHOICES),),
    open_analysis,
    lambda own: rows_words(own.spec, own.dataset, len(own.row_ids)),
    _methods,
    lambda own: own.spec.command_line,
    lambda own: source_line(own, len(own.row_ids), own.spec.command_line),
    quotes,
    of=" of an analysis",
    findings=findings,
)
