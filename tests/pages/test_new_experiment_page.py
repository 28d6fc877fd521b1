"""A newcomer's page: one short file, drawn with what all pages share, and in their navigation."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from given.listed import listed
from given.word_counts.kind import WordsSpec
from streamlit.testing.v1 import AppTest

from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import handling as runs
from ivan_core.experiments import EXPERIMENTS
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "tests" / "given" / "pages" / "wordiness.py"


@pytest.fixture(autouse=True)
def words_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that a new experiment is registered with."""
    monkeypatch.setitem(EXPERIMENTS, "words", "given.word_counts.kind")


@pytest.fixture
def app(tmp_path: Path, data_dir: Path) -> AppTest:
    """The app with one page more."""
    (tmp_path / "app" / "pages").mkdir(parents=True)
    for page in (*(ROOT / "pages").glob("[!_]*.py"), PAGE):
        shutil.copy(page, tmp_path / "app" / "pages")
    shutil.copy(ROOT / "streamlit_app.py", tmp_path / "app")
    return AppTest.from_file(str(tmp_path / "app" / "streamlit_app.py"))


def _done(data_dir: Path, path: Path) -> str:
    """A word count that is done: of `a b c` and `a`, of `a` and `a b`, three words before each."""
    lines = [
        {
            "chosen": f"\n\nHuman: Hi\n\nAssistant: {one}",
            "rejected": f"\n\nHuman: Hi\n\nAssistant: {other}",
        }
        for one, other in (("a b c", "a"), ("a", "a b"))
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    registry, spec = Registry(data_dir), WordsSpec(dataset=DatasetRequest(source=str(path)))
    run_id, _ = registry.add("words", spec.model_dump_json(), spec.fingerprint)
    work(registry, run_id)
    return run_id


def test_the_page_is_short() -> None:
    assert len(PAGE.read_text("utf-8").splitlines()) <= 60


def test_every_page_leads_to_it_behind_those_of_other_experiments(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert [link.proto.label for link in app.get("page_link")][:11] == [
        "Home",
        "Analysis",
        "Compare",
        "Pairs",
        "Rewrite",
        "Taxonomy",
        "Wordiness",
        "Review",
        "Runs",
        "Words",
        "Handbook",
    ]


def test_its_form_starts_a_count_of_the_rows_that_were_chosen(
    app: AppTest, spawned: list[str]
) -> None:
    app.switch_page("pages/wordiness.py").run()
    app.selectbox(key="words-rows").select("The first N").run()
    app.number_input(key="words-n").set_value(5).run()
    app.button(key="count").click().run()
    assert not app.exception
    (run_id,) = spawned
    assert runs.any_spec_of(runs.get(run_id)) == WordsSpec(limit=5)
    assert app.query_params["run"] == run_id


def test_its_results_are_listed_by_their_conditions_and_quoted(
    app: AppTest, data_dir: Path, tmp_path: Path
) -> None:
    run_id = _done(data_dir, tmp_path / "replies.jsonl")
    app.switch_page("pages/wordiness.py")
    app.query_params["run"], app.query_params["longer"] = run_id, "chosen"
    app.run()
    assert not app.exception
    assert listed(app).to_numpy().tolist() == [[0, 6, 4]]
    assert "the chosen reply has more words ✕" in [button.label for button in app.button]
    said = re.sub(r"<[^>]+>", "", " ".join(unescape(html.body) for html in app.get("html")))
    assert "1 pair." in said
    app.session_state["files"] = True
    app.run()
    assert "ivan wordiness --dataset" in " ".join(code.value for code in app.code)


def _panel(run_id: str) -> None:
    from pages.components.kit.live import Panel, counted, live

    live(
        run_id,
        Panel(
            headline=lambda run: "Counting words",
            standing=lambda run: [counted(run, "pairs")],
            so_far=lambda run: None,
        ),
    )


def test_a_word_count_at_work_has_a_bar_its_words_and_cancel(
    data_dir: Path, pairs_file: Path
) -> None:
    spec = WordsSpec(dataset=DatasetRequest(source=str(pairs_file)))
    registry = Registry(data_dir)
    run_id, _ = registry.add("words", spec.model_dump_json(), spec.fingerprint)
    with FileLock(registry.lock_path(run_id)) as lock:
        assert lock.acquire() and registry.begin(run_id)
        registry.progress(run_id, doing="Counting", total=40, done=10)
        app = AppTest.from_function(_panel, kwargs={"run_id": run_id}).run()
    assert not app.exception
    said = " ".join(unescape(html.body) for html in app.get("html"))
    assert "Counting words" in said and "Counting: 10 of 40 pairs" in said
    assert [button.label for button in app.button] == ["Cancel"]
