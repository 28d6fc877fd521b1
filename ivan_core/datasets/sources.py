"""Where pairs come from: the bundled sample, a local file, or a hub dataset at one commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from ivan_core.datasets.columns import WrongColumns, check_table
from ivan_core.datasets.files import FORMATS, check_file, read_file
from ivan_core.datasets.hub_client import UNREACHABLE, guard_hub, hub_problem, hub_reason
from ivan_core.datasets.layouts import known
from ivan_core.datasets.lines import BadLine, Line
from ivan_core.domain.errors import BadInput, IvanError
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
    columns = request.columns
    if columns.chosen == columns.rejected:
        raise BadInput(
            f"Both replies would be taken from the column {columns.chosen}.", "Name two columns."
        )
    if columns.prompt in columns.needed:
        raise BadInput(
            f"The prompt would be taken from the column {columns.prompt}, which holds replies.",
            "Name another column, or none.",
        )
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
            "Give sample, the path of a file, or a name on the hub such as Anthropic/hh-rlhf.",
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
            read_file(local_path(request), request.columns),
            revision="",
            chosen_by=RECORDED,
            licence="unknown",
        )
    return None


HH_RLHF = "Anthropic/hh-rlhf"
HH_FOLDERS = ("harmless-base", "helpful-base", "helpful-online", "helpful-rejection-sampled")
"""The folders that make up the default load of hh-rlhf, in the order of its row ids."""
_ENDING = ".jsonl.gz"
_ANSWER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class _Pinned:
    """A dataset's repository at one commit, and its files: on the hub, or those in the cache.

    `silence` is the error that kept the hub from answering, where the cache stands in for it.
    """

    commit: str
    files: tuple[str, ...]
    silence: Exception | None = None


def open_hub(request: DatasetRequest) -> Source:
    """Fetch a hub dataset at one commit; rows are read from disk as they are asked for.

    Where the hub does not answer, or offline mode is on, the commit in the local cache is used.

    Raises:
        BadInput: no such dataset, revision, subset or split, or not the columns of pairs.
        BackendUnavailable: the hub cannot be reached, or does not hand the dataset out.
        StorageProblem: the hub's cache cannot be written.
    """
    guard_hub()
    try:
        pinned = _pin(request)
        is_hh = request.source.lower() == HH_RLHF.lower()
        rows = _hh_rows(request, pinned) if is_hh else _table_rows(request, pinned)
        licence = _licence(request, pinned)
    except IvanError:
        raise
    except Exception as error:
        raise hub_problem(error, "dataset", request.source, request.revision) from error
    note = "Read from this machine's cache: the hub could not be asked for a newer one."
    chosen_by = PEOPLE if is_hh else RECORDED
    return Source(rows, pinned.commit, chosen_by, licence, note if pinned.silence else "")


def _pin(request: DatasetRequest) -> _Pinned:
    from huggingface_hub import HfApi

    try:
        info = HfApi().dataset_info(
            request.source, revision=request.revision or None, timeout=_ANSWER_SECONDS
        )
    except Exception as error:
        if hub_reason(error) not in UNREACHABLE:
            raise
        return _pin_cached(request, error)
    return _Pinned(str(info.sha), tuple(file.rfilename for file in info.siblings or ()))


def _pin_cached(request: DatasetRequest, silence: Exception) -> _Pinned:
    from huggingface_hub import snapshot_download

    folder = None
    with suppress(FileNotFoundError):
        folder = snapshot_download(
            request.source,
            repo_type="dataset",
            revision=request.revision or None,
            local_files_only=True,
            allow_patterns="README.md",
        )
    if folder is None:
        raise silence
    folder = Path(folder)
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return _Pinned(folder.name, tuple(files), silence)


def _fetch(request: DatasetRequest, revision: str, file: str) -> Path:
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(request.source, file, repo_type="dataset", revision=revision)
    return Path(path)


def _licence(request: DatasetRequest, pinned: _Pinned) -> str:
    """The licence on the dataset's card.

    The card is fetched last and by the revision's own name: that makes the cache remember which
    commit the name stood for, so that the same request works offline from now on.
    """
    from huggingface_hub import metadata_load
    from huggingface_hub.errors import EntryNotFoundError

    if pinned.silence and "README.md" not in pinned.files:
        return "unknown"
    revision = pinned.commit if pinned.silence else request.revision or "main"
    with suppress(EntryNotFoundError, ValueError, OSError):  # no card, or one that is not in order
        card = metadata_load(_fetch(request, revision, "README.md")) or {}
        licence = card.get("license")
        if licence == "other":
            licence = card.get("license_name") or licence
        names = licence if isinstance(licence, list) else [licence]
        return ", ".join(str(name) for name in names if name) or "unknown"
    return "unknown"


def _hh_rows(request: DatasetRequest, pinned: _Pinned) -> Iterator[Line]:
    """Rows of hh-rlhf with their subset, folder after folder.

    Read from the repository's files: which row is of which folder follows from their sizes, and
    damaged lines are named instead of ending the load.
    """
    parts = _hh_files(request, pinned)
    paths = [(subset, _fetch(request, pinned.commit, file)) for subset, file in parts]
    rows = _numbered(paths)
    first = next(rows, None)
    if isinstance(first, tuple) and not known.possible(request.columns.take(first[1])):
        raise WrongColumns(sorted(first[1].keys() - {"subset"}), request.columns)
    return chain([first] if first else [], rows)


def _hh_files(request: DatasetRequest, pinned: _Pinned) -> list[tuple[str, str]]:
    """(subset, file) for each folder asked for."""
    folders: dict[str, dict[str, str]] = {}
    for file in map(PurePosixPath, pinned.files):
        if len(file.parts) == 2 and file.name.endswith(_ENDING):
            # A file that is not named after a split (red-team-attempts) is taken for train, as
            # the hub's own loader does.
            stem = file.name.removesuffix(_ENDING)
            split = stem if stem in ("train", "test", "validation") else "train"
            folders.setdefault(file.parts[0], {})[split] = str(file)
    wanted = (request.subset,) if request.subset else HH_FOLDERS
    found = [(name, folders.get(name, {}).get(request.split)) for name in wanted]
    files = [(name, file) for name, file in found if file]
    if len(files) == len(wanted):
        return files
    if pinned.silence:
        raise pinned.silence
    if request.subset and request.subset not in folders:
        raise _unknown("subset", request.subset, request, [f for f in HH_FOLDERS if f in folders])
    splits = set.intersection(*(set(folders.get(name, ())) for name in wanted))
    raise _unknown("split", request.split, request, sorted(splits))


def _numbered(paths: Sequence[tuple[str, Path]]) -> Iterator[Line]:
    """The rows of the files one after the other, numbered through."""
    before = last = 0
    for subset, path in paths:
        for line in read_file(path):
            number = line.line if isinstance(line, BadLine) else line[0]
            last = before + number
            if isinstance(line, BadLine):
                yield BadLine(last, f"{line.reason} (line {number} of {subset})")
            else:
                yield last, {**line[1], "subset": subset}
        before = last


def _table_rows(request: DatasetRequest, pinned: _Pinned) -> Iterator[Line]:
    """Rows of any other dataset, as the `datasets` library reads it into its own cache."""
    from datasets import Value

    builder = _cached_builder(request, pinned) if pinned.silence else _builder(request, pinned)
    splits = list(builder.config.data_files or builder.info.splits or ())
    if request.split not in splits:
        raise _unknown("split", request.split, request, splits)
    # Authors forget to update the sizes on their cards; the downloads themselves are checked.
    builder.download_and_prepare(verification_mode="no_checks")
    table = builder.as_dataset(split=request.split)
    check_table(list(table.column_names), request.columns)
    # Columns of images, sounds and the like would be decoded row by row, for nothing.
    layouts = known.possible(request.columns.take(dict.fromkeys(table.column_names)))
    parts = {name for layout in layouts for name in (*layout.needs, *layout.also)}
    parts |= {*request.columns.needed, request.columns.prompt}
    kept = [
        name for name, kind in table.features.items() if name in parts or isinstance(kind, Value)
    ]
    return _with_subset(table.select_columns(kept), request.subset)


def _with_subset(rows: Iterable[dict[str, Any]], subset: str) -> Iterator[Line]:
    for number, row in enumerate(rows, start=1):
        yield number, ({"subset": subset, **row} if subset else row)


def _builder(request: DatasetRequest, pinned: _Pinned) -> Any:
    import datasets

    try:
        builder = datasets.load_dataset_builder(
            request.source, name=request.subset or None, revision=pinned.commit
        )
    except ValueError as error:
        subsets = datasets.get_dataset_config_names(request.source, revision=pinned.commit)
        if request.subset in subsets or (not request.subset and len(subsets) == 1):
            raise
        raise _unknown("subset", request.subset, request, subsets) from error
    if builder.hash != pinned.commit:
        # On any trouble `datasets` takes the newest commit it has in its cache, without a word.
        raise ConnectionResetError("another commit than the pinned one was loaded")
    return builder


def _cached_builder(request: DatasetRequest, pinned: _Pinned) -> Any:
    """What `datasets` prepared earlier of exactly this commit."""
    from datasets import config
    from datasets.naming import camelcase_to_snakecase
    from datasets.packaged_modules.cache.cache import Cache

    owner, name = request.source.split("/")
    root = Path(config.HF_DATASETS_CACHE).expanduser() / f"{owner}___{camelcase_to_snakecase(name)}"
    folders = {path.parts[-3]: path for path in root.glob(f"*/*/{pinned.commit}") if path.is_dir()}
    subset = request.subset or (next(iter(folders)) if len(folders) == 1 else "default")
    if subset not in folders:
        raise pinned.silence or FileNotFoundError(subset)
    return Cache(
        repo_id=request.source,
        dataset_name=name,
        config_name=subset,
        version=folders[subset].parts[-2],
        hash=pinned.commit,
    )


def _unknown(what: str, asked: str, request: DatasetRequest, known: Sequence[str]) -> BadInput:
    """A subset or split that is not there, or had to be named; `known` are those there are."""
    listed = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    if what == "subset" and list(known) == ["default"]:
        return BadInput(f"{request.source} has no subsets.", "Leave out --subset.")
    if not asked:
        return BadInput(
            f"{request.source} comes in subsets: {listed}.", "Choose one of them with --subset."
        )
    where = f" in {request.subset}" if what == "split" and request.subset else ""
    return BadInput(
        f"{request.source} has no {what} {asked}{where}.",
        f"It has {listed}." if known else f"Leave out the {what}.",
    )
