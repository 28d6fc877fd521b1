"""Thirty models in one run: what cells lead to, what is told of all together, and in what order."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fakes.reward_models import Fakes
from given import made_runs
from given.support import write_annotated_pairs

from ivan_core.domain.errors import BadInput
from ivan_core.engine import figures
from ivan_core.experiments.compare import clicks
from ivan_core.experiments.compare.conditions import LANGUAGE, Sort, listing
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.experiments.compare.verdicts import JointIs, TwoPart
from ivan_core.lists.conditions import Condition, Filter, matching_rows
from ivan_core.lists.url import query_of, read_filter
from ivan_core.metrics.agreement import by_subset
from ivan_core.metrics.models.joint import MEAN, VOTE

MODELS = made_runs.many(30)
ROWS = 240


@pytest.fixture(scope="module")
def run_id(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A run of thirty models on pairs of which some cannot be rated and two are identical."""
    folder = tmp_path_factory.mktemp("many")
    path = write_annotated_pairs(folder / "rows.jsonl", ROWS, 14)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IVAN_DATA_DIR", str(folder / "data"))
        patch.setenv("IVAN_SLOT_FILE", str(folder / "slot"))
        spec = made_runs.spec_of_file(path, MODELS)
        yield made_runs.finished(folder / "data", spec, Fakes(failing="1"))


@pytest.fixture
def results(run_id: str) -> Results:
    return open_results(run_id)


def listed(results: Results, asked: tuple[Condition, ...]) -> list[int]:
    """The rows that conditions list, after they have been through a link."""
    kept, ignored = read_filter(LANGUAGE, query_of(Filter(LANGUAGE, asked)))
    assert asked and not ignored
    return [int(row) for row in matching_rows(listing(results), kept)]


def test_the_grid_has_the_numbers_of_the_bars(results: Results) -> None:
    bars = by_subset(results.fair)
    bars = bars[bars["verdict"] == "agree"].set_index(["model", "subset"])
    grid = results.many.singles.set_index(["model", "subset"])
    assert len(grid) == len(bars) > 30
    for name, told in (("agree", "count"), ("n", "n"), ("rate", "rate"), ("low", "low")):
        assert grid[name].to_dict() == pytest.approx(bars[told].to_dict())


def test_a_cell_of_agreement_lists_what_its_model_goes_against(results: Results) -> None:
    for cell in results.many.grid[::7].to_dict("records"):
        rows = listed(results, clicks.of_agreement_cell(results, cell))
        # Rewards of fakes never tie.
        assert len(rows) == cell["n"] - cell["agree"]


def test_a_cell_of_a_column_of_the_data_lists_its_pairs_alone(results: Results) -> None:
    point = {"model": MODELS[3], "subset": "a1"}
    rows = listed(results, clicks.of_agreement_cell(results, point, "annotator"))
    own = results.own_column("annotator")
    assert rows and {own[row] for row in rows} == {"a1"}


def test_cells_of_joint_models_list_their_own_pairs(results: Results) -> None:
    grid = results.many.grid
    for name in (VOTE, MEAN):
        (cell,) = grid[(grid["model"] == name) & (grid["subset"] == "all")].to_dict("records")
        asked = clicks.of_agreement_cell(results, cell)
        rows = listed(results, asked)
        ties = listed(results, (JointIs(by=asked[0].by, verdict="tie"),)) if name == VOTE else []
        assert isinstance(asked[0], JointIs)
        assert len(rows) == cell["n"] - cell["agree"] - len(ties)


def test_a_cell_of_two_models_lists_the_pairs_on_which_they_part(results: Results) -> None:
    for pair in results.many.alike[::97].to_dict("records"):
        rows = listed(results, clicks.of_alike(results, pair))
        assert len(rows) == pair["n"] - pair["verdicts_equal"] > 0
    first, second = MODELS[:2]
    wide = results.table.pivot(index="row_id", columns="model", values="verdict")
    own = wide[[first, second]].dropna()
    assert listed(results, (TwoPart(model=first, other=second),)) == [
        int(row) for row in own.index[own[first] != own[second]]
    ]
    assert clicks.of_alike(results, {"first": first}) == ()
    assert clicks.of_agreement_cell(results, {}) == ()


def test_rows_are_listed_by_how_evenly_the_models_part(results: Results) -> None:
    wanted = Filter(LANGUAGE, (), sort=Sort(by="split", descending=True))
    kept, ignored = read_filter(LANGUAGE, query_of(wanted))
    assert not ignored and kept.sort == wanted.sort
    rows = matching_rows(listing(results), kept)
    agrees = results.table.assign(
        agrees=results.table["verdict"]
        .eq("agree")
        .astype(float)
        .where(results.table["verdict"].notna().astype(bool))
    )
    share = agrees.groupby("row_id")["agrees"].mean()
    evenness = [round(abs(share[row] - 0.5), 9) for row in rows if not np.isnan(share[row])]
    assert evenness == sorted(evenness)
    # Rows that nobody rated, or on which all are of one mind, come last.
    assert np.isnan(share[rows[-1]]) or share[rows[-1]] in (0, 1)


@pytest.mark.parametrize("name", ["grid", "alike", "alike-kappa", "alike-margins", "fewest"])
def test_every_picture_of_many_models_can_be_taken_away(run_id: str, name: str) -> None:
    told = pd.read_csv(io.BytesIO(figures.figure(run_id, name, "csv", 85)))
    assert len(told) > 3 and "n" in told.columns
    caption = figures.caption(run_id, name)
    assert "nan" not in caption and "30" in caption


def test_pictures_of_picked_rows_have_no_intervals_that_mean_nothing(run_id: str) -> None:
    where = f"verdict={MODELS[0]}~agree"
    told = pd.read_csv(io.BytesIO(figures.figure(run_id, "grid", "csv", 85, where=where)))
    own = told[told["model"] == MODELS[0]]
    assert (own["rate"] == 1).all() and told["low"].isna().all()
    alike = pd.read_csv(io.BytesIO(figures.figure(run_id, "alike", "csv", 85, where=where)))
    assert alike["equal_low"].isna().all() and alike["kappa_low"].isna().all()


@pytest.mark.parametrize("name", ["grid", "fewest"])
@pytest.mark.parametrize("where", ["is=annotator~a1", f"verdict={MODELS[1]}~agree"])
def test_pictures_of_picked_rows_can_be_drawn(run_id: str, name: str, where: str) -> None:
    assert figures.figure(run_id, name, "svg", 85, where=where).startswith(b"<svg")
    assert "NaN" not in figures.caption(run_id, name, where=where)


def test_sentences_of_many_models_name_no_two_by_two(run_id: str) -> None:
    told = [quote.sentence for quote in figures.quotes(run_id)]
    assert any(one.startswith("Of 30 models made/model-") for one in told)
    assert any("the majority vote" in one.lower() for one in told)
    assert any("of the 30 models to show every disagreement" in one for one in told)
    assert not any("only one of them sides" in one for one in told)
    bare = figures.quotes(run_id, f"verdict={MODELS[0]}~agree")
    assert not any("majority vote" in quote.sentence for quote in bare)


def test_two_models_have_no_picture_of_many(data_dir: Path) -> None:
    two = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    with pytest.raises(BadInput, match="is of 3 models or more"):
        figures.figure(two, "grid", "csv", 85)
    assert "alike" in [chart.name for chart in figures.figures(two)]
