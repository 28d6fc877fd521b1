"""After the estimate: the presses of the dialogs, what they refuse, and what the page says then."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from given import taxonomy_runs as made
from taxonomy_presses import do, shown

from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.engine.archive import delete
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.runs.locks import FileLock

TAXONOMY = "pages/taxonomy.py"
Open = Callable[..., Any]


def test_a_yes_sends_once_and_a_second_one_is_told_so(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    plan = shown(run_id)
    assert do("upload", run_id, plan) == ""
    assert "This was confirmed already." in do("upload", run_id, plan)
    assert made.creations(server) == 1
    page = open_page(TAXONOMY, run=run_id)
    assert "gpt-6-luna (demo server) labelled 12 of 12 texts" in page.said
    assert "12 submitted" in page.buttons.values()
    assert "It cost $0.00" in page.said
    assert "finished, results are here" in page.said
    assert any(code.value.startswith("batch_") for code in page.app.code)
    assert any("ivan taxonomy create-batch" in code.value for code in page.app.code)


def test_a_stale_estimate_is_refused_and_shown_again(
    server: DemoServer, tmp_path: Path, data_dir: Path, open_page: Open
) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    plan = shown(run_id)
    file = next((data_dir / "taxonomy-input").glob("*.jsonl"))
    before = file.read_bytes()
    file.write_bytes(before.replace(b"Question 0", b"Question X"))
    told = do("upload", run_id, plan)
    assert "is not the one that was estimated" in told
    assert "Nothing was sent. Here is the estimate as it is now." in told
    assert made.creations(server) == 0
    assert file.read_bytes() == before
    assert "accept" in open_page(TAXONOMY, run=run_id).buttons
    assert do("upload", run_id, "0" * 64).startswith("This is not the estimate that is in force.")
    assert made.creations(server) == 0


def test_the_same_again_finds_the_labelling_and_can_be_sent_once_more(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    spec = made.spec_of(tmp_path, row_ids=(0, 1))
    run_id, _ = taxonomy.start(spec)
    do("upload", run_id, shown(run_id))
    page = open_page(TAXONOMY)
    page.press("prepare")
    assert "These texts were sent to gpt-6-luna before: this is that labelling." in page.said
    assert page.app.query_params["run"] == run_id
    page.press("once-more")
    assert page.app.query_params["run"] != run_id
    assert "accept" in page.buttons
    assert f"Exactly these requests were confirmed before, as run {run_id}." in page.said
    assert page.links[":primary[See that labelling →]"].endswith(f"run={run_id}")
    assert made.creations(server) == 1
    second = page.app.query_params["run"]
    assert f"Run {run_id} was confirmed for exactly this" in do("upload", second, shown(second))
    assert made.creations(server) == 1
    third, _ = taxonomy.start(spec, again=True)
    assert do("upload", third, shown(third), True).strip() == ""
    assert runs.get(third).state is RunState.DONE
    assert made.creations(server) == 2


def test_what_a_deleted_labelling_sent_is_named_before_it_is_paid_again(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    spec = made.spec_of(tmp_path)
    first, _ = taxonomy.start(spec)
    do("upload", first, shown(first))
    delete(first)
    again, _ = taxonomy.start(spec, again=True)
    page = open_page(TAXONOMY, run=again)
    assert f"were sent before, by run {first}, which was deleted." in page.said
    assert "can be collected again for nothing" in page.said
    assert "which was deleted" in do("upload", again, shown(again))
    assert made.creations(server) == 1


def test_what_may_be_charged_twice_says_so(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    server.faults.set(names.RESET, times=1, method="POST", path="/v1/batches")
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    page = open_page(TAXONOMY, run=run_id)
    assert "Sending again may be charged twice." in page.said
    assert "Sending again 12 texts with gpt-6-luna" in page.said
    plan = shown(run_id)
    assert "may be at the provider already" in do("upload", run_id, plan)
    assert made.creations(server) == 1
    do("upload", run_id, plan, True)
    assert runs.get(run_id).state is RunState.DONE
    assert made.creations(server) == 2


def test_what_expired_is_kept_and_the_rest_asked_for_again(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    server.faults.set(names.EXPIRED, times=1, amount=0.5)
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    page = open_page(TAXONOMY, run=run_id)
    assert "6 texts without usable labels can be asked for again." in page.said
    assert "2 rounds left." in page.said
    assert page.buttons["again-batch"] == "Ask again for the 6 texts without labels"
    page.press("again-batch")
    assert "Asking again for 6 texts with gpt-6-luna as a batch costs about" in page.said
    assert "12 submitted = 6 valid" in page.said
    do("upload", run_id, shown(run_id))
    page = open_page(TAXONOMY, run=run_id)
    assert "gpt-6-luna (demo server) labelled 12 of 12 texts" in page.said
    assert "2 (asked again)" in page.said
    assert "again-batch" not in page.buttons


def test_the_rest_is_asked_for_at_once_or_not_at_all(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    server.faults.set(names.ERROR_NULL, times=1)
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    page = open_page(TAXONOMY, run=run_id)
    page.press("again-now")
    assert "Asking again for 1 text with gpt-6-luna at once costs about" in page.said
    assert page.buttons["accept"] == "Go to confirmation …"
    page.press("decline")
    assert "Nothing was sent." in page.said
    assert runs.get(run_id).state is RunState.DONE
    page.press("again-now")
    do("upload", run_id, shown(run_id))
    assert "labelled 12 of 12 texts" in open_page(TAXONOMY, run=run_id).said
    assert made.creations(server) == 1


def test_a_failed_sending_says_why_and_goes_on(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    server.faults.set(names.INSUFFICIENT_QUOTA, times=1, method="POST", path="/v1/batches")
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    page = open_page(TAXONOMY, run=run_id)
    assert "has no credit left" in page.said
    assert "Add credit" in page.said
    page.press("go-on")
    assert "gpt-6-luna (demo server) labelled 12 of 12 texts" in page.said


def test_files_that_changed_after_the_yes_are_not_sent_and_made_anew(
    server: DemoServer, tmp_path: Path, data_dir: Path, open_page: Open
) -> None:
    server.faults.set(names.INSUFFICIENT_QUOTA, times=1, method="POST", path="/v1/batches")
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    (data_dir / "taxonomy-input" / f"{run_id}-1-input.jsonl").write_text("{}\n")
    page = open_page(TAXONOMY, run=run_id)
    assert "go-on" not in page.buttons
    page.press("once-more")
    assert "Labelling 12 texts with gpt-6-luna" in page.said
    assert page.app.query_params["run"] != run_id
    assert made.creations(server) == 1


def test_a_run_that_nobody_follows_is_followed_again_by_a_visit(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    runs.registry().wait(run_id, RunState.AWAITING_PROVIDER)
    assert runs.get(run_id).state is RunState.INTERRUPTED
    page = open_page(TAXONOMY, run=run_id)
    assert "gpt-6-luna (demo server) labelled 12 of 12 texts" in page.said
    assert made.creations(server) == 1


def test_who_follows_a_batch_reads_when_it_was_sent_and_is_looked_at(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    watch = taxonomy.watch(run_id)
    assert watch.sent and watch.looked and watch.looked >= watch.sent
    registry = runs.registry()
    registry.wait(run_id, RunState.AWAITING_PROVIDER)
    now = time.time()
    registry.progress(run_id, facts=json.dumps({"parts": [], "looked": now, "next_look": now + 60}))
    with FileLock(registry.lock_path(run_id)) as lock:
        assert lock.acquire()
        page = open_page(TAXONOMY, run=run_id)
    assert "Sent " in page.said and "Last look " in page.said and ", the next in " in page.said
    stopped = taxonomy.watch(run_id)
    assert (stopped.looked, stopped.next_look) == (now, None), "nobody follows it any more"
    assert "Batches usually take 10 to 60 minutes, at the most 24 hours." in page.said
    assert "Answers are kept even if this machine sleeps or is switched off" in page.said


def test_there_is_nothing_to_cancel_after_the_end(server: DemoServer, tmp_path: Path) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    assert "there is nothing to cancel" in do("cancel", run_id)


def test_answers_that_do_not_come_are_told_looked_for_and_can_be_given_up(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    server.faults.set(names.DROPPED_LINES, times=1, amount=5)
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    page = open_page(TAXONOMY, run=run_id)
    told = "Part 1: the provider tells of 12 finished requests, the file held 7; IVAN looks again."
    assert page.said.count(told) == 2  # in sight once, and among the details
    assert "looks again, for nothing" in page.said
    cells = [html.body for html in page.app.get("html") if "<td" in html.body]
    assert 'white-space:nowrap">12</td>' in cells[0]
    assert 'overflow-wrap:anywhere">finished, results are not whole</td>' in cells[0]
    assert "finished, results are not whole" in page.said
    assert "12 submitted = 7 valid" in page.said
    assert page.buttons["go-on"] == "Look again" and "close" in page.buttons
    assert "again-batch" not in page.buttons
    page.press("go-on")
    assert told in page.said
    do("close", run_id)
    assert runs.get(run_id).state is RunState.DONE
    page = open_page(TAXONOMY, run=run_id)
    assert "Closed as it was by page, without 5 answers that were paid for." in page.said
    assert page.buttons["again-batch"] == "Ask again for the 5 texts without labels"


def test_what_has_labels_already_is_told_with_the_choice_to_pay_for_it_again(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    first, _ = taxonomy.start(made.spec_of(tmp_path, row_ids=(0, 1)))
    do("upload", first, shown(first))
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    page = open_page(TAXONOMY, run=run_id)
    assert f"4 of these 12 have labels already (run {first}): 8 requests, at the most" in page.said
    assert page.links[f":primary[See run {first} →]"].endswith(f"run={first}")
    assert page.buttons["accept"] == "Go to confirmation …"
    assert "Labelling 8 texts with gpt-6-luna" in page.said
    box = page.app.checkbox(key=f"ask-all-{run_id}")
    assert (box.label, box.value) == ("Ask all again", False)
    box.check()
    page.run()
    assert "they are asked and paid once more" in page.said
    assert page.buttons["accept"] == "Go to confirmation …"
    assert "Labelling 12 texts with gpt-6-luna" in page.said
    page.app.checkbox(key=f"ask-all-{run_id}").uncheck()
    page.run()
    assert page.buttons["accept"] == "Go to confirmation …"
    assert "Labelling 8 texts with gpt-6-luna" in page.said
    do("upload", run_id, shown(run_id))
    page = open_page(TAXONOMY, run=run_id)
    assert f"4 answers are from run {first}, not asked for again." in page.said
    assert re.search(r"✓ 3 · Follow: finished \d\d:\d\d, cost \$0\.\d+", page.said)
    assert made.creations(server) == 2


def test_a_labelling_that_asks_for_nothing_is_done_and_can_be_asked_anew(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    first, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", first, shown(first))
    run_id, _ = taxonomy.start(made.spec_of(tmp_path, row_ids=(0, 1)))
    page = open_page(TAXONOMY, run=run_id)
    assert "4 of these 4 have labels already" in page.said
    assert "nothing is asked, and nothing is paid" in page.said
    page.press("ask-all")
    assert page.app.query_params["run"] != run_id
    assert page.buttons["accept"] == "Go to confirmation …"
    assert "Labelling 4 texts with gpt-6-luna" in page.said
    assert made.creations(server) == 1
