"""The pairs of an analysis as files for other tools: to a folder, or for a download."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import number_of
from ivan_core.engine.exports import contents
from ivan_core.engine.exports.files import export as write_file
from ivan_core.engine.exports.settled import Wanted, as_settled, settled_in
from ivan_core.engine.work import versions
from ivan_core.experiments.analysis.interchange.known import known
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.interchange.content import Content
from ivan_core.interchange.dpo import DPO
from ivan_core.interchange.formats import FORMATS
from ivan_core.interchange.write import Summary, write
from ivan_core.runs.storage import replacing, storage_errors

MOST = 20_000
"""Pairs in a file unless all are asked for: a draw by the seed of the analysis."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file is to hold: `every` pair beyond the draw, whose scores, and what becomes of
    preferences against which people settled."""

    format: str
    every: bool = False
    model: str = ""
    settled: Wanted = "keep"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the pairs it was made of, of how many, and what became of them."""

    path: Path
    pairs: int
    among: int
    summary: Summary

    @property
    def sentence(self) -> str:
        told = f"{number_of(self.pairs, 'pair')} of {self.among:,}"
        drawn = ", a random draw" if self.pairs < self.among else ""
        return " ".join([f"{told}, with their texts{drawn}.", *self.summary.sentences])

    @property
    def counts(self) -> Mapping[str, int]:
        return _counts(self.summary)


def manifest_name(run_id: str) -> str:
    """Such as `2026-01-31-12-00-dpo-manifest.json`."""
    return _beside(Path(file_name(run_id, DPO.name))).name


def file_name(run_id: str, wanted: str) -> str:
    """Such as `2026-01-31-12-00-dpo.jsonl`."""
    return f"{run_id}-{wanted}{FORMATS[wanted].ending}"


def content_of(analysed: Analysed, asked: Asked) -> Content:
    """The pairs of an analysis, or at most `MOST` of them, drawn by its seed.

    Raises:
        BadInput: the analysis is not about that model, or its tables are damaged.
    """
    if asked.model and asked.model not in analysed.models:
        raise BadInput(
            f"Run {analysed.run.id} is not about {asked.model}.",
            f"Its models are {', '.join(analysed.models)}.",
        )
    run, rows = analysed.run, rows_of(analysed, every=asked.every)
    told = (
        "Preference pairs with what was chosen, which reply each reward model gives more, and which"
        f" reply has each labelled feature: run {run.id}, "
    )
    content = contents.of_rows(
        analysed.dataset,
        rows,
        known(analysed, asked.model),
        told=f"{told}{len(rows)} of {len(analysed.row_ids)} pairs.",
        made=run.finished or run.created,
        seed=analysed.spec.seed,
    )
    return as_settled(content, analysed.dataset, asked.settled)


def export(analysed: Analysed, asked: Asked, folder: Path) -> Exported:
    """Write a file and, for training, a manifest that counts what was done beside it.

    One pair is in memory at a time. A file of that name gives way.

    Raises:
        BadInput: there is no such folder or model, or the tables are damaged.
        NotAllowed: the folder lies outside of what the visitor may name.
        StorageProblem: the file cannot be written.
    """
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Make it, or name another one.")
    path = folder / file_name(analysed.run.id, asked.format)
    content = content_of(analysed, asked)
    summary = write_file(content, FORMATS[asked.format], path, replace=True)
    if asked.format == DPO.name:
        with storage_errors(folder), replacing(_beside(path)) as temporary:
            temporary.write_bytes(_manifest(analysed, asked, content, summary))
    return Exported(path, content.count, len(analysed.row_ids), summary)


def export_bytes(analysed: Analysed, asked: Asked) -> bytes:
    """The same file for a download."""
    return _made(asked, content_of(analysed, asked))[0]


def manifest_bytes(analysed: Analysed, asked: Asked) -> bytes:
    """What is counted of such a file for training, for a download beside it."""
    content = content_of(analysed, asked)
    return _manifest(analysed, asked, content, _made(asked, content)[1])


def settled_of(analysed: Analysed) -> Counter[str]:
    """How many pairs of a download people settled, by what they prefer."""
    return settled_in(analysed.dataset, rows_of(analysed), DPO)


def rows_of(analysed: Analysed, *, every: bool = False) -> list[int]:
    """The pairs of an analysis, or at most `MOST` of them, drawn by its seed."""
    rows = list(analysed.row_ids)
    if every or len(rows) <= MOST:
        return rows
    return sorted(random.Random(analysed.spec.seed).sample(rows, MOST))


def _made(asked: Asked, content: Content) -> tuple[bytes, Summary]:
    """A file in memory; it is written outside of the data folder, which may be only to read."""
    with TemporaryDirectory(prefix="ivan-export-") as folder:
        path = Path(folder) / asked.format
        summary = write(path, FORMATS[asked.format], content)
        return path.read_bytes(), summary


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}-manifest.json")


def _counts(summary: Summary) -> dict[str, int]:
    left_out = {f"left out: {why}": count for why, count in summary.left_out.items()}
    return {**summary.counted, **left_out}


def _manifest(analysed: Analysed, asked: Asked, content: Content, summary: Summary) -> bytes:
    among = len(analysed.row_ids)
    told: Mapping[str, Any] = {
        "run": analysed.run.id,
        "dataset": content.name,
        "content": analysed.content,
        "pairs": content.count,
        "among": among,
        "seed": content.seed if content.count < among else None,
        "settled": asked.settled,
        "lines": summary.written,
        "counts": _counts(summary),
        "most": None if asked.every else MOST,
        "versions": versions(),
    }
    return json.dumps(told, indent=1).encode()
