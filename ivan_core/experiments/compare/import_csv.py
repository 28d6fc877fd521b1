"""Importing the original's `data/compare/*.csv`: scores made elsewhere, joined to a dataset."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.rows import seeded_chunks
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine import access
from ivan_core.engine.imports import Elsewhere, Imported, enter, located, named_dataset
from ivan_core.experiments.compare.archive import write_comparison
from ivan_core.experiments.compare.original_csv import (
    Scores,
    by_kind,
    read_scores,
    trained_models,
    unrated_rows,
)
from ivan_core.experiments.compare.tables import scores_table, with_prompts
from ivan_core.experiments.compare.trust_facts import trust_strips
from ivan_core.metrics.summary import summarise
from ivan_core.models import reward_models
from ivan_core.runs.parts import Parts
from ivan_core.runs.storage import storage_errors
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd

_CHUNK = 4_096
_STARTED = re.compile(r"(\d{4}-\d\d-\d\d-\d\d-\d\d(?:-\d\d)?)-(.+)")


def import_csvs(
    paths: Sequence[Path], dataset: DatasetRequest, models: Sequence[str] = ()
) -> Imported:
    """Enter CSV files of the original as one finished run: one file a model, the stats if given.

    A model is called as `models` says, in the order of the files, else as the stats or the catalog
    know the file's name, else by that name. Verdicts are computed anew from the scores, as float32;
    a note counts where the file says otherwise. Files `...-failed.csv` add rows without scores.

    Raises:
        BadInput: a file is not of that kind, a row id is not in the dataset or comes twice, the
            dataset has not been read here, or names and files do not go together.
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.IMPORT)
    found = named_dataset(dataset)
    kinds = by_kind(paths)
    if models and len(models) != len(kinds.scores):
        raise BadInput(
            f"{len(kinds.scores)} files of scores and {len(models)} names of models were given.",
            "Give one name a file, in their order, or none.",
        )
    trained = trained_models(kinds.stats)
    names = list(models) or [_model_name(path, list(trained)) for path in kinds.scores]
    if len(set(names)) < len(names):
        raise BadInput("Two files would be the same model.", "Name each with --model.")
    unrated = unrated_rows(found)
    scores = [read_scores(path, found, unrated, kinds.failed) for path in kinds.scores]
    cards = {name: _card(name, trained.get(name)) for name in names}
    started, slug = _started(kinds.scores[0])
    row_ids = sorted({row_id for one in scores for row_id in one.rows})
    notes = tuple(_notes(scores, found.rows, len(row_ids)))
    spec = CompareSpec(
        dataset=located(dataset),
        models=tuple(names),
        row_ids=None if len(row_ids) == found.rows else tuple(row_ids),
    )
    table = _table(names, scores, found, list(cards.values()))
    run_id = enter(
        Elsewhere(
            id=slug, name="", created=started, started=None, finished=time.time(), computed=0,
            notes=notes, kind=spec.kind, spec=spec, dataset=found, rows=len(row_ids),
            done=len(table), total=len(table),
            write=partial(write_comparison, dataset=found, cards=cards, table=table),
            manifest={
                "seed": spec.seed,
                "random_sample": spec.row_ids is None,
                "texts_computed": 0,
                "trust": trust_strips(
                    table, summarise(with_prompts(table, found)), list(cards.values()), found, {}
                ),
                "imported": {"files": [one.path.name for one in scores]},
            },
        )
    )  # fmt: skip
    return Imported(run_id, len(row_ids), tuple(names), notes)


def _model_name(path: Path, known: Sequence[str]) -> str:
    """The model of a file: the name among the stats or the catalog that makes it, else its own."""
    match = _STARTED.fullmatch(path.stem)
    slug = match[2] if match else path.stem
    for name in (*known, *reward_models.offered()):
        if slug.lower() in (
            ModelCard(id=part).slug.lower() for part in (name, name.split("/")[-1])
        ):
            return name
    return slug


def _card(name: str, trained: bool | None) -> ModelCard:
    """What is known of a model whose scores were made elsewhere: not its weights, nor its input."""
    known = reward_models.card(name) if name in reward_models.offered() else ModelCard(id=name)
    return ModelCard(
        id=known.id,
        parameters=known.parameters,
        licence=known.licence,
        trained_on_hh=known.trained_on_hh if trained is None else trained,
        seen_hashes=known.seen_hashes,
        note="Scores imported; the revision of the weights and the input format are not known.",
    )


def _started(path: Path) -> tuple[float, str]:
    """When the run began, by its file's name, and its id; now, if the name does not say."""
    match = _STARTED.fullmatch(path.stem)
    if match:
        parts = [int(part) for part in match[1].split("-")]
        try:
            return datetime(*parts[:6], tzinfo=UTC).timestamp(), match[1]  # type: ignore[misc,arg-type]
        except ValueError:
            return time.time(), ""
    return time.time(), ""


def _notes(scores: Sequence[Scores], rows: int, judged: int) -> Iterator[str]:
    yield "Scores imported from CSV; nothing was computed here."
    if judged < rows:
        yield f"{judged:,} of {rows:,} rows: those that the files hold, perhaps not at random."
    for one in scores:
        if one.otherwise:
            yield (
                f"{one.path.name} gives {one.otherwise:,} of {len(one.rows):,} verdicts otherwise "
                "than its scores do; the scores count."
            )
        if one.identical:
            rows_are = (
                "row with identical sides is"
                if one.identical == 1
                else ("rows with identical sides are")
            )
            yield f"{one.path.name}: {one.identical:,} {rows_are} left out."


def _table(
    names: Sequence[str],
    scores: Sequence[Scores],
    dataset: PreparedDataset,
    cards: Sequence[ModelCard],
) -> pd.DataFrame:
    """The scores table, made as for a run of our own: from parts."""
    root = data_dir()
    folder = root / "runs" / f".importing-{uuid4().hex[:8]}"
    with storage_errors(root):
        folder.mkdir(parents=True)
        parts = Parts(folder)
        try:
            for name, one in zip((card.id for card in cards), scores, strict=True):
                for step, chunk in enumerate(seeded_chunks(list(one.rows), 0, _CHUNK)):
                    rows = [one.rows[row_id].as_list() for row_id in chunk]
                    parts.append(f"scores|{step}|{name}", rows)
            return scores_table(parts, [card.id for card in cards], dataset, cards)
        finally:
            parts.path.unlink(missing_ok=True)
            folder.rmdir()
