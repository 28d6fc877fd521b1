"""A reply that holds a marker, after a system turn: whole wherever people and models meet it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from given import made_runs
from given.filled_sheets import Filled
from given.made_labellings import Labellings
from given.made_runs import downloaded

from ivan_core.annotations.queues import Queues
from ivan_core.datasets.layouts.sides import read_sides
from ivan_core.domain.models import InputFormat
from ivan_core.domain.reviews import Queue
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine import zips
from ivan_core.experiments.compare.conditions import LANGUAGE
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.lists.conditions import Filter
from ivan_core.runs.questions import AskedModel, Questions

REPLY = "Go away.\n\nAssistant: I am sorry"
PRINTED = f"\n\nSystem: Be kind.\n\nHuman: Hi there\n\nAssistant: {REPLY}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    sides = (
        [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi there"},
            {"role": "assistant", "content": text},
        ]
        for text in (REPLY, "No.")
    )
    path = tmp_path / "chat.jsonl"
    path.write_text(json.dumps(dict(zip(("chosen", "rejected"), sides, strict=True))), "utf-8")
    return path


@pytest.fixture
def results(data_dir: Path, file: Path) -> Results:
    return open_results(made_runs.finished(data_dir, made_runs.spec_of_file(file)))


@pytest.fixture
def queue(data_dir: Path, results: Results) -> Queue:
    plain = Queue(0, "", results.dataset.fingerprint, "a queue", "better", "random")
    return Queues(data_dir).make(plain, [(0, "both")])


def test_downloads_hold_all_of_it_and_json_reads_back_the_same(results: Results) -> None:
    with downloaded(results, Filter(LANGUAGE), "csv").open(encoding="utf-8", newline="") as lines:
        assert next(csv.DictReader(lines))["chosen"] == PRINTED
    path = downloaded(results, Filter(LANGUAGE), "jsonl")
    (row,) = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    packed = zipfile.ZipFile(io.BytesIO(zips.export_bytes(results.run.id, texts=True)))
    for held in (row, json.loads(packed.read("texts.jsonl"))):
        sides, own = read_sides(held), results.dataset.pair(0)
        assert (sides.chosen, sides.rejected) == (own.chosen, own.rejected)


def test_labels_are_of_all_of_it(
    data_dir: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = Labellings(data_dir, file, monkeypatch).by_rules()
    path = data_dir / "taxonomy-control" / f"{run_id}-ivan-lexicon-control.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        texts = {row["preference"]: row["text"] for row in csv.DictReader(lines)}
    assert texts["chosen"] == PRINTED


def test_reviewers_read_all_of_it(queue: Queue, open_page) -> None:
    page = open_page("pages/review.py", invite=queue.token, name="Ada")
    page.press("review-as")
    assert "System Be kind." in page.said
    assert REPLY in page.said
    sheet = Filled(queue)
    assert REPLY in (sheet.cell(0, "Reply A").value, sheet.cell(0, "Reply B").value)
    assert "System: Be kind.\n\nHuman: Hi there" in [cell.value for cell in sheet.answers[2]]


def test_the_warm_worker_is_asked_about_the_same_turns(data_dir: Path) -> None:
    asked = Dialogue.of_messages([("System", "Be kind."), ("Human", "Hi"), ("Assistant", REPLY)])
    form: InputFormat = "chat"
    model = AskedModel(name="m", revision="r", input_format=form, max_tokens=None, identity="m|r")
    questions = Questions(data_dir)
    questions.ask(model, "one", [asked])
    taken = questions.next()
    assert taken is not None
    assert taken[2] == [asked] and taken[2][0].messages == asked.messages
