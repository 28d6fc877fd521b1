"""Figures: their size in millimetres, their numbers, their words, and names that stay names."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from given.made_runs import (
    OF_MANY,
    OF_PUBLISHED,
    TWO_MODELS,
    finished,
    interrupted,
    spec_of_file,
    spec_of_sample,
    write_rows,
)
from given.support import settings_of
from PIL import Image

from ivan_core.charts.printed import printed, units
from ivan_core.cli.main import run as command
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.engine.figures import caption, figure, figures as charts_of, file_name, methods
from ivan_core.experiments.compare.figures import CHARTS
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.figures.chart import Chart
from ivan_core.figures.choices import COLUMN, MODEL, OTHER, ROW, figure_command
from ivan_core.figures.files import KINDS, save
from ivan_core.metrics.sentences import interval, percent

HOSTILE = '<script>alert(1)</script>"\'&]]>\x01\ud800 {signal} datum["x"]'
OF_RUNS = [
    chart
    for chart in CHARTS
    if chart.name not in OF_PUBLISHED
    and not {COLUMN, ROW} & {choice.option for choice in chart.choices}
]
NAMES = [chart.name for chart in OF_RUNS]


@pytest.fixture(scope="module")
def sample_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Finished runs on the sample, of two models and of three, that no test changes."""
    folder = tmp_path_factory.mktemp("figures")
    with pytest.MonkeyPatch.context() as patch:
        data_dir = settings_of(patch, folder)
        models = (*TWO_MODELS, "made/third")
        two, three = (spec_of_sample(models[:count], limit=60) for count in (2, 3))
        yield finished(data_dir, two), finished(data_dir, three)


@pytest.fixture
def sample_run(sample_runs: tuple[str, str]) -> str:
    """The one of two models."""
    return sample_runs[0]


@pytest.fixture
def run_of(sample_runs: tuple[str, str]) -> Callable[[str], str]:
    """The run that a chart, by its name, can be drawn of."""
    return lambda name: sample_runs[name in OF_MANY]


def rows(count: int, subset: Callable[[int], str]) -> list[dict[str, str]]:
    return [
        {
            "chosen": f"\n\nHuman: Q{n}\n\nAssistant: Yes, {n}." + " And so on." * (n % 3),
            "rejected": f"\n\nHuman: Q{n}\n\nAssistant: No, not {n}.",
            "subset": subset(n),
        }
        for n in range(count)
    ]


def models_of(chart: Chart, results: Results) -> tuple[str, ...]:
    chosen = [choice for choice in chart.choices if choice.option in (MODEL, OTHER)]
    return results.models[: len(chosen)]


def text_of(svg: bytes) -> str:
    return " ".join(ElementTree.fromstring(svg).itertext())


@pytest.mark.parametrize(
    ("name", "width", "pixels"), [*((name, 85, 1004) for name in NAMES), ("agreement", 170, 2008)]
)
def test_a_png_has_300_dots_an_inch_and_no_hole(
    run_of: Callable[[str], str], name: str, width: int, pixels: int
) -> None:
    image = Image.open(io.BytesIO(figure(run_of(name), name, "png", width)))
    assert image.width == pixels == round(width / 25.4 * 300)
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert image.convert("RGBA").getchannel("A").getextrema() == (255, 255)
    corners = [(0, 0), (image.width - 1, 0), (0, image.height - 1)]
    assert all(image.convert("RGB").getpixel(corner) == (255, 255, 255) for corner in corners)


@pytest.mark.parametrize("width", [85, 170])
def test_an_svg_says_its_width_in_millimetres_and_loads_nothing(
    sample_run: str, width: int
) -> None:
    svg = figure(sample_run, "agreement", "svg", width)
    root = ElementTree.fromstring(svg)
    assert root.attrib["width"] == f"{width}mm"
    left, top, wide, high = (float(part) for part in root.attrib["viewBox"].split())
    assert (left, top, wide) == (0, 0, pytest.approx(units(width)))
    assert float(root.attrib["height"].removesuffix("mm")) == pytest.approx(
        high / wide * width, abs=0.01
    )
    assert b"href" not in svg and b"<image" not in svg and b"<script" not in svg
    assert b"Liberation Sans" in svg


@pytest.mark.parametrize("width", [85, 170])
def test_a_pdf_is_one_page_of_that_width_with_its_font_inside(sample_run: str, width: int) -> None:
    pdf = figure(sample_run, "agreement", "pdf", width)
    (box,) = re.findall(rb"MediaBox ?\[([^\]]*)\]", pdf)
    assert float(box.split()[2]) / 72 * 25.4 == pytest.approx(width, abs=0.1)
    assert b"LiberationSans" in pdf


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_fits_its_width(run_of: Callable[[str], str], name: str) -> None:
    for width in (85, 170):
        root = ElementTree.fromstring(figure(run_of(name), name, "svg", width))
        assert float(root.attrib["viewBox"].split()[2]) == pytest.approx(units(width), abs=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_the_bundled_sample_is_named_in_the_picture_and_in_the_caption(
    run_of: Callable[[str], str], name: str
) -> None:
    assert "Sample data" in text_of(figure(run_of(name), name))
    assert "Sample data" in caption(run_of(name), name)


def test_other_data_is_not_called_sample(data_dir: Path, pairs_file: Path) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file))
    assert "Sample data" not in text_of(figure(run_id, "agreement")) + caption(run_id, "agreement")


@pytest.mark.parametrize("name", NAMES)
def test_the_csv_holds_the_numbers_that_are_drawn(run_of: Callable[[str], str], name: str) -> None:
    results = open_results(run_of(name))
    chart = next(chart for chart in CHARTS if chart.name == name)
    drawn = chart.draw(results, *models_of(chart, results))
    # Older versions of pandas read numbers to their last digit where they are told to alone.
    told = pd.read_csv(io.BytesIO(figure(run_of(name), name, "csv")), float_precision="round_trip")
    pd.testing.assert_frame_equal(told, drawn.data, check_dtype=False, check_exact=True)
    drawing = drawn.chart()
    if isinstance(drawing, str):
        assert told.empty
        return
    in_chart = [pd.DataFrame(part) for part in drawing.to_dict()["datasets"].values()]
    values = {round(float(v), 9) for part in in_chart for v in part.select_dtypes("number").stack()}
    for column in ("count", "rate", "low", "high", "x0", "x1", "y0"):
        if column in told:
            numbers = {round(float(v), 9) for v in told[column].dropna()}
            # A count of nothing may be left out of the picture.
            assert numbers - ({0.0} if column == "count" else set()) <= values, column


def test_the_caption_has_the_summarys_numbers(sample_run: str) -> None:
    for summary in open_results(sample_run).summaries:
        rate = summary.agreement
        assert rate is not None
        told = f"{percent(rate.rate, rate.n)} {interval(rate)} of {rate.n:,}"
        assert f"{summary.model} {told}" in caption(sample_run, "agreement")
        for name in ("rewards", "margins"):
            assert told in caption(sample_run, name, model=summary.model)
        longer = summary.length_balanced.longer_chosen
        assert longer is not None
        assert f"{percent(longer.rate, longer.n)} {interval(longer)} of {longer.n:,} where" in (
            caption(sample_run, "length")
        )


def test_the_methods_name_rows_models_revisions_seed_and_version(sample_run: str) -> None:
    told = methods(sample_run, "agreement")
    assert told.startswith("The first 60 of 480 pairs (not a random sample) of sample (revision")
    for model in TWO_MODELS:
        assert f"{model} (revision r1, input format reply, at most 512 tokens, float32)" in told
    assert "95% Wilson" in told and "Baseline" in told and "Seed 0." in told
    assert f"run {sample_run}" in told and "`ivan compare --dataset sample --limit 60" in told
    assert re.search(r"IVAN \d+\.\d+", told)
    assert TWO_MODELS[1] not in methods(sample_run, "rewards").split("Computed with")[0]


def test_a_run_that_stopped_says_so(data_dir: Path) -> None:
    run_id = interrupted(data_dir, spec_of_sample(limit=60))
    assert "the run stopped at" in caption(run_id, "agreement")
    assert figure(run_id, "agreement", "svg").startswith(b"<svg")


def test_hostile_names_stay_names(data_dir: Path, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "pairs.jsonl", rows(40, lambda n: HOSTILE if n % 2 else "b"))
    models = (HOSTILE.replace("\ud800", ""), "ivan/minilm-control", "made/third")
    run_id = finished(data_dir, spec_of_file(file, models=models))
    for name in NAMES:
        svg = figure(run_id, name)
        root = ElementTree.fromstring(svg)
        kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert kinds <= {
            "svg",
            "g",
            "rect",
            "path",
            "text",
            "tspan",
            "line",
            "title",
            "defs",
            "clipPath",
        }
        assert not [key for element in root.iter() for key in element.attrib if key[:2] == "on"]
    told = text_of(figure(run_id, "agreement", "svg", 170))
    assert "<script>alert(1)</script>" in told, "as text, whole"
    assert figure(run_id, "agreement", "pdf") and figure(run_id, "agreement", "png")
    assert figure_command(run_id, "rewards", model=models[0])


def test_another_model_is_drawn_when_asked_for(sample_run: str) -> None:
    first, second = (figure(sample_run, "rewards", "csv", model=model) for model in TWO_MODELS)
    assert first == figure(sample_run, "rewards", "csv") != second
    assert TWO_MODELS[1] in text_of(figure(sample_run, "rewards", model=TWO_MODELS[1]))
    assert "minilm-control" in file_name(sample_run, "rewards", "svg", model=TWO_MODELS[1])
    assert file_name(sample_run, "length", "csv").endswith("-length.csv")


def test_wrong_wishes_are_sentences(sample_run: str) -> None:
    for wish, words in (
        ({"name": "nothing"}, "no chart 'nothing'"),
        ({"name": "agreement", "kind": "gif"}, "cannot be 'gif'"),
        ({"name": "agreement", "width_mm": 100}, "not 100"),
        ({"name": "rewards", "model": "x"}, "no model 'x'"),
        ({"name": "agreement", "model": TWO_MODELS[0]}, "all models"),
        ({"name": "agreement", "row": "1"}, "shows no single row"),
        ({"name": "agreement-by", "column": "nothing"}, "no column 'nothing'"),
        ({"name": "agreement-by"}, "By which column"),
        ({"name": "pair-margins", "row": "60"}, "no pair 60"),
        ({"name": "pair-margins", "row": "-1"}, "no pair -1"),
        ({"name": "pair-margins", "model": TWO_MODELS[0]}, "shows no single model"),
        ({"name": "sentences", "row": "1", "side": "left"}, "no side 'left'"),
        ({"name": "sentences", "row": "1", "model": "x"}, "no model 'x'"),
    ):
        with pytest.raises(BadInput, match=words):
            figure(sample_run, **wish)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no folder"):
        save(Path("/no/such/folder/figure.svg"), b"")


def test_the_figure_of_a_datasets_column_counts_each_pair_once(sample_run: str) -> None:
    results = open_results(sample_run)
    numbers = pd.read_csv(io.BytesIO(figure(sample_run, "agreement-by", "csv", column="kind")))
    one = numbers[(numbers["model"] == TWO_MODELS[0]) & (numbers["kind"] != "all")]
    kinds = results.own_column("kind").loc[results.row_ids].value_counts()
    assert dict(one.groupby("kind")["count"].sum()) == dict(kinds)
    assert "by kind" in caption(sample_run, "agreement-by", column="kind")
    assert "minimal" in text_of(figure(sample_run, "agreement-by", "svg", column="kind"))
    assert file_name(sample_run, "agreement-by", "csv", column="kind").endswith("-by-kind.csv")


def test_the_margins_of_a_pair_are_those_of_the_table(sample_run: str) -> None:
    results = open_results(sample_run)
    wanted = results.sharpest[0]
    data = pd.read_csv(io.BytesIO(figure(sample_run, "pair-margins", "csv")))
    assert set(data["row_id"]) == {wanted}
    own = results.table[results.table["row_id"] == wanted].set_index("model")["margin"]
    for line in data.itertuples():
        unit = results.typical_margins[line.model]
        assert line.typical_margins == pytest.approx(own[line.model] / unit)
    words = text_of(figure(sample_run, "pair-margins", row="7"))
    assert "pair 7" in words and "Which reply each model likes more" in words
    assert "The author chose A." in caption(sample_run, "pair-margins", row="7")
    command_line = figure_command(sample_run, "pair-margins", "csv", row="7")
    assert command_line.endswith("--row 7")


def test_without_vl_convert_the_csv_is_there_and_the_rest_says_what_to_install(
    sample_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert figure(sample_run, "agreement", "csv")
    for kind in KINDS[:3]:
        with pytest.raises(BackendUnavailable) as told:
            figure(sample_run, "agreement", kind)
        assert "pip install vl-convert-python" in told.value.hint


def test_long_titles_are_wrapped_and_no_view_is_left_without_width(sample_run: str) -> None:
    results = open_results(sample_run)
    for chart in OF_RUNS:
        drawing = chart.draw(results, *models_of(chart, results)).chart()
        long = "word " * 40
        titled = long if isinstance(drawing, str) else drawing.properties(title=long)
        spec = printed(titled, 85, ["other " * 30])
        assert "container" not in str(spec)
        assert all(len(line) < 60 for line in spec["title"]["text"])
        assert len(spec["title"]["subtitle"]) > 2


def test_the_command_line_lists_writes_and_repeats(
    sample_run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["figure", sample_run]) == 0
    listed = capsys.readouterr().out
    own = [f"column {name}: of the dataset" for name in open_results(sample_run).own_columns]
    assert listed.splitlines()[-len(own) :] == own
    assert [line.split()[0] for line in listed.splitlines()[: -len(own)]] == [
        chart.name for chart in charts_of(sample_run)
    ]
    assert command(["figure", sample_run, "rewards", "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"--model {model}" for model in TWO_MODELS]
    assert command(["figure", sample_run, "length", "--list"]) == 0
    assert "leaves nothing to choose" in capsys.readouterr().out
    path = tmp_path / "a figure.pdf"
    words = [
        "figure",
        sample_run,
        "margins",
        "--format",
        "pdf",
        "--width",
        "170",
        "--model",
        TWO_MODELS[1],
        "--out",
        str(path),
    ]
    assert command(words) == 0
    told = capsys.readouterr().out
    assert str(path) in told and caption(sample_run, "margins", model=TWO_MODELS[1]) in told
    assert methods(sample_run, "margins", model=TWO_MODELS[1]) in told
    assert path.read_bytes().startswith(b"%PDF")
    assert figure_command(sample_run, "margins", "pdf", 170, model=TWO_MODELS[1]) == (
        f"ivan {' '.join(words[:-2])}"
    )
    assert command(["figure", sample_run, "nothing"]) == 1
    assert "There is no chart 'nothing'." in capsys.readouterr().err
