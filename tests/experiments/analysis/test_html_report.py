"""The report of an analysis: one page that asks for nothing, runs nothing and tells no text."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from given.hostile import LONG, texts
from given.made_analyses import FOOL, OTHER, PLAIN, SORRY, Analysing
from given.pages.read_html import ReadPage

from ivan_core.charts.plain_dots import plain_dots
from ivan_core.cli.main import run as command_line
from ivan_core.engine.figures import quotes
from ivan_core.experiments.analysis.html_report.page import MOST_BYTES, html_report
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.figures.html.frame import page, paragraph, text

_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "nav", "section", "h1", "h2", "h3"),
    *("p", "ul", "li", "a", "figure", "figcaption", "details", "summary", "div", "pre"),
    *("table", "thead", "tbody", "tr", "th", "td", "svg", "g", "line", "circle", "text"),
}


def checked(content: str) -> ReadPage:
    """The page as it was read, if it holds nothing that runs, asks, or styles by an attribute."""
    found = ReadPage(content)
    assert set(found.tags) <= _TAGS
    for name, value in found.attributes:
        assert not name.startswith("on") and name not in ("style", "src", "srcset")
        assert name != "href" or re.fullmatch(r"#part-\d+", value)
    style = re.search(r"<style>(.*?)</style>", content, re.S)
    assert style is not None and "url(" not in style[1] and "@import" not in style[1]
    hashed = b64encode(sha256(style[1].encode()).digest()).decode()
    policy = (
        f"default-src 'none'; connect-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none';"
        " form-action 'none'"
    )
    assert f'http-equiv="Content-Security-Policy" content="{policy}"' in content
    return found


@pytest.fixture
def analysed(analysing: Analysing) -> Analysed:
    run_id = analysing.analysed(
        analysing.compared(), analysing.labelled(), before=OTHER, after=PLAIN
    )
    return open_analysis(run_id)


def test_it_has_all_questions_their_sentences_and_a_picture_of_each_chart(
    analysed: Analysed, data_dir: Path
) -> None:
    path = data_dir / "analysis" / f"{analysed.run.id}-report.html"
    content = path.read_text("utf-8")
    assert content == html_report(analysed), "the file of the run is this one"
    found = checked(content)
    words = "".join(found.words)
    for quote in quotes(analysed.run.id):
        assert quote.question in words and quote.sentence in words and quote.command in words
    # What three models reward, where they differ (the second has the margins of the first), what
    # each prefers beside the choice, where each goes against people, and what changed.
    assert found.tags.count("svg") == 1 + 2 + 3 + 3 + 1
    assert all("aria-label" in one for one in re.findall(r"<svg[^>]*>", content))
    assert "What must not be concluded" in words
    assert len(content.encode()) < MOST_BYTES
    assert str(data_dir) not in content and "written.jsonl" in words


def test_no_text_of_the_dataset_is_in_it_unless_it_is_asked_for(analysed: Analysed) -> None:
    without, having = (checked(html_report(analysed, texts=asked)) for asked in (False, True))
    assert not any(word in "".join(without.words) for word in (SORRY, FOOL, "Ask 1"))
    words = "".join(having.words)
    assert "Pairs that show it" in words and SORRY in words and "Human: Ask" in words


def test_what_is_missing_says_what_it_needs(analysing: Analysing) -> None:
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    words = "".join(checked(html_report(open_analysis(run_id))).words)
    assert f"run {run_id} names no two. Analyse it anew, and name both models." in words


def test_hostile_texts_and_names_stay_text(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = texts("http://127.0.0.1:9")
    said = [(f"{one} {SORRY}", f"no {one}") for one in hostile]
    folder = tmp_path / "<script>alert(1)</script>"
    folder.mkdir(parents=True)
    made = Analysing(data_dir, monkeypatch, said, lambda row: hostile[row], folder=folder)
    labelled = made.labelled('<img src=x onerror="a()">:1b'), made.labelled("</style><b>:1b")
    found = open_analysis(made.analysed(made.compared(), *labelled))
    content = html_report(found, texts=True)
    checked(content)
    assert "<img src=x" not in content and "&lt;img src=x" in content


def test_odd_characters_are_replaced_and_markup_is_escaped() -> None:
    assert text("<b>\"&'\u202e\x00\ud800") == "&lt;b&gt;&quot;&amp;&#x27;\ufffd\ufffd\ufffd"
    assert text("سلام é 😀\n") == "سلام é 😀\n"
    checked(page("<i>", [paragraph("<u>", "lead")], {"<script>": [paragraph(LONG)]}))


def test_dots_are_filled_where_clear_hollow_for_one_labeler_and_else_a_stroke() -> None:
    def effect(feature: str, clear: str, estimate: float) -> dict[str, object]:
        ends = {"low": estimate - 1, "high": estimate + 1, "differs": 20, "n": 1_000}
        return {"feature": feature, "series": "<m>", "estimate": estimate, "clear": clear, **ends}

    effects = [
        effect("a", "", 1),
        effect("b", "clear", -3),
        effect("c", "clear for this labeler", 2),
        effect("d", "", float("nan")),
    ]
    drawn = plain_dots(effects, {"b": "B & b"}, "Typical margins")
    names = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert [name for name in names if name in ("B &amp; b", "c", "a", "d")] == [
        "B &amp; b",
        "c",
        "a",
    ]
    assert names.count("20 of 1,000") == 3 and "Typical margins" in names
    assert len(re.findall("<circle", drawn)) == 2 and drawn.count('fill="#FFFFFF"') == 1
    assert "B &amp; b, &lt;m&gt;: −3.00 [−4.00, −2.00], clear" in drawn
    assert plain_dots(effects[3:], {}, "x") == ""


def test_the_command_writes_it_with_texts_where_it_is_asked_to(
    analysed: Analysed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert command_line(["analyse", analysed.run.id, "--texts", "--out", str(folder)]) == 0
    names = {f"{analysed.run.id}-{name}" for name in ("report.html", "sentences.txt")}
    assert {path.name for path in folder.iterdir()} == names
    assert SORRY in (folder / f"{analysed.run.id}-report.html").read_text("utf-8")
    assert f"{folder}/{analysed.run.id}-report.html" in capsys.readouterr().out
