"""Whatever a pool does, a run's table is the same, and each text is scored once."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from weakref import ref

import pandas as pd
import pytest
from fakes.pools import Forgetting, GivingUp, LastFirst
from fakes.reward_models import FakeRewardModel, Fakes, comparing_with

from ivan_core.backends.pools.here import PoolHere
from ivan_core.datasets.chosen_rows import seeded_chunks
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.runs import LivePoint, Run, RunState
from ivan_core.domain.scoring import Progress, ScoredTask, ScoringTask
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.compare.scoring import Models
from ivan_core.experiments.compare.steps import LiveOrder, live_point
from ivan_core.experiments.compare.units import ScoredRow, Unit
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.context import Parts
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

ONE = "fake/one"
PAIRS = 400
"""Twelve chunks."""
FAKES = Fakes(failing="01", not_finite="2", silent=True)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Pairs whose replies are few: the same text stands in many chunks."""
    with (tmp_path / "pairs.jsonl").open("w") as file:
        for number in range(PAIRS):
            ask = f"\n\nHuman: Question {number % 40}?\n\nAssistant: "
            pair = {"chosen": f"{ask}Yes {number % 3}.", "rejected": f"{ask}No {number % 7}."}
            file.write(json.dumps(pair) + "\n")
    return tmp_path / "pairs.jsonl"


Compare = Callable[..., tuple[Run, Path]]


@pytest.fixture
def compare(tmp_path: Path, pairs: Path) -> Compare:
    """Compare in a data folder of its own, or go on there, with a pool and fakes."""

    runs: dict[str, str] = {}

    def run(
        folder: str, pool: type[PoolHere], fakes: Fakes = FAKES, names: tuple[str, ...] = (ONE,)
    ) -> tuple[Run, Path]:
        registry = Registry(tmp_path / folder)
        spec = CompareSpec(dataset=DatasetRequest(source=str(pairs)), models=names)
        if folder not in runs:
            runs[folder] = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)[0]
        run_id = runs[folder]
        registry.requeue(run_id)

        def provide(*_: object) -> Models:
            made = pool(lambda name, _: FakeRewardModel(name, fakes))
            return Models(lambda: None, made, fakes.together)

        work(registry, run_id, comparing_with(provide))
        return registry.get(run_id), registry.folder(run_id)

    return run


def table(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "table.parquet")


@pytest.mark.parametrize("together", [True, False])
def test_the_order_in_which_a_pool_gives_back_changes_nothing(
    compare: Compare, together: bool
) -> None:
    fakes, names = replace(FAKES, together=together), (ONE, "fake/two")
    run, here = compare("here", PoolHere, fakes, names)
    other, elsewhere = compare("elsewhere", LastFirst, fakes, names)
    assert (run.state, other.state) == (RunState.DONE, RunState.DONE), other.problem
    assert table(here).equals(table(elsewhere))
    assert table(here)["failure"].notna().sum() > 100
    assert (run.done, run.computed) == (other.done, other.computed)
    points = [Registry(folder.parents[1]).live_points(run.id) for folder in (here, elsewhere)]
    assert points[0] == points[1] and len(points[0]) == 24


def test_a_text_is_scored_once_whatever_wants_it_even_one_that_fails(
    compare: Compare, tmp_path: Path
) -> None:
    fakes = replace(FAKES, log=str(tmp_path / "log"))
    run, folder = compare("here", PoolHere, fakes)
    scored = sum(int(line.split()[1]) for line in (tmp_path / "log").read_text().splitlines())
    # The remainders by 40, 3 and 7 repeat: 40 x 3 texts are chosen, and 40 x 7 are rejected.
    assert scored == run.computed == 40 * 3 + 40 * 7
    assert len(table(folder)) == PAIRS


def test_a_run_that_goes_on_does_not_try_again_what_failed_before(
    compare: Compare, tmp_path: Path
) -> None:
    whole, expected = compare("whole", PoolHere)
    broken, _ = compare("broken", PoolHere, replace(FAKES, breaks_at_call=6))
    assert (broken.state, broken.problem) == (RunState.FAILED, "The fake broke.")
    resumed, folder = compare("broken", LastFirst)
    assert resumed.state is RunState.DONE
    assert (resumed.computed, whole.computed) == (400, 400)
    assert table(folder).equals(table(expected))


def test_a_task_that_is_given_up_is_named_and_all_others_under_way_are_kept(
    compare: Compare,
) -> None:
    run, folder = compare("given-up", GivingUp)
    assert run.state is RunState.FAILED
    assert (run.problem, run.hint) == ("It gave up chunk 2 of 12 with fake/one.", "Resume the run.")
    assert "scores|0|fake/one" in Parts(folder)
    resumed, folder = compare("given-up", PoolHere)
    assert resumed.state is RunState.DONE
    assert table(folder).equals(table(compare("whole", PoolHere)[1]))


def test_a_chunk_that_repeats_an_earlier_one_is_kept_however_slow_the_cache_is(
    compare: Compare, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, last = seeded_chunks(list(range(48)), 0, 16)
    questions = list(range(48))
    for place, other in zip(last, first, strict=True):
        questions[place] = other
    with pairs.open("w") as file:
        for question in questions:
            ask = f"\n\nHuman: Question {question}?\n\nAssistant: "
            file.write(json.dumps({"chosen": f"{ask}Yes.", "rejected": f"{ask}No."}) + "\n")
    _, expected = compare("quick", PoolHere)
    put, get = ScoreCache.put_many, ScoreCache.get_many
    asked: list[str] = []
    last_is_looked_up = Event()

    def slow_put(self: ScoreCache, identity: str, rewards: Mapping[str, Reward]) -> None:
        last_is_looked_up.wait()
        put(self, identity, rewards)

    def counted_get(self: ScoreCache, identity: str, hashes: Iterable[str]) -> dict[str, Reward]:
        asked.append(identity)
        if len(asked) == 3:
            last_is_looked_up.set()
        return get(self, identity, hashes)

    monkeypatch.setattr(ScoreCache, "put_many", slow_put)
    monkeypatch.setattr(ScoreCache, "get_many", counted_get)
    run, folder = compare("slow", PoolHere)
    assert run.state is RunState.DONE, run.problem
    assert sorted(table(folder)["row_id"]) == list(range(48))
    assert table(folder).equals(table(expected))
    assert run.computed == 2 * 32


def test_of_what_a_pool_was_given_no_text_is_held_but_by_the_pool(compare: Compare) -> None:
    counted: list[tuple[int, int]] = []

    class TakingAll(PoolHere):
        """Takes all tasks at once, as a cluster does, and holds no texts."""

        def score(
            self, tasks: Iterable[ScoringTask], progress: Progress
        ) -> Generator[ScoredTask, None, None]:
            seen: list[ref[Dialogue]] = []
            scored: list[ScoredTask] = []
            for task in tasks:
                if not task.both_ways:  # those are the probes, which the run holds
                    seen += map(ref, task.texts)
                scored += super().score([task], progress)
            del task
            gc.collect()
            counted.append((len(seen), sum(text() is not None for text in seen)))
            yield from scored

    run, _ = compare("all", TakingAll)
    assert run.state is RunState.DONE, run.problem
    assert counted == [(40 * 3 + 40 * 7, 0)]


def test_a_pool_that_forgets_a_task_does_not_make_a_finished_run(compare: Compare) -> None:
    run, folder = compare("forgotten", Forgetting)
    assert run.state is RunState.FAILED and not (folder / "manifest.json").exists()


def test_a_model_that_differs_where_it_scores_is_refused(compare: Compare) -> None:
    class Elsewhere(PoolHere):
        def load(self, name: str, revision: str) -> ModelCard:
            return super().load(name, revision).model_copy(update={"dtype": "float16"})

    run, folder = compare("elsewhere", Elsewhere)
    assert run.state is RunState.FAILED
    assert run.problem.startswith("fake/one is not the same wherever it scores")
    assert not any(key.startswith("scores") for key, _ in Parts(folder).all())


def point(step: int) -> tuple[Unit, list[ScoredRow]]:
    row = ScoredRow(step, 1.0, 0.0, 0, 0, None)
    return Unit(ONE, step, (step,)), [row]


def test_live_points_are_told_in_seeded_order_and_wait_for_those_before() -> None:
    live = LiveOrder([point(step)[0] for step in range(4)])

    def told(step: int) -> list[int]:
        points: list[LivePoint] = live.add(*point(step))
        return [one.step for one in points]

    assert [told(2), told(0), told(3), told(1)] == [[], [0], [], [1, 2, 3]]


def test_a_live_point_counts_each_side_and_what_is_not_rated() -> None:
    rewards = [(1.5, -0.25), (0.5, 0.5), (0.0, 0.5), (None, 1.0), (1.0, None)]
    rows = [ScoredRow(at, *sides, 0, 0, None) for at, sides in enumerate(rewards)]
    point = live_point(Unit(ONE, 0, tuple(range(5))), rows)
    assert (point.agree, point.tie, point.disagree, point.unrated) == (1, 1, 1, 2)
    assert (point.margin_sum, point.margin_squares) == (1.25, 1.75**2 + 0.25)
