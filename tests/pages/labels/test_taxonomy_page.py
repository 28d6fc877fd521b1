"""The page Taxonomy, step by step, without a browser: what it says, offers and refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from given import taxonomy_runs as made

from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from pages.components.labels.send import send_label

TAXONOMY = "pages/taxonomy.py"
Open = Callable[..., Any]


@pytest.fixture
def waiting(server: DemoServer, tmp_path: Path) -> str:
    """A run of six pairs whose estimate waits for a yes."""
    return taxonomy.start(made.spec_of(tmp_path))[0]


def fill(page: Any, **values: object) -> None:
    """Fill in fields by the ends of their keys."""
    for name, value in values.items():
        page.app.session_state[f"label-{name}"] = value
        if name in ("dataset", "labeler"):  # the test runner knows no typed options
            page.app.selectbox(key=f"label-{name}").options.append(value)
    page.run()


def test_the_first_visit_offers_rules_that_cost_nothing(data_dir: Path, open_page: Open) -> None:
    page = open_page(TAXONOMY)
    assert page.app.selectbox(key="label-dataset").value == "sample"
    assert page.app.selectbox(key="label-labeler").value == "ivan/lexicon"
    assert page.app.selectbox(key="label-labeler").options[0] == (
        "ivan/lexicon (rule-based, here, free)"
    )
    assert page.buttons["label"] == "Label 960 texts"
    assert "Nothing is sent anywhere, and nothing is paid." in page.said
    assert "1 · Choose" in page.said
    assert "– 2 · Cost and exact text" in page.said
    assert "demo server" not in page.said


def test_one_press_starts_the_rules(data_dir: Path, open_page: Open, spawned: list[str]) -> None:
    page = open_page(TAXONOMY)
    page.press("label")
    assert page.app.query_params["run"] == spawned[0]
    assert "✓ 1 · Choose: sample, all pairs, ivan/lexicon (rule-based)" in page.said
    assert "✓ 2 · Cost and exact text: nothing is paid" in page.said
    assert "3 · Follow" in page.said


def test_the_cost_can_be_seen_without_a_key(
    server: DemoServer, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")
    page = open_page(TAXONOMY)
    fill(page, labeler=made.MODEL, rows="The first N")
    fill(page, n=2)
    assert "4 texts, one request each. The first 2 of 480 pairs" in page.said
    for way in ("No key for OpenAI is set.", "the file .env", "or choose ivan/lexicon"):
        assert way in page.said
    assert any("ivan demo-server" in code.value for code in page.app.code)
    page.press("prepare")
    assert "Labelling 4 texts with gpt-6-luna as a batch costs about $0.0" in page.said
    assert page.app.button(key="accept").disabled
    assert "No key for OpenAI is set." in page.said


def test_a_model_that_goes_away_says_when(
    server: DemoServer, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(TAXONOMY)
    assert "The demo server answers at 127.0.0.1" in page.said
    assert "nothing is paid" in page.said
    fill(page, labeler="gpt-4o-mini")
    assert "gpt-4o-mini shuts down on 2027-01-14." in page.said
    run_id, _ = taxonomy.start(made.spec_of(tmp_path, model="gpt-4o-mini"))
    assert "gpt-4o-mini, shuts down on 2027-01-14" in open_page(TAXONOMY, run=run_id).said


def test_a_name_that_does_not_tell_how_it_is_reached_is_asked_about(
    server: DemoServer, open_page: Open
) -> None:
    page = open_page(TAXONOMY)
    fill(page, labeler="acme/large")
    assert page.app.radio(key="label-way").options == [
        "as batches of an OpenAI-compatible API",
        "on Ollama",
    ]
    assert "prepare" in page.buttons


def test_ollama_that_is_away_is_a_sentence_and_a_way_on(
    data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_HOST", "http://127.0.0.1:9")
    page = open_page(TAXONOMY)
    fill(page, labeler="gemma4:e4b")
    assert "127.0.0.1:9" in page.said
    assert "The rules are always here: ivan/lexicon." in page.said
    assert "label" not in page.buttons


def test_a_model_that_is_missing_is_pulled_and_can_label(
    data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer() as demo:
        demo.faults.set(names.MODEL_MISSING)
        monkeypatch.setenv("OLLAMA_API_HOST", demo.ollama_url)
        page = open_page(TAXONOMY)
        fill(page, labeler="gemma4:e4b")
        assert "does not have gemma4:e4b yet" in page.said
        assert page.buttons["pull"].replace("\\", "").replace("\u2060", "") == "Pull gemma4:e4b"
        page.press("pull")
        assert "gemma4:e4b is there." in page.said
        assert page.buttons["label"] == "Label 960 texts"


def test_a_pull_that_fails_says_so(
    data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer() as demo:
        demo.faults.set(names.MODEL_MISSING)
        demo.faults.set(names.PULL_FAILS)
        monkeypatch.setenv("OLLAMA_API_HOST", demo.ollama_url)
        page = open_page(TAXONOMY)
        fill(page, labeler="gemma4:e4b")
        page.press("pull")
        assert "pull" in page.buttons
        assert "gemma4:e4b is there." not in page.said


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"dataset": "/nowhere/pairs.jsonl"}, "/nowhere/pairs.jsonl"),
        ({"dataset": "  "}, "Choose a dataset."),
        ({"labeler": " "}, "Choose who labels."),
    ],
)
def test_bad_input_is_a_sentence_and_offers_no_button(
    data_dir: Path, open_page: Open, values: dict[str, str], problem: str
) -> None:
    page = open_page(TAXONOMY)
    fill(page, **values)
    assert problem in page.said
    assert not {"label", "prepare"} & set(page.buttons)


def test_the_estimate_says_all_that_is_known(waiting: str, open_page: Open) -> None:
    page = open_page(TAXONOMY, run=waiting)
    for piece in (
        "Labelling 12 texts with gpt-6-luna as a batch costs about $0.00",
        "Requests12, one a text, of 6 pairs",
        "Files1 (0.1 MB)",
        "counted with o200k_base",
        "2,160 typical, 7,200 at the most",
        "$0.05 in, $0.25 out",
        "$0.10 in, $0.50 out",
        "genai-prices",
        "no day of shutdown is known",
        "Your capnone is set",
        "The demo server answers",
    ):
        assert piece in page.said, piece
    assert page.buttons["accept"] == "Go to confirmation …"
    estimate = taxonomy.estimate(waiting)
    assert estimate is not None
    assert re.fullmatch(r"Upload, at the most \$0\.\d+", send_label(estimate))
    texts = [code.value for code in page.app.code]
    assert any("Human: Question 0?" in text for text in texts)
    assert any('"custom_id"' in text or '"model": "gpt-6-luna"' in text for text in texts)


def test_a_request_file_that_is_gone_is_a_sentence(
    waiting: str, open_page: Open, data_dir: Path
) -> None:
    next((data_dir / "taxonomy-input").glob("*.jsonl")).unlink()
    page = open_page(TAXONOMY, run=waiting)
    assert "is gone. " in page.said.replace("\n", " ")
    assert "renew" in page.buttons
    page.press("renew")
    assert "accept" in page.buttons
    assert "is gone." not in page.said


def test_nothing_is_sent_where_it_is_declined(
    waiting: str, open_page: Open, server: DemoServer
) -> None:
    page = open_page(TAXONOMY, run=waiting)
    page.press("decline")
    assert "Nothing was sent." in page.said
    assert runs.get(waiting).state is RunState.CANCELLED
    assert made.creations(server) == 0


def test_a_cap_disables_the_way_on(server: DemoServer, open_page: Open, tmp_path: Path) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path, max_usd=0.001))
    page = open_page(TAXONOMY, run=run_id)
    assert "and the cap is $0.00" in page.said
    assert page.app.button(key="accept").disabled


def test_a_price_that_nobody_knows_is_asked_for(
    server: DemoServer, open_page: Open, tmp_path: Path
) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path, model="acme/large"))
    page = open_page(TAXONOMY, run=run_id)
    assert "no price is known" in page.said
    assert page.app.button(key="accept").disabled
    page.app.number_input(key="give-input").set_value(1.0)
    page.app.number_input(key="give-output").set_value(2.0)
    page.run()
    page.press("give-prices")
    assert "$1.00 in, $2.00 out" in page.said
    assert "given by you" in page.said
    assert not page.app.button(key="accept").disabled


def test_a_run_that_is_not_there_or_of_another_page_is_a_sentence(
    data_dir: Path, open_page: Open
) -> None:
    assert "There is no run 'none' here." in open_page(TAXONOMY, run="none").said


def test_earlier_labellings_are_listed(waiting: str, open_page: Open) -> None:
    page = open_page(TAXONOMY)
    assert f"{waiting}: waiting for a confirmation" in page.said
    assert any("gpt" in label and "luna" in label for label in page.links)


def test_a_labelling_by_the_demo_servers_ollama_says_so(
    data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch, spawned: list[str]
) -> None:
    with DemoServer() as demo:
        monkeypatch.setenv("OLLAMA_API_HOST", demo.ollama_url)
        page = open_page(TAXONOMY)
        fill(page, labeler="gemma4:e4b")
        page.press("label")
        assert "The demo server answers in place of Ollama." in page.said
        runs.cancel(spawned[0])
        page = open_page(TAXONOMY, run=spawned[0])
        assert "This labelling was cancelled." in page.said
        assert "What is finished is kept." in page.said
        assert page.buttons["go-on"] == "Resume"
