"""Which pairs of a run or a dataset go into a file for others, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.words import number_of
from ivan_core.engine import datasets, handling as runs, imports
from ivan_core.engine.figures import charts_and_sentences
from ivan_core.engine.kind import OfRows, kind_of
from ivan_core.engine.picked_rows import pairs_of, where_of_pairs
from ivan_core.figures.files import file_names, named
from ivan_core.interchange.content import TAKEN, Content, Known, Row

_NOTHING = Known()


def prepared(request: DatasetRequest) -> PreparedDataset:
    """A dataset, which is read first if nobody has read it here.

    Raises:
        IvanError: it cannot be had.
    """
    found = datasets.find(imports.located(request))
    if found is None:
        found = imports.named_dataset(imports.read_dataset(request))
    return found


def opened(run_id: str) -> OfRows:
    """The results of a run that has pairs.

    Raises:
        BadInput: there is no such run, it has no pairs, or none yet.
    """
    open_one = kind_of(runs.get(run_id)).open
    if open_one is None:
        raise BadInput(f"Run {run_id} has no pairs of its own.", "Export the dataset instead.")
    return open_one(run_id)


def picked(results: OfRows, where: str = "") -> Sequence[int]:
    """The pairs of a run, or those that conditions pick, as an address of its page holds them.

    Raises:
        BadInput: the conditions make no sense.
    """
    if not where:
        return results.row_ids
    run_id = results.run.id
    return pairs_of(charts_and_sentences(run_id), run_id, where)


def where_of(run_id: str, query: Mapping[str, Any]) -> str:
    """The conditions of a page's address, as `picked` takes them; empty where there is none."""
    return where_of_pairs(charts_and_sentences(run_id), run_id, query)


def of_run(results: OfRows, row_ids: Sequence[int], seed: int = 0) -> Content:
    """Some pairs of a run in the order given, with what the run knows of them."""
    run = results.run
    transfer = kind_of(run).transfer
    known = None if transfer is None else transfer.known
    count, among = len(row_ids), len(results.row_ids)
    return of_rows(
        results.dataset,
        row_ids,
        known(results) if known is not None else _NOTHING,
        told=f"Run {run.id}: {count:,} of its {number_of(among, 'pair')}.",
        made=run.finished or run.created,
        seed=seed,
    )


def of_dataset(dataset: PreparedDataset, seed: int = 0) -> Content:
    """All pairs of a dataset."""
    made = (dataset.folder / "dataset.json").stat().st_mtime
    told = f"All {number_of(dataset.rows, 'pair')} of the dataset."
    return of_rows(dataset, range(dataset.rows), _NOTHING, told=told, made=made, seed=seed)


def of_rows(
    dataset: PreparedDataset,
    row_ids: Sequence[int],
    known: Known,
    *,
    told: str,
    made: float,
    seed: int,
) -> Content:
    """Some pairs of a dataset, in the order given, with the dataset's own columns beside them."""
    own = {name: _free(name) for name in dataset.own_columns}

    def rows() -> Iterator[Row]:
        columns, beside = dataset.own_values(row_ids), known.rows(row_ids)
        for pair, values, one in zip(dataset.pairs(row_ids), columns, beside, strict=True):
            labels = {own[name]: value for name, value in values.items()}
            yield Row(pair, {"row_id": pair.row_id, "subset": pair.subset, **labels}, one)

    about = dataset.about
    label, note = str(about["label"]), str(about["note"] or "")
    types = {"row_id": int, "subset": str}
    types |= {own[name]: kind for name, kind in dataset.own_columns.items()}
    return Content(
        str(named(label, file_names([label]))),
        f"{told} {note}".strip(),
        made,
        dataset.chosen_by,
        len(row_ids),
        types,
        rows,
        known.annotators,
        known.of_sides,
        seed,
    )


def _free(name: str) -> str:
    """A name for a column of the dataset that means nothing else in a file."""
    return f"{name}_in_the_data" if name in TAKEN else name
