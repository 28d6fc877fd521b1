"""A stand-in hub with small preference datasets, and a fresh process that loads them."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.hub import FreshProcess, StandinHub

HH = "Anthropic/hh-rlhf"
FOLDERS = {
    "harmless-base": 3,
    "helpful-base": 2,
    "helpful-online": 1,
    "helpful-rejection-sampled": 4,
}


def opened(**request: str) -> dict[str, Any]:
    """Called in the fresh process: a source read to its end, or the sentence and hint."""
    from ivan_core.datasets.sources import open_hub
    from ivan_core.domain.errors import IvanError
    from ivan_core.domain.specs import DatasetRequest

    try:
        source = open_hub(DatasetRequest(**request))
        rows = [
            line if isinstance(line, tuple) else [line.line, line.reason] for line in source.rows
        ]
    except IvanError as error:
        return {"error": type(error).__name__, "says": error.message, "hint": error.hint}
    return {
        "rows": rows,
        "revision": source.revision,
        "licence": source.licence,
        "chosen_by": source.chosen_by,
        "note": source.note,
    }


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def pairs(name: str, count: int) -> list[dict[str, str]]:
    human = "\n\nHuman: Hi\n\nAssistant:"
    return [{"chosen": f"{human} {name} {i}", "rejected": f"{human} no {i}"} for i in range(count)]


def noise(seed: int) -> bytes:
    """Pairs that hardly compress, so that the file is large enough to break off in the middle."""
    words = random.Random(seed)
    return gzip.compress(jsonl([{"chosen": words.randbytes(4_000).hex(), "rejected": "no"}]))


def two_subsets(hub: StandinHub) -> str:
    card = """---
configs:
- config_name: easy
  data_files: [{split: train, path: easy.jsonl}]
- config_name: hard
  data_files: [{split: prefs, path: hard.jsonl}]
---
"""
    hub.add(
        "datasets",
        "lab/two",
        {
            "README.md": card.encode(),
            "easy.jsonl": jsonl(pairs("e", 1)),
            "hard.jsonl": jsonl(pairs("h", 2)),
        },
    )
    return "lab/two"


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A hub with HH-RLHF in small, a cache of its own and a fresh process that reads from it."""

    hub: StandinHub
    home: Path
    process: FreshProcess

    def load(self, source: str, **request: str) -> Any:
        """What `opened` returns over there."""
        return self.process.call(opened, source=source, **request)


@contextmanager
def hub_place(folder: Path) -> Iterator[HubPlace]:
    """Serve the hub from a folder for as long as the block lasts."""
    files = {
        f"{subset}/{split}.jsonl.gz": gzip.compress(jsonl(pairs(f"{subset} {split}", count)))
        for subset, rows in FOLDERS.items()
        for split, count in (("train", rows), ("test", 1))
    }
    other = [{"transcript": "\n\nHuman: Hi", "rating": 1.0}]
    files["red-team-attempts/red_team_attempts.jsonl.gz"] = gzip.compress(jsonl(other))
    home = folder / "home"
    home.mkdir()
    with (
        StandinHub(folder / "hub") as hub,
        FreshProcess(hub.environment(home), home / "errors.txt") as process,
    ):
        hub.add("datasets", HH, files | {"README.md": b"---\nlicense: mit\n---\nPreferences.\n"})
        yield HubPlace(hub, home, process)
