"""Batches by their ids: collected into the run they belong to, or into one made for them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from fakes.kills import Killed
from given.support import write_pairs
from given.taxonomy_runs import (
    QUICK,
    account_of,
    creations,
    no_sleep,
    say_yes,
    spec_of,
    workers_here,
)

from ivan_core.backends.openai.batches import OpenAIBatches
from ivan_core.backends.openai.client import account_for
from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import FEATURES, REWRITE_FEATURES
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest, TaxonomySpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.batches.adopt import adopt, batch_ids, collect
from ivan_core.ledger.ledger import Ledger

FIVE = tuple(key for key in FEATURES if key in REWRITE_FEATURES)


def made_elsewhere(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **fields: object
) -> str:
    """The id of a batch that was sent from another data folder."""
    with monkeypatch.context() as patch:
        patch.setenv("IVAN_DATA_DIR", str(tmp_path / "elsewhere"))
        run_id, _ = taxonomy.start(spec_of(tmp_path, **fields))
        say_yes(run_id)
        return str(taxonomy.parts(run_id)[0]["batch"])


def pairs(tmp_path: Path) -> DatasetRequest:
    return DatasetRequest(source=str(tmp_path / "pairs.jsonl"))


def test_a_batch_of_another_machine_becomes_a_run(
    server: DemoServer, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = made_elsewhere(server, tmp_path, monkeypatch, row_ids=(1, 4), keys=REWRITE_FEATURES)
    run_id, new = adopt([batch], pairs(tmp_path), "test")
    assert new
    assert collect(run_id, QUICK, no_sleep) == ()
    run = runs.get(run_id)
    spec = TaxonomySpec.model_validate_json(run.spec)
    assert run.state is RunState.DONE
    assert (spec.row_ids, spec.model, spec.keys) == ((1, 4), "gpt-6-luna", FIVE)
    with (data_dir / "taxonomy-output" / f"{run_id}.csv").open(newline="") as file:
        rows = [(row["row_id"], row["preference"]) for row in csv.DictReader(file)]
    assert rows == [("1", "chosen"), ("1", "rejected"), ("4", "chosen"), ("4", "rejected")]
    assert [part["requests"] for part in taxonomy.parts(run_id)] == [4]
    assert (run.done, run.total) == (4, 4)
    spent = taxonomy.spent(run_id)
    assert spent.usd > 0 and (spent.confirmed_usd, spent.parts_open) == (None, 0)
    assert adopt([batch], pairs(tmp_path), "test") == (run_id, False)
    assert creations(server) == 1


def test_a_stop_before_the_ledger_knew_the_batch_is_made_up_for(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = made_elsewhere(server, tmp_path, monkeypatch)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Ledger, "adopt", killed)
        adopt([batch], pairs(tmp_path), "test")
    run_id, _ = adopt([batch], pairs(tmp_path), "test")
    assert collect(run_id, QUICK, no_sleep) == ()
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12
    assert [run.id for run in runs.every("taxonomy")] == [run_id]


def test_what_a_batch_from_elsewhere_lacks_can_be_asked_for_again(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.faults.set(names.FORMAT_IGNORED, times=1, ids=["1.chosen"])
    batch = made_elsewhere(server, tmp_path, monkeypatch)
    run_id, _ = adopt([batch], pairs(tmp_path), "test")
    collect(run_id, QUICK, no_sleep)
    assert taxonomy.estimate_again(run_id, "batch") == 2
    shown = taxonomy.estimate(run_id)
    assert shown and (shown.requests, shown.files[0].part) == (1, 2)
    say_yes(run_id)
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12
    assert creations(server) == 2


def test_a_batch_that_is_at_work_is_collected_later(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer(batch_seconds=3600) as demo, workers_here(monkeypatch):
        account_of(monkeypatch, demo)
        run_id, _ = taxonomy.start(spec_of(tmp_path))
        with monkeypatch.context() as patch:
            patch.setattr(runs, "spawn", lambda _: None)
            say_yes(run_id)
        provider = OpenAIBatches(account_for())
        path = data_dir / taxonomy.job(run_id).estimates()[0].files[0].path
        batch = provider.create(provider.upload(path), {})
        elsewhere, new = adopt([batch], pairs(tmp_path), "test")
        assert new
        assert collect(elsewhere, QUICK, no_sleep) == (batch,)
        assert runs.get(elsewhere).state is RunState.INTERRUPTED
        assert taxonomy.counts(elsewhere) is None
        provider.cancel(batch)
        while not provider.poll(batch).ended:
            pass
        assert collect(elsewhere, QUICK, no_sleep) == ()
        assert runs.get(elsewhere).state is RunState.DONE
        summary = taxonomy.counts(elsewhere)
        assert summary and summary["counts"]["submitted"] == 12


def test_without_its_input_file_a_batch_is_known_by_what_came_back(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = made_elsewhere(server, tmp_path, monkeypatch)
    del server.state.files[server.state.batches[batch].input_file_id]
    run_id, _ = adopt([batch], pairs(tmp_path), "test")
    collect(run_id, QUICK, no_sleep)
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12


def nothing_changed(data_dir: Path) -> bool:
    return runs.every("taxonomy") == [] and Ledger(data_dir).parts_with_batch("batch_x") == []


def test_an_unknown_id_changes_nothing(server: DemoServer, tmp_path: Path, data_dir: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", 6)
    with pytest.raises(BackendUnavailable, match="has no batch batch_x"):
        adopt(["batch_x"], pairs(tmp_path), "test")
    assert nothing_changed(data_dir)


def test_rows_that_the_dataset_does_not_have_are_refused(
    server: DemoServer, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = made_elsewhere(server, tmp_path, monkeypatch)
    short = DatasetRequest(source=str(write_pairs(tmp_path / "short.jsonl", 3)))
    with pytest.raises(BadInput, match=r"asks for 3\.chosen, but .* has 3 pairs"):
        adopt([batch], short, "test")
    assert nothing_changed(data_dir)


def test_texts_of_another_dataset_are_refused(
    server: DemoServer, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = made_elsewhere(server, tmp_path, monkeypatch)
    with pytest.raises(BadInput, match="are not those of sample"):
        adopt([batch], DatasetRequest(), "test")
    assert nothing_changed(data_dir)


def test_a_batch_that_labels_nothing_is_refused(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    write_pairs(tmp_path / "pairs.jsonl", 6)
    line = {
        "custom_id": "translate-1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hello"}]},
    }
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps(line) + "\n")
    provider = OpenAIBatches(account_for())
    batch = provider.create(provider.upload(path), {})
    with pytest.raises(BadInput, match="an id such as 'translate-1'"):
        adopt([batch], pairs(tmp_path), "test")
    assert nothing_changed(data_dir)


def test_ids_of_two_runs_are_taken_one_run_at_a_time(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = made_elsewhere(server, tmp_path, monkeypatch, row_ids=(1,))
    own, _ = taxonomy.start(spec_of(tmp_path, row_ids=(2,)))
    say_yes(own)
    mine = str(taxonomy.parts(own)[0]["batch"])
    assert adopt([mine], pairs(tmp_path), "test") == (own, False)
    with pytest.raises(BadInput, match=f"belong to run {own}, others do not"):
        adopt([mine, batch], pairs(tmp_path), "test")


def test_a_list_of_ids_is_read_with_or_without_blanks() -> None:
    assert batch_ids(" batch_a,batch_b , batch_a,") == ["batch_a", "batch_b"]
    with pytest.raises(BadInput, match="No batch id"):
        batch_ids(" , ")
