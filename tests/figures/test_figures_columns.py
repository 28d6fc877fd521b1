"""Figures of user columns: which column, its numbers, its words, and labels that stay labels."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from fakes.reward_models import Fakes, provider
from given import made_runs
from given.support import settings_of

from ivan_core.charts.printed import units
from ivan_core.cli.main import run as command
from ivan_core.domain.errors import BadInput
from ivan_core.domain.user_columns import ColumnSpec, Form
from ivan_core.engine.figures import caption, figure, figures, file_name, methods, offered
from ivan_core.experiments.columns.results import column
from ivan_core.experiments.columns.work import column_spec
from ivan_core.experiments.compare.results import open_results
from ivan_core.figures.choices import figure_command
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

NAMES = ("column", "column-agreement")
HOSTILE = r"<script>alert\(1\)</script>|\{signal\}|datum\[|the"


def made(data_dir: Path, run_id: str, form: Form, expression: str) -> ColumnSpec:
    """A column of the run's dataset that a worker in this process has computed."""
    spec = column_spec(open_results(run_id).dataset.fingerprint, form, expression)
    registry = Registry(data_dir)
    column_run, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    work(registry, column_run, provider(Fakes()))
    return spec


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ColumnSpec]]:
    """A finished run on the sample and one column of its dataset."""
    folder = tmp_path_factory.mktemp("figures-columns")
    with pytest.MonkeyPatch.context() as patch:
        data_dir = settings_of(patch, folder)
        run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=60))
        yield run_id, made(data_dir, run_id, "expression", "len(reply)")


@pytest.fixture
def finished(data_dir: Path) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=40))


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_of_a_column_fits_its_width_and_names_the_column(
    drawn: tuple[str, ColumnSpec], name: str
) -> None:
    run_id, spec = drawn
    for width in (85, 170):
        root = ElementTree.fromstring(figure(run_id, name, "svg", width, column=spec.id))
        assert float(root.attrib["viewBox"].split()[2]) == pytest.approx(units(width), abs=0.5)
        told = " ".join(root.itertext())
        assert "len(reply)" in told and "Sample data" in told


def test_the_csv_of_values_counts_every_reply(drawn: tuple[str, ColumnSpec]) -> None:
    run_id, spec = drawn
    told = pd.read_csv(io.BytesIO(figure(run_id, "column", "csv")))
    assert told.groupby("side")["count"].sum().to_dict() == {"chosen": 60, "rejected": 60}
    values = column(spec.dataset, spec.id)
    assert told["low"].min() == min(values.chosen[:60].min(), values.rejected[:60].min())


def test_the_csv_of_agreement_counts_the_pairs_by_which_side_has_more(
    drawn: tuple[str, ColumnSpec],
) -> None:
    run_id, spec = drawn
    told = pd.read_csv(io.BytesIO(figure(run_id, "column-agreement", "csv")))
    apart = column(spec.dataset, spec.id).difference[:60]
    wanted = {
        "chosen": np.sum(apart > 0),
        "equal": np.sum(apart == 0),
        "rejected": np.sum(apart < 0),
    }
    for model in made_runs.TWO_MODELS:
        own = told[told["model"] == model].set_index("larger")["n"].to_dict()
        assert own == {larger: n for larger, n in wanted.items() if n}


def test_the_words_tell_the_column_and_how_it_was_made(drawn: tuple[str, ColumnSpec]) -> None:
    run_id, _ = drawn
    for name in NAMES:
        said = caption(run_id, name)
        assert "len(reply)" in said and "Mean " in said and "of 60 pairs" in said
        assert "value of the expression" in methods(run_id, name)
        for model in made_runs.TWO_MODELS:
            assert model in methods(run_id, name)
    assert "95% Wilson" in methods(run_id, "column-agreement")


def test_the_file_is_named_after_the_column(drawn: tuple[str, ColumnSpec]) -> None:
    run_id, spec = drawn
    assert file_name(run_id, "column", "csv") == f"{run_id}-column-{spec.id}.csv"


def of_columns(run_id: str) -> list[str]:
    return [chart.name for chart in figures(run_id) if chart.name in NAMES]


def test_charts_of_columns_are_listed_where_there_is_a_column(
    finished: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not of_columns(finished)
    with pytest.raises(BadInput, match="There is no user column"):
        figure(finished, "column")
    spec = made(data_dir, finished, "regex", "the")
    assert of_columns(finished) == list(NAMES)
    own = [one for one in offered(finished) if one[2] != "of the dataset"]
    assert own == [("column", spec.id, "matches of the")]
    assert command(["figure", finished]) == 0
    assert f"column {spec.id}: matches of the" in capsys.readouterr().out


def test_one_of_two_columns_must_be_named(finished: str, data_dir: Path) -> None:
    first, second = (made(data_dir, finished, "regex", text) for text in ("the", "a"))
    with pytest.raises(BadInput, match="Which column") as told:
        figure(finished, "column")
    assert first.id in told.value.hint and second.id in told.value.hint
    assert figure(finished, "column", "csv", column=first.id) != figure(
        finished, "column", "csv", column=second.id
    )
    with pytest.raises(BadInput, match="no column 'x'"):
        figure(finished, "column", column="x")
    with pytest.raises(BadInput, match="shows no user column"):
        figure(finished, "agreement", column=first.id)


def test_the_command_line_writes_the_column_that_is_named(
    finished: str, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = made(data_dir, finished, "expression", "words(reply)")
    path = tmp_path / "column.csv"
    words = ["figure", finished, "column", "--format", "csv", "--column", spec.id]
    assert figure_command(finished, "column", "csv", column=spec.id) == f"ivan {' '.join(words)}"
    assert command([*words, "--out", str(path)]) == 0
    assert "words(reply)" in capsys.readouterr().out
    assert path.read_bytes() == figure(finished, "column", "csv")


def test_a_hostile_expression_is_a_label(finished: str, data_dir: Path) -> None:
    spec = made(data_dir, finished, "regex", HOSTILE)
    for name in NAMES:
        svg = figure(finished, name, "svg", 170, column=spec.id)
        root = ElementTree.fromstring(svg)
        assert b"<script" not in svg
        told = re.sub(r"\s+", "", "".join(root.itertext()))
        assert "<script>alert" in told, "as text"


def test_a_column_without_a_value_is_drawn_empty(finished: str, data_dir: Path) -> None:
    made(data_dir, finished, "expression", "1 / (len(reply) - len(reply))")
    for name in NAMES:
        assert figure(finished, name, "svg").startswith(b"<svg")
    assert "No pair has a value on both sides." in caption(finished, "column")


def test_bars_of_many_values_stand_on_one_line(drawn: tuple[str, ColumnSpec]) -> None:
    svg = figure(drawn[0], "column", "svg", 170).decode()
    bars = re.findall(r'aria-roledescription="bar" d="M[\d.]+,([\d.]+)h[\d.]+v([\d.]+)h', svg)
    tops_and_heights = [(float(top), float(height)) for top, height in bars if float(height)]
    line = 130.0  # the middle of a chart that is 260 high
    above = [span for span in tops_and_heights if span[0] < line]
    below = [span for span in tops_and_heights if span[0] >= line]
    assert len(above) > 5 and len(below) > 5
    assert all(top + height == pytest.approx(line) for top, height in above)
    assert all(top == pytest.approx(line) for top, _ in below)
