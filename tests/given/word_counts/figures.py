"""The chart of a word count, and its sentence."""

import altair as alt

from given.word_counts.results import Words, open_words
from ivan_core.domain.options import command_of
from ivan_core.figures.chart import Chart, ChartsAndSentences, Drawn
from ivan_core.figures.words import Quote, rows_words, source_line


def told_of(own: Words) -> str:
    chosen, rejected = own.table["chosen"].sum(), own.table["rejected"].sum()
    return f"Chosen replies have {chosen} words, rejected ones {rejected}, n = {len(own.table)}."


def _draw(own: Words) -> Drawn:
    sums = own.table[["chosen", "rejected"]].sum().rename_axis("side").reset_index(name="words")
    bars = alt.layer(alt.Chart(sums, title="Words").mark_bar().encode(x="side:N", y="words:Q"))
    return Drawn(lambda: bars, sums, told_of(own), "Words are what stands between spaces.")


FIGURES = ChartsAndSentences(
    (Chart("words", "Words by side", _draw),),
    open_words,
    lambda own: rows_words(own.spec, own.dataset, len(own.table)),
    lambda own, chosen: "Words were counted.",
    lambda own: command_of(own.spec),
    lambda own: source_line(own, len(own.table), command_of(own.spec)),
    lambda own: [Quote("Which side has more words?", told_of(own), "words")],
)
