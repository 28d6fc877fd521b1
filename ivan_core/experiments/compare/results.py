"""The results of a comparison: its table and numbers, pages of rows, and single pairs.

Trust strips say what speaks for or against a model's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ivan_core.datasets.first_row import layout_of
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.reading import PLACES, STRENGTH
from ivan_core.datasets.sources import HH_RLHF
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.pairs import Pair
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import handling as runs, opened
from ivan_core.engine.opened import Found, Opener, nothing_yet
from ivan_core.experiments.compare.tables import (
    SCORES,
    TABLE,
    Aligned,
    Ints,
    align,
    scores_table,
    with_prompts,
)
from ivan_core.lists import pairs
from ivan_core.lists.cells import Verdicts
from ivan_core.lists.page import page_of
from ivan_core.lists.short import beside
from ivan_core.metrics.agreement import VERDICTS, narrow, rows_of, where
from ivan_core.metrics.benchmarks.known import benchmark_named, benchmark_scores
from ivan_core.metrics.benchmarks.score import Score
from ivan_core.metrics.best_of_n.of_pairs import LENGTHS, OfModel, best_of_pairs
from ivan_core.metrics.best_of_n.rates import BestOfN
from ivan_core.metrics.columns import by_column
from ivan_core.metrics.intervals import PROMPT, number_text
from ivan_core.metrics.models.judged import UNRATED
from ivan_core.metrics.models.many import ManyModels
from ivan_core.metrics.reliability import Reliability, reliability
from ivan_core.metrics.strength import margins_by_strength
from ivan_core.metrics.subset_contrast import Contrast, subset_contrast
from ivan_core.metrics.summary import ModelSummary, summarise
from ivan_core.metrics.training import Training, training_of, unseen_rows
from ivan_core.metrics.trust import BatchDifference, ModelFacts, trust_strip
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd
_SEED = 0
"""Of the range that a calibrated model would show."""
PARTED = "parted"
"""The column that counts the verdicts of all models."""
_ALL_DO = ("agree", "tie", "disagree")
_REPEATED = ("model", "subset", "verdict")
"""Columns in which few words stand in many rows."""


@dataclass(frozen=True)
class Results:
    """What a comparison found: all of it once the run is done, the finished chunks before.

    `whole` is there where these are results of some rows alone; with `bare` rates of theirs mean
    nothing beyond them and have no intervals.
    """

    run: Run
    spec: CompareSpec
    dataset: PreparedDataset
    table: pd.DataFrame
    cards: dict[str, ModelCard]
    manifest: dict[str, Any] | None
    whole: Results | None = None
    bare: bool = False

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Model ids in the order of the spec, those that have rows."""
        return tuple(str(model) for model in self.table["model"].unique())

    @cached_property
    def summaries(self) -> list[ModelSummary]:
        return summarise(self.table)

    @cached_property
    def aligned(self) -> Aligned:
        """The numbers of every model as arrays with one place a row."""
        return align(self.table)

    @cached_property
    def many(self) -> ManyModels:
        """What all models together made of the rows."""
        prompts = None
        if PROMPT in self.table.columns:
            prompts = self.dataset.prompt_groups[self.aligned.row_ids]
        aligned = self.aligned
        return ManyModels(
            aligned.judged(self.typical_margins, prompts), aligned.subset, aligned.subsets
        )

    @cached_property
    def best_of_n(self) -> BestOfN | None:
        """The prompts with several replies; None where the dataset has pairs alone."""
        if not pairs.has_several_replies(self.dataset):
            return None
        numbers = self.dataset.numbers([*PLACES, *LENGTHS]).iloc[self.aligned.row_ids]
        return best_of_pairs(
            {name: numbers[name].to_numpy(np.int64, na_value=0) for name in numbers},
            self._of_models,
            self.aligned.identical,
            self.aligned.subset,
            self.aligned.subsets,
            self.dataset.prompt_groups[self.aligned.row_ids],
        )

    @property
    def _of_models(self) -> dict[str, OfModel]:
        models = self.aligned.models.items()
        return {m: OfModel(one.chosen_reward, one.rejected_reward, one.seen) for m, one in models}

    @property
    def _layout(self) -> str:
        return layout_of(self.dataset).name

    @property
    def benchmark_name(self) -> str:
        """Which benchmark the dataset is; empty where it is none."""
        return benchmark_named(self._layout, self.aligned.subsets)

    @cached_property
    def benchmark(self) -> dict[str, Score]:
        """What a benchmark's own code would say of each model; empty where this is none."""
        aligned, own = self.aligned, self.dataset.own_columns

        def ids(pairs: Ints) -> list[str]:
            rows = aligned.row_ids[pairs]
            named = self.dataset.numbers(["id"])["id"].iloc[rows] if "id" in own else rows
            return [str(one) for one in named]

        names = [aligned.subsets[place] for place in aligned.subset]
        return benchmark_scores(self._layout, names, self._of_models, self.best_of_n, ids)

    @cached_property
    def contrast(self) -> Contrast | None:
        """Where two models clearly part by subset; told of a whole finished run alone."""
        if self.whole is not None or self.run.state is not RunState.DONE:
            return None
        return subset_contrast(self.table, self.training)

    def learned_from(self, *models: str) -> list[str]:
        """What each of some models learned from, those of which that is known, in a sentence."""
        cards = (self.cards[model] for model in models if model in self.cards)
        return [f"{card.id} {card.learned_from}." for card in cards if card.learned_from]

    @cached_property
    def sharpest(self) -> list[int]:
        """Row ids on which the models disagree, the sharpest disagreement first."""
        return self.aligned.sharpest()

    @cached_property
    def row_ids(self) -> list[int]:
        """Every row of the run that has a result, in the order of the dataset."""
        found: list[int] = self.aligned.row_ids.tolist()
        return found

    @cached_property
    def own_columns(self) -> tuple[str, ...]:
        """The columns that the dataset brings along, beside those that every dataset has."""
        return pairs.own_columns(self.dataset)

    def own_column(self, name: str) -> pd.Series:
        """The values of one of them by row id."""
        return pairs.own_column(self.dataset, name)

    def by_own_column(self, name: str) -> pd.DataFrame:
        """Agreement by the values of one of them, in groups made of all rows of the run."""
        import pandas as pd

        every = self.whole or self
        return by_column(self.fair, self.own_column(name), pd.Series(every.row_ids))

    @cached_property
    def strength(self) -> pd.DataFrame | None:
        """Mean margins by how strong preferences are; None where the data do not say that."""
        import pandas as pd

        if STRENGTH not in pairs.number_columns(self.dataset):
            return None
        every = pd.Series((self.whole or self).row_ids)
        return margins_by_strength(self.fair, self.strengths, self.typical_margins, every)

    @cached_property
    def strengths(self) -> pd.Series:
        """How strong each preference is, by row id, where the data say it."""
        return self.own_column(STRENGTH)

    @cached_property
    def training(self) -> dict[str, Training]:
        """How many of the pairs each model was trained on."""
        return training_of(self.table, self.card_says)

    @property
    def card_says(self) -> dict[str, bool | None]:
        """Whether a model's card says that it was trained on this dataset; None if nothing."""
        on_hh = _is_hh_rlhf(self.dataset)
        return {name: card.trained_on_hh if on_hh else None for name, card in self.cards.items()}

    @cached_property
    def fair(self) -> pd.DataFrame:
        """The rows on which figures rest: without those that a model was trained on, if it can."""
        return unseen_rows(self.table)

    def fair_rows(self, model: str) -> pd.DataFrame:
        """Those of one model."""
        return rows_of(self.fair, model)

    def reliability(self, model: str) -> Reliability:
        """How sure a model is against how often it agrees; pairs of one prompt stay together."""
        return reliability(self.fair_rows(model), np.random.default_rng(_SEED), self._first_turns)

    @cached_property
    def _first_turns(self) -> pd.Series:
        return self.dataset.numbers(["row_id", "first_turn"]).set_index("row_id")["first_turn"]

    def only(self, row_ids: Ints, bare: bool) -> Results:
        """The results of some rows; what the whole run measures by stays that of the run."""
        table = self.table[self.table["row_id"].isin(row_ids)].reset_index(drop=True)
        table["model"] = table["model"].cat.remove_unused_categories()
        return replace(self, table=table, whole=self, bare=bare)

    @property
    def typical_margins(self) -> dict[str, float | None]:
        every = self.whole or self
        return {summary.model: summary.typical_margin for summary in every.summaries}


@dataclass(frozen=True)
class JudgedPair:
    """One pair with its texts, and each model's row of the scores table."""

    pair: Pair
    about: dict[str, Any]
    judged: list[dict[str, Any]]


def _read(found: Found) -> Results:
    run, spec, manifest = found.run, found.spec, found.manifest
    if found.whole and manifest is not None:
        with runs.whole(run.id, "manifest"):
            cards = {card["id"]: ModelCard.model_validate(card) for card in manifest["models"]}
        with runs.whole(run.id, "table"):
            table = _read_table(found.folder / TABLE)
    else:
        parts = found.parts
        names = [name for name in spec.models if f"card|{name}" in parts]
        cards = {name: ModelCard.model_validate(parts.rows(f"card|{name}")[0]) for name in names}
        if not cards:
            raise nothing_yet(run)
        table = scores_table(parts.all(), names, found.dataset, cards.values())
    if table.empty:
        raise nothing_yet(run)
    table = table.astype(dict.fromkeys(_REPEATED, "category"))
    dataset = found.dataset
    return Results(run, spec, dataset, with_prompts(table, dataset), cards, manifest)


open_results = Opener("compare", _read, table=TABLE, keep=4)
"""The results of a comparison by its run's id, however far it is."""


def _read_table(path: Path) -> pd.DataFrame:
    """The scores table; words that repeat stay numbers from the file to the page, for speed."""
    import pyarrow.parquet as pq

    read = pq.read_table(path, read_dictionary=list(_REPEATED))
    # Each column is let go of once it is made: both tables of a million pairs would be 700 MiB.
    table = read.to_pandas(ignore_metadata=True, split_blocks=True, self_destruct=True)
    if missing := [name for name in SCORES if name not in table]:
        raise ValueError(f"no column {missing[0]}")
    return table.astype({name: SCORES[name] for name in ("seen", "failure")})


def rows_page(
    results: Results, row_ids: list[int], page: int, models: Sequence[str] | None = None
) -> pd.DataFrame:
    """One page of at most 50 pairs to read: row, subset, each model's verdict, both replies.

    `page` counts from 1 and is clamped. Replies are cut short, as pieces of text of which those
    that only one reply has are marked. Beside a verdict stands the margin in typical margins. With
    `models` only these have a column, and one more, `PARTED`, counts the verdicts of all.
    """
    import pandas as pd

    shown = page_of(row_ids, page)
    places = results.aligned.at(shown)
    records = []
    for pair, place in zip(results.dataset.pairs(shown), places, strict=True):
        record: dict[str, Any] = {"row_id": pair.row_id, "subset": pair.subset}
        if models is not None:
            record[PARTED] = _parted(results, place)
        for model in results.models if models is None else models:
            scores = results.aligned.models[model]
            code = scores.verdict[place]
            rated = code != UNRATED
            words = VERDICTS[code] if rated else "not rated"
            amount = ""
            if rated and scores.unit:
                amount = number_text(scores.margin[place] / scores.unit, 1, signed=True)
            record[model] = Verdicts((words,), amount)
        chosen, rejected = pair.chosen.reply, pair.rejected.reply
        record["chosen"], record["rejected"] = beside(chosen, rejected), beside(rejected, chosen)
        records.append(record)
    return pd.DataFrame.from_records(records)


def _parted(results: Results, place: int) -> str:
    """How many models have which verdict on a row, as in "18 agree, 12 disagree"."""
    verdicts = results.many.judged.verdict[:, place]
    counts = [(int((verdicts == code).sum()), word) for code, word in enumerate(_ALL_DO)]
    *first, last = [f"{count:,} {word}" for count, word in counts if count] or ["not rated"]
    # A cell shows two lines: spaces that do not break leave it one place to break at.
    lines = [", ".join(first) + ",", last] if first else [last]
    return " ".join(line.replace(" ", "\u00a0") for line in lines)


def judged_pair(results: Results, row_id: int) -> JudgedPair:
    """One pair with its texts and the numbers of each model.

    Raises:
        BadInput: the run did not judge that row.
    """
    places = np.flatnonzero(results.table["row_id"].to_numpy() == row_id)
    if not len(places):
        raise BadInput(
            f"Run {results.run.id} has no pair {row_id}.",
            f"Its pairs go from {results.row_ids[0]} to {results.row_ids[-1]}.",
        )
    judged: list[dict[str, Any]] = results.table.iloc[places].to_dict("records")
    return JudgedPair(results.dataset.pair(row_id), results.dataset.row(row_id), judged)


def margins_of(results: Results, row_id: int) -> list[tuple[str, float | None]]:
    """Each model and its margin of a pair in typical margins; None where it did not rate it.

    Raises:
        BadInput: the run did not judge that row.
    """
    found: list[tuple[str, float | None]] = []
    for judged in judged_pair(results, row_id).judged:
        unit = results.typical_margins[judged["model"]]
        # Without a unit all margins of the model are 0.
        margin = None if isnan(judged["margin"]) else judged["margin"] / unit if unit else 0.0
        found.append((judged["model"], margin))
    return found


def files(results: Results) -> list[Path]:
    """The files of a finished run, the original's CSVs first, those that are still there."""
    table = data_dir() / "runs" / results.run.id / TABLE
    return opened.files(results.manifest, [table])


def trust_strips(
    table: pd.DataFrame,
    summaries: Sequence[ModelSummary],
    models: Sequence[ModelCard],
    dataset: PreparedDataset,
    batches: Mapping[str, BatchDifference | None],
) -> list[dict[str, Any]]:
    """One strip a model that has rows, as plain dicts for the manifest.

    `batches` holds what was measured of the models in batches, none for scores made elsewhere.
    """
    import pandas as pd

    cards = {card.id: card for card in models}
    on_hh = _is_hh_rlhf(dataset)
    strips = []
    for summary in summaries:
        card = cards[summary.model]
        of_model = rows_of(table, summary.model)
        own = where(
            narrow(of_model, "chosen_reward", "rejected_reward", "failure"),
            ~of_model["identical"].to_numpy(bool),
        )
        rewards = own[["chosen_reward", "rejected_reward"]].to_numpy(float).ravel()
        facts = ModelFacts(
            input_format=card.input_format,
            input_format_guessed=card.input_format_guessed,
            revision=card.revision,
            dtype=card.dtype,
            head_label=card.head_label or None,
            distinct_rewards=len(pd.unique(rewards[rewards == rewards])),
            not_finite=int(own["failure"].dropna().str.contains("not a finite number").sum()),
            texts=len(rewards),
            trained_on_dataset=card.trained_on_hh if on_hh else None,
            batch=batches.get(summary.model),
            way=card.way,
            server=card.server.sentence if card.server else "",
            compared=bool(card.server and card.server.agrees),
            eight_bits=card.eight_bits,
        )
        strips.append(trust_strip(summary, facts).as_dict())
    return strips


def _is_hh_rlhf(dataset: PreparedDataset) -> bool:
    return str(dataset.about["request"]["source"]).lower() == HH_RLHF.lower()
