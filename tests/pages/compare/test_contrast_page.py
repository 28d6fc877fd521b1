"""Where two models part by subset: Home, Compare, the command line and the copied sentences."""

from __future__ import annotations

import io
from pathlib import Path

from given.made_runs import write_rows

from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.imports import read_dataset
from ivan_core.experiments.compare.report import print_results
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.sentences import quotes
from ivan_core.experiments.compare.verdicts import REWARDS

SENTENCE = (
    "On poems pairs one sides with the recorded choice in 95% [83, 99] of 40, other in 25%"
    " [14, 40]. On sums pairs the difference may be chance: 50% [35, 65] against"
    " 50% [35, 65] of 40."
)


def imported(folder: Path, agrees: dict[str, list[int]]) -> str:
    """A run of models that side with the choice on so many of the first and the last 40 pairs."""
    rows = [
        {
            "chosen": f"\n\nHuman: Question {row}?\n\nAssistant: A good answer.",
            "rejected": f"\n\nHuman: Question {row}?\n\nAssistant: Another one.",
            "subset": "poems" if row < 40 else "sums",
        }
        for row in range(80)
    ]
    request = DatasetRequest(source=str(write_rows(folder / "pairs.jsonl", rows)))
    files = []
    for model, counts in agrees.items():
        lines = ["row_id,chosen_score,rejected_score,agreement"]
        for row in range(80):
            sides = row % 40 < counts[row // 40]
            lines.append(f"{row},{0.7 if sides else 0.2},{0.5},{sides}")
        files.append(folder / f"2024-08-19-10-30-{model}.csv")
        files[-1].write_text("\n".join(lines) + "\n")
    (found,) = import_csvs(files, read_dataset(request))
    return found.run_id


def test_home_compare_command_line_and_copied_sentences_say_the_same_first(
    data_dir, tmp_path, open_page
):
    run = imported(tmp_path, {"one": [38, 20], "other": [10, 20]})
    compare = open_page("pages/compare.py", run=run).said
    assert compare.splitlines()[1] == SENTENCE
    assert "The lead of one over other is 70 points" in compare
    assert compare.index(SENTENCE) < compare.index("Always picking the")
    home = open_page().said
    assert home.index(SENTENCE) < home.index("The two models disagree on ")
    assert home.count("On poems pairs") == 1
    out = io.StringIO()
    print_results(run, out)
    assert out.getvalue().index(SENTENCE) < out.getvalue().index("Always picking the")
    told = [quote for quote in quotes(open_results(run)) if quote.sentence == SENTENCE]
    assert [(quote.chart, quote.measure) for quote in told] == [("agreement", REWARDS)]


def test_a_gap_that_is_the_same_on_both_subsets_changes_no_headline(data_dir, tmp_path, open_page):
    run = imported(tmp_path, {"one": [30, 30], "other": [10, 10]})
    opens = open_page("pages/compare.py", run=run).said.splitlines()[1]
    assert opens.startswith("one sides with the recorded choice in 75% of 80 pairs ")
    assert "The lead of" not in open_page("pages/compare.py", run=run).said
