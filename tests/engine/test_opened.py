"""Results are opened by one opener: another kind is named with its page, whatever was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import rewriting as fake_rewriting
from given.made_runs import finished, queued, spec_of_file

from ivan_core.domain.errors import BadInput
from ivan_core.engine import opened
from ivan_core.engine.kind import alike
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels.results import open_labels
from ivan_core.experiments.rewrite.results import open_rewrite


@pytest.mark.parametrize(
    ("open_one", "noun"), [(open_labels, "labelling"), (open_rewrite, "rewording")]
)
def test_a_comparison_opened_as_another_kind_is_named_with_its_page(
    data_dir: Path, pairs_file: Path, open_one: Any, noun: str
) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file, limit=3))
    with pytest.raises(BadInput) as told:
        open_one(run_id)
    assert told.value.message == f"Run {run_id} is no {noun}: it is a comparison."
    assert told.value.hint == "Open it on the page Compare."


@pytest.mark.parametrize("open_one", [open_results, open_labels])
def test_a_rewording_opened_as_another_kind_names_the_page_rewrite(
    data_dir: Path, pairs_file: Path, open_one: Any
) -> None:
    run_id = fake_rewriting.added(data_dir, fake_rewriting.spec_of(pairs_file))
    with pytest.raises(BadInput, match="it is a rewording") as told:
        open_one(run_id)
    assert told.value.hint == "Open it on the page Rewrite."


def test_results_are_read_once_until_the_run_goes_on(data_dir: Path, pairs_file: Path) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file, limit=3))
    assert open_results(run_id) is open_results(run_id)


def test_a_run_that_has_done_nothing_has_no_results_yet(data_dir: Path, pairs_file: Path) -> None:
    run_id = queued(data_dir, spec_of_file(pairs_file, limit=3))
    with pytest.raises(BadInput, match="has no results yet") as told:
        open_results(run_id)
    assert told.value.hint == "Wait for it, or start another one."


def test_runs_on_the_same_pairs_are_found_by_what_they_end_with(
    data_dir: Path, pairs_file: Path
) -> None:
    first = finished(data_dir, spec_of_file(pairs_file, limit=3))
    second = finished(data_dir, spec_of_file(pairs_file, limit=5))
    content = str(open_results(first).dataset.about["content"])
    found = [one.run.id for one in open_results.on_pairs(content)]
    assert sorted(found) == sorted([first, second])
    assert opened.with_row(content, 4, kind="compare") == second
    assert opened.with_row(content, 9, kind="compare") is None
    assert list(open_labels.on_pairs(content)) == []
    assert alike("labels") == alike("taxonomy") == ("labels", "taxonomy")
