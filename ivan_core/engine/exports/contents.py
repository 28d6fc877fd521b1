"""Which pairs of a run or a dataset go into a file for others, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets, handling as runs, imports
from ivan_core.engine.figures import charts_and_sentences
from ivan_core.engine.kind import kind_of
from ivan_core.engine.picked_rows import pairs_of
from ivan_core.figures.files import file_names, named
from ivan_core.interchange.content import TAKEN, Content, Row


def of_dataset(request: DatasetRequest) -> Content:
    """All pairs of a dataset, which is read first if nobody has read it here.

    Raises:
        IvanError: it cannot be had.
    """
    found = datasets.find(imports.located(request))
    if found is None:
        found = imports.named_dataset(imports.read_dataset(request))
    return of_rows(found, range(found.rows))


def of_run(run_id: str, where: str = "") -> Content:
    """The pairs of a run, or those that conditions pick, as an address of its page holds them.

    Raises:
        BadInput: there is no such run, it has no pairs yet, or the conditions make no sense.
    """
    run = runs.get(run_id)
    opened = kind_of(run).open
    if opened is None:
        raise BadInput(f"Run {run_id} has no pairs of its own.", "Export the dataset instead.")
    results = opened(run_id)
    rows = pairs_of(charts_and_sentences(run_id), run_id, where) if where else results.row_ids
    return of_rows(results.dataset, rows)


def of_rows(dataset: PreparedDataset, row_ids: Sequence[int]) -> Content:
    """Some pairs of a dataset, in the order given, with the dataset's own columns beside them."""
    own = {name: _free(name) for name in dataset.own_columns}

    def rows() -> Iterator[Row]:
        beside = dataset.own_values(row_ids)
        for pair, values in zip(dataset.pairs(row_ids), beside, strict=True):
            told = {own[name]: value for name, value in values.items()}
            yield Row(pair, {"row_id": pair.row_id, "subset": pair.subset, **told})

    label = str(dataset.about["label"])
    types = {"row_id": int, "subset": str}
    types |= {own[name]: kind for name, kind in dataset.own_columns.items()}
    name = str(named(label, file_names([label])))
    return Content(name, dataset.rows, len(row_ids), types, rows)


def _free(name: str) -> str:
    """A name for a column of the dataset that means nothing else in a file."""
    return f"{name}_in_the_data" if name in TAKEN else name
