"""The button that makes a page to send of a run: made at the press, at the pace of a demo."""

from __future__ import annotations

from pathlib import Path

from given import made_runs
from given.words.scored_words import asked, keep
from streamlit.testing.v1 import AppTest

from ivan_core.engine import handling as runs
from pages.components.kit import sent_page


def _button(run_id: str) -> None:
    from ivan_core.engine import handling as runs
    from pages.components.kit.sent_page import page_to_send

    page_to_send(runs.get(run_id), "here", texts=True)


def labels(run_id: str) -> list[str]:
    app = AppTest.from_function(_button, args=(run_id,), default_timeout=300).run()
    assert not app.exception
    return [one.proto.label for one in app.get("download_button")]


def test_a_finished_run_has_it_and_one_that_waits_has_none(data_dir: Path) -> None:
    spec = made_runs.spec_of_sample(("ivan/minilm-control",), limit=20)
    assert labels(made_runs.finished(data_dir, spec)) == ["One page with a few texts"]
    assert labels(made_runs.queued(data_dir, made_runs.spec_of_sample(limit=5))) == []


def test_it_makes_the_whole_page(data_dir: Path) -> None:
    run_id = made_runs.finished(
        data_dir, made_runs.spec_of_sample(("ivan/minilm-control",), limit=20)
    )
    made = sent_page._made(run_id, texts=False).decode()
    assert made.startswith("<!doctype html>") and f"Comparison {runs.get(run_id).label}" in made


def keys(page) -> set[str]:
    return {one.key for one in page.app.get("download_button")}


def test_home_offers_the_page_of_a_study_once_something_is_finished(data_dir, open_page):
    made_runs.queued(data_dir, made_runs.spec_of_sample(limit=5))
    assert "study-page-False" not in keys(open_page())
    made_runs.finished(data_dir, made_runs.spec_of_sample(("ivan/minilm-control",), limit=20))
    assert "study-page-False" in keys(open_page())


def test_a_ranking_of_words_has_a_page_to_send_too(data_dir, open_page):
    ranking = keep(asked(), [3, 2, 1, 0, -1], [1, 3, 2, 0, None])
    page = open_page("pages/words.py", ranking=ranking.asked.key)
    assert "words-page-False" in keys(page)
    made = sent_page._made(f"words-{ranking.asked.key}", texts=False).decode()
    assert "Words as one-word replies" in made
