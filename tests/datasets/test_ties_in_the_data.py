"""Rows whose replies have the same score: counted and told, in no rate, nobody's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from given import made_runs
from given.made_labellings import Labellings

from ivan_core.domain.pairs import TIED
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels import numbers as label_numbers
from ivan_core.experiments.labels.results import open_labels
from ivan_core.metrics.sentences import counts_sentence
from ivan_core.review import sources as review_sources


@pytest.fixture
def tied_file(tmp_path: Path) -> Path:
    """Four rows; the second and the third are ties."""
    scores = [(2, 1), (1, 1), (0.5, 0.5), (1, 2)]
    rows: list[dict[str, Any]] = [
        {
            "prompt": f"Question {i}?",
            "chosen": f"Yes, {i}.",
            "rejected": f"No, {i}.",
            "score_chosen": ours,
            "score_rejected": theirs,
        }
        for i, (ours, theirs) in enumerate(scores)
    ]
    return made_runs.write_rows(tmp_path / "tied.jsonl", rows)


def test_ties_are_counted_apart_and_in_no_rate(data_dir: Path, tied_file: Path) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_file(tied_file))
    results = open_results(run_id)
    counts = results.summaries[0].counts
    assert (counts.rated, counts.undecided, counts.failed, counts.total) == (2, 2, 0, 4)
    assert "2 with equal scores in the data left out" in counts_sentence(results.summaries[0])
    assert (
        "2 pairs of the data are ties: neither reply is preferred, so they are in no rate."
        in runs.get(run_id).notes
    )
    own = results.table[results.table["row_id"] == 1]
    assert set(own["failure"]) == {TIED}
    assert own["verdict"].isna().all()
    assert not results.aligned.models[results.models[0]].failed.any()


def test_rows_with_several_replies_are_told_with_what_was_left_out(
    data_dir: Path, tmp_path: Path
) -> None:
    scores: list[list[Any]] = [[8, 6, 5], [7, 7, 7], [7, "N/A", 5], [7, None]]
    rows_of_replies = [
        {
            "instruction": f"Question {at}?",
            "completions": [
                {"model": f"m{place}", "response": f"Reply {place}", "overall_score": score}
                for place, score in enumerate(some)
            ],
        }
        for at, some in enumerate(scores)
    ]
    file = made_runs.write_rows(tmp_path / "several.jsonl", rows_of_replies)
    run_id = made_runs.finished(data_dir, made_runs.spec_of_file(file))
    notes = runs.get(run_id).notes
    assert "3 rows made 5 pairs; 1 row is a tie." in next(n for n in notes if "Read as" in n)
    assert any("line 3: reply 2 (m1): its score is 'N/A'" in note for note in notes)
    assert "1 damaged or incomplete lines of the file were left out (line 4)." in notes
    counts = open_results(run_id).summaries[0].counts
    assert (counts.rated, counts.undecided, counts.failed, counts.total) == (3, 2, 0, 5)


def test_nobody_is_asked_to_find_a_choice_that_was_not_made(
    data_dir: Path, tied_file: Path
) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_file(tied_file))
    dataset = open_results(run_id).dataset
    assert review_sources._judgeable(dataset, [0, 1, 2, 3]) == [0, 3]


def test_ties_are_not_compared_by_the_labels_of_their_sides(
    data_dir: Path, tied_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = Labellings(data_dir, tied_file, monkeypatch).by_rules()
    prevalence, differences = label_numbers.shares(open_labels(run_id))
    assert set(prevalence["n"]) == {2}
    assert set(differences[["both", "chosen_only", "rejected_only", "neither"]].sum(axis=1)) == {2}
