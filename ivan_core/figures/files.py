"""A chart that was picked as a file for print, or its numbers, with a caption.

It names files by their names, with fingerprints or revisions beside them: what is taken away never
tells the folders of somebody's machine.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, get_args

from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.figures.chart import Drawn
from ivan_core.figures.pick import Picked
from ivan_core.runs.storage import folder_for, replacing, storage_errors

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
        BadInput: there is no such folder, or the path is one.
        StorageProblem: it cannot be written, or the disk is full.
    """
    folder = folder_for(path)
    with storage_errors(folder), replacing(path) as temporary:
        temporary.write_bytes(content)


_PATH = re.compile(r"^(/|~|\.\.?[/\\]|[A-Za-z]:[/\\]|\\\\)")


def file_names(sources: Iterable[str]) -> dict[str, str]:
    """The name of each source that is a path, by its path; two of one name keep a folder.

    What is no path, such as a hub id, is left out.
    """
    paths = {source: _parts(source) for source in sources if _PATH.match(source)}
    found = {}
    for source, parts in paths.items():
        others = [other for one, other in paths.items() if one != source]
        kept = 1
        while kept < len(parts) and any(other[-kept:] == parts[-kept:] for other in others):
            kept += 1
        found[source] = "/".join(parts[-kept:])
    return found


def named(value: Any, names: Mapping[str, str]) -> Any:
    """A text, or the texts within lists and mappings, with paths replaced by names."""
    if isinstance(value, str):
        for path, name in sorted(names.items(), key=lambda one: -len(one[0])):
            value = value.replace(shlex.quote(path), shlex.quote(name)).replace(path, name)
        return value
    if isinstance(value, dict):
        return {named(key, names): named(part, names) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(named(part, names) for part in value)
    return value


def by_names(picked: Picked, names: Mapping[str, str]) -> Picked:
    """The same chart, with paths replaced by names in all that is read of it."""

    def draw() -> Drawn:
        drawn = picked.draw()
        return replace(
            drawn, caption=named(drawn.caption, names), methods=named(drawn.methods, names)
        )

    slugs = {_slug(path): _slug(name) for path, name in names.items()}
    return replace(
        picked,
        draw=draw,
        names=named(picked.names, names),
        slugs=named(picked.slugs, slugs),
        rows=named(picked.rows, names),
        methods=lambda drawn: named(picked.methods(drawn), names),
        trained=named(picked.trained, names),
        picked=named(picked.picked, names),
        shown=names,
    )


def _parts(path: str) -> tuple[str, ...]:
    windows = "\\" in path and "/" not in path
    pure = PureWindowsPath(path) if windows else PurePosixPath(path)
    return tuple(part for part in pure.parts if part not in (pure.anchor, "~"))


def _slug(name: str) -> str:
    return ModelCard(id=name).slug
