"""What a rewording costs where a provider is paid for texts: the estimate that a person accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ivan_core.datasets.chosen_rows import seeded_sample
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.estimates import Dollars, typical_tokens, usd
from ivan_core.domain.labels import REWRITE_FEATURES, TextKey
from ivan_core.domain.pairs import Pair
from ivan_core.domain.specs import RewriteSpec
from ivan_core.experiments.labels.reuse import answer_key
from ivan_core.experiments.rewrite.rows import KeptRewording, pieces_to_reword
from ivan_core.experiments.rewrite.units import AGAIN_PAIRS, LABELLED, Unit
from ivan_core.labels.prompt import build_prompt
from ivan_core.ledger.answers import Answers
from ivan_core.models.names import on_openai, served_name, way_of
from ivan_core.models.servers import may_charge
from ivan_core.rewording.accept import MOST_TRIES
from ivan_core.rewording.styles import ASKED, build_request
from ivan_core.runs.context import Parts
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.backends.openai.models import TokenCounter
    from ivan_core.backends.prices import Price

MOST_COUNTED = 100
"""Pairs whose requests are counted; more are estimated from a random draw of so many."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a provider is asked for, and what that costs; dollars are None if no price is known.

    `typical` counts each request once; at the most each is asked `MOST_TRIES` times and answered at
    the longest.
    """

    what: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    dollars: Dollars | None
    prices: str = ""
    here: int = 0
    """Labels of originals that this account has already: they are not asked for again."""

    @property
    def reused_sentence(self) -> str:
        """How many labels are here already; empty if none are."""
        if not self.here:
            return ""
        every = self.here + self.requests
        most = f", at the most {usd(self.dollars.bound)}" if self.dollars else ""
        return (
            f"{self.here:,} of these {every:,} have labels already: {self.requests:,} requests"
            f"{most}."
        )

    @property
    def sentence(self) -> str:
        tokens = (
            f"{self.requests:,} requests, about {self.input_tokens:,} tokens in and"
            f" {self.output_tokens:,} out"
        )
        if self.dollars is None:
            return f"{self.what} by {self.model}: no price is known ({tokens})."
        return (
            f"{self.what} by {self.model}: about {usd(self.dollars.typical)}, at the most"
            f" {usd(self.dollars.bound)} if answers have to be asked for again ({tokens};"
            f" {self.prices})."
        )


@dataclass
class _Asked:
    """Requests by their input tokens, with the tokens of usual and of the longest answers."""

    requests: Counter[tuple[int, int, int]] = field(default_factory=Counter)

    def add(self, tokens: int, typical: int, bound: int) -> None:
        self.requests[tokens, typical, bound] += 1

    def cost(self, what: str, model: str, scale: float) -> Cost:
        from ivan_core.backends.prices import listed_price

        requests = sum(self.requests.values())
        read = sum(one[0] * times for one, times in self.requests.items())
        written = sum(one[1] * times for one, times in self.requests.items())
        price = listed_price(model, batch=False)
        told = ""
        if price is not None:
            named = " ".join(filter(None, (price.source, price.version)))
            told = f"prices: {named}" + (f" of {price.date}" if price.date else "")
        return Cost(
            what,
            model,
            round(requests * scale),
            round(read * scale),
            round(written * scale),
            self._dollars(price, scale) if price else None,
            told,
        )

    def _dollars(self, price: Price, scale: float) -> Dollars:
        found = [
            (price.request(tokens, typical), price.request(tokens, bound), times)
            for (tokens, typical, bound), times in self.requests.items()
        ]
        return Dollars(
            scale * sum(usual * times for usual, _, times in found),
            scale * MOST_TRIES * sum(most * times for _, most, times in found),
        )


def costs(
    spec: RewriteSpec, dataset: PreparedDataset, row_ids: Sequence[int], paid: Sequence[str]
) -> tuple[Cost, ...]:
    """The cost of each of `paid` ("rewriter", "labeler") for these rows."""
    counted = tuple(seeded_sample(row_ids, spec.seed, MOST_COUNTED))
    account, newest = "", 0
    if "labeler" in paid:
        from ivan_core.backends.openai.client import account_for

        account, newest = account_for().fingerprint, Answers(data_dir()).newest()
    return _costs(spec, dataset, counted, len(row_ids), tuple(paid), account, newest)


def total(found: Sequence[Cost]) -> Dollars | None:
    """All of it; None where a price is not known."""
    known = [one.dollars for one in found if one.dollars is not None]
    if not found or len(known) < len(found):
        return None
    return Dollars(sum(one.typical for one in known), sum(one.bound for one in known))


def spent(spec: RewriteSpec, parts: Parts, units: Sequence[Unit]) -> float | None:
    """Dollars for the answers of a run at the listed prices; None where a price is not known.

    Nothing is paid on this machine. Answers that another run had paid for count nothing.
    """
    if not on_openai((spec.rewriter, spec.labeler)) or not may_charge():
        return 0
    from ivan_core.backends.prices import listed_price

    usd_spent = 0.0
    for name, found in ((spec.rewriter, _rewriting_tokens), (spec.labeler, _labelling_tokens)):
        if way_of(name) != "openai":
            continue
        price = listed_price(served_name(name), batch=False)
        if price is None:
            return None
        usd_spent += sum(price.request(read, written) for read, written in found(parts, units))
    return round(usd_spent, 6)


def _rewriting_tokens(parts: Parts, units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    for unit in units:
        for row in parts.rows(unit.key) if unit.stage == "rewordings" else ():
            one = KeptRewording.from_list(row)
            if one.style in ASKED:
                yield one.rewording.input_tokens or 0, one.rewording.output_tokens or 0


def _labelling_tokens(parts: Parts, units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    for unit in units:
        for *_, replies in parts.rows(unit.key) if unit.stage in ("labels", "again") else ():
            for reply in replies:
                yield reply["input_tokens"] or 0, reply["output_tokens"] or 0


def reused_labels(parts: Parts, units: Sequence[Unit]) -> dict[str, int]:
    """How many labels of a run were given to which other runs, and not asked for again."""
    found: Counter[str] = Counter()
    for unit in units:
        for *_, replies in parts.rows(unit.key) if unit.stage in ("labels", "again") else ():
            found[replies[-1].get("reused", "")] += 1
    return {run: count for run, count in found.items() if run}


@lru_cache(maxsize=16)
def _costs(
    spec: RewriteSpec,
    dataset: PreparedDataset,
    counted: tuple[int, ...],
    rows: int,
    paid: tuple[str, ...],
    account: str,
    newest: int,
) -> tuple[Cost, ...]:
    """`newest` is the number of the newest answer that is here: with a newer one it costs less."""
    pairs = list(dataset.pairs(counted))
    scale = rows / len(counted) if counted else 1.0
    found = []
    if "rewriter" in paid:
        model = served_name(spec.rewriter)
        found.append(_rewordings(spec, model, pairs).cost("Rewording", model, scale))
    if "labeler" in paid:
        model = served_name(spec.labeler)
        asked, here = _labels(model, pairs, rows, "" if spec.ask_again or not newest else account)
        cost = asked.cost("Labels", model, scale)
        found.append(replace(cost, here=round(here * scale)))
    return tuple(found)


def _rewordings(spec: RewriteSpec, model: str, pairs: Sequence[Pair]) -> _Asked:
    from ivan_core.backends.chats import rewording_room
    from ivan_core.backends.openai.models import TokenCounter, least_effort

    counter, asked = TokenCounter(model), _Asked()
    reasons = bool(least_effort(model))
    styles = [style for style in ASKED if spec.second or style != "second"]
    for pair in pairs:
        for piece in pieces_to_reword(pair, spec.scope):
            answer = counter.count(piece.printed)
            for style in styles:
                request = build_request(piece, style)
                read = _read(counter, request.system, request.user)
                asked.add(read, answer, rewording_room(piece.printed, reasons))
    return asked


def _labels(model: str, pairs: Sequence[Pair], rows: int, account: str) -> tuple[_Asked, int]:
    """Originals and rewordings, which are about as long, and some originals a second time.

    Beside it the number of labels of originals that `account` has already, which are not asked.
    """
    from ivan_core.backends.openai.chat import ANSWER_TOKENS, label_body
    from ivan_core.backends.openai.models import TokenCounter

    counter, asked = TokenCounter(model), _Asked()
    wanted: list[tuple[int, int, list[bytes]]] = []
    usual = typical_tokens(len(REWRITE_FEATURES), ANSWER_TOKENS)
    again = round(len(pairs) * min(1.0, AGAIN_PAIRS / rows)) if rows else 0
    for place, pair in enumerate(pairs):
        times = len(LABELLED) if not pair.unrated else 1
        times += place < again
        for key, text in _texts(pair):
            prompt = build_prompt(key, text, REWRITE_FEATURES)
            body = label_body(prompt, model)
            read = counter.request_tokens(body)
            rounds = (False, True) if place < again else (False,)
            keys = [answer_key(account, False, prompt, body, one) for one in rounds]
            wanted.append((times, read, keys if account else []))
    known = Answers(data_dir()).find([one for *_, keys in wanted for one in keys])
    here = 0
    for times, read, keys in wanted:
        found = sum(one in known for one in keys)
        here += found
        for _ in range(times - found):
            asked.add(read, usual, ANSWER_TOKENS)
    return asked, here


def _texts(pair: Pair) -> Iterator[tuple[TextKey, str]]:
    yield TextKey(pair.row_id, "chosen"), pair.chosen.text
    yield TextKey(pair.row_id, "rejected"), pair.rejected.text


def _read(counter: TokenCounter, system: str, user: str) -> int:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return counter.request_tokens({"messages": messages})
