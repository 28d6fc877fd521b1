"""Compute the finished study that ships with IVAN: `make study`.

Five commands as a person gives them, on the bundled sample, and a queue that two rules answer. What
an export leaves out of this machine stays out: the data folder that ships is that of an import.
"""

from __future__ import annotations

import io
import json
import lzma
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from ivan_core.annotations.backup import restore_backup, write_backup
from ivan_core.datasets.sources import SAMPLE
from ivan_core.demo.finished_study import FILE
from ivan_core.domain.labels import Label
from ivan_core.domain.pairs import Pair
from ivan_core.domain.reviews import NO_DIFFERENCE, RULE
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets, handling as runs, imports, zips
from ivan_core.engine.archive import size
from ivan_core.review import flow
from ivan_core.review.queues import make_queue, queue_request
from ivan_core.runs.storage import replacing
from ivan_core.words.asking import FOLDER as WORDS

COMMANDS = (
    ("compare",),
    ("taxonomy", "run-control-batch", "--model", "ivan/lexicon"),
    ("rewrite",),
    ("analyse",),
    ("words",),
)
KINDS = ("compare", "labels", "rewrite", "analysis")
"""The kinds of its runs, one of each, in the order in which they can be entered."""
TITLE = "Which reply is better? Answered by two rules, by no person"
PAIRS = 40
LONGER = f"{RULE}the longer reply (not a person)"
MORE_SENTENCES = f"{RULE}the reply with more sentences (not a person)"


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
    """Compute the study in one data folder, and enter it into another one, which is packed."""
    with _in_force(folder / "made") as made:
        for command in COMMANDS:
            subprocess.run([sys.executable, "-m", "ivan_core", *command], check=True)
        _ask_rules()
        for kind in KINDS:
            (run,) = runs.every(kind)
            path = folder / f"{kind}.zip"
            zips.export(run.id, path, texts=True)
            _forget_machine(path)
        write_backup(made, folder / "reviews.zip")
    with _in_force(folder / "entered") as entered:
        imports.read_dataset(DatasetRequest(source=SAMPLE))
        for kind in KINDS:
            zips.import_zip(folder / f"{kind}.zip")
        restore_backup(entered, folder / "reviews.zip")
        copytree(made / WORDS, entered / WORDS)
        _pack(FILE, entered)


@contextmanager
def _in_force(data_dir: Path) -> Iterator[Path]:
    data_dir.mkdir()
    os.environ["IVAN_DATA_DIR"] = str(data_dir)
    yield data_dir


def _forget_machine(path: Path) -> None:
    """Take out of an export which system it was made on."""
    with ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    manifest = json.loads(members["manifest.json"])
    del manifest["versions"]["system"]
    members["manifest.json"] = json.dumps(manifest).encode()
    with ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)


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


def _pack(path: Path, data_dir: Path) -> None:
    """All files of a data folder but hidden ones, as one."""
    whole = io.BytesIO()
    with ZipFile(whole, "w") as packed:
        for one in sorted(one for one in data_dir.rglob("*") if one.is_file()):
            name = one.relative_to(data_dir).as_posix()
            if not name.startswith("."):
                packed.write(one, name)
    with replacing(path) as temporary:
        temporary.write_bytes(lzma.compress(whole.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def main() -> None:
    with TemporaryDirectory() as name:
        os.environ["IVAN_SLOT_FILE"] = f"{name}/slot"
        make(Path(name))
    print(f"{FILE} ({size(FILE.stat().st_size)})")


if __name__ == "__main__":
    main()
