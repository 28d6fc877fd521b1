"""Paid answers of all runs, kept for whoever asks for the same: read from the runs' own files.

Requests that were answered before are taken out of what is asked, and written down as results.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ivan_core.backends.openai.client import account_for, is_demo
from ivan_core.domain.errors import BackendUnavailable, IvanError, StorageProblem
from ivan_core.domain.estimates import Estimate, EstimatedFile, Reused
from ivan_core.domain.labels import TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.experiments.batches.answers import answer_record
from ivan_core.experiments.batches.collect import now_path, result_files
from ivan_core.experiments.batches.job import BatchJob, open_job
from ivan_core.labels.reconcile import USABLE
from ivan_core.labels.request_files import read_bodies
from ivan_core.labels.result_files import read_result_lines
from ivan_core.labels.validate import read_reply
from ivan_core.ledger.answers import Answer, Answers, body_key, found_in, owner_of
from ivan_core.ledger.records import PartKey
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import file_sha256, replacing, storage_errors

_AT_ONCE = 500
Asked = tuple[TextKey, Mapping[str, object], bytes]
"""A text, the body of its request, and that body's bytes."""
_KINDS = ("output", "error", "now")


def reuse_for(job: BatchJob, attempt: int) -> Reuse | None:
    """What an attempt of a run may reuse; None where nobody knows for which account it is."""
    try:
        account = account_for(job.spec.base_url)
    except BackendUnavailable:  # there is no key yet
        return None
    keep_all_answers(job.registry)
    answers = Answers(job.data_dir)
    demo = answers.newest() > 0 and is_demo(account.base_url)
    path = job.reused_path(attempt)
    return Reuse(answers, account.fingerprint, demo, path, job.asks_all(attempt))


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


def keep_all_answers(registry: Registry) -> None:
    """Keep the answers of every run whose files are not read yet, as after a crash."""
    read = Answers(registry.data_dir).read_parts()
    found: dict[tuple[str, str], list[Path]] = {}
    for path in (registry.data_dir / "runs").glob("*/results/*.jsonl"):
        part, _, kind = path.stem.rpartition("-")
        if kind in _KINDS:
            run_id = path.parent.parent.name
            name = f"{part}-now" if kind == "now" else part
            found.setdefault((run_id, f"{run_id}/{name}"), []).append(path)
    changed = {run_id for (run_id, part), files in found.items() if read.get(part) != _mark(files)}
    for run_id in sorted(changed):
        keep_run_answers(registry, run_id)


def keep_run_answers(registry: Registry, run_id: str) -> None:
    """Keep the answers of one run, if it is one of batches and can be read.

    Raises:
        StorageProblem: the data folder cannot be written.
    """
    try:
        keep_answers(open_job(run_id, registry))
    except StorageProblem:
        raise
    except (IvanError, OSError, ValueError, LookupError, TypeError, AttributeError):
        # A damaged run gives nothing.
        return


def keep_answers(job: BatchJob) -> None:
    """Keep the usable answers of a run that are not kept yet.

    Raises:
        StorageProblem: the data folder cannot be written.
    """
    answers = Answers(job.data_dir)
    read = answers.read_parts()
    for estimate in job.estimates():
        account = job.ledger.account_of(job.run_id, estimate.attempt)
        for name, asked, results in _parts(job, estimate) if account else ():
            part, files = f"{job.run_id}/{name}", _mark(results)
            if results and read.get(part) != files:
                for file in asked:
                    digests = _asked(job.data_dir / file.path, file.sha256)
                    answers.keep(_usable(job, account, digests, results) if digests else ())
                answers.mark_read(part, files)


def _parts(
    job: BatchJob, estimate: Estimate
) -> Iterator[tuple[str, Sequence[EstimatedFile], list[Path]]]:
    """What was asked together: its name, its request files, and the result files that are here."""
    attempt = estimate.attempt
    if estimate.mode == "now":
        here = [path for path in [now_path(job.folder, attempt)] if path.exists()]
        yield f"{attempt}-now", estimate.files, here
        return
    for file in estimate.files:
        here = result_files(job.folder, PartKey(job.run_id, file.part, attempt))
        yield f"{attempt}-{file.part}", [file], here


def _mark(files: Sequence[Path]) -> str:
    """What files were like when they were read: another size or time is another file."""
    facts = ((path.name, path.stat()) for path in sorted(files))
    return " ".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in facts)


def _asked(path: Path, sha256: str) -> dict[str, bytes]:
    """The hashes of the bodies in a request file, by their ids; none if it is another file."""
    if not path.is_file() or file_sha256(path) != sha256:
        return {}
    with path.open("rb") as file:
        return {custom_id: hashlib.sha256(body).digest() for custom_id, body in read_bodies(file)}


def _usable(
    job: BatchJob, account: str, asked: dict[str, bytes], results: Sequence[Path]
) -> Iterator[tuple[bytes, Answer]]:
    for path in results:
        for line in read_result_lines(path):
            digest = asked.get(line.custom_id)
            if digest is None or line.reply is None:
                continue
            if read_reply(line.reply, job.spec.keys).status in USABLE:
                reply = line.reply
                key = body_key(owner_of(account, reply.demo), digest)
                yield (
                    key,
                    Answer(job.run_id, line.custom_id, job.spec.model, reply.text, reply.finish),
                )


def labelled_meanwhile(job: BatchJob, estimate: Estimate) -> int:
    """How many requests of an estimate have an answer that it does not know of.

    Raises:
        BackendUnavailable: there is no key.
    """
    if estimate.reason == "doubt" or job.asks_all(estimate.attempt):
        return 0
    account, told = account_for(job.spec.base_url), estimate.reused
    keep_all_answers(job.registry)
    answers = Answers(job.data_dir)
    if not answers.newest():
        return 0
    owner = owner_of(account.fingerprint, is_demo(account.base_url))
    if told is not None and told.owner == owner and told.newest == answers.newest():
        return 0
    return sum(found_in(answers, _keys(job.data_dir / file.path, owner)) for file in estimate.files)


def _keys(path: Path, owner: str) -> Iterator[bytes]:
    with path.open("rb") as file:
        for _, body in read_bodies(file):
            yield body_key(owner, hashlib.sha256(body).digest())
