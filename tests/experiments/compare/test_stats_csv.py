"""The line of a model in `<slug>-stats.csv`."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from given.made_scores import scores

from ivan_core.domain.models import ModelCard
from ivan_core.experiments.compare.files import write_csvs
from ivan_core.metrics.summary import summarise


def test_length_balanced_agreement_has_its_interval(tmp_path: Path) -> None:
    # Longer chosen: 2 of 4 agree; shorter chosen: 3 of 4.
    table = scores(
        [(2, 1), (2, 1), (1, 2), (1, 2), (2, 1), (2, 1), (2, 1), (1, 2)],
        chosen_length=[9] * 4 + [1] * 4,
        rejected_length=[1] * 4 + [9] * 4,
    )
    summaries = summarise(table)
    card = ModelCard(id=summaries[0].model)
    *_, name = write_csvs(tmp_path, "2026-01-31-12-00", "pairs", 8, table, [card], summaries)
    with (tmp_path / "compare" / name).open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    # Wilson: 2 of 4 [.1500, .8500], 3 of 4 [.3006, .9544]; the half widths are joined by squares.
    assert float(row["length_balanced_agreement"]) == 0.625
    assert float(row["length_balanced_low"]) == pytest.approx(
        0.625 - (0.35**2 + 0.4494**2) ** 0.5 / 2, abs=1e-3
    )
    assert float(row["length_balanced_high"]) == pytest.approx(
        0.625 + (0.35**2 + 0.2044**2) ** 0.5 / 2, abs=1e-3
    )
