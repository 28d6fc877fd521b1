"""Where a model's files are (a directory, the hub or its cache), and which revision they are."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path
from typing import Any

from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError, StorageProblem

PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
"""The files a model is loaded from. Pickles can run code: they are neither fetched nor opened."""

VOCABULARIES = ("tokenizer.json", "*.model", "vocab.*")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A folder that holds a model. `revision` is a commit, or `sha256:` and a hash of the files."""

    folder: Path
    revision: str
    note: str = ""


def find_model(model_id: str, revision: str | None = None, token: str | None = None) -> ModelFiles:
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
            "Check the path, or give a hub id such as owner/name.",
        )
    return _from_hub(model_id, revision, token)


def files_hash(folder: Path) -> str:
    """`sha256:` and 64 hex digits over names and contents of the files a model is loaded from."""
    digest = sha256()
    for path in _loadable(folder):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(_CHUNK):
                digest.update(block)
    return f"sha256:{digest.hexdigest()}"


def check_complete(model_id: str, folder: Path) -> None:
    """Raise BackendUnavailable unless the folder has a config and all its safetensors weights."""
    names = {path.name for path in folder.iterdir() if path.is_file()}
    check_names(model_id, names)
    try:
        missing = sorted(_shards(folder) - names)
    except (ValueError, KeyError, AttributeError) as error:
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


def _from_hub(model_id: str, revision: str | None, token: str | None) -> ModelFiles:
    from huggingface_hub import constants, errors

    pinned = revision is not None and _COMMIT.fullmatch(revision) is not None
    if constants.is_offline_mode() or pinned:
        try:
            return _cached(model_id, revision)
        except (errors.LocalEntryNotFoundError, IvanError) as error:
            if constants.is_offline_mode():
                raise _not_cached(model_id, revision) from error
        except errors.HFValidationError as error:
            raise _bad_id(model_id) from error
    try:
        return _download(model_id, revision, token)
    except IvanError:
        raise
    except Exception as error:
        problem = _hub_problem(error, model_id, revision)
        if problem is not None:
            raise problem from error
        return _cached_instead(model_id, revision, error)


def _download(model_id: str, revision: str | None, token: str | None) -> ModelFiles:
    from huggingface_hub import HfApi, snapshot_download

    info = HfApi(token=token).model_info(model_id, revision=revision)
    check_names(model_id, [file.rfilename for file in info.siblings or []])
    # By its name, not its commit: only so does the cache remember what the name stood for, which is
    # what an offline start looks up. The folder's name is the commit.
    folder = snapshot_download(
        model_id, revision=revision, token=token,
        allow_patterns=list(PATTERNS), ignore_patterns=["*/*"],
    )  # fmt: skip
    check_complete(model_id, Path(folder))
    return ModelFiles(Path(folder), Path(folder).name)


def _cached(model_id: str, revision: str | None) -> ModelFiles:
    """The complete snapshot in the hub's cache; its folder's name is the commit."""
    from huggingface_hub import snapshot_download

    folder = snapshot_download(
        model_id, revision=revision, local_files_only=True,
        allow_patterns=list(PATTERNS), ignore_patterns=["*/*"],
    )  # fmt: skip
    check_complete(model_id, Path(folder))
    return ModelFiles(Path(folder), Path(folder).name)


def _cached_instead(model_id: str, revision: str | None, cause: Exception) -> ModelFiles:
    from huggingface_hub import errors

    try:
        found = _cached(model_id, revision)
    except (errors.LocalEntryNotFoundError, IvanError):
        raise BackendUnavailable(
            f"The connection to the hub failed before {model_id} was complete.",
            "Check the network and start again: a download goes on where it stopped.",
        ) from cause
    note = "The hub did not answer; a cached copy was used."
    return ModelFiles(found.folder, found.revision, note)


def _hub_problem(error: Exception, model_id: str, revision: str | None) -> IvanError | None:
    """What a person can do about an error of the hub; None where the hub did not answer at all."""
    from huggingface_hub import errors

    # The libraries' own messages quote addresses and headers, so none of their words are shown.
    if isinstance(error, errors.GatedRepoError):
        return BackendUnavailable(
            f"{model_id} is gated: its authors want its terms accepted first.",
            f"Accept them on the model's page of the hub ({model_id}), then set HF_TOKEN.",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return BackendUnavailable(
            f"{model_id} has no revision {revision}.",
            "Check the branch, tag or commit on the model's page, or leave the revision out.",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return BackendUnavailable(
            f"The hub has no model {model_id}, or it is private.",
            "Check the spelling (owner/name); for a private model set HF_TOKEN.",
        )
    if isinstance(error, errors.HFValidationError):
        return _bad_id(model_id)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS):
        return StorageProblem(
            f"{model_id} cannot be stored in the hub's cache: no space, or no permission to write.",
            "Free some space, or point HF_HOME to another disk.",
        )
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if isinstance(error, errors.HfHubHTTPError) and status in (401, 403):
        return BackendUnavailable(
            f"The hub does not let this account read {model_id}.", "Check HF_TOKEN."
        )
    return None if _is_connection_trouble(error) else _unexpected(error, model_id)


def _is_connection_trouble(error: Exception) -> bool:
    from huggingface_hub import errors

    # errors.HTTPError is the base of the errors of whichever HTTP client the hub library uses.
    kinds: tuple[Any, ...] = (OSError, errors.HTTPError, errors.XetDownloadError)
    return isinstance(error, kinds)


def _unexpected(error: Exception, model_id: str) -> IvanError:
    return BackendUnavailable(
        f"{model_id} could not be fetched from the hub ({type(error).__name__}).",
        "Try again later, or download the model yourself and give its directory.",
    )


def _bad_id(model_id: str) -> IvanError:
    return BadInput(
        f"{model_id!r} is neither a directory nor a hub id.", "Give owner/name, or a path."
    )


def _not_cached(model_id: str, revision: str | None) -> IvanError:
    which = f" at revision {revision}" if revision else ""
    return BackendUnavailable(
        f"{model_id}{which} is not complete in the local cache, and the hub is switched off.",
        "Unset HF_HUB_OFFLINE to download it, or give a local directory.",
    )
