"""The figure and the sentences of a ranking of words, asked for as `words-KEY`."""

from __future__ import annotations

from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import number_of, one_line
from ivan_core.engine.figures import WORDS
from ivan_core.figures.chart import Chart, ChartsAndSentences, Chosen, Drawn
from ivan_core.figures.words import Quote
from ivan_core.words import sentences
from ivan_core.words.asking import kept_as
from ivan_core.words.ends import Ranking

CHART = "words"
DRAWN = 25
"""Words at each end that the picture has room for."""
_METHODS = (
    "Each word was the whole of one reply. Words are ordered by reward; equal rewards share the"
    " best place in the lists, and the mean rank in Spearman's rho."
)


def _open(asked_for: str) -> Ranking:
    found = kept_as(asked_for.removeprefix(WORDS))
    if found is None:
        raise BadInput(
            f"There is no ranking {asked_for!r} here.", "Rank the words anew: that tells its name."
        )
    return Ranking(found)


def _columns(ranking: Ranking) -> Drawn:
    from ivan_core.charts.word_lists import word_columns

    table = ranking.ends_table(DRAWN)
    n = len(ranking.scored.words)
    told = [sentences.correlation_sentence(ranking), sentences.shared_sentence(ranking, DRAWN)]
    return Drawn(
        lambda: word_columns(table, n, dark=False),
        table,
        " ".join(
            [
                f"The {number_of(len(ranking.ends(0, DRAWN).best), 'word')} that each model likes "
                "best as a one-word reply, and those that it likes least.",
                *told,
                sentences.hidden_sentence(ranking, DRAWN),
                sentences.TEASER,
            ]
        ),
        f"{_METHODS} {sentences.CENSUS}",
    )


def _rows(ranking: Ranking) -> str:
    asked = ranking.scored.asked
    of = sentences.list_words(asked)
    if not asked.prompt_counts:
        return f"{of}; neither model reads the question"
    return f"{of}; asked “{one_line(asked.prompt, 200)}”"


def _methods(ranking: Ranking, chosen: Chosen) -> str:
    models = " and ".join(
        f"{model.name} (revision {model.revision})" for model in ranking.scored.asked.models
    )
    return f"Scored by {models}. {sentences.prompt_sentence(ranking.scored)}".strip()


def _quotes(ranking: Ranking) -> list[Quote]:
    told = [
        *(sentences.ends_sentence(ranking.ends(model)) for model in (0, 1)),
        sentences.correlation_sentence(ranking),
        sentences.shared_sentence(ranking),
    ]
    return [Quote("Which words does each model like best?", one, CHART) for one in told]


def _source(ranking: Ranking) -> str:
    return f"{_rows(ranking)}. {_methods(ranking, {})} {sentences.CENSUS} {sentences.TEASER}"


FIGURES = ChartsAndSentences(
    (Chart(CHART, "Best and worst words of two models", _columns),),
    _open,
    _rows,
    _methods,
    lambda ranking: "",
    _source,
    _quotes,
    paths=lambda ranking: list(ranking.scored.models),
    title=lambda ranking: "Words as one-word replies",
)
