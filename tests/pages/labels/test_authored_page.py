"""Authored labels on pages: offered for the sample, called what they are, beside others only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from given.support import write_pairs
from streamlit.testing.v1 import AppTest

from ivan_core.domain.labels import AUTHOR
from ivan_core.domain.specs import LEXICON, DatasetRequest, LabelSpec
from ivan_core.engine import handling as runs
from ivan_core.engine.imports import read_dataset
from ivan_core.worker import work

TAXONOMY = "pages/taxonomy.py"
NOTE = "Authored labels were written with the sample, each pair to differ in one feature; they show"
PAIR = """
from ivan_core.experiments.labels.results import open_labels
from pages.components.pair.labels import pair_labels
results = open_labels({run!r})
pair_labels(results.dataset.about["content"], results.dataset.pair({row}))
"""
Open = Callable[..., Any]


def labelled(labeler: str) -> str:
    spec = runs.located(LabelSpec(labeler=labeler, row_ids=(0, 1, 2, 3)))
    run_id, _ = runs.registry().add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    work(runs.registry(), run_id)
    return run_id


@pytest.fixture
def authored(data_dir) -> str:
    return labelled(AUTHOR)


def test_the_form_offers_them_for_the_sample_and_nothing_can_be_set(
    data_dir, open_page: Open, spawned: list[str]
) -> None:
    page = open_page(TAXONOMY)
    offered = page.app.selectbox(key="label-labeler")
    assert offered.options[1] == "authored labels (written with the sample, here, free)"
    offered.set_value(AUTHOR)
    page.run()
    assert "those of minimal pairs have an author's label, others none." in page.said
    assert NOTE in page.said and "Nothing is sent anywhere, and nothing is paid." in page.said
    assert not [one for one in page.app.multiselect if one.key == "label-keys"]
    page.press("label")
    assert page.app.query_params["run"] == spawned[0]
    assert "✓ 1 · Choose: sample, all pairs, authored labels" in page.said


def test_the_form_refuses_them_elsewhere_with_a_next_step(data_dir, open_page, tmp_path) -> None:
    other = read_dataset(DatasetRequest(source=str(write_pairs(tmp_path / "p.jsonl", 3))))
    page = open_page(TAXONOMY)
    for key, value in (("dataset", other.source), ("labeler", AUTHOR)):
        page.app.session_state[f"label-{key}"] = value
        page.app.selectbox(key=f"label-{key}").options.append(value)
    page.run()
    assert "Authored labels are there for the bundled sample alone, not for p.jsonl." in page.said
    assert "choose the dataset sample." in page.said
    assert "label" not in page.buttons


def test_their_results_say_what_they_are_and_ask_no_more_than_they_know(
    authored: str, open_page: Open
) -> None:
    rules = labelled(LEXICON)
    page = open_page(TAXONOMY, run=authored)
    assert "Authored labels of 6 of 8 texts." in page.said
    assert NOTE in page.said and "2 texts have no author's label." in page.said
    assert "go together" not in page.said
    page = open_page(TAXONOMY, run=rules, view="3")
    assert "ivan/lexicon (rule-based) and authored labels, " in page.said
    assert NOTE in page.said


def test_a_pair_shows_what_was_written_and_what_is_only_known_to_be_the_same(authored) -> None:
    app = AppTest.from_string(PAIR.format(run=authored, row=0), default_timeout=300).run()
    said = "\n".join(element.body for element in app.get("html"))
    assert "authored labels: written to differ in “Eloquent” alone." in said
    assert NOTE in said and ">Eloquent<" in said and ">yes<" in said and ">no<" in said
    app.toggle(key="labels-all").set_value(True).run()
    said = "\n".join(element.body for element in app.get("html"))
    assert said.count("same on both sides") == 28 and "no label" not in said
    app = AppTest.from_string(PAIR.format(run=authored, row=1), default_timeout=300).run()
    said = "\n".join(element.body for element in app.get("html"))
    assert "authored labels: none, it is no minimal pair." in said
