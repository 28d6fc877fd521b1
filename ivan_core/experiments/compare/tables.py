"""The scores table of a comparison: from the parts of a run, joined with the dataset's numbers.

As arrays, one place a row, any filter of it is a few operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.datasets.chosen_rows import choose_rows
from ivan_core.datasets.prepared import HASHES, PreparedDataset, pair_hash
from ivan_core.domain.models import ModelCard
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import datasets, handling as runs
from ivan_core.engine.work import BEGUN
from ivan_core.experiments.compare.units import ScoredRow
from ivan_core.metrics.agreement import VERDICTS, by_model, reasons, subset_label, typical_margin
from ivan_core.metrics.intervals import PROMPT
from ivan_core.metrics.margin_words import MOST_TOLD
from ivan_core.metrics.models.judged import UNRATED, Judged
from ivan_core.metrics.models.sentences import named as named_models
from ivan_core.runs.context import Parts
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd

TABLE = "table.parquet"
"""The scores of a finished run, in its folder."""
SCORES = {
    "row_id": "int64",  # position of the pair in the loaded split; the first is 0
    "model": "string",  # the reward model's id
    "subset": "string",  # the part of the dataset that the pair comes from
    "chosen_reward": "float64",  # the model's reward for the chosen reply
    "rejected_reward": "float64",  # the model's reward for the rejected reply
    "margin": "float64",  # how much more it likes the chosen reply: chosen minus rejected
    "verdict": "string",  # agree, tie (exactly equal) or disagree; empty if not rated
    "chosen_truncated": "bool",  # the model did not read the whole text of the chosen side
    "rejected_truncated": "bool",  # the model did not read the whole text of the rejected side
    "failure": "string",  # why the pair has no rewards; empty if it has
    "identical": "bool",  # both sides are the same text, so there is nothing to judge
    "chosen_length": "int64",  # characters in the chosen reply
    "rejected_length": "int64",  # characters in the rejected reply
    "seen": "boolean",  # the model's training data held the pair; empty if unknown
    "step": "int64",  # the chunk, in seeded random order, in which the pair was scored
}
"""The columns of the scores table, one row a model and pair, and their types."""
KEPT = ScoredRow._fields
"""What is kept of a row in the parts of a run, and in what order."""
_OF_PAIR = ("subset", "identical", "chosen_length", "rejected_length")
"""Those of them that the dataset tells."""


def scores_table(
    parts: Iterable[tuple[str, list[Any]]],
    models: Sequence[str],
    dataset: PreparedDataset,
    cards: Iterable[ModelCard],
) -> pd.DataFrame:
    """The scores table (columns: SCORES), by model in the order given, then by row id.

    `parts` are what was kept of a run, by key, among it the scores of each finished chunk.
    Only finished chunks are in it, so the table of a stopped run is a smaller one, not a wrong one.
    """
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in KEPT}
    steps, names, sizes = list[int](), list[str](), list[int]()
    for key, rows in parts:
        kind, _, rest = key.partition("|")
        if kind != "scores" or not rows:
            continue
        step, _, model = rest.partition("|")
        for name, values in zip(KEPT, zip(*rows, strict=True), strict=True):
            columns[name] += values
        steps.append(int(step))
        names.append(model)
        sizes.append(len(rows))
    scored = pd.DataFrame(columns).astype({name: SCORES[name] for name in KEPT})
    scored["step"] = np.repeat(np.array(steps, np.int64), sizes)
    scored["model"] = pd.Categorical(names, list(models)).repeat(sizes)
    return table_of(scored, models, dataset, cards)


def table_of(
    scored: pd.DataFrame,
    models: Sequence[str],
    dataset: PreparedDataset,
    cards: Iterable[ModelCard],
) -> pd.DataFrame:
    """The scores table, as of `scores_table`, of rewards that lie in columns: KEPT, model and step.

    Rows may stand in any order; `row_id` are rows of the dataset, and a reward that is not known
    is NaN.
    """
    import pandas as pd

    model = pd.Categorical(scored["model"], list(models))
    order = np.lexsort([scored["row_id"], model.codes])
    table = scored.drop(columns="model").iloc[order].reset_index(drop=True)
    table["model"] = model = model[order]
    table["margin"] = table["chosen_reward"] - table["rejected_reward"]
    sign = np.sign(table["margin"].fillna(np.nan).to_numpy(float))
    codes = np.where(np.isnan(sign), UNRATED, 1 - np.nan_to_num(sign)).astype(np.int8)
    table["verdict"] = pd.Categorical.from_codes(codes, list(VERDICTS))
    row_ids = table["row_id"].to_numpy(np.int64)
    of_pair = dataset.numbers(_OF_PAIR).astype({"subset": "category"})
    of_pair = of_pair.iloc[row_ids].reset_index(drop=True)
    for name in _OF_PAIR:
        table[name] = of_pair[name]
    table["seen"] = _seen(model, row_ids, dataset, {card.id: card for card in cards})
    table.loc[table["identical"].fillna(False).astype(bool), "failure"] = None
    return table[list(SCORES)].astype(SCORES)


def _seen(
    model: pd.Categorical, row_ids: Ints, dataset: PreparedDataset, cards: dict[str, ModelCard]
) -> pd.Series[Any]:
    """Whether each pair is among its model's training pairs; unknown if the card does not say."""
    import pandas as pd

    seen = np.full(len(model), UNKNOWN, np.int8)
    for code, name in enumerate(model.categories):
        card = cards.get(name)
        if card is None or (card.trained_on_hh is not False and not card.seen_hashes):
            continue
        own = np.flatnonzero(model.codes == code)
        seen[own] = 0
        if card.seen_hashes:
            hashes = _pair_hashes(dataset, row_ids[own])
            seen[own] = [one in card.seen_hashes for one in hashes]
    return pd.Series(pd.arrays.BooleanArray(seen == 1, seen == UNKNOWN))


def _pair_hashes(dataset: PreparedDataset, row_ids: Ints) -> Iterator[str]:
    """What tells each of these pairs among those that models were trained on."""
    sides = dataset.numbers(HASHES)
    if not np.array_equal(row_ids, np.arange(len(sides))):
        sides = sides.iloc[row_ids]
    return map(pair_hash, *(sides[name].tolist() for name in sides))


def pairs_in_training(card: ModelCard, dataset: PreparedDataset, rows: Sequence[int]) -> int | None:
    """How many of these rows are among a model's training pairs; None if its card does not say."""
    if not card.seen_hashes:
        return 0 if card.trained_on_hh is False else None
    hashes = _pair_hashes(dataset, np.asarray(rows, np.int64))
    return sum(one in card.seen_hashes for one in hashes)


def training_so_far(run_id: str, models: Sequence[str]) -> str:
    """On how many pairs of a run models that score them were trained; empty if on none known.

    Of many models it is told which of them were.
    """
    counted = {model: _counted(data_dir(), run_id, model) for model in models}
    on_some = {model: count for model, count in counted.items() if count[0]}
    if not on_some:
        return ""
    if len(models) > MOST_TOLD:
        were = f"{named_models(list(on_some))} {'was' if len(on_some) == 1 else 'were'}"
        return f"{were} trained on pairs of this run: these are in the numbers so far."
    told = []
    for model, (seen, n) in on_some.items():
        pairs = f"all {n:,}" if seen == n else f"{seen:,} of the {n:,}"
        told.append(
            f"{model} was trained on {pairs} pairs of this run: these are in the numbers so far."
        )
    return " ".join(told)


@lru_cache(maxsize=128)
def _counted(root: Path, run_id: str, model: str) -> tuple[int, int]:
    """The pairs that are in the training of a model, and all pairs of the run."""
    parts = Parts(root / "runs" / run_id)
    if f"card|{model}" not in parts:
        return 0, 0
    card = ModelCard.model_validate(parts.rows(f"card|{model}")[0])
    dataset = datasets.by_fingerprint(parts.rows(BEGUN)[0]["dataset"])
    rows = choose_rows(runs.spec_of(runs.get(run_id), CompareSpec), dataset).row_ids
    return pairs_in_training(card, dataset, rows) or 0, len(rows)


def with_prompts(table: pd.DataFrame, dataset: PreparedDataset) -> pd.DataFrame:
    """The table with the group of each row's first Human turn, if one repeats among its rows.

    Any table with a column row_id will do. A pair without a Human turn is a group of its own.
    """
    rows, groups = table["row_id"].to_numpy(np.int64), dataset.prompt_groups
    there = np.zeros(len(groups), dtype=np.bool_)
    there[rows] = True
    repeats = np.bincount(groups[there]).max(initial=0) > 1
    return table.assign(**{PROMPT: groups[rows]}) if repeats else table


Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNKNOWN = -1
"""Code of a row of which nobody knows whether the model was trained on it; else 0 or 1."""


@dataclass(frozen=True, slots=True)
class ModelScores:
    """One model's numbers; rows it has not judged (yet) are unrated and NaN.

    `unit` is the typical margin, None where there is none or it is 0.
    """

    verdict: Codes
    margin: Floats
    chosen_reward: Floats
    rejected_reward: Floats
    truncated: Bools
    failed: Bools
    seen: Codes
    unit: float | None

    @property
    def in_units(self) -> Floats:
        """Margins in typical margins of the model."""
        return self.margin / (self.unit or 1.0)


@dataclass(frozen=True, slots=True)
class Aligned:
    """Every array has one place a row, in the order of row ids; `subset` are places in `subsets`.

    `length` is the length of the chosen reply minus that of the rejected one, in characters.
    """

    row_ids: Ints
    subset: NDArray[np.int64]
    subsets: tuple[str, ...]
    identical: Bools
    length: Ints
    models: dict[str, ModelScores]

    def at(self, row_ids: Sequence[int]) -> Ints:
        """The places of rows that the run has."""
        return np.searchsorted(self.row_ids, np.asarray(row_ids, np.int64))

    def judged(self, units: Mapping[str, float | None], prompts: Ints | None) -> Judged:
        """The same as arrays of all models; `units` are typical margins, `prompts` one a row."""
        own = list(self.models.values())
        scales = [units.get(model) or 1.0 for model in self.models]
        margins = [one.margin / unit for one, unit in zip(own, scales, strict=True)]

        def lines(arrays: Iterable[NDArray[Any]], kind: type[Any]) -> NDArray[Any]:
            return np.array(list(arrays), kind).reshape(len(own), len(self.row_ids))

        return Judged(
            tuple(self.models),
            lines((one.verdict for one in own), np.int8),
            lines(margins, np.float64),
            lines((one.chosen_reward for one in own), np.float64),
            lines((one.rejected_reward for one in own), np.float64),
            lines((one.seen for one in own), np.int8),
            prompts,
        )

    def apart(self) -> Floats:
        """How far the models' margins lie apart where their verdicts differ; NaN elsewhere."""
        found = np.full(len(self.row_ids), np.nan)
        differ = self.differ()
        margins = np.array([scores.in_units[differ] for scores in self.models.values()])
        if margins.size:
            found[differ] = np.nanmax(margins, axis=0) - np.nanmin(margins, axis=0)
        return found

    def sharpest(self) -> list[int]:
        """Row ids on which the models differ in verdict, the sharpest disagreement first."""
        apart = self.apart()
        order = np.lexsort([self.row_ids, -apart])
        rows: list[int] = self.row_ids[order[: np.count_nonzero(~np.isnan(apart))]].tolist()
        return rows

    def rated_by_two(self) -> Bools:
        """Whether at least two models rated a row, so that they could differ."""
        rated = [scores.verdict != UNRATED for scores in self.models.values()]
        return np.asarray(np.sum(rated, axis=0) > 1)

    def differ(self) -> Bools:
        """Whether the models that rated a row do not all have the same verdict."""
        seen = [
            np.any([scores.verdict == code for scores in self.models.values()], axis=0)
            for code in range(len(VERDICTS))
        ]
        return np.asarray(np.sum(seen, axis=0) > 1)


def align(table: pd.DataFrame) -> Aligned:
    """The arrays of a scores table, whose rows may stand in any order."""
    import pandas as pd

    own = dict(by_model(table))
    row_ids, shared = _rows(table, own)
    codes, named = pd.factorize(shared["subset"], use_na_sentinel=False)
    labels = [subset_label(value) for value in named]
    subsets = tuple(dict.fromkeys(labels))
    places = np.array([subsets.index(label) for label in labels], np.int64)
    return Aligned(
        row_ids,
        places[codes] if len(places) else codes,
        subsets,
        shared["identical"].to_numpy(bool),
        shared["chosen_length"].to_numpy(np.int64) - shared["rejected_length"].to_numpy(np.int64),
        {name: _scores(rows, row_ids) for name, rows in own.items()},
    )


def _rows(table: pd.DataFrame, own: Mapping[str, pd.DataFrame]) -> tuple[Ints, pd.DataFrame]:
    """The row ids of a table in their order, and a row of it for each."""
    each = [rows["row_id"].to_numpy(np.int64) for rows in own.values()]
    # As in the table of a whole run, where each model has all rows in their order.
    if each and (np.diff(each[0]) > 0).all() and all(np.array_equal(each[0], one) for one in each):
        return each[0], next(iter(own.values()))
    row_ids, first = np.unique(table["row_id"].to_numpy(np.int64), return_index=True)
    return row_ids, table.iloc[first]


def _scores(own: pd.DataFrame, row_ids: Ints) -> ModelScores:
    import pandas as pd

    given = own["row_id"].to_numpy(np.int64)
    in_place = np.array_equal(given, row_ids)
    at = np.arange(0) if in_place else np.searchsorted(row_ids, given)

    def spread(values: NDArray[Any], missing: object, kind: type[Any]) -> NDArray[Any]:
        if in_place:  # shared with the table, not copied
            return np.asarray(values, dtype=kind)
        found = np.full(len(row_ids), missing, dtype=kind)
        found[at] = values
        return found

    def floats(name: str) -> Floats:
        return spread(own[name].to_numpy(float, na_value=np.nan), np.nan, np.float64)

    verdict = np.asarray(pd.Categorical(own["verdict"], VERDICTS).codes)
    rated = verdict != UNRATED
    truncated = own["chosen_truncated"].to_numpy(bool) | own["rejected_truncated"].to_numpy(bool)
    reason, tied = reasons(own["failure"])
    failed = reason & ~rated & ~own["identical"].to_numpy(bool) & ~tied
    seen = own["seen"].astype("boolean").astype("Int8").to_numpy(np.int8, na_value=UNKNOWN)
    return ModelScores(
        spread(verdict, UNRATED, np.int8),
        floats("margin"),
        floats("chosen_reward"),
        floats("rejected_reward"),
        spread(truncated & rated, False, np.bool_),
        spread(failed, False, np.bool_),
        spread(seen, UNKNOWN, np.int8),
        typical_margin(own["margin"][rated]) or None,
    )
