"""Where a file for others goes."""

from __future__ import annotations

from pathlib import Path

from ivan_core.domain.errors import BadInput
from ivan_core.engine import access
from ivan_core.interchange.content import Content
from ivan_core.interchange.format import Format
from ivan_core.interchange.write import Summary, write
from ivan_core.lists.download import place
from ivan_core.runs.storage import folder_for, storage_errors
from ivan_core.settings import data_dir


def for_download(content: Content, wanted: Format, name: str, asked: str) -> tuple[Path, Summary]:
    """Write pairs to a file in the data folder, where it stays long enough to be taken away.

    `asked` tells it apart from files of that name that hold other pairs.

    Raises:
        StorageProblem: the file cannot be written, or the texts are damaged.
    """
    with storage_errors(data_dir()):
        path = place(f"{asked}|{wanted.name}", name)
        return path, write(path, wanted, content)


def export(content: Content, wanted: Format, path: Path, *, replace: bool = False) -> Summary:
    """Write pairs to a file, one at a time in memory; a file that is there stays unless told.

    Raises:
        BadInput: there is no such folder, or there is such a file and it may not be replaced.
        NotAllowed: the path leads outside of what the visitor may name.
        StorageProblem: the file cannot be written, or the texts are damaged.
    """
    access.check_path(path)
    folder = folder_for(path)
    if path.exists() and not replace:
        raise BadInput(f"{path} is there already.", "Name another file, or add --replace.")
    with storage_errors(folder):
        return write(path, wanted, content)
