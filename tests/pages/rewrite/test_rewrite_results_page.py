"""A finished rewording on its page: numbers, the gate, rows, one row, and hostile text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.reward_models import Fakes
from fakes.rewriting import (
    Answer,
    FakeRewriter,
    added,
    fake_tools,
    reworded,
    sometimes,
    spec_of,
    work_here,
)
from given.hostile import rewordings
from given.listed import listed
from given.support import write_pairs
from streamlit.testing.v1 import AppTest

from ivan_core.domain.runs import RunState
from ivan_core.engine import figures, handling as runs
from ivan_core.experiments.rewrite import sentences as rewrite_sentences
from ivan_core.experiments.rewrite.results import open_rewrite

REWRITE = "pages/rewrite.py"
LEAK = "http://leak.invalid"
Open = Callable[..., Any]
OPEN_GATE = {"meaning": "0"}
"""Every rewording of the fakes passes it."""
PAIR = """
from ivan_core.experiments.rewrite.results import open_rewrite
from pages.components.pair.rewordings import pair_rewordings
pair_rewordings(open_rewrite({run!r}).dataset.about["content"], {row})
"""


def plain(label: str) -> str:
    """A label as a person reads it, without the marks that keep it from being markdown."""
    return label.replace("\\", "").replace("\u2060", "")


def made(data_dir: Path, file: Path, answer: Answer = sometimes, **fields: object) -> str:
    """A finished run of the fakes; by default every tenth row has each kind of trouble."""
    run_id = added(data_dir, spec_of(file, **fields))
    work_here(data_dir, run_id, fake_tools(FakeRewriter(answer), Fakes(silent=True)))
    assert runs.get(run_id).state is RunState.DONE
    return run_id


@pytest.fixture
def run_id(data_dir: Path, tmp_path: Path) -> str:
    """Of its 60 pairs row 7 has the same text twice, and rows ending in 2 and 3 fail."""
    return made(data_dir, write_pairs(tmp_path / "pairs.jsonl", 60))


def test_a_finished_run_opens_with_its_sentence_and_accounts_for_every_pair(
    run_id: str, open_page: Open
) -> None:
    page = open_page(REWRITE, run=run_id, **OPEN_GATE)
    headline = page.said.splitlines()[1]
    told = "47 pairs measured (60 asked, 47 reworded: 13 have a side without a rewording)"
    assert headline.startswith("Of 47 pairs reworded with the same meaning, ")
    assert (
        " changed fake/one's mind (" in headline and "Punctuation alone changed it in" in headline
    )
    assert headline.endswith(f"Meaning kept in 100% [92, 100] of {told}.")
    assert page.buttons["state-kept"] == "47 meaning kept"
    assert page.buttons["state-failed"] == "13 not reworded"
    assert plain(page.buttons["reason-no answer"]) == "12 no answer"
    assert plain(page.buttons["reason-identical"]) == "6 identical"
    assert page.kinds.count("vega_lite_chart") == 2
    assert "60 pairs, 1 to 50 shown." in page.said
    page.unfold("files")
    files = [plain(button.proto.label) for button in page.app.get("download_button")]
    assert [name.removeprefix(run_id) for name in files if name.startswith(run_id)] == [
        "-rewrite.csv",
        "-rewrite-failed.csv",
        "-rewrite.parquet",
    ]


def test_the_gate_is_in_the_link_and_every_number_follows_it(run_id: str, open_page: Open) -> None:
    page = open_page(REWRITE, run=run_id, **OPEN_GATE)
    page.app.slider(key="gate-meaning").set_value(0.9)
    page.run()
    assert page.app.query_params["meaning"] == "0.9"
    assert "Meaning kept in 0% [0, 8] of 47 pairs measured" in page.said
    assert page.buttons["state-left"] == "47 reworded, but meaning not kept"
    assert "fake/one has rated no reworded pair yet." in page.said
    page.app.slider(key="gate-meaning").set_value(0.85)
    page.run()
    assert "meaning" not in page.app.query_params
    lengths = open_page(REWRITE, run=run_id, meaning="0", longest="1.0")
    assert "of 47 pairs" in lengths.said.splitlines()[1]
    odd = open_page(REWRITE, run=run_id, meaning="<b>", model="nobody", flip="any")
    assert odd.app.slider(key="gate-meaning").value == 0.85
    assert f"this run cannot tell. Run {run_id} has no model nobody." in odd.said


def test_pressing_a_number_lists_its_rows_and_a_chip_takes_it_away(
    run_id: str, open_page: Open
) -> None:
    page = open_page(REWRITE, run=run_id, **OPEN_GATE)
    page.press("state-failed")
    assert page.app.query_params["state"] == "failed"
    assert "13 pairs. Click a pair" in page.said
    table = listed(page.app)
    assert list(table["row_id"])[:4] == [2, 3, 7, 12]
    assert table.iloc[0]["problem"] == "The answer is the same text as the original."
    assert table.iloc[0]["raw"] == "Assistant: Answer 2."
    page.press("pair-chip-state")
    assert "state" not in page.app.query_params
    assert "60 pairs, 1 to 50 shown." in page.said


def test_a_link_with_as_many_conditions_as_fit_shows_them_all(run_id: str, open_page: Open) -> None:
    words = "~~".join(f"word {number}" for number in range(24))
    page = open_page(REWRITE, run=run_id, find=words)
    chips = [key for key in page.buttons if key.startswith("pair-chip-find")]
    assert len(chips) == 24 and "More than 24" not in page.said
    show_only = next(one for one in page.app.selectbox if one.label == "Show only")
    show_only.select_index(0)
    page.run()
    assert "More than 24 conditions do not fit in a link." in page.said
    assert {*chips} <= page.buttons.keys() and page.app.query_params["find"] == words


def test_what_a_link_repeats_or_holds_by_the_hundred_is_named_in_short(
    run_id: str, open_page: Open
) -> None:
    again = open_page(REWRITE, run=run_id, **{"and": "x" + "~~x" * 99})
    assert "left out: and=x." in again.said
    odd = "~~".join(f"x{number}" for number in range(100))
    many = open_page(REWRITE, run=run_id, **{"and": odd})
    assert "and=x8, and=x9 and 90 more." in many.said and "and=x10" not in many.said


@pytest.mark.parametrize("direction", ["misaligned", "aligned"])
def test_as_many_rows_are_listed_as_verdicts_flipped(
    run_id: str, open_page: Open, direction: str
) -> None:
    table = open_rewrite(run_id).table
    own = table[table["model"].eq("fake/one")].set_index(["row_id", "variant"])
    margins = (own["chosen_reward"] - own["rejected_reward"]).unstack().dropna()
    agreed, agrees = margins["original"] > 0, margins["surface"] > 0
    flipped = agreed & ~agrees if direction == "misaligned" else ~agreed & agrees
    page = open_page(
        REWRITE, run=run_id, model="fake/one", flip=direction, of="surface", **OPEN_GATE
    )
    assert plain(page.buttons["pair-chip-flip"]).endswith("(change of punctuation) ✕")
    shown = set(listed(page.app)["row_id"])
    assert set(margins.index[flipped]) <= shown
    assert f"{len(shown)} pairs. Click" in page.said


def test_labels_that_flip_are_counted_and_open_their_rows(run_id: str, open_page: Open) -> None:
    page = open_page(REWRITE, run=run_id, view="3", **OPEN_GATE)
    assert "“Helpful” flips in " in page.said
    assert "Labelled by fake:1b." in page.said
    page.app.session_state["risks"] = True
    risks = page.app.run().dataframe
    tables = [one.value for one in risks if "what" in one.value.columns]
    # Two models; five labels, two sides, lost and gained.
    assert [len(table) for table in tables] == [20, 20]
    page.press("move-last_response_is_helpful-lost")
    query = page.app.query_params
    assert (query["label"], query["move"]) == ("last_response_is_helpful", "lost")
    assert plain(page.buttons["pair-chip-label"]) == "Helpful: lost ✕"
    assert "No pairs here." not in page.said


def test_a_row_is_read_before_and_after_with_its_neighbours(run_id: str, open_page: Open) -> None:
    page = open_page(REWRITE, run=run_id, row="5", **OPEN_GATE)
    assert "Pair 5: 6 of 60 pairs" in page.said
    assert "Reworded: fake/one " in page.said
    drawn = "".join(html.body for html in page.app.get("html"))
    assert ">Answer</ins> 5." in drawn
    assert ">Reply</ins> 5." in drawn
    assert "Labels by fake:1b, before and after" in page.said
    page.press("row-j")
    assert page.app.query_params["row"] == "6"
    page.press("row-close")
    assert "row" not in page.app.query_params
    assert "60 pairs, 1 to 50 shown." in page.said


def test_a_row_without_a_rewording_says_why_and_what_came(run_id: str, open_page: Open) -> None:
    page = open_page(REWRITE, run=run_id, row="12")
    assert "This pair has no whole rewording." in page.said
    assert "The answer is the same text as the original." in page.said
    assert "Answer 12." in page.app.code[0].value
    # Row 3 has its prompt refused: told once for both replies, with what was reworded in vain.
    both = open_page(REWRITE, run=run_id, row="3")
    assert "Neither reply has a rewording" in both.said
    assert both.said.count("What stands before the reply was refused.") == 1
    unknown = open_page(REWRITE, run=run_id, row="99")
    assert f"Run {run_id} did not reword pair 99." in unknown.said


def test_the_command_does_the_same(data_dir: Path, tmp_path: Path, open_page: Open) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl", 8)
    page = open_page(REWRITE, run=made(data_dir, file, sample=6, seed=3, second=False))
    page.unfold("files")
    assert page.app.code[-1].value == (
        f"ivan rewrite --dataset {file} --limit 6 --seed 3 --rewriter fake:7b"
        " --similarity ivan/minilm --labeler fake:1b --model fake/one --model fake/two --no-second"
    )
    row = open_page(REWRITE, run=page.app.query_params["run"], row="1")
    assert "change of punctuation" in " ".join(box.label for box in row.app.expander)


def test_the_rewordings_of_a_pair_are_shown_newest_first(
    data_dir: Path, tmp_path: Path, run_id: str
) -> None:
    def opened(row: int) -> AppTest:
        app = AppTest.from_string(PAIR.format(run=run_id, row=row), default_timeout=300).run()
        assert not app.exception, app.exception[0].value
        return app

    assert "Rewordings" in [head.value for head in opened(5).subheader]
    made(data_dir, tmp_path / "pairs.jsonl", reworded, seed=1)
    folded = [plain(box.label) for box in opened(5).expander]
    assert sum(label.startswith("fake:7b, run ") for label in folded) == 2
    assert not opened(999).get("html")


def test_the_sentence_of_a_pair_tells_whose_verdict_turned(run_id: str) -> None:
    results = open_rewrite(run_id)
    content = str(results.dataset.about["content"])
    told = {row: rewrite_sentences.pair_sentence(content, row) for row in range(60)}
    wide = results.scores.set_index(["row_id", "model", "variant"])
    agrees = (wide["chosen_reward"] > wide["rejected_reward"]).to_dict()
    for row in (4, 5, 6, 8):
        turned = [
            model
            for model in results.models
            if agrees[row, model, "original"] != agrees[row, model, "reworded"]
        ]
        words = [
            f"{model} {'agrees now' if agrees[row, model, 'reworded'] else 'no longer agrees'}"
            for model in turned
        ]
        assert told[row] == (
            f"Reworded, {' and '.join(words)}." if words else "Reworded, no verdict flips."
        )
    assert told[12] == told[7] == rewrite_sentences.pair_sentence(content, 999) == ""
    assert {"Reworded, no verdict flips."} <= set(told.values())


def test_hostile_text_stays_text(data_dir: Path, tmp_path: Path, open_page: Open) -> None:
    run_id, model = rewordings.made(data_dir, tmp_path, LEAK)
    queries = [
        {"view": "1"},
        {"view": "3"},
        {"state": "failed"},
        {"model": model, "flip": "any"},
        {"reason": f"![x]({LEAK}/reason)"},
        {"row": "0"},
        {"row": "1"},
        {"row": "2"},
        {"row": "4"},
    ]
    for query in queries:
        app = open_page(REWRITE, run=run_id, **OPEN_GATE, **query).app
        drawn = "\n".join(element.body for element in app.get("html"))
        bodies = [element.value for kind in ("markdown", "caption") for element in app.get(kind)]
        kinds = ("button", "selectbox", "expander", "segmented_control", "slider")
        labels = [element.label for kind in kinds for element in app.get(kind)]
        escaped = "\n".join(str(text) for text in (*bodies, *labels))
        assert f"]({LEAK}" not in escaped and f"<img src={LEAK}" not in escaped, query
        assert "<img src=" not in drawn and "<iframe" not in drawn and "<script>f" not in drawn


def test_a_figure_can_be_had_of_the_rows_listed_past_the_gate_of_the_page(
    run_id: str, open_page: Open
) -> None:
    page = open_page(REWRITE, run=run_id, **OPEN_GATE, flip="any", model="fake/two")
    key = next(key for key in page.buttons if key.startswith("figure-flips-"))
    page.press(key)
    where = figures.conditions_of(
        run_id, {"run": run_id, **OPEN_GATE, "flip": "any", "model": "fake/two"}
    )
    assert "flip=any" in where and "meaning=" in where
    (rows,) = page.app.toggle
    assert rows.label == f"Only the {figures.rows_listed(run_id, where)} listed below"
    page.app.session_state[f"{key}-rows"] = True
    page.press(key)
    told = [code.value for code in page.app.code]
    assert figures.caption(run_id, "flips", where=where) in told
    assert any(" --where " in text and " --gate " in text for text in told)
