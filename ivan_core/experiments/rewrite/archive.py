"""What a zip of a rewording holds, and how a rewording is made of one again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.domain.models import ModelCard
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.rewriting import PieceKey, Style
from ivan_core.domain.specs import RewriteSpec
from ivan_core.engine.imports import SLUG, Came, Written
from ivan_core.engine.work import BEGUN, write_table
from ivan_core.engine.zips import CARD, Archive, Unpacked
from ivan_core.experiments.rewrite.files import write_files
from ivan_core.experiments.rewrite.run import DEMO, ORDER
from ivan_core.experiments.rewrite.steps import CARDS, CHANGED
from ivan_core.experiments.rewrite.tables import (
    LABEL_TYPES,
    LABELS,
    LABELS_FILE,
    SCORE_TYPES,
    SCORES,
    SCORES_FILE,
    SIMILARITIES,
    SIMILARITIES_FILE,
    SIMILARITIES_TYPES,
    Measured,
    Tables,
    labels_frame,
)
from ivan_core.experiments.rewrite.units import LABELLED, Unit, plan_units, variants_of
from ivan_core.labels.reconcile import STATES, USABLE
from ivan_core.labels.schema import feature, is_label
from ivan_core.rewording.accept import LEFT_OUT, Reason
from ivan_core.rewording.unwrap import Mend
from ivan_core.runs.context import Parts

if TYPE_CHECKING:
    import pandas as pd

REWORDINGS = "rewordings.jsonl"
"""The rewordings in a zip, unit by unit as in the parts of a run."""
WITHOUT_TEXTS = "Its rewordings were left out of the zip: the numbers are all here, no text is."
_UNIT = "rewordings|"
_LONGEST_LINE = 2**26
_MOST_CHUNK = 100_000
_Row = tuple[
    str, Style, str | None, int, list[tuple[Reason, str, str]], list[Mend], int | None, int | None
]
_ROW = {"row_id": "int64"}
_ROWS = TypeAdapter(list[_Row])
_CHECKED = ("chosen_length_ratio", "rejected_length_ratio", *SIMILARITIES[6:])
"""The columns of similarities that follow from the rewordings themselves."""


class _Worker(BaseModel):
    """Who reworded, compared or labelled, as a manifest tells and pages read."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(min_length=1)
    revision: str = ""
    settings: dict[str, str] = {}


class _Card(BaseModel):
    """The same, as the parts of a run tell; what they tell is kept as it is."""

    id: str = Field(min_length=1)
    kind: str = ""


class _Style(BaseModel):
    version: str
    hash: str


_WORKER = TypeAdapter(_Worker | None)
_CARDS = TypeAdapter(list[_Card])
_STYLES = TypeAdapter(dict[str, _Style])
_MODELS = TypeAdapter(list[ModelCard])


def _facts(key: str) -> bool:
    """Who worked, and in which order; not for which account."""
    return key in (ORDER, DEMO, *CARDS) or key.startswith((CARD, f"{CHANGED}|"))


def _pack(folder: Path, texts: bool) -> dict[str, bytes]:
    parts = Parts(folder)
    rules = parts.rows(CARDS[0])[0]["kind"] == "rules"
    lines = (
        json.dumps({"key": key, "rows": rows if texts else _without_texts(rows, rules)})
        for key, rows in parts.all()
        if key.startswith(_UNIT)
    )
    return {REWORDINGS: "".join(f"{line}\n" for line in lines).encode()}


def _without_texts(rows: Sequence[Sequence[Any]], rules: bool) -> list[list[Any]]:
    """Rewordings without their texts and without what was refused, word for word.

    Prompts that `rules` left as they were come last: they are not why a side has no text.
    """
    bare: list[list[Any]] = []
    stand: list[list[Any]] = []
    for key, style, text, tries, refusals, mends, read, written in rows:
        refused = [[reason, sentence, ""] for reason, sentence, _ in refusals]
        refused += [["left_out", LEFT_OUT, ""]] if text is not None else []
        stands = rules and text is None and key.endswith(".prompt")
        own = stand if stands else bare
        own.append([key, style, None, tries, refused, mends, read, written])
    return [*bare, *stand]


def _is_left_out(row: Sequence[Any]) -> bool:
    return any(reason == "left_out" for reason, *_ in row[4])


def _read(zipped: Unpacked[RewriteSpec]) -> Came:
    spec, manifest, facts = zipped.spec, zipped.manifest, zipped.facts
    named = [card.id for card in _MODELS.validate_python(manifest["models"])]
    if named != [card.id for card in zipped.cards(spec.models).values()]:
        raise zipped.damaged("its models and its spec do not agree")
    for kind in CARDS:
        _WORKER.validate_python(manifest.get(kind))
        _CARDS.validate_python(facts.get(kind, []))
    str(facts[CARDS[0]][0]["kind"])
    _STYLES.validate_python(manifest.get("styles", {}))
    chunk, together = facts[BEGUN][0]["chunk"], facts[ORDER][0]
    if (
        not isinstance(chunk, int)
        or not 1 <= chunk <= _MOST_CHUNK
        or not isinstance(together, bool)
    ):
        raise zipped.damaged("it does not say how it was done")
    row_ids = zipped.row_ids
    units = plan_units(spec, row_ids, chunk, together)
    measured = _measured(zipped, row_ids)
    rewordings = _rewordings(zipped, units)
    whole = not any(_is_left_out(row) for rows in rewordings.values() for row in rows)
    return rewording(
        spec,
        zipped.dataset,
        units,
        rewordings | {ORDER: [together]},
        partial(_checked, measured, whole, zipped.damaged),
        chunk=chunk,
        notes=() if whole else (WITHOUT_TEXTS,),
        files=whole,
    )


def rewording(
    spec: RewriteSpec,
    dataset: PreparedDataset,
    units: Sequence[Unit],
    facts: Mapping[str, list[Any]],
    measure: Callable[[Tables], Measured],
    *,
    chunk: int,
    notes: tuple[str, ...],
    files: bool = True,
) -> Came:
    """A rewording that was made elsewhere; with `files` those for people are written too.

    `facts` hold the rewordings and who worked; `measure` gives what was measured of them, and may
    refuse what is not of them.
    """

    def write(staged: Path) -> Written:
        folder = staged / SLUG
        tables = Tables(Parts(folder), spec, dataset, units)
        measured = measure(tables)
        write_table(folder / SCORES_FILE, measured.scores)
        write_table(folder / SIMILARITIES_FILE, measured.similarities)
        write_table(folder / LABELS_FILE, measured.labels)
        return Written(write_files(staged, SLUG, spec, tables, measured) if files else ())

    return Came(
        who=(spec.rewriter, *spec.models),
        rows=len({row_id for unit in units for row_id in unit.row_ids}),
        done=sum(unit.weight for unit in units),
        chunk=chunk,
        notes=notes,
        facts=facts,
        write=write,
    )


def _checked(
    measured: Measured, whole: bool, refuse: Callable[[str], BadInput], tables: Tables
) -> Measured:
    """What was measured, if it is of the rewordings; without their texts nobody can tell.

    Raises:
        BadInput: it is of others.
    """
    import pandas as pd

    if whole:
        follows = tables.similarities()[list(_CHECKED)]
        try:
            pd.testing.assert_frame_equal(follows, measured.similarities[list(_CHECKED)])
        except AssertionError:
            raise refuse("its tables are not of its rewordings") from None
    return measured


def _rewordings(zipped: Unpacked[RewriteSpec], units: Sequence[Unit]) -> dict[str, list[Any]]:
    """What came of each piece, unit by unit; all units of the run and no others."""
    of_unit = {unit.key: set(unit.row_ids) for unit in units if unit.stage == "rewordings"}
    found: dict[str, list[Any]] = {}
    for line in zipped.files[REWORDINGS].splitlines():
        if len(line) > _LONGEST_LINE:
            raise zipped.damaged("a line of its rewordings has no end")
        told = json.loads(line)
        key, rows = str(told["key"]), _ROWS.validate_python(told["rows"])
        if key not in of_unit or key in found:
            raise zipped.damaged("its rewordings are not of its rows")
        for name, _, text, _, refusals, *_ in rows:
            piece = PieceKey.from_text(name)
            if piece is None or piece.row_id not in of_unit[key]:
                raise zipped.damaged("its rewordings are not of its rows")
            if text is None and not refusals:
                raise zipped.damaged("a rewording is missing without a reason")
        found[key] = [list(row) for row in rows]
    if set(found) != set(of_unit):
        raise zipped.damaged("its rewordings are not all there")
    return found


def _measured(zipped: Unpacked[RewriteSpec], row_ids: Sequence[int]) -> Measured:
    """The tables, each of the rows, models and variants that the spec names, and of no others."""
    spec = zipped.spec
    variants, made = variants_of(spec), variants_of(spec)[1:]
    scores = zipped.table(SCORES_FILE, SCORES, _ROW | SCORE_TYPES, len(row_ids) * 8)
    scores = _in_order(zipped, scores, product(row_ids, spec.models, variants), list(SCORES[:3]))
    similarities = zipped.table(
        SIMILARITIES_FILE, SIMILARITIES, _ROW | SIMILARITIES_TYPES, len(row_ids) * 3
    )
    similarities = _in_order(zipped, similarities, product(row_ids, made), list(SIMILARITIES[:2]))
    bounds = {"similarity": (-1.001, 1.001), "length_ratio": (0, 1e9), "tries": (0, 1e6)}
    for side, (name, (low, high)) in product(SIDES, bounds.items()):
        column = similarities[f"{side}_{name}"]
        if not (column.isna() | column.between(low, high)).all():
            raise zipped.damaged("its table of similarities makes no sense")
    rewards = scores[["chosen_reward", "rejected_reward"]]
    if not (rewards.isna() | (rewards.abs() < float("inf"))).all(axis=None):
        raise zipped.damaged("its table of rewards makes no sense")
    return Measured(scores, similarities, _labels(zipped, row_ids))


def _in_order(
    zipped: Unpacked[RewriteSpec],
    table: pd.DataFrame,
    wanted: Iterator[tuple[Any, ...]],
    keys: list[str],
) -> pd.DataFrame:
    """The rows of a table as they are wanted, each of them once."""
    import pandas as pd

    index = pd.MultiIndex.from_tuples(list(wanted), names=keys)
    plain = table.astype({key: object for key in keys if key != "row_id"}).set_index(keys)
    if len(plain) != len(index) or plain.index.has_duplicates:
        raise zipped.damaged("its tables are not of its rows")
    if not index.isin(plain.index).all():
        raise zipped.damaged("its tables are not of its rows")
    return plain.loc[index].reset_index().astype(table.dtypes)[list(table.columns)]


def _labels(zipped: Unpacked[RewriteSpec], row_ids: Sequence[int]) -> pd.DataFrame:
    """The table of labels: of texts of these rows, each label one that is allowed."""
    import pandas as pd

    types = {**_ROW, **LABEL_TYPES, **dict.fromkeys(REWRITE_FEATURES[:-1], "boolean")}
    table = zipped.table(LABELS_FILE, LABELS, types, len(row_ids) * 6)
    known = table["row_id"].isin(list(row_ids)) & table["preference"].isin(SIDES)
    known &= table["variant"].isin(LABELLED) & table["status"].isin(STATES)
    known &= ~table["again"] | table["variant"].eq(LABELLED[0])
    if table.duplicated(list(LABELS[:4])).any() or not known.all():
        raise zipped.damaged("its labels are not of its texts")
    if len(table) and not zipped.spec.labeler:
        raise zipped.damaged("it has labels that nobody was asked for")
    asked = [feature(key) for key in REWRITE_FEATURES]
    records = []
    for row in table.to_dict("records"):
        labels = [None if pd.isna(row[one.key]) else row[one.key] for one in asked]
        usable = row["status"] in USABLE
        fine = [
            is_label(one, label) if label is not None else not usable
            for one, label in zip(asked, labels, strict=True)
        ]
        if not all(fine):
            raise zipped.damaged("its labels contradict themselves")
        reused = None if pd.isna(row["reused_from"]) else row["reused_from"]
        first = [row[name] for name in LABELS[:4]]
        records.append((*first, *labels, row["status"], reused))
    records.sort(key=lambda row: (row[0], row[1], LABELLED.index(row[2]), row[3]))
    return labels_frame(records)


ARCHIVE = Archive(
    files=(SCORES_FILE, SIMILARITIES_FILE, LABELS_FILE, REWORDINGS),
    read=_read,
    facts=_facts,
    pack=_pack,
)
