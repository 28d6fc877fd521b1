"""Each layout by its name on the hub: Parquet files with lists and objects, over real HTTP."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from given.hub_places import HH, HubPlace, hub_place, jsonl
from given.layouts.published import HOSTILE, PUBLISHED, RED_TEAM, Published, Row, rows
from given.layouts.reading import read, told
from given.messages import user

SYSTEM: Row = {"role": "system", "content": "Be brief."}


def prepared(folder: str, **request: str) -> dict[str, Any]:
    """Called in the fresh process: a dataset of the hub, or why there is none."""
    from ivan_core.datasets.prepare import prepare
    from ivan_core.domain.errors import IvanError
    from ivan_core.domain.specs import DatasetRequest

    try:
        dataset = prepare(Path(folder), DatasetRequest(**request))
    except IvanError as error:
        return {"says": error.message, "hint": error.hint}
    pairs = dataset.pairs(range(dataset.rows))
    about = dataset.about
    return {
        "layout": about["layout"],
        "pairs": [[pair.chosen.messages, pair.rejected.messages] for pair in pairs],
        "tied": sorted(dataset.tied_rows),
        "bad": about["bad_lines_named"],
        "left out": about["replies_left_out_named"],
        "subsets": dataset.numbers(["subset"])["subset"].tolist(),
        "first": {name: str(value) for name, value in dataset.row(0).items()},
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubPlace]:
    with hub_place(tmp_path_factory.mktemp("place")) as place:
        yield place


def parquet(found: list[Row]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(found), file)
    return file.getvalue()


def by_name(place: HubPlace, folder: Path, name: str, found: list[Row]) -> dict[str, Any]:
    """What is made of rows that lie on the hub as a file of Parquet."""
    place.hub.add("datasets", name, {"data/train-00000-of-00001.parquet": parquet(found)})
    made: dict[str, Any] = place.process.call(prepared, folder=str(folder), source=name)
    return made


@pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: one.layout)
def test_a_layout_is_read_by_its_name_as_from_a_file(
    place: HubPlace, tmp_path: Path, one: Published
) -> None:
    replies = ("Hello.", "Go.") if one.content == "none" else (f"Yes. {HOSTILE}", "No.")
    found = [*one.rows("Hi?", *replies), *one.rows("And?", "", "Well.")]
    made = by_name(place, tmp_path, f"makers/{one.layout}", found)
    dataset = read(tmp_path, found, ".parquet")
    assert made["layout"] == one.layout and made["bad"] == []
    assert made["pairs"] == [[list(map(list, side)) for side in pair] for pair in told(dataset)]
    numbers = dataset.numbers()
    assert made["subsets"] == numbers["subset"].tolist()
    beside = set(numbers.columns) & {"strength", "chosen_model", "rejected_model", "item", "right"}
    assert {name: made["first"].get(name) for name in beside} == {
        name: str(numbers[name][0]) for name in beside
    }


def test_the_right_replies_of_rewardbench_2_come_with_their_writers(
    place: HubPlace, tmp_path: Path
) -> None:
    made = by_name(place, tmp_path, "allenai/reward-bench-2", rows("rewardbench-2"))
    assert [[side[-1][1] for side in pair] for pair in made["pairs"]] == [
        ["Hello.", "Go."],
        ["Hello.!", "Go."],
    ]
    first = made["first"]
    assert (first["chosen_model"], first["rejected_model"], first["replies"]) == ("m", "o", "3")


def test_signs_ties_and_system_turns_of_helpsteer3_are_kept(
    place: HubPlace, tmp_path: Path
) -> None:
    found = [
        row
        for preference in (-3, 0, 2)
        for row in rows(
            "helpsteer3", overall_preference=preference, context=[SYSTEM, user(HOSTILE)]
        )
    ]
    made = by_name(place, tmp_path, "nvidia/HelpSteer3", found)
    assert [pair[0][-1][1] for pair in made["pairs"]] == ["Hello.", "Hello.", "Go."]
    assert made["tied"] == [1]
    assert made["pairs"][0][0][:2] == [["System", "Be brief."], ["Human", HOSTILE]]


def test_replies_of_ultrafeedback_without_a_score_are_left_out_and_named(
    place: HubPlace, tmp_path: Path
) -> None:
    completions = [
        {"model": name, "response": name, "overall_score": score, "custom_system_prompt": "Lie."}
        for name, score in (("m", 7.0), ("n", None), ("o", 9.5))
    ]
    found = [*rows("ultrafeedback", completions=completions), *rows("ultrafeedback")]
    made = by_name(place, tmp_path, "openbmb/UltraFeedback", found)
    assert [side[-1][1] for side in made["pairs"][0]] == ["o", "m"]
    assert made["left out"] == [[1, "reply 2 (n): its score is null"]]
    assert made["first"]["strength"] == "2.5"


def test_good_and_bad_replies_of_kto_find_each_other_by_their_prompt(
    place: HubPlace, tmp_path: Path
) -> None:
    bad_one, good_one = rows("kto")
    alone = {**good_one, "prompt": [user("And?")]}
    made = by_name(place, tmp_path, "lab/kto", [bad_one, alone, good_one])
    assert [[side[-1][1] for side in pair] for pair in made["pairs"]] == [["Hello.", "Go."]]
    assert made["bad"] == [[2, "this reply to its prompt: only good ones, so no pair"]]
    refused = by_name(place, tmp_path, "lab/kto-of-one-kind", [alone])
    assert "only good ones, so no pair" in refused["says"]
    assert "a good and a bad reply to the same prompt" in refused["hint"]


def test_the_red_team_s_dialogues_are_refused_by_what_they_are(
    place: HubPlace, tmp_path: Path
) -> None:
    packed = gzip.compress(jsonl([{**RED_TEAM, "tags": None, "is_upworker": False}]))
    file = "red-team-attempts/red_team_attempts.jsonl.gz"
    place.hub.add("datasets", f"{HH}@red", {file: packed})
    made = place.process.call(
        prepared, folder=str(tmp_path), source=HH, subset="red-team-attempts", revision="red"
    )
    assert made["says"].endswith(
        "Each row is one dialogue, with no second reply to compare it with."
    )
