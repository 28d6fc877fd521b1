"""Every chart that IVAN draws, found by itself, with tables to draw it from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from inspect import getmembers, isfunction
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pandas as pd

import ivan_core.charts
from given.made_scores import chunk_counts
from given.tables import labels as label_tables, rewordings
from given.tables.labels import HARMLESS, INSULT, SENTIMENT, TOPICS
from ivan_core.charts import (
    agreement,
    annotators,
    best_of_n,
    fewest,
    heat,
    imprint,
    labels,
    live,
    one_pair,
    reliability,
    rewards,
    robustness,
    same_answers,
    sides,
    small,
    strength,
    word_lists,
)
from ivan_core.experiments.compare.tables import align
from ivan_core.metrics.agreement import by_subset, running_agreement
from ivan_core.metrics.best_of_n.rates import RATES
from ivan_core.metrics.bins import margin_histogram, reward_bins
from ivan_core.metrics.columns import agreement_by_larger, column_bins
from ivan_core.metrics.imprint.effects import AS_PEOPLE
from ivan_core.metrics.label_noise import ceiling
from ivan_core.metrics.labels.agreement import agreement_table
from ivan_core.metrics.labels.answers import SENTIMENTS, cells
from ivan_core.metrics.labels.shares import (
    co_occurrence,
    prevalence_differences,
    prevalences,
    topic_counts,
)
from ivan_core.metrics.models.fewest import Fewest
from ivan_core.metrics.models.many import ManyModels
from ivan_core.metrics.paired import margin_cells, shared_rows, verdict_table
from ivan_core.metrics.reliability import reliability as sureness, risk_coverage
from ivan_core.metrics.robustness.changes import (
    REWORDED,
    SURFACE,
    change_cells,
    changes,
    robustness as moved,
    unit_of,
)
from ivan_core.metrics.strength import STRENGTHS
from ivan_core.metrics.summary import summarise

Draw = Callable[[bool], Any]
"""Draws a chart for a dark page or a light one."""
KEYS = (INSULT, HARMLESS, SENTIMENT)
TITLES = {INSULT: "Insult", HARMLESS: "Harmless", SENTIMENT: "Sentiment"}


def builders() -> dict[str, Callable[..., Any]]:
    """Every public function that draws a chart, by module and name."""
    found = {}
    for module in iter_modules(ivan_core.charts.__path__):
        inside = import_module(f"ivan_core.charts.{module.name}")
        for name, function in getmembers(inside, isfunction):
            whole = "Drawing" in str(function.__annotations__.get("return", ""))
            if whole and function.__module__ == inside.__name__ and not name.startswith("_"):
                found[f"{module.name}.{name}"] = function
    return found


def scores(model: str, margins: np.ndarray, subsets: int = 2, seed: int = 0) -> pd.DataFrame:
    """Scores of one model with these margins, chosen minus rejected."""
    n, rng = len(margins), np.random.default_rng(seed)
    rejected = rng.normal(0, 1, n).round(1)
    verdict = np.select([margins > 0, margins == 0], ["agree", "tie"], "disagree")
    return pd.DataFrame(
        {
            "row_id": np.arange(n),
            "model": model,
            "subset": [f"subset {i % subsets}" for i in range(n)],
            "chosen_reward": rejected + margins,
            "rejected_reward": rejected,
            "margin": margins,
            "verdict": pd.Series(verdict, dtype="string"),
            "failure": pd.Series([None] * n, dtype="string"),
            "identical": False,
            "chosen_truncated": False,
            "rejected_truncated": False,
            "chosen_length": rng.integers(1, 9, n),
            "rejected_length": rng.integers(1, 9, n),
            "seen": pd.Series([None] * n, dtype="boolean"),
            "step": np.arange(n) // 50,
        }
    )


def two_models(n: int, shift: float = 0.6, subsets: int = 2) -> pd.DataFrame:
    """Random scores of two models on n pairs; about one pair in twenty ties."""
    rng = np.random.default_rng(7)
    parts = [
        scores(model, rng.normal(shift, 1, n).round(1), subsets)
        for model in ("ivan/minilm-harmless", "org/another-model")
    ]
    return pd.concat(parts, ignore_index=True)


def many_models(table: pd.DataFrame) -> ManyModels:
    """What the models of a table made of its rows."""
    aligned = align(table)
    units = {model: scores.unit for model, scores in aligned.models.items()}
    return ManyModels(aligned.judged(units, None), aligned.subset, aligned.subsets)


def shows(many: ManyModels) -> Fewest:
    """The few of the models that show all disagreements."""
    found = many.fewest
    assert found is not None
    return found


def of_scores(table: pd.DataFrame) -> dict[str, Draw]:
    """All charts of a comparison; those of one model take the first, those of two the first two."""
    names = list(dict.fromkeys(table["model"]))
    one = table[table["model"] == names[0]] if names else table
    shared = shared_rows(table, names[0], names[-1]) if names else None
    points = running_agreement(chunk_counts(table))
    column = pd.Series(np.arange(len(one)) % 3 - 1.0, index=one["row_id"])
    many = many_models(table)
    found: dict[str, Draw] = {
        "agreement.agreement_bars": lambda dark: agreement.agreement_bars(
            by_subset(table), ceiling=ceiling(82, 100), dark=dark
        ),
        "heat.agreement_cells": lambda dark: heat.agreement_cells(many.grid, dark=dark),
        "heat.likeness_cells": lambda dark: heat.likeness_cells(
            many.alike, many.order("equal"), "equal", dark=dark
        ),
        "fewest.fewest_bars": lambda dark: fewest.fewest_bars(shows(many), dark=dark),
        "live.agreement_so_far": lambda dark: live.agreement_so_far(points, 2000, dark=dark),
        "live.standing_so_far": lambda dark: live.standing_so_far(points, dark=dark),
        "rewards.reward_cells": lambda dark: rewards.reward_cells(reward_bins(one), dark=dark),
        "rewards.margin_bars": lambda dark: rewards.margin_bars(margin_histogram(one), dark=dark),
        "reliability.reliability_points": lambda dark: reliability.reliability_points(
            sureness(one, np.random.default_rng(0)), "m", dark=dark
        ),
        "reliability.risk_coverage_curves": lambda dark: reliability.risk_coverage_curves(
            risk_coverage(table), dark=dark
        ),
        "sides.length_bars": lambda dark: sides.length_bars(summarise(table), dark=dark),
        "sides.agreement_by_larger_bars": lambda dark: sides.agreement_by_larger_bars(
            agreement_by_larger(table, column), dark=dark
        ),
    }
    if shared is not None:
        found["rewards.verdict_cells"] = lambda dark: rewards.verdict_cells(
            verdict_table(shared), names[0], names[-1], dark=dark
        )
        found["rewards.margin_squares"] = lambda dark: rewards.margin_squares(
            margin_cells(shared), names[0], names[-1], dark=dark
        )
    return found


def of_columns(chosen: np.ndarray, rejected: np.ndarray) -> dict[str, Draw]:
    """The chart of a user column's values."""
    bins = column_bins(chosen, rejected)
    return {"sides.column_sides": lambda dark: sides.column_sides(bins, dark=dark)}


def of_labels(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, Draw]:
    """All charts of labels, and of two labelers."""
    agreements = agreement_table({"a": first, "b": second}, KEYS, np.random.default_rng(0), 20)
    shares, apart = prevalences(first, KEYS), prevalence_differences(first, KEYS)
    together, topics = co_occurrence(first, KEYS), topic_counts(first, TOPICS)
    crossed = cells(first, second, SENTIMENT)
    return {
        "labels.prevalence_dots": lambda dark: labels.prevalence_dots(
            shares, apart, TITLES, dark=dark
        ),
        "labels.word_bars": lambda dark: labels.word_bars(topics, dark=dark),
        "labels.together_squares": lambda dark: labels.together_squares(
            together, TITLES, dark=dark
        ),
        "same_answers.same_answer_dots": lambda dark: same_answers.same_answer_dots(
            agreements, TITLES, dark=dark
        ),
        "annotators.agreement_dots": lambda dark: annotators.agreement_dots(
            agreements, TITLES, dark=dark
        ),
        "annotators.answer_cells": lambda dark: annotators.answer_cells(
            crossed, "a", "b", dark=dark
        ),
    }


def of_imprint(effects: pd.DataFrame) -> dict[str, Draw]:
    """The effects of features on the margins of models, and on going against the choice."""
    sides = effects.assign(side=effects["model"])
    people = pd.concat([effects, effects.assign(clear=AS_PEOPLE)], ignore_index=True)
    moved = effects.assign(series=effects["model"], clear="")
    return {
        "imprint.imprint_dots": lambda dark: imprint.imprint_dots(people, TITLES, dark=dark),
        "imprint.labeler_dots": lambda dark: imprint.labeler_dots(
            moved, TITLES, "By labeler", dark=dark
        ),
        "imprint.choice_dots": lambda dark: imprint.choice_dots(moved, TITLES, dark=dark),
        "imprint.published_dots": lambda dark: imprint.published_dots(moved, TITLES, dark=dark),
        "imprint.points_dots": lambda dark: imprint.points_dots(sides, TITLES, dark=dark),
        "imprint.rewording_dots": lambda dark: imprint.rewording_dots(moved, TITLES, dark=dark),
    }


def some_effects(*estimates: float | None) -> pd.DataFrame:
    """Effects of three features on each of two models, clear where they are above 1."""
    found = [
        {
            "model": model,
            "feature": feature,
            "estimate": estimate,
            "low": None if estimate is None else estimate - 0.4,
            "high": None if estimate is None else estimate + 0.4,
            "clear": "clear" if (estimate or 0) > 1 else "",
            "differs": 20,
            "n": 300,
        }
        for model in ("ivan/minilm-harmless", "org/another-model")
        for feature, estimate in zip(KEYS, estimates, strict=False)
    ]
    columns = ["model", "feature", "estimate", "low", "high", "clear", "differs", "n"]
    table = pd.DataFrame(found, columns=columns)
    return table.astype({"estimate": float, "low": float, "high": float})


def some_labels(n: int, seed: int) -> pd.DataFrame:
    """Random labels of n pairs."""
    rng = np.random.default_rng(seed)
    return label_tables.labels(
        **{
            INSULT: list(rng.random(2 * n) < 0.3),
            HARMLESS: list(rng.random(2 * n) < 0.8),
            SENTIMENT: list(rng.choice([*SENTIMENTS], 2 * n)),
            TOPICS: [("Arts",) if one < 0.4 else ("Maths", "Arts") for one in rng.random(2 * n)],
        }
    )


def of_rewordings(table: pd.DataFrame) -> dict[str, Draw]:
    """All charts of a rewording of one model, whose name is m."""
    found = [moved(table, "m", variant) for variant in (REWORDED, SURFACE)]
    shown = change_cells(changes(table, "m", REWORDED), unit_of(table, "m") or 1)
    return {
        "robustness.flip_bars": lambda dark: robustness.flip_bars(found, dark=dark),
        "robustness.reward_change_dots": lambda dark: robustness.reward_change_dots(
            found, dark=dark
        ),
        "robustness.change_squares": lambda dark: robustness.change_squares(shown, dark=dark),
    }


def of_flips(points: live.Points) -> dict[str, Draw]:
    """Both curves of a rewording at work."""
    found = live.running_flips(points)
    return {
        "live.flips_so_far": lambda dark: live.flips_so_far(found, 480, dark=dark),
        "live.changes_so_far": lambda dark: live.changes_so_far(found, 480, dark=dark),
    }


def of_people(who: pd.DataFrame, questions: pd.DataFrame) -> dict[str, Draw]:
    """Both charts of those who choose and answer as reviewers do."""
    return {
        "annotators.who_dots": lambda dark: annotators.who_dots(who, dark=dark),
        "annotators.question_cells": lambda dark: annotators.question_cells(questions, dark=dark),
    }


def some_who(n: int) -> pd.DataFrame:
    """Four kinds of who chose, on n pairs each."""
    numbers = {"n": n, "same": n // 2, "rate": 0.5, "low": 0.2, "high": 0.8, "label": "50%"}
    kinds = ("person", "choice", "model", "labeler")
    return pd.DataFrame([{"who": kind, "name": kind, "kind": kind, **numbers} for kind in kinds])


def some_questions() -> pd.DataFrame:
    """One person and one labeler on one question, one of them on few texts."""
    said = {"key": INSULT, "question": "Insult", "told": "", "positives": "", "n": 9, "same": 9}
    return pd.DataFrame(
        [
            said | {"who": "a", "name": "Ada", "share": 1.0, "label": "9 of 9", "few": False},
            said | {"who": "b", "name": "Bo", "share": 0.5, "label": "1 of 2", "few": True},
        ]
    )


def of_one_pair(margins: list[float | None]) -> dict[str, Draw]:
    """The charts of one pair; what stands for margins stands for effects of sentences too."""
    named = [(f"model {i}", margin) for i, margin in enumerate(margins)]
    return {
        "one_pair.margin_strip": lambda dark: one_pair.margin_strip(named, dark=dark),
        "one_pair.effect_bars": lambda dark: one_pair.effect_bars(margins, dark=dark),
    }


def of_finding(bars: list[small.Named]) -> dict[str, Draw]:
    """The small picture beside a finding."""
    return {"small.small_bars": lambda dark: small.small_bars(bars, "Bars.", dark=dark)}


def of_published(prompts: int, strengths: int) -> dict[str, Draw]:
    """The charts of so many prompts with four replies each, and of so many strengths."""
    known = (0.4, 0.3, 0.5, prompts, 0.25, 0.2, 0.3, 0, 0.5, 0.4, 0.6, 0)
    rates = pd.DataFrame(
        [
            (model, subset, prompts, *known)
            for model in ("a/one", "b/two")
            for subset in ("all", "Maths", "Safety")
        ],
        columns=RATES,
    )
    margins = pd.DataFrame(
        [
            (model, str(at + 1), at - 0.5, at - 0.7, at - 0.2, 90 - at, 60)
            for model in ("a/one", "b/two")
            for at in range(strengths)
        ],
        columns=STRENGTHS,
    )
    return {
        "best_of_n.best_bars": lambda dark: best_of_n.best_bars(rates, dark=dark),
        "strength.strength_dots": lambda dark: strength.strength_dots(margins, dark=dark),
    }


def of_words(each: int, n: int) -> dict[str, Draw]:
    """The chart of so many words at each end of two models' lists of `n`."""
    table = pd.DataFrame(
        [
            (model, end, line, f"word{line}", line + 1, n - line)
            for model in ("a/one", "b/two")
            for end in ("best", "worst")
            for line in range(each)
        ],
        columns=["model", "end", "line", "word", "place", "elsewhere"],
    )
    return {"word_lists.word_columns": lambda dark: word_lists.word_columns(table, n, dark=dark)}


@cache
def usual() -> dict[str, Draw]:
    """Every chart of tables such as a run of some hundred pairs has."""
    rng = np.random.default_rng(1)
    return {
        **of_scores(two_models(900)),
        **of_columns(rng.normal(0, 2, 300), rng.normal(-1, 2, 300)),
        **of_labels(some_labels(60, 0), some_labels(60, 1)),
        **of_rewordings(rewordings.drawn(300, 0)),
        **of_flips({"m/one": [[10, 1, 0.25], [20, 2, 0.5]], "m/two": [[20, 0, 0.125]]}),
        **of_people(some_who(3), some_questions()),
        **of_one_pair([1.5, -0.25, None, 0.0]),
        **of_finding([("one", "60%", {"agree": 0.6}), ("other", "3%", {"share": 0.03})]),
        **of_imprint(some_effects(1.2, -0.3, 0.05)),
        **of_words(25, 900),
        **of_published(60, 3),
    }


def of_nothing() -> dict[str, Draw]:
    """Every chart of tables without a number in them."""
    unknown = label_tables.labels(**{key: [None, None] for key in (*KEYS, TOPICS)})
    nobody = rewordings.drawn(20, 0, "another")
    return {
        **of_scores(two_models(60).assign(verdict=pd.Series([None] * 120, dtype="string"))),
        **of_columns(np.array([np.nan]), np.array([np.nan])),
        **of_labels(unknown, unknown),
        **of_rewordings(nobody),
        **of_flips({}),
        **of_people(some_who(0), some_questions().head(0)),
        **of_one_pair([None, None]),
        **of_finding([]),
        **of_imprint(some_effects(None, None)),
        **of_words(0, 0),
        **of_published(0, 0),
    }


def of_little() -> dict[str, dict[str, Draw]]:
    """Charts of runs in which hardly anything can be told, by what is the matter."""
    ties = [scores(model, np.zeros(60)) for model in ("a", "b")]
    against = [scores(model, -np.abs(np.arange(60.0) + 1)) for model in ("a", "b")]
    one_model = two_models(60, subsets=1)
    alike = label_tables.labels(**{INSULT: [True] * 4, HARMLESS: [False] * 4})
    same = {key: [None] * 4 for key in (SENTIMENT,)} | {TOPICS: [()] * 4}
    alike = alike.assign(**{key: pd.Series(said, dtype=object) for key, said in same.items()})
    return {
        "no row": of_scores(two_models(4).head(0)),
        "one pair": of_scores(two_models(1)),
        "two pairs": of_scores(two_models(2)),
        "all ties": of_scores(pd.concat(ties, ignore_index=True)),
        "never the choice": of_scores(pd.concat(against, ignore_index=True)),
        "one model and one subset": of_scores(one_model.head(60)),
        "a pair reworded": of_rewordings(rewordings.drawn(1, 0)),
        "rewording moves nothing": of_rewordings(rewordings.drawn(9, 0, noise=0, surface=0)),
        "one value": of_columns(np.array([3.0]), np.array([np.nan])),
        "one pair labelled": of_labels(some_labels(1, 0), some_labels(1, 1)),
        "one answer to all": of_labels(alike, alike),
        "no flip and no size": of_flips({"m": [[1, 0, None]]}),
        "one person, one question": of_people(some_who(1).head(1), some_questions().head(1)),
        "no difference": of_one_pair([0.0]),
        "one feature without an effect": of_imprint(some_effects(0.0)),
        "no feature": of_imprint(some_effects()),
        "two words": of_words(1, 2),
        "one prompt, one strength": of_published(1, 1),
    }
