"""Requests that were answered before: taken out of what is asked, and written down as results."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ivan_core.domain.estimates import Reused
from ivan_core.domain.labels import TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.experiments.batches.answers import answer_record
from ivan_core.ledger.answers import Answer, Answers, body_key, owner_of
from ivan_core.runs.storage import replacing, storage_errors

_AT_ONCE = 500
Asked = tuple[TextKey, Mapping[str, object], bytes]
"""A text, the body of its request, and that body's bytes."""


@dataclass
class Reuse:
    """The answers that an account has already; with `all_again` they are only counted.

    `demo` says that the demo server answers: its answers are known as its own, and only they are
    reused then.

    What is reused is written to `path`, a result file whose lines say where they are from.
    """

    answers: Answers
    account: str
    demo: bool
    path: Path
    all_again: bool = False
    keys: set[TextKey] = field(default_factory=set)
    _runs: Counter[str] = field(default_factory=Counter)
    _known: int = 0
    _digest: str = ""
    _newest: int = 0

    @contextmanager
    def written(self) -> Iterator[Reuse]:
        """Write down what is reused while the block takes from `left`; nothing, if nothing is."""
        self._newest = self.answers.newest()
        with storage_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.path, alone=True) as temporary:
                with temporary.open("wb") as file:
                    self._file: BinaryIO = file
                    self._hash = hashlib.sha256()
                    yield self
                self._digest = self._hash.hexdigest()
        if not self.keys:
            self.path.unlink(missing_ok=True)

    def left(self, requests: Iterable[Asked]) -> Iterator[Asked]:
        """The requests that are still to be asked."""
        rest, owner = iter(requests), owner_of(self.account, self.demo)
        while some := list(islice(rest, _AT_ONCE)):
            keys = [body_key(owner, hashlib.sha256(raw).digest()) for _, _, raw in some]
            found = self.answers.find(keys)
            for key, one in zip(keys, some, strict=True):
                answer = found.get(key)
                if answer is not None:
                    self._runs[answer.run] += 1
                if answer is None or self.all_again:
                    self._known += answer is not None
                    yield one
                else:
                    self._reuse(one[0], answer)

    def _reuse(self, key: TextKey, answer: Answer) -> None:
        line = reused_line(key, answer, self.demo)
        self._file.write(line)
        self._hash.update(line)
        self.keys.add(key)

    @property
    def told(self) -> Reused:
        """What an estimate says of it."""
        runs = tuple(run for run, _ in self._runs.most_common())
        sha256 = self._digest if self.keys else ""
        owner = owner_of(self.account, self.demo)
        return Reused(len(self.keys), sha256, runs, self._known, owner, self._newest)


def reused_line(key: TextKey, answer: Answer, demo: bool) -> bytes:
    """An answer as a line of a result file, for another text than it was given for first."""
    reply = ModelReply(answer.said, finish=answer.finish, demo=demo)
    record = answer_record(key.custom_id, answer.model, reply)
    record["reused"] = {"run": answer.run, "text": answer.text}
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
