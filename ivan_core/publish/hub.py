"""A dataset's repository on the hub: what it holds, and a commit on top of it.

All goes through the hub's own library, by the client that keeps the token with the hub: files as
plain uploads over HTTP, which that client carries too.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

from ivan_core.datasets.hub_client import (
    guard_hub,
    hand_over_token,
    hub_problem,
    hub_reason,
    status_of,
)
from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError
from ivan_core.domain.words import one_line

_ANSWER_SECONDS = 20.0
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PIECE = 2**20
_MOST_SAID = 200
_ADMITTED = ("busy", "disk-full", "read-only")
"""What is told of the hub alike, whatever was asked of it."""


@dataclass(frozen=True, slots=True)
class Repository:
    """What is there: whether it is private, its newest commit, and hashes of files by place."""

    private: bool
    commit: str
    files: Mapping[str, frozenset[str]]

    def lacks(self, files: Mapping[str, Path]) -> list[str]:
        """The places at which it has nothing, or something else than these files."""
        return [
            place
            for place, path in files.items()
            if not (hashes_of(path) & self.files.get(place, frozenset()))
        ]


def address(name: str) -> str:
    """Where people see it."""
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/datasets/{name}"


def has_token() -> bool:
    """Whether the hub's library has a token, wherever it looks for it."""
    from huggingface_hub import get_token

    hand_over_token()
    return bool(get_token())


def check_token() -> None:
    """Refuse to begin what nobody would be let do.

    Raises:
        BadInput: the hub's library has no token.
    """
    if not has_token():
        raise BadInput(
            "There is no token for the hub here, and without one nothing can be published.",
            "Make one that may write (Settings, Access Tokens on the hub), then log in with "
            "`hf auth login` or set HF_TOKEN.",
        )


def find(name: str) -> Repository | None:
    """The repository of this name, as far as the token may see it; None where there is none.

    Raises:
        IvanError: the hub cannot be asked.
    """
    guard_hub()
    api = _api()
    try:
        info = api.dataset_info(name, files_metadata=True, timeout=_ANSWER_SECONDS)
        return _read(info)
    except Exception as error:
        if hub_reason(error) == "no-repository":
            return None
        raise _problem(error, name) from error


def _read(info: Any) -> Repository:
    files = {
        str(one.rfilename): frozenset(
            str(found)
            for found in (one.blob_id, getattr(one.lfs, "sha256", None) if one.lfs else None)
            if found
        )
        for one in info.siblings or ()
    }
    return Repository(bool(info.private), _commit(info.sha), files)


def _commit(said: object) -> str:
    """A commit as the hub names it; empty where it is none."""
    return str(said) if _COMMIT.fullmatch(str(said)) else ""


def send(
    name: str, files: Mapping[str, Path], found: Repository | None, *, public: bool, message: str
) -> str:
    """Make the repository if there is none, and commit the files on top of it; returns the commit.

    Nothing that is there is deleted, and its visibility stays.

    Raises:
        BadInput: it is public and that was not asked for; or others changed it meanwhile.
        IvanError: the hub does not take it, or cannot be reached.
    """
    guard_hub()
    api = _api()
    if found is None:
        _make(api, name, public)
        found = find(name)
        if found is None:
            raise BackendUnavailable(
                f"The hub says that it made {name}, and then that there is no such dataset.",
                "The same command tries again.",
            )
    check_visible(name, found, public=public)
    return _commit_files(api, name, files, found, message)


def told(found: Repository | None, files: Mapping[str, Path], *, public: bool) -> Iterator[str]:
    """What is there, and what a commit of these files changes, in sentences."""
    if found is None:
        yield f"It is not there yet: it is made {'public' if public else 'private'}."
        return
    kind = "private" if found.private else "public"
    lacking = found.lacks(files)
    replaced = [place for place in lacking if place in found.files]
    new = [place for place in lacking if place not in found.files]
    if not lacking:
        yield f"It is there already ({kind}), with these very files: nothing changed."
    else:
        yield f"It is there already ({kind}); a commit comes on top, and its other files stay."
    if replaced:
        yield f"Replaced: {', '.join(replaced)}."
    if new:
        yield f"New: {', '.join(new)}."
    if found.private and public:
        yield "It stays private, although --public was said: its settings on the hub change that."


def check_visible(name: str, found: Repository, *, public: bool) -> None:
    """Refuse to put on a public page what was to be private.

    Raises:
        BadInput: the repository is public, and that was not asked for.
    """
    if not found.private and not public:
        raise BadInput(
            f"{name} is public: whatever is committed there can be read by everybody.",
            "Add --public if that is meant, or name another one: IVAN changes no visibility.",
        )


def _make(api: Any, name: str, public: bool) -> None:
    try:
        api.create_repo(name, private=not public, repo_type="dataset")
    except Exception as error:
        if status_of(error) == 409:
            raise BadInput(
                f"The hub has something called {name} already that this token may not see.",
                "Choose another name, or log in with the account that it belongs to.",
            ) from error
        raise _problem(error, name) from error


def _commit_files(
    api: Any, name: str, files: Mapping[str, Path], found: Repository, message: str
) -> str:
    from huggingface_hub import CommitOperationAdd

    # The hub may warn of a card in words of its own, which would be printed as they come.
    with ExitStack() as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # An opened file goes up over HTTP, by the client that is guarded here.
            operations = [
                CommitOperationAdd(place, opened.enter_context(path.open("rb")))
                for place, path in files.items()
            ]
            made = api.create_commit(
                name,
                operations,
                commit_message=message,
                repo_type="dataset",
                parent_commit=found.commit or None,
            )
            return _commit(made.oid)
        except Exception as error:
            # An answer that was lost, or makes no sense, does not tell what came of the commit.
            there = None if status_of(error) else _there_now(name)
            if there is not None and not there.lacks(files):
                return there.commit
            raise _problem(error, name) from error


def _there_now(name: str) -> Repository | None:
    with suppress(IvanError):
        return find(name)
    return None


def _api() -> Any:
    from huggingface_hub import HfApi
    from huggingface_hub.utils import logging

    # What it reports quotes addresses; what went wrong is told here, in a sentence.
    logging.set_verbosity_error()
    return HfApi(token=True)


def hashes_of(path: Path) -> frozenset[str]:
    """What the hub may know a file by: as git names it, and as large files are named."""
    git, plain = sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False), sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            git.update(piece)
            plain.update(piece)
    return frozenset((git.hexdigest(), plain.hexdigest()))


def _problem(error: Exception, name: str) -> IvanError:
    """What went wrong on the way to the hub, as a sentence and a next step."""
    reason, status = hub_reason(error), status_of(error)
    if reason in ("denied", "no-repository", "gated"):
        return BackendUnavailable(
            f"The hub does not let this token write to {name} (HTTP {status}){_said(error)}.",
            "Check the owner's name, and that the token may write there: `hf auth login` takes "
            "another.",
        )
    if reason in ("lost", "no-network", "offline", "server"):
        what = {
            "lost": "The connection to the hub broke off",
            "no-network": "The hub cannot be reached",
            "offline": "Offline mode is on",
            "server": f"The hub has trouble of its own (HTTP {status})",
        }[reason]
        return BackendUnavailable(
            f"{what}: whether {name} has the files is not known.",
            "The same command looks, and sends only what is not there.",
        )
    if status in (409, 412):
        return BadInput(
            f"Somebody else changed {name} meanwhile: nothing was committed.",
            "Look at it, then give the same command again.",
        )
    if reason in _ADMITTED:
        return hub_problem(error, "dataset", name, "")
    if status >= 400:
        return BackendUnavailable(
            f"The hub refuses {name} (HTTP {status}){_said(error)}.",
            "Nothing was committed. Change what it names, then give the same command again.",
        )
    return BackendUnavailable(
        f"{name} could not be published ({type(error).__name__}).",
        "The same command looks at what is there, and sends only what is not.",
    )


def _said(error: BaseException | None) -> str:
    """The hub's own words: on one line, cut short, without whatever is the token."""
    from huggingface_hub import get_token

    told, cause = "", error
    while cause is not None and not told.strip():
        told = str(getattr(cause, "server_message", None) or "")
        cause = cause.__cause__
    if not told.strip():
        return ""
    if token := get_token():
        told = told.replace(token, "…")
    return f" and says “{one_line(told, _MOST_SAID)}”"
