"""Answers to prepared requests, asked one by one, kept line by line as batches return them.

A prepared request file as a whole is answered by any OpenAI-compatible server, resumable.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from ivan_core.backends.openai.chat import ANSWER_TOKENS, OpenAIChat
from ivan_core.backends.openai.client import Account, account_for, is_demo
from ivan_core.backends.openai.models import TokenCounter
from ivan_core.backends.prices import Price, given_price, listed_price
from ivan_core.domain.errors import BadInput
from ivan_core.domain.estimates import Dollars, typical_tokens
from ivan_core.domain.labels import DEMO_FINGERPRINT
from ivan_core.domain.models import ModelReply
from ivan_core.engine import access
from ivan_core.experiments.batches.estimates import over_cap
from ivan_core.experiments.batches.job import OUTPUT
from ivan_core.labels.completions import reply_of
from ivan_core.labels.request_files import Limits, check_request_file
from ivan_core.runs.locks import FileLock
from ivan_core.runs.storage import append_line, storage_errors
from ivan_core.settings import data_dir

Send = Callable[[Mapping[str, object]], ModelReply]
"""Asks for one reply; raises BackendUnavailable where the server is away."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a prepared file."""

    custom_id: str
    body: Mapping[str, object]


class AnswerFile:
    """A file of answers that grows line by line; each is on the disk before the next is asked for.

    A last line torn by a crash is cut off when the file is opened again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answered: set[str] = set()
        self.models: set[str] = set()
        self.input_tokens = self.output_tokens = 0
        self._end = 0
        self._read()

    def _read(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                record = _record(line)
                if not line.endswith(b"\n"):
                    break
                self._end += len(line)
                response = record.get("response")
                if isinstance(response, dict):
                    self.answered.add(str(record.get("custom_id")))
                    self._count(response)

    def _count(self, response: Mapping[str, Any]) -> None:
        with suppress(KeyError, TypeError):
            self.models.add(str(response["body"]["model"]))
        reply = reply_of(response.get("body"))
        self.input_tokens += reply.input_tokens or 0
        self.output_tokens += reply.output_tokens or 0

    def keep(self, custom_id: str, model: str, reply: ModelReply) -> None:
        """Append one answer; after this call it survives a power cut.

        Raises:
            StorageProblem: the disk is full or read-only; earlier answers are intact.
        """
        record = answer_record(custom_id, model, reply)
        data = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with storage_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self.path, self._end, data)
        self._end += len(data)
        if record["response"] is not None:
            self.answered.add(custom_id)
            self._count(record["response"])


def answer_record(custom_id: str, model: str, reply: ModelReply) -> dict[str, Any]:
    """A reply as a line of a batch's result file."""
    if reply.problem:
        error = {"code": "not_answered", "message": reply.problem}
        return {"custom_id": custom_id, "response": None, "error": error}
    message = {"role": "assistant", "content": reply.text, "refusal": reply.refusal or None}
    body: dict[str, Any] = {
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish or None}],
    }
    if reply.demo:
        body["system_fingerprint"] = DEMO_FINGERPRINT
    if reply.input_tokens is not None or reply.output_tokens is not None:
        body["usage"] = {
            "prompt_tokens": reply.input_tokens or 0,
            "completion_tokens": reply.output_tokens or 0,
        }
    response = {"status_code": 200, "body": body}
    return {"custom_id": custom_id, "response": response, "error": None}


def read_requests(paths: Sequence[Path]) -> Iterator[Asked]:
    """The requests of prepared files, which were checked before."""
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                record = json.loads(line)
                yield Asked(record["custom_id"], record["body"])


def answer_all(
    requests: Iterable[Asked],
    answers: AnswerFile,
    send: Send,
    concurrency: int = 1,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Ask for what is not answered yet; returns how many were answered.

    When the server goes away, or somebody stops it, answers on their way are still kept first: they
    are paid for.

    Raises:
        BackendUnavailable: the server is away; call again to go on.
    """
    left = (one for one in requests if one.custom_id not in answers.answered)
    before = len(answers.answered)
    waiting: dict[Future[ModelReply], Asked] = {}
    problem: BaseException | None = None

    def keep(
        futures: Iterable[Future[ModelReply]], tell: Callable[[int], None] | None = None
    ) -> None:
        nonlocal problem
        for future in futures:
            problem = problem or future.exception()
            if future.exception() is None and waiting[future].custom_id not in answers.answered:
                one = waiting[future]
                answers.keep(one.custom_id, str(one.body.get("model")), future.result())
            del waiting[future]
            if tell is not None:
                tell(len(answers.answered))

    with ThreadPoolExecutor(concurrency) as pool:
        try:
            while True:
                if problem is None:
                    for one in islice(left, concurrency - len(waiting)):
                        waiting[pool.submit(send, one.body)] = one
                if not waiting:
                    break
                keep(wait(waiting, return_when=FIRST_COMPLETED).done, progress)
        except BaseException:
            keep(wait(waiting).done)
            raise
    if problem is not None:
        raise problem
    return len(answers.answered) - before


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


_ANY_SIZE = Limits(requests=10**9, bytes=10**12)
_KEYS = 19


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What answering a file would take. `dollars` is None where no price is known."""

    path: Path
    out: Path
    model: str
    host: str
    demo: bool
    requests: int
    answered: int
    input_tokens: int
    dollars: Dollars | None
    price_from: str

    @property
    def left(self) -> int:
        return self.requests - self.answered


def plan_file(
    path: Path,
    base_url: str = "",
    model: str = "",
    out: Path | None = None,
    prices: tuple[float, float] | None = None,
) -> FilePlan:
    """Read a request file and its answers so far; nothing is sent.

    `model` is the name under which the server serves the model, if it is not the one in the file;
    `prices` are dollars per million input and output tokens.

    Raises:
        BadInput: it is no request file, or the answers are those of other requests.
        BackendUnavailable: there is no key for the server.
        NotAllowed: the visitor may not decide on a cost, or name this server.
    """
    access.require(access.Action.SPEND)
    access.check_address(base_url)
    checked = check_request_file(path, _ANY_SIZE)
    account = account_for(base_url)
    name = model or checked.model
    place = out or data_dir() / OUTPUT / f"{path.stem.removesuffix('-input')}-answers.jsonl"
    answers = AnswerFile(place)
    counter = TokenCounter(name)
    lengths: Counter[int] = Counter()
    bound, ids = 0, set()
    for one in read_requests([path]):
        ids.add(one.custom_id)
        if one.custom_id not in answers.answered:
            lengths[counter.request_tokens(one.body)] += 1
            bound = max(bound, _most_tokens(one.body))
    _same_requests(answers, ids, name)
    price = _price(name, account, prices)
    dollars = None
    if price is not None:
        typical = typical_tokens(_KEYS, bound or ANSWER_TOKENS)
        dollars = Dollars(price.requests(lengths, typical), price.requests(lengths, bound))
    return FilePlan(
        path,
        place,
        name,
        account.host,
        is_demo(account.base_url),
        checked.requests,
        len(answers.answered),
        sum(tokens * times for tokens, times in lengths.items()),
        dollars,
        price.source if price else "",
    )


def _most_tokens(body: Mapping[str, object]) -> int:
    asked = body.get("max_completion_tokens") or body.get("max_tokens")
    return asked if isinstance(asked, int) else ANSWER_TOKENS


def _same_requests(answers: AnswerFile, ids: set[str], model: str) -> None:
    if answers.answered - ids:
        raise BadInput(
            f"{answers.path.name} holds answers to other requests.", "Name another file: --out."
        )
    if answers.models - {model}:
        other = sorted(answers.models - {model})[0]
        raise BadInput(
            f"{answers.path.name} holds answers of {other[:60]}, not of {model}.",
            "Name another file: --out.",
        )


def _price(model: str, account: Account, prices: tuple[float, float] | None) -> Price | None:
    """A given price; else the price table's, which holds for the environment's server only."""
    if prices is not None:
        return given_price(*prices)
    return listed_price(model, batch=False) if account.of_environment else None


def run_file(
    plan: FilePlan,
    base_url: str = "",
    concurrency: int = 4,
    max_usd: float | None = None,
    progress: Callable[[int], None] | None = None,
    send: Send | None = None,
) -> AnswerFile:
    """Answer what is left of a planned file; each answer is on the disk before it is counted.

    Texts that the server could not answer are asked for again the next time.

    Raises:
        BadInput: the concurrency is none, no price is known, or a cap forbids the cost.
        BackendUnavailable: the server is away; what was answered is kept, call again to go on.
    """
    if not 1 <= concurrency <= 256:
        raise BadInput(f"{concurrency} requests at a time make no sense.", "Give 1 to 256.")
    if plan.dollars is None:
        raise BadInput(
            f"What {plan.model} costs at {plan.host} is not known.",
            "Give --input-usd and --output-usd (dollars per million tokens), or --free.",
        )
    capped = over_cap(max_usd, plan.dollars)
    if capped:
        raise BadInput(capped, "Nothing was sent. Raise the cap, or split the file.")
    ask = send or OpenAIChat(plan.model, account_for(base_url)).send
    with FileLock(plan.out.with_name(f".{plan.out.name}.lock")) as alone:
        if not alone.acquire():
            raise BadInput(f"Another command is writing {plan.out.name}.", "Wait for it.")
        answers = AnswerFile(plan.out)
        requests = (_of_model(one, plan.model) for one in read_requests([plan.path]))
        answer_all(requests, answers, ask, concurrency, progress)
    return answers


def _of_model(one: Asked, model: str) -> Asked:
    return replace(one, body={**one.body, "model": model})
