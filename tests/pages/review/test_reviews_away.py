"""A team's database that does not answer takes away what people said, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.postgres_server import PASSWORD, PostgresServer
from given.made_runs import finished, spec_of_file

from ivan_core.annotations.database import DATABASE_URL
from ivan_core.annotations.opinions import Opinions
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets
from ivan_core.review.queues import make_queue, queue_request

GONE = "The database of the reviews does not answer: postgresql://ivan:***@127.0.0.1:"


@pytest.fixture
def run_id(data_dir: Path, pairs_file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A finished comparison, and a database that is gone since."""
    made = finished(data_dir, spec_of_file(pairs_file))
    monkeypatch.setenv(DATABASE_URL, f"postgresql://ivan:{PASSWORD}@127.0.0.1:1/reviews")
    return made


def test_home_says_what_is_gone_and_leads_on(open_page: Callable, run_id: str) -> None:
    home = open_page()
    assert GONE in home.said and PASSWORD not in home.said
    assert "Found in" in home.said
    assert f"compare?run={run_id}" in home.links.values()


def test_a_pair_is_read_and_its_models_are_asked(open_page: Callable, run_id: str) -> None:
    pairs = open_page("pages/pairs.py", run=run_id, row="3")
    assert GONE in pairs.said and PASSWORD not in pairs.said
    assert "Answer 3." in pairs.said
    assert "But ask a friend too." in pairs.said
    assert {"moved-ask", "own-ask"} <= pairs.buttons.keys()


def test_compare_lacks_a_ceiling_and_runs_needs_no_reviews(
    open_page: Callable, run_id: str
) -> None:
    compare = open_page("pages/compare.py", run=run_id)
    assert GONE in compare.said
    assert "sides with the recorded choice in 62% of 39 pairs" in compare.said
    assert GONE not in open_page("pages/runs.py").said


def test_an_answer_pressed_while_the_server_is_away_is_said_and_pressed_again_later(
    open_page: Callable,
    data_dir: Path,
    pairs_file: Path,
    postgres_server: PostgresServer,
    postgres: str,
) -> None:
    finished(data_dir, spec_of_file(pairs_file))
    dataset = datasets.find(DatasetRequest(source=str(pairs_file)))
    assert dataset is not None
    queue = make_queue(queue_request({"dataset": dataset.fingerprint, "count": 5}))
    page = open_page("pages/review.py", invite=queue.token, name="Ada")
    page.press("review-as")
    (key,) = (key for key in page.buttons if key.startswith("answer-a-"))
    postgres_server.stop()
    try:
        page.press(key)
        assert GONE in page.said and PASSWORD not in page.said
    finally:
        postgres_server.start()
    page.run()
    page.press(key)
    (kept,) = Opinions(data_dir).all(queue.id, "Ada")
    assert key.endswith(f"-{kept.row_id}")
    assert GONE not in page.said
