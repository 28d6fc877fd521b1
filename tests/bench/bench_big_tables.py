"""Measures big tables: opening a run, clicks, filters, Analysis, plans, imports, memory.

    python tests/bench/bench_big_tables.py [--rows 16080 160800] [--folder FOLDER] [--only PART]

For each size a study is made of made-up rewards and labels (kept in FOLDER, so that a second
measurement begins at once), what pages ask of it is timed in one process, and pages are opened and
clicked in Chromium. Prints JSON, with the goals of 160,800 pairs beside what was measured, and for
ten times the rows with three times these. Add 1608000 to --rows for that: it takes 15 GB of disk
and half an hour, most of it to write and to prepare the texts, and has no labels.

Each part runs in a process of its own. The load of the machine is told; processor seconds are what
other work changes least.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from big.in_browser import bench_in_browser
from big.in_process import bench_in_process
from big.make import make_big_study

PARTS = ("import", "process", "browser")
WITH_LABELS = 160_800
"""The most pairs of a study that gets labels and an analysis."""
GOALS = {
    ("import", "seconds"): 5.0,
    ("browser", "open, first visit", "seconds"): 1.5,
    ("browser", "click a bar", "seconds"): 0.3,
    ("browser", "click a bin", "seconds"): 0.3,
}
"""At 160,800 pairs, in seconds."""
MIB = ("browser", "server mib", "growth at the end")
MOST_MIB = 800.0


def alone(work: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    """What a function returns that has a process of its own, and the most memory it took."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (work, given))


def _measured(work: Callable[..., dict[str, Any]], given: tuple[Any, ...]) -> dict[str, Any]:
    os.environ["IVAN_DATA_DIR"] = str(given[0])
    os.environ["IVAN_SLOT_FILE"] = str(given[0] / "slot")
    found = work(*given)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**found, "peak mib": round(peak, 1)}


def import_again(folder: Path) -> dict[str, Any]:
    """Import the scores once more; the run is deleted again."""
    from time import perf_counter, process_time

    from ivan_core.domain.specs import DatasetRequest
    from ivan_core.engine import archive
    from ivan_core.engine.csvs.files import import_csvs

    began, burnt = perf_counter(), process_time()
    files = sorted(folder.glob("*-minilm-*.csv"))
    request = DatasetRequest(source=str(folder / "made-up-pairs.jsonl"))
    (found,) = import_csvs(files, request)
    told = {
        "seconds": round(perf_counter() - began, 2),
        "processor": round(process_time() - burnt, 2),
    }
    archive.delete(found.run_id)
    return told


def measure(folder: Path, rows: int, only: str | None) -> dict[str, Any]:
    """Everything about one size."""
    found: dict[str, Any] = {"load": round(os.getloadavg()[0], 2)}
    found["made"] = alone(_make, folder, rows)
    runs = found["made"]["runs"]
    if only in (None, "import"):
        found["import"] = alone(import_again, folder)
    if only in (None, "process"):
        found["process"] = alone(bench_in_process, folder, runs["compare"])
    if only in (None, "browser"):
        found["browser"] = alone(bench_in_browser, folder, runs)
    found["goals"] = goals(found, rows)
    return found


def _make(folder: Path, rows: int) -> dict[str, Any]:
    return make_big_study(folder, rows, labels=rows <= WITH_LABELS)


def goals(found: dict[str, Any], rows: int) -> dict[str, str]:
    """Each goal of this size beside what was measured."""
    times = 3.0 if rows > WITH_LABELS else 1.0
    wanted = {path: seconds * times for path, seconds in GOALS.items()} | {MIB: MOST_MIB}
    told = {}
    for path, most in wanted.items():
        value: Any = found
        for name in path:
            value = value.get(name, {})
        if value != {}:
            word = "met" if value <= most else "MISSED"
            told[" > ".join(path)] = f"{word}: {value} of at most {most:g}"
    return told


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[16_080, 160_800])
    parser.add_argument("--folder", type=Path, help="where studies are kept for the next time")
    parser.add_argument("--only", choices=PARTS)
    given = parser.parse_args()
    with TemporaryDirectory() as temporary:
        kept = (given.folder or Path(temporary)).absolute()
        for rows in given.rows:
            found = measure(kept / str(rows), rows, given.only)
            print(json.dumps({str(rows): found}, indent=1), flush=True)


if __name__ == "__main__":
    main()
