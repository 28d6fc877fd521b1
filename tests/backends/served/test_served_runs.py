"""Whole comparisons by a server: by the command line, broken off and resumed, with new weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes.served.server import logit_of
from fakes.served.tei import FakeTEI
from fakes.served.vllm import FakeVLLM
from given.support import free_port

from ivan_core.backends.served.address import KEY
from ivan_core.backends.served.sending import PATIENCE
from ivan_core.cli import main
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine import handling as runs, zips
from ivan_core.experiments.compare import plan as compare
from ivan_core.experiments.compare.ablation import model_of
from ivan_core.experiments.compare.results import open_results
from ivan_core.models import reward_models
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.settings import slot_file
from ivan_core.worker import work

SECRET = "s3cret-of-mine"


@pytest.fixture
def registry(data_dir: Path) -> Registry:
    return Registry(data_dir)


@pytest.fixture
def workers_in_here(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "spawn", lambda run_id: work(registry, run_id))


def judged(registry: Registry, model: str, source: str, **fields: Any) -> Run:
    """A comparison with a worker in this process, as it ended."""
    asked = CompareSpec(dataset=DatasetRequest(source=source), models=(model,), **fields)
    run_id, _ = registry.add("compare", asked.model_dump_json(), asked.fingerprint)
    work(registry, run_id)
    return registry.get(run_id)


def gone_on_with(registry: Registry, run: Run) -> Run:
    assert registry.requeue(run.id)
    work(registry, run.id)
    return registry.get(run.id)


def manifest(registry: Registry, run: Run) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((registry.folder(run.id) / "manifest.json").read_text())
    return content


def scores(registry: Registry, run: Run) -> pd.DataFrame:
    return pd.read_parquet(registry.folder(run.id) / "table.parquet")


def test_the_sample_is_judged_by_a_server_from_the_command_line(
    registry: Registry,
    vllm: FakeVLLM,
    workers_in_here: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    vllm.key = SECRET
    assert main.run(["compare", "--dataset", "sample", "--model", vllm.url]) == 0
    out = capsys.readouterr().out
    host = vllm.url.removeprefix("http://")
    assert f"The texts go to {host}." in out
    assert "no time estimate (how fast a server is shows with its first run)" in out
    assert "  Scored by vLLM 1.0 with lab/reward (prefix caching unknown); not compared" in out
    (run,) = registry.all()
    assert run.state is RunState.DONE
    (card,) = manifest(registry, run)["models"]
    assert card["id"] == vllm.url and card["revision"].startswith("served-")
    assert card["server"]["engine"] == "vLLM" and card["server"]["version"] == "1.0"
    (strip,) = manifest(registry, run)["trust"]
    (check,) = [one for one in strip["checks"] if one["name"] == "scored by a server"]
    assert check["level"] == "unknown"
    assert check["reason"] == (
        "Scored by vLLM 1.0 with lab/reward (prefix caching unknown); not compared with a local "
        "pass: its weights are not on this machine."
    )
    (version,) = [one for one in strip["checks"] if one["name"] == "version of the weights"]
    assert version["reason"].startswith("The server tells no version of the weights; its scores of")
    (batches,) = [one for one in strip["checks"] if one["name"] == "same score in any batch"]
    assert batches["level"] == "green"
    table = scores(registry, run)
    known = set(map(logit_of, vllm.read))
    assert len(table) == 480 and set(table["chosen_reward"]) <= known
    kept = [path for path in registry.data_dir.rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if SECRET.encode() in path.read_bytes()]


def test_scores_of_weights_without_a_name_stay_in_their_run(
    registry: Registry, vllm: FakeVLLM, tei: FakeTEI, pairs_file: Path
) -> None:
    computed = [
        [judged(registry, server.url, str(pairs_file), seed=seed).computed for seed in (0, 1)]
        for server in (vllm, tei)
    ]
    # Of 40 pairs one has the same text twice, and needs no score.
    assert computed == [[78, 78], [78, 0]]


def test_a_server_of_equal_words_and_other_scores_takes_none_of_the_cache(
    registry: Registry, tei: FakeTEI, pairs_file: Path
) -> None:
    first = judged(registry, tei.url, str(pairs_file))
    assert first.state is RunState.DONE
    # Rounding of another batch is no other model.
    tei.reward = lambda text: logit_of(text) + 1e-5
    assert judged(registry, tei.url, str(pairs_file), seed=1).computed == 0
    tei.weights = "others"
    tei.reward = lambda text: logit_of(text, "others")
    other = judged(registry, tei.url, str(pairs_file), seed=2)
    assert (other.state, other.done) == (RunState.FAILED, 0)
    assert "scores four fixed texts otherwise" in other.problem
    assert "clear the cache on the page Runs" in other.hint


def test_a_server_that_dies_half_way_costs_no_finished_chunk(
    registry: Registry, chat_name: str, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATIENCE, "0.1")
    with FakeVLLM() as vllm:
        vllm.root = chat_name
        whole = judged(registry, vllm.url, str(pairs_file), seed=5)
        expected = scores(registry, whole)
        vllm.fault, vllm.when = "gone", _after(vllm, texts=60)
        broken = judged(registry, vllm.url, str(pairs_file))
        assert broken.state is RunState.FAILED
        assert "broke off in the middle of its answer" in broken.problem
        assert broken.hint == "Resume the run once it does: finished chunks are kept."
        assert 0 < broken.done < 40
        port = int(vllm.url.rpartition(":")[2])
    still = gone_on_with(registry, broken)
    assert still.problem == f"No server answers at 127.0.0.1:{port}."
    assert still.done == broken.done
    with FakeVLLM(port) as vllm:
        vllm.root = chat_name
        resumed = gone_on_with(registry, broken)
        # Beside what was left: 16 pairs in a batch and alone, and four fixed texts five times.
        assert len(vllm.read) <= 2 * (40 - broken.done) + 4 * 16 + 5 * 4
    assert (resumed.state, resumed.problem, resumed.done) == (RunState.DONE, "", 40)
    table = scores(registry, resumed)
    columns = ["row_id", "chosen_reward", "rejected_reward"]
    assert table.sort_values("row_id")[columns].equals(expected.sort_values("row_id")[columns])


def _after(server: FakeVLLM, texts: int) -> Any:
    """From when on so many texts have been scored since now."""
    before = len(server.read)
    return lambda number: len(server.read) - before > texts


def test_other_weights_at_the_end_or_when_a_run_goes_on_fail_it(
    registry: Registry, vllm: FakeVLLM, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(vllm.read)
    vllm.reward = lambda text: logit_of(text, "new" if len(vllm.read) - before > 100 else "")
    swapped = judged(registry, vllm.url, str(pairs_file))
    assert swapped.state is RunState.FAILED
    assert "no longer serves what it served when this run began" in swapped.problem
    again = gone_on_with(registry, swapped)
    assert (again.state, again.problem) == (RunState.FAILED, swapped.problem)


def test_how_fast_a_server_is_shows_with_its_first_run(
    registry: Registry, vllm: FakeVLLM, pairs_file: Path
) -> None:
    asked = CompareSpec(dataset=DatasetRequest(source=str(pairs_file)), models=(vllm.url,))
    judged(registry, vllm.url, str(pairs_file))
    plan = compare.plan(asked.model_copy(update={"seed": 3}))
    assert plan.takes is not None and plan.cached == 0
    assert plan.notes == (f"The texts go to {vllm.url.removeprefix('http://')}.",)
    other = compare.plan(asked.model_copy(update={"models": ("http://localhost:1",)}))
    assert other.takes is None
    assert other.estimate_from == "how fast a server is shows with its first run"


def test_a_plan_says_who_answers_and_what_would_be_refused(
    data_dir: Path, vllm: FakeVLLM, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["compare", "--plan", "--model", vllm.url]) == 0
    host = vllm.url.removeprefix("http://")
    assert f"vLLM 1.0 answers at {host}, with lab/reward." in capsys.readouterr().out
    assert not [came for came in vllm.came if came.method == "POST"]
    assert main.run(["compare", "--plan", "--model", f"http://127.0.0.1:{free_port()}"]) == 1
    assert "It would be refused. No server answers at 127.0.0.1:" in capsys.readouterr().err


def test_a_run_by_a_server_waits_for_no_other_run_of_this_machine(
    registry: Registry, vllm: FakeVLLM, pairs_file: Path
) -> None:
    with FileLock(slot_file()) as slot:
        assert slot.acquire()
        assert judged(registry, vllm.url, str(pairs_file)).state is RunState.DONE


def test_rewards_of_what_is_asked_about_a_run_stay_with_the_run(
    registry: Registry, vllm: FakeVLLM, tei: FakeTEI, pairs_file: Path
) -> None:
    run = judged(registry, vllm.url, str(pairs_file))
    asked = model_of(open_results(run.id), vllm.url)
    assert asked.cache_key == f"{asked.identity}|{run.id}"
    own = reward_models.make(asked.name, asked.revision).card
    assert own.cache_identity == asked.identity
    named = judged(registry, tei.url, str(pairs_file))
    lasting = model_of(open_results(named.id), tei.url)
    assert lasting.cache_key == lasting.identity


def test_an_imported_run_says_who_scored_and_sends_nothing_there(
    registry: Registry, vllm: FakeVLLM, pairs_file: Path, tmp_path: Path
) -> None:
    run = judged(registry, vllm.url, str(pairs_file))
    zips.export(run.id, tmp_path / "run.zip")
    imported = open_results(zips.import_zip(tmp_path / "run.zip").run_id)
    assert imported.cards == open_results(run.id).cards
    assert imported.cards[vllm.url].server is not None
    with pytest.raises(BadInput, match="a server that an imported run names, so nothing is sent"):
        model_of(imported, vllm.url)
