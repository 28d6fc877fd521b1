"""What a paid rewording costs: told to the cent before, bound to an account, counted afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes.reward_models import Fakes
from fakes.rewriting import FakeRewriter, added, fake_tools, spec_of, work_here
from given import taxonomy_runs
from given.support import write_pairs

from ivan_core.backends.openai.chat import label_body
from ivan_core.backends.openai.client import account_for
from ivan_core.cli import rewrite as command
from ivan_core.cli.main import parser, run
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import REWRITE_FEATURES, TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.domain.options import command_of
from ivan_core.domain.rewriting import RewriteRequest
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest, RewriteSpec
from ivan_core.engine import datasets, handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.labels.reuse import answer_key
from ivan_core.experiments.rewrite import (
    cost as rewrite_cost,
    plan as rewrite,
    work as rewrite_work,
)
from ivan_core.experiments.rewrite.results import open_rewrite
from ivan_core.labels.prompt import build_prompt
from ivan_core.ledger.answers import Answer, Answers
from ivan_core.runs.context import Parts

LUNA = "openai:gpt-6-luna"


def asked(*words: str) -> RewriteSpec:
    return command.spec_from(parser().parse_args(["rewrite", *words]))


@pytest.fixture
def key(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    return "sk-test"


@pytest.fixture
def demo(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    with DemoServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        yield server


def test_labels_of_ten_pairs_are_priced_request_by_request(key: str) -> None:
    plan = rewrite.plan(asked("--row-ids", "0,1,2,3,4,5,6,7,8,9", "--labeler", LUNA))
    (cost,) = plan.costs
    # Originals, rewordings, and the originals once more: 3 times 20 texts.
    assert (cost.what, cost.model, cost.requests) == ("Labels", "gpt-6-luna", 60)
    assert cost.output_tokens == 60 * 47  # 5 of the 19 labels that take 180 tokens
    # $0.10 and $0.50 a million tokens; at the most three tries with 600 tokens each.
    assert cost.dollars is not None
    read = cost.input_tokens * 0.10
    assert cost.dollars.typical == pytest.approx((read + 60 * 47 * 0.50) / 1e6)
    assert cost.dollars.bound == pytest.approx(3 * (read + 60 * 600 * 0.50) / 1e6)
    assert plan.paid and "Labels by gpt-6-luna: about $0.0" in plan.sentence
    assert "genai-prices" in plan.sentence


def test_rewordings_and_labels_add_up_and_large_draws_are_estimated_from_a_hundred(
    key: str,
) -> None:
    plan = rewrite.plan(asked("--rewriter", LUNA, "--labeler", LUNA))
    words, labels = plan.costs
    assert (words.what, labels.what) == ("Rewording", "Labels")
    assert 480 * 4 < words.requests < 480 * 6.5
    both = rewrite_cost.total(plan.costs)
    assert both is not None and words.dollars is not None and labels.dollars is not None
    assert both.bound == pytest.approx(words.dollars.bound + labels.dollars.bound)
    assert "Estimated from 100 of these pairs." in plan.sentence
    assert plan.together.startswith("Together at the most $") and plan.together in plan.sentence


def test_a_model_without_a_price_is_told_in_tokens(key: str) -> None:
    plan = rewrite.plan(asked("--limit", "5", "--labeler", "openai:some-model"))
    assert plan.costs[0].dollars is None
    assert "Labels by some-model: no price is known (30 requests, about" in plan.sentence


def test_nothing_starts_without_a_yes_nor_beyond_a_cap(
    key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[str] = []
    monkeypatch.setattr(runs, "start", lambda spec: (started.append(spec.labeler), ("r", True))[1])
    words = ["rewrite", "--limit", "5", "--labeler", LUNA]
    assert run(words) == 1  # nobody sits at this terminal
    assert "nobody has accepted that" in capsys.readouterr().err and started == []
    assert run([*words, "--yes", "--max-usd", "0.0001"]) == 1
    assert "and the cap is $0.0001" in capsys.readouterr().err and started == []
    with pytest.raises(BadInput, match="cannot be told before the dataset has been read here"):
        rewrite.start(asked("--dataset", "Anthropic/hh-rlhf", "--labeler", LUNA), accept_cost=True)
    rewrite.start(asked("--limit", "5", "--labeler", LUNA), accept_cost=True)
    assert started == [LUNA]


def test_what_was_accepted_for_one_server_is_not_spent_at_another(
    demo: DemoServer, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(write_pairs(tmp_path / "p.jsonl", 3), labeler=LUNA, second=False)
    run_id = added(data_dir, spec)
    tools = fake_tools(FakeRewriter(), Fakes(silent=True))
    place = SimpleNamespace(id=run_id, data_dir=data_dir, parts={})
    real = rewrite_work.make_tools(spec, place, None)  # type: ignore[arg-type]
    with monkeypatch.context() as away:
        away.setattr(rewrite_work, "run_rewrite", lambda *_: (_ for _ in ()).throw(OSError("off")))
        work_here(data_dir, run_id, tools)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.example/v1")
    assert runs.registry().requeue(run_id)
    work_here(data_dir, run_id, replace(tools, labeler=real.labeler))
    stopped = runs.get(run_id)
    assert stopped.state is RunState.FAILED
    assert "started for another account or server" in stopped.problem
    monkeypatch.setenv("OPENAI_BASE_URL", demo.openai_url)
    assert runs.registry().requeue(run_id)
    work_here(data_dir, run_id, replace(tools, labeler=real.labeler))
    results = open_rewrite(run_id)
    assert runs.get(run_id).state is RunState.DONE and results.labels["status"].eq("valid").all()
    assert len(results.labels) == 3 * 2 * 3
    assert results.manifest is not None and results.manifest["labeler"]["id"] == "gpt-6-luna"
    assert results.manifest["spend_usd"] == 0  # this machine's own server


def test_spending_counts_the_tokens_of_all_answers_but_not_those_of_another_run(
    data_dir: Path, tmp_path: Path, key: str
) -> None:
    def answer(request: RewriteRequest) -> ModelReply:
        said = request.text.replace("Question", "Enquiry").replace("Answer", "Reply")
        return ModelReply(said, input_tokens=1000, output_tokens=100, finish="stop")

    path = write_pairs(tmp_path / "p.jsonl", 3)
    spec = spec_of(path, rewriter=LUNA, labeler="", second=False)
    spends = []
    for seed in (0, 1):
        run_id = added(data_dir, spec.model_copy(update={"seed": seed}))
        work_here(data_dir, run_id, fake_tools(FakeRewriter(answer), Fakes(silent=True)))
        manifest = open_rewrite(run_id).manifest
        assert manifest is not None
        spends.append(manifest["spend_usd"])
    # Nine pieces at $0.10 and $0.50 a million tokens; the second run finds them all.
    assert spends == [pytest.approx(9 * (1000 * 0.10 + 100 * 0.50) / 1e6), 0]


def labels_of_a_run(
    data_dir: Path, spec: RewriteSpec, server: DemoServer
) -> tuple[str, int, dict[str, int]]:
    """Reword pairs with labels: the run, how many requests it made, and what it reused."""
    before = server.requests.count("POST", "/v1/chat/completions")
    run_id = added(data_dir, spec)
    place = SimpleNamespace(id=run_id, data_dir=data_dir, parts={})
    real = rewrite_work.make_tools(spec, place, None)  # type: ignore[arg-type]
    tools = fake_tools(FakeRewriter(), Fakes(silent=True))
    work_here(data_dir, run_id, replace(tools, labeler=real.labeler))
    manifest = open_rewrite(run_id).manifest
    assert manifest is not None
    made = server.requests.count("POST", "/v1/chat/completions") - before
    return run_id, made, manifest["labels_reused"]


def test_labels_that_an_earlier_rewording_paid_for_are_not_asked_again(
    demo: DemoServer, data_dir: Path, tmp_path: Path
) -> None:
    path = write_pairs(tmp_path / "p.jsonl", 6)
    spec = spec_of(path, labeler=LUNA, second=False, row_ids=(0, 1, 2))
    first, made, reused = labels_of_a_run(data_dir, spec, demo)
    # Originals, rewordings, and the originals a second time, which no first answer stands for.
    assert (made, reused) == (3 * 6, {})
    wider = spec_of(path, labeler=LUNA, second=False, row_ids=(0, 1, 2, 3))
    second, made, reused = labels_of_a_run(data_dir, wider, demo)
    assert (made, reused) == (3 * 2, {first: 3 * 6})
    told = f"18 answers are from run {first}, not asked for again."
    assert told in runs.get(second).notes
    table = open_rewrite(second).labels
    assert set(table[table["row_id"] == 3]["reused_from"]) == {""}
    assert set(table[table["row_id"] < 3]["reused_from"]) == {first}
    every = wider.model_copy(update={"ask_again": True})
    assert labels_of_a_run(data_dir, every, demo)[1:] == (3 * 8, {})
    assert "--again" in command_of(every).split()


def test_a_batch_of_the_same_requests_pays_for_the_labels_of_a_rewording(
    demo: DemoServer, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = taxonomy_runs.spec_of(tmp_path, keys=REWRITE_FEATURES)
    with taxonomy_runs.workers_here(monkeypatch):
        batch, _ = taxonomy.start(spec)
        taxonomy_runs.say_yes(batch)
    rewording = spec_of(tmp_path / "pairs.jsonl", labeler=LUNA, second=False, row_ids=(0, 1))
    _, made, reused = labels_of_a_run(data_dir, rewording, demo)
    assert (made, reused) == (2 * 4, {batch: 4})


def test_a_cost_is_told_without_the_labels_that_are_here(key: str, data_dir: Path) -> None:
    words = ["--row-ids", "0,1,2,3,4,5,6,7,8,9", "--labeler", LUNA]
    before = rewrite.plan(asked(*words))
    account = account_for().fingerprint
    answers, dataset = Answers(data_dir), datasets.find(DatasetRequest())
    assert dataset is not None
    for pair in dataset.pairs([0, 1]):
        prompt = build_prompt(TextKey(pair.row_id, "chosen"), pair.chosen.text, REWRITE_FEATURES)
        found = answer_key(account, False, prompt, label_body(prompt, "gpt-6-luna"), False)
        answers.keep([(found, Answer("earlier", prompt.key.custom_id, "m", "{}", "stop"))])
    (cost,) = rewrite.plan(asked(*words)).costs
    assert (cost.requests, cost.here) == (58, 2)
    assert cost.dollars is not None and before.costs[0].dollars is not None
    assert cost.dollars.bound < before.costs[0].dollars.bound
    told = f"2 of these 60 have labels already: 58 requests, at the most ${cost.dollars.bound:.4f}."
    assert told in rewrite.plan(asked(*words)).sentence
    assert rewrite.plan(asked(*words, "--again")).costs == before.costs


def test_labels_that_were_paid_for_before_a_stop_are_not_asked_for_again(
    demo: DemoServer, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(write_pairs(tmp_path / "p.jsonl", 3), labeler=LUNA, second=False)
    run_id = added(data_dir, spec)
    place = SimpleNamespace(id=run_id, data_dir=data_dir, parts={})
    real = rewrite_work.make_tools(spec, place, None)  # type: ignore[arg-type]
    tools = replace(fake_tools(FakeRewriter(), Fakes(silent=True)), labeler=real.labeler)
    keep = Parts.append

    def stopped(parts: Parts, key: str, rows: Sequence[Any]) -> None:
        if key.startswith("labels|"):
            raise BackendUnavailable("The worker was stopped with all labels of a unit in hand.")
        keep(parts, key, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "append", stopped)
        work_here(data_dir, run_id, tools)
    assert runs.get(run_id).state is RunState.FAILED
    assert runs.registry().requeue(run_id)
    work_here(data_dir, run_id, tools)
    assert runs.get(run_id).state is RunState.DONE
    assert demo.requests.count("POST", "/v1/chat/completions") == 3 * 6
    results = open_rewrite(run_id)
    assert results.manifest is not None and results.manifest["labels_reused"] == {}
    assert set(results.labels["reused_from"]) == {""}
