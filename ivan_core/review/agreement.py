"""How far reviewers agree with each other, and labelers, models and the choice with them.

"The reviewers" are the majority of those who answered; where a person is set beside them, of the
others. Only blind answers to random items count (`review_opinions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from ivan_core.domain.labels import FEATURES, Label, TextKey
from ivan_core.domain.reviews import NO_DIFFERENCE, by_rule
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import handling as runs
from ivan_core.engine.opinions import Stamp, Texts, Used, opinions_at, texts_of_majority
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.tables import UNKNOWN, Codes
from ivan_core.experiments.labels.numbers import named
from ivan_core.metrics.agreement import VERDICTS
from ivan_core.metrics.intervals import Groups, Rate, share_in, units_of
from ivan_core.metrics.labels.agreement import LEAST_POSITIVES, agreement_table, choice_agreement
from ivan_core.metrics.labels.answers import SENTIMENT, majority, same_answer
from ivan_core.metrics.models.judged import UNRATED
from ivan_core.metrics.sentences import count_of, the
from ivan_core.metrics.training import trained_on
from ivan_core.review.runs_on_pairs import (
    SIDE_OF_VERDICT,
    comparisons,
    labeler_choices,
    labels_on,
    newest_labellings,
)

if TYPE_CHECKING:
    import pandas as pd

    from ivan_core.datasets.prepared import PreparedDataset

CHOICES = ("chosen", "rejected", NO_DIFFERENCE)
Kind = Literal["person", "rule", "choice", "model", "labeler"]
_SEED = 0


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who is set beside the reviewers. `run` is the run of a model or labeler."""

    kind: Kind
    name: str
    run: str = ""

    @classmethod
    def reviewer(cls, name: str) -> Who:
        """One of the reviewers, who is set beside the others."""
        return cls("rule" if by_rule(name) else "person", name)

    @property
    def reviews(self) -> bool:
        """Whether this is one of the reviewers."""
        return self.kind in ("person", "rule")

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.run}:{self.name}"


@dataclass(frozen=True, slots=True)
class Beside:
    """One who chose beside the reviewers: of the pairs on which both name a side, how many alike.

    `no_difference` counts the pairs on which either sees no difference (a tie of a model).
    """

    who: Who
    rate: Rate | None
    no_difference: int
    rows: tuple[tuple[int, str, str], ...]
    """Each pair that both judged, what they chose, and what the reviewers did."""
    trained: str = ""
    """Of a model: on how many of the pairs of the rate it was trained."""
    reviewers: str = "reviewers"
    """What the reviewers are called: rules, where no person is among them."""

    @property
    def named_both(self) -> list[int]:
        """The pairs on which both name a side."""
        return [row for row, *sides in self.rows if NO_DIFFERENCE not in sides]

    @property
    def sentence(self) -> str:
        """As in "Ada and the other reviewers agree on 31 of 40 pairs (78% [63, 88])."."""
        said = self.who.name
        if self.who.kind == "choice":
            said = said[:1].upper() + said[1:]
        others = f"the {'other ' if self.who.reviews else ''}{self.reviewers}"
        beside = (
            f"; {self.no_difference:,} more, on which either saw no difference, left out"
            if self.no_difference
            else ""
        )
        if self.rate is None:
            return f"{said} and {others}: no pair on which both name a reply{beside}."
        agree = count_of(self.rate, "pair")
        return f"{said} and {others} agree on {agree}{beside}. {self.trained}".rstrip()


@dataclass(frozen=True, slots=True)
class Cell:
    """One question and one who answers beside the reviewers: of `n` texts, the same in `same`.

    `both` and `either` count the texts called so (yes, not neutral, any word) by both and by any;
    `few` says that the rarer answer was given to fewer than 20 texts by either. `prompts` are the
    groups of the dataset's rows.
    """

    who: Who
    key: str
    n: int
    same: int
    both: int
    either: int
    texts: tuple[tuple[TextKey, Label, Label], ...]
    """Each text that both answered, their answer, and the reviewers'."""
    prompts: Groups | None = field(default=None, repr=False, compare=False)

    @property
    def few(self) -> bool:
        return min(self.either, self.n - self.both) < LEAST_POSITIVES

    @property
    def rate(self) -> Rate | None:
        """The share of texts with the same answer."""
        same = np.array([same_answer(ours, theirs) for _, ours, theirs in self.texts], np.bool_)
        return share_in(same, units_of([text.row_id for text, _, _ in self.texts], self.prompts))


def between_on_texts(used: Used) -> pd.DataFrame | None:
    """The agreement of the reviewers on each question; None while no text has two of them.

    The table of `metrics.labels.agreement.agreement_table`: two reviewers by kappa, more by alpha.
    """
    return _between_on_texts(used.stamp, used.dataset)


def between_on_pairs(used: Used) -> pd.DataFrame | None:
    """The agreement of the reviewers on which reply is better; None while no pair has two."""
    return _between_on_pairs(used.stamp, used.dataset)


@lru_cache(maxsize=8)
def _between_on_texts(stamp: Stamp, dataset: PreparedDataset | None) -> pd.DataFrame | None:
    people = opinions_at(stamp).texts
    keys = tuple(
        key
        for key in FEATURES
        if sum(any(key in said for said in own.values()) for own in people.values()) > 1
    )
    if len(people) < 2 or not keys:
        return None
    tables = {name: answers_table(own, keys) for name, own in people.items()}
    prompts = dataset.prompt_groups if dataset is not None else None
    table = agreement_table(tables, keys, np.random.default_rng(_SEED), prompts=prompts)
    table = table[table["n"] > 0].reset_index(drop=True)
    return None if table.empty else table


@lru_cache(maxsize=8)
def _between_on_pairs(stamp: Stamp, dataset: PreparedDataset | None) -> pd.DataFrame | None:
    people = {
        name: {row: side for row, side in own.items() if side is not None}
        for name, own in opinions_at(stamp).choices.items()
    }
    if len(people) < 2:
        return None
    prompts = dataset.prompt_groups if dataset is not None else None
    table = choice_agreement(people, CHOICES, np.random.default_rng(_SEED), prompts=prompts)
    return None if table.empty else table


def answers_table(texts: Texts, keys: Sequence[str]) -> pd.DataFrame:
    """Answers as a table of labels; what was not asked or answered is None."""
    import pandas as pd

    found = pd.DataFrame(
        {
            "row_id": pd.array([one.row_id for one in texts], dtype="int64"),
            "preference": [one.preference for one in texts],
        }
    )
    for key in keys:
        found[key] = pd.Series([said.get(key) for said in texts.values()], dtype=object)
    return found


def choices_beside(dataset: PreparedDataset, used: Used) -> list[Beside]:
    """Each person, the choice, each model and each labeler beside the reviewers."""
    found = [
        _beside(Who.reviewer(name), own, _majority_choice(used, without=name), used.prompts)
        for name, own in sorted(used.choices.items())
        if len(used.choices) > 1
    ]
    together = _majority_choice(used)
    if not together:
        return []
    choice = Who("choice", the(dataset.chosen_by))
    found.append(_beside(choice, dict.fromkeys(together, "chosen"), together, used.prompts))
    models: dict[str, Beside] = {}
    wanted = (
        run
        for run in comparisons(dataset)
        if not set(runs.spec_of(run, CompareSpec).models) <= {*models}
    )
    for results in runs.opened(wanted, open_results):
        run = results.run
        for model, scores in results.aligned.models.items():
            if model in models:
                continue
            judged = np.isin(results.aligned.row_ids, list(together)) & (scores.verdict != UNRATED)
            own = {
                int(row): SIDE_OF_VERDICT[VERDICTS[code]]
                for row, code in zip(
                    results.aligned.row_ids[judged], scores.verdict[judged], strict=True
                )
            }
            one = _beside(Who("model", model, run.id), own, together, used.prompts)
            seen = scores.seen[results.aligned.at(one.named_both)]
            models[model] = replace(one, trained=_trained(model, seen))
    labelers = [
        _beside(
            Who("labeler", named(one), one.run.id),
            labeler_choices(one, together),
            together,
            used.prompts,
        )
        for one in newest_labellings(dataset)
    ]
    every = (*found, *models.values(), *(one for one in labelers if one.rows))
    return [replace(one, reviewers=used.called) for one in every]


def _majority_choice(used: Used, without: str = "") -> dict[int, str]:
    by_row: dict[int, list[str | None]] = {}
    for name, own in used.choices.items():
        if name != without:
            for row, side in own.items():
                by_row.setdefault(row, []).append(side)
    found = {row: majority(sides) for row, sides in by_row.items()}
    return {row: side for row, side in sorted(found.items()) if isinstance(side, str)}


def _trained(model: str, seen: Codes) -> str:
    """On how many of some pairs a model was trained; empty where there are none."""
    known = bool((seen != UNKNOWN).any())
    return (
        trained_on(model, int((seen == 1).sum()) if known else None, len(seen)) if len(seen) else ""
    )


def _beside(
    who: Who, own: Mapping[int, str | None], reviewers: Mapping[int, str], prompts: Groups | None
) -> Beside:
    rows = tuple(
        (row, side, theirs)
        for row, theirs in reviewers.items()
        if (side := own.get(row)) is not None
    )
    named_both = [one for one in rows if NO_DIFFERENCE not in one[1:]]
    same = np.array([side == theirs for _, side, theirs in named_both], dtype=np.bool_)
    units = units_of([row for row, _, _ in named_both], prompts)
    return Beside(who, share_in(same, units), len(rows) - len(named_both), rows)


def cells_beside(dataset: PreparedDataset, used: Used) -> list[Cell]:
    """Each person and each labeler beside the reviewers, question by question.

    Only questions with a text that both answered.
    """
    keys = [key for key in FEATURES if any(key in said for _, said in _all_texts(used))]
    found: list[Cell] = []
    for name, own in sorted(used.texts.items()):
        if len(used.texts) > 1:
            others = texts_of_majority(used, keys, without=name)
            found += _cells(Who.reviewer(name), own, others, keys, used.prompts)
    together = texts_of_majority(used, keys)
    for one in newest_labellings(dataset):
        asked = [key for key in keys if key in one.keys]
        own = labels_on(one, [text.row_id for text in together], asked)
        who = Who("labeler", named(one), one.run.id)
        found += _cells(who, own, together, asked, used.prompts)
    return found


def _all_texts(used: Used) -> Iterable[tuple[TextKey, Mapping[str, Label]]]:
    return (one for own in used.texts.values() for one in own.items())


def _cells(
    who: Who, own: Texts, reviewers: Texts, keys: Sequence[str], prompts: Groups | None
) -> list[Cell]:
    found = []
    for key in keys:
        texts = tuple(
            (text, ours, theirs)
            for text, said in reviewers.items()
            if (theirs := said.get(key)) is not None
            and (ours := own.get(text, {}).get(key)) is not None
        )
        if not texts:
            continue
        so = [(_called(key, ours), _called(key, theirs)) for _, ours, theirs in texts]
        same = sum(same_answer(ours, theirs) for _, ours, theirs in texts)
        both, either = sum(a and b for a, b in so), sum(a or b for a, b in so)
        found.append(Cell(who, key, len(texts), same, both, either, texts, prompts))
    return found


def cell_agreement(cell: Cell) -> dict[str, object]:
    """The row of `agreement_table` for a cell: kappa or overlap, and AC1."""
    tables = {
        "who": answers_table({text: {cell.key: ours} for text, ours, _ in cell.texts}, [cell.key]),
        "reviewers": answers_table(
            {text: {cell.key: theirs} for text, _, theirs in cell.texts}, [cell.key]
        ),
    }
    generator = np.random.default_rng(_SEED)
    table = agreement_table(tables, [cell.key], generator, prompts=cell.prompts)
    return {str(name): value for name, value in table.iloc[0].to_dict().items()}


def _called(key: str, answer: Label) -> bool:
    return answer != "neutral" if key == SENTIMENT else bool(answer)
