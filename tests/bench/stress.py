"""Runs the whole suite again and again beside two busy processes, and tells what failed.

    make stress N=3
    python tests/bench/stress.py ROUNDS PYTEST-OPTIONS ...

Each further argument holds the options of one pytest run; all of them make a round. Ends with 1 if
anything failed. The busy processes end with it, however it ends.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUSY_PROCESSES = 2
BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    sum(range(1_000_000))"
"""Works for nothing as long as the process that started it lives."""


@contextmanager
def busy(count: int = BUSY_PROCESSES) -> Iterator[None]:
    """So many processes that take all the processor they get."""
    command = [sys.executable, "-c", BUSY, str(os.getpid())]
    # Ctrl-C is for the tests; these are ended here.
    workers = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def tests_failed(report: Path) -> list[str]:
    """The names of the tests that failed, from pytest's report; empty too if there is none."""
    if not report.exists():
        return []
    return [
        _name(case.get("classname", ""), case.get("name", ""))
        for case in ET.parse(report).iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    ]


def _name(classname: str, name: str) -> str:
    """A test as pytest takes it; the report has the file and the class with dots between."""
    module, inside, rest = classname.partition(".Test")
    return f"{module.replace('.', '/')}.py{inside.replace('.', '::')}{rest}::{name}"


def run_tests(options: str, folder: Path) -> list[str]:
    """What failed in one run of pytest; a run that broke off fails as a whole."""
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--hypothesis-profile=new",
        f"--junitxml={report}",
        *shlex.split(options),
    ]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    failed = tests_failed(report)
    return failed if failed or code == 0 else [f"pytest {options} ended with {code}"]


def stress(rounds: int, runs: Sequence[str]) -> int:
    """All rounds, and what failed in each; returns the exit code."""
    told: list[str] = []
    failed: list[str] = []
    green = 0
    try:
        with tempfile.TemporaryDirectory() as folder, busy():
            for number in range(1, rounds + 1):
                start, failed = time.monotonic(), []
                for options in runs:
                    failed += run_tests(options, Path(folder))
                seconds, load = time.monotonic() - start, os.getloadavg()[0]
                told.append(f"Round {number} of {rounds}, {seconds:.0f} s, load {load:.1f}: ")
                told[-1] += _failures(failed)
                print(told[-1], flush=True)
                green += not failed
    except KeyboardInterrupt:
        told.append(f"Stopped in round {len(told) + 1} of {rounds}: {_failures(failed)}")
    print("== stress", *told, f"{green} of {rounds} rounds green.", sep="\n")
    return 0 if green == rounds else 1


def _failures(names: Sequence[str]) -> str:
    return "\n  ".join((f"{len(names)} failed" if names else "nothing failed", *names))


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    for by in (signal.SIGINT, signal.SIGTERM):
        signal.signal(by, _stop)
    sys.exit(stress(int(sys.argv[1]), sys.argv[2:]))
