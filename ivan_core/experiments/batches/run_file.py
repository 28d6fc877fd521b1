"""A prepared request file, answered by any OpenAI-compatible server, line by line, resumable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ivan_core.backends.openai.chat import ANSWER_TOKENS, OpenAIChat
from ivan_core.backends.openai.client import Account, account_for, is_demo
from ivan_core.backends.openai.models import TokenCounter
from ivan_core.backends.prices import Price, given_price, listed_price
from ivan_core.domain.errors import BadInput
from ivan_core.domain.estimates import Dollars, typical_tokens
from ivan_core.engine import access
from ivan_core.experiments.batches.answers import AnswerFile, Asked, Send, answer_all, read_requests
from ivan_core.experiments.batches.estimates import over_cap
from ivan_core.experiments.batches.results import OUTPUT
from ivan_core.labels.request_files import Limits, check_request_file
from ivan_core.runs.locks import FileLock
from ivan_core.settings import data_dir

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
