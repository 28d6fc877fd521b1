"""Result files of any engine become a finished run; a request file is answered at any server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Barrier

import pytest
from given.support import write_pairs
from given.taxonomy_runs import spec_of

from ivan_core.demo.answers import label
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import FEATURES, REWRITE_FEATURES
from ivan_core.domain.models import ModelReply
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.batches.answers import AnswerFile, FilePlan, plan_file, run_file
from ivan_core.experiments.batches.import_files import import_files
from ivan_core.experiments.labels.results import open_labels

FREE = (0.0, 0.0)


@pytest.fixture
def dataset(tmp_path: Path, data_dir: Path) -> DatasetRequest:
    return DatasetRequest(source=str(write_pairs(tmp_path / "pairs.jsonl", 6)))


def answer(custom_id: str, keys: tuple[str, ...] = FEATURES) -> str:
    body = {
        "model": "llama-9",
        "choices": [{"message": {"content": label(keys, "Hello")}, "finish_reason": "stop"}],
    }
    return json.dumps({"custom_id": custom_id, "response": {"status_code": 200, "body": body}})


def test_result_files_become_a_run(tmp_path: Path, dataset: DatasetRequest, data_dir: Path) -> None:
    failed = json.dumps({"custom_id": "1.rejected", "response": None, "error": "out of memory"})
    lines = [answer("0.chosen"), answer("0.rejected"), "", answer("1.chosen"), failed]
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b'\r\n{"custom_id": "2.cho')
    entered = import_files([path], dataset)
    assert entered.model == "llama-9"
    assert entered.sentence == (
        "4 submitted = 3 valid + 0 repaired + 0 refused + 1 failed + 0 invalid + 0 missing. "
        "Beside it: 1 damaged line."
    )
    run = runs.get(entered.run_id)
    assert run.state is RunState.DONE
    results = open_labels(entered.run_id)
    assert (results.labeler, len(results.table)) == ("llama-9", 4)
    assert (data_dir / "taxonomy-output" / f"{entered.run_id}.csv").exists()
    assert (data_dir / "taxonomy-output" / f"{entered.run_id}-failed.csv").exists()


def test_labels_that_nobody_asked_for_are_not_missed(
    tmp_path: Path, dataset: DatasetRequest
) -> None:
    path = tmp_path / "five.jsonl"
    path.write_text(answer("0.chosen", REWRITE_FEATURES) + "\n")
    entered = import_files([path], dataset, model="our-model")
    assert entered.sentence.startswith("1 submitted = 1 valid")
    assert set(open_labels(entered.run_id).keys) == set(REWRITE_FEATURES)


def test_lines_of_other_texts_are_refused_unless_forced(
    tmp_path: Path, dataset: DatasetRequest, data_dir: Path
) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("\n".join([answer("0.chosen"), answer("600.chosen"), answer("x")]) + "\n")
    with pytest.raises(BadInput, match="2 lines of texts that were not asked for"):
        import_files([path], dataset)
    assert runs.every("taxonomy") == []
    entered = import_files([path], dataset, force=True)
    assert "2 lines of texts that were not submitted" in entered.sentence


def test_a_file_of_another_kind_is_refused(tmp_path: Path, dataset: DatasetRequest) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary\n")
    with pytest.raises(BadInput, match="holds no line about a text"):
        import_files([path], dataset)
    with pytest.raises(BadInput, match="There is no file"):
        import_files([tmp_path / "gone.jsonl"], dataset)
    assert runs.every("taxonomy") == []


def test_requests_are_not_taken_for_results(
    tmp_path: Path, dataset: DatasetRequest, data_dir: Path
) -> None:
    path = tmp_path / "2026-11-25-10-00-1-input.jsonl"
    body = {"model": "m", "messages": []}
    path.write_text(json.dumps({"custom_id": "0.chosen", "method": "POST", "body": body}) + "\n")
    with pytest.raises(BadInput, match="holds requests, not results") as refused:
        import_files([path], dataset)
    assert "run-file" in refused.value.hint
    assert runs.every("taxonomy") == []


def request_file(tmp_path: Path, data_dir: Path) -> Path:
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    shown = taxonomy.estimate(run_id)
    assert shown
    return data_dir / shown.files[0].path


def planned(path: Path, server: DemoServer) -> FilePlan:
    return plan_file(path, server.openai_url, prices=FREE)


def test_a_request_file_is_answered_and_imported(
    server: DemoServer, tmp_path: Path, data_dir: Path, dataset: DatasetRequest
) -> None:
    path = request_file(tmp_path, data_dir)
    plan = planned(path, server)
    assert (plan.requests, plan.left, plan.demo) == (12, 12, True)
    answers = run_file(plan, server.openai_url, concurrency=3)
    assert len(answers.answered) == 12
    assert planned(path, server).left == 0
    entered = import_files([plan.out], dataset)
    assert entered.sentence.startswith("12 submitted = 12 valid")
    # It answers by rules under the model's name: nobody may take its labels for the model's.
    assert entered.model == f"{plan.model} (demo server)"
    assert open_labels(entered.run_id).of_demo


@pytest.mark.parametrize("given", ["", "our-model"])
def test_answers_of_the_demo_server_stay_its_own_under_any_name(
    tmp_path: Path, dataset: DatasetRequest, given: str
) -> None:
    lines = [json.loads(answer(f"{row}.chosen")) for row in range(2)]
    lines[1]["response"]["body"]["system_fingerprint"] = "fp_ivan_demo"
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    entered = import_files([path], dataset, model=given)
    assert entered.model == f"{given or lines[0]['response']['body']['model']} (demo server)"


class Stopping:
    """Answers, and stops for good after so many."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[str] = []

    def __call__(self, body: Mapping[str, object]) -> ModelReply:
        if len(self.asked) == self.most:
            raise BackendUnavailable("The server is away.")
        self.asked.append(json.dumps(body))
        return ModelReply(label(FEATURES, "Hello"), finish="stop", input_tokens=7, output_tokens=3)


def test_a_stop_in_the_middle_loses_no_answer_and_asks_none_twice(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    path = request_file(tmp_path, data_dir)
    first, second = Stopping(5), Stopping(99)
    with pytest.raises(BackendUnavailable):
        run_file(planned(path, server), concurrency=1, send=first)
    with planned(path, server).out.open("ab") as file:
        file.write(b'{"custom_id": "5.chosen", "respon')  # torn by a crash
    plan = planned(path, server)
    assert plan.left == 7
    answers = run_file(plan, concurrency=1, send=second)
    assert (len(first.asked), len(second.asked)) == (5, 7)
    assert set(first.asked).isdisjoint(second.asked)
    assert (answers.input_tokens, answers.output_tokens) == (12 * 7, 12 * 3)
    assert len(plan.out.read_text().splitlines()) == 12


def test_who_stops_it_loses_no_answer_that_is_on_its_way(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    path = request_file(tmp_path, data_dir)
    asked = Barrier(4)

    def send(_: Mapping[str, object]) -> ModelReply:
        asked.wait(300)  # four are on their way before the first is answered
        return ModelReply(label(FEATURES, "Hello"), finish="stop")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    plan = planned(path, server)
    with pytest.raises(KeyboardInterrupt):
        run_file(plan, concurrency=4, send=send, progress=stop)
    assert planned(path, server).answered == 4
    assert len(plan.out.read_text().splitlines()) == 4


def test_what_failed_is_asked_for_again(server: DemoServer, tmp_path: Path, data_dir: Path) -> None:
    path = request_file(tmp_path, data_dir)
    run_file(planned(path, server), send=lambda _: ModelReply(problem="Too long."))
    assert planned(path, server).left == 12


def test_a_typed_server_has_no_price_until_one_is_given(
    server: DemoServer, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = request_file(tmp_path, data_dir)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    plan = plan_file(path, server.openai_url)
    assert plan.dollars is None
    with pytest.raises(BadInput, match="is not known"):
        run_file(plan, server.openai_url)
    dear = plan_file(path, server.openai_url, prices=(1_000.0, 0.0))
    assert dear.dollars and dear.dollars.bound == pytest.approx(dear.input_tokens / 1_000)
    with pytest.raises(BadInput, match="the cap is"):
        run_file(dear, server.openai_url, max_usd=0.01)
    assert len(server.requests) <= 2  # only whether it is a demo was asked


def test_answers_to_other_requests_are_not_mixed_in(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    path = request_file(tmp_path, data_dir)
    run_file(planned(path, server), send=Stopping(99))
    short = tmp_path / "short.jsonl"
    short.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(BadInput, match="answers to other requests"):
        plan_file(short, out=planned(path, server).out)
    with pytest.raises(BadInput, match="answers of gpt-6-luna, not of llama"):
        plan_file(path, model="llama", out=planned(path, server).out)
    assert len(planned(path, server).out.read_text().splitlines()) == 12


@pytest.mark.parametrize("usage", ['"many"', "1e400", "-5", "1" + "0" * 30, "[]"])
def test_an_absurd_usage_in_kept_answers_counts_as_unknown(tmp_path: Path, usage: str) -> None:
    line = answer("0.chosen").replace('"model":', '"usage": {"prompt_tokens": 7}, "model":')
    path = tmp_path / "answers.jsonl"
    path.write_text(f"{line}\n{line.replace('7}', usage + '}').replace('0.chosen', '1.chosen')}\n")
    found = AnswerFile(path)
    assert found.answered == {"0.chosen", "1.chosen"}
    assert (found.input_tokens, found.output_tokens) == (7, 0)
