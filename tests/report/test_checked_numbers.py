"""Numbers of a paper against the runs that they name: the tags, rounding, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from given import made_runs
from given.support import settings_of

from ivan_core.cli.main import run as command_line
from ivan_core.domain.errors import BadInput
from ivan_core.engine.figures import drawn
from ivan_core.experiments.compare.results import open_results
from ivan_core.report.checked.numbers import checked
from ivan_core.report.checked.tags import Place, Written, place, tags

MODEL = made_runs.TWO_MODELS[0]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A finished comparison of 60 pairs of the sample, that no test changes."""
    with pytest.MonkeyPatch.context() as patch:
        data_dir = settings_of(patch, tmp_path_factory.mktemp("checked"))
        yield made_runs.finished(data_dir, made_runs.spec_of_sample(limit=60))


def written(words: str) -> Written:
    (tag,) = tags(f"{words}<!-- ivan a b c -->")
    assert tag.written is not None, words
    return tag.written


def test_a_tag_belongs_to_the_number_right_before_it() -> None:
    text = "of 480 pairs **45%**<!-- ivan r c x -->\n[41<!-- ivan r c y -->, 50<!--ivan r c z-->"
    assert [(tag.line, tag.words, tag.written and tag.written.words) for tag in tags(text)] == [
        (1, "r c x", "45%"),
        (2, "r c y", "41"),
        (2, "r c z", "50"),
    ]


@pytest.mark.parametrize("text", ["45% of pairs <!-- ivan r c x -->", "45\n<!-- ivan r c x -->"])
def test_what_stands_further_away_is_not_its_number(text: str) -> None:
    assert [tag.written for tag in tags(text)] == [None]


def test_code_and_other_comments_hold_no_tags() -> None:
    code = "`1<!-- ivan r c x -->`\n```\n2<!-- ivan r c x -->\n```\n3<!-- ivanhoe r c x -->"
    assert [tag.line for tag in tags(f"{code}\n4<!-- ivan r c x -->")] == [6]


@pytest.mark.parametrize("words", ["0,45", "12,34,567", "1.2.3", "45%,", "half"])
def test_what_could_be_two_numbers_is_none(words: str) -> None:
    assert [tag.written for tag in tags(f"{words}<!-- ivan r c x -->")] == [None]


@pytest.mark.parametrize("words", ["45%", "45 %", "45\u00a0%", "45&nbsp;%", r"$45\%$", "**45%**"])
def test_a_percentage_is_one_however_it_is_set(words: str) -> None:
    assert written(words).percent and written(words).value == 45


@pytest.mark.parametrize(
    "code",
    [
        "````\n```\n{}\n```\n````",
        "~~~ text\n```\n{}\n~~~",
        "- a list\n\n  ```md\n  {}\n  ```",
        "> ```\n> {}\n> ```",
        "``a ` {} b``",
        "```\n{}\nnothing closes it",
    ],
)
def test_code_of_all_forms_holds_no_tags(code: str) -> None:
    tag = "1<!-- ivan r c x -->"
    assert list(tags(code.format(tag))) == []
    assert len(list(tags(code.format(tag), markdown=False))) == 1, "HTML knows no backticks"


def test_what_stands_behind_code_is_checked() -> None:
    code = "```\n1<!-- ivan r c x -->\n```\n`a` 2<!-- ivan r c x --> `b`"
    code += "\n```inline``` 3<!--ivan r c x-->"
    assert [tag.line for tag in tags(code)] == [4, 5]


def test_a_comment_that_nothing_ends_is_told() -> None:
    (one,) = checked("Of 45%<!-- ivan r agreement rate\nand more")
    assert "Nothing ends the comment" in one.wrong and one.tag.line == 1


@pytest.mark.parametrize("tag", ["<!-- IVAN r c -->", "<!--ivan-->", "<!-- ivan: r c x -->"])
def test_what_was_meant_as_a_tag_is_not_passed_over(tag: str) -> None:
    (one,) = checked(f"45%{tag}")
    assert "names no number of a run" in one.wrong


def test_what_a_tag_names() -> None:
    assert place('r length rate% model=a/b "where=the longer reply"') == Place(
        "r", "length", "rate", True, {"model": "a/b", "where": "the longer reply"}
    )
    assert place("r c") is None and place("r c x model") is None and place('r c x "a=') is None
    assert place("r c x model=a model=b") is None, "of two only one could be meant"


@pytest.mark.parametrize(
    ("words", "value", "right"),
    [
        ("0.45", 0.4521, True),
        ("0.46", 0.4521, False),
        ("0.5", 0.45, True),  # a half goes either way
        ("0.4", 0.45, True),
        ("45.2", 45.21, True),
        ("45.3", 45.21, False),
        ("1,200", 1200, True),
        ("1,200", 1201, False),
        ("−0.98", -0.9794, True),
        ("-0.98", 0.9794, False),
        ("+.6", 0.56, True),
        ("3-5", 5, True),  # of a range the end, which is not below zero
        ("p < 0.001", 0.0002, True),
        ("p < 0.001", 0.001, False),
        ("&lt; 0.05", 0.04, True),
        ("160\u202f800", 160_800, True),
        ("1\u00a0200,5", 1200.5, False),  # no number that it could be
        ("1,234,567.8", 1_234_567.81, True),
        ("3e-5", 0.0000304, True),
        ("3E−5", 0.0000404, False),
        ("–0.98", -0.98, True),
        ("&minus;2", -2, True),
        ("+3", 3, True),
        ("+3", -3, False),
        ("-0", 0, True),
        ("0", 0.4, True),
        ("0", 0.6, False),
        ("45.00", 45.004, True),
        ("45.00", 45.006, False),
        ("1000", 999.5, True),
    ],
)
def test_a_number_is_right_to_the_digits_that_are_written(
    words: str, value: float, right: bool
) -> None:
    (tag,) = tags(f"{words}<!-- ivan a b c -->")
    assert (tag.written is not None and tag.written.says(value)) is right


def test_right_numbers_pass_and_a_wrong_one_is_named_with_its_line(
    compared: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = open_results(compared).summaries[0].counts
    rate = 100 * counts.agree / counts.rated
    tag = f"model={MODEL} subset=all -->"
    right = (
        f"{rate:.1f}%<!-- ivan {compared} agreement rate {tag} is"
        f" {rate / 100:.3f}<!-- ivan {compared} agreement rate {tag},"
        f" [{rate:.0f}<!-- ivan {compared} agreement rate% {tag}]"
        f" of {counts.rated}<!-- ivan {compared} agreement n {tag}\n"
    )
    file = tmp_path / "paper.md"
    file.write_text(right, "utf-8")
    assert command_line(["check", str(file)]) == 0
    assert capsys.readouterr().out == "4 numbers checked: all are what their runs say.\n"
    off = f"{rate + 1:.1f}%<!-- ivan {compared} agreement rate {tag}"
    file.write_text(f"{right}\n{off}", "utf-8")
    assert command_line(["check", str(file)]) == 1
    told = capsys.readouterr().out.splitlines()
    said = f"{rate + 1:.1f}% is not what run {compared} says: {rate:.3f}%"
    assert told[0].startswith(f"{file}:3: {said}")
    assert told[1] == "1 of 5 numbers are not what their runs say."


def test_backticks_of_html_hide_no_number(
    compared: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"<p>`3%<!-- ivan {compared} agreement rate model={MODEL} subset=all -->`</p>"
    for name, code, told in (("p.html", 1, "1 of 1 number"), ("p.md", 1, "No number names")):
        (tmp_path / name).write_text(text, "utf-8")
        assert command_line(["check", str(tmp_path / name)]) == code
        printed = capsys.readouterr()
        assert told in printed.out + printed.err


def test_a_condition_names_a_number_however_it_is_written(compared: str) -> None:
    _, found = drawn(compared, "margins", model=MODEL)
    row = found.data.iloc[0]
    tag = f"<!-- ivan {compared} margins bin model={MODEL} verdict={row['verdict']} x0="
    (one,) = checked(f"{row['bin']}{tag}{row['x0']:.25f} -->")
    assert one.wrong == ""


def test_a_column_picks_rows(compared: str) -> None:
    counts = {one.model: one.counts.agree for one in open_results(compared).summaries}
    tag = f"<!-- ivan {compared} agreement count verdict=agree subset=all model="
    text = "".join(f"{count}{tag}{model} -->" for model, count in counts.items())
    assert [one.wrong for one in checked(text)] == ["", ""]


def test_a_choice_of_the_chart_is_made(compared: str) -> None:
    first, second = made_runs.TWO_MODELS
    _, found = drawn(compared, "margins", model=second)
    row = found.data.iloc[0]
    tag = f"<!-- ivan {compared} margins x0 bin={row['bin']} verdict={row['verdict']} model="
    text = "".join(f"{row['x0']:.4f}{tag}{model} -->" for model in (second, first))
    assert [bool(one.wrong) for one in checked(text)] == [False, True]


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("{run} agreement", "names no number of a run"),
        ("none agreement rate", "There is no run 'none' here"),
        ("{run} nothing rate", "There is no chart 'nothing'"),
        ("{run} agreement nothing", "have no column 'nothing'"),
        ("{run} agreement rate subset=none", "No row of agreement has subset=none"),
        ("{run} agreement count subset=all", "Add a condition on model, verdict."),
        ("{run} agreement model", "No number of model stands there"),
    ],
)
def test_what_leads_to_no_number_says_why(compared: str, tag: str, told: str) -> None:
    (one,) = checked(f"45%<!-- ivan {tag.format(run=compared)} -->")
    assert told in one.wrong


def test_words_of_a_file_move_no_cursor(compared: str) -> None:
    (one,) = checked(f"1<!-- ivan {compared} \x1b[2J\n -->")
    assert one.wrong and one.wrong.isprintable()


def test_a_text_without_tags_is_refused() -> None:
    with pytest.raises(BadInput, match="No number names the run"):
        checked("45% of all")
