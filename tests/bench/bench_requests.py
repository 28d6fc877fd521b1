"""Time the request files of a big batch: `python bench_requests.py FOLDER TEXTS [--pairs N]`.

The pairs of TEXTS (a file IVAN reads) are repeated until there are N; prompts, bodies, counts of
tokens, parts and the check before sending are the ones of a real batch. Prints JSON: seconds, the
peak of memory in MiB, files and requests a second. The request files stay in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Any

from ivan_core.backends.openai_chat import chat_body
from ivan_core.backends.token_counts import TokenCounter
from ivan_core.datasets.files import read_file
from ivan_core.domain.labels import TextKey
from ivan_core.labels.check_requests import check_request_file
from ivan_core.labels.prompt import build_prompt
from ivan_core.labels.request_files import Request, write_request_files

PAIRS = 160_800
MODEL = "gpt-6-luna"


def pairs_of(path: Path) -> list[tuple[str, str]]:
    rows = (line for line in read_file(path) if isinstance(line, tuple))
    return [(str(row["chosen"]), str(row["rejected"])) for _, row in rows]


def requests_for(texts: list[tuple[str, str]], pairs: int) -> Iterator[Request]:
    """The requests for both sides of so many pairs."""
    counter = TokenCounter(MODEL)
    for row_id, (chosen, rejected) in enumerate(islice(cycle(texts), pairs)):
        for key, text in (
            (TextKey(row_id, "chosen"), chosen),
            (TextKey(row_id, "rejected"), rejected),
        ):
            body = chat_body(build_prompt(key, text), MODEL)
            yield key, body, counter.request_tokens(body)


def bench(folder: Path, texts: Path, pairs: int) -> dict[str, Any]:
    rows = pairs_of(texts)
    start = perf_counter()
    parts = write_request_files(requests_for(rows, pairs), folder, "bench")
    written = perf_counter()
    for part in parts:
        check_request_file(part.path)
    checked = perf_counter()
    requests = sum(part.requests for part in parts)
    return {
        "requests": requests,
        "files": len(parts),
        "mib": round(sum(part.bytes for part in parts) / 2**20, 1),
        "tokens_a_request": round(sum(part.tokens for part in parts) / requests),
        "characters_a_text": round(sum(len(a) + len(b) for a, b in rows) / len(rows) / 2),
        "seconds": {
            "write": round(written - start, 1),
            "check": round(checked - written, 1),
            "both": round(checked - start, 1),
        },
        "requests_a_second": round(requests / (checked - start)),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the request files are written")
    parser.add_argument("texts", type=Path, help="a file of pairs with texts of real sizes")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    given = parser.parse_args()
    print(json.dumps(bench(given.folder, given.texts, given.pairs), indent=1))


if __name__ == "__main__":
    main()
