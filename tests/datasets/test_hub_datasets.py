"""Hub datasets over real HTTP: what is loaded, in which order and at which commit."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from given.hub_places import FOLDERS, HH, HubPlace, hub_place, jsonl, noise, pairs, two_subsets


def prepared(folder: str, source: str) -> list[Any]:
    """Called in the fresh process: rows, revision and last chosen text of the prepared dataset."""
    from ivan_core.datasets.prepare import prepare
    from ivan_core.domain.specs import DatasetRequest

    found = prepare(Path(folder), DatasetRequest(source=source))
    return [found.rows, found.about["revision"], found.pair(found.rows - 1).chosen.text]


def as_the_library_loads(split: str, data_dir: str | None = None) -> list[str]:
    """Called in the fresh process: the chosen texts in the order of the hub's own loader."""
    from datasets import load_dataset

    return list(load_dataset(HH, split=split, data_dir=data_dir)["chosen"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubPlace]:
    with hub_place(tmp_path_factory.mktemp("place")) as place:
        yield place


def test_hh_rlhf_is_its_four_folders_in_order(place: HubPlace) -> None:
    found = place.load(HH)
    subsets = [row["subset"] for _, row in found["rows"]]
    assert subsets == [folder for folder, count in FOLDERS.items() for _ in range(count)]
    assert [number for number, _ in found["rows"]] == list(range(1, 11))
    assert found["rows"][3][1] == {**pairs("helpful-base train", 1)[0], "subset": "helpful-base"}


@pytest.mark.parametrize(
    ("split", "data_dir"), [("train", ""), ("test", ""), ("train", "helpful-base")]
)
def test_the_order_is_that_of_the_hub_s_own_loader(
    place: HubPlace, split: str, data_dir: str
) -> None:
    texts = [row["chosen"] for _, row in place.load(HH, split=split, subset=data_dir)["rows"]]
    assert texts == place.process.call(as_the_library_loads, split=split, data_dir=data_dir or None)


def test_a_subset_of_hh_rlhf_is_one_folder(place: HubPlace) -> None:
    rows = place.load(HH, subset="helpful-rejection-sampled")["rows"]
    assert [row["chosen"][-1] for _, row in rows] == ["0", "1", "2", "3"]
    assert {row["subset"] for _, row in rows} == {"helpful-rejection-sampled"}


def test_another_split_is_loaded_alone(place: HubPlace) -> None:
    rows = place.load(HH, split="test")["rows"]
    assert [row["subset"] for _, row in rows] == list(FOLDERS)


def test_revision_licence_and_who_chose_are_recorded(place: HubPlace) -> None:
    found = place.load(HH)
    assert found["revision"] == place.hub.add("datasets", HH, {})
    assert (found["licence"], found["chosen_by"], found["note"]) == ("mit", "people's choice", "")


def test_a_branch_is_pinned_to_its_commit_and_the_commit_loads_the_same(place: HubPlace) -> None:
    place.hub.add("datasets", "lab/branches", {"train.jsonl": jsonl(pairs("new", 1))})
    old = place.hub.add("datasets", "lab/branches@v1", {"train.jsonl": jsonl(pairs("old", 1))})
    branch = place.load("lab/branches", revision="v1")
    assert branch["revision"] == old
    assert branch["rows"][0][1]["chosen"].endswith("old 0")
    assert place.load("lab/branches", revision=old)["rows"] == branch["rows"]


def test_any_dataset_with_chosen_and_rejected_is_loaded(place: HubPlace) -> None:
    rows = [{**row, "score": i / 2} for i, row in enumerate(pairs("x", 3))]
    files = {
        "data/train.jsonl": jsonl(rows),
        "README.md": b"---\nlicense: other\nlicense_name: lab\n---\n",
    }
    commit = place.hub.add("datasets", "lab/any", files)
    found = place.load("lab/any")
    assert found["rows"] == [[number, row] for number, row in enumerate(rows, start=1)]
    assert (found["revision"], found["licence"]) == (commit, "lab")


def test_message_lists_come_as_lists(place: HubPlace) -> None:
    sides = {
        side: [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": side}]
        for side in ("chosen", "rejected")
    }
    place.hub.add("datasets", "lab/chats", {"train.jsonl": jsonl([sides])})
    assert place.load("lab/chats")["rows"] == [[1, sides]]


def test_a_hub_dataset_is_prepared_like_any_other(place: HubPlace, tmp_path: Path) -> None:
    last = pairs("helpful-rejection-sampled train", 4)[3]["chosen"]
    assert place.process.call(prepared, folder=str(tmp_path), source=HH) == [
        10,
        place.hub.add("datasets", HH, {}),
        last,
    ]


def test_a_subset_of_another_dataset_is_its_configuration(place: HubPlace) -> None:
    rows = place.load(two_subsets(place.hub), subset="hard", split="prefs")["rows"]
    assert [row["chosen"][-3:] for _, row in rows] == ["h 0", "h 1"]
    assert [row["subset"] for _, row in rows] == ["hard", "hard"]


def test_a_damaged_line_is_named_by_its_folder_and_the_rest_is_kept(place: HubPlace) -> None:
    damaged = gzip.compress(jsonl(pairs("first", 1)) + b"{\n" + jsonl(pairs("third", 1)))
    place.hub.add(
        "datasets",
        f"{HH}@damaged",
        {
            f"{folder}/train.jsonl.gz": damaged if folder == "helpful-base" else noise(1)
            for folder in FOLDERS
        },
    )
    rows = place.load(HH, revision="damaged")["rows"]
    assert rows[2] == [3, "not valid JSON (line 2 of helpful-base)"]
    assert [number for number, _ in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[3][1]["chosen"].endswith("third 0")
