"""Several devices, tried with the CPU as two of them: the table of one, whatever is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pandas as pd
import pytest
from fakes.checked_models import load_checked
from fakes.reward_models import FakeLoader, Fakes, provider, run_worker
from given.support import exit_code_of, wait_for

from ivan_core import settings
from ivan_core.backends.pools.devices import PoolOfDevices, environment
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.scoring import ScoringTask
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.models import reward_models
from ivan_core.runs.context import Parts
from ivan_core.runs.registry import Registry
from ivan_core.settings import named_devices
from ivan_core.worker import work

MODELS = ("fake/one", "fake/two")
FAKES = Fakes(failing="0", not_finite="1", truncated="2", silent=True)
TWO = replace(FAKES, devices=("cpu", "cpu"))
RunHere = Callable[[str, Fakes], Run]
DEADLY = "\n\nHuman: Question 22?\n\nAssistant: Answer 22."
"""A text of the second chunk, which kills whoever scores it where that is wanted."""


@pytest.fixture
def registry(data_dir: Path) -> Registry:
    return Registry(data_dir)


def added(registry: Registry, pairs: Path, models: tuple[str, ...] = MODELS[:1]) -> str:
    spec = CompareSpec(dataset=DatasetRequest(source=str(pairs)), models=models)
    return registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)[0]


def table(registry: Registry, run_id: str) -> pd.DataFrame:
    return pd.read_parquet(registry.folder(run_id) / "table.parquet")


def of_one(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first model."""
    return table[table["model"] == MODELS[0]].reset_index(drop=True)


def deadly(tmp_path: Path, lives: int) -> Fakes:
    return replace(TWO, deadly=Dialogue(DEADLY).hash, deaths=str(tmp_path / "deaths"), lives=lives)


def deaths(tmp_path: Path) -> list[int]:
    return [int(line) for line in (tmp_path / "deaths").read_text().splitlines()]


@pytest.fixture
def expected(tmp_path: Path, pairs_file: Path) -> pd.DataFrame:
    """The table of these pairs by both models from one process."""
    alone = Registry(tmp_path / "alone")
    run_id = added(alone, pairs_file, MODELS)
    work(alone, run_id, provider(FAKES))
    assert alone.get(run_id).state is RunState.DONE
    return table(alone, run_id)


@pytest.mark.parametrize("together", [True, False])
def test_two_devices_give_the_table_of_one_process(
    registry: Registry, pairs_file: Path, run_here: RunHere, expected: pd.DataFrame, together: bool
) -> None:
    run_id = added(registry, pairs_file, MODELS)
    run = run_here(run_id, replace(TWO, together=together))
    assert (run.state, run.problem, run.done) == (RunState.DONE, "", 80)
    if together:  # otherwise the second model measures a budget of its own
        assert table(registry, run_id).equals(expected)
    else:
        assert of_one(table(registry, run_id)).equals(of_one(expected))


def test_a_killed_process_is_started_again_twice_and_nothing_is_lost(
    registry: Registry, pairs_file: Path, run_here: RunHere, expected: pd.DataFrame, tmp_path: Path
) -> None:
    run_id = added(registry, pairs_file)
    run = run_here(run_id, deadly(tmp_path, lives=2))
    assert (run.state, run.problem) == (RunState.DONE, "")
    assert len(set(deaths(tmp_path))) == 2
    assert table(registry, run_id).equals(of_one(expected))


def test_a_chunk_that_kills_every_process_is_named_and_the_others_are_kept(
    registry: Registry, pairs_file: Path, run_here: RunHere, expected: pd.DataFrame, tmp_path: Path
) -> None:
    run_id = added(registry, pairs_file)
    run = run_here(run_id, deadly(tmp_path, lives=9))
    assert run.state is RunState.FAILED
    assert len(deaths(tmp_path)) == 3
    assert run.problem.startswith(
        "The process on cpu was killed 3 times while it was scoring chunk 2 of 3"
    )
    assert run.problem.endswith(" with fake/one.") and "memory" in run.hint
    kept = [key for key, _ in Parts(registry.folder(run_id)).all() if key.startswith("scores")]
    assert len(kept) == 2
    assert registry.requeue(run_id)
    assert run_here(run_id, TWO).state is RunState.DONE
    assert table(registry, run_id).equals(of_one(expected))


def test_a_killed_driver_loses_only_what_was_under_way_and_its_processes_end(
    registry: Registry,
    pairs_file: Path,
    processes: ForkServerContext,
    run_here: RunHere,
    expected: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ivan_core.runs.registry._STARTUP_GRACE", 0.0)
    run_id = added(registry, pairs_file)
    fakes = replace(TWO, pids=str(tmp_path / "pids"))
    code = exit_code_of(processes, run_worker, registry.data_dir, run_id, fakes, 30)
    assert code == -signal.SIGKILL
    started = [int(line) for line in (tmp_path / "pids").read_text().splitlines()]
    assert len(set(started)) == 2
    wait_for(lambda: not any(map(is_alive, started)))
    assert registry.requeue(run_id)
    assert run_here(run_id, TWO).state is RunState.DONE
    assert table(registry, run_id).equals(of_one(expected))


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_an_error_in_a_process_is_the_runs(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    run = run_here(added(registry, pairs_file), replace(TWO, breaks_at_call=1))
    assert (run.state, run.problem, run.hint) == (RunState.FAILED, "The fake broke.", "Mend it.")


def test_what_nobody_foresaw_in_a_process_is_told_with_its_trace() -> None:
    pool = PoolOfDevices(FakeLoader(Fakes()), ("cpu",))
    pool.load("fake/one", "")
    task = ScoringTask("one", "fake/one", [None], 7)  # type: ignore[list-item]
    with pytest.raises(RuntimeError, match="AttributeError"):
        list(pool.score([task], lambda key, texts: None))
    pool.release()


def test_a_process_that_ends_while_it_loads_is_a_sentence(tmp_path: Path) -> None:
    pool = PoolOfDevices(Ending(), ("cpu",))
    with pytest.raises(BackendUnavailable, match="ended before it could score"):
        pool.load("fake/one", "")
    pool.release()


class Ending:
    """Ends the process that loads a model."""

    def __call__(self, name: str, revision: str) -> None:
        os._exit(1)


def test_embedded_models_give_the_same_bits_on_two_devices_as_in_one_process(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    tables = []
    for devices in ("", "cpu,cpu"):
        monkeypatch.setenv("IVAN_DEVICES", devices)
        other = Registry(tmp_path / (devices or "here"))
        spec = CompareSpec(limit=64, models=("ivan/minilm-harmless", "ivan/minilm-control"))
        run_id, _ = other.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
        other.folder(run_id).mkdir(parents=True)
        Parts(other.folder(run_id)).append("tokens", [1024])
        torch.set_num_threads(1)
        try:
            work(other, run_id)
        finally:
            torch.set_num_threads(before)
        run = other.get(run_id)
        assert (run.state, run.problem) == (RunState.DONE, "")
        tables.append(table(other, run_id))
    assert tables[0].equals(tables[1])


def test_devices_are_read_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "gpu_memory", lambda: (80 << 30, 80 << 30))
    monkeypatch.setenv("IVAN_DEVICES", " cuda:0, cuda:1 ,cpu,")
    assert named_devices() == ("cuda:0", "cuda:1", "cpu")
    assert reward_models.devices_for(["ivan/minilm-control"]) == ("cuda:0", "cuda:1", "cpu")
    monkeypatch.setenv("IVAN_DEVICES", "gpu0")
    with pytest.raises(BadInput, match="'gpu0', which is no device"):
        named_devices()


@pytest.mark.parametrize(
    ("devices", "cards", "visible", "refused"),
    [
        ("cuda:7", 0, "", "cuda:7"),
        ("cuda", 0, "", "cuda"),
        ("cpu,cuda:0,cuda:2", 2, "", "cuda:2"),
        ("cuda,cuda:01,cpu", 2, "", ""),
        ("cuda:1,cuda:2", 1, "MIG-a,MIG-b", "cuda:2"),
    ],
)
def test_a_card_that_is_not_there_is_refused_before_anything_is_loaded(
    devices: str, cards: int, visible: str, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "gpu_memory", lambda: (80 << 30,) * cards)
    monkeypatch.setattr(settings, "has_gpu", lambda: cards > 0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setenv("IVAN_DEVICES", devices)
    if not refused:
        assert named_devices() == tuple(devices.split(","))
        return
    with pytest.raises(BadInput, match=f"names {refused}, and no such card was found") as found:
        reward_models.devices_for(["owner/unknown"])
    assert found.value.hint.endswith("cpu, or leave it out.")


def test_a_card_may_be_named_where_the_driver_does_not_say_how_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "gpu_memory", tuple)
    monkeypatch.setattr(settings, "has_gpu", lambda: True)
    monkeypatch.setenv("IVAN_DEVICES", "cuda:7")
    assert named_devices() == ("cuda:7",)


@pytest.mark.parametrize(
    ("sizes", "names", "devices"),
    [
        ((80, 80), ["owner/unknown"], ("cuda:0", "cuda:1")),
        ((80, 80), ["ivan/minilm-control"], ()),
        ((80,), ["owner/unknown"], ()),
        ((80, 80), ["OpenAssistant/reward-model-deberta-v3-large-v2"], ("cuda:0", "cuda:1")),
        ((1 / 4, 80), ["OpenAssistant/reward-model-deberta-v3-large-v2"], ()),
    ],
)
def test_all_cards_that_may_hold_the_models_are_taken_where_nothing_is_set(
    sizes: tuple[float, ...],
    names: list[str],
    devices: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    no_files: None,
) -> None:
    monkeypatch.delenv("IVAN_DEVICES", raising=False)
    monkeypatch.setattr(reward_models, "has_gpu", lambda: True)
    monkeypatch.setattr(
        reward_models, "gpu_memory", lambda: tuple(int(size * 2**30) for size in sizes)
    )
    assert reward_models.devices_for(names) == devices


def test_a_process_sees_its_own_card_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert environment("cuda:1", 0)["CUDA_VISIBLE_DEVICES"] == "1"
    cpu = environment("cpu", 2)
    assert (cpu["CUDA_VISIBLE_DEVICES"], cpu["OMP_NUM_THREADS"]) == ("", "4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert environment("cuda:1", 0)["CUDA_VISIBLE_DEVICES"] == "6"


def test_a_model_to_be_checked_is_compared_on_one_device() -> None:
    pool = PoolOfDevices(load_checked, ("cpu", "cpu"))
    assert pool.load(MODELS[0], "").note == ""
    card = pool.compare(MODELS[0], [Dialogue(DEADLY), Dialogue(DEADLY)])
    pool.release()
    assert card.note == "Compared on 2 texts."
