"""Each way the hub fails has its own sentence, whatever the libraries wrapped around it.

Datasets that do not load: what is said, and when the cache stands in.
"""

from __future__ import annotations

import errno
import gzip
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.hub import FreshProcess, hub_environment
from given.hub_places import (
    FOLDERS,
    HH,
    HubPlace,
    hub_place,
    jsonl,
    noise,
    opened,
    pairs,
    two_subsets,
)

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
    ("kind", "offer"), [("dataset", "--dataset sample"), ("model", "models ivan/minilm-harmless")]
)
def test_without_a_network_what_is_built_in_is_offered(kind: Any, offer: str) -> None:
    assert offer in hub_problem(transport("ConnectError"), kind, "lab/x", "").hint


NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubPlace]:
    with hub_place(tmp_path_factory.mktemp("place")) as place:
        yield place


@pytest.mark.parametrize(
    ("request_", "says", "hint"),
    [
        (
            {"source": HH, "subset": "helpful"},
            f"{HH} has no subset helpful.",
            "It has harmless-base, helpful-base, helpful-online, helpful-rejection-sampled.",
        ),
        ({"source": HH, "split": "dev"}, f"{HH} has no split dev.", "It has test, train."),
        (
            {"source": HH, "subset": "helpful-base", "split": "dev"},
            f"{HH} has no split dev in helpful-base.",
            "It has test, train.",
        ),
        (
            {"source": "lab/two", "subset": "odd"},
            "lab/two has no subset odd.",
            "It has easy, hard.",
        ),
        (
            {"source": "lab/two"},
            "lab/two comes in subsets: easy, hard.",
            "Choose one of them with --subset.",
        ),
        (
            {"source": "lab/two", "subset": "hard"},
            "lab/two has no split train in hard.",
            "It has prefs.",
        ),
    ],
)
def test_unknown_parts_are_answered_with_those_there_are(
    place: HubPlace, request_: dict[str, str], says: str, hint: str
) -> None:
    two_subsets(place.hub)
    found = place.load(**request_)
    assert (found["error"], found["says"], found["hint"]) == ("BadInput", says, hint)


def test_a_dataset_without_parts_says_so(place: HubPlace) -> None:
    place.hub.add("datasets", "lab/plain", {"train.jsonl": jsonl(pairs("x", 1))})
    assert place.load("lab/plain", subset="odd")["says"] == "lab/plain has no subsets."


@pytest.mark.parametrize(
    ("source", "subset", "listed"),
    [(HH, "red-team-attempts", "rating, transcript"), ("lab/columns", "", "question, answer")],
)
def test_other_columns_are_listed(place: HubPlace, source: str, subset: str, listed: str) -> None:
    place.hub.add(
        "datasets", "lab/columns", {"train.jsonl": jsonl([{"question": "a", "answer": "b"}])}
    )
    found = place.load(source, subset=subset)
    assert found["error"] == "WrongColumns"
    assert listed in found["says"] + found["hint"]


def test_no_such_repository(place: HubPlace) -> None:
    found = place.load("lab/nowhere")
    assert found["error"] == "BadInput"
    assert found["says"] == "The hub has no dataset lab/nowhere, or it is private."


def test_no_such_revision(place: HubPlace) -> None:
    found = place.load(HH, revision="v9")
    assert found["says"] == f"The dataset {HH} has no revision v9 on the hub."


def test_gated(place: HubPlace) -> None:
    place.hub.add("datasets", "lab/gated", {"train.jsonl": jsonl(pairs("x", 1))})
    place.hub.faults["lab/gated"] = "gated"
    found = place.load("lab/gated")
    assert found["says"] == "The dataset lab/gated is gated: its authors grant access on request."
    assert "HF_TOKEN" in found["hint"]


@pytest.mark.parametrize("source", [HH, "lab/cut"])
def test_connection_lost_in_the_middle_of_a_file(place: HubPlace, source: str) -> None:
    files = {f"{folder}/train.jsonl.gz": noise(2) for folder in FOLDERS}
    place.hub.add("datasets", "lab/cut", files)
    place.hub.add("datasets", f"{source}@cut", files)
    place.hub.faults[source] = "cut"
    try:
        found = place.load(source, revision="cut")
    finally:
        del place.hub.faults[source]
    assert found["error"] == "BackendUnavailable"
    assert found["says"] == (
        f"The connection to the hub broke off before the dataset {source} was complete."
    )


def test_after_a_lost_connection_the_next_load_is_whole(place: HubPlace) -> None:
    place.hub.add("datasets", "lab/again", {"train.jsonl.gz": noise(3)})
    place.hub.faults["lab/again"] = "cut"
    assert "error" in place.load("lab/again")
    del place.hub.faults["lab/again"]
    assert len(place.load("lab/again")["rows"]) == 1


def test_a_server_error_says_its_number(place: HubPlace) -> None:
    place.hub.add("datasets", "lab/error", {"train.jsonl": jsonl(pairs("x", 1))})
    place.hub.faults["lab/error"] = "error"
    found = place.load("lab/error")
    assert found["says"].startswith("The hub has trouble of its own (HTTP 503)")
    assert "--dataset sample" in found["hint"]


def test_a_server_error_is_bridged_by_the_cache(place: HubPlace) -> None:
    place.hub.add("datasets", "lab/bridged", {"train.jsonl": jsonl(pairs("x", 2))})
    before = place.load("lab/bridged")
    place.hub.faults["lab/bridged"] = "error"
    after = place.load("lab/bridged")
    assert (after["rows"], after["revision"]) == (before["rows"], before["revision"])
    assert "cache" in after["note"]


@pytest.mark.parametrize("fault", ["cut", "listing"])
def test_another_commit_in_the_cache_is_never_taken_for_the_pinned_one(
    place: HubPlace, fault: Any
) -> None:
    place.hub.add(
        "datasets", f"lab/moved-{fault}", {"train.jsonl.gz": gzip.compress(jsonl(pairs("old", 1)))}
    )
    place.load(f"lab/moved-{fault}")
    place.hub.add("datasets", f"lab/moved-{fault}", {"train.jsonl.gz": noise(4)})
    place.hub.faults[f"lab/moved-{fault}"] = fault
    assert place.load(f"lab/moved-{fault}")["error"] == "BackendUnavailable"


@pytest.mark.parametrize("silent", ["offline", "no network"])
def test_without_a_hub_the_cached_commit_is_read(
    place: HubPlace, tmp_path: Path, silent: str
) -> None:
    place.hub.add("datasets", "lab/kept", {"train.jsonl": jsonl(pairs("x", 2))})
    online = [place.load(HH), place.load("lab/kept")]
    more = {"HF_HUB_OFFLINE": "1"} if silent == "offline" else {}
    environment = hub_environment(NOBODY, place.home, **more)
    with FreshProcess(environment, tmp_path / "errors.txt") as process:
        for source, before in zip((HH, "lab/kept"), online, strict=True):
            after = process.call(opened, source=source)
            assert (after["rows"], after["revision"]) == (before["rows"], before["revision"])
            assert after["licence"] == before["licence"]
        unknown = process.call(opened, source="lab/never")
        subset = process.call(opened, source=HH, split="dev")
    said = "Offline mode is on" if silent == "offline" else "The hub cannot be reached"
    assert unknown["says"] == f"{said}, and the dataset lab/never is not in this machine's cache."
    assert "--dataset sample" in unknown["hint"]
    assert subset["says"] == f"{said}, and the dataset {HH} is not in this machine's cache."
