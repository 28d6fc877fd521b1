"""The report of a run: what it may do, what is in it, and hostile words that stay words."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from given import made_runs
from given.hostile import made
from given.pages.read_html import ReadPage
from given.support import settings_of, write_pairs

from ivan_core.backends import vega
from ivan_core.cli.main import run as command_line
from ivan_core.domain.errors import BadInput
from ivan_core.engine.figures import quotes
from ivan_core.experiments.compare.results import open_results
from ivan_core.figures.html.frame import page
from ivan_core.report import parts
from ivan_core.report.charts import as_json, charts_of_all
from ivan_core.report.page import report
from ivan_core.report.parts import MOST_BYTES

LEAK = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A finished comparison of 60 pairs of the sample, that no test changes."""
    with pytest.MonkeyPatch.context() as patch:
        data_dir = settings_of(patch, tmp_path_factory.mktemp("report"))
        yield made_runs.finished(data_dir, made_runs.spec_of_sample(limit=60))


@pytest.fixture(scope="module")
def content(compared: str) -> str:
    return report(compared)


def hashed(part: str) -> str:
    return f"'sha256-{b64encode(sha256(part.encode()).digest()).decode()}'"


def policy_of(content: str) -> dict[str, str]:
    """What the page may do, by directive."""
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', content)
    return dict(one.strip().split(" ", 1) for one in policy.split(";"))


def specs_of(content: str) -> dict[str, dict[str, object]]:
    """The charts of a page, by the place that each is drawn in."""
    found = re.findall(r'<script type="application/json" id="([^"]*)">(.*?)</script>', content)
    return {name: json.loads(spec) for name, spec in found}


def test_only_its_own_scripts_and_style_may_run_and_nothing_is_asked_for(content: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", content, re.S)
    scripts = re.findall(r"<script>(.*?)</script>", content, re.S)
    assert len(scripts) == 2 and scripts[0] == vega.scripts()
    assert policy_of(content) == {
        "default-src": "'none'",
        "connect-src": "'none'",
        "script-src": " ".join(map(hashed, scripts)),
        "style-src": hashed(style),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "url(" not in style and "@import" not in style
    for name, value in ReadPage(content).attributes:
        assert not name.startswith("on") and name not in ("style", "src", "srcset")
        assert name != "href" or re.fullmatch(r"#part-\d+", value)


def test_it_has_every_sentence_every_chart_and_the_command(compared: str, content: str) -> None:
    words = "".join(ReadPage(content).words)
    told = quotes(compared)
    assert len(told) > 20
    for quote in told:
        assert quote.question in words and quote.sentence in words
    drawn = {name.rpartition("-")[0] for name in specs_of(content)}
    assert {chart.name for chart in charts_of_all(compared)} >= drawn
    assert {"agreement", "length", "margins", "verdicts", "coverage"} <= drawn
    assert "ivan compare --dataset sample --limit 60" in words
    assert f"ivan figure {compared} length --format csv" in words
    assert len(content.encode()) < MOST_BYTES


def test_each_chart_has_alternative_words_and_a_table_with_heads(content: str) -> None:
    place = r'<div class="vega" data-spec="([^"]*)" role="img" aria-label="(.)'
    places = re.findall(place, content)
    assert [name for name, _ in places] == list(specs_of(content))
    assert content.count("<figure>") == content.count("<summary>The table behind it</summary>")
    assert '<html lang="en">' in content and "<h1>Comparison " in content
    heads = re.findall(r"<th ([^>]*)>", content)
    assert heads and all("scope=" in head for head in heads)


def test_the_tones_of_its_charts_are_those_of_the_page(content: str) -> None:
    assert specs_of(content)["length-0"]["config"]["axis"]["labelColor"] == "var(--chart-axis)"  # type: ignore[index]
    assert content.count("--chart-axis:") == 2, "one for light pages and one for dark ones"


def test_texts_of_pairs_are_in_it_only_where_they_are_asked_for(
    compared: str, content: str
) -> None:
    dataset = open_results(compared).dataset
    first = dataset.pair(0).chosen.printed.strip()
    having = report(compared, texts=True)
    assert first not in "".join(ReadPage(content).words)
    assert first in "".join(ReadPage(having).words)
    assert having.count("<summary>Pair ") == 20
    assert "20 of 60 pairs" in having and "not a random sample" in having


def test_no_place_of_this_machine_is_in_it(tmp_path: Path, data_dir: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl", 9)
    content = report(made_runs.finished(data_dir, made_runs.spec_of_file(file)))
    assert "pairs.jsonl" in content
    assert str(tmp_path) not in content and str(data_dir) not in content


def test_hostile_texts_and_names_stay_text(data_dir: Path, tmp_path: Path) -> None:
    run_id, _ = made(data_dir, tmp_path, LEAK)
    assert command_line(["runs", "rename", run_id, "</title><script>alert(1)</script>"]) == 0
    content = report(run_id, texts=True)
    found = ReadPage(content)
    assert not {"img", "iframe", "link", "i", "b", "object"} & set(found.tags)
    assert content.count("<script") == content.count("</script>") == 2 + len(specs_of(content))
    assert "&lt;/title&gt;&lt;script&gt;alert(1)" in content
    assert "<script>fetch" in json.dumps(specs_of(content)), "a subset is called so in a chart"
    assert "\u202e" not in content and "\x07" not in content and "\x00" not in content


def test_json_ends_no_script() -> None:
    hostile = "</script><!--<script>&\u2028\u2029\ud800"
    written = as_json({hostile: [hostile]})
    assert written.isascii() and not set("<>&") & set(written) and "\n" not in written
    assert json.loads(written) == {hostile: [hostile]}


@pytest.mark.parametrize("script", ["a</script>", "b </SCRIPT x", "<!-- c"])
def test_a_script_that_would_end_itself_is_refused(script: str) -> None:
    with pytest.raises(ValueError, match="would end it"):
        page("Title", [], {}, scripts=[script])


def test_a_run_that_is_not_finished_has_none(data_dir: Path) -> None:
    waiting = made_runs.queued(data_dir, made_runs.spec_of_sample(limit=5))
    with pytest.raises(BadInput, match="so there is no report of it yet"):
        report(waiting)


def test_what_has_no_room_is_named_with_its_command(
    compared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = "agreement-0"
    monkeypatch.setattr(parts, "_REST", MOST_BYTES - 60_000)
    content = report(compared)
    assert whole in specs_of(content) and "coverage-0" not in specs_of(content)
    assert f"`ivan figure {compared} coverage` draws it." in content


def test_the_command_writes_it_where_it_is_told(
    compared: str, content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sent.html"
    assert command_line(["report", compared, str(path)]) == 0
    assert path.read_text("utf-8") == content
    assert str(path) in capsys.readouterr().out
    assert [one.name for one in tmp_path.iterdir()] == ["sent.html"]
