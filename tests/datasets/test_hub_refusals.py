"""Hub datasets that do not load: what is said, and when the cache stands in."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
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
    assert found["error"] == "BadInput"
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
