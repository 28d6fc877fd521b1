"""Reports of several runs in one folder, with a page that leads to each: for any web server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ivan_core.domain.errors import BadInput
from ivan_core.engine import figures
from ivan_core.figures.html.frame import link, page, paragraph
from ivan_core.report.page import finished_run, report, style, title_of
from ivan_core.runs.storage import replace_text, storage_errors

INDEX = "index.html"


def write_bundle(folder: Path, run_ids: Sequence[str], *, texts: bool = False) -> list[Path]:
    """Write a report of each run, and last the page that leads to them; returns their paths.

    The folder is made where its parent is there. What else lies in it stays.

    Raises:
        BadInput: there is no such run, it is not finished, or the folder has no parent.
        BackendUnavailable: what draws charts in a page is not installed.
        StorageProblem: it cannot be written, or the disk is full.
    """
    if not folder.absolute().parent.is_dir():
        raise BadInput(f"There is no folder {folder.absolute().parent}.", "Make it first.")
    found = [finished_run(run_id) for run_id in dict.fromkeys(run_ids)]
    paths: list[Path] = []
    entries: dict[str, list[str]] = {}
    with storage_errors(folder):
        folder.mkdir(exist_ok=True)
        for run in found:
            path = folder / f"{run.id}.html"
            replace_text(path, report(run.id, texts=texts))
            paths.append(path)
            entries[title_of(run) + (f" ({run.id})" if run.name else "")] = _entry(
                run.id, path.name
            )
        replace_text(folder / INDEX, page("Reports", [], entries, style=style()))
    return [folder / INDEX, *paths]


def _entry(run_id: str, file: str) -> list[str]:
    """What stands out in a run, what it rests on, and the way to its report."""
    told = [paragraph(finding.sentence) for finding in figures.findings(run_id)]
    source = paragraph(figures.source_line(run_id), "small")
    return [*told, source, f"<p>{link(file, 'Open the report')}</p>"]
