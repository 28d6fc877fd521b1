"""Rewording with the real client against the demo server: each fault, and what a person sees."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes.reward_models import Fakes
from fakes.rewriting import added, fake_tools, spec_of, work_here
from given.made_runs import write_rows

from ivan_core.backends.ollama import client as ollama_client
from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import RewriteSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.rewrite import work as rewrite_work
from ivan_core.experiments.rewrite.results import RewriteResults, open_rewrite

MODEL = "mistral:7b-instruct-fp16"
CHAT = {"method": "POST", "path": "/api/chat"}
PAIRS = 3
TEXTS = 2 * PAIRS


@dataclass(frozen=True)
class Case:
    """A fault in every answer, why texts then have no rewording, and how many have one."""

    fault: str
    reasons: Mapping[str, int]
    reworded: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


ALWAYS = (
    Case(names.CHATTY, {"a remark of the model": TEXTS}),
    Case(names.SWAPPED_ROLES, {"other roles or turns": TEXTS}),
    Case(names.DROPPED_ROLES, {"other roles or turns": TEXTS}),
    Case(names.EMPTY_REPLY, {"empty": TEXTS}),
    Case(names.IDENTICAL_REPLY, {"identical": TEXTS}),
    Case(names.THINKING, {}, TEXTS),
    Case(names.LENGTH, {"cut off": TEXTS}),
    Case(names.TRUNCATED_PROMPT, {"the prompt was cut": TEXTS}, settings={"amount": 0.3}),
)


@pytest.fixture
def demo(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    with DemoServer() as server:
        monkeypatch.setenv(ollama_client.HOST, server.ollama_url)
        monkeypatch.setenv(ollama_client.TIMEOUT, "120")  # a busy machine answers late
        yield server


@pytest.fixture
def spec(tmp_path: Path) -> RewriteSpec:
    asks = [f"\n\nHuman: Can you help with {n}?\n\nAssistant:" for n in range(PAIRS)]
    rows = [
        {"chosen": f"{ask} I think you get {n} here.", "rejected": f"{ask} It's big, {n}."}
        for n, ask in enumerate(asks)
    ]
    path = write_rows(tmp_path / "pairs.jsonl", rows)
    return spec_of(path, rewriter=MODEL, labeler="", second=False)


def work_with_ollama(data_dir: Path, spec: RewriteSpec, run_id: str = "") -> Run:
    """Do a run, or go on with it, with the real rewriter and fakes for all else."""
    if run_id:
        assert runs.registry().requeue(run_id)
    else:
        run_id = added(data_dir, spec)
    tools = fake_tools(fakes=Fakes(silent=True))
    work_here(data_dir, run_id, replace(tools, rewriter=lambda: rewrite_work.make_rewriter(spec)))
    return runs.get(run_id)


def told(results: RewriteResults) -> Mapping[str, int]:
    return dict(results.reasons)


@pytest.mark.parametrize("case", ALWAYS, ids=lambda case: case.fault)
def test_a_fault_in_every_answer_is_counted_by_its_reason_and_the_run_ends(
    case: Case, demo: DemoServer, data_dir: Path, spec: RewriteSpec
) -> None:
    demo.faults.set(case.fault, **CHAT, **case.settings)
    run = work_with_ollama(data_dir, spec)
    assert run.state is RunState.DONE
    results = open_rewrite(run.id)
    assert told(results) == case.reasons and results.texts_reworded == (case.reworded, TEXTS)
    assert set(results.scores["variant"]) == {"original", "reworded", "surface"}
    assert len(results.table) == PAIRS * 2 * 3
    failed = data_dir / "rewrite" / f"{run.id}-rewrite-failed.csv"
    assert failed.exists() == bool(case.reasons)


@pytest.mark.parametrize(
    "fault",
    [
        names.CHATTY,
        names.SWAPPED_ROLES,
        names.EMPTY_REPLY,
        names.IDENTICAL_REPLY,
        names.DROPPED_CONNECTION,
        names.TIMEOUT,
    ],
)
def test_one_bad_answer_is_asked_for_again_and_leaves_no_gap(
    fault: str, demo: DemoServer, data_dir: Path, spec: RewriteSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == names.TIMEOUT:
        monkeypatch.setenv(ollama_client.TIMEOUT, "2")
    demo.faults.set(fault, times=1, skip=1, **CHAT)
    run = work_with_ollama(data_dir, spec)
    results = open_rewrite(run.id)
    assert run.state is RunState.DONE and results.texts_reworded == (TEXTS, TEXTS)
    own = results.similarities[results.similarities["variant"] == "reworded"]
    # A prompt is asked for once and counts for both sides.
    tries = own[["chosen_tries", "rejected_tries"]].sum().sum() - 2 * TEXTS
    assert tries in (1, 2)
    pieces = json.loads(run.facts)["pieces"]["published"]
    assert pieces == {"asked": 3 * PAIRS, "accepted": 3 * PAIRS, "refused": {}}


def test_without_a_server_the_run_says_so_and_goes_on_later(
    demo: DemoServer, data_dir: Path, spec: RewriteSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv(ollama_client.HOST, nobody)
    run = work_with_ollama(data_dir, spec)
    assert run.state is RunState.FAILED and "No Ollama server answers at" in run.problem
    assert "ollama serve" in run.hint
    monkeypatch.setenv(ollama_client.HOST, demo.ollama_url)
    assert work_with_ollama(data_dir, spec, run.id).state is RunState.DONE
    assert open_rewrite(run.id).texts_reworded == (TEXTS, TEXTS)


def test_a_missing_model_is_named_and_can_be_pulled(
    demo: DemoServer, data_dir: Path, spec: RewriteSpec
) -> None:
    from ivan_core.engine import machine

    demo.faults.set(names.MODEL_MISSING)
    run = work_with_ollama(data_dir, spec)
    assert run.state is RunState.FAILED and f"does not have {MODEL}" in run.problem
    assert f"ollama pull {MODEL}" in run.hint
    seen: list[tuple[int, int, str]] = []
    machine.pull(MODEL, lambda *part: seen.append(part))
    assert seen[-1][2] == "success" and len(seen) > 5
    assert work_with_ollama(data_dir, spec, run.id).state is RunState.DONE


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (names.TIMEOUT, "did not answer within 2 seconds"),
        (names.DROPPED_CONNECTION, "broke off in the middle of its answer"),
    ],
)
def test_a_server_that_breaks_mid_run_leaves_what_is_finished(
    fault: str,
    says: str,
    demo: DemoServer,
    data_dir: Path,
    spec: RewriteSpec,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if fault == names.TIMEOUT:
        monkeypatch.setenv(ollama_client.TIMEOUT, "2")
    demo.faults.set(fault, skip=4, **CHAT)  # the first pair's three pieces, and one more
    run = work_with_ollama(data_dir, spec)
    assert run.state is RunState.FAILED and says in run.problem and run.hint
    assert open_rewrite(run.id).row_ids and run.done > 0
    asked = len(demo.requests.as_json())
    demo.faults.clear()
    resumed = work_with_ollama(data_dir, spec, run.id)
    assert resumed.state is RunState.DONE
    assert open_rewrite(run.id).texts_reworded == (TEXTS, TEXTS)
    chats = [one for one in demo.requests.as_json()[asked:] if one["path"] == "/api/chat"]
    assert len(chats) == 3 * PAIRS - 4


def test_each_request_has_a_seed_no_thinking_and_a_context(
    demo: DemoServer, data_dir: Path, spec: RewriteSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Mapping[str, Any]] = []
    chat = ollama_client.OllamaServer.chat

    def noting(self: Any, *args: Any, **options: Any) -> Any:
        sent.append(options)
        return chat(self, *args, **options)

    monkeypatch.setattr(ollama_client.OllamaServer, "chat", noting)
    run = work_with_ollama(data_dir, spec.model_copy(update={"seed": 5, "second": True}))
    assert {one["think"] for one in sent} == {False}
    assert {one["options"]["seed"] for one in sent} == {5}
    assert {one["options"]["temperature"] for one in sent} == {0.1, 0.7}
    assert all(one["options"]["num_ctx"] >= 512 for one in sent)
    manifest = open_rewrite(run.id).manifest
    assert manifest is not None and manifest["rewriter"]["kind"] == "ollama"
    assert manifest["styles"]["second"]["version"] == "second-v1"
    assert manifest["notes"] == [
        f"IVAN's demo server answered for {MODEL}: by rules, whatever the name says."
    ]


def test_a_model_behind_an_openai_compatible_server_rewords_too(
    demo: DemoServer, data_dir: Path, spec: RewriteSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", demo.openai_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-told")
    run = work_with_ollama(data_dir, spec.model_copy(update={"rewriter": "openai:gpt-6-luna"}))
    assert run.state is RunState.DONE, run.problem
    results = open_rewrite(run.id)
    assert results.texts_reworded == (TEXTS, TEXTS) and results.manifest is not None
    assert results.manifest["rewriter"]["id"] == "gpt-6-luna"
    written = [path for path in data_dir.rglob("*") if path.is_file()]
    assert not any(b"sk-never-told" in path.read_bytes() for path in written)


def test_a_model_on_ollama_labels_and_its_own_flips_are_measured(
    demo: DemoServer, data_dir: Path, spec: RewriteSpec
) -> None:
    spec = spec.model_copy(update={"labeler": "gemma4:e4b"})
    run_id = added(data_dir, spec)
    tools = fake_tools(fakes=Fakes(silent=True))
    place = SimpleNamespace(parts={})
    real = rewrite_work.make_tools(spec, place, None)  # type: ignore[arg-type]
    work_here(data_dir, run_id, replace(tools, rewriter=real.rewriter, labeler=real.labeler))
    results = open_rewrite(run_id)
    labels = results.labels
    assert len(labels) == TEXTS * 3 and labels["status"].eq("valid").all()
    assert labels.groupby(["variant", "again"]).size().to_dict() == {
        ("original", False): TEXTS,
        ("original", True): TEXTS,
        ("reworded", False): TEXTS,
    }
    manifest = results.manifest
    assert manifest is not None and manifest["labeler"]["kind"] == "ollama"
    assert manifest["label_prompt"]["version"] == "labels-v1"


def test_ollama_makes_room_before_a_reward_model_is_loaded_where_memory_is_short(
    demo: DemoServer, data_dir: Path, spec: RewriteSpec
) -> None:
    run_id = added(data_dir, spec)
    tools = fake_tools(fakes=Fakes(silent=True), together=False)
    made = replace(tools, rewriter=lambda: rewrite_work.make_rewriter(spec))
    work_here(data_dir, run_id, made)
    assert runs.get(run_id).state is RunState.DONE
    paths = [one["path"] for one in demo.requests.as_json() if one["method"] == "POST"]
    asked = [path for path in paths if path in ("/api/chat", "/api/generate")]
    # Nine pieces, then the model is dropped from memory.
    assert asked == ["/api/chat"] * 3 * PAIRS + ["/api/generate"]
    assert open_rewrite(run_id).texts_reworded == (TEXTS, TEXTS)
