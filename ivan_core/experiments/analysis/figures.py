"""The charts of an analysis, what each leaves to choose, and what is said of them."""

from __future__ import annotations

from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.sentences import quotes, shown_effects
from ivan_core.figures.chart import Chart, ChartsAndSentences, Chosen, Drawn
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


def _imprint(analysed: Analysed) -> Drawn:
    from ivan_core.charts.imprint import imprint_dots

    who = analysed.labelers[0]
    table = shown_effects(analysed, who.run_id, "together", analysed.spec.control)
    return Drawn(
        lambda: imprint_dots(table, TITLES, dark=False),
        table.drop(columns="why"),
        f"By how many typical margins each model likes the reply with a feature more, alike in all"
        f" else in the table. Labels: {who.named}.",
        f"A regression of margins on differences of labels and of log length, without a constant."
        f" {_INTERVALS}",
    )


def _methods(analysed: Analysed, _: Chosen) -> str:
    named = ", ".join(analysed.models)
    return f"Margins of {named} were taken from run {analysed.spec.comparison}."


FIGURES = ChartsAndSentences(
    (Chart("imprint", "What does it reward?", _imprint),),
    open_analysis,
    lambda own: rows_words(own.spec, own.dataset, len(own.row_ids)),
    _methods,
    lambda own: own.spec.command_line,
    lambda own: source_line(own, len(own.row_ids), own.spec.command_line),
    quotes,
    of=" of an analysis",
)
