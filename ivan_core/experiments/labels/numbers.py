"""What finished labels say: tables for the charts, pages of texts, and single texts.

Tables are kept by the results they are of, so that a page that is drawn again computes nothing
twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, Label, TextKey
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.labels.files import TABLE
from ivan_core.experiments.labels.results import LabelResults, labels_of, open_labels, plain
from ivan_core.labels.repair import Fix, Problem
from ivan_core.labels.schema import features
from ivan_core.lists.page import page_of
from ivan_core.lists.short import beside
from ivan_core.metrics.labels.agreement import agreement_table, class_agreement
from ivan_core.metrics.labels.answers import LIST_KEYS, NO, YES, cells, text_ids
from ivan_core.metrics.labels.shares import (
    co_occurrence,
    prevalence_differences,
    prevalences,
    topic_counts,
)
from ivan_core.models.names import shown_name
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd

TITLES: Mapping[str, str] = {one.key: one.title for one in features()}
_ENDS = ("low", "high", "effective_n")
"""How the columns end that tell an interval, and as if of how many it is."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One text with what its labeler said; `problems` and `fixes` hold what a model wrote."""

    key: TextKey
    text: str
    status: str
    labels: Mapping[str, Label]
    problems: tuple[Problem, ...]
    fixes: tuple[Fix, ...]
    raw: str

    @property
    def printed(self) -> str:
        """The text as it is read; `text` is what its dialogue is kept as."""
        return Dialogue(self.text).printed


def named(results: LabelResults) -> str:
    """Who labelled, with the word that its labels come from rules where they do."""
    return shown_name(results.labeler)


def single_keys(keys: Sequence[str]) -> tuple[str, ...]:
    """The keys with one answer a text."""
    return tuple(key for key in keys if key not in LIST_KEYS)


@lru_cache(maxsize=8)
def shares(results: LabelResults) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How often each label is given to either side, and how far the sides differ on pairs.

    The tables of `prevalences` and `prevalence_differences` for all keys but the lists.
    """
    keys = single_keys(results.keys)
    found = prevalences(results.decided, keys)
    return _without_ends(results, found), _differences(results, keys)


@lru_cache(maxsize=16)
def word_shares(results: LabelResults, key: str) -> pd.DataFrame:
    """How often each word of a list is named on either side; words that nobody named are gone."""
    return _without_ends(results, topic_counts(results.decided, key))


def on_pairs(results: LabelResults, key: str, value: str) -> pd.DataFrame:
    """Pairs by whether a label holds for the chosen and for the rejected reply: four cells.

    Columns as in `metrics.labels.answers.cells`, the chosen reply left and the rejected one right.
    """
    import pandas as pd

    found = shares(results)[1] if key not in LIST_KEYS else _word_differences(results, key)
    own = found[(found["key"] == key) & (found["value"] == value)]
    counts = [0, 0, 0, 0]
    if len(own):
        row = own.iloc[0]
        counts = [int(row[n]) for n in ("neither", "rejected_only", "chosen_only", "both")]
    n = sum(counts)
    return pd.DataFrame(
        {
            "left": [NO, NO, YES, YES],
            "right": [NO, YES, NO, YES],
            "count": counts,
            "share": [count / n if n else np.nan for count in counts],
            "n": n,
            "left_out": 0,
        }
    )


@lru_cache(maxsize=16)
def _word_differences(results: LabelResults, key: str) -> pd.DataFrame:
    named = word_shares(results.whole, key)["value"].unique() if results.whole else ()
    return _differences(results, [key], named)


def _differences(
    results: LabelResults, keys: Sequence[str], words: Sequence[str] = ()
) -> pd.DataFrame:
    """How far the sides differ; of picked texts nothing is clear, for they were chosen first."""
    picked = results.whole is not None
    found = prevalence_differences(results.decided, keys, words, chosen_after_looking=picked)
    return _without_ends(results, found)


@lru_cache(maxsize=8)
def together(results: LabelResults) -> pd.DataFrame:
    """Which labels go together, the lists left out: the table of `co_occurrence`."""
    found = co_occurrence(results.table, single_keys(results.keys))
    return _without_ends(results, found)


def _without_ends(results: LabelResults, table: pd.DataFrame) -> pd.DataFrame:
    """A table of shares or coefficients, without its intervals where the results have none."""
    ends = [name for name in table.columns if name.endswith(_ENDS)] if results.bare else []
    return table.assign(**dict.fromkeys(ends, np.nan))


def others(results: LabelResults) -> list[LabelResults]:
    """The other finished labellings of the same pairs, newest first."""
    found = open_labels.on_pairs(results.content)
    return [one for one in found if one.run.id != results.run.id]


def names_of(results: Sequence[LabelResults]) -> dict[str, str]:
    """Each run's labeler by run id, with the run where two have the same labeler."""
    told = [named(one) for one in results]
    return {
        one.run.id: name if told.count(name) == 1 else f"{name}, {one.run.label}"
        for one, name in zip(results, told, strict=True)
    }


def shared_keys(results: Sequence[LabelResults]) -> tuple[str, ...]:
    """The keys that all of them were asked for."""
    return tuple(key for key in FEATURES if all(key in one.keys for one in results))


def agreement(results: Sequence[LabelResults], key: str = "") -> pd.DataFrame:
    """The agreement of labellings on all keys they share, or on each value of one key.

    Intervals are drawn with the seed of the first run. Where its texts were picked, those count.
    """
    return _agreement(tuple(results), key)


@lru_cache(maxsize=16)
def _agreement(results: tuple[LabelResults, ...], key: str) -> pd.DataFrame:
    first = results[0]
    tables = {one.run.id: one.table for one in results}
    if first.whole:
        picked = text_ids(first.table)
        tables = {one.run.id: one.only(picked, first.bare).table for one in results}
    written = next((tables[one.run.id] for one in results if one.authored), None)
    if written is not None:
        tables = {run_id: _where(written, table) for run_id, table in tables.items()}
    generator = np.random.default_rng(first.spec.seed)
    prompts = first.dataset.prompt_groups
    keys = shared_keys(results)
    found = (
        class_agreement(tables, key, generator, prompts=prompts)
        if key
        else agreement_table(tables, keys, generator, prompts=prompts)
    )
    return _without_ends(first, found)


def _where(written: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Labels without those that have no author's label beside them.

    So what several labelers say among themselves of other texts is not mixed into how far they
    agree with what was written.
    """
    ids, there = text_ids(table), text_ids(written)
    kept = {
        key: table[key].where(np.isin(ids, there[written[key].notna()]), None) for key in FEATURES
    }
    return table.assign(**kept)


def crossed(results: LabelResults, other: LabelResults, key: str, value: str = "") -> pd.DataFrame:
    """The answers of two labellings against each other: the table of `answers.cells`."""
    return cells(results.table, other.table, key, value if key in LIST_KEYS else "")


def texts_page(
    results: LabelResults, places: Sequence[int], page: int, first: str = ""
) -> pd.DataFrame:
    """One page of at most 50 texts to read: row, side, state, reply, and the labels in words.

    `places` are those of the texts in the labels table. `page` counts from 1 and is clamped. The
    words that the other reply of the pair has not are marked. The label `first` stands before the
    others.
    """
    import pandas as pd

    shown = results.table.iloc[list(page_of(places, page))]
    pairs = {
        pair.row_id: pair
        for pair in results.dataset.pairs(list(dict.fromkeys(map(int, shown["row_id"]))))
    }
    keys = [key for key in (first, *results.keys) if key in results.keys]
    records = []
    for row in shown.to_dict("records"):
        pair = pairs[int(row["row_id"])]
        reply, other = pair.chosen.reply, pair.rejected.reply
        if row["preference"] != "chosen":
            reply, other = other, reply
        records.append(
            {
                "row_id": pair.row_id,
                "side": row["preference"],
                "state": row["status"],
                "reply": beside(reply, other),
                "problem": "; ".join(problem.message for problem in row["problems"]),
            }
            | {key: in_words(plain(row[key])) for key in dict.fromkeys(keys)}
        )
    return pd.DataFrame.from_records(records)


def labelled_text(results: LabelResults, key: TextKey) -> LabelledText:
    """One text with its labels.

    Raises:
        BadInput: the run did not label that text.
    """
    table = results.table
    own = table[(table["row_id"] == key.row_id) & (table["preference"] == key.preference)]
    if own.empty:
        raise BadInput(
            f"Run {results.run.id} has no text {key.custom_id}.", "Choose one of its texts."
        )
    row = own.iloc[0]
    pair = results.dataset.pair(key.row_id)
    return LabelledText(
        key,
        pair.chosen.text if key.preference == "chosen" else pair.rejected.text,
        str(row["status"]),
        labels_of(row, results.keys),
        tuple(row["problems"]),
        tuple(row["fixes"]),
        str(row["raw"]),
    )


def in_words(label: Label) -> str:
    """A label as a person reads it; empty where there is none."""
    if isinstance(label, tuple):
        return ", ".join(label) or "none"
    if isinstance(label, bool):
        return YES if label else NO
    return label or ""


def files(results: LabelResults) -> dict[str, Path]:
    """The files of a labelling that are still there, by the names they are taken away under."""
    found = {Path(name).name: data_dir() / name for name in results.manifest.get("files", ())}
    found[f"{results.run.id}-{TABLE}"] = data_dir() / "runs" / results.run.id / TABLE
    return {name: path for name, path in found.items() if path.exists()}
