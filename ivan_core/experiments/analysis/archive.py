"""What a zip of an analysis holds, and how an analysis is made of one again.

Margins and labels are taken from it where they are possible ones; what follows from them and from
the dataset is computed anew and must be the same. The tables must be of these models and labelers.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.labels import REGRESSION_FEATURES, TextKey
from ivan_core.domain.models import ModelCard
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.runs import Run, RunState
from ivan_core.engine.imports import SLUG, Came, Written
from ivan_core.engine.zips import Archive, Unpacked
from ivan_core.experiments.analysis.checks import contradictions
from ivan_core.experiments.analysis.files import write_files
from ivan_core.experiments.analysis.joined import Floats, Joined, Judged, Labelled, on_rows
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.steps.against import net_design
from ivan_core.experiments.analysis.steps.published import names, paper
from ivan_core.experiments.analysis.tables import (
    JOINED,
    TABLES,
    completed,
    file_of,
    frame,
    joined_table,
)
from ivan_core.experiments.analysis.told import texts_told, told_names, write_told
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.experiments.labels.authored import authored_labels
from ivan_core.metrics.imprint.against import ALL, REGIMES
from ivan_core.metrics.imprint.choice import CHOICE
from ivan_core.metrics.imprint.preference import PREFERS
from ivan_core.metrics.imprint.rewording import ITSELF
from ivan_core.metrics.imprint.rows import CHOSEN, CONTROLS, LENGTH
from ivan_core.metrics.labels.answers import SENTIMENT, SENTIMENTS
from ivan_core.models.names import is_authored

if TYPE_CHECKING:
    import pandas as pd

_COUNTED = {
    "n",
    "differs",
    "found",
    "prompts",
    "inside",
    "outside",
    "reviewed",
    "texts",
    "texts_changed",
    "df1",
    "df2",
    "f",
    "misaligned",
    "no_preference",
}
_LATER = ("differences", "interaction", "no-preference")
"""Tables that zips of the first analyses do not have."""
_GREW = ("corrected",)
"""Tables that had fewer columns at first."""
_MOST_ROWS = 200_000
"""Of a table: features by topics, models and labelers are far fewer."""


class _Typical(BaseModel):
    model_config = ConfigDict(extra="forbid")

    typical_margin: float | None = Field(None, ge=0, allow_inf_nan=False)


class _Share(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int = Field(ge=0)
    n: int = Field(ge=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    effective_n: int = Field(ge=1)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.count > self.n or not self.low <= self.high:
            raise ValueError("is no share")
        return self


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: Literal["people", "labelers"]
    who: int = Field(ge=1)
    texts: int = Field(ge=1)
    same: _Share
    both: _Share | None


class _Labeler(BaseModel):
    model_config = ConfigDict(extra="forbid")

    run: str = Field(pattern=r"\A[A-Za-z0-9-]{1,60}\z")
    id: str = Field(min_length=1, max_length=200)
    rule_based: bool
    described: str = Field("", max_length=1000)
    checked: _Checked | None = None


class _Pairs(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str
    labeler: str
    used: int = Field(ge=0)
    out: dict[str, int]
    reviewed: int = Field(0, ge=0)


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
    cards: list[ModelCard] = Field(default_factory=list)
    second_choices: int = Field(0, ge=0)
    net_design: float | None = Field(None, ge=1, allow_inf_nan=False)
    rewording: _Rewording | None = None
    published: _Published | None = None


def _read(zipped: Unpacked[AnalysisSpec]) -> Came:
    spec, facts = zipped.spec, _Facts.model_validate(zipped.manifest)
    runs = tuple(one.run for one in facts.labelers)
    if facts.comparison != spec.comparison or runs != spec.labelers:
        raise zipped.damaged("its manifest is of other runs than its spec joins")
    if set(facts.models) != set(spec.models):
        raise zipped.damaged("its models and its spec do not agree")
    if facts.cards and [one.id for one in facts.cards] != list(facts.models):
        raise zipped.damaged("its models and what is known of them do not agree")
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
    rows = _joined(zipped, facts, tables["imprint"])
    for wrong in contradictions(spec, tables, rows):
        raise zipped.damaged(wrong)
    design = facts.net_design
    if design is not None and design != net_design(rows, spec.before, spec.after):
        raise zipped.damaged("its net change is not that of its joined rows")
    joined = joined_table(rows)
    told = partial(_analysed, zipped=zipped, tables=tables, joined=joined)
    texts_told(told(str(zipped.manifest["run"])))  # what cannot be told is no whole analysis
    return Came(
        who=tuple(facts.models),
        rows=len(joined),
        done=len(joined),
        chunk=len(joined),
        tables={JOINED: joined, **{file_of(name): table for name, table in tables.items()}},
        write=partial(
            _write, tables=tables, joined=joined, facts=facts.model_dump(exclude_unset=True)
        ),
        last=partial(_tell, told=told),
    )


def _pack(folder: Path, texts: bool) -> dict[str, bytes]:
    """Empty tables in the place of those that this analysis has not, for lack of their input, and
    whole ones in that of those that an older analysis wrote without the columns that came later."""
    import pandas as pd

    missing = [name for name in TABLES if not (folder / file_of(name)).exists()]
    older = {
        name: completed(name, pd.read_parquet(folder / file_of(name)))
        for name in _GREW
        if name not in missing
    }
    made = {**{name: frame(name, ()) for name in missing}, **older}
    return {file_of(name): _packed(table) for name, table in made.items()}


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
    files = write_files(staged, SLUG, tables, joined)
    return Written([*files, *told_names(SLUG)], facts)


def _tell(folder: Path, names: list[str], *, told: Callable[[str], Analysed]) -> None:
    """Write what is told in words, which name the run as it is called here."""
    (last,) = told_names("")[-1:]
    run_id = Path(names[-1]).name.removesuffix(Path(last).name)
    write_told(folder.parent, SLUG, told(run_id))


def _analysed(
    run_id: str,
    *,
    zipped: Unpacked[AnalysisSpec],
    tables: Mapping[str, pd.DataFrame],
    joined: pd.DataFrame,
) -> Analysed:
    """The analysis as it will be opened here, before it is entered."""
    spec = zipped.spec
    run = Run(
        id=run_id,
        kind=spec.kind,
        spec=spec.model_dump_json(),
        state=RunState.DONE,
        created=0,
        started=None,
        finished=None,
        heartbeat=None,
        doing="",
        done=len(joined),
        total=len(joined),
        computed=0,
        rate=None,
        problem="",
        hint="",
    )
    row_ids = tuple(joined["row_id"].tolist())
    return Analysed(run, spec, zipped.dataset, zipped.manifest, tables, row_ids)


def _table(zipped: Unpacked[AnalysisSpec], name: str, facts: _Facts) -> pd.DataFrame:
    """One table of numbers, if it is of these models, labelers and features, and none is odd."""
    types = {column: str(one) for column, one in frame(name, ()).dtypes.items()}
    most = max(_MOST_ROWS, zipped.dataset.rows)
    table = zipped.table(file_of(name), list(types), types, most)
    known = {
        "model": set(facts.models),
        "before": {"", *facts.models},
        "after": set(facts.models),
        "who": {CHOICE, *facts.models, *(f"{name} - {CHOICE}" for name in facts.models)},
        "labeler": {one.run for one in facts.labelers},
        "beside": {one.run for one in facts.labelers},
        "view": {"together", "alone"},
        "control": {"", *CONTROLS},
        "labeler_prefers": {ALL, *PREFERS},
        "regime": set(REGIMES),
        "feature": {*REGRESSION_FEATURES, LENGTH, CHOSEN, ITSELF},
        "other": set(REGRESSION_FEATURES),
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


def _joined(zipped: Unpacked[AnalysisSpec], facts: _Facts, imprint: pd.DataFrame) -> Joined:
    """The joined rows, if margins and labels are possible ones and all else follows from them."""
    asked = {
        one.run: tuple(
            key
            for key in REGRESSION_FEATURES
            if key in set(imprint["feature"][imprint["labeler"] == one.run])
        )
        for one in facts.labelers
    }
    margins = [f"margin|{name}" for name in facts.models]
    labels = [
        f"{side}|{run}|{key}" for run, keys in asked.items() for key in keys for side in SIDES
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
    labelers = {one.run: _labelled(zipped, given, one, asked[one.run]) for one in facts.labelers}
    rows = on_rows(zipped.dataset, row_ids, models, labelers)
    joined = joined_table(rows)
    kinds = {column: str(one) for column, one in joined.dtypes.items()}
    told = zipped.table(JOINED, list(kinds), kinds, zipped.dataset.rows)
    apart = ~np.isclose(told.to_numpy(float), joined.to_numpy(float), equal_nan=True)
    if apart.any():
        count = int(apart.any(axis=1).sum())
        raise zipped.damaged(f"{count:,} of its joined rows contradict themselves or their dataset")
    return rows


def _labelled(
    zipped: Unpacked[AnalysisSpec], given: pd.DataFrame, who: _Labeler, keys: tuple[str, ...]
) -> Labelled:
    """The labels of one labeler; those in the author's name are what the dataset says."""
    chosen, rejected = (
        given[[f"{side}|{who.run}|{key}" for key in keys]].to_numpy(np.float64) for side in SIDES
    )
    if is_authored(who.id):
        written = _authored(zipped.dataset, given["row_id"].tolist(), keys)
        chosen, rejected = (
            np.where(np.isnan(own), np.nan, true)
            for own, true in zip((chosen, rejected), written, strict=True)
        )
    differences = chosen - rejected
    if is_authored(who.id):
        minimal = ~np.isnan(differences).all(axis=1)
        differences[np.isnan(differences) & minimal[:, None]] = 0.0
    topics = np.zeros((len(given), 0), dtype=np.bool_)
    return Labelled(who.run, who.id, keys, chosen, rejected, differences, (), topics)


def _authored(dataset: PreparedDataset, row_ids: list[int], keys: tuple[str, ...]) -> Floats:
    """What was written of both texts of each row, (2, n, k); NaN of what was not."""
    found = authored_labels(dataset, row_ids).outcomes
    written = np.full((2, len(row_ids), len(keys)), np.nan)
    for place, row_id in enumerate(row_ids):
        for side, name in enumerate(SIDES):
            outcome = found.get(TextKey(row_id, name))
            for key, label in (outcome.labels if outcome else {}).items():
                value = SENTIMENTS.index(str(label)) - 1 if key == SENTIMENT else bool(label)
                written[side, place, keys.index(key)] = value
    return written


ARCHIVE = Archive(
    files=(JOINED, *map(file_of, TABLES)),
    read=_read,
    folders_hold_texts=False,
    pack=_pack,
    since=tuple(map(file_of, _LATER)),
)
