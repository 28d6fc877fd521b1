"""Labelling text by text: every text once, kept at once, asked again with the reason."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from given.support import write_pairs

from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import FEATURES, LabelPrompt
from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import LEXICON, DatasetRequest, LabelSpec
from ivan_core.engine import archive, handling as runs
from ivan_core.engine.opened import runs_of
from ivan_core.engine.studies import study_of
from ivan_core.experiments.labels import work as label_work
from ivan_core.experiments.labels.results import labels_of_row, open_labels
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

FIVE = FEATURES[:5]


class Fake:
    """A labeler that says yes to everything, or what it is told to say of a text."""

    def __init__(
        self, answers: Callable[[LabelPrompt, int], str | ModelReply], revision: str = "1"
    ) -> None:
        self.card = AnswererCard("fake:1b", revision, "ollama", (("seed", "0"),))
        self.asked: list[LabelPrompt] = []
        self._answers = answers

    def label(self, prompt: LabelPrompt) -> ModelReply:
        self.asked.append(prompt)
        answer = self._answers(prompt, len(self.asked))
        return answer if isinstance(answer, ModelReply) else ModelReply(answer, finish="stop")


def yes(prompt: LabelPrompt, _: int = 0) -> str:
    return json.dumps(dict.fromkeys(prompt.keys, True))


def spec(path: Path, labeler: str = "fake:1b", keys: Sequence[str] = FIVE) -> LabelSpec:
    dataset = DatasetRequest(source=str(path))
    return LabelSpec(dataset=dataset, labeler=labeler, keys=tuple(keys))


def labelled(data_dir: Path, asked: LabelSpec, monkeypatch: pytest.MonkeyPatch, fake: Fake) -> str:
    monkeypatch.setattr(label_work, "make_labeler", lambda _: fake)
    registry = Registry(data_dir)
    run_id, new = registry.add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    assert new
    work(registry, run_id)
    return run_id


def test_both_texts_of_every_pair_are_labelled_once(data_dir, tmp_path, monkeypatch) -> None:
    fake = Fake(yes)
    run_id = labelled(data_dir, spec(write_pairs(tmp_path / "p.jsonl", 6)), monkeypatch, fake)
    assert runs.get(run_id).state is RunState.DONE
    assert sorted({prompt.key.custom_id for prompt in fake.asked}) == sorted(
        f"{row}.{side}" for row in range(6) for side in ("chosen", "rejected")
    )
    assert len(fake.asked) == 12
    results = open_labels(run_id)
    assert results.line == (
        "12 submitted = 12 valid + 0 repaired + 0 refused + 0 failed + 0 invalid + 0 missing"
    )
    path = data_dir / "taxonomy-control" / f"{run_id}-fake-1b-control.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["row_id"] + row["preference"] for row in rows][:3] == [
        "0chosen",
        "0rejected",
        "1chosen",
    ]
    assert list(rows[0]) == ["row_id", "preference", "text", *FEATURES]
    assert {row[key] for row in rows for key in FIVE} == {"True"}
    assert rows[0]["text"].startswith("\n\nHuman: Question 0?")
    manifest = results.manifest
    assert manifest["labeler"]["revision"] == "1" and manifest["labeler"]["settings"] == {
        "seed": "0"
    }
    assert len(manifest["prompt"]["hash"]) == 16 and manifest["spend_usd"] == 0


def test_an_answer_that_cannot_be_used_is_asked_for_again_with_the_reason(
    data_dir, tmp_path, monkeypatch
) -> None:
    def second_time(prompt: LabelPrompt, count: int) -> str:
        return yes(prompt) if count % 2 == 0 else '{"topics": "my own words"}'

    fake = Fake(second_time)
    run_id = labelled(data_dir, spec(write_pairs(tmp_path / "p.jsonl", 1)), monkeypatch, fake)
    assert open_labels(run_id).counts["valid"] == 2 and len(fake.asked) == 4
    first, again = fake.asked[:2]
    assert again.user.startswith(first.user) and "could not be used" in again.user
    assert "my own words" not in again.user
    assert list(open_labels(run_id).table["attempt"]) == [2, 2]


def test_what_stays_unusable_is_listed_and_nothing_is_dropped(
    data_dir, tmp_path, monkeypatch
) -> None:
    def odd(prompt: LabelPrompt, _: int) -> str | ModelReply:
        if prompt.key.custom_id == "0.chosen":
            return "no JSON here"
        if prompt.key.custom_id == "0.rejected":
            return ModelReply(refusal="I will not.")
        if prompt.key.custom_id == "1.chosen":
            return ModelReply(problem="the answer took too long")
        return yes(prompt)

    fake = Fake(odd)
    run_id = labelled(data_dir, spec(write_pairs(tmp_path / "p.jsonl", 2)), monkeypatch, fake)
    counts = open_labels(run_id).counts
    assert (counts["valid"], counts["refused"], counts["failed"], counts["invalid"]) == (1, 1, 1, 1)
    assert sum(1 for one in fake.asked if one.key.custom_id == "0.chosen") == 3
    assert sum(1 for one in fake.asked if one.key.custom_id == "0.rejected") == 1
    path = data_dir / "taxonomy-control" / f"{run_id}-fake-1b-control-failed.csv"
    with path.open(newline="") as file:
        rows = {row["row_id"] + row["preference"]: row for row in csv.DictReader(file)}
    assert rows["0chosen"]["raw"] == "no JSON here" and rows["0chosen"]["attempt"] == "3"
    assert rows["1chosen"]["state"] == "failed" and "too long" in rows["1chosen"]["reason"]


def test_a_labeler_that_goes_away_leaves_a_run_that_goes_on(
    data_dir, tmp_path, monkeypatch
) -> None:
    def gone(prompt: LabelPrompt, count: int) -> str:
        if count == 7:
            raise BackendUnavailable("Ollama went away.", "Start it again.")
        return yes(prompt)

    asked = spec(write_pairs(tmp_path / "p.jsonl", 5))
    run_id = labelled(data_dir, asked, monkeypatch, Fake(gone))
    run = runs.get(run_id)
    assert (run.state, run.problem, run.done) == (RunState.FAILED, "Ollama went away.", 6)
    with pytest.raises(BadInput, match="no labels yet"):
        open_labels(run_id)
    again = Fake(yes, revision="2")
    monkeypatch.setattr(label_work, "make_labeler", lambda _: again)
    assert runs.registry().requeue(run_id)
    work(Registry(data_dir), run_id)
    assert len(again.asked) == 4
    assert runs.get(run_id).state is RunState.DONE and open_labels(run_id).counts["valid"] == 10
    assert "changed while this run stood still" in runs.get(run_id).notes[-1]


def test_counts_so_far_are_told_while_it_is_at_work(data_dir, tmp_path, monkeypatch) -> None:
    def mixed(prompt: LabelPrompt, _: int) -> str:
        return json.dumps(dict.fromkeys(prompt.keys, prompt.key.preference == "chosen"))

    asked = spec(write_pairs(tmp_path / "p.jsonl", 3))
    run_id = labelled(data_dir, asked, monkeypatch, Fake(mixed))
    facts = json.loads(runs.get(run_id).facts)
    assert facts["states"] == {"valid": 6}
    assert facts["labels"][FIVE[0]] == {"chosen": {"True": 3}, "rejected": {"False": 3}}


def test_labels_join_a_pair_by_row_and_side(data_dir, tmp_path, monkeypatch) -> None:
    def by_side(prompt: LabelPrompt, _: int) -> str:
        labels = dict.fromkeys(prompt.keys, True)
        labels[FIVE[1]] = prompt.key.preference == "chosen"
        return json.dumps(labels)

    path = write_pairs(tmp_path / "p.jsonl", 3)
    first = labelled(data_dir, spec(path), monkeypatch, Fake(yes))
    second = labelled(data_dir, spec(path, keys=FIVE[:2]), monkeypatch, Fake(by_side))
    content = open_labels(first).dataset.about["content"]
    assert {run.id for run in runs_of("labels", content)} == {first, second}
    assert runs_of("labels", "another") == []
    (found,) = labels_of_row(content, 1)  # one labeler: its newest run
    assert found.run_id == second and found.differing == (FIVE[1],)
    assert found.chosen == {FIVE[0]: True, FIVE[1]: True}
    study = study_of(first)
    assert study is not None and study.stages[1].name == "Labels" and study.stages[1].finished


def test_the_rules_label_the_sample_and_deleting_takes_their_files(data_dir) -> None:
    asked = runs.located(LabelSpec(limit=12))
    assert asked.labeler == LEXICON
    run_id, _ = runs.registry().add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    work(runs.registry(), run_id)
    assert open_labels(run_id).counts["valid"] == 24 and open_labels(run_id).rule_based
    (path,) = (data_dir / "taxonomy-control").iterdir()
    told = archive.delete(run_id).sentence
    assert told.startswith(f"Deleted run {run_id}") and "rewards" not in told
    assert not path.exists() and runs_of("labels") == []
