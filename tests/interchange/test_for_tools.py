"""Files for tools that compare replies: what each holds, by expectations worked by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from given.exports import ASK, CASES, PLAIN, content, pair, written

from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue
from ivan_core.interchange.content import Content, Row
from ivan_core.interchange.formats import FORMATS
from ivan_core.interchange.label_studio import CONFIG
from ivan_core.interchange.write import write

MANY = [
    pair([ASK, ("Assistant", f"Hello {n}.")], [ASK, ("Assistant", f"Go {n}.")], row_id=n)
    for n in range(40)
]
MARGINS = tuple([1.0, -4.0, 0.0, None] * 10)


@pytest.mark.parametrize("name", FORMATS)
def test_few_pairs_are_in_memory_at_a_time(name: str, tmp_path: Path) -> None:
    alive: WeakSet[Dialogue] = WeakSet()
    most = 0

    def rows() -> Iterator[Row]:
        nonlocal most
        for n in range(2_500):
            both = [f"\n\nHuman: Hi {n}\n\nAssistant: {said}" for said in ("a", "b")]
            made = Pair(n, Dialogue(both[0]), Dialogue(both[1]))
            alive.add(made.chosen)
            most = max(most, len(alive))
            yield Row(made, {"row_id": n})

    types = {"row_id": int}
    held = Content("made", "Made pairs.", 0.0, "recorded choice", 2_500, types, rows)
    summary = write(tmp_path / "out", FORMATS[name], held)
    assert summary.written == 2_500
    assert most <= (1_001 if name == "parquet" else 3)


def whole(name: str, folder: Path, *made: Any, margins: tuple[float | None, ...] = ()) -> Any:
    return json.loads(written(name, folder, *made, margins=margins)[0].read_text("utf-8"))


def test_annotated_pairs_hold_the_choice_and_the_model(tmp_path: Path) -> None:
    found = whole("annotated-pairs", tmp_path, *MANY, margins=MARGINS)
    told = "The reply that the reward model org/m gives more"
    model = md5(told.encode()).hexdigest()[:8]
    assert found["metadata"] == {
        "version": "2.0",
        "description": "Made pairs. Which reply is a and which is b was drawn for each pair"
        " (seed 0).",
        "created_at": "1970-01-01T00:00:00Z",
        "dataset_name": "made",
        "default_annotator": "ba751e7b",
        "available_metadata_keys_per_comparison": ["row_id", "subset"],
    }
    assert found["annotators"] == {
        "ba751e7b": {
            "name": "people's choice",
            "description": "The people's choice of made",
            "type": "human",
        },
        model: {"name": "org/m", "description": told, "type": "reward_model"},
    }
    for n, one in enumerate(found["comparisons"]):
        first = "a" if one["response_a"]["text"] == f"Hello {n}." else "b"
        other = {"a": "b", "b": "a"}[first]
        assert one[f"response_{other}"] == {"text": f"Go {n}."}
        said = [
            {"pref": first},
            {"pref": other},
            {"pref": None, "no_pref_reason": "tie"},
            {"pref": None, "no_pref_reason": "invalid"},
        ][n % 4]
        assert one["annotations"] == {"ba751e7b": {"pref": first}, model: said}
        assert (one["prompt"], one["metadata"]) == ("Hi", {"row_id": n, "subset": "s"})
        replies = (json.dumps(one[f"response_{side}"], sort_keys=True) for side in "ab")
        assert one["id"] == md5("|".join(["Hi", *replies]).encode()).hexdigest()[:8]


@pytest.mark.parametrize("name", ["annotated-pairs", "argilla", "label-studio"])
def test_which_reply_is_first_is_drawn_and_said(name: str, tmp_path: Path) -> None:
    path, summary = written(name, tmp_path, *MANY)
    assert summary.sentences[-1] == (
        "Which reply is a and which is b was drawn for each pair (seed 0)."
    )
    order = [content(*MANY).first_side(n) for n in range(len(MANY))]
    assert 10 < order.count("chosen") < 30
    told = path.read_text("utf-8")
    ahead = [told.index(f"Hello {n}.") < told.index(f"Go {n}.") for n in range(len(MANY))]
    assert ahead == [side == "chosen" for side in order]


def test_the_same_pair_twice_is_two_comparisons(tmp_path: Path) -> None:
    """Readers drop repeated ids in silence."""
    # In the same order both would have the same id.
    one, other = [n for n in range(20) if content().first_side(n) == "chosen"][:2]
    twice = (PLAIN._replace(row_id=one), PLAIN._replace(row_id=other))
    found = whole("annotated-pairs", tmp_path, *twice)
    first, second = found["comparisons"]
    assert first["id"] != second["id"]
    assert "row_id" not in first["response_a"] and second["response_a"]["row_id"] == str(other)


def test_a_long_prompt_is_a_transcript_and_a_reply_stands_alone(tmp_path: Path) -> None:
    asked = [("System", "Be kind."), ASK, ("Assistant", "Yes?"), ("Human", "More")]
    made = pair([*asked, ("Assistant", "a")], [*asked, ("Assistant", "b")])
    (one,) = whole("llm-comparator", tmp_path, made)["examples"]
    assert one["input_text"] == "System: Be kind.\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: More"
    assert (one["output_text_a"], one["output_text_b"]) == ("a", "b")


def test_llm_comparator_has_margins_within_its_scale(tmp_path: Path) -> None:
    found = whole("llm-comparator", tmp_path, *MANY[:4], margins=MARGINS[:4])
    assert found["models"] == [{"name": "chosen"}, {"name": "rejected"}]
    assert found["metadata"]["custom_fields_schema"] == [
        {"name": "row_id", "type": "number"},
        {"name": "subset", "type": "category"},
        {"name": "length difference", "type": "number"},
        {"name": "margin (org/m)", "type": "number"},
    ]
    # A typical margin is 2: half of one, twice one (cut at 1.5), none at all, not rated.
    assert [one["score"] for one in found["examples"]] == [0.5, -1.5, 0.0, None]
    raw = [one["custom_fields"]["margin (org/m)"] for one in found["examples"]]
    assert raw == [1.0, -4.0, 0.0, None], "nothing is cut there"
    for one in found["examples"]:
        assert one["custom_fields"]["length difference"] == len("Hello") - len("Go")
        assert [rating["score"] for rating in one["individual_rater_scores"]] == [one["score"]]


def test_argilla_records_keep_messages_and_ties(tmp_path: Path) -> None:
    made = [CASES[name] for name in ("system", "marker", "tie", "same")]
    system, marker, tie, same = whole("argilla", tmp_path, *made, margins=(1.0, None, 0.5, 0.0))
    assert system["fields"]["prompt"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
    ]
    said = system["suggestions"]["preference"]
    assert system["fields"][said["value"]] == "Hello."
    assert said["agent"] == "people's choice"
    assert system["metadata"] == {"row_id": 0, "subset": "s", "margin (org/m)": 1.0}
    assert "margin (org/m)" not in marker["metadata"], "what has no value is not there"
    assert marker["fields"][marker["suggestions"]["preference"]["value"]] == (
        "a\n\nHuman: b\n\nAssistant: c"
    )
    assert [one["suggestions"]["preference"]["value"] for one in (tie, same)] == ["tie", "tie"]


def test_label_studio_tasks_predict_what_each_prefers(tmp_path: Path) -> None:
    made = [*MANY[:4], CASES["tie"]]
    tasks = whole("label-studio", tmp_path, *made, margins=(*MARGINS[:4], 1.0))
    for n, task in enumerate(tasks[:4]):
        data = task["data"]
        assert data["prompt"] == [{"role": "user", "content": "Hi"}]
        sides = {"left": data["response_a"], "right": data["response_b"]}
        picked = {
            one["model_version"]: sides[one["result"][0]["value"]["selected"]]
            for one in task["predictions"]
        }
        model = {0: {"org/m": f"Hello {n}."}, 1: {"org/m": f"Go {n}."}}.get(n, {})
        assert picked == {"people's choice": f"Hello {n}.", **model}
    assert [one["model_version"] for one in tasks[4]["predictions"]] == ["org/m"], "a tie: nothing"
    for name in ("prompt", "response_a", "response_b"):
        assert f'value="${name}"' in CONFIG and name in tasks[0]["data"]
