"""Measures how published layouts are read: processor seconds, memory, and what comes of it.

    python tests/bench/bench_layouts.py [--rows 160800] [--only LAYOUT ...] [--again N] [--parquet]

For each layout a file is made of invented texts that holds twice as many replies as ROWS; layouts
with several replies a row get fewer rows. Each file is prepared in a process of its own, as a run
prepares it. Prints a line for each: rows, pairs, processor seconds, memory that is the process's
own (RssAnon) at its most, and the sizes of file and folder. The load of the machine is told first.
Leave PYTHONDONTWRITEBYTECODE unset.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

WORDS = ["a", "the", "of", "river", "wind", "slowly", "stone", "and", "under", "because", "seven"]
PROMPT, REPLY = 40, 120
"""Words of a prompt and, on average, of a reply."""
Row = dict[str, Any]
MakeRow = Callable[[str, list[str]], Row]


def user(text: str) -> list[Row]:
    return [{"role": "user", "content": text}]


def said(text: str) -> list[Row]:
    return [{"role": "assistant", "content": text}]


def asked(prompt: str) -> str:
    return f"\n\nHuman: {prompt}\n\nAssistant:"


def ultrafeedback(prompt: str, replies: list[str]) -> Row:
    rated = {name: {"Rating": "3", "Rationale": "So so."} for name in ("helpfulness", "honesty")}
    completions = [
        {"model": f"m{at}", "response": reply, "overall_score": 9.0 - at, "annotations": rated}
        for at, reply in enumerate(replies)
    ]
    return {"source": "flan", "instruction": prompt, "completions": completions}


def helpsteer3(prompt: str, replies: list[str]) -> Row:
    return {
        "domain": "code",
        "language": "python",
        "context": user(prompt),
        "response1": replies[0],
        "response2": replies[1],
        "overall_preference": -2,
        "individual_preference": [{"score": -2, "reasoning": "Kinder.", "feedback1": "Good."}],
    }


def nectar(prompt: str, replies: list[str]) -> Row:
    answers = [
        {"answer": reply, "model": f"m{at}", "rank": at + 1.0} for at, reply in enumerate(replies)
    ]
    return {"prompt": f"{asked(prompt)} ", "answers": answers, "source": ["x"], "turns": 1}


LAYOUTS: dict[str, tuple[int, MakeRow]] = {
    "hh-rlhf": (2, lambda p, r: {"chosen": f"{asked(p)} {r[0]}", "rejected": f"{asked(p)} {r[1]}"}),
    "trl-explicit": (
        2,
        lambda p, r: {"prompt": user(p), "chosen": said(r[0]), "rejected": said(r[1])},
    ),
    "rewardbench-2": (
        4,
        lambda p, r: {
            "prompt": p,
            "chosen": r[:1],
            "rejected": r[1:],
            "num_correct": 1,
            "models": ["m", "n", "o", "p"],
            "subset": "Focus",
        },
    ),
    "ultrafeedback": (4, ultrafeedback),
    "helpsteer3": (2, helpsteer3),
    "nectar": (7, nectar),
}
"""Replies a row, and how a row is made of a prompt and its replies."""


def made_rows(layout: str) -> Iterator[Row]:
    """Rows without end, the same each time."""
    chance = random.Random(layout)
    many = " ".join(chance.choices(WORDS, k=50_000))

    def text(words: int) -> str:
        begins = chance.randrange(len(many) - 6 * words)
        return many[begins : begins + 5 * words].strip()

    replies, make = LAYOUTS[layout]
    while True:
        yield make(
            text(PROMPT), [text(REPLY // 2 + chance.randrange(REPLY)) for _ in range(replies)]
        )


def write(path: Path, rows: Iterator[Row]) -> None:
    if path.suffix == ".jsonl":
        with path.open("w") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in rows)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = pa.Table.from_pylist(list(islice(rows, 1_000)))
    with pq.ParquetWriter(path, first.schema) as writer:
        while len(first):
            writer.write_table(first)
            first = pa.Table.from_pylist(list(islice(rows, 1_000)), schema=first.schema)


def own_mib() -> float:
    """Memory of this process that is its own, without mapped files."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(dict(line.split(":", 1) for line in lines)["RssAnon"].split()[0]) / 1024


def prepared(path: Path, folder: Path) -> dict[str, Any]:
    """Prepare a file; what it took, from the first row on."""
    from ivan_core.datasets.prepare import prepare
    from ivan_core.domain.specs import DatasetRequest

    most = [own_mib()]
    burnt = process_time()
    dataset = prepare(folder, DatasetRequest(source=str(path)), lambda _: most.append(own_mib()))
    burnt = process_time() - burnt
    most.append(own_mib())
    about = dataset.about
    if about["bad_lines"]:
        raise RuntimeError(f"{about['bad_lines']} bad lines in {path.name}")
    return {
        "layout": about["layout"],
        "rows": about["rows_read"],
        "pairs": about["rows"],
        "processor seconds": round(burnt, 2),
        "own mib": round(max(most)),
        "folder mib": round(sum(one.stat().st_size for one in dataset.folder.iterdir()) / 2**20),
    }


def measured(layout: str, rows: int, ending: str, again: int) -> dict[str, Any]:
    """The quickest of some measurements, each in a process and a data folder of its own."""
    count = 2 * rows // LAYOUTS[layout][0]
    with TemporaryDirectory() as name:
        path = Path(name) / f"{layout}{ending}"
        write(path, islice(made_rows(layout), count))
        found = []
        for at in range(again):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                found.append(pool.apply(prepared, (path, Path(name) / str(at))))
        size = round(path.stat().st_size / 2**20)
    best = min(found, key=lambda one: float(one["processor seconds"]))
    return {**best, "file mib": size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=160_800)
    parser.add_argument("--only", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
    parser.add_argument("--again", type=int, default=1)
    parser.add_argument("--parquet", action="store_true")
    options = parser.parse_args()
    print("load", os.getloadavg()[0])
    for layout in options.only:
        ending = ".parquet" if options.parquet else ".jsonl"
        print(json.dumps(measured(layout, options.rows, ending, options.again)), flush=True)


if __name__ == "__main__":
    main()
