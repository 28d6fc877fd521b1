"""The page Rewrite: what it asks before, tells meanwhile, and shows of a finished run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.rewriting import added, spec_of
from given.support import write_pairs

from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import RewriteSpec
from ivan_core.engine import handling as runs
from ivan_core.runs.registry import Registry

REWRITE = "pages/rewrite.py"
Open = Callable[..., Any]
MISTRAL = "mistral:7b-instruct-fp16"


def plain(label: str) -> str:
    """A label as a person reads it, without the marks that keep it from being markdown."""
    return label.replace("\\", "").replace("\u2060", "")


def fill(page: Any, **values: object) -> None:
    """Fill in fields by the ends of their keys."""
    for name, value in values.items():
        page.app.session_state[f"rewrite-{name}"] = value
        if name in ("dataset", "rewriter", "labeler"):  # the test runner knows no typed options
            page.app.selectbox(key=f"rewrite-{name}").options.append(value)
    page.run()


def test_the_first_visit_offers_rules_that_send_nothing(data_dir: Path, open_page: Open) -> None:
    page = open_page(REWRITE)
    assert page.app.selectbox(key="rewrite-dataset").value == "sample"
    assert page.app.selectbox(key="rewrite-rewriter").options[0] == (
        "ivan/rules (rule-based, here, free)"
    )
    assert page.buttons["reword"] == "Reword 480 pairs"
    assert "480 pairs, reworded by rules, here and free" in page.said
    assert "Nothing is sent anywhere." in page.said
    assert page.app.selectbox(key="rewrite-labeler").value == ""


def test_one_press_starts_it_and_rules_are_named_while_they_work(
    data_dir: Path, open_page: Open, spawned: list[str]
) -> None:
    page = open_page(REWRITE)
    fill(page, rows="A random draw of N")
    fill(page, n=12)
    assert page.buttons["reword"] == "Reword 12 pairs"
    page.press("reword")
    assert page.app.query_params["run"] == spawned[0]
    assert "Rewording sample with ivan/rules (rule-based)" in page.said
    assert "cancel" in page.buttons
    spec = runs.any_spec_of(runs.get(spawned[0]))
    assert isinstance(spec, RewriteSpec)
    assert (spec.sample, spec.scope, spec.second) == (12, "shared", True)


def test_rules_read_by_rules_are_warned_of(data_dir: Path, open_page: Open) -> None:
    page = open_page(REWRITE)
    fill(page, labeler="ivan/lexicon")
    assert "The two are never combined as evidence." in page.said
    assert "reword" in page.buttons


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"dataset": " "}, "Choose a dataset."),
        ({"rewriter": " "}, "Choose who rewords."),
        ({"models": []}, "Choose at least one reward model."),
        ({"labeler": "gpt-6-luna"}, "Write openai:gpt-6-luna."),
    ],
)
def test_what_cannot_work_is_a_sentence_and_offers_no_button(
    data_dir: Path, open_page: Open, values: dict[str, object], problem: str
) -> None:
    page = open_page(REWRITE)
    fill(page, **values)
    assert problem in page.said
    assert "reword" not in page.buttons


def test_ollama_that_is_away_is_a_sentence_and_a_way_on(
    data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_HOST", "http://127.0.0.1:9")
    page = open_page(REWRITE)
    fill(page, rewriter=MISTRAL)
    assert "127.0.0.1:9" in page.said
    assert "The rules are always here: ivan/rules rewords, ivan/lexicon labels." in page.said
    assert "reword" not in page.buttons


def test_a_model_that_is_missing_is_pulled_and_can_reword(
    data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer() as demo:
        demo.faults.set(names.MODEL_MISSING)
        monkeypatch.setenv("OLLAMA_API_HOST", demo.ollama_url)
        page = open_page(REWRITE)
        fill(page, rewriter=MISTRAL)
        assert plain(page.buttons["pull"]) == f"Pull {MISTRAL}"
        page.press("pull")
        assert f"{MISTRAL} is there." in page.said
        assert "It can reword now." in page.said
        assert page.buttons["reword"] == "Reword 480 pairs"
        assert "Texts go to your Ollama server only." in page.said


def test_a_paid_rewriter_starts_nothing_before_its_cost_is_accepted(
    data_dir: Path, open_page: Open, spawned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    page = open_page(REWRITE)
    fill(page, rewriter="openai:some-model")
    assert "Rewording by some-model: no price is known (2,899 requests" in page.said
    page.app.selectbox(key="rewrite-rewriter").options.append("openai:some-model")
    page.press("reword")
    assert "I accept this cost" in [box.label for box in page.app.checkbox]
    assert page.app.button(key="accepted").disabled
    assert spawned == []


FACTS = {
    "pairs": 40,
    "done": {"rewordings": 12, "scores": 10},
    "pieces": {
        "published": {"asked": 36, "accepted": 32, "refused": {"identical": 1, "cut off": 3}}
    },
    "similarity": {"reworded": 0.97},
    "models": {
        "fake/one": {
            "variants": {
                "reworded": {
                    "pairs": 10,
                    "agreed": 6,
                    "became_misaligned": 2,
                    "became_aligned": 1,
                    "chosen_change": 0.125,
                    "rejected_change": -0.25,
                    "size": 0.2,
                }
            },
            "points": [[10, 3, 0.2]],
        }
    },
    "labels": {"last_response_is_helpful": {"lost": 1, "same": 4, "unknown": 2}},
}


def test_a_run_at_work_tells_what_moved_so_far_and_judges_nothing(
    data_dir: Path, tmp_path: Path, open_page: Open
) -> None:
    run_id = added(data_dir, spec_of(write_pairs(tmp_path / "pairs.jsonl", 40)))
    registry = Registry(data_dir)
    registry.progress(
        run_id, doing="Scoring with fake/one", total=400, done=100, facts=json.dumps(FACTS)
    )
    page = open_page(REWRITE, run=run_id)
    assert "Scoring with fake/one · 12 of 40 pairs reworded, 10 scored" in page.said
    accepted = "Reworded: 32 of 36 pieces accepted so far (89%); refused: 3 cut off, 1 identical."
    assert accepted in page.said
    assert "Labels that moved so far: Helpful 1 of 5." in page.said
    row = page.app.dataframe[0].value.iloc[0]
    assert (row["model"], row["pairs"], row["flips"], row["share"]) == ("one", 10, 3, 30.0)
    assert (row["chosen"], row["rejected"], row["similarity"]) == ("+0.125", "−0.250", 0.97)
    for word in ("better", "significant", "clear"):
        assert word not in page.said


def test_a_cancelled_run_says_so_and_can_be_resumed(
    data_dir: Path, tmp_path: Path, open_page: Open, spawned: list[str]
) -> None:
    run_id = added(data_dir, spec_of(write_pairs(tmp_path / "pairs.jsonl", 40)))
    Registry(data_dir).finish(run_id, RunState.CANCELLED)
    page = open_page(REWRITE, run=run_id)
    assert "This run was cancelled." in page.said
    page.press("resume")
    assert spawned == [run_id]
    assert "Rewording " in page.said
