"""Measures how the pairs of a big run leave: every format of `ivan export`, and `ivan report`.

    python tests/bench/bench_hand_over.py [PAIRS] [--only FORMAT ...]

Makes a study of so many pairs (160,800 by default, about 900 characters a side, made-up rewards of
two models), then calls the program as a person would, each time as a process of its own. Prints a
line for each: processor seconds, memory that is the process's own (RssAnon) at its most as looked
at fifty times a second, the size of what was written, and of how many pairs. The load of the
machine is told first. Leave PYTHONDONTWRITEBYTECODE unset.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def anonymous(process: int) -> float:
    """MiB of memory that a process has for itself; 0 once it is gone."""
    with suppress(OSError, KeyError):
        lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
        return int(dict(line.split(":", 1) for line in lines)["RssAnon"].split()[0]) / 1024
    return 0.0


def measured(name: str, out: Path, *words: str) -> None:
    """Call the program and print what it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "ivan_core", *words, str(out)]
    most = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            most = max(most, anonymous(process.pid))
            sleep(0.02)
        told = process.stdout.read() if process.stdout else ""
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    written = out.stat().st_size / 2**20 if out.is_file() else 0.0
    said = next(reversed(told.strip().splitlines()), f"exit code {process.returncode}")
    print(f"{name:<18}{seconds:>7.1f} CPU s {most:>7.0f} MiB {written:>8.1f} MB  {said[:80]}")
    out.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="?", type=int, default=160_800)
    parser.add_argument("--only", nargs="+", default=[])
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        os.environ |= {"IVAN_DATA_DIR": f"{folder}/data", "IVAN_SLOT_FILE": f"{folder}/slot"}
        from bench.big.make import make_big_study

        from ivan_core.interchange.formats import FORMATS

        print("load", *os.getloadavg())
        run = make_big_study(Path(folder) / "data", asked.pairs, labels=False)["runs"]["compare"]
        for name in FORMATS:
            if not asked.only or name in asked.only:
                measured(name, Path(folder) / f"out-{name}", "export", run, name)
        if not asked.only or "report" in asked.only:
            measured("report", Path(folder) / "out.html", "report", run)


if __name__ == "__main__":
    main()
