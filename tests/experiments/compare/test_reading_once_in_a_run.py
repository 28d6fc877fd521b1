"""A comparison by a model that reads prompts once: its table, and what the manifest says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from fakes.reward_models import comparing_with
from given import made_runs
from given.support import write_pairs
from given.tiny_models import tiny_qwen3

from ivan_core.backends.pools.here import PoolHere
from ivan_core.backends.reward_models.loading import load_model
from ivan_core.backends.reward_models.scoring import TransformersRewardModel
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.compare.scoring import Models
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

torch.set_num_threads(1)


class WithBudget(TransformersRewardModel):
    """A model for which a measurement would choose what is told here."""

    chosen = 0
    calls = 0
    breaks_at = 0
    """A call from which on it does not answer any more; none if 0."""

    def score_read(
        self, read: Sequence[Any], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        self.calls += 1
        if self.calls == self.breaks_at:
            raise BackendUnavailable("It broke.", "Mend it.")
        return super().score_read(read, progress)

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        return super().tune(dialogues, self.chosen if known is None else known)


def added(data_dir: Path, pairs: Path, model: Path) -> tuple[Registry, str]:
    """A run that waits for its worker."""
    registry = Registry(data_dir)
    asked = CompareSpec(dataset=DatasetRequest(source=str(pairs)), models=(str(model),))
    run_id, _ = registry.add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    return registry, run_id


def compared(
    data_dir: Path, pairs: Path, model: Path, budget: int
) -> tuple[pd.DataFrame, str, str]:
    """The table of a run under a budget, the way its card says, and its check of batches."""

    def load_it(name: str, revision: str) -> TransformersRewardModel:
        made = WithBudget(load_model(name, device="cpu"))
        made.chosen = budget
        return made

    registry, run_id = added(data_dir, pairs, model)
    models = Models(lambda: None, PoolHere(load_it), together=False)
    work(registry, run_id, comparing_with(lambda *_: models))
    folder = registry.folder(run_id)
    manifest = json.loads((folder / "manifest.json").read_text())
    card = next(iter(manifest["models"]))
    checks = manifest["trust"][0]["checks"]
    batch = next(check["reason"] for check in checks if "batch" in check["name"])
    return pd.read_parquet(folder / "table.parquet"), card["way"], batch


def test_the_run_says_that_prompts_were_read_once_and_its_scores_are_those_of_single_texts(
    tmp_path: Path,
) -> None:
    model, pairs = tiny_qwen3(tmp_path / "qwen3"), write_pairs(tmp_path / "pairs.jsonl", 20)
    once, way, batch = compared(tmp_path / "once", pairs, model, -512)
    alone, ordinary, _ = compared(tmp_path / "alone", pairs, model, 0)
    assert (way, ordinary) == ("Reads a pair's prompt once.", "")
    assert "16 rows" in batch
    assert batch.endswith("Reads a pair's prompt once.")
    sides = ["chosen_reward", "rejected_reward"]
    assert once[sides].to_numpy() == pytest.approx(alone[sides].to_numpy(), abs=1e-5, nan_ok=True)
    assert list(once["verdict"]) == list(alone["verdict"])


def test_texts_that_were_read_alone_are_counted_with_the_reason_and_a_resumed_run_counts_all(
    tmp_path: Path,
) -> None:
    model = tiny_qwen3(
        tmp_path / "qwen3", use_sliding_window=True, sliding_window=320, max_window_layers=1
    )
    rows = [
        {"chosen": f"\n\nHuman: {ask}\n\nAssistant: yes {n}", "rejected": f"{start}: no"}
        for n in range(40)
        for ask in [f"how do i bake bread {n} " + "old " * (400 if n % 10 == 0 else 60)]
        for start in [f"\n\nHuman: {ask}\n\nAssistant"]
    ]
    pairs = made_runs.write_rows(tmp_path / "pairs.jsonl", rows)

    def by(breaks_at: int) -> Any:
        def load_it(name: str, revision: str) -> TransformersRewardModel:
            made = WithBudget(load_model(name, device="cpu"))
            made.chosen, made.breaks_at = -4096, breaks_at
            return made

        return comparing_with(lambda *_: Models(claim, PoolHere(load_it), False, chunk=10))

    def claim() -> None:
        """Nobody else is at work."""

    registry, run_id = added(tmp_path / "data", pairs, model)
    work(registry, run_id, by(3))
    assert registry.get(run_id).state is RunState.FAILED
    assert 0 < registry.get(run_id).done < 40
    assert registry.requeue(run_id)
    work(registry, run_id, by(0))
    manifest = json.loads((registry.folder(run_id) / "manifest.json").read_text())
    said = (
        "Reads a pair's prompt once; not for texts of more than 320 tokens. Of 80 texts that this"
        " run had scored, 8 were read alone (longer than its window of 320 tokens: 8)."
    )
    assert manifest["models"][0]["way"] == said
    (check,) = [one for one in manifest["trust"][0]["checks"] if "batch" in one["name"]]
    assert check["reason"].endswith(said)


def test_a_card_tells_of_the_way_under_the_budget_that_was_used() -> None:
    may = ModelCard(id="m", shared_way="Reads a pair's prompt once.")
    packed = ModelCard(id="m", way="Scored without padding.")
    assert [may.under(budget).way for budget in (-1, 0, 1)] == [
        "Reads a pair's prompt once.",
        "",
        "",
    ]
    assert [packed.under(budget).way for budget in (-1, 1)] == ["Scored without padding."] * 2
    assert may.under(-1).cache_identity == may.cache_identity


@pytest.mark.parametrize(
    ("budget", "quantization"),
    [(-512, "none"), (512, "none"), (0, "none"), (-512, "int8")],
    ids=["prompts once", "batches", "one at a time", "8 bits"],
)
def test_what_broke_off_goes_on_to_the_same_table_in_every_way_of_scoring(
    tmp_path: Path, budget: int, quantization: Any
) -> None:
    model, pairs = tiny_qwen3(tmp_path / "qwen3"), write_pairs(tmp_path / "pairs.jsonl", 80)

    def by(chosen: int, breaks_at: int = 0) -> Any:
        def load_it(name: str, revision: str) -> TransformersRewardModel:
            made = WithBudget(load_model(name, device="cpu", quantization=quantization))
            made.chosen, made.breaks_at = chosen, breaks_at
            return made

        models = Models(lambda: None, PoolHere(load_it), together=False)
        return comparing_with(lambda *_: models)

    def table(registry: Registry, run_id: str) -> pd.DataFrame:
        return pd.read_parquet(registry.folder(run_id) / "table.parquet")

    registry, whole = added(tmp_path / "whole", pairs, model)
    work(registry, whole, by(budget))
    expected = table(registry, whole)
    registry, run_id = added(tmp_path / "broken", pairs, model)
    work(registry, run_id, by(budget, breaks_at=3))
    assert (registry.get(run_id).state, registry.get(run_id).problem) == (
        RunState.FAILED,
        "It broke.",
    )
    assert 0 < registry.get(run_id).done < 80
    assert registry.requeue(run_id)
    # A measurement on a busier machine would choose another way by now.
    work(registry, run_id, by(0 if budget else -512))
    assert registry.get(run_id).state is RunState.DONE
    assert table(registry, run_id).equals(expected)
