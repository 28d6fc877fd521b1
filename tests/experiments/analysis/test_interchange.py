"""Analysed pairs as other tools read them: what each file holds, by expectations worked by hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from given.hostile import texts
from given.made_analyses import MOVED, OTHER, PAIRS, PLAIN, UNLABELLED, UNRATED, Analysing, reward
from given.made_reviews import Said
from given.made_runs import write_rows

from ivan_core.annotations.opinions import Decisions
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, Decision
from ivan_core.experiments.analysis.interchange import write as writing
from ivan_core.experiments.analysis.interchange.write import (
    Asked,
    content_of,
    export,
    export_bytes,
    manifest_bytes,
    manifest_name,
    settled_of,
)
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.compare.results import open_results


@pytest.fixture
def analysed(analysing: Analysing) -> Analysed:
    return open_analysis(analysing.analysed(analysing.compared(), analysing.labelled()))


def whole(analysed: Analysed, wanted: str, **asked: Any) -> Any:
    return json.loads(export_bytes(analysed, Asked(wanted, **asked)))


def lines(analysed: Analysed, **asked: Any) -> dict[int, dict[str, Any]]:
    told = export_bytes(analysed, Asked("dpo", **asked)).decode().splitlines()
    return {line["row_id"]: line for line in map(json.loads, told)}


def test_annotated_pairs_have_the_choice_each_model_and_each_feature(
    analysing: Analysing, analysed: Analysed
) -> None:
    found = whole(analysed, "annotated-pairs")
    assert list(found) == ["metadata", "annotators", "comparisons"]
    about = found["metadata"]
    assert (about["version"], about["default_annotator"]) == ("2.0", "ba751e7b")
    beside = ["row_id", "subset", "done", "settled", "people"]
    assert about["available_metadata_keys_per_comparison"] == beside
    assert about["dataset_name"] == "written.jsonl", "a name, never a path"
    annotators = found["annotators"]
    assert annotators["ba751e7b"]["type"] == "unknown", "the data does not say who chose"
    by_name = {one["name"]: key for key, one in annotators.items()}
    plain, moved, refuses, insults = (
        by_name[name] for name in (PLAIN, MOVED, "Refusal (reader:1b)", "Insult (reader:1b)")
    )
    assert annotators[plain]["type"] == "reward_model"
    assert annotators[refuses] == {
        "name": "Refusal (reader:1b)",
        "description": "Select the response that refuses (labels by reader:1b)",
        "type": "principle",
    }
    ids = [one["id"] for one in found["comparisons"]]
    assert len(set(ids)) == PAIRS and all(re.fullmatch("[0-9a-f]{8}", one) for one in ids)
    for row, one in enumerate(found["comparisons"]):
        assert set(one["annotations"]) == set(annotators)
        assert (one["prompt"], one["metadata"]["row_id"]) == (f"Ask {row}", row)
        chosen, rejected = analysing.replies[row]
        first = "a" if one["response_a"]["text"] == chosen else "b"
        other = {"a": "b", "b": "a"}[first]
        assert one[f"response_{other}"] == {"text": rejected}
        assert one["annotations"]["ba751e7b"] == {"pref": first}
        if row not in (UNRATED, UNLABELLED):
            more = reward(PLAIN, chosen) > reward(PLAIN, rejected)
            assert one["annotations"][plain] == {"pref": first if more else other}
            sorry = ["sorry" in reply for reply in (chosen, rejected)]
            wanted = {"pref": first if sorry[0] else other}
            if sorry[0] == sorry[1]:
                wanted = {"pref": None, "no_pref_reason": "not_applicable"}
            assert one["annotations"][refuses] == wanted
    invalid = {"pref": None, "no_pref_reason": "invalid"}
    assert found["comparisons"][UNRATED]["annotations"][moved] == invalid
    assert found["comparisons"][UNLABELLED]["annotations"][insults] == invalid


def test_sides_are_shuffled_and_always_the_same_way(analysed: Analysed) -> None:
    found = whole(analysed, "annotated-pairs")["comparisons"]
    sides = [one["annotations"]["ba751e7b"]["pref"] for one in found]
    assert 15 < sides.count("a") < 45
    source = content_of(analysed, Asked("annotated-pairs"))
    assert sides == ["a" if source.first_side(row) == "chosen" else "b" for row in range(PAIRS)]
    spec = analysed.spec.model_copy(update={"seed": 7})
    other = content_of(replace(analysed, spec=spec), Asked("annotated-pairs"))
    assert sides != ["a" if other.first_side(row) == "chosen" else "b" for row in range(PAIRS)]


def test_llm_comparator_has_every_field_in_every_example(
    analysing: Analysing, analysed: Analysed
) -> None:
    found = whole(analysed, "llm-comparator")
    assert found["models"] == [{"name": "chosen"}, {"name": "rejected"}]
    fields = {one["name"]: one["type"] for one in found["metadata"]["custom_fields_schema"]}
    assert fields == {
        "row_id": "number",
        "subset": "category",
        "done": "category",
        "settled": "category",
        "people": "number",
        "length difference": "number",
        **{f"margin ({model})": "number" for model in (PLAIN, MOVED, OTHER)},
        "Refusal": "per_model_boolean",
        "Sentiment": "per_model_category",
        "Insult": "per_model_boolean",
    }
    assert "/" not in found["metadata"]["source_path"].replace(PLAIN, "")
    unit = open_results(analysed.spec.comparison).typical_margins[PLAIN]
    assert unit is not None
    mood = {"glad": "positive", "sad": "negative"}
    for row, one in enumerate(found["examples"]):
        assert set(one) == {
            *("input_text", "tags", "output_text_a", "output_text_b", "score"),
            *("individual_rater_scores", "rationale_list", "custom_fields"),
        }
        assert set(one["custom_fields"]) == set(fields)
        chosen, rejected = analysing.replies[row]
        assert (one["output_text_a"], one["output_text_b"]) == (chosen, rejected)
        assert one["custom_fields"]["length difference"] == len(chosen) - len(rejected)
        assert (one["tags"], len(one["individual_rater_scores"])) == ([], 3)
        assert one["individual_rater_scores"][0]["rating_label"] == PLAIN
        assert one["individual_rater_scores"][0]["score"] == one["score"]
        if row in (UNRATED, UNLABELLED):
            continue
        margin = reward(PLAIN, chosen) - reward(PLAIN, rejected)
        assert one["custom_fields"][f"margin ({PLAIN})"] == pytest.approx(margin, abs=1e-5)
        assert one["score"] == pytest.approx(max(-1.5, min(1.5, margin / unit)), abs=1e-5)
        both = (chosen, rejected)
        assert one["custom_fields"]["Refusal"] == ["sorry" in reply for reply in both]
        told = [next((mood[w] for w in mood if w in reply), "neutral") for reply in both]
        assert one["custom_fields"]["Sentiment"] == told
    assert found["examples"][UNRATED]["score"] is None
    assert found["examples"][UNLABELLED]["custom_fields"]["Insult"] == [None, None]
    assert any(abs(one["score"] or 0) == 1.5 for one in found["examples"])


def test_scores_are_of_the_model_that_is_named(analysed: Analysed) -> None:
    first, other = (whole(analysed, "llm-comparator", model=name) for name in (PLAIN, OTHER))
    assert f"the margin of {OTHER}" in other["metadata"]["source_path"]
    assert [one["score"] for one in first["examples"]] != [
        one["score"] for one in other["examples"]
    ]
    with pytest.raises(BadInput, match="not about org/nobody"):
        whole(analysed, "llm-comparator", model="org/nobody")


def test_labels_of_several_labelers_stand_apart(analysing: Analysing) -> None:
    labelled = analysing.labelled(), analysing.labelled("other:1b")
    found = open_analysis(analysing.analysed(analysing.compared(), *labelled))
    fields = whole(found, "llm-comparator")["metadata"]["custom_fields_schema"]
    names = [one["name"] for one in fields]
    assert {"Refusal (reader:1b)", "Refusal (other:1b)"} < set(names)
    assert len(names) == len(set(names))
    annotators = whole(found, "annotated-pairs")["annotators"]
    told = [one["description"] for one in annotators.values()]
    assert len(told) == len(set(told))


def test_preferences_for_training_are_messages_with_a_prompt_of_their_own(
    analysing: Analysing, tmp_path: Path
) -> None:
    asked = "\n\nHuman: q\n\nAssistant: {}\n\nHuman: go"
    rows = [
        ("\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: good", "bad"),
        ("\n\nHuman: x\n\nAssistant: good", "\n\nHuman: y\n\nAssistant: bad"),
        ("\n\nHuman: same\n\nAssistant: same", "same"),
        (asked.format("yes"), asked.format("no")),
    ]
    both = []
    for chosen, said in rows:
        start = chosen.rpartition("Assistant:")[0] + "Assistant: "
        both.append({"chosen": chosen, "rejected": said if said[:2] == "\n\n" else start + said})
    analysing.file = write_rows(tmp_path / "turns.jsonl", both)
    analysing.replies = [("good", "bad")] * len(rows)
    analysing._labellings.file = analysing.file
    found = open_analysis(analysing.analysed(analysing.compared(), analysing.labelled()))
    made = export(found, Asked("dpo"), tmp_path)
    (line,) = map(json.loads, made.path.read_text("utf-8").splitlines())
    assert {f"margin ({model})" for model in (PLAIN, MOVED, OTHER)} < line.keys()
    assert {"Refusal (chosen)", "Refusal (rejected)"} < line.keys()
    assert {name: value for name, value in line.items() if "(" not in name} == {
        "prompt": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ],
        "chosen": [{"role": "assistant", "content": "good"}],
        "rejected": [{"role": "assistant", "content": "bad"}],
        "row_id": 0,
        "subset": "",
        "done": "kept",
        "settled": None,
        "people": 0,
    }
    assert made.counts == {
        "kept": 1,
        "left out: the two prompts differ": 1,
        "left out: both sides are the same text": 1,
        "left out: a side has no reply": 1,
    }
    manifest = json.loads(made.path.with_name(f"{found.run.id}-dpo-manifest.json").read_text())
    assert (manifest["lines"], manifest["counts"]) == (1, dict(made.counts))


@pytest.fixture
def settled(analysed: Analysed, data_dir: Path) -> Analysed:
    """Rows 0 to 3: both say rejected, both say chosen, they differ, both see no difference; row 4
    one person alone. On row 2 somebody decided for the rejected one."""
    said = Said(data_dir, analysed.dataset.fingerprint)
    queue = said.pairs(6)
    said.choose(queue, "Ann", {0: "rejected", 1: "chosen", 2: "chosen", 3: "none", 4: "rejected"})
    said.choose(queue, "Bob", {0: "rejected", 1: "chosen", 2: "rejected", 3: "none"})
    decision = Decision(queue.id, 2, "both", BETTER, "rejected", "Cem")
    Decisions(data_dir).settle(decision)
    return analysed


@pytest.mark.parametrize(
    ("wanted", "done"),
    [
        ("keep", ["kept", "kept", "kept", "kept", "kept"]),
        ("flip", ["flipped", "kept", "flipped", "kept", "kept"]),
        ("drop", [None, "kept", None, None, "kept"]),
    ],
)
def test_what_people_settled_is_kept_flipped_or_dropped(
    analysing: Analysing, settled: Analysed, wanted: str, done: list[str | None]
) -> None:
    found = lines(settled, settled=wanted)
    assert [found[row]["done"] if row in found else None for row in range(5)] == done
    people = {0: 2, 1: 2, 2: 2, 3: 2, 4: 1, 5: 0}
    answers = {0: "rejected", 1: "chosen", 2: "rejected", 3: "none", 4: None, 5: None}
    for row in set(people) & set(found):
        assert (found[row]["people"], found[row]["settled"]) == (people[row], answers[row])
        sides = found[row]["chosen"][0]["content"], found[row]["rejected"][0]["content"]
        said = analysing.replies[row]
        assert sides == (said[::-1] if found[row]["done"] == "flipped" else said)


def test_the_manifest_counts_what_was_settled(settled: Analysed, tmp_path: Path) -> None:
    made = export(settled, Asked("dpo", settled="drop"), tmp_path)
    assert dict(made.counts) == {
        "left out: people settled otherwise": 3,
        "kept": PAIRS - 3,
        "settled for rejected": 2,
        "settled for chosen": 1,
        "settled for none": 1,
    }
    assert "3 left out: people settled otherwise." in made.sentence
    # The page tells these before anything is downloaded, and hands out the same counts.
    assert settled_of(settled) == {"rejected": 2, "chosen": 1, "none": 1}
    told = json.loads(manifest_bytes(settled, Asked("dpo", settled="drop")))
    assert told == json.loads((tmp_path / manifest_name(settled.run.id)).read_text())
    assert (told["lines"], told["settled"]) == (PAIRS - 3, "drop")


def test_hostile_texts_come_back_as_they_are(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = [*texts("http://127.0.0.1:9"), 'quote " back\\slash', "line\u2028and\u2029page\u0085"]
    said = [(f"{text} sorry", f"no {text}") for text in hostile]
    made = Analysing(data_dir, monkeypatch, said, lambda row: f"Ask {hostile[row]}")
    found = open_analysis(made.analysed(made.compared(), made.labelled()))
    pairs = whole(found, "annotated-pairs")["comparisons"]
    for row, (chosen, rejected) in enumerate(said):
        sides = {pairs[row]["response_a"]["text"], pairs[row]["response_b"]["text"]}
        assert sides == {chosen.strip(), rejected.strip()}
        assert pairs[row]["prompt"] == f"Ask {hostile[row]}".strip()
    examples = whole(found, "llm-comparator")["examples"]
    assert [one["output_text_a"] for one in examples] == [chosen.strip() for chosen, _ in said]
    training = lines(found)
    assert [training[row]["chosen"][0]["content"] for row in range(len(said))] == [
        chosen.strip() for chosen, _ in said
    ]


def test_above_the_most_it_is_a_draw_by_the_seed_unless_all_are_asked_for(
    analysed: Analysed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST", 10)
    drawn = list(lines(analysed))
    assert len(drawn) == 10 and drawn == sorted(drawn) and drawn == list(lines(analysed))
    assert drawn != list(range(10))
    assert len(lines(analysed, every=True)) == PAIRS


def test_a_file_is_written_whole_or_not_at_all(
    analysed: Analysed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    with pytest.raises(BadInput, match="There is no folder"):
        export(analysed, Asked("dpo"), folder)
    folder.mkdir()
    with pytest.raises(BadInput, match="not about"):
        export(analysed, Asked("llm-comparator", model="org/nobody"), folder)
    assert list(folder.iterdir()) == []
    made = export(analysed, Asked("annotated-pairs"), folder)
    assert made.path.read_bytes() == export_bytes(analysed, Asked("annotated-pairs"))
    assert made.sentence.startswith(f"{PAIRS} pairs of {PAIRS}, with their texts. ")
    assert "Which reply is a and which is b was drawn" in made.sentence
