"""Figures and sentences of a rewording: the gate, numbers by hand, what cannot be shown."""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.etree import ElementTree

import pandas as pd
import pytest
from fakes.rewriting import FakeRewriter, added, fake_tools, spec_of, work_here
from given.support import settings_of, write_pairs

from ivan_core.charts.printed import units
from ivan_core.cli.main import run as command
from ivan_core.domain.errors import BadInput
from ivan_core.engine.figures import (
    caption,
    figure,
    figures,
    file_name,
    methods,
    quotes,
    source_line,
)
from ivan_core.experiments.rewrite.figures import gate_words
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.results import Gate, open_rewrite
from ivan_core.metrics.robustness.changes import REWORDED

NAMES = ("flips", "changes", "alike")
ALL = "0:0:5"
"""A gate that everything passes."""


@pytest.fixture(scope="module")
def run_id(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A rewording of forty pairs by fakes, which no test changes."""
    folder = tmp_path_factory.mktemp("figures-rewrite")
    with pytest.MonkeyPatch.context() as patch:
        data_dir = settings_of(patch, folder)
        data_dir.mkdir()
        made = added(data_dir, spec_of(write_pairs(folder / "pairs.jsonl", 40)))
        work_here(data_dir, made, fake_tools(FakeRewriter()))
        yield made


def csv_of(run_id: str, name: str, **wish: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(figure(run_id, name, "csv", **wish)))


@pytest.mark.parametrize("gate", [ALL, None])
@pytest.mark.parametrize("name", NAMES)
def test_every_chart_fits_its_width_whatever_passes(run_id, name, gate):
    for width in (85, 170):
        root = ElementTree.fromstring(figure(run_id, name, "svg", width, gate=gate))
        assert float(root.attrib["viewBox"].split()[2]) == pytest.approx(units(width), abs=0.5)
        if gate:
            assert "fake/one" in " ".join(root.itertext())


def test_the_csv_of_flips_counts_verdicts_that_turned(run_id):
    table = open_rewrite(run_id).table
    own = table[table["model"] == "fake/two"].set_index(["variant", "row_id"])
    known = own[["chosen_reward", "rejected_reward"]].dropna()
    agrees = known["chosen_reward"] > known["rejected_reward"]
    both = pd.concat([agrees.loc["original"], agrees.loc[REWORDED]], axis=1).dropna()
    before, after = both.iloc[:, 0].astype(bool), both.iloc[:, 1].astype(bool)
    rows = csv_of(run_id, "flips", gate=ALL).set_index(["model", "variant", "direction"])
    lost, gained = (rows.loc[("fake/two", REWORDED, way)] for way in ("misaligned", "aligned"))
    assert (lost["count"], lost["n"]) == (sum(before & ~after), len(both))
    assert (gained["count"], gained["of_n"]) == (sum(~before & after), sum(~before))


def test_the_csv_of_the_other_charts_is_in_typical_margins(run_id):
    rows = csv_of(run_id, "changes", gate=ALL).set_index(["model", "variant", "side"])
    found = numbers(open_rewrite(run_id), Gate(0, 0, 5))
    one = found.of("fake/one")
    told = rows.loc[("fake/one", REWORDED, "chosen")]
    assert told["mean"] * told["typical_margin"] == pytest.approx(one.chosen.mean)
    cells = csv_of(run_id, "alike", model="fake/two", gate=ALL)
    assert cells["count"].sum() == found.of("fake/two").n


def test_captions_and_methods_say_what_passed_and_who_worked(run_id):
    kept = numbers(open_rewrite(run_id), Gate(0, 0, 5)).kept
    told = caption(run_id, "flips", gate=ALL)
    assert "Meaning kept in 100% [" in told and f"] of {kept.n} pairs" in told
    assert "typical margins [" in caption(run_id, "changes", gate=ALL)
    assert "rated pairs" in caption(run_id, "alike", gate=ALL)
    told = methods(run_id, "flips", gate=ALL)
    assert told.startswith("All 40 pairs of ") and "reworded by fake:7b (revision 1" in told
    assert "fake/one (revision r1" in told and "by fake/similarity (revision r1)" in told
    assert "published-v1 with hash " in told and "a length of 0 to 5 times" in told
    assert f"of {kept.n} pairs; the others enter no number" in told
    assert "Wilson" in told and f"run {run_id}: `ivan rewrite --dataset " in told
    assert "Student's t" in methods(run_id, "changes")
    assert "a similarity of 0.85 or more" in methods(run_id, "changes")


def test_a_gate_is_written_as_on_the_page(run_id, tmp_path, capsys):
    assert gate_words(Gate()) is None
    assert gate_words(Gate(0, 0, 5)) == ALL
    assert csv_of(run_id, "flips").equals(csv_of(run_id, "flips", gate="0.85:0.5:2"))
    assert file_name(run_id, "alike", "csv", gate=ALL).endswith("-alike-fake-one-gate-0-0-5.csv")
    path = tmp_path / "flips.csv"
    words = ["figure", run_id, "flips", "--format", "csv", "--gate", ALL, "--out", str(path)]
    assert command(words) == 0
    assert caption(run_id, "flips", gate=ALL) in capsys.readouterr().out
    assert path.read_bytes() == figure(run_id, "flips", "csv", gate=ALL)
    assert command(["figure", run_id]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == [chart.name for chart in figures(run_id)]
    assert command(["figure", run_id, "flips", "--list"]) == 0
    assert capsys.readouterr().out == "--gate 0.85:0.5:2: by default\n"


@pytest.mark.parametrize("gate", ["x", "", "2", "nan", "0.9:0.5:2:1", "0.9:3", "0.9:0.5:0.9"])
def test_what_is_no_gate_is_a_sentence(run_id, gate):
    with pytest.raises(BadInput, match="no gate on meaning"):
        figure(run_id, "flips", gate=gate)


def test_wrong_wishes_are_sentences(run_id):
    for name, wish, words in (
        ("nothing", {}, "no chart 'nothing' of a rewording"),
        ("flips", {"model": "fake/one"}, "shows no single model"),
        ("alike", {"model": "x"}, "no model 'x'"),
        ("alike", {"label": "x"}, "shows no single label"),
    ):
        with pytest.raises(BadInput, match=words):
            figure(run_id, name, **wish)


def test_sentences_stand_below_what_they_rest_on(run_id, capsys):
    assert command(["runs", "sentences", run_id]) == 0
    told = capsys.readouterr().out
    assert told.startswith(source_line(run_id)) and "reworded by fake:7b, run" in told
    found = quotes(run_id)
    assert found[0].sentence.startswith("fake:7b keeps the meaning in ")
    for quote in found:
        assert quote.sentence in told
    for model in open_rewrite(run_id).models:
        words = open_rewrite(run_id).training[model]
        assert words == f"{model} was trained on none of 40 pairs." and words in told
        assert words in caption(run_id, "flips") and words in methods(run_id, "flips")
    asked = list(dict.fromkeys(quote.question for quote in found))
    assert asked[:4] == [
        "Is the meaning kept?",
        "Do verdicts flip?",
        "How far do rewards move?",
        "Is it more than noise?",
    ]
