"""What an analysis found as files to read: all its sentences, each with its command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ivan_core.engine.figures import sentences_of
from ivan_core.experiments.analysis.figures import FIGURES
from ivan_core.experiments.analysis.files import FOLDER
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.figures.words import listed
from ivan_core.runs.storage import replacing, storage_errors


def sentences_text(analysed: Analysed) -> str:
    """All sentences, by question, each with the command that tells its numbers again."""
    return f"{listed(*sentences_of(FIGURES, analysed))}\n"


_TOLD: Mapping[str, Callable[[Analysed], str]] = {"sentences.txt": sentences_text}


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
            with replacing(data_dir / name) as temporary:
                temporary.write_text(text, "utf-8", "replace", newline="\n")
    return names
