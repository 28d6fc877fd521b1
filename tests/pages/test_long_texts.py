"""Long dialogues and long replies: little is sent at once, and the rest when it is asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from given import made_runs, taxonomy_runs
from streamlit.testing.v1 import AppTest

from ivan_core.demo.server import DemoServer
from ivan_core.domain import ablation, transcripts
from ivan_core.engine.warm.answers import Answer, Stopped
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.compare import ablation as asking
from pages.components.kit.text import TURNS_AT_ENDS

MOST_BYTES = 400_000
"""What a page may send of a pair, whatever its texts."""


def _pair(turns: int, reply: int, marked: bool = True) -> None:
    from ivan_core.domain.pairs import Pair
    from ivan_core.domain.transcripts import Dialogue
    from pages.components.pair.replies import show_pair

    talk = "".join(
        f"\n\nHuman: Question {number}?\n\nAssistant: Answer {number}."
        for number in range(turns // 2)
    )
    sides = [
        Dialogue(f"{talk}\n\nHuman: Well?\n\nAssistant: {word * reply}") for word in ("yes ", "no ")
    ]
    show_pair(Pair(0, *sides), marked, {})


def _dialogue(turns: int, reply: int) -> None:
    from ivan_core.domain.transcripts import Dialogue
    from pages.components.pair.replies import show_dialogue

    talk = "".join(
        f"\n\nHuman: Question {number}?\n\nAssistant: Answer {number}."
        for number in range(turns // 2)
    )
    show_dialogue(Dialogue(f"{talk}\n\nHuman: Well?\n\nAssistant: {'yes ' * reply}"), True)


def bytes_sent(page: AppTest) -> int:
    """How much the elements of a page take on their way to the browser."""
    return sum(element.proto.ByteSize() for element in elements(page.main))


def elements(block):
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from elements(child)
        else:
            yield child


def said(page: AppTest) -> str:
    return "\n".join(re.sub(r"<[^>]+>", "", html.body) for html in page.get("html"))


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


@pytest.mark.parametrize("draw", [_pair, _dialogue])
@pytest.mark.parametrize("turns", [3_000, 100_000])
def test_of_a_long_dialogue_both_ends_are_sent(draw, turns) -> None:
    page = AppTest.from_function(draw, args=(turns, 3), default_timeout=120).run()
    assert not page.exception
    assert bytes_sent(page) < MOST_BYTES
    assert labels(page) == [f"Show the {turns - 2 * TURNS_AT_ENDS:,} turns between"]
    shown = said(page)
    assert "Question 0?" in shown and f"Answer {turns // 2 - 1}." in shown
    assert "Question 9?" not in shown


def test_the_turns_between_come_fifty_at_a_time() -> None:
    page = AppTest.from_function(_pair, args=(3_000, 3), default_timeout=120).run()
    page.button[0].click().run()
    assert "6 to 55 of 3,000 turns." in said(page)
    assert "Question 27?" in said(page) and "Question 28?" not in said(page)
    assert not labels(page) and bytes_sent(page) < MOST_BYTES


def test_few_turns_are_shown_as_they_are() -> None:
    page = AppTest.from_function(_pair, args=(12, 3)).run()
    assert not labels(page) and "Question 3?" in said(page)


@pytest.mark.parametrize("draw", [_pair, _dialogue])
def test_a_long_reply_is_cut_and_goes_on_when_asked(draw) -> None:
    page = AppTest.from_function(draw, args=(2, 2_500_000), default_timeout=120).run()
    assert not page.exception
    assert bytes_sent(page) < MOST_BYTES
    assert "20,000 of 9,999,999 characters are shown." in said(page)
    before = bytes_sent(page)
    assert labels(page)[0] == "Show more"
    page.button[0].click().run()
    assert "70,000 of 9,999,999 characters are shown." in said(page)
    assert before < bytes_sent(page) < before + 60_000


def test_the_rest_of_a_reply_comes_whole_and_a_dialogue_of_usual_length_is_never_cut() -> None:
    page = AppTest.from_function(_dialogue, args=(2, 10_000)).run()
    assert labels(page) == ["Show the rest"]
    page.button[0].click().run()
    assert not labels(page) and ("yes " * 10_000).strip() in said(page)
    page = AppTest.from_function(_pair, args=(2, 4_000)).run()
    assert not labels(page) and ("yes " * 4_000).strip() in said(page)


TALK = "".join(f"\n\nHuman: Question {n}?\n\nAssistant: Answer {n}." for n in range(1_500))


def noted(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, size: Callable[..., int]
) -> list[int]:
    """How large each call of a function is, from now on."""
    sizes: list[int] = []
    real = getattr(where, name)

    def noting(*given: Any) -> Any:
        sizes.append(size(*given))
        return real(*given)

    monkeypatch.setattr(where, name, noting)
    return sizes


def test_questions_about_a_long_pair_open_without_reading_it_again(
    data_dir: Path, tmp_path: Path, open_page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {
            "chosen": f"{TALK}\n\nHuman: Well?\n\nAssistant: {'Yes. ' * 40_000}",
            "rejected": f"{TALK}\n\nHuman: Well?\n\nAssistant: No. Never.",
        }
    ]
    spec = made_runs.spec_of_file(made_runs.write_rows(tmp_path / "rows.jsonl", rows))
    page = open_page("pages/pairs.py", run=made_runs.finished(data_dir, spec))
    cut = noted(monkeypatch, ablation, "sentences", lambda text, *_: len(text))
    read = noted(monkeypatch, transcripts, "_split", lambda _, text: len(text))
    page.run()
    assert {"moved-ask", "own-ask"} <= page.buttons.keys() and not read and not cut
    assert bytes_sent(page.app) < MOST_BYTES
    monkeypatch.setattr(asking, "ask", lambda *_: Answer(problem=Stopped("No.")))
    page.press("moved-ask")
    assert "No." in page.said and max(cut) == len("No. Never.")
    assert bytes_sent(page.app) < MOST_BYTES


def test_the_text_of_a_long_request_is_cut_before_it_is_confirmed(
    data_dir: Path, tmp_path: Path, open_page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = {
        "chosen": f"\n\nHuman: Well?\n\nAssistant: {'yes ' * 200_000}",
        "rejected": "\n\nHuman: Well?\n\nAssistant: No.",
    }
    (tmp_path / "pairs.jsonl").write_text(json.dumps(pair) + "\n")
    with DemoServer() as demo, taxonomy_runs.workers_here(monkeypatch):
        taxonomy_runs.account_of(monkeypatch, demo)
        run_id, _ = taxonomy.start(taxonomy_runs.spec_of(tmp_path))
        page = open_page("pages/taxonomy.py", run=run_id)
        assert re.search(r"20,000 of 80\d,\d{3} characters are shown", page.said)
        assert bytes_sent(page.app) < MOST_BYTES
        page.app.button[[one.label for one in page.app.button].index("Show more")].click()
        page.run()
        assert re.search(r"70,000 of 80\d,\d{3} characters are shown", page.said)
        assert bytes_sent(page.app) < MOST_BYTES
