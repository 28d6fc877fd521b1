"""Money is spent by a yes to the estimate in force and by nothing else, and once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from given.support import write_pairs
from given.taxonomy_runs import (
    QUICK,
    account_of,
    be_worker,
    creations,
    say_yes,
    spec_of,
    workers_here,
)

from ivan_core.backends import prices
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.engine.archive import delete
from ivan_core.experiments.batches import confirm, estimates as batch_estimate, handling as taxonomy
from ivan_core.experiments.batches.adopt import adopt, collect
from ivan_core.experiments.batches.confirm import examples
from ivan_core.ledger.records import PlanChanged
from ivan_core.runs.registry import Registry


def prepared(tmp_path: Path, **fields: object) -> str:
    run_id, _ = taxonomy.start(spec_of(tmp_path, **fields))
    return run_id


def test_the_exact_prompt_can_be_read_before_anything_is_sent(
    server: DemoServer, tmp_path: Path
) -> None:
    shown = examples(prepared(tmp_path), 2)
    assert [one.key.custom_id for one in shown] == [
        "0.chosen",
        "0.rejected",
        "1.chosen",
        "1.rejected",
    ]
    assert "Question 0?" in shown[0].user
    assert "last_response_is_helpful" in shown[0].system
    assert '"max_completion_tokens": 600' in shown[0].body
    assert len(server.requests) == 0


def test_an_estimate_that_was_not_shown_is_not_confirmed(
    server: DemoServer, tmp_path: Path
) -> None:
    run_id = prepared(tmp_path)
    with pytest.raises(PlanChanged, match="not the estimate that is in force"):
        confirm.confirm(run_id, "0" * 64, "test")
    assert runs.get(run_id).state is RunState.AWAITING_CONFIRMATION
    assert len(server.requests) == 0


def test_prices_that_changed_are_shown_again_before_anything_is_sent(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = prepared(tmp_path)
    shown = taxonomy.estimate(run_id)
    assert shown and shown.batch
    dearer = prices.Price(1.0, 2.0, "genai-prices", "9.9", "2026-12-01", True)
    monkeypatch.setattr(batch_estimate, "listed_price", lambda *_, **__: dearer)
    with pytest.raises(PlanChanged, match="price table has changed"):
        confirm.confirm(run_id, shown.plan_hash, "test")
    now = taxonomy.estimate(run_id)
    assert now and now.batch and now.plan_hash != shown.plan_hash
    assert now.batch.typical == pytest.approx((now.input_tokens * 1 + 12 * 180 * 2) / 1e6)
    assert len(server.requests) == 0
    assert say_yes(run_id).new
    assert creations(server) == 1


def test_a_file_that_changed_is_refused_until_it_is_made_anew(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    run_id = prepared(tmp_path)
    shown = taxonomy.estimate(run_id)
    assert shown
    path = data_dir / shown.files[0].path
    path.write_bytes(path.read_bytes().replace(b"Answer 1", b"Answer 9"))
    with pytest.raises(PlanChanged, match="is not the one that was estimated"):
        say_yes(run_id)
    assert len(server.requests) == 0
    confirm.renew(run_id)
    again = taxonomy.estimate(run_id)
    assert again and again.plan_hash == shown.plan_hash
    assert say_yes(run_id).new


def test_a_yes_while_the_estimate_is_made_anew_is_carried_out(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = prepared(tmp_path)
    go_on = Registry.go_on

    def after_a_yes(registry: Registry, one: str) -> bool:
        monkeypatch.setattr(Registry, "go_on", lambda *_: False)
        say_yes(run_id)
        monkeypatch.setattr(Registry, "go_on", go_on)
        return go_on(registry, one)

    monkeypatch.setattr(Registry, "go_on", after_a_yes)
    confirm.renew(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert creations(server) == 1


def test_a_file_that_changes_after_the_yes_is_not_sent(
    server: DemoServer, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = prepared(tmp_path)
    monkeypatch.setattr(runs, "spawn", lambda _: None)
    say_yes(run_id)
    path = data_dir / taxonomy.job(run_id).estimates()[0].files[0].path
    path.write_bytes(path.read_bytes() + b"\n")
    run = be_worker(run_id)
    assert run.state is RunState.FAILED
    assert "has changed since it was confirmed" in run.problem
    assert len(server.requests) == 0


@pytest.mark.parametrize("of_setting", [True, False])
def test_a_cap_forbids_what_may_cost_more(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_setting: bool
) -> None:
    if of_setting:
        monkeypatch.setenv("IVAN_MAX_USD", "0.0001")
    run_id = prepared(tmp_path, **({} if of_setting else {"max_usd": 0.0001}))
    assert runs.get(run_id).problem.endswith("and the cap is $0.0001.")
    with pytest.raises(BadInput, match="the cap is"):
        say_yes(run_id)
    assert len(server.requests) == 0


def test_a_model_without_a_price_waits_for_one(server: DemoServer, tmp_path: Path) -> None:
    run_id = prepared(tmp_path, model="our-own-model")
    assert runs.get(run_id).problem == "No price is known for our-own-model."
    with pytest.raises(BadInput, match="No price is known"):
        say_yes(run_id)
    now = confirm.give_prices(run_id, 2.0, 4.0)
    assert now.batch
    assert now.batch.bound == pytest.approx((now.input_tokens * 2 + 12 * 600 * 4) / 1e6)
    assert now.prices and now.prices.sentence == "Prices: given by you."
    assert say_yes(run_id).new


def test_without_a_key_the_estimate_is_made_and_nothing_is_sent(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with workers_here(monkeypatch):
        run_id = prepared(tmp_path)
        with pytest.raises(BackendUnavailable, match="No key for OpenAI is set"):
            say_yes(run_id)
        assert runs.get(run_id).state is RunState.AWAITING_CONFIRMATION
        assert not taxonomy.is_sent(run_id)


def test_of_two_confirmations_at_once_one_sends(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = prepared(tmp_path)
    spawned: list[str] = []
    monkeypatch.setattr(runs, "spawn", spawned.append)
    with ThreadPoolExecutor(4) as clicks:
        said = list(clicks.map(lambda _: say_yes(run_id), range(4)))
    assert sorted(one.new for one in said) == [False, False, False, True]
    assert spawned == [run_id]
    be_worker(run_id)
    assert say_yes(run_id).sentence == "This was confirmed already."
    assert creations(server) == 1


def test_a_yes_that_comes_in_between_sends_once(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = prepared(tmp_path)
    check, told = confirm._check, []

    def overtaken(*given: object) -> None:
        monkeypatch.setattr(confirm, "_check", check)
        told.append(say_yes(run_id).new)
        check(*given)

    monkeypatch.setattr(runs, "spawn", lambda _: None)
    monkeypatch.setattr(confirm, "_check", overtaken)
    second = say_yes(run_id)
    assert told == [True]
    assert (second.new, second.sentence) == (False, "This was confirmed already.")


def test_the_same_command_again_finds_the_run_that_was_sent(
    server: DemoServer, tmp_path: Path
) -> None:
    run_id = prepared(tmp_path)
    say_yes(run_id)
    assert taxonomy.start(spec_of(tmp_path)) == (run_id, False)
    assert creations(server) == 1


def test_a_run_prepared_beside_a_sent_one_leads_to_that(server: DemoServer, tmp_path: Path) -> None:
    first = prepared(tmp_path)
    say_yes(first)
    second, new = taxonomy.start(spec_of(tmp_path), again=True)
    assert new
    confirmed = say_yes(second)
    assert (confirmed.run_id, confirmed.new) == (first, False)
    assert runs.get(second).state is RunState.CANCELLED
    assert creations(server) == 1


def test_what_a_deleted_run_paid_for_is_collected_again_and_not_paid_again(
    server: DemoServer, tmp_path: Path
) -> None:
    first = prepared(tmp_path)
    assert say_yes(first).new
    batch = taxonomy.parts(first)[0]["batch"]
    delete(first)
    free = prepared(tmp_path)
    assert runs.get(free).state is RunState.DONE
    again, _ = taxonomy.start(spec_of(tmp_path), again=True)
    assert again not in (first, free)
    with pytest.raises(BadInput, match="which was deleted") as refused:
        say_yes(again)
    assert batch in refused.value.hint
    assert creations(server) == 1
    taken_in, new = adopt([batch], spec_of(tmp_path).dataset, "test")
    assert new and taken_in != first
    assert collect(taken_in, QUICK) == ()
    summary = taxonomy.counts(taken_in)
    assert summary and summary["counts"]["valid"] == 12
    assert creations(server) == 1
    assert say_yes(again, may_charge_twice=True).new
    assert creations(server) == 2


def test_labelling_twice_needs_a_yes_that_says_so(server: DemoServer, tmp_path: Path) -> None:
    say_yes(prepared(tmp_path))
    second, _ = taxonomy.start(spec_of(tmp_path), again=True)
    assert say_yes(second, may_charge_twice=True).run_id == second
    assert creations(server) == 2


def test_other_data_under_the_same_name_is_another_run(server: DemoServer, tmp_path: Path) -> None:
    first = prepared(tmp_path)
    say_yes(first)
    write_pairs(tmp_path / "pairs.jsonl", 7)
    second, new = taxonomy.start(spec_of(tmp_path))
    assert new and second != first
    shown = taxonomy.estimate(second)
    assert shown and shown.requests == 2
    assert shown.reused and (shown.reused.count, shown.reused.runs) == (12, (first,))


def test_another_key_neither_finds_nor_follows_a_run(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = prepared(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "spawn", lambda _: None)
        say_yes(run_id)
    account_of(monkeypatch, server, "sk-of-somebody-else")
    run = be_worker(run_id)
    assert run.state is RunState.FAILED
    assert "confirmed for another account" in run.problem
    assert taxonomy.sent_run(spec_of(tmp_path)) is None
    assert creations(server) == 0
