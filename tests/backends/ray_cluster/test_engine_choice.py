"""Where a run's models work: who may say so, what is refused, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ivan_core.backends.pools import ray_cluster
from ivan_core.domain.engine_choice import LOCAL, EngineChoice, checked_choice
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec, LabelSpec
from ivan_core.engine import access, handling as runs
from ivan_core.engine.access import NotAllowed, Visitor

ASKED = CompareSpec(models=("ivan/minilm-harmless",), limit=20)
CLUSTER = EngineChoice(engine="ray", address="10.0.0.1:6379")


@pytest.fixture
def spawned(data_dir: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    started: list[str] = []
    monkeypatch.setattr(runs, "spawn", started.append)
    return started


@pytest.fixture
def guest() -> Iterator[None]:
    """Someone from elsewhere whose login no list of owners has."""
    access.set_provider(lambda: Visitor(local=False, login="guest@example.org"))
    yield
    access.set_provider(lambda: access.LOCAL)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"engine": "ray", "address": "head"}, "The address is 'head', which is neither"),
        ({"engine": "ray", "address": "ray://head:10001"}, "The address is 'ray://head:10001'"),
        ({"engine": "ray", "address": "head:65536"}, "The address is 'head:65536'"),
        ({"engine": "ray", "address": "head:0"}, "The address is 'head:0'"),
        ({"engine": "ray", "address": "-:6379"}, "The address is '-:6379'"),
        ({"engine": "ray", "actors": 0}, "The actors Input should be greater than or equal to 1."),
        ({"address": "head:6379"}, "An address or a number of actors or threads is for the engine"),
        ({"threads": 2}, "An address or a number of actors or threads is for the engine ray."),
    ],
)
def test_what_makes_no_sense_is_named(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked_choice(fields)
    assert refused.value.message.startswith(said)
    assert refused.value.hint


@pytest.mark.parametrize("address", ["auto", "head:6379", "10.0.0.1:6379", "[fd00::1]:6379", ""])
def test_these_are_addresses(address: str) -> None:
    assert checked_choice({"engine": "ray", "address": f" {address} "}).address == address


def test_the_engine_is_no_part_of_what_a_run_is(spawned: list[str]) -> None:
    first, new = runs.start(ASKED, CLUSTER)
    again, other = runs.start(ASKED)
    assert (new, other, again, spawned) == (True, False, first, [first])
    assert runs.engine_of(first) == CLUSTER
    assert runs.command(runs.get(first)).endswith("--engine ray --address 10.0.0.1:6379")


def test_without_ray_nothing_is_started(
    spawned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable, match="needs the package ray") as refused:
        runs.start(ASKED, CLUSTER)
    assert "ivan[cluster]" in refused.value.hint
    assert (spawned, runs.every()) == ([], [])


def test_a_stopped_run_goes_on_where_it_is_told(spawned: list[str]) -> None:
    run_id, _ = runs.start(ASKED)
    runs.registry().finish(run_id, RunState.FAILED)
    runs.resume(run_id, CLUSTER)
    assert runs.engine_of(run_id) == CLUSTER
    runs.registry().finish(run_id, RunState.FAILED)
    runs.resume(run_id)
    assert runs.engine_of(run_id) == CLUSTER
    runs.registry().finish(run_id, RunState.FAILED)
    runs.resume(run_id, LOCAL)
    assert runs.engine_of(run_id) == LOCAL
    assert spawned == [run_id] * 4


def test_kinds_that_work_here_alone_say_so(spawned: list[str]) -> None:
    run_id, _ = runs.start(LabelSpec(sample=5))
    runs.registry().finish(run_id, RunState.FAILED)
    with pytest.raises(BadInput, match="works on this machine alone"):
        runs.resume(run_id, CLUSTER)
    assert runs.engine_of(run_id) == LOCAL


def test_only_owners_name_the_address_of_a_cluster(spawned: list[str], guest: None) -> None:
    with pytest.raises(NotAllowed):
        runs.start(ASKED, CLUSTER)
    assert spawned == []
