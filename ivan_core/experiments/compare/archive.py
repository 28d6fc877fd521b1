"""What a zip of a comparison holds, and how a comparison is made of one again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from ivan_core.datasets.parquet_rows import small_table
from ivan_core.datasets.prepared import PreparedDataset, choose_rows
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.imports import SLUG, Written
from ivan_core.engine.work import write_table
from ivan_core.engine.zips import Archive, Came, Packed, Unpacked
from ivan_core.experiments.compare.files import FOLDER, write_csvs
from ivan_core.experiments.compare.tables import SCORES, TABLE, with_prompts
from ivan_core.metrics.summary import summarise
from ivan_core.metrics.trust import TrustStrip
from ivan_core.runs.parts import Parts

if TYPE_CHECKING:
    import pandas as pd

_CARD = "card|"
# What pages read of the manifest as it was written elsewhere; the rest of it is written anew.
_STRIPS = TypeAdapter(list[TrustStrip])
_FROM_REWARDS = {"agree": 1, "tie": 0, "disagree": -1}


def _pack(folder: Path, _: bool) -> Iterator[Packed]:
    yield Packed(TABLE, folder / TABLE)


def _read(zipped: Unpacked) -> Came:
    spec, dataset = zipped.spec, zipped.dataset
    _STRIPS.validate_python(zipped.manifest.get("trust", []))
    cards = {
        key.removeprefix(_CARD): ModelCard.model_validate(rows[0])
        for key, rows in zipped.facts.items()
        if key.startswith(_CARD)
    }
    if not isinstance(spec, CompareSpec) or not cards or set(cards) != set(spec.models):
        raise zipped.damaged("its models and its spec do not agree")
    models = [card.id for card in cards.values()]
    table = _table(zipped, models)
    if not set(table["row_id"]) <= set(choose_rows(spec, dataset).row_ids):
        raise zipped.damaged("its table is of other rows than its spec chooses")
    own = {name: cards[name] for name in spec.models}
    return Came(
        who=tuple(models),
        rows=int(table["row_id"].nunique()),
        done=len(table),
        write=partial(write_comparison, dataset=dataset, cards=own, table=table),
    )


def write_comparison(
    staged: Path, *, dataset: PreparedDataset, cards: dict[str, ModelCard], table: pd.DataFrame
) -> Written:
    """Write all of a comparison that was made elsewhere; `cards` by the names in its spec.

    Raises:
        StorageProblem: the data folder cannot be written.
    """
    parts = Parts(staged / SLUG)
    for name, card in cards.items():
        parts.append(f"{_CARD}{name}", [card.model_dump(mode="json")])
    write_table(staged / SLUG / TABLE, table)
    known, label = list(cards.values()), str(dataset.about["label"])
    summaries = summarise(with_prompts(table, dataset))
    files = write_csvs(staged, SLUG, label, dataset.rows, table, known, summaries)
    return Written(
        [f"{FOLDER}/{name}" for name in files],
        {
            "models": [card.model_dump(mode="json", exclude={"seen_hashes"}) for card in known],
            "summaries": [summary.as_dict() for summary in summaries],
        },
    )


def _table(zipped: Unpacked, models: list[str]) -> pd.DataFrame:
    """The scores table, if it is one: typed, of these models and rows, verdicts as rewards say."""
    import numpy as np

    dataset = zipped.dataset
    try:
        # A table of rows without end is packed into a few bytes, and so is a text of them.
        packed = small_table(
            zipped.path.name, zipped.files[TABLE], list(SCORES), dataset.rows * len(models)
        )
        table = packed.to_pandas()[list(SCORES)].astype(SCORES)
    except BadInput as error:
        raise zipped.damaged("its table would unpack to more than its dataset holds") from error
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise zipped.damaged(f"its table cannot be read ({type(error).__name__})") from error
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
    facts=lambda key: key.startswith(_CARD),
    pack=_pack,
    files=(TABLE,),
    folders_hold_texts=False,
    read=_read,
)
