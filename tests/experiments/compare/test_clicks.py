"""A click on a chart leads to exactly the rows that the mark counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes.reward_models import Fakes, provider
from given import made_runs
from given.support import write_annotated_pairs

from ivan_core.charts.sides import agreement_by_larger_bars, length_bars
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.compare import clicks
from ivan_core.experiments.compare.conditions import LANGUAGE, Seen, listing
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.experiments.compare.sentences import two_models
from ivan_core.experiments.compare.verdicts import RatedBy
from ivan_core.lists.conditions import Condition, Filter, matching_rows
from ivan_core.lists.url import query_of, read_filter
from ivan_core.metrics.agreement import by_subset
from ivan_core.metrics.bins import margin_histogram, reward_bins
from ivan_core.metrics.columns import agreement_by_larger, column_bins
from ivan_core.metrics.paired import margin_cells, verdict_table
from ivan_core.metrics.reliability import reliability
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

FIRST, SECOND = made_runs.TWO_MODELS
ROWS = 240
TRAINED = {
    "one on some": (True, False),
    "both on some": (True, True),
    "one on some, one on all": (True, None),
    "neither": (False, False),
}
"""Whether each of the two models was trained on some of the rows; None stands for all."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A run on pairs of which one cannot be rated, and one is identical, and its folder."""
    folder = tmp_path_factory.mktemp("clicks")
    path = write_annotated_pairs(folder / "rows.jsonl", ROWS, 14)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IVAN_DATA_DIR", str(folder / "data"))
        patch.setenv("IVAN_SLOT_FILE", str(folder / "slot"))
        fakes = Fakes(failing="11")
        yield (
            folder / "data",
            made_runs.finished(folder / "data", made_runs.spec_of_file(path), fakes),
        )


@pytest.fixture(params=TRAINED)
def results(made: tuple[Path, str], request: pytest.FixtureRequest) -> Results:
    """The run as if its models had been trained on the pairs with the largest numbers, and more.

    So the pairs that are left out reach beyond the edges of every bin of the others.
    """
    found = open_results(made[1])
    table = _better(found.table)
    table["seen"] = pd.array([False] * len(table), "boolean")
    for shift, (model, trained) in enumerate(
        zip((FIRST, SECOND), TRAINED[request.param], strict=True)
    ):
        own = table["model"].eq(model)
        far = table["margin"].abs().ge(table.loc[own, "margin"].abs().quantile(0.8))
        far |= table["chosen_reward"].ge(table.loc[own, "chosen_reward"].quantile(0.9))
        some = own & (far | (table["row_id"] + shift).mod(5).eq(0) | table["row_id"].gt(200))
        if trained is not False:
            table.loc[own if trained is None else some, "seen"] = True
    return Results(found.run, found.spec, found.dataset, table, found.cards, found.manifest)


def _better(table: pd.DataFrame) -> pd.DataFrame:
    """The table as if models liked chosen replies a little more: sureness needs a scale."""
    lift = float(table["margin"].std()) / 2
    margins = table["margin"] + lift
    verdicts = pd.Series(np.where(margins > 0, "agree", "disagree"), table.index)
    return table.assign(
        chosen_reward=table["chosen_reward"] + lift,
        margin=margins,
        verdict=verdicts.where(table["verdict"].notna()),
    )


def _leads_to(results: Results, asked: tuple[Condition, ...], n: int) -> bool:
    """Whether so many rows are listed, after the filter has been through a link."""
    assert asked
    query = query_of(Filter(LANGUAGE, asked))
    kept, ignored = read_filter(LANGUAGE, query)
    assert not ignored
    return len(matching_rows(listing(results), kept)) == int(n)


def _points(table: pd.DataFrame) -> list[Mapping[str, Any]]:
    return table.to_dict("records")  # type: ignore[return-value]


def test_bars_by_subset_and_by_column(results: Results) -> None:
    for point in _points(by_subset(results.fair)):
        assert _leads_to(results, clicks.of_bar(results, point), point["count"])
    for column in ("annotator", "hours"):
        bars = _points(results.by_own_column(column))
        assert len(bars) > 20
        for point in bars:
            assert _leads_to(results, clicks.of_bar(results, point, column), point["count"])


def test_bars_by_length(results: Results) -> None:
    bars = _drawn(length_bars(results.summaries).to_dict(), "longer")
    assert len(bars) == 4
    for point in bars:
        asked = clicks.of_length(results, point)
        assert RatedBy(model=point["model"]) in asked
        assert _leads_to(results, asked, point["n"])


def test_bars_by_a_column_that_somebody_made(made: tuple[Path, str], results: Results) -> None:
    spec = ColumnSpec(dataset=results.dataset.fingerprint, form="regex", expression="[.!]")
    if not columns.is_known(spec):
        registry = Registry(made[0])
        run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
        work(registry, run_id, provider(Fakes()))
    column = columns.column(results.dataset.fingerprint, spec.id)
    chosen, rejected = column.chosen[results.row_ids], column.rejected[results.row_ids]
    apart = pd.Series(chosen - rejected, index=results.row_ids)
    table = agreement_by_larger(results.fair, apart)
    bars = _drawn(agreement_by_larger_bars(table).to_dict(), "larger")
    assert len(bars) == 6
    for point in bars:
        assert _leads_to(results, clicks.of_larger(results, point, spec, table), point["n"])
    bins = column_bins(chosen, rejected)
    for point in _points(bins[bins["count"] > 0]):
        assert _leads_to(results, clicks.of_value(point, spec, bins), point["count"])


def test_cells_of_rewards_and_bins_of_margins_and_of_sureness(results: Results) -> None:
    for model in results.models:
        own = results.fair[results.fair["model"] == model]
        cells, margins = reward_bins(own), margin_histogram(own)
        for point in _points(cells):
            asked = clicks.of_rewards(results, point, model, cells)
            assert _leads_to(results, asked, point["count"])
        for point in _points(margins):
            asked = clicks.of_margin(results, point, model, margins)
            assert _leads_to(results, asked, point["count"])
        bins = reliability(own, np.random.default_rng(0)).bins
        assert not bins.empty
        for point in _points(bins):
            assert _leads_to(results, clicks.of_sure(results, point, model, bins), point["n"])


def test_bins_of_sureness_where_many_margins_are_equal(results: Results) -> None:
    """Every bin lists its pairs and no other where margins are known to a quarter only."""
    table = results.table.copy()
    quarters = (table["margin"] / table["margin"].std() + 0.5).mul(4).round() / 4
    verdicts = pd.Series(np.sign(quarters)).map({1.0: "agree", 0.0: "tie", -1.0: "disagree"})
    table = table.assign(margin=quarters, verdict=verdicts.where(table["verdict"].notna()))
    found = Results(
        results.run, results.spec, results.dataset, table, results.cards, results.manifest
    )
    for model in found.models:
        own = found.fair[found.fair["model"] == model]
        sure = reliability(own, np.random.default_rng(0))
        fitted = sure.bins[sure.bins["scale"] == "fitted"]
        assert fitted["n"].sum() == sure.n and fitted["n"].min() >= 50
        for point in _points(fitted):
            assert _leads_to(found, clicks.of_sure(found, point, model, sure.bins), point["n"])


def test_cells_of_two_models(results: Results) -> None:
    two = two_models(results, FIRST, SECOND)
    for point in _points(verdict_table(two.shared)):
        assert _leads_to(results, clicks.of_verdicts(results, point, two), point["count"])
    cells = margin_cells(two.shared)
    for point in _points(cells):
        asked = clicks.of_margins(results, point, two, cells)
        assert _leads_to(results, asked, point["count"])
        assert any(isinstance(one, Seen) for one in asked) == (two.left_out > 0)


def test_a_mark_without_a_name_asks_for_nothing(results: Results) -> None:
    nothing = pd.DataFrame({"bin": [], "cell": [], "x1": [], "y1": []})
    assert not clicks.of_bar(results, {"subset": "helpful"})
    assert not clicks.of_length(results, {"longer": "chosen"})
    assert not clicks.of_rewards(results, {}, FIRST, nothing)
    assert not clicks.of_margin(results, {}, FIRST, nothing)
    assert not clicks.of_sure(results, {}, FIRST, nothing)


def _drawn(spec: dict[str, Any], field: str) -> list[Mapping[str, Any]]:
    """The rows of a chart's bars, which carry what the selection asks for."""
    ((wanted,),) = [[param["select"]["fields"] for param in spec["params"]]]
    assert wanted == [field, "model"]
    rows = [row for data in spec["datasets"].values() for row in data if row.get("kind") == "bar"]
    return list({(row["model"], row[field]): row for row in rows}.values())
