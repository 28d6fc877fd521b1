"""What plans tell against what runs take, before and after this machine has measured its speeds.

    python tests/bench/bench_estimates.py [--busy 2] [--sizes 40,160,480] [--rounds 1]

Each round begins in an empty data folder: for each size a comparison of rows that were not judged
before, then rules that label, then a rewording by rules. With `--busy` so many processes do nothing
but work meanwhile; they begin a minute before, as the load of a machine is that of the last minute.
Prints a line a run, and ends with 1 where a run took less than half or more than twice of what was
told (of the ends, where a range was told).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_FACTOR = 2.0
_WORK = "while True: pass"


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes at work beside, for a minute already."""
    found = [subprocess.Popen([sys.executable, "-c", _WORK]) for _ in range(processes)]
    try:
        time.sleep(60.0 if found else 0.0)
        yield
    finally:
        for one in found:
            one.kill()
            one.wait()


def told_and_took(name: str, plan: Callable[[Any], Any], spec: Any) -> bool:
    """Plan, run, compare; whether the run took what was told."""
    from ivan_core.engine import handling as runs

    told = plan(spec)
    run_id, _ = runs.start(spec)
    while runs.get(run_id).state.live:
        time.sleep(0.05)
    run = runs.get(run_id)
    took = (run.finished or run.created) - run.created
    if told.takes is None:
        print(f"{name:<28} nothing told  took {took:6.1f} s  {run.state}", flush=True)
        return False
    good = told.takes.low / _FACTOR <= took <= told.takes.high * _FACTOR
    why = getattr(told, "estimate_from", "")
    print(
        f"{name:<28} told {told.takes.words:<16} took {took:6.1f} s  load {os.getloadavg()[0]:4.1f}"
        f"  {'ok' if good else 'WRONG'}  {why}",
        flush=True,
    )
    return good


def one_round(sizes: list[int]) -> bool:
    from ivan_core.domain.specs import LabelSpec
    from ivan_core.experiments.compare import plan as compare
    from ivan_core.experiments.labels import plan as labels
    from ivan_core.experiments.rewrite import plan as rewrite

    first, good = 0, True
    demo = compare.preset_spec("demo")
    for size in sizes:
        rows = tuple(range(first, min(first + size, 480)))
        spec = demo.model_copy(update={"row_ids": rows})
        good &= told_and_took(f"compare {len(rows)} pairs", compare.plan, spec)
        first += size
    rows = tuple(range(min(first, 480)))
    known = demo.model_copy(update={"seed": 1, "row_ids": rows})
    good &= told_and_took(f"compare {len(rows)}, all known", compare.plan, known)
    good &= told_and_took("rules label all", labels.plan, LabelSpec(dataset=demo.dataset))
    reword = rewrite.preset_spec("demo").model_copy(update={"limit": 60})
    good &= told_and_took("rules reword 60", rewrite.plan, reword)
    again = reword.model_copy(update={"limit": None, "row_ids": tuple(range(100, 160))})
    return told_and_took("rules reword 60 others", rewrite.plan, again) and good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--busy", type=int, default=0, help="processes at work beside")
    parser.add_argument("--sizes", default="40,160,280", help="pairs of each comparison")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    good = True
    with busy(options.busy):
        for _ in range(options.rounds):
            with TemporaryDirectory() as folder:
                os.environ["IVAN_DATA_DIR"] = str(Path(folder) / "data")
                os.environ["IVAN_SLOT_FILE"] = str(Path(folder) / "slot")
                good &= one_round(sizes)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
