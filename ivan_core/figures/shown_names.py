"""Files by their names: what is taken away never tells the folders of somebody's machine.

Their fingerprints, or the revisions of their contents, stand beside the names.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from ivan_core.domain.models import ModelCard
from ivan_core.figures.chart import Drawn
from ivan_core.figures.pick import Picked

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
