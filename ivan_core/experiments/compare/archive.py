"""What a zip of a comparison holds, and how a comparison is made of one again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.models import ModelCard
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.imports import SLUG, Came, Written
from ivan_core.engine.zips import CARD, Archive, Unpacked
from ivan_core.experiments.compare.files import FOLDER, write_csvs
from ivan_core.experiments.compare.tables import SCORES, TABLE, with_prompts
from ivan_core.metrics.summary import ModelSummary, summarise
from ivan_core.metrics.trust import TrustStrip

if TYPE_CHECKING:
    import pandas as pd

# What pages read of the manifest as it was written elsewhere; the rest of it is written anew.
_STRIPS = TypeAdapter(list[TrustStrip])
_FROM_REWARDS = {"agree": 1, "tie": 0, "disagree": -1}


def _read(zipped: Unpacked[CompareSpec]) -> Came:
    _STRIPS.validate_python(zipped.manifest.get("trust", []))
    cards = zipped.cards(zipped.spec.models)
    table = _table(zipped, [card.id for card in cards.values()])
    if not set(table["row_id"]) <= set(zipped.row_ids):
        raise zipped.damaged("its table is of other rows than its spec chooses")
    summaries = summarise(with_prompts(table, zipped.dataset))
    return comparison(zipped.dataset, cards, table, summaries)


def comparison(
    dataset: PreparedDataset,
    cards: Mapping[str, ModelCard],
    table: pd.DataFrame,
    summaries: Sequence[ModelSummary],
) -> Came:
    """A comparison that was made elsewhere: its models, by their names in the spec, and scores."""
    return Came(
        who=tuple(card.id for card in cards.values()),
        rows=int(table["row_id"].nunique()),
        done=len(table),
        facts={f"{CARD}{name}": [card.model_dump(mode="json")] for name, card in cards.items()},
        tables={TABLE: table},
        write=partial(
            _write, dataset=dataset, cards=list(cards.values()), table=table, summaries=summaries
        ),
    )


def _write(
    staged: Path,
    *,
    dataset: PreparedDataset,
    cards: Sequence[ModelCard],
    table: pd.DataFrame,
    summaries: Sequence[ModelSummary],
) -> Written:
    label = str(dataset.about["label"])
    files = write_csvs(staged, SLUG, label, dataset.rows, table, cards, summaries)
    return Written(
        [f"{FOLDER}/{name}" for name in files],
        {
            "models": [card.model_dump(mode="json", exclude={"seen_hashes"}) for card in cards],
            "summaries": [summary.as_dict() for summary in summaries],
        },
    )


def _table(zipped: Unpacked[CompareSpec], models: Sequence[str]) -> pd.DataFrame:
    """The scores table, if it is one: of these models and rows, verdicts as rewards say."""
    import numpy as np

    dataset = zipped.dataset
    table = zipped.table(TABLE, list(SCORES), SCORES, dataset.rows * len(models))
    if set(table["model"]) != set(models) or table.duplicated(["model", "row_id"]).any():
        raise zipped.damaged("its table is not of its models, or has a row twice")
    dataset.check_row_ids([int(row) for row in table["row_id"].unique()])
    margins = table["chosen_reward"] - table["rejected_reward"]
    told = table["verdict"].map(_FROM_REWARDS).astype("float64")
    wrong = ~np.isclose(margins, table["margin"], equal_nan=True)
    wrong |= ~np.isclose(np.sign(margins), told, equal_nan=True)
    about = ["chosen_length", "rejected_length", "identical"]
    own = dataset.numbers(["row_id", *about]).set_index("row_id").loc[table["row_id"], about]
    wrong |= (own.to_numpy(float) != table[about].to_numpy(float)).any(axis=1)
    if wrong.any():
        raise zipped.damaged(f"{int(wrong.sum()):,} rows of its table contradict themselves")
    return table


ARCHIVE = Archive(
    files=(TABLE,), read=_read, folders_hold_texts=False, facts=lambda key: key.startswith(CARD)
)
