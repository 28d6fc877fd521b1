"""Several reports in one folder, with a page that leads to each: for any web server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ivan_core.domain.errors import BadInput
from ivan_core.figures.html.frame import link, page
from ivan_core.report.page import as_page, style, subject
from ivan_core.runs.storage import replace_text, storage_errors

INDEX = "index.html"


def write_bundle(folder: Path, named: Sequence[str], *, texts: bool = False) -> list[Path]:
    """Write a report of each run or study, and last the page that leads to them; returns their
    paths.

    The folder is made where its parent is there. What else lies in it stays.

    Raises:
        BadInput: there is no such run or study, it is not finished, or the folder has no parent.
        BackendUnavailable: what draws charts in a page is not installed.
        StorageProblem: it cannot be written, or the disk is full.
    """
    if not folder.absolute().parent.is_dir():
        raise BadInput(f"There is no folder {folder.absolute().parent}.", "Make it first.")
    found = [subject(one) for one in dict.fromkeys(named)]
    titles = Counter(one.title for one in found)
    paths: list[Path] = []
    entries: dict[str, list[str]] = {}
    with storage_errors(folder):
        folder.mkdir(exist_ok=True)
        for one in found:
            path, made = folder / f"{one.id}.html", one.make(texts)
            replace_text(path, as_page(made))
            paths.append(path)
            title = one.title if titles[one.title] == 1 else f"{one.title} ({one.id})"
            way = f"<p>{link(path.name, 'Open the report')}</p>"
            entries[title] = [*made.head, way]
        replace_text(folder / INDEX, page("Reports", [], entries, style=style()))
    return [folder / INDEX, *paths]
