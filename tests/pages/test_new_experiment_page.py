"""A newcomer's run at work is drawn by the panel that draws all others."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from given.word_counts.kind import WordsSpec
from streamlit.testing.v1 import AppTest

from ivan_core.domain.specs import DatasetRequest
from ivan_core.experiments import EXPERIMENTS
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry


def _page(run_id: str) -> None:
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
    data_dir: Path, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXPERIMENTS, "words", "given.word_counts.kind")
    spec = WordsSpec(dataset=DatasetRequest(source=str(pairs_file)))
    registry = Registry(data_dir)
    run_id, _ = registry.add("words", spec.model_dump_json(), spec.fingerprint)
    with FileLock(registry.lock_path(run_id)) as lock:
        assert lock.acquire() and registry.begin(run_id)
        registry.progress(run_id, doing="Counting", total=40, done=10)
        app = AppTest.from_function(_page, kwargs={"run_id": run_id}).run()
    assert not app.exception
    said = " ".join(unescape(html.body) for html in app.get("html"))
    assert "Counting words" in said and "Counting: 10 of 40 pairs" in said
    assert [button.label for button in app.button] == ["Cancel"]
