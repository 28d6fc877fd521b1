"""One run of each kind and all that is made of them; also a script: PAIRS OUT."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from given.made_runs import downloaded
from given.support import wait_for
from ivan_core.cli.main import main
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.columns import work as column_work
from ivan_core.experiments.compare.conditions import LANGUAGE
from ivan_core.experiments.compare.results import open_results
from ivan_core.lists.conditions import Filter
from ivan_core.lists.download import FORMS
from ivan_core.review import queues as review_queues


def ivan(*words: str) -> None:
    try:
        main(words)
    except SystemExit as ended:
        if ended.code:
            raise


def newest(kind: str) -> str:
    return runs.every(kind)[0].id


def every_kind(pairs: str, out: str) -> None:
    rows = ("--dataset", pairs, "--limit", "4")
    ivan("compare", *rows, "--model", "ivan/minilm-control")
    results = open_results(newest("compare"))
    ivan("figure", results.run.id, "rewards", "--format", "csv", "--out", f"{out}/chart.csv")
    ivan("runs", "export", results.run.id, "--out", f"{out}/run.zip")
    ivan("runs", "import", f"{out}/run.zip")
    for form in FORMS:
        downloaded(results, Filter(LANGUAGE), form)
    dataset = results.dataset.fingerprint
    column_work.start(ColumnSpec(dataset=dataset, form="search", expression="Answer", over="text"))
    wait_for(lambda: not runs.every("column")[0].state.live)
    ivan("rewrite", *rows, "--model", "ivan/minilm-control")
    ivan("taxonomy", "run-control-batch", *rows, "--model", "ivan/lexicon")
    ivan("analyse", results.run.id, newest("labels"))
    ivan("taxonomy", "create-batch", *rows, "--yes")
    review_queues.make_queue(
        review_queues.queue_request({"dataset": dataset, "task": "better", "count": 3})
    )
    ivan("review", "export", "1", f"{out}/sheet.xlsx")
    ivan("review", "backup", f"{out}/reviews.zip")


if __name__ == "__main__":
    every_kind(*sys.argv[1:])
