"""What an analysis found as files to read: all its sentences with their commands, and a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ivan_core.domain.errors import BadInput
from ivan_core.engine import access
from ivan_core.engine.figures import sentences_of
from ivan_core.experiments.analysis.figures import FIGURES
from ivan_core.experiments.analysis.files import FOLDER
from ivan_core.experiments.analysis.html_report.page import html_report
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.figures.words import listed
from ivan_core.runs.storage import replace_text, storage_errors


def sentences_text(analysed: Analysed) -> str:
    """All sentences, by question, each with the command that tells its numbers again."""
    return f"{listed(*sentences_of(FIGURES, analysed))}\n"


_REPORT = "report.html"
_TOLD: Mapping[str, Callable[[Analysed], str]] = {
    "sentences.txt": sentences_text,
    _REPORT: html_report,
}


def told_names(slug: str) -> list[str]:
    """The paths of these files in the data folder."""
    return [f"{FOLDER}/{slug}-{name}" for name in _TOLD]


def texts_told(analysed: Analysed) -> dict[str, str]:
    """What each of these files says, by its name after that of the run."""
    return {name: tell(analysed) for name, tell in _TOLD.items()}


def write_told(data_dir: Path, slug: str, analysed: Analysed) -> list[str]:
    """Write them; returns their paths in the data folder.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    names = told_names(slug)
    with storage_errors(data_dir / FOLDER):
        for name, text in zip(names, texts_told(analysed).values(), strict=True):
            replace_text(data_dir / name, text)
    return names


def write_here(analysed: Analysed, folder: Path, *, texts: bool) -> list[Path]:
    """Write them into a folder of one's choice, the report with texts of pairs if that is asked.

    Raises:
        BadInput: there is no such folder.
        NotAllowed: it lies outside of what the visitor may name.
        StorageProblem: it cannot be written.
    """
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Make it, or name another one.")
    told = {**texts_told(analysed), _REPORT: html_report(analysed, texts=texts)}
    paths = [folder / f"{analysed.run.id}-{name}" for name in told]
    for path in paths:
        access.check_path(path)
    with storage_errors(folder):
        for path, text in zip(paths, told.values(), strict=True):
            replace_text(path, text)
    return paths
