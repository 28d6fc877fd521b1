"""Labelling from the first choice to the file, against the demo server and with real workers."""

from __future__ import annotations

import csv
import itertools
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from app_server import AppServer, wait_for_run
from given import hostile, made_runs
from given.support import wait_for, write_pairs
from picking import ACCEPT, UPLOAD, accept, choose, offer_new, pick
from playwright.sync_api import Page, expect

from ivan_core.datasets.prepare import prepare
from ivan_core.demo import fault_names as names
from ivan_core.demo.answers import answer
from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.labels.table import CSV_COLUMNS
from ivan_core.runs.registry import Registry

Serve = Callable[..., AppServer]
LABELLED = "gpt-6-luna (demo server) labelled 12 of 12 texts"


@pytest.fixture
def six_pairs(data_dir: Path, tmp_path: Path) -> str:
    """A file of six pairs that has been read already, as the form offers it."""
    path = str(write_pairs(tmp_path / "pairs.jsonl", 6))
    prepare(data_dir, DatasetRequest(source=path))
    return path


def prepare_batch(page: Page, base: str, source: str) -> None:
    """Go to the page, choose the file, and wait for its estimate."""
    page.goto(base)
    choose(page, "Dataset", Path(source).name)
    expect(page.get_by_text("12 texts, one request each.")).to_be_visible()
    page.get_by_role("button", name="Prepare the batch and see the cost").click()
    expect(page.get_by_role("button", name=ACCEPT)).to_be_visible()


def creations(demo: DemoServer) -> int:
    return demo.requests.count("POST", "/v1/batches")


def rows_of(data_dir: Path) -> list[dict[str, str]]:
    (path,) = (
        path
        for path in (data_dir / "taxonomy-output").glob("*.csv")
        if not path.stem.endswith("-failed")
    )
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_from_the_choice_to_the_file(
    serve: Serve, page: Page, demo: DemoServer, data_dir: Path, six_pairs: str
) -> None:
    prepare_batch(page, serve().url("/taxonomy"), six_pairs)
    expect(page.get_by_text("nothing is paid.")).to_be_visible()
    expect(page.get_by_text("Labelling 12 texts with gpt-6-luna as a batch costs")).to_be_visible()
    expect(page.get_by_text("Human: Question 0?").first).to_be_visible()
    assert creations(demo) == len(list(demo.state.files)) == 0
    accept(page).click()
    expect(page.get_by_text(LABELLED)).to_be_visible()
    expect(page.get_by_role("button", name="12 submitted")).to_be_visible()
    expect(page.get_by_role("button", name="12 valid")).to_be_visible()
    assert creations(demo) == 1
    rows = rows_of(data_dir)
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert len(rows) == 12
    page.get_by_text("Batches, cost, exact text and command").click()
    expect(page.get_by_text(re.compile(r"It cost \$0\.00"))).to_be_visible()
    page.reload()
    expect(page.get_by_text(LABELLED)).to_be_visible()


def test_a_stale_estimate_is_refused_and_shown_again(
    serve: Serve, page: Page, demo: DemoServer, data_dir: Path, six_pairs: str
) -> None:
    prepare_batch(page, serve().url("/taxonomy"), six_pairs)
    (file,) = (data_dir / "taxonomy-input").glob("*.jsonl")
    file.write_bytes(file.read_bytes().replace(b"Question 0", b"Question X"))
    accept(page).click()
    expect(page.get_by_text("is not the one that was estimated")).to_be_visible()
    expect(page.get_by_text("Nothing was sent.")).to_be_visible()
    assert creations(demo) == 0
    # Shown again, as it is now, it can be accepted.
    expect(page.get_by_text("Human: Question 0?").first).to_be_visible()
    accept(page).click()
    expect(page.get_by_text(LABELLED)).to_be_visible()
    assert creations(demo) == 1


def test_pressing_twice_in_two_browsers_makes_one_batch(
    serve: Serve, page: Page, visitor: Callable[..., Page], demo: DemoServer, six_pairs: str
) -> None:
    prepare_batch(page, serve().url("/taxonomy"), six_pairs)
    other = visitor()
    other.goto(page.url)
    mine, theirs = accept(page), accept(other)
    mine.dblclick()
    theirs.dblclick()
    for person in (page, other):
        expect(person.get_by_text(LABELLED)).to_be_visible()
    assert creations(demo) == 1
    # The same choice once more finds that labelling: nothing is prepared or sent.
    run_id = page.url.partition("run=")[2].partition("&")[0]
    page.get_by_role("button", name="New labelling").click()
    choose(page, "Dataset", Path(six_pairs).name)
    expect(page.get_by_text("12 texts, one request each.")).to_be_visible()
    page.get_by_role("button", name="Prepare the batch and see the cost").click()
    expect(page.get_by_text("These texts were sent to gpt-6-luna before")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"[?&]run={run_id}(&|$)"))
    assert creations(demo) == 1


def test_an_expired_batch_with_damaged_lines_is_kept_and_repaired(
    serve: Serve, page: Page, demo: DemoServer, data_dir: Path, six_pairs: str
) -> None:
    demo.faults.set(names.EXPIRED, times=1, amount=0.5)
    demo.faults.set(names.GARBLED_LINE, times=1)
    prepare_batch(page, serve().url("/taxonomy"), six_pairs)
    accept(page).click()
    again = page.get_by_role("button", name=re.compile(r"Ask again for the \d+ texts without"))
    expect(again).to_be_visible()
    kept = len(rows_of(data_dir))
    assert 0 < kept < 7
    expect(page.get_by_role("button", name=f"{kept} valid")).to_be_visible()
    expect(page.get_by_text("Beside it: 1 damaged line.", exact=True)).to_be_visible()
    expect(again).to_have_text(f"Ask again for the {12 - kept} texts without labels")

    again.click()
    expect(page.get_by_text(f"Asking again for {12 - kept} texts")).to_be_visible()
    button = page.get_by_role("button", name=ACCEPT)
    expect(button).to_be_visible()
    assert creations(demo) == 1
    button.click()
    page.get_by_role("dialog").get_by_text("I accept this cost").click()
    page.get_by_role("dialog").get_by_role("button", name=UPLOAD).click()
    expect(page.get_by_text(LABELLED)).to_be_visible()
    assert creations(demo) == 2
    assert len(rows_of(data_dir)) == 12


def test_a_batch_is_cancelled_and_what_is_finished_is_kept(
    serve: Serve, page: Page, data_dir: Path, six_pairs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled, lines = threading.Event(), itertools.count(1)

    def five_and_no_more(*asked: Any) -> str:
        if next(lines) > 5:
            cancelled.wait()
        return answer(*asked)

    with DemoServer(answer=five_and_no_more, batch_seconds=0.5) as slow:
        monkeypatch.setenv("OPENAI_BASE_URL", slow.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "demo")
        prepare_batch(page, serve().url("/taxonomy"), six_pairs)
        accept(page).click()
        expect(page.get_by_text("· 5 of 12 texts")).to_be_visible()
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(page.get_by_text("finished are paid, collected and kept")).to_be_visible()
        page.get_by_role("button", name="Cancel the batches").click()
        wait_for(lambda: any(entry.path.endswith("/cancel") for entry in slow.requests))
        cancelled.set()  # the line that is being answered is the last
        expect(page.get_by_text(re.compile(r"Follow: finished \d\d:\d\d, cost \$"))).to_be_visible()
        expect(page.get_by_role("button", name="12 submitted")).to_be_visible()
        assert len(rows_of(data_dir)) == 6
        assert creations(slow) == 1


def test_three_clicks_lead_to_labels_by_rules(serve: Serve, page: Page, data_dir: Path) -> None:
    page.goto(serve().url("/"))
    page.get_by_role("link", name="Taxonomy").click()
    page.get_by_role("button", name="Label 960 texts").click()
    expect(page.get_by_text("labelled 960 of 960 texts")).to_be_visible()
    expect(page.get_by_text("rule-based").first).to_be_visible()
    (file,) = (data_dir / "taxonomy-control").glob("*-control.csv")
    assert len(file.read_text("utf-8")) > 100_000
    assert wait_for_run(data_dir, RunState.DONE).kind == "labels"


def test_hostile_texts_are_read_as_they_are_before_they_are_sent(
    serve: Serve, page: Page, demo: DemoServer, data_dir: Path, tmp_path: Path
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog: {dialog.message}"))
    leak = "http://127.0.0.1:9"
    rows = [
        {
            "chosen": f"\n\nHuman: {text}\n\nAssistant: {text} yes",
            "rejected": f"\n\nHuman: {text}\n\nAssistant: no {text}",
        }
        for text in hostile.texts(leak)
    ]
    source = str(made_runs.write_rows(tmp_path / "$x$ ![i](x) <b>rows<img src=x>.jsonl", rows))
    prepare(data_dir, DatasetRequest(source=source))
    server = serve()
    page.goto(server.url("/taxonomy"))
    choose(page, "Dataset", Path(source).name)
    labeler = page.get_by_role("combobox", name="Labeler")
    offer_new(labeler, f"![x]({leak}/labeler) <img src=x>").click()
    page.get_by_role("button", name="Prepare the batch and see the cost").click()
    expect(page.get_by_text("no price is known").first).to_be_visible()
    expect(page.get_by_text(f"<script>fetch('{leak}/script')</script>").first).to_be_visible()
    for number in (1, 2):
        pick(page.get_by_role("radio", name=f"{number} chosen", exact=True))
        expect(page.get_by_text(hostile.texts(leak)[number]).first).to_be_visible()
    run = Registry(data_dir).all()[0]
    page.goto(server.url("/taxonomy"))
    expect(page.get_by_text(f"{run.id}: waiting for a confirmation")).to_be_visible()
    origin = page.evaluate("location.origin")
    assert [url for url in asked if not url.startswith((f"{origin}/", "data:", "blob:"))] == []
