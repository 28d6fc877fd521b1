"""The results of a comparison: its table and numbers, pages of rows, and single pairs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.pairs import Pair
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import CompareSpec
from ivan_core.experiments.compare import BEGUN
from ivan_core.experiments.compare_table import scores_table
from ivan_core.metrics.agreement import disagreeing_rows
from ivan_core.metrics.summary import ModelSummary, summarise
from ivan_core.runs.parts import Parts
from ivan_core.settings import data_dir
from ivan_core.workspace import datasets, runs

if TYPE_CHECKING:
    import pandas as pd

PAGE_ROWS = 50
_SNIPPET = 160


@dataclass(frozen=True)
class Results:
    """What a comparison found: all of it once the run is done, the finished chunks before."""

    run: Run
    spec: CompareSpec
    dataset: PreparedDataset
    table: pd.DataFrame
    cards: dict[str, ModelCard]
    manifest: dict[str, Any] | None

    @property
    def models(self) -> tuple[str, ...]:
        """Model ids in the order of the spec, those that have rows."""
        return tuple(dict.fromkeys(self.table["model"]))

    @cached_property
    def summaries(self) -> list[ModelSummary]:
        return summarise(self.table)

    @cached_property
    def by_row(self) -> pd.DataFrame:
        """One row a pair, by row id: its subset, and each model's numbers under (field, model)."""
        import pandas as pd

        fields = ["margin", "verdict", "chosen_truncated", "rejected_truncated", "failure"]
        blocks = {
            model: own.set_index("row_id") for model, own in self.table.groupby("model", sort=False)
        }
        first = pd.concat([block[["subset", "identical"]] for block in blocks.values()])
        first = first[~first.index.duplicated()].sort_index()
        columns: dict[Any, Any] = {
            ("pair", "subset"): first["subset"], ("pair", "identical"): first["identical"],
        }  # fmt: skip
        for model, block in blocks.items():
            for field in fields:
                columns[field, str(model)] = block[field].reindex(first.index)
        return pd.DataFrame(columns)

    @cached_property
    def sharpest(self) -> list[int]:
        """Row ids on which the models disagree, the sharpest disagreement first."""
        return [int(row) for row in disagreeing_rows(self.table)["row_id"]]

    @property
    def row_ids(self) -> list[int]:
        """Every row of the run that has a result, in the order of the dataset."""
        return [int(row) for row in self.by_row.index]

    @property
    def typical_margins(self) -> dict[str, float | None]:
        return {summary.model: summary.typical_margin for summary in self.summaries}


@dataclass(frozen=True)
class JudgedPair:
    """One pair with its texts, and each model's row of the scores table."""

    pair: Pair
    about: dict[str, Any]
    judged: list[dict[str, Any]]


def open_results(run_id: str) -> Results:
    """The results of a run, however far it is.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    run = runs.get(run_id)
    return _open(data_dir(), run_id, run.finished if not run.state.live else None, run.done)


@lru_cache(maxsize=4)
def _open(root: Path, run_id: str, finished: float | None, done: int) -> Results:
    run = runs.get(run_id)
    spec = runs.spec_of(run)
    folder = root / "runs" / run_id
    manifest = runs.manifest(run_id)
    parts = Parts(folder)
    names = [name for name in spec.models if f"card|{name}" in parts]
    found = [ModelCard.model_validate(parts.rows(f"card|{name}")[0]) for name in names]
    if not found:
        raise _nothing_yet(run)
    # What the run read, not what its source holds now: that may have changed or gone.
    read = manifest["dataset"]["fingerprint"] if manifest else parts.rows(BEGUN)[0]["dataset"]
    dataset = datasets.by_fingerprint(read)
    cards = {card.id: card for card in found}
    if manifest and (folder / "table.parquet").exists():
        import pandas as pd

        table = pd.read_parquet(folder / "table.parquet")
    else:
        table = scores_table(parts, list(cards), dataset, found)
    if table.empty:
        raise _nothing_yet(run)
    return Results(run, spec, dataset, table, cards, manifest)


def _nothing_yet(run: Run) -> BadInput:
    what_to_do = "Wait for it" if run.state.live else "Resume it"
    return BadInput(f"Run {run.id} has no results yet.", f"{what_to_do}, or start another one.")


def rows_page(results: Results, row_ids: list[int], page: int) -> pd.DataFrame:
    """One page of at most 50 pairs to read: row, subset, each model's verdict, both replies.

    `page` counts from 1 and is clamped. Replies are cut short. Behind a verdict stands the margin
    in typical margins of the model.
    """
    import pandas as pd

    last = max(1, -(-len(row_ids) // PAGE_ROWS))
    start = (min(max(page, 1), last) - 1) * PAGE_ROWS
    shown = row_ids[start : start + PAGE_ROWS]
    typical = results.typical_margins
    records = []
    for pair in results.dataset.pairs(shown):
        numbers = results.by_row.loc[pair.row_id]
        record: dict[str, Any] = {
            "row_id": pair.row_id,
            "subset": pair.subset,
        }
        for model in results.models:
            margin, unit = numbers["margin", model], typical[model]
            judged = numbers["verdict", model]
            rated = unit and not pd.isna(margin)
            words = "not rated" if pd.isna(judged) else str(judged)
            record[model] = f"{words} {margin / unit:+.1f}" if rated else words
        record["chosen"], record["rejected"] = (
            snippet(pair.chosen.reply),
            snippet(pair.rejected.reply),
        )
        records.append(record)
    return pd.DataFrame.from_records(records)


def snippet(text: str | None) -> str:
    """The first words of a reply on one line."""
    if text is None:
        return "(no reply)"
    flat = " ".join(text.split())
    return (flat[: _SNIPPET - 1] + "…" if len(flat) > _SNIPPET else flat) or "(empty reply)"


def judged_pair(results: Results, row_id: int) -> JudgedPair:
    """One pair with its texts and the numbers of each model.

    Raises:
        BadInput: the run did not judge that row.
    """
    own = results.table[results.table["row_id"] == row_id]
    if own.empty:
        raise BadInput(
            f"Run {results.run.id} has no row {row_id}.",
            f"Its rows go from {results.row_ids[0]} to {results.row_ids[-1]}.",
        )
    numbers = results.dataset.numbers()
    about = numbers[numbers["row_id"] == row_id].iloc[0].to_dict()
    judged: list[dict[str, Any]] = own.to_dict("records")
    return JudgedPair(results.dataset.pair(row_id), about, judged)


def files(results: Results) -> list[Path]:
    """The files of a finished run, the original's CSVs first, those that are still there."""
    if results.manifest is None:
        return []
    named = [data_dir() / name for name in results.manifest["files"]]
    return [
        path
        for path in (*named, data_dir() / "runs" / results.run.id / "table.parquet")
        if path.exists()
    ]
