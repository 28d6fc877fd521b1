"""Charts of any results: what is picked, and what is refused in which words."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest, RewriteSpec
from ivan_core.figures.chart import Chart, ChartsAndSentences, Drawn, paths_of_run
from ivan_core.figures.choices import GATE, ONE_MODEL, OTHER_MODEL, Choice, figure_command
from ivan_core.figures.files import caption, file_name, file_names
from ivan_core.figures.pick import pick


@dataclass(frozen=True)
class Words:
    """Results of a run that counted words, with two models or more."""

    models: tuple[str, ...] = ("a/one", "b/two")
    run: Any = field(default_factory=lambda: SimpleNamespace(id="run-1"))
    spec: Any = field(default_factory=lambda: SimpleNamespace(seed=3))
    manifest: Any = field(default_factory=lambda: {"versions": {"ivan": "9.9"}})
    dataset: Any = field(
        default_factory=lambda: SimpleNamespace(about={"request": {"source": "file.jsonl"}})
    )


def _drawn(results: Words, *chosen: str) -> Drawn:
    data = pd.DataFrame({"words": [len(chosen)]})
    return Drawn(lambda: None, data, f"Words by {', '.join(chosen)}.", "Words were counted.")


_LEAST = Choice(
    GATE,
    lambda chart, results, wish: wish.get("gate") or "2",
    as_wish=lambda least: None if least == "2" else least,
    before="least-",
)
FIGURES = ChartsAndSentences(
    (
        Chart("all", "All words", _drawn, instead={"model": "all models"}),
        Chart("one", "Words of one", _drawn, (ONE_MODEL, _LEAST), instead={"other": "one model"}),
        Chart("two", "Words of two", _drawn, (ONE_MODEL, OTHER_MODEL), names_them=True),
    ),
    open=lambda run_id: Words(),
    rows=lambda results: "all 4 pairs of file",
    methods=lambda results, chosen: "All 4 pairs were counted.",
    command=lambda results: "ivan words --seed 3",
    source=lambda results: "file",
    quotes=lambda results: [],
    of=" of words",
    names=lambda results, chosen: tuple(map(str, chosen.values())),
    trained=lambda results, chosen: f"{len(chosen)} chosen.",
)


def test_what_is_left_out_is_chosen_and_the_frame_of_words_is_one() -> None:
    picked = pick(FIGURES, Words(), "one", {"model": "b/two"})
    drawn = picked.draw()
    assert drawn.caption == "Words by b/two, 2."
    assert caption(picked, drawn) == "Words by b/two, 2. Data: all 4 pairs of file. 2 chosen."
    assert picked.methods(drawn) == (
        "All 4 pairs were counted. Words were counted. Seed 3. Computed with IVAN 9.9, run run-1:"
        " `ivan words --seed 3`."
    )
    assert picked.names == ("b/two", "2")
    assert file_name("run-1", "one", picked, "svg", 85) == "run-1-one-b-two-85mm.svg"


def test_the_wish_that_was_met_names_all_but_the_usual_and_the_file_says_it() -> None:
    assert pick(FIGURES, Words(), "one", {}).wish == {"model": "a/one"}
    picked = pick(FIGURES, Words(), "one", {"gate": "5"})
    assert picked.wish == {"model": "a/one", "gate": "5"}
    assert file_name("run-1", "one", picked, "csv", 85) == "run-1-one-a-one-least-5.csv"
    assert figure_command("run-1", "one", "csv", **picked.wish) == (
        "ivan figure run-1 one --format csv --model a/one --gate 5"
    )


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        ({}, ("a/one", "b/two")),
        ({"model": "b/two"}, ("b/two", "a/one")),
        ({"other": "a/one"}, ("b/two", "a/one")),
        ({"model": "b/two", "other": ["a/one"]}, ("b/two", "a/one")),
    ],
)
def test_of_two_models_the_other_one_is_what_is_left(wish: Any, shown: tuple[str, str]) -> None:
    picked = pick(FIGURES, Words(), "two", wish)
    assert tuple(picked.wish.values()) == shown
    assert picked.names == (), "the chart names them itself"


@pytest.mark.parametrize(
    ("name", "wish", "words", "hint"),
    [
        ("three", {}, "There is no chart 'three' of words.", "Choose one of all, one, two."),
        ("all", {"model": "a/one"}, "The chart all shows all models.", "Leave out --model."),
        ("all", {"gate": "1"}, "The chart all shows no gate on meaning.", "Leave out --gate."),
        ("one", {"other": "b/two"}, "The chart one shows one model.", "Leave out --other."),
        ("one", {"model": "c"}, "Run run-1 has no model 'c'.", "It has a/one, b/two."),
        ("two", {"other": ["a/one", "b/two"]}, "The chart two shows two models.", "Leave out"),
        ("two", {"model": "a/one", "other": "a/one"}, "a/one was named twice.", "Name two"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(name: str, wish: Any, words: str, hint: str) -> None:
    with pytest.raises(BadInput) as told:
        pick(FIGURES, Words(), name, wish)
    assert str(told.value) == words and told.value.hint.startswith(hint)


def test_whatever_a_run_was_asked_to_do_may_hold_a_path() -> None:
    spec = RewriteSpec(
        dataset=DatasetRequest(source="/home/ada/pairs.jsonl"),
        models=("/home/ada/rm", "b/two"),
        rewriter="~/rewriter",
        row_ids=(1, 2),
    )
    results = Words(spec=spec, manifest={"imported": {"files": ["/tmp/scores.csv"], "rows": 2}})
    assert file_names(paths_of_run(results)) == {
        "/home/ada/pairs.jsonl": "pairs.jsonl",
        "/home/ada/rm": "rm",
        "~/rewriter": "rewriter",
        "/tmp/scores.csv": "scores.csv",
    }


def test_a_run_with_one_model_has_no_chart_of_two() -> None:
    alone = Words(("a/one",))
    assert [chart.name for chart in FIGURES.charts_of(alone)] == ["all", "one"]
    with pytest.raises(BadInput, match="sets two models beside each other; run run-1 has one"):
        pick(FIGURES, alone, "two", {})
