"""Compute the finished study that ships with IVAN: `make study`.

Four commands as a person gives them, on the bundled sample, and a queue that two rules answer. What
an import writes anew is left out of the zips.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_LZMA, ZipFile

from ivan_core.annotations.backup import write_backup
from ivan_core.datasets.sources import SAMPLE
from ivan_core.demo.finished_study import FOLDER, REVIEWS, RUNS
from ivan_core.domain.labels import Label
from ivan_core.domain.pairs import Pair
from ivan_core.domain.reviews import NO_DIFFERENCE, RULE
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets, handling as runs, zips
from ivan_core.engine.archive import size
from ivan_core.engine.kind import known
from ivan_core.review import flow
from ivan_core.review.queues import make_queue, queue_request
from ivan_core.runs.storage import replacing

COMMANDS = (
    ("compare",),
    ("taxonomy", "run-control-batch", "--model", "ivan/lexicon"),
    ("rewrite",),
    ("analyse",),
)
TITLE = "Which reply is better? Answered by two rules, by no person"
PAIRS = 40
LONGER = f"{RULE}the longer reply (not a person)"
MORE_SENTENCES = f"{RULE}the reply with more sentences (not a person)"
_TEXTS = "texts.jsonl"


def better(rule: str, pair: Pair) -> Label:
    """Which reply of a pair a rule answers: chosen, rejected or none, by its last turn alone."""
    both = (pair.chosen, pair.rejected)
    chosen, rejected = (_measured(rule, side.turns[-1].words) for side in both)
    return NO_DIFFERENCE if chosen == rejected else "chosen" if chosen > rejected else "rejected"


def _measured(rule: str, reply: str) -> int:
    if rule == LONGER:
        return len(reply)
    return sum(reply.count(mark) for mark in ".!?")


def make(folder: Path) -> None:
    """Write the files of the study; the data folder in force must be empty."""
    for command in COMMANDS:
        subprocess.run([sys.executable, "-m", "ivan_core", *command], check=True)
    _ask_rules()
    folder.mkdir(exist_ok=True)
    for kind in RUNS:
        (run,) = runs.every(kind)
        path = Path(os.environ["IVAN_DATA_DIR"]).with_name(f"{kind}.zip")
        zips.export(run.id, path, texts=True)
        with ZipFile(path) as whole:
            kept = {
                name: whole.read(name)
                for name in whole.namelist()
                if name != _TEXTS and name.partition("/")[0] not in known(run).folders
            }
        manifest = json.loads(kept["manifest.json"])
        del manifest["versions"]["system"]  # the maker's machine
        kept["manifest.json"] = json.dumps(manifest, indent=1).encode()
        _pack(folder / path.name, kept)
    backup = Path(os.environ["IVAN_DATA_DIR"]).with_name(REVIEWS)
    write_backup(Path(os.environ["IVAN_DATA_DIR"]), backup)
    with ZipFile(backup) as whole:
        _pack(folder / REVIEWS, {name: whole.read(name) for name in whole.namelist()})


def _ask_rules() -> None:
    """Make a queue of random pairs and have each rule go through it as a person does."""
    dataset = datasets.find(DatasetRequest(source=SAMPLE))
    if dataset is None:
        raise FileNotFoundError("the sample was not read")
    wanted = {"dataset": dataset.fingerprint, "count": PAIRS, "title": TITLE}
    queue = make_queue(queue_request(wanted))
    for rule in (LONGER, MORE_SENTENCES):
        while (place := flow.next_place(now := flow.standing(queue, rule))) is not None:
            screen = flow.open_screen(now, place)
            flow.save_better(screen, better(rule, screen.pair))


def _pack(path: Path, members: Mapping[str, bytes]) -> None:
    with replacing(path) as temporary, ZipFile(temporary, "w", ZIP_LZMA) as packed:
        for name, content in members.items():
            packed.writestr(name, content)


def main() -> None:
    with TemporaryDirectory() as name:
        os.environ |= {"IVAN_DATA_DIR": f"{name}/data", "IVAN_SLOT_FILE": f"{name}/slot"}
        make(FOLDER)
    for path in sorted(FOLDER.glob("*.zip")):
        print(f"{path.name}: {size(path.stat().st_size)}")


if __name__ == "__main__":
    main()
