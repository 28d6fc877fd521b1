"""Writing a file for another tool: to a path, or for a download; and what went into it."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import number_of
from ivan_core.engine import access
from ivan_core.engine.work import versions
from ivan_core.experiments.analysis.interchange.annotated_pairs import annotated_pairs
from ivan_core.experiments.analysis.interchange.dpo import dpo, settled_in
from ivan_core.experiments.analysis.interchange.llm_comparator import llm_comparator
from ivan_core.experiments.analysis.interchange.rows import MOST, Source, source_of
from ivan_core.experiments.analysis.interchange.settled import WANTED, Wanted
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.runs.storage import replacing, storage_errors

Format = Literal["annotated-pairs", "llm-comparator", "dpo"]
FORMATS: tuple[Format, ...] = get_args(Format)
TITLES: Mapping[Format, str] = {
    "annotated-pairs": "AnnotatedPairs 2.0 (Feedback Forensics)",
    "llm-comparator": "LLM Comparator",
    "dpo": "Preferences for training (DPO, JSON lines)",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file is to hold: `every` pair beyond the draw, whose scores, and what becomes of
    preferences against which people settled."""

    format: Format
    every: bool = False
    model: str = ""
    settled: Wanted = "keep"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the pairs it was made of, of how many, and what was done with them."""

    path: Path
    pairs: int
    among: int
    counts: Mapping[str, int]

    @property
    def sentence(self) -> str:
        told = f"{number_of(self.pairs, 'pair')} of {self.among:,}"
        drawn = ", a random draw" if self.pairs < self.among else ""
        done = "; ".join(f"{count:,} {what}" for what, count in self.counts.items())
        return f"{told}, with their texts{drawn}{f' ({done})' if done else ''}."


def manifest_name(run_id: str) -> str:
    """Such as `2026-01-31-12-00-dpo-manifest.json`."""
    return _beside(Path(file_name(run_id, "dpo"))).name


def file_name(run_id: str, wanted: Format) -> str:
    """Such as `2026-01-31-12-00-dpo.jsonl`."""
    return f"{run_id}-{wanted}.{'jsonl' if wanted == 'dpo' else 'json'}"


def export(analysed: Analysed, asked: Asked, folder: Path) -> Exported:
    """Write a file and, for training, a manifest that counts what was done beside it.

    One pair is in memory at a time.

    Raises:
        BadInput: there is no such folder or model, or the tables are damaged.
        NotAllowed: the folder lies outside of what the visitor may name.
        StorageProblem: the file cannot be written.
    """
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Make it, or name another one.")
    path = folder / file_name(analysed.run.id, asked.format)
    access.check_path(path)
    source, counts = source_of(analysed, every=asked.every), Counter[str]()
    with storage_errors(folder):
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            for piece in _pieces(source, asked, counts):
                file.write(piece)
        if asked.format == "dpo":
            told = json.dumps(_manifest(source, asked, counts), indent=1)
            with replacing(_beside(path)) as temporary:
                temporary.write_text(told, "utf-8")
    return Exported(path, len(source.rows), len(analysed.row_ids), dict(counts))


def export_bytes(analysed: Analysed, asked: Asked) -> bytes:
    """The same file for a download."""
    file = io.BytesIO()
    for piece in _pieces(source_of(analysed, every=asked.every), asked, Counter()):
        file.write(piece.encode())
    return file.getvalue()


def manifest_bytes(analysed: Analysed, asked: Asked) -> bytes:
    """What is counted of such a file for training, for a download beside it."""
    source, counts = source_of(analysed, every=asked.every), Counter[str]()
    for _ in _pieces(source, asked, counts):
        pass
    return json.dumps(_manifest(source, asked, counts), indent=1).encode()


def settled_of(analysed: Analysed) -> Counter[str]:
    """How many pairs of a download people settled, by what they prefer."""
    return settled_in(source_of(analysed))


def _pieces(source: Source, asked: Asked, counts: Counter[str]) -> Iterator[str]:
    if asked.settled not in WANTED:
        raise BadInput(f"{asked.settled!r} is no way to settle.", f"One of {', '.join(WANTED)}.")
    if asked.format == "annotated-pairs":
        return annotated_pairs(source)
    if asked.format == "llm-comparator":
        return llm_comparator(source, asked.model)
    return dpo(source, asked.settled, counts)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}-manifest.json")


def _manifest(source: Source, asked: Asked, counts: Mapping[str, int]) -> dict[str, Any]:
    run = source.analysed.run
    written = counts.get("kept", 0) + counts.get("flipped", 0)
    return {
        "run": run.id,
        "dataset": source.dataset_name,
        "content": source.analysed.content,
        "pairs": len(source.rows),
        "among": len(source.analysed.row_ids),
        "seed": source.seed if len(source.rows) < len(source.analysed.row_ids) else None,
        "settled": asked.settled,
        "lines": written,
        "counts": dict(counts),
        "most": None if asked.every else MOST,
        "versions": versions(),
    }
