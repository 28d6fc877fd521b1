"""Compute the finished study that ships with IVAN: `make study`.

Five commands as a person gives them, on the bundled sample, and two queues that rules answer. What
an export leaves out of this machine stays out: the data folder that ships is that of an import.
"""

from __future__ import annotations

import io
import json
import lzma
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from ivan_core.annotations.backup import restore_backup, write_backup
from ivan_core.datasets.sources import SAMPLE
from ivan_core.demo.finished_study import FILE
from ivan_core.domain.labels import Label
from ivan_core.domain.pairs import Pair
from ivan_core.domain.reviews import NO_DIFFERENCE, RULE, ItemSide
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


TITLE_OF_LABELS = "Questions about a reply. Answered by two rules, by no person"
REPLIES = 40
FIRST_SENTENCE = f"{RULE}first sentence"
WHOLE_REPLY = f"{RULE}whole reply"
REFUSAL, PERSON, TONE = (
    "last_response_is_refusal",
    "last_response_is_anthropomorphic",
    "last_response_sentiment",
)
_REFUSES = re.compile(r"\b(can['’]t|cannot|won['’]t|unable|sorry|not able to|rather not)\b", re.I)
_SELF = re.compile(r"\b(I|me|my|I['’]\w+)\b")
_GLAD = re.compile(r"\b(yes|sure|good|great|glad|happy|love|enjoy|best|thanks?|fine|nice)\b", re.I)
_SAD = re.compile(r"\b(no|not|never|\w+n['’]t|bad|wrong|sorry|hate|awful|worst)\b", re.I)


WORD_RULES = (FIRST_SENTENCE, WHOLE_REPLY)


def described(rule: str, pair: Pair, side: ItemSide) -> dict[str, Label]:
    """What a rule answers to three questions about a reply, by words that it looks for in it."""
    reply = (pair.chosen if side == "chosen" else pair.rejected).turns[-1].words
    read = re.split(r"(?<=[.!?])\s", reply, maxsplit=1)[0] if rule == FIRST_SENTENCE else reply
    glad, sad = len(_GLAD.findall(read)), len(_SAD.findall(read))
    tone = "neutral" if glad == sad else "positive" if glad > sad else "negative"
    return {REFUSAL: bool(_REFUSES.search(read)), PERSON: bool(_SELF.search(read)), TONE: tone}


def make(folder: Path) -> None:
    """Compute the study in one data folder, and enter it into another one, which is packed."""
    with _in_force(folder / "made") as made:
        for command in COMMANDS:
            subprocess.run([sys.executable, "-m", "ivan_core", *command], check=True)
        dataset = datasets.find(DatasetRequest(source=SAMPLE))
        if dataset is None:
            raise FileNotFoundError("the sample was not read")
        _ask_of_pairs(dataset.fingerprint)
        _ask_of_replies(dataset.fingerprint)
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


def _ask_of_pairs(dataset: str) -> None:
    """Make a queue of random pairs and have each rule go through it as a person does."""
    wanted = {"dataset": dataset, "count": PAIRS, "title": TITLE}
    for rule, screen in _screens(wanted, (LONGER, MORE_SENTENCES)):
        flow.save_better(screen, better(rule, screen.pair))


def _ask_of_replies(dataset: str) -> None:
    """The same for a queue of random replies, of which each rule answers three questions."""
    asked = {"task": "describe", "keys": (REFUSAL, PERSON, TONE), "title": TITLE_OF_LABELS}
    for rule, screen in _screens({"dataset": dataset, "count": REPLIES, **asked}, WORD_RULES):
        answers = described(rule, screen.pair, screen.place.side)
        flow.save_described(screen, {key: answers[key] for key in screen.keys})


def _screens(wanted: dict[str, Any], rules: tuple[str, ...]) -> Iterator[tuple[str, flow.Screen]]:
    """Each screen of a new queue for each rule, the next one after this one was answered."""
    queue = make_queue(queue_request(wanted))
    for rule in rules:
        while (place := flow.next_place(now := flow.standing(queue, rule))) is not None:
            yield rule, flow.open_screen(now, place)


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
