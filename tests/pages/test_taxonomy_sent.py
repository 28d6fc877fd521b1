"""After the estimate: the presses of the dialogs, what they refuse, and what the page says then."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import taxonomy_runs as made
from streamlit.testing.v1 import AppTest

from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.ledger.records import Stage
from ivan_core.workspace import runs, taxonomy
from ivan_core.workspace.label_commands import label_command
from pages.components.label_follow import state_words

TAXONOMY = "pages/taxonomy.py"
Open = Callable[..., Any]


@pytest.fixture
def server(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    with DemoServer() as demo, made.workers_here(monkeypatch):
        made.account_of(monkeypatch, demo)
        yield demo


def do(action: str, *given: Any) -> str:
    """Do what a press in a dialog does; what is kept to be told."""

    def script(action, given):  # type: ignore[no-untyped-def]
        from pages.components import label_import, label_send, label_steps

        module = label_send if hasattr(label_send, action) else label_import
        getattr(module, action)(*given)
        label_steps.tell()

    arguments = {"action": action, "given": given}
    app = AppTest.from_function(script, default_timeout=30, kwargs=arguments).run()
    assert not app.exception, app.exception[0].value
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html.body)) for html in app.get("html"))


def shown(run_id: str) -> str:
    """The hash of the estimate that a page shows."""
    estimate = taxonomy.estimate(run_id)
    assert estimate is not None
    return estimate.plan_hash


def test_a_yes_sends_once_and_a_second_one_is_told_so(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    plan = shown(run_id)
    assert do("upload", run_id, plan) == ""
    assert "This was confirmed already." in do("upload", run_id, plan)
    assert made.creations(server) == 1
    page = open_page(TAXONOMY, run=run_id)
    assert "gpt-6-luna labelled 12 of 12 texts" in page.said
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
    for name, value in (("dataset", spec.dataset.source), ("rows", "By row id")):
        page.app.session_state[f"label-{name}"] = value
    page.app.selectbox(key="label-dataset").options.append(spec.dataset.source)
    page.run()
    page.app.session_state["label-row-ids"] = "0, 1"
    page.run()
    page.press("prepare")
    assert "These texts were sent to gpt-6-luna before: this is that labelling." in page.said
    assert page.app.query_params["run"] == run_id
    page.press("once-more")
    assert page.app.query_params["run"] != run_id
    assert "accept" in page.buttons
    assert made.creations(server) == 1


def test_what_may_be_charged_twice_says_so(
    server: DemoServer, tmp_path: Path, open_page: Open
) -> None:
    server.faults.set(names.RESET, times=1, method="POST", path="/v1/batches")
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    page = open_page(TAXONOMY, run=run_id)
    assert "sending again may be charged twice" in page.said
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
    assert "gpt-6-luna labelled 12 of 12 texts" in page.said
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
    assert page.buttons["accept"] == "Accept and send 1 request at once"
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
    assert "gpt-6-luna labelled 12 of 12 texts" in page.said


def test_there_is_nothing_to_cancel_after_the_end(server: DemoServer, tmp_path: Path) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    do("upload", run_id, shown(run_id))
    assert "there is nothing to cancel" in do("cancel", run_id)


def test_batches_from_elsewhere_are_collected_or_refused(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    spec = made.spec_of(tmp_path)
    run_id, _ = taxonomy.start(spec)
    do("upload", run_id, shown(run_id))
    batch = taxonomy.parts(run_id)[0]["batch"]
    assert f"belong to run {run_id}, which is here" in do("collect_batches", batch, spec.dataset)
    assert "batch_none" in do("collect_batches", "batch_none", spec.dataset)
    assert "No batch id was given." in do("collect_batches", " , ", spec.dataset)
    assert len(runs.every("taxonomy")) == 1


def test_result_files_are_imported_or_refused_and_nothing_changes(
    server: DemoServer, tmp_path: Path, data_dir: Path, open_page: Open
) -> None:
    spec = made.spec_of(tmp_path)
    run_id, _ = taxonomy.start(spec)
    do("upload", run_id, shown(run_id))
    content = (data_dir / "taxonomy-output" / f"{run_id}.jsonl").read_bytes()
    foreign = json.dumps({"custom_id": "9999.chosen", "response": None, "error": None}).encode()
    for bad in (b"no json at all\n", content + foreign + b"\n"):
        assert do("import_results", [("a.jsonl", bad)], spec.dataset, False, "") != ""
        assert len(runs.every("taxonomy")) == 1
    told = do("import_results", [("a.jsonl", content)], spec.dataset, False, "")
    assert "12 submitted = 12 valid" in told
    imported = runs.every("taxonomy")[0]
    page = open_page(TAXONOMY, run=imported.id)
    assert "Nothing was paid from here." in page.said
    assert "nothing was sent from here" in page.said
    assert label_command(imported).startswith("ivan taxonomy import-file a.jsonl --dataset ")


def test_the_command_names_what_was_chosen(server: DemoServer, tmp_path: Path) -> None:
    run_id, _ = taxonomy.start(
        made.spec_of(tmp_path, limit=2, max_usd=3.0, keys=("topics",), seed=4)
    )
    source = DatasetRequest(source=str(tmp_path / "pairs.jsonl")).source
    assert label_command(runs.get(run_id)) == (
        f"ivan taxonomy create-batch --model gpt-6-luna --dataset {source} --limit 2 --seed 4 "
        "--max-usd 3.0 --keys topics"
    )
    drawn, _ = taxonomy.start(made.spec_of(tmp_path, sample=6))
    assert "--row-ids 0,1,2,3,4,5" in label_command(runs.get(drawn))


@pytest.mark.parametrize(
    ("stage", "status", "words"),
    [
        (Stage.PLANNED, "", "to be sent"),
        (Stage.CREATED, "in_progress", "at work"),
        (Stage.CREATED, "", "at the provider"),
        (Stage.IN_DOUBT, "", "in doubt: no answer came"),
        (Stage.TERMINAL, "completed", "finished"),
        (Stage.VALIDATED, "expired", "expired: not all was done within a day, results are here"),
        (Stage.ABANDONED, "", "never sent"),
    ],
)
def test_states_are_words_that_need_no_knowledge(stage: Stage, status: str, words: str) -> None:
    assert state_words({"state": str(stage), "status": status}) == words
