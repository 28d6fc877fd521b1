"""How the hub's library asks, and what went wrong with the hub as a sentence and a next step.

Its token stays with the hub, and answers end and have a limit.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import Any, Literal

from ivan_core.datasets.guarded_http import Bounds, Transport, request_seconds
from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError, StorageProblem
from ivan_core.settings import setting

MOST_FACTS = 64 * 2**20
"""Bytes of what the hub tells of a repository; a list of a thousand files has 300 kB."""
MOST_FILE = 2**40
_installed = False


def guard_hub() -> None:
    """From now on the hub's library asks through a transport of ours, in this process."""
    global _installed
    hand_over_token()
    if _installed:
        return
    import httpcore2
    import httpx2
    from huggingface_hub import get_session, set_client_factory

    own_hooks = get_session().event_hooks["request"]
    seconds = request_seconds()

    def usual(path: str) -> Bounds:
        return Bounds(seconds, MOST_FACTS if path.startswith("/api/") else MOST_FILE)

    def client() -> httpx2.Client:
        transport: Any = Transport(httpx2, httpcore2, usual)
        return httpx2.Client(
            transport=transport,
            event_hooks={"request": [*own_hooks, keep_token_home]},
            follow_redirects=True,
            timeout=None,
        )

    set_client_factory(client)
    _installed = True


def hand_over_token() -> None:
    """Let the hub's library have the token of `.env` or the secrets, where it has none of its own
    by the environment, which is all that it reads."""
    if token := setting("HF_TOKEN"):
        os.environ.setdefault("HF_TOKEN", token)


def keep_token_home(request: Any) -> None:
    """Take the token off a request that goes to another place than the hub.

    The library forwards it from one address of a hub to another, and from http to https.
    """
    import httpx2
    from huggingface_hub import constants

    hub, url = httpx2.URL(constants.ENDPOINT), request.url
    same = (url.scheme, url.host, url.port) == (hub.scheme, hub.host, hub.port)
    part = url.scheme == hub.scheme == "https" and url.host.endswith(f".{hub.host}")
    if not (same or part):
        request.headers.pop("Authorization", None)


Kind = Literal["dataset", "model"]
Reason = Literal[
    "disk-full",
    "read-only",
    "gated",
    "no-revision",
    "no-repository",
    "denied",
    "busy",
    "server",
    "offline",
    "lost",
    "no-network",
    "bad-id",
    "code",
    "mixed",
    "no-file",
    "unknown",
]

UNREACHABLE: frozenset[Reason] = frozenset({"server", "offline", "lost", "no-network"})
"""The hub gave no answer about the repository, so a copy in the cache may stand in for it."""

# Classes are known by name: the hub's library changed its HTTP client twice (requests, httpx,
# httpx2), and importing any of it here would cost half a second.
_LOST = {
    "ReadError",
    "WriteError",
    "ReadTimeout",
    "WriteTimeout",
    "RemoteProtocolError",
    "IncompleteRead",
    "ChunkedEncodingError",
    "ConnectionResetError",
    "ConnectionAbortedError",
    "BrokenPipeError",
    "XetDownloadError",
}
_NO_NETWORK = {
    "TransportError",
    "ConnectionError",
    "TimeoutError",
    "gaierror",
    "FileMetadataError",
    "RevisionResolutionError",
}
_NO_DATA = {"RemoteEntryNotFoundError", "EmptyDatasetError", "DataFilesNotFoundError"}
_LOG_IN = "log in with `hf auth login` or set HF_TOKEN"
_INSTEAD = {
    "dataset": "use the bundled data: `--dataset sample`",
    "model": "use the embedded models ivan/minilm-harmless and ivan/minilm-control",
}


def hub_problem(error: BaseException, kind: Kind, id: str, revision: str) -> IvanError:
    """The error to show for what a hub library raised; an IvanError inside it is given back.

    The libraries' own messages quote addresses and headers, so none of their words are repeated.
    """
    known = next((e for e in _chain(error) if isinstance(e, IvanError)), None)
    return known or _told(hub_reason(error), error, kind, id, revision)


def hub_reason(error: BaseException) -> Reason:
    """Why the hub or its cache failed, looking through all causes of the error."""
    chain = list(_chain(error))
    names = {kind.__name__ for e in chain for kind in type(e).__mro__}
    texts = " ".join(str(e) for e in chain).lower()
    codes = {e.errno for e in chain if isinstance(e, OSError)}
    full = ("not enough disk space", "no space left")
    if codes & {errno.ENOSPC, errno.EDQUOT} or _any(texts, *full):
        return "disk-full"
    if codes & {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "read-only"
    return _answered(names, texts, status_of(error)) or _silent(names, texts) or _odd(names, texts)


def _answered(names: set[str], texts: str, status: int) -> Reason | None:
    """Reasons where the hub answered the request."""
    # `datasets` drops the hub's error on the way and keeps its meaning in the words only.
    reworded = texts if "DatasetNotFoundError" in names else ""
    if "GatedRepoError" in names or _any(reworded, "is a gated dataset"):
        return "gated"
    if "RevisionNotFoundError" in names or _any(reworded, "revision '"):
        return "no-revision"
    if {"RepositoryNotFoundError", "DatasetNotFoundError"} & names:
        return "no-repository"
    if status in (401, 403):
        return "denied"
    if status == 429:
        return "busy"
    return "server" if status >= 500 else None


def _silent(names: set[str], texts: str) -> Reason | None:
    """Reasons where no answer came."""
    if "OfflineModeIsEnabled" in names:
        return "offline"
    if names & _LOST or _any(texts, "consistency check failed"):
        return "lost"
    if names & _NO_NETWORK:
        return "no-network"
    # Looking into the cache alone fails like this; after a failed connection it is no reason.
    return "offline" if "LocalEntryNotFoundError" in names else None


def _odd(names: set[str], texts: str) -> Reason:
    """Reasons in the repository itself."""
    if "HFValidationError" in names:
        return "bad-id"
    if _any(texts, "scripts are no longer supported", "trust_remote_code"):
        return "code"
    if "DatasetGenerationCastError" in names:
        return "mixed"
    return "no-file" if names & _NO_DATA else "unknown"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it. Contexts count even after `from None`: `datasets` hides
    a full disk behind one."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop(0)
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__cause__, found.__context__]


def status_of(error: BaseException) -> int:
    """The HTTP status of the first failed answer in the chain; 0 if there was none."""
    codes = (getattr(getattr(e, "response", None), "status_code", 0) for e in _chain(error))
    return next((code for code in codes if isinstance(code, int) and code >= 400), 0)


def _any(texts: str, *parts: str) -> bool:
    return any(part in texts for part in parts)


def _told(reason: Reason, error: BaseException, kind: Kind, id: str, revision: str) -> IvanError:
    what, instead = f"the {kind} {id}", _INSTEAD[kind]
    match reason:
        case "disk-full":
            return StorageProblem(
                f"The disk is full: {what} could not be stored.",
                "Free some space, or move the hub's cache with HF_HOME.",
            )
        case "read-only":
            return StorageProblem(
                f"The hub's cache folder may not be written, so {what} could not be stored.",
                "Make it writable, or name another with HF_HOME.",
            )
        case "gated":
            return BackendUnavailable(
                f"The {kind} {id} is gated: its authors grant access on request.",
                f"Accept its terms on its page of the hub, then {_LOG_IN}.",
            )
        case "denied":
            return BackendUnavailable(
                f"The hub does not let you read {what}.",
                "Check HF_TOKEN, or log in with an account that may read it: `hf auth login`.",
            )
        case "no-repository":
            return BadInput(
                f"The hub has no {kind} {id}, or it is private.",
                f"Check the spelling (owner/name); for a private one {_LOG_IN}.",
            )
        case "no-revision":
            return BadInput(
                f"The {kind} {id} has no revision {revision or 'main'} on the hub.",
                "Leave the revision out for the newest, or give a branch, tag or commit it has.",
            )
        case "bad-id":
            return BadInput(
                f"{id!r} is not the name of a {kind} on the hub.", "Give owner/name, or a path."
            )
        case "busy":
            return BackendUnavailable(
                f"The hub has had too many requests from here and does not send {what}.",
                f"Wait a few minutes, or {_LOG_IN}: accounts may ask more often.",
            )
        case "server":
            status = status_of(error)
            return BackendUnavailable(
                f"The hub has trouble of its own (HTTP {status}) and does not send {what}.",
                f"Try again in a few minutes, or {instead}.",
            )
        case "offline":
            return BackendUnavailable(
                f"Offline mode is on, and {what} is not in this machine's cache.",
                f"Unset HF_HUB_OFFLINE to download it once, or {instead}.",
            )
        case "lost":
            return BackendUnavailable(
                f"The connection to the hub broke off before {what} was complete.",
                "Check the network and start again: files that are complete are kept.",
            )
        case "no-network":
            return BackendUnavailable(
                f"The hub cannot be reached, and {what} is not in this machine's cache.",
                f"Check the network, or {instead}.",
            )
        case "code":
            return BackendUnavailable(
                f"The {kind} {id} comes with code of its own, which IVAN does not run.",
                f"Choose a {kind} without code.",
            )
        case "mixed":
            return BadInput(
                f"The files of {what} do not all have the same columns.",
                "Choose one part of it with --subset, or give one of its files.",
            )
        case "no-file":
            return BadInput(
                f"The {kind} {id} lacks the files that IVAN needs.",
                "See on its page of the hub whether it is the right one.",
            )
        case "unknown":
            return BackendUnavailable(
                f"The {kind} {id} could not be loaded from the hub ({type(error).__name__}).",
                f"Try again, download it yourself and give its path, or {instead}.",
            )
