"""Where pairs come from: the bundled sample, a hub dataset, a local file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ivan_core.datasets.files import FORMATS, Line, check_file, read_file
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest

SAMPLE = "sample"
SAMPLE_NOTE = "Written for this project: it shows how IVAN works, it is not evidence about people."
AUTHORED = "authored choice"
PEOPLE = "people's choice"
RECORDED = "recorded choice"
"""Who chose is not known: a file, or a hub dataset that IVAN does not know."""
_FILE_ENDINGS = (*FORMATS, ".gz", ".json", ".tsv", ".txt", ".xlsx", ".zip")


@dataclass(frozen=True)
class Source:
    """An opened source: its rows, and the facts that the dataset's card keeps."""

    rows: Iterator[Line]
    revision: str
    chosen_by: str
    licence: str
    note: str = ""


def is_local(request: DatasetRequest) -> bool:
    """Whether the source is a path rather than a hub id: it exists, or looks like a file's name."""
    source = request.source
    if source.startswith(("/", "./", "../", "~")) or source.lower().endswith(_FILE_ENDINGS):
        return True
    with suppress(OSError):  # longer than a file's name may be
        return Path(source).exists()
    return False


def local_path(request: DatasetRequest) -> Path:
    """Where a local source lies; a name after `~` that nobody has is taken as it stands."""
    path = Path(request.source)
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def sample_file() -> Path:
    return Path(str(files("ivan_core.datasets") / "sample" / "pairs.jsonl"))


def check_source(request: DatasetRequest) -> None:
    """What can be refused before any work: a bad path, options that do not fit the source.

    Raises:
        BadInput: with the reason.
    """
    if request.source == SAMPLE or is_local(request):
        if request.subset or request.revision or request.split != "train":
            raise BadInput(
                f"{request.source} has no subsets, splits or revisions.",
                "Leave out --subset, --split and --revision; they are for hub datasets.",
            )
        if request.source != SAMPLE:
            check_file(local_path(request))
    elif request.source.count("/") != 1 or any(c.isspace() for c in request.source):
        raise BadInput(
            f"{request.source!r} is neither a file nor a hub dataset.",
            "Give `sample`, a path, or a hub id such as Anthropic/hh-rlhf.",
        )


def request_key(request: DatasetRequest) -> str:
    """The identity of a request on this machine: a changed file is another request."""
    if request.source == SAMPLE or is_local(request):
        path = sample_file() if request.source == SAMPLE else local_path(request).resolve()
        stat = path.stat()
        located = request.model_copy(update={"source": f"{path}|{stat.st_size}|{stat.st_mtime_ns}"})
        return located.fingerprint
    return request.fingerprint


def open_here(request: DatasetRequest) -> Source | None:
    """Open the sample or a local file; None for what only a hub can have.

    Raises:
        BadInput: the request makes no sense, or the file cannot be read.
    """
    check_source(request)
    if request.source == SAMPLE:
        return Source(
            read_file(sample_file()),
            revision="bundled",
            chosen_by=AUTHORED,
            licence="MIT",
            note=SAMPLE_NOTE,
        )
    if is_local(request):
        return Source(
            read_file(local_path(request)), revision="", chosen_by=RECORDED, licence="unknown"
        )
    return None
