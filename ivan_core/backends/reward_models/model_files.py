"""Where a model's files are (a directory, the hub or its cache), and which revision they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

from ivan_core.datasets.hub_client import UNREACHABLE, guard_hub, hub_problem, hub_reason
from ivan_core.domain.errors import ODD_DATA, BackendUnavailable, BadInput, IvanError

PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
"""The files a model is loaded from. Pickles can run code: they are neither fetched nor opened."""

VOCABULARIES = ("tokenizer.json", "*.model", "vocab.*")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CHUNK = 1 << 20
_LONGEST_HEADER = 100_000_000
"""Bytes; the library refuses longer ones too."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A folder that holds a model. `revision` is a commit, or `sha256:` and a hash of the files."""

    folder: Path
    revision: str
    note: str = ""


def find_model(model_id: str, revision: str | None = None) -> ModelFiles:
    """The model's files: a directory of that name, else the hub's repository, downloaded if needed.

    Offline (HF_HUB_OFFLINE), and where the hub does not answer, a complete cached copy is used.
    Raises BadInput or BackendUnavailable with what happened and what to do.
    """
    folder = Path(model_id).expanduser()
    if folder.is_dir():
        return _local(model_id, folder, revision)
    if model_id.startswith((".", "/", "~")) or model_id.count("/") > 1:
        raise BadInput(
            f"There is no directory {model_id}.",
            "Check the path, or give a name on the hub such as owner/name.",
        )
    return _from_hub(model_id, revision)


def files_hash(folder: Path) -> str:
    """`sha256:` and 64 hex digits over names and contents of the files a model is loaded from."""
    digest = sha256()
    for path in _loadable(folder):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(_CHUNK):
                digest.update(block)
    return f"sha256:{digest.hexdigest()}"


def parameters_in(folder: Path) -> int | None:
    """How many numbers the weights in a directory hold, by the headers of its files alone.

    None where there are no weights, or a header cannot be read.
    """
    files = sorted(folder.glob("*.safetensors"))
    try:
        return sum(_numbers_in(path) for path in files) if files else None
    except (OSError, *ODD_DATA):
        return None


def _numbers_in(path: Path) -> int:
    header = _header(path)
    return sum(prod(told["shape"]) for name, told in header.items() if name != "__metadata__")


def _header(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ValueError("no header of weights")
        return dict(json.loads(file.read(length)))


def weight_names(folder: Path) -> list[str] | None:
    """The names of the weights in a directory, by the headers of its files alone; None as above."""
    files = sorted(folder.glob("*.safetensors"))
    try:
        return [name for path in files for name in _header(path) if name != "__metadata__"]
    except (OSError, *ODD_DATA):
        return None


def on_disk(model_id: str, revision: str | None = None) -> Path | None:
    """The folder of a model that is here already: a directory, or the hub's cache; else None.

    Raises:
        BackendUnavailable: it is here, and not whole.
    """
    folder = Path(model_id).expanduser()
    if folder.is_dir():
        check_complete(model_id, folder)
        return folder
    from huggingface_hub import errors

    try:
        return _cached(model_id, revision).folder
    except (errors.LocalEntryNotFoundError, errors.HFValidationError):
        return None


def check_complete(model_id: str, folder: Path) -> None:
    """Raise BackendUnavailable unless the folder has a config and all its safetensors weights."""
    names = {path.name for path in folder.iterdir() if path.is_file()}
    check_names(model_id, names)
    try:
        missing = sorted(_shards(folder) - names)
    except ODD_DATA as error:
        raise BackendUnavailable(
            f"{model_id} is damaged: its list of weight files cannot be read.",
            "Download or copy the model again.",
        ) from error
    if missing:
        raise BackendUnavailable(
            f"{model_id} is incomplete: {missing[0]} is missing.",
            "Download or copy the model again.",
        )


def check_names(model_id: str, names: Iterable[str]) -> None:
    """Raise BackendUnavailable unless these file names are those of a model in safetensors form."""
    names = set(names)
    if "config.json" not in names:
        raise BackendUnavailable(
            f"{model_id} has no config.json, so it is not a whole transformers model.",
            "Choose a full checkpoint; an adapter has to be merged into its base model first.",
        )
    if not any(fnmatch(name, pattern) for name in names for pattern in VOCABULARIES):
        # transformers would make up an empty vocabulary, in which every word is unknown.
        raise BackendUnavailable(
            f"{model_id} has no tokenizer: there is no tokenizer.json or other vocabulary.",
            "Copy the tokenizer's files of its base model beside it.",
        )
    if any(fnmatch(name, "*.safetensors") for name in names):
        return
    if any(fnmatch(name, pattern) for name in names for pattern in PICKLES):
        raise BackendUnavailable(
            f"{model_id} has its weights as pickle files only, which can run code when opened.",
            "Choose a revision with .safetensors files (the hub's bot offers them as refs/pr/N), "
            "or convert a copy that you trust.",
        )
    raise BackendUnavailable(
        f"{model_id} has no weights: there is no .safetensors file.",
        "Download or copy the model again, or choose another.",
    )


def _local(model_id: str, folder: Path, revision: str | None) -> ModelFiles:
    check_complete(model_id, folder)
    found = files_hash(folder)
    if revision is not None and revision != found:
        raise BadInput(
            f"The files in {model_id} are not revision {revision}: they are {found}.",
            "Leave the revision out to use the directory as it is now.",
        )
    return ModelFiles(folder, found)


def _loadable(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and any(fnmatch(path.name, pattern) for pattern in PATTERNS)
    )


def _shards(folder: Path) -> set[str]:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return set()
    return set(json.loads(index.read_text("utf-8"))["weight_map"].values())


def _from_hub(model_id: str, revision: str | None) -> ModelFiles:
    from huggingface_hub import constants

    guard_hub()
    pinned = revision is not None and _COMMIT.fullmatch(revision) is not None
    if constants.is_offline_mode() or pinned:
        try:
            return _cached(model_id, revision)
        except Exception as error:
            if constants.is_offline_mode():
                raise _not_cached(model_id, revision, error) from error
    try:
        return _download(model_id, revision)
    except Exception as error:
        if hub_reason(error) in UNREACHABLE:
            return _cached_instead(model_id, revision, error)
        raise hub_problem(error, "model", model_id, revision or "") from error


def _download(model_id: str, revision: str | None) -> ModelFiles:
    from huggingface_hub import HfApi

    info = HfApi().model_info(model_id, revision=revision)
    check_names(model_id, [file.rfilename for file in info.siblings or []])
    # By its name, not its commit: only so does the cache remember what the name stood for, which is
    # what an offline start looks up.
    return _snapshot(model_id, revision)


def _cached(model_id: str, revision: str | None) -> ModelFiles:
    """The complete snapshot in the hub's cache."""
    return _snapshot(model_id, revision, local_files_only=True)


def _snapshot(model_id: str, revision: str | None, *, local_files_only: bool = False) -> ModelFiles:
    """A complete snapshot of the files a model is loaded from; its folder's name is the commit."""
    from huggingface_hub import snapshot_download

    folder = snapshot_download(
        model_id,
        revision=revision,
        local_files_only=local_files_only,
        allow_patterns=list(PATTERNS),
        ignore_patterns=["*/*"],
    )
    check_complete(model_id, Path(folder))
    return ModelFiles(Path(folder), Path(folder).name)


def _cached_instead(model_id: str, revision: str | None, cause: Exception) -> ModelFiles:
    from huggingface_hub import errors

    try:
        found = _cached(model_id, revision)
    except (errors.LocalEntryNotFoundError, IvanError):
        raise hub_problem(cause, "model", model_id, revision or "") from cause
    note = "The hub did not answer; a cached copy was used."
    return ModelFiles(found.folder, found.revision, note)


def _not_cached(model_id: str, revision: str | None, cause: Exception) -> IvanError:
    """What to say offline; that files are missing is the cache's fault then, not the model's."""
    if isinstance(cause, IvanError):
        return BackendUnavailable(
            f"{model_id} is not complete in the local cache, and the hub is switched off.",
            "Unset HF_HUB_OFFLINE to download the rest, or give a local directory.",
        )
    return hub_problem(cause, "model", model_id, revision or "")
