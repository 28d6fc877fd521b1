"""The charts of a comparison, what each leaves to choose, and what is said of all of them.

The figures of one pair are drawn here: the margins of all models, and what each sentence adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import SIDES, Side
from ivan_core.domain.runs import RunState
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.engine import handling as runs
from ivan_core.engine.opinions import second_choices, used_opinions
from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.columns.conditions import COLUMNS
from ivan_core.experiments.compare import sentences
from ivan_core.experiments.compare.conditions import listing
from ivan_core.experiments.compare.findings import findings
from ivan_core.experiments.compare.many_figures import MANY_CHARTS
from ivan_core.experiments.compare.model_figures import (
    agreement,
    agreement_by_more,
    by_own_column,
    coverage,
    length,
    margins,
    reliable,
    rewards,
    two_margins,
    values,
    verdicts,
)
from ivan_core.experiments.compare.published.figures import PUBLISHED_CHARTS
from ivan_core.experiments.compare.results import Results, margins_of, open_results
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.figures.chart import Chart, ChartsAndSentences, Chosen, Drawn, Narrowing
from ivan_core.figures.choices import COLUMN, ONE_MODEL, OTHER_MODEL, ROW, SIDE, Choice, Wish
from ivan_core.figures.words import first_upper, model_words, rows_words
from ivan_core.metrics.margin_words import STRENGTHS
from ivan_core.metrics.sentences import counts_sentence, effects_sentence, pair_sentence
from ivan_core.metrics.training import trained_on_pair

if TYPE_CHECKING:
    from ivan_core.charts.palette import Drawing

_UNIT = (
    "A margin is the reward of the chosen minus that of the rejected reply, in units of the model's"
    f" own root-mean-square margin in this run. {STRENGTHS}"
)


def pair_margins(results: Results, row: int) -> Drawn:
    """Which reply of one pair each model likes more, and by how much."""
    import pandas as pd

    from ivan_core.charts.one_pair import margin_strip

    margins = margins_of(results, row)
    data = pd.DataFrame(
        [(row, model, margin) for model, margin in margins],
        columns=["row_id", "model", "typical_margins"],
    )
    return Drawn(
        lambda: _titled(margin_strip(margins, dark=False), "Which reply each model likes more"),
        data,
        f"Pair {row}: which reply each reward model likes more. A is the chosen one."
        f" {pair_sentence('A', margins, results.dataset.chooser)}",
        _UNIT,
    )


def _titled(chart: Drawing, title: str) -> Drawing:
    """A chart that needs no title on its page, with one for where it stands alone."""
    return chart if isinstance(chart, str) else chart.properties(title=title)


def sentences_of_reply(results: Results, model: str, row: int, side: str) -> Drawn:
    """What each sentence of a reply adds to the reward; known once it was asked for."""
    import pandas as pd

    from ivan_core.charts.one_pair import effect_bars
    from ivan_core.engine.warm.answers import Pending
    from ivan_core.experiments.compare.ablation import sentence_effects

    found = sentence_effects(results, row, model, cast("Side", side))
    if isinstance(found, Pending):
        raise BadInput(
            f"What the sentences of pair {row} add is not known yet; it is being computed.",
            "Ask again in a moment, or follow it on the page Pairs: What moved the reward?",
        )
    adds = [sentence.adds for sentence in found.sentences]
    data = pd.DataFrame(
        [
            (row, side, number, sentence.text, sentence.without, sentence.adds)
            for number, sentence in enumerate(found.sentences, 1)
        ],
        columns=["row_id", "side", "sentence", "text", "reward_without", "adds"],
    )
    return Drawn(
        lambda: _titled(effect_bars(adds, dark=False), "What each sentence adds to the reward"),
        data,
        f"Pair {row}, the {side} reply: what each of its {len(adds)} sentences adds to the reward"
        f" of {model}. {effects_sentence(model, adds, found.typical)}",
        "The reward of the reply minus that of the reply without the sentence, in the model's own"
        " units; one sentence at a time was left out.",
    )


def _user_columns(results: Results) -> list[ColumnSpec]:
    return columns.known(results.dataset.fingerprint)


def _user_column(chart: str, results: Results, wish: Wish) -> ColumnSpec:
    """The user column to draw: the one asked for, or the only one there is."""
    known, asked = _user_columns(results), wish.get("column")
    found = [spec for spec in known if asked in (None, spec.id)]
    if len(found) != 1:
        said = "Which column?" if asked is None else f"There is no column {asked!r} here."
        there = ", ".join(f"{spec.id} ({spec.label})" for spec in known)
        raise BadInput(said, f"Choose one of {there}.")
    return found[0]


def _no_user_column(chart: str, results: Results) -> BadInput | None:
    if _user_columns(results):
        return None
    return BadInput(
        "There is no user column of this dataset.", "Make one below the charts of Compare."
    )


def _own_column(chart: str, results: Results, wish: Wish) -> str:
    """The dataset's column to draw by: the one asked for, or the only one there is."""
    own, asked = results.own_columns, wish.get("column")
    found = [name for name in own if asked in (None, name)]
    if len(found) != 1:
        said = "By which column?" if asked is None else f"The dataset brings no column {asked!r}."
        raise BadInput(said, f"Choose one of {', '.join(own)}.")
    return found[0]


def _no_own_column(chart: str, results: Results) -> BadInput | None:
    return None if results.own_columns else BadInput("The dataset brings no column of its own.")


def _row(chart: str, results: Results, wish: Wish) -> int:
    """The row to draw: the one asked for, else that on which the models disagree most."""
    asked = wish.get("row")
    if asked is None:
        return next(iter(results.sharpest), results.row_ids[0])
    if not (asked.isdecimal() and len(asked) < 12 and int(asked) in results.aligned.row_ids):
        raise BadInput(
            f"Run {results.run.id} has no pair {asked}.",
            f"Its pairs go from {results.row_ids[0]} to {results.row_ids[-1]}.",
        )
    return int(asked)


def _side(chart: str, results: Results, wish: Wish) -> str:
    side = wish.get("side") or SIDES[0]
    if side not in SIDES:
        raise BadInput(f"A pair has no side {side!r}.", f"Choose one of {', '.join(SIDES)}.")
    return side


_USER_COLUMN = Choice(
    COLUMN,
    _user_column,
    as_wish=lambda spec: str(spec.id),
    lacks=_no_user_column,
    offers=lambda results: [(spec.id, spec.label) for spec in _user_columns(results)],
)
_OWN_COLUMN = Choice(
    COLUMN,
    _own_column,
    lacks=_no_own_column,
    offers=lambda results: [(name, "of the dataset") for name in results.own_columns],
)
_ONE_ROW = Choice(
    ROW,
    _row,
    offers=lambda results: [(str(_row("", results, {})), "where the models disagree most")],
)
_ONE_SIDE = Choice(SIDE, _side, offers=lambda results: [(side, "") for side in SIDES])
_ALL = {"model": "all models", "other": "all models"}
_ONE = {"other": "one model"}
_RANKED = "the whole run, whose pairs it sets against each other by how sure a model is of them"
_PAIR = {"where": "one pair"}
CHARTS = (
    Chart(
        "agreement",
        "Agree, tie and disagree, by model and subset",
        agreement,
        instead=_ALL,
        measure=REWARDS,
    ),
    Chart(
        "agreement-by",
        "Agree, tie and disagree, by a column of the dataset",
        by_own_column,
        (_OWN_COLUMN,),
        measure=REWARDS,
    ),
    Chart(
        "verdicts",
        "The verdicts of two models, pair by pair",
        verdicts,
        (ONE_MODEL, OTHER_MODEL),
        names_them=True,
        measure=REWARDS,
    ),
    Chart(
        "two-margins",
        "The margins of two models, pair by pair",
        two_margins,
        (ONE_MODEL, OTHER_MODEL),
        names_them=True,
        measure=REWARDS,
    ),
    *MANY_CHARTS,
    *PUBLISHED_CHARTS,
    Chart(
        "coverage",
        "Agreement if only the surest pairs counted",
        coverage,
        instead={**_ALL, "where": _RANKED},
    ),
    Chart(
        "reliability",
        "Whether one model is right when it is sure",
        reliable,
        (ONE_MODEL,),
        instead={**_ONE, "where": _RANKED},
    ),
    Chart("length", "Is it just length?", length, instead=_ALL, measure=REWARDS),
    Chart(
        "rewards",
        "The rewards of both replies, for one model",
        rewards,
        (ONE_MODEL,),
        instead=_ONE,
        measure=REWARDS,
    ),
    Chart(
        "margins",
        "How much more one model likes the chosen reply",
        margins,
        (ONE_MODEL,),
        instead=_ONE,
        measure=REWARDS,
    ),
    Chart(
        "column",
        "The values of a user column on both sides",
        values,
        (_USER_COLUMN,),
        instead=_ALL,
        measure=COLUMNS,
    ),
    Chart(
        "column-agreement",
        "Agreement by which side has more of a user column",
        agreement_by_more,
        (_USER_COLUMN,),
        instead=_ALL,
        measure=REWARDS,
    ),
    Chart(
        "pair-margins",
        "Which reply of a pair the models like more",
        pair_margins,
        (_ONE_ROW,),
        instead=_PAIR,
    ),
    Chart(
        "sentences",
        "What each sentence of a reply adds to the reward",
        sentences_of_reply,
        (ONE_MODEL, _ONE_ROW, _ONE_SIDE),
        instead=_PAIR,
    ),
)


def _names(results: Results, chosen: Chosen) -> tuple[str, ...]:
    """What the picture names below its title."""
    words = {"row": "pair {}", "side": "the {} reply", "column": "by {}"}
    return tuple(
        value.label if isinstance(value, ColumnSpec) else words.get(option, "{}").format(value)
        for option, value in chosen.items()
    )


def _shown(results: Results, chosen: Chosen) -> Sequence[str]:
    """The models that a chart shows."""
    return [chosen[name] for name in ("model", "other") if name in chosen] or results.models


def _trained(results: Results, chosen: Chosen) -> str:
    """On how many of the pairs each model that is shown was trained; of one pair, whether on it."""
    models = _shown(results, chosen)
    if "row" in chosen:
        (place,) = results.aligned.at([chosen["row"]])
        scores = results.aligned.models
        return " ".join(trained_on_pair(one, int(scores[one].seen[place])) for one in models)
    return " ".join(results.training[model].sentence for model in models)


def _methods(results: Results, chosen: Chosen) -> str:
    models = _shown(results, chosen)
    counted = " ".join(counts_sentence(s) for s in results.summaries if s.model in models)
    about = "; ".join(model_words(results.cards[name]) for name in models)
    return (
        f"{first_upper(_rows(results))} were judged by {about}. {counted}"
        f" {_trained(results, chosen)}"
    )


def _rows(results: Results) -> str:
    """Which pairs, of what, in what revision."""
    run, stopped = results.run, ""
    if run.state is not RunState.DONE:
        stopped = f"the run stopped at {run.done:,} of {run.total:,} judgements"
    return rows_words(results.spec, results.dataset, len(results.row_ids), stopped)


FIGURES = ChartsAndSentences(
    CHARTS,
    open_results,
    _rows,
    _methods,
    lambda results: runs.command(results.run),
    sentences.source,
    sentences.quotes,
    names=_names,
    trained=_trained,
    moves=lambda results: second_choices(used_opinions(results.dataset)),
    narrowing=Narrowing(
        "compare",
        lambda results, row_ids, bare, _: results.only(row_ids, bare),
        lambda results, _: listing(results),
        called=lambda results: {
            spec.id: spec.label for spec in columns.known(results.dataset.fingerprint, True)
        },
    ),
    findings=findings,
)
