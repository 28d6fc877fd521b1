"""The trust strip of a run is measured with the run and kept in its manifest."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fakes.checked_models import CheckedModel
from fakes.reward_models import Fakes, comparing_with

from ivan_core.backends.pools.here import PoolHere
from ivan_core.backends.reward_models.loading import head_label
from ivan_core.domain.models import EightBits
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.compare.report import print_results
from ivan_core.experiments.compare.scoring import Models
from ivan_core.metrics.trust import TrustStrip
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

RunHere = Callable[[str, Fakes], Run]


def strips(data_dir: Path, pairs: Path, run_here: RunHere, fakes: Fakes) -> list[TrustStrip]:
    registry = Registry(data_dir)
    spec = CompareSpec(dataset=DatasetRequest(source=str(pairs)), models=("fake/one", "fake/two"))
    run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    run_here(run_id, fakes)
    manifest = json.loads((registry.folder(run_id) / "manifest.json").read_text())
    return [TrustStrip.from_dict(strip) for strip in manifest["trust"]]


def test_every_model_has_all_checks(data_dir: Path, pairs_file: Path, run_here: RunHere) -> None:
    found = strips(data_dir, pairs_file, run_here, Fakes())
    assert [strip.model for strip in found] == ["fake/one", "fake/two"]
    for strip in found:
        assert len({check.name for check in strip.checks}) == 7
        batch = next(check for check in strip.checks if "batch" in check.name)
        assert batch.level == "green" and batch.reason.startswith("16 rows")


def test_a_model_that_gives_one_score_is_red(
    data_dir: Path, pairs_file: Path, run_here: RunHere
) -> None:
    found = strips(data_dir, pairs_file, run_here, Fakes(constant=True))
    assert found[0].level == "red"
    assert any("same score" in check.reason for check in found[0].checks)


class InEightBits(CheckedModel):
    """One whose check found one verdict of sixteen changed."""

    def compare(self, dialogues: Sequence[Dialogue]) -> None:
        found = EightBits(pairs=len(dialogues) // 2, verdicts_changed=1, largest=0.25)
        self.card = self.card.model_copy(update={"eight_bits": found})


def test_a_model_in_8_bits_has_a_check_of_its_own_and_the_report_tells_it(
    data_dir: Path, pairs_file: Path
) -> None:
    def provide(*_: object) -> Models:
        def claim() -> None:
            """Nobody else is at work."""

        pool = PoolHere(lambda name, _: InEightBits(name, Fakes()))
        return Models(claim, pool, True, compare=lambda *asked: pool.compare(*asked, claim))

    registry = Registry(data_dir)
    spec = CompareSpec(dataset=DatasetRequest(source=str(pairs_file)), models=("fake/one",))
    run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    work(registry, run_id, comparing_with(provide))
    manifest = json.loads((registry.folder(run_id) / "manifest.json").read_text())
    (strip,) = manifest["trust"]
    (check,) = [one for one in strip["checks"] if one["name"] == "verdicts in 8 bits"]
    said = (
        "Its weights were held in 8 bits: against full precision the verdict of 1 of 16 pairs"
        " (6% [1, 28]) changed, and scores moved by at most 0.25."
    )
    assert (check["level"], check["reason"]) == ("amber", said)
    printed = io.StringIO()
    print_results(run_id, printed)
    assert said in printed.getvalue()


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({0: "LABEL_0"}, ""),
        ({0: "reward"}, "reward"),
        ({0: "bad", 1: "good"}, "bad, good"),
        ({}, ""),
    ],
)
def test_a_head_is_known_by_a_name_that_tells(labels: dict[int, str], told: str) -> None:
    class Config:
        id2label = labels

    assert head_label(Config()) == told
