"""Each way the hub fails has its own sentence, whatever the libraries wrapped around it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

import pytest

from ivan_core.datasets.hub_client import hub_problem, hub_reason
from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError, StorageProblem

SECRET = "http://me:hf_secret@example.org/api/models/lab/x"


def answer(status: int, code: str = "", message: str = "") -> Exception:
    """What the hub's library raises for an answer of the hub."""
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import hf_raise_for_status, httpx

    headers = {"X-Error-Code": code, "X-Error-Message": message}
    request = httpx.Request("GET", SECRET)
    try:
        hf_raise_for_status(httpx.Response(status, headers=headers, request=request))
    except HfHubHTTPError as error:
        refused: Exception = error
        return refused
    raise AssertionError("the library accepted the answer")


def transport(name: str) -> Exception:
    """An error of the HTTP client that the hub's library uses."""
    from huggingface_hub.utils import httpx

    error: Exception = getattr(httpx, name)(f"trouble at {SECRET}")
    return error


def hub_error(name: str) -> Exception:
    from huggingface_hub import errors

    error: Exception = getattr(errors, name)(f"trouble at {SECRET}")
    return error


def dataset_error(text: str) -> Exception:
    from datasets.exceptions import DatasetNotFoundError

    error: Exception = DatasetNotFoundError(text)
    return error


def no_files() -> Exception:
    from datasets.data_files import EmptyDatasetError

    error: Exception = EmptyDatasetError("nothing here")
    return error


def mixed() -> Exception:
    from datasets.exceptions import DatasetGenerationCastError

    error: Exception = DatasetGenerationCastError("columns differ")
    return error


CASES: list[tuple[Callable[[], BaseException], type[IvanError], str]] = [
    (lambda: answer(404, "RepoNotFound"), BadInput, "has no {kind} lab/x, or it is private"),
    (lambda: answer(401, "RepoNotFound"), BadInput, "has no {kind} lab/x, or it is private"),
    (lambda: dataset_error("Dataset 'lab/x' doesn't exist"), BadInput, "has no {kind} lab/x"),
    (lambda: answer(404, "RevisionNotFound"), BadInput, "{kind} lab/x has no revision v2"),
    (lambda: dataset_error("Revision 'v2' doesn't exist for"), BadInput, "has no revision v2"),
    (lambda: answer(401, "GatedRepo"), BackendUnavailable, "{kind} lab/x is gated"),
    (lambda: answer(403, "GatedRepo"), BackendUnavailable, "{kind} lab/x is gated"),
    (lambda: dataset_error("'lab/x' is a gated dataset"), BackendUnavailable, "is gated"),
    (
        lambda: answer(401, "", "Invalid credentials in Authorization header"),
        BackendUnavailable,
        "does not let you read",
    ),
    (lambda: answer(403), BackendUnavailable, "does not let you read"),
    (lambda: answer(429), BackendUnavailable, "too many requests"),
    (lambda: answer(500), BackendUnavailable, "(HTTP 500)"),
    (lambda: answer(503), BackendUnavailable, "(HTTP 503)"),
    (lambda: transport("RemoteProtocolError"), BackendUnavailable, "broke off"),
    (lambda: transport("ReadError"), BackendUnavailable, "broke off"),
    (lambda: transport("ReadTimeout"), BackendUnavailable, "broke off"),
    (lambda: ConnectionResetError("reset by peer"), BackendUnavailable, "broke off"),
    (
        lambda: OSError("Consistency check failed: file should be of size 9"),
        BackendUnavailable,
        "broke off",
    ),
    (lambda: transport("ConnectError"), BackendUnavailable, "cannot be reached"),
    (lambda: transport("ConnectTimeout"), BackendUnavailable, "cannot be reached"),
    (lambda: transport("ProxyError"), BackendUnavailable, "cannot be reached"),
    (lambda: ConnectionError("Couldn't reach 'lab/x'"), BackendUnavailable, "cannot be reached"),
    (lambda: socket.gaierror(-2, "Name unknown"), BackendUnavailable, "cannot be reached"),
    (lambda: hub_error("OfflineModeIsEnabled"), BackendUnavailable, "Offline mode is on"),
    (lambda: hub_error("LocalEntryNotFoundError"), BackendUnavailable, "Offline mode is on"),
    (lambda: OSError(errno.ENOSPC, "No space left on device"), StorageProblem, "disk is full"),
    (lambda: OSError("Not enough disk space. Needed: 9 GB"), StorageProblem, "disk is full"),
    (lambda: PermissionError(errno.EACCES, "denied"), StorageProblem, "may not be written"),
    (lambda: hub_error("HFValidationError"), BadInput, "is not the name of a {kind}"),
    (
        lambda: RuntimeError("Dataset scripts are no longer supported, but found x.py"),
        BackendUnavailable,
        "code of its own",
    ),
    (mixed, BadInput, "do not all have the same columns"),
    (no_files, BadInput, "lacks the files"),
    (lambda: answer(404, "EntryNotFound"), BadInput, "lacks the files"),
    (lambda: KeyError(SECRET), BackendUnavailable, "could not be loaded from the hub (KeyError)"),
]


@pytest.mark.parametrize("kind", ["dataset", "model"])
@pytest.mark.parametrize(("build", "expected", "words"), CASES)
def test_each_error_has_its_sentence(
    build: Callable[[], BaseException], expected: type[IvanError], words: str, kind: Any
) -> None:
    problem = hub_problem(build(), kind, "lab/x", "v2")
    assert type(problem) is expected
    assert words.format(kind=kind) in problem.message
    assert problem.hint.endswith(".")
    for text in (problem.message, problem.hint):
        assert "http:" not in text and "hf_secret" not in text and "\n" not in text


def raised(error: BaseException, *wrappers: BaseException, hide: bool = False) -> BaseException:
    """The error as it arrives after others were raised while it was handled."""
    for wrapper in wrappers:
        try:
            try:
                raise error
            except BaseException as inner:
                raise wrapper from (None if hide else inner)
        except BaseException as outer:
            error = outer
    return error


def test_the_cause_inside_other_errors_is_found() -> None:
    from datasets.exceptions import DatasetGenerationError

    error = raised(answer(401, "GatedRepo"), OSError("transformers says"), DatasetGenerationError())
    assert hub_reason(error) == "gated"


def test_a_full_disk_is_found_behind_an_error_raised_from_none() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert hub_reason(raised(full, OSError("Cannot find data file."), hide=True)) == "disk-full"


def test_a_connection_that_breaks_and_cannot_be_resumed_was_lost() -> None:
    error = raised(transport("RemoteProtocolError"), transport("ConnectError"))
    assert hub_reason(error) == "lost"


def test_no_network_is_told_even_after_a_look_into_the_cache() -> None:
    error = raised(transport("ConnectError"), hub_error("LocalEntryNotFoundError"))
    assert hub_reason(error) == "no-network"


def test_causes_that_lead_in_a_circle_end() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert hub_reason(first) == "unknown"


def test_an_ivan_error_inside_is_given_back() -> None:
    told = BadInput("The data has other columns.", "Choose another.")
    assert hub_problem(raised(told, RuntimeError("x")), "dataset", "lab/x", "") is told


@pytest.mark.parametrize(
    ("kind", "offer"), [("dataset", "--dataset sample"), ("model", "--model ivan/minilm-harmless")]
)
def test_without_a_network_what_is_built_in_is_offered(kind: Any, offer: str) -> None:
    assert offer in hub_problem(transport("ConnectError"), kind, "lab/x", "").hint
