"""What a zip of an analysis holds, and how an analysis is made of one again.

Margins and labels are taken from it where they are possible ones; what follows from them and from
the dataset is computed anew and must be the same. The tables must be of these models and labelers.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ivan_core.engine.imports import SLUG, Came, Written
from ivan_core.engine.zips import Archive, Unpacked
from ivan_core.experiments.analysis.files import write_files
from ivan_core.experiments.analysis.joined import ANALYSED, Judged, Labelled, on_rows
from ivan_core.experiments.analysis.published import names, paper
from ivan_core.experiments.analysis.tables import JOINED, TABLES, file_of, frame, joined_table
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.metrics.imprint.choice import CHOICE
from ivan_core.metrics.imprint.rewording import ITSELF
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH
from ivan_core.metrics.labels.answers import SENTIMENT

if TYPE_CHECKING:
    import pandas as pd

_COUNTED = {"n", "differs", "prompts", "inside", "outside", "texts", "texts_changed"}
_MOST_ROWS = 200_000
"""Of a table: features by topics, models and labelers are far fewer."""


class _Typical(BaseModel):
    model_config = ConfigDict(extra="forbid")

    typical_margin: float | None = Field(None, ge=0, allow_inf_nan=False)


class _Labeler(BaseModel):
    model_config = ConfigDict(extra="forbid")

    run: str = Field(pattern=r"\A[A-Za-z0-9-]{1,60}\z")
    id: str = Field(min_length=1, max_length=200)
    rule_based: bool


class _Pairs(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str
    labeler: str
    used: int = Field(ge=0)
    out: dict[str, int]


class _Rewording(BaseModel):
    model_config = ConfigDict(extra="forbid")

    run: str = Field(pattern=r"\A[A-Za-z0-9-]{1,60}\z")
    rewriter: str = Field(min_length=1, max_length=200)
    labeler: str = Field(max_length=200)


class _Published(BaseModel):
    model_config = ConfigDict(extra="forbid")

    labeler: str
    before: str
    after: str


class _Facts(BaseModel):
    """What of its manifest pages read."""

    comparison: str
    models: dict[str, _Typical] = Field(min_length=1)
    labelers: list[_Labeler] = Field(min_length=1)
    pairs: list[_Pairs]
    rewording: _Rewording | None = None
    published: _Published | None = None


def _read(zipped: Unpacked[AnalysisSpec]) -> Came:
    spec, facts = zipped.spec, _Facts.model_validate(zipped.manifest)
    runs = tuple(one.run for one in facts.labelers)
    if facts.comparison != spec.comparison or runs != spec.labelers:
        raise zipped.damaged("its manifest is of other runs than its spec joins")
    if set(facts.models) != set(spec.models):
        raise zipped.damaged("its models and its spec do not agree")
    if facts.rewording is not None and facts.rewording.run != spec.rewording:
        raise zipped.damaged("its manifest is of another rewording than its spec")
    of = facts.published
    if of and (of.labeler not in runs or not {of.before, of.after} <= {"", *facts.models}):
        raise zipped.damaged("its published numbers are of others than its models and labelers")
    counted = sorted((one.model, one.labeler) for one in facts.pairs)
    if counted != sorted((model, run) for model in facts.models for run in runs):
        raise zipped.damaged("its manifest does not count the pairs of each model and labeler")
    files = {Path(str(name)).name for name in zipped.manifest["files"]}
    given = [name for name in TABLES if f"{zipped.manifest['run']}-{name}.csv" in files]
    if "imprint" not in given:
        raise zipped.damaged("it has no imprint")
    tables = {name: _table(zipped, name, facts) for name in given}
    joined = _joined(zipped, facts, tables["imprint"])
    return Came(
        who=tuple(facts.models),
        rows=len(joined),
        done=len(joined),
        chunk=len(joined),
        tables={JOINED: joined, **{file_of(name): table for name, table in tables.items()}},
        write=partial(_write, tables=tables, joined=joined, facts=facts.model_dump()),
    )


def _pack(folder: Path, texts: bool) -> dict[str, bytes]:
    """Empty tables in the place of those that this analysis has not, for lack of their input."""
    missing = [name for name in TABLES if not (folder / file_of(name)).exists()]
    return {file_of(name): _packed(frame(name, ())) for name in missing}


def _packed(table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    table.to_parquet(file, index=False)
    return file.getvalue()


def _write(
    staged: Path,
    *,
    tables: Mapping[str, pd.DataFrame],
    joined: pd.DataFrame,
    facts: Mapping[str, Any],
) -> Written:
    return Written(write_files(staged, SLUG, tables, joined), facts)


def _table(zipped: Unpacked[AnalysisSpec], name: str, facts: _Facts) -> pd.DataFrame:
    """One table of numbers, if it is of these models, labelers and features, and none is odd."""
    types = {column: str(one) for column, one in frame(name, ()).dtypes.items()}
    table = zipped.table(file_of(name), list(types), types, _MOST_ROWS)
    known = {
        "model": set(facts.models),
        "before": {"", *facts.models},
        "after": set(facts.models),
        "who": {CHOICE, *facts.models, *(f"{name} - {CHOICE}" for name in facts.models)},
        "labeler": {one.run for one in facts.labelers},
        "feature": {*ANALYSED, LENGTH, CHOSEN, ITSELF},
        "name": names(),
        "source": {"", *(one.source for one in paper().values())},
    }
    for column, among in known.items():
        if column in types and not table[column].isin(among).all():
            raise zipped.damaged(f"its table {name} has a {column} that is none of its own")
    numbers = table.select_dtypes("number")
    wrong = np.isinf(numbers.to_numpy(np.float64)).any(axis=1)
    for column in _COUNTED & set(types):
        wrong |= (table[column] < 0).to_numpy(bool)
    if {"low", "high"} <= set(types):
        wrong |= (table["low"] > table["high"]).to_numpy(bool)
    for column in {"p", "p_holm", "p_bonferroni", "q", "rate"} & set(types):
        wrong |= ((table[column] < 0) | (table[column] > 1)).to_numpy(bool)
    if wrong.any():
        raise zipped.damaged(f"{int(wrong.sum()):,} rows of its table {name} hold no such numbers")
    return table


def _joined(zipped: Unpacked[AnalysisSpec], facts: _Facts, imprint: pd.DataFrame) -> pd.DataFrame:
    """The joined rows, if margins and labels are possible ones and all else follows from them."""
    asked = {
        one.run: tuple(
            key for key in ANALYSED if key in set(imprint["feature"][imprint["labeler"] == one.run])
        )
        for one in facts.labelers
    }
    margins = [f"margin|{name}" for name in facts.models]
    labels = [
        f"{side}|{run}|{key}"
        for run, keys in asked.items()
        for key in keys
        for side in ("chosen", "rejected")
    ]
    types = {"row_id": "int64", **dict.fromkeys([*margins, *labels], "float64")}
    given = zipped.table(JOINED, list(types), types, zipped.dataset.rows)
    row_ids = given["row_id"].to_numpy(np.int64)
    if not len(row_ids) or (np.diff(row_ids) <= 0).any() or not set(row_ids) <= set(zipped.row_ids):
        raise zipped.damaged("its joined rows are of other rows than its spec chooses")
    if np.isinf(given[margins].to_numpy()).any():
        raise zipped.damaged("its joined rows have a margin that is no number")
    for column in labels:
        among = [-1.0, 0.0, 1.0] if column.endswith(SENTIMENT) else [0.0, 1.0]
        if not given[column].dropna().isin(among).all():
            raise zipped.damaged("its joined rows have a label that nobody can give")
    models = {
        name: Judged(given[f"margin|{name}"].to_numpy(), one.typical_margin)
        for name, one in facts.models.items()
    }
    labelers = {
        one.run: Labelled(
            one.run,
            one.id,
            asked[one.run],
            _sides(given, one.run, "chosen", asked[one.run]),
            _sides(given, one.run, "rejected", asked[one.run]),
            (),
            np.zeros((len(given), 0), dtype=np.bool_),
        )
        for one in facts.labelers
    }
    joined = joined_table(on_rows(zipped.dataset, row_ids, models, labelers))
    kinds = {column: str(one) for column, one in joined.dtypes.items()}
    told = zipped.table(JOINED, list(kinds), kinds, zipped.dataset.rows)
    apart = ~np.isclose(told.to_numpy(float), joined.to_numpy(float), equal_nan=True)
    if apart.any():
        rows = int(apart.any(axis=1).sum())
        raise zipped.damaged(f"{rows:,} of its joined rows contradict themselves or their dataset")
    return joined


def _sides(given: pd.DataFrame, run: str, side: str, keys: tuple[str, ...]) -> Any:
    return given[[f"{side}|{run}|{key}" for key in keys]].to_numpy(np.float64)


ARCHIVE = Archive(
    files=(JOINED, *map(file_of, TABLES)), read=_read, folders_hold_texts=False, pack=_pack
)
