"""A comparison from its spec to its files, with fake models that one can compute by hand."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes.reward_models import Fakes, fake_reward
from given.support import write_pairs

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.work import chunk_size
from ivan_core.experiments.compare.units import plan_units
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

RunHere = Callable[[str, Fakes], Run]
ONE, TWO = "fake/one", "fake/two"


@pytest.fixture
def registry(data_dir: Path) -> Registry:
    return Registry(data_dir)


def spec(pairs: Path, **fields: Any) -> CompareSpec:
    return CompareSpec(
        dataset=DatasetRequest(source=str(pairs)), **{"models": (ONE, TWO), **fields}
    )


def added(registry: Registry, asked: CompareSpec) -> str:
    return registry.add(asked.kind, asked.model_dump_json(), asked.fingerprint)[0]


def manifest(registry: Registry, run_id: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((registry.folder(run_id) / "manifest.json").read_text())
    return content


def table(registry: Registry, run_id: str) -> pd.DataFrame:
    return pd.read_parquet(registry.folder(run_id) / "table.parquet")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_chunks_follow_from_seed_and_size_alone() -> None:
    ids = list(range(40))
    asked = spec(Path("x.jsonl"), seed=3)
    units = plan_units(asked, ids, 16, together=True)
    assert units == plan_units(asked, ids, 16, together=True)
    assert [(unit.step, unit.model, len(unit.row_ids)) for unit in units] == [
        (0, ONE, 16),
        (0, TWO, 16),
        (1, ONE, 16),
        (1, TWO, 16),
        (2, ONE, 8),
        (2, TWO, 8),
    ]
    assert sorted(i for unit in units if unit.model == ONE for i in unit.row_ids) == ids
    one_after_the_other = plan_units(asked, ids, 16, together=False)
    assert sorted(map(repr, one_after_the_other)) == sorted(map(repr, units))
    assert [unit.model for unit in one_after_the_other] == [ONE] * 3 + [TWO] * 3
    assert plan_units(spec(Path("x.jsonl"), seed=4), ids, 16, together=True) != units


def test_a_chunk_is_a_twelfth_within_bounds() -> None:
    assert [chunk_size(rows, 256) for rows in (1, 480, 160_800)] == [16, 40, 256]
    assert [chunk_size(rows, 32) for rows in (1, 480, 160_800)] == [16, 32, 32]


def test_a_run_writes_the_original_files_and_a_manifest_that_names_them(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    run_id = added(registry, spec(pairs_file))
    run = run_here(run_id, Fakes())
    assert (run.state, run.done, run.total, run.problem) == (RunState.DONE, 80, 80, "")
    rows = read_csv(registry.data_dir / "compare" / f"{run_id}-fake-one.csv")
    assert list(rows[0]) == ["row_id", "chosen_score", "rejected_score", "agreement"]
    assert len(rows) == 39
    assert all(
        (row["agreement"] == "True") == (float(row["chosen_score"]) > float(row["rejected_score"]))
        for row in rows
    )
    failed = read_csv(registry.data_dir / "compare" / f"{run_id}-fake-one-failed.csv")
    assert failed == [{"row_id": "7", "reason": "both sides are the same text"}]
    stats = read_csv(registry.data_dir / "compare" / f"{run_id}-stats.csv")
    assert [row["model_name"] for row in stats] == [ONE, TWO]
    assert {(row["rlhf_entries"], row["rlhf_entries_rated"]) for row in stats} == {("40", "39")}
    about = manifest(registry, run_id)
    assert all((registry.data_dir / name).exists() for name in about["files"])
    assert about["texts_computed"] == 2 * 2 * 39
    assert about["dataset"]["rows"] == 40
    assert [card["revision"] for card in about["models"]] == ["r1", "r1"]


def test_the_entries_are_those_of_the_split_whatever_rows_were_asked_for(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    run_id = added(registry, spec(pairs_file, models=(ONE,), limit=10))
    run_here(run_id, Fakes())
    (stats,) = read_csv(registry.data_dir / "compare" / f"{run_id}-stats.csv")
    assert (stats["rlhf_entries"], stats["rlhf_entries_rated"]) == ("40", "9")
    # 9 of the 40 rows of the split: row 7 has the same text on both sides.
    assert stats["rlhf_entries_rated_percentage"] == "22.5"
    assert list(stats)[-1] == "rlhf_entries_asked"
    assert stats["rlhf_entries_asked"] == "10"


def test_rewards_are_the_models_own_to_the_last_bit(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    run_id = added(registry, spec(pairs_file, models=(ONE,)))
    run_here(run_id, Fakes(constant=False))
    about = table(registry, run_id).set_index("row_id")
    pairs = [json.loads(line) for line in pairs_file.read_text().splitlines()]
    budget = next(
        row["rows"][0]
        for row in map(
            json.loads, (registry.folder(run_id) / "parts.jsonl").read_text().splitlines()
        )
        if row["key"] == "tokens"
    )
    from ivan_core.domain.transcripts import Dialogue

    for row_id in (0, 39):
        text = Dialogue(pairs[row_id]["chosen"])
        assert about.loc[row_id, "chosen_reward"] == fake_reward(ONE, text.hash, budget)


def test_a_second_run_over_the_same_texts_computes_nothing_and_reads_no_chunk(
    registry: Registry, pairs_file: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = added(registry, spec(pairs_file)), added(registry, spec(pairs_file, seed=1))
    read: list[int] = []
    hashed_texts = PreparedDataset.hashed_texts

    def watched(self: PreparedDataset, places: Any, wanted: list[str]) -> list[Dialogue]:
        read.append(len(wanted))
        return hashed_texts(self, places, wanted)

    monkeypatch.setattr(PreparedDataset, "hashed_texts", watched)
    assert run_here(first, Fakes()).computed == sum(read) == 2 * 2 * 39
    assert run_here(second, Fakes()).computed == 0
    assert sum(read) == 2 * 2 * 39
    assert manifest(registry, second)["texts_computed"] == 0
    drop = ["step"]
    assert (
        table(registry, first).drop(columns=drop).equals(table(registry, second).drop(columns=drop))
    )


@pytest.mark.parametrize("changed", [{"revision": "r2"}, {"max_tokens": 64}], ids=str)
def test_a_changed_model_is_asked_again(
    registry: Registry, pairs_file: Path, run_here: RunHere, changed: dict[str, Any]
) -> None:
    first, second = added(registry, spec(pairs_file)), added(registry, spec(pairs_file, seed=1))
    run_here(first, Fakes())
    assert run_here(second, replace(Fakes(), **changed)).computed == 2 * 2 * 39


def test_failed_truncated_and_not_finite_rows_are_kept_and_counted(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    from ivan_core.domain.transcripts import Dialogue

    run_id = added(registry, spec(pairs_file, models=(ONE,)))
    fakes = Fakes(failing="01", not_finite="2", truncated="345")
    run_here(run_id, fakes)
    pairs = [json.loads(line) for line in pairs_file.read_text().splitlines()]
    first = [(Dialogue(p["chosen"]).hash[0], Dialogue(p["rejected"]).hash[0]) for p in pairs]
    differ = [digits for row, digits in enumerate(first) if row != 7]
    failed = sum(any(digit in "012" for digit in digits) for digits in differ)
    rated = [digits for digits in differ if not any(digit in "012" for digit in digits)]
    truncated = sum(any(digit in "345" for digit in digits) for digits in rated)
    assert failed and truncated
    counts = manifest(registry, run_id)["summaries"][0]["counts"]
    assert (counts["failed"], counts["identical"], counts["truncated"]) == (failed, 1, truncated)
    assert counts["rated"] == 39 - failed
    reasons = read_csv(registry.data_dir / "compare" / f"{run_id}-fake-one-failed.csv")
    assert len(reasons) == failed + 1
    said = " ".join(row["reason"] for row in reasons)
    assert "the fake was told to fail" in said and "not a finite number" in said
    kept = table(registry, run_id)
    assert len(kept) == 40
    assert not kept["margin"].dropna().map(math.isinf).any()


@pytest.mark.parametrize("every", ["failed", "the same", "tied"])
def test_nothing_to_rate_is_a_result(
    registry: Registry, tmp_path: Path, run_here: RunHere, every: str
) -> None:
    pairs = write_pairs(tmp_path / "pairs.jsonl", 8)
    if every == "the same":
        same = {
            "chosen": "\n\nHuman: A?\n\nAssistant: B.",
            "rejected": "\n\nHuman: A?\n\nAssistant: B.",
        }
        pairs.write_text(f"{json.dumps(same)}\n" * 8)
    run_id = added(registry, spec(pairs))
    fakes = Fakes(failing="0123456789abcdef") if every == "failed" else Fakes(constant=True)
    run = run_here(run_id, fakes)
    assert (run.state, run.done, run.total) == (RunState.DONE, 16, 16)
    summary = manifest(registry, run_id)["summaries"][0]
    ties = 7 if every == "tied" else 0
    assert (summary["counts"]["rated"], summary["counts"]["tie"]) == (ties, ties)
    assert (summary["agreement"] is None) == (every != "tied")
    assert len(table(registry, run_id)) == 16
    assert len(read_csv(registry.data_dir / "compare" / f"{run_id}-fake-one.csv")) == ties


def test_live_points_are_the_chunks_in_seeded_order_known_texts_included(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    known, run_id = added(registry, spec(pairs_file, limit=30)), added(registry, spec(pairs_file))
    run_here(known, Fakes())
    run_here(run_id, Fakes())
    rows = table(registry, run_id)
    points = registry.live_points(run_id)
    assert [(point.model, point.step) for point in points] == [
        (model, step) for model in (ONE, TWO) for step in range(3)
    ]
    for point in points:
        chunk = rows[(rows["model"] == point.model) & (rows["step"] == point.step)]
        assert (point.agree, point.disagree) == (
            (chunk["verdict"] == "agree").sum(),
            (chunk["verdict"] == "disagree").sum(),
        )
        assert point.margin_sum == pytest.approx(chunk["margin"].sum())
    assert sum(point.unrated for point in points) == 2


def test_models_are_called_what_the_person_called_them(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    models = ("fake/one@main", "fake/one@old", "fake-one@old")
    run_id = added(registry, spec(pairs_file, models=models))
    run_here(run_id, Fakes())
    assert tuple(table(registry, run_id)["model"].unique()) == models
    for name in ("fake-one-main", "fake-one-old", "fake-one-old~2"):
        assert len(read_csv(registry.data_dir / "compare" / f"{run_id}-{name}.csv")) == 39


def test_two_runs_of_one_minute_write_files_of_their_own(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    ids = [added(registry, spec(pairs_file, seed=seed)) for seed in (0, 1)]
    for run_id in ids:
        run_here(run_id, Fakes())
    stats = {path.name for path in (registry.data_dir / "compare").glob("*-stats.csv")}
    assert stats == {f"{run_id}-stats.csv" for run_id in ids}


def test_an_unforeseen_error_ends_in_a_sentence(
    registry: Registry, pairs_file: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ivan_core.experiments.compare import work as compare_work

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(compare_work, "scores_table", breaks)
    run_id = added(registry, spec(pairs_file))
    run = run_here(run_id, Fakes())
    assert run.state is RunState.FAILED
    assert "ZeroDivisionError" in run.problem and "worker.log" in run.hint


def test_a_run_in_8_bits_says_that_a_model_of_ivan_stays_as_it_is(registry: Registry) -> None:
    asked = CompareSpec(models=("ivan/minilm-control",), limit=2, quantization="int8")
    run_id = added(registry, asked)
    work(registry, run_id)
    run = registry.get(run_id)
    assert run.state is RunState.DONE
    assert "ivan/minilm-control ships with IVAN and stays as it is." in run.notes
