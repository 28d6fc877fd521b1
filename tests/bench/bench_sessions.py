"""Many people who review, read pairs and narrow lists at once, beside a comparison at work.

    python tests/bench/bench_sessions.py [--sessions 20] [--answers 12] [--think 5] [--read 16080]
                                         [--database sqlite|postgres]

Each session speaks Streamlit's protocol over a websocket with a server of its own: it opens an
invitation and presses one of the four answers, again and again, with a pause to read; after every
third answer it narrows the list of a finished run by a condition, reads two of its pairs, and comes
back. Two waves of as many people. Prints JSON: milliseconds from each act to the end of the script
that it starts (a save's draws the next pair), how many answers the database holds, compared one by
one with what was pressed, the server's memory after each wave, and the goals.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE.parent), str(_HERE.parent / "browser")]

if TYPE_CHECKING:
    from app_server import AppServer
    from streamlit_client import StreamlitSession

_ANSWER = re.compile(r"answer-([abnt])-(\d+)-(\d+)$")
KINDS = ("open", "save", "filter", "read")
_MODELS = ("ivan/minilm-harmless", "ivan/minilm-control")


@dataclass(frozen=True)
class Places:
    """Where people go: an invitation, a finished run of so many rows, and conditions on it."""

    token: str
    run: str
    rows: int
    filters: tuple[dict[str, str], ...]


class Person:
    """Somebody who reviews pairs, and between answers reads some and narrows a list of them."""

    def __init__(self, base: str, places: Places, name: str) -> None:
        self.name = name
        self.pressed: dict[tuple[int, int], str] = {}
        self.seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self._base, self._places, self._draw = base, places, random.Random(name)

    async def work(self, answers: int, think: float) -> Person:
        """Give so many answers, each after a time to read."""
        from streamlit_client import StreamlitSession

        invited = urlencode({"invite": self._places.token, "name": self.name})
        async with StreamlitSession(self._base, "review", invited) as session:
            await asyncio.sleep(self._draw.random() * think)
            self.seconds["open"].append(await session.open())
            (me,) = [one for one in session.buttons if one.endswith("review-as")]
            await session.press(me)
            for number in range(answers):
                await asyncio.sleep(self._draw.uniform(0.5, 1.5) * think)
                await self._answer(session)
                if number % 3 == 2:
                    await self._look_elsewhere(session, think)
                    await session.go("review", invited)
        return self

    async def _answer(self, session: StreamlitSession) -> None:
        found = [(one, match) for one in session.buttons if (match := _ANSWER.search(one))]
        if not found:
            raise RuntimeError(f"{self.name} sees no answers: {session.texts[-5:]}")
        button, match = self._draw.choice(found)
        place = (int(match[2]), int(match[3]))
        if place in self.pressed:
            raise RuntimeError(f"{self.name} is asked about {place} again: {session.texts[-5:]}")
        self.seconds["save"].append(await session.press(button))
        self.pressed[place] = match[1]

    async def _look_elsewhere(self, session: StreamlitSession, think: float) -> None:
        draw, run = self._draw, self._places.run
        narrowed = {"run": run, **draw.choice(self._places.filters)}
        self.seconds["filter"].append(await session.go("compare", urlencode(narrowed)))
        self._check(session, "1 to 50 shown")
        for _ in range(2):
            await asyncio.sleep(draw.uniform(0.5, 1.5) * think)
            row = {"run": run, "row": str(draw.randrange(self._places.rows))}
            self.seconds["read"].append(await session.go("pairs", urlencode(row)))
            self._check(session, "chosen</b>")
        await asyncio.sleep(draw.uniform(0.5, 1.5) * think)

    def _check(self, session: StreamlitSession, wanted: str) -> None:
        if not any(wanted in text for text in session.texts):
            raise RuntimeError(f"{self.name} does not see {wanted!r}: {session.texts[-5:]}")


def kept_wrongly(queue: Any, told: list[Person]) -> tuple[int, int, int]:
    """Answers in the database, those pressed that it lacks, and those it holds otherwise."""
    from ivan_core.domain.reviews import BETTER, Item
    from ivan_core.review.flow import left_side, opinions

    stored = {(one.reviewer, one.queue, one.row_id): one for one in opinions().all(queue.id)}
    lost = wrong = 0
    for person in told:
        for (number, row_id), key in person.pressed.items():
            left = left_side(queue, row_id, person.name)
            right = "rejected" if left == "chosen" else "chosen"
            wanted = {"a": left, "b": right, "n": "none", "t": None}[key]
            one = stored.get((person.name, number, row_id))
            if one is None:
                lost += 1
                continue
            history = opinions().history(Item(number, 0, row_id), person.name)
            wrong += one.answers != {BETTER: wanted} or one.version != 1 or len(history) != 1
    return len(stored), lost, wrong


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_mib(pid: int) -> float:
    """Memory of a process that is its own, without mapped files."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return round(int(fields["RssAnon"].split()[0]) / 1024, 1)


def in_milliseconds(seconds: list[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    found = {"p50": median(seconds), "p95": cuts[94], "max": max(seconds)}
    return {name: round(value * 1000, 1) for name, value in found.items()}


def bench(data_dir: Path, options: argparse.Namespace) -> dict[str, Any]:
    os.environ["IVAN_DATA_DIR"] = str(data_dir)
    os.environ["IVAN_SLOT_FILE"] = str(data_dir / "slot")
    from app_server import AppServer
    from bench_big_tables import alone
    from bench_requests import write_dataset
    from given.support import wait_for

    from ivan_core.annotations.database import ReviewDatabase
    from ivan_core.domain.runs import RunState
    from ivan_core.domain.specs import CompareSpec, DatasetRequest
    from ivan_core.engine import datasets, handling as runs
    from ivan_core.review.queues import make_queue, queue_request

    source = data_dir / "pairs.jsonl"
    write_dataset(source, options.pairs)
    asked = DatasetRequest(source=str(source))
    read = alone(_make, data_dir, options.read)["runs"]["compare"]
    run_id, _ = runs.start(CompareSpec(dataset=asked, models=_MODELS))
    wait_for(lambda: runs.get(run_id).done > 0, 300)
    dataset = datasets.find(asked)
    if dataset is None:
        raise RuntimeError("The dataset was not prepared.")
    queue = make_queue(
        queue_request({"dataset": dataset.fingerprint, "count": options.answers + 20})
    )
    places = Places(queue.token, read, options.read, _filters())
    server = AppServer(data_dir)
    server.start()
    everybody: list[Person] = []
    try:
        first = Person(server.base, places, "First")
        everybody.append(asyncio.run(first.work(3, 1.0)))  # loads what all share
        before, load, mib = runs.get(run_id).done, os.getloadavg()[0], [own_mib(server.pid)]
        waves = []
        for wave in range(1, 3):
            told, figures = _wave(server, places, wave, options)
            everybody += told
            waves.append(figures)
            mib.append(own_mib(server.pid))
        run = runs.get(run_id)
    finally:
        server.close()
    stored, lost, wrong = kept_wrongly(queue, everybody)
    goals = {
        "p95 of every kind under 1 s": all(
            figures[kind]["p95"] < 1000 for figures in waves for kind in KINDS if kind != "open"
        ),
        "p95 of a save under 0.7 s": all(figures["save"]["p95"] < 700 for figures in waves),
        "nothing lost": not lost and not wrong,
        "second wave adds under 10% of memory": mib[2] < 1.1 * mib[1],
    }
    return {
        "database": ReviewDatabase(data_dir).where.partition(":")[0].rpartition("/")[2],
        "sessions": options.sessions,
        "seconds_to_read": options.think,
        "pairs_of_the_run_that_is_read": options.read,
        "kept": stored,
        "lost": lost,
        "kept_otherwise": wrong,
        "waves, in ms": waves,
        "server_mib": dict(zip(("before", "after one", "after two"), mib, strict=True)),
        "run_was_live": run.state is RunState.RUNNING,
        "pairs_judged_meanwhile": run.done - before,
        "goals": goals,
        "cores": os.cpu_count(),
        "load_before": round(load, 1),
        "load_after": round(os.getloadavg()[0], 1),
    }


def _make(folder: Path, rows: int) -> dict[str, Any]:
    from big.make import make_big_study

    return make_big_study(folder, rows, labels=False)


def _filters() -> tuple[dict[str, str], ...]:
    """Conditions as they stand in an address."""
    from ivan_core.experiments.compare import conditions
    from ivan_core.lists.conditions import Filter
    from ivan_core.lists.url import query_of

    asked = (
        conditions.ModelsDiffer(),
        *(conditions.VerdictIs(model=model, verdict="disagree") for model in _MODELS),
        *(conditions.MarginIn(model=model, low=0.0, high=1.5) for model in _MODELS),
    )
    return tuple(query_of(Filter(conditions.LANGUAGE).add(one)) for one in asked)


def _wave(
    server: AppServer, places: Places, wave: int, options: argparse.Namespace
) -> tuple[list[Person], dict[str, Any]]:
    """Everybody at once; the same number of others comes with the next wave."""
    began, burnt = time.perf_counter(), cpu_seconds(server.pid)

    async def together() -> list[Person]:
        people = (
            Person(server.base, places, f"Person {wave}.{n}").work(options.answers, options.think)
            for n in range(options.sessions)
        )
        return list(await asyncio.gather(*people))

    told = asyncio.run(together())
    seconds = {kind: [one for person in told for one in person.seconds[kind]] for kind in KINDS}
    steps = sum(len(found) for found in seconds.values())
    return told, {
        **{kind: in_milliseconds(found) for kind, found in seconds.items() if len(found) > 1},
        "steps": steps,
        "steps_a_second": round(steps / (time.perf_counter() - began), 2),
        "server_cpu_ms_a_step": round((cpu_seconds(server.pid) - burnt) / steps * 1000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--answers", type=int, default=12, help="answers of each session")
    parser.add_argument("--think", type=float, default=5.0, help="mean seconds to read a pair")
    parser.add_argument("--pairs", type=int, default=20_000, help="pairs of the run at work")
    parser.add_argument("--read", type=int, default=16_080, help="pairs of the run that is read")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        data_dir.mkdir()
        if options.database == "sqlite":
            print(json.dumps(bench(data_dir, options), indent=1))
            return
        from fakes.postgres_server import PostgresServer

        server = PostgresServer(durable=True)
        try:
            os.environ["IVAN_DATABASE_URL"] = server.database()
            print(json.dumps(bench(data_dir, options), indent=1))
        finally:
            server.close()


if __name__ == "__main__":
    main()
