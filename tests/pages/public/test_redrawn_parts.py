"""What is drawn again by itself, without its page, counts in a demo too, and less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from given.made_runs import finished, spec_of_file
from streamlit.testing.v1 import local_script_runner

from pages.components.public import pace
from pages.components.public.pace import FILE, PAGE, PART, Busy, Pace

PAGES = Path(__file__).resolve().parents[3] / "pages"


class Noted(Pace):
    """Gives everything, and notes what it cost."""

    def __init__(self) -> None:
        self.costs: list[float] = []

    def require(self, session: str, cost: float = PAGE) -> None:
        self.costs.append(cost)


@pytest.fixture
def listed(data_dir, pairs_file, open_page, monkeypatch):
    """The runs of a demo, whose table is a part that is drawn by itself."""
    finished(data_dir, spec_of_file(pairs_file))
    monkeypatch.setenv("IVAN_PUBLIC", "1")
    monkeypatch.setattr(pace, "PACE", Noted())
    return open_page("pages/runs.py")


def again(page, monkeypatch) -> None:
    """Draw the parts of a page again, and not the page, as a press in one of them does."""
    parts = list(page.app._fragment_storage._fragments)
    assert parts
    asked = local_script_runner.RerunData
    with monkeypatch.context() as patch:
        patch.setattr(
            local_script_runner, "RerunData", lambda **how: asked(**how, fragment_id_queue=parts)
        )
        page.run()


def test_a_page_with_its_parts_counts_once_and_a_part_alone_counts_less(listed, monkeypatch):
    assert pace.PACE.costs == [PAGE]
    again(listed, monkeypatch)
    assert pace.PACE.costs == [PAGE, PART]


def test_nobody_else_is_counted(listed, monkeypatch):
    monkeypatch.delenv("IVAN_PUBLIC")
    again(listed, monkeypatch)
    assert pace.PACE.costs == [PAGE]


def test_too_many_parts_say_so_in_their_place(listed, monkeypatch):
    full = Pace(clock=lambda: 0.0)
    for _ in range(4):
        full.require("test session id", FILE)
    monkeypatch.setattr(pace, "PACE", full)
    again(listed, monkeypatch)
    assert "This demo is asked for more than it does at a time." in listed.said


def asked(a_second: int, seconds: int, cost: float) -> int:
    """How many of so many a second are given."""
    now = [0.0]
    shared, given = Pace(clock=lambda: now[0]), 0
    try:
        for number in range(a_second * seconds):
            now[0] = number / a_second
            shared.require("one", cost)
            given += 1
    except Busy:
        pass
    return given


def test_who_clicks_quickly_is_never_stopped_and_a_loop_is():
    # Eight parts a second cost two pages, which is what a session gains.
    assert asked(8, 600, PART) == 8 * 600
    # A hundred a second cost 25 of which two come back: 40 last 40 / 23 seconds, 174 parts.
    assert asked(100, 60, PART) == pytest.approx(174, abs=2)


def test_every_part_and_dialog_is_made_where_it_is_counted():
    makes = re.compile(r"st\.(?:fragment|dialog)\b")
    made = {path.name for path in PAGES.rglob("*.py") if makes.search(path.read_text("utf-8"))}
    assert made == {"redrawn.py"}
