"""Many people who review at once while a comparison is at work on the same machine.

    python tests/bench/bench_review_sessions.py [--sessions 20] [--answers 20] [--think 5]
                                                [--database sqlite|postgres]

Each session speaks Streamlit's protocol over a websocket with a server of its own: it opens an
invitation and presses one of the four answers, again and again, with a pause to read. Prints JSON:
the time from a press to the end of the script that saved it and drew the next pair, and how many
answers the database holds, compared one by one with what was pressed.
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
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE.parent), str(_HERE.parent / "browser")]

_ANSWER = re.compile(r"answer-([abnt])-(\d+)-(\d+)$")
_MODELS = ("ivan/minilm-harmless", "ivan/minilm-control")


async def review(base: str, token: str, name: str, answers: int, think: float) -> dict[str, Any]:
    """Judge pairs as one person; returns the seconds of each press and what was pressed."""
    from streamlit_client import StreamlitSession

    draw = random.Random(name)
    query = urlencode({"invite": token, "name": name})
    pressed: dict[tuple[int, int], str] = {}
    seconds: list[float] = []
    async with StreamlitSession(base, "review", query) as session:
        await asyncio.sleep(draw.random() * think)
        opened = await session.open()
        (me,) = [one for one in session.buttons if one.endswith("review-as")]
        await session.press(me)
        for _ in range(answers):
            await asyncio.sleep(draw.uniform(0.5, 1.5) * think)
            found = [(one, match) for one in session.buttons if (match := _ANSWER.search(one))]
            if not found:
                raise RuntimeError(f"{name} sees no answers: {session.texts[-5:]}")
            button, match = draw.choice(found)
            place = (int(match[2]), int(match[3]))
            if place in pressed:
                raise RuntimeError(f"{name} is asked about {place} again: {session.texts[-5:]}")
            seconds.append(await session.press(button))
            pressed[place] = match[1]
    return {"name": name, "opened": opened, "seconds": seconds, "pressed": pressed}


def kept_wrongly(queue: Any, told: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Answers in the database, those pressed that it lacks, and those it holds otherwise."""
    from ivan_core.domain.reviews import BETTER, Item
    from ivan_core.review.flow import left_side, opinions

    stored = {(one.reviewer, one.queue, one.row_id): one for one in opinions().all(queue.id)}
    lost = wrong = 0
    for person in told:
        for (number, row_id), key in person["pressed"].items():
            left = left_side(queue, row_id, person["name"])
            right = "rejected" if left == "chosen" else "chosen"
            wanted = {"a": left, "b": right, "n": "none", "t": None}[key]
            one = stored.get((person["name"], number, row_id))
            if one is None:
                lost += 1
                continue
            history = opinions().history(Item(number, 0, row_id), person["name"])
            wrong += one.answers != {BETTER: wanted} or one.version != 1 or len(history) != 1
    return len(stored), lost, wrong


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def in_milliseconds(seconds: list[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    found = {"p50": median(seconds), "p95": cuts[94], "max": max(seconds)}
    return {name: round(value * 1000, 1) for name, value in found.items()}


def bench(data_dir: Path, options: argparse.Namespace) -> dict[str, Any]:
    os.environ["IVAN_DATA_DIR"] = str(data_dir)
    os.environ["IVAN_SLOT_FILE"] = str(data_dir / "slot")
    from app_server import AppServer
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
    run_id, _ = runs.start(CompareSpec(dataset=asked, models=_MODELS))
    wait_for(lambda: runs.get(run_id).done > 0, 300)
    dataset = datasets.find(asked)
    if dataset is None:
        raise RuntimeError("The dataset was not prepared.")
    queue = make_queue(
        queue_request({"dataset": dataset.fingerprint, "count": options.answers + 20})
    )
    server = AppServer(data_dir)
    server.start()
    try:
        asyncio.run(review(server.base, queue.token, "First", 1, 2.0))  # loads what all share
        began, before, load = time.perf_counter(), runs.get(run_id).done, os.getloadavg()[0]
        pid = server.pid
        burnt = cpu_seconds(pid)

        async def everybody() -> list[dict[str, Any]]:
            people = (
                review(server.base, queue.token, f"Person {n}", options.answers, options.think)
                for n in range(options.sessions)
            )
            return list(await asyncio.gather(*people))

        told = asyncio.run(everybody())
        took = time.perf_counter() - began
        burnt = cpu_seconds(pid) - burnt
        run = runs.get(run_id)
    finally:
        server.close()
    stored, lost, wrong = kept_wrongly(queue, told)
    presses = [one for person in told for one in person["seconds"]]
    return {
        "database": ReviewDatabase(data_dir).where.partition(":")[0].rpartition("/")[2],
        "sessions": options.sessions,
        "seconds_to_read": options.think,
        "pressed": len(presses),
        "kept": stored - 1,
        "lost": lost,
        "kept_otherwise": wrong,
        "ms_from_press_to_next_pair": in_milliseconds(presses),
        "ms_to_open": in_milliseconds([person["opened"] for person in told]),
        "presses_a_second": round(len(presses) / took, 2),
        "server_cpu_ms_a_press": round(burnt / len(presses) * 1000, 1),
        "run_was_live": run.state is RunState.RUNNING,
        "pairs_judged_meanwhile": run.done - before,
        "cores": os.cpu_count(),
        "load_before": round(load, 1),
        "load_after": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--answers", type=int, default=20, help="answers of each session")
    parser.add_argument("--think", type=float, default=5.0, help="mean seconds to read a pair")
    parser.add_argument("--pairs", type=int, default=20_000, help="pairs of the run at work")
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
