"""A chart that was picked as a file for print, or its numbers, with a caption."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from ivan_core.domain.errors import BadInput
from ivan_core.figures.chart import Drawn
from ivan_core.figures.pick import Picked
from ivan_core.figures.shown_names import named
from ivan_core.runs.storage import replacing, storage_errors

Kind = Literal["svg", "pdf", "png", "csv"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WIDTHS = (85, 170)
"""One and two columns of a journal, in millimetres."""
SAMPLE_MARK = "Sample data: written for IVAN, not evidence about people."


def check(kind: Kind, width_mm: int) -> None:
    """Check that a figure can be such a file, before anything is opened.

    Raises:
        BadInput: there is no such kind or width.
    """
    if kind not in KINDS:
        raise BadInput(f"A figure cannot be {kind!r}.", f"Choose one of {', '.join(KINDS)}.")
    if width_mm not in WIDTHS:
        raise BadInput(f"A figure is 85 or 170 mm wide, not {width_mm}.", "Choose one of the two.")


def content(picked: Picked, drawn: Drawn, kind: Kind, width_mm: int) -> bytes:
    """A drawing for print, or its data: PNG has 300 dots an inch, CSV is UTF-8 and verbatim.

    Raises:
        BackendUnavailable: vl-convert is not installed (not for CSV).
    """
    if kind == "csv":
        return str(drawn.data.to_csv(index=False)).encode("utf-8", "replace")
    from ivan_core.backends import vega
    from ivan_core.charts.printed import printed

    notes = [note for note in (picked.mark, SAMPLE_MARK if picked.is_sample else "") if note]
    spec = named(printed(drawn.chart(), width_mm, picked.names, notes), picked.shown)
    return {"svg": vega.svg, "pdf": vega.pdf, "png": vega.png}[kind](spec, width_mm)


def caption(picked: Picked, drawn: Drawn) -> str:
    """What is seen, its numbers with n and interval, and the rows it rests on."""
    mark = SAMPLE_MARK if picked.is_sample else ""
    parts = [drawn.caption, picked.picked, f"Data: {picked.rows}.", picked.trained, mark]
    return " ".join(part for part in parts if part)


def file_name(run_id: str, name: str, picked: Picked, kind: Kind, width_mm: int) -> str:
    """Such as `2026-01-31-12-00-rewards-ivan-minilm-85mm.svg`."""
    size = [] if kind == "csv" else [f"{width_mm}mm"]
    return "-".join([run_id, name, *picked.slugs, *size])[:200] + f".{kind}"


def save(path: Path, content: bytes) -> None:
    """Write a figure, over an older one of that name.

    Raises:
        BadInput: there is no such folder.
        StorageProblem: it cannot be written, or the disk is full.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Make it, or name another file.")
    with storage_errors(folder), replacing(path) as temporary:
        temporary.write_bytes(content)
