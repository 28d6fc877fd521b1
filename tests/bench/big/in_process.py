"""Times what the pages ask of a big run, in one process.

Seconds of the first call and the median of later ones, processor seconds of the first; memory in
MiB.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

AGAIN = 5


def resident() -> float:
    """Memory of this process that is its own, without mapped files, in MiB."""
    fields = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines()
    )
    return int(fields["RssAnon"].split()[0]) / 1024


def timed(function: Callable[[], Any], again: int = AGAIN) -> dict[str, float]:
    """Seconds of the first call and the median of later ones."""
    burnt, times = process_time(), []
    for number in range(1 + again):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
        if not number:
            burnt = process_time() - burnt
    found = {"first": round(times[0], 4), "first_processor": round(burnt, 4)}
    if again:
        found["later"] = round(median(times[1:]), 4)
    return found


def bench_in_process(folder: Path, run_id: str) -> dict[str, Any]:
    """Everything a page asks of a comparison, in the order a page asks it."""
    os.environ["IVAN_DATA_DIR"] = str(folder)
    import pandas as pd
    import pyarrow.parquet

    from ivan_core.experiments.compare import conditions as f, plan as compare, results
    from ivan_core.experiments.compare.conditions import LANGUAGE, Sort, listing
    from ivan_core.lists.conditions import Filter, matching_rows
    from ivan_core.lists.pairs import ColumnIs, SubsetIs
    from ivan_core.metrics.agreement import by_subset
    from ivan_core.metrics.bins import margin_histogram, reward_bins

    pd.DataFrame({"warm": ["up"]}).astype("string").groupby("warm").size()
    pyarrow.parquet.__name__.encode()
    before = resident()
    seconds: dict[str, Any] = {}
    seconds["open_results"] = timed(lambda: results.open_results(run_id))
    opened = results.open_results(run_id)
    first, second = opened.models
    seconds["summaries"] = timed(lambda: opened.summaries, 0)
    seconds["by_subset"] = timed(lambda: by_subset(opened.table))
    own = opened.table[opened.table["model"] == first]
    seconds["reward_bins"] = timed(lambda: reward_bins(own))
    seconds["margin_histogram"] = timed(lambda: margin_histogram(own))
    seconds["row_ids"] = timed(lambda: opened.row_ids)
    seconds["sharpest"] = timed(lambda: opened.sharpest, 0)
    seconds["page_of_rows"] = timed(lambda: results.rows_page(opened, opened.row_ids, 3))
    seconds["a whole page, first"] = round(sum(found["first"] for found in seconds.values()), 4)
    cell = reward_bins(own).nlargest(1, "count").iloc[0]
    asked = {
        "verdict": Filter(LANGUAGE).add(f.VerdictIs(model=first, verdict="disagree")),
        "differ, sharpest first": Filter(LANGUAGE)
        .add(f.ModelsDiffer())
        .sorted_by(Sort(by="sharpest", descending=True)),
        "reward cell": Filter(LANGUAGE).add(
            f.RewardsIn(
                model=first, **{name: float(cell[name]) for name in ("x0", "x1", "y0", "y1")}
            )
        ),
        "annotator, subset, margin": Filter(LANGUAGE)
        .add(ColumnIs(column="annotator", value="annotator 3"))
        .add(SubsetIs(label="harmless-base"))
        .add(f.MarginIn(model=second, low=-1.0, high=0.5)),
        "margin x margin, by length": Filter(LANGUAGE)
        .add(f.MarginsIn(model=first, other=second, x0=-1.0, x1=1.0, y0=-1.0, y1=1.0))
        .sorted_by(Sort(by="length", descending=True)),
    }
    seconds["filters"] = {
        name: timed(lambda given=given: matching_rows(listing(opened), given))  # type: ignore[misc]
        for name, given in asked.items()
    }
    seconds["filter and page"] = {
        name: timed(
            lambda given=given: results.rows_page(  # type: ignore[misc]
                opened, matching_rows(listing(opened), given), 2
            )
        )
        for name, given in asked.items()
    }
    seconds["plan"] = timed(lambda: compare.plan(opened.spec))
    after = resident()
    return {
        "seconds": seconds,
        "rows_found": {
            name: len(matching_rows(listing(opened), given)) for name, given in asked.items()
        },
        "mib": {
            "before": round(before, 1),
            "after": round(after, 1),
            "growth": round(after - before, 1),
        },
    }
