"""What labelling with a paid model would cost: the estimate that a person confirms or does not."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from ivan_core.domain.words import number_of

Mode = Literal["batch", "now"]
"""As a batch of the provider, at its batch price, or text by text at once, at the standard one."""
Reason = Literal["first", "repair", "doubt"]
"""Why there is an attempt: the first; for what has no usable labels; for what may have been sent.
"""
TYPICAL_TOKENS = 180
"""Output tokens of an answer with all 19 labels: 19 names and short values, as measured."""
TYPICAL_KEYS = 19
_MOST_RUNS = 3


def typical_tokens(keys: int, bound: int) -> int:
    """Output tokens of a usual answer with so many labels."""
    return min(bound, max(20, round(TYPICAL_TOKENS * keys / TYPICAL_KEYS)))


@dataclass(frozen=True, slots=True)
class EstimatedFile:
    """One request file. `path` is relative to the data folder, `part` its number in the run."""

    part: int
    path: str
    sha256: str
    requests: int
    bytes: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars per million tokens."""

    input_usd: float
    output_usd: float


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """The rates that an estimate is made with, and where they are from.

    `batch_known` is False where the table has no batch rates and the standard ones are taken.
    """

    batch: Rates
    standard: Rates
    source: str
    version: str = ""
    date: str = ""
    batch_known: bool = True

    @property
    def sentence(self) -> str:
        named = " ".join(part for part in (self.source, self.version) if part)
        told = f"Prices: {named}" + (f", as of {self.date}" if self.date else "")
        if not self.batch_known:
            return f"{told}; no batch price is known, so the standard price is taken."
        return f"{told}."


@dataclass(frozen=True, slots=True)
class Dollars:
    """What the requests cost with answers of usual length, and with the longest allowed ones."""

    typical: float
    bound: float


@dataclass(frozen=True, slots=True)
class Reused:
    """Texts of an attempt whose exact requests were answered before, and are not asked again.

    `count` answers lie in a file with the hash `sha256`. `runs` gave them, the one with the most
    first. `again` is how many more have an answer and are asked again all the same. `owner` is the
    account that was looked for, `newest` the number of its newest answer then.
    """

    count: int
    sha256: str
    runs: tuple[str, ...]
    again: int
    owner: str
    newest: int

    def sentence(self, asked: int, most: str) -> str:
        """What is told beside a cost; empty if nobody answered anything before."""
        if not self.count and not self.again:
            return ""
        named = ", ".join(self.runs[:_MOST_RUNS])
        more = f" and {len(self.runs) - _MOST_RUNS:,} more" if len(self.runs) > _MOST_RUNS else ""
        where = f"({'run' if len(self.runs) == 1 else 'runs'} {named}{more})"
        if self.again:
            one = self.again == 1
            return (
                f"{self.again:,} of these {asked:,} {'has' if one else 'have'} labels already "
                f"{where}: {'it is' if one else 'they are'} asked and paid once more."
            )
        one, total = self.count == 1, asked + self.count
        told = (
            f"{self.count:,} of these {total:,} {'has' if one else 'have'} labels already {where}"
        )
        if not asked:
            return f"{told}: nothing is asked, and nothing is paid."
        return f"{told}: {number_of(asked, 'request')}, {most}."


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one attempt would send and cost. `plan_hash` binds a confirmation to all of it.

    `counted` says how input tokens were counted, `exact` whether that is how the model counts.
    Dollars and prices are None where no price is known. `shutdown` is the model's last day, empty
    if none is known. `may_charge_twice` marks requests that the provider may have got before.
    """

    attempt: int
    reason: Reason
    mode: Mode
    model: str
    rows: int
    requests: int
    files: tuple[EstimatedFile, ...]
    input_tokens: int
    counted: str
    exact: bool
    output_typical: int
    output_bound: int
    batch: Dollars | None
    standard: Dollars | None
    prices: PriceFacts | None
    shutdown: str = ""
    may_charge_twice: bool = False
    plan_hash: str = ""
    reused: Reused | None = None

    @property
    def dollars(self) -> Dollars | None:
        """What this attempt costs in its own way of sending."""
        return self.batch if self.mode == "batch" else self.standard

    @property
    def facts(self) -> dict[str, Any]:
        """What a confirmation is bound to beside files and prices: nothing that names the run."""
        left_out = ("files", "prices", "plan_hash", "shutdown", "reused")
        facts = {name: value for name, value in asdict(self).items() if name not in left_out}
        if self.reused and self.reused.count:
            facts["reused"] = {"count": self.reused.count, "sha256": self.reused.sha256}
        return facts

    @property
    def reused_sentence(self) -> str:
        """How many texts have labels already, and what that leaves to be paid; empty if none."""
        if self.reused is None:
            return ""
        if self.dollars is None:
            return self.reused.sentence(self.requests, "at a price not known")
        bound = self.dollars.bound
        told = f"${bound:,.2f}" if bound >= 0.01 else usd(bound)
        return self.reused.sentence(self.requests, f"at the most {told}")

    @property
    def price_table(self) -> str:
        return json.dumps(asdict(self.prices), sort_keys=True) if self.prices else ""

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=1)


def read_estimate(text: str) -> Estimate:
    """An estimate as `as_json` wrote it."""
    return _reader().validate_json(text)


@cache
def _reader() -> TypeAdapter[Estimate]:
    return TypeAdapter(Estimate)


def estimate_lines(estimate: Estimate) -> list[tuple[str, str]]:
    """The estimate as names and values, in the order in which they are read."""
    tokens = f"{estimate.input_tokens:,} ({'counted' if estimate.exact else 'estimate'}, "
    tokens += f"{estimate.counted})"
    lines = [
        ("model", estimate.model),
        (
            "requests",
            f"{estimate.requests:,} for {estimate.rows:,} pairs, in "
            f"{number_of(len(estimate.files), 'file')}",
        ),
        ("input tokens", tokens),
        (
            "output tokens",
            f"{estimate.output_typical:,} typical, {estimate.output_bound:,} at the most",
        ),
        ("price as a batch", _priced(estimate.batch)),
        ("price at once", _priced(estimate.standard)),
    ]
    if estimate.prices:
        rates = estimate.prices.batch if estimate.mode == "batch" else estimate.prices.standard
        lines.append(("per million tokens", f"${rates.input_usd:g} in, ${rates.output_usd:g} out"))
        lines.append(("prices from", estimate.prices.sentence.removeprefix("Prices: ").rstrip(".")))
    if estimate.reused_sentence:
        lines.insert(1, ("labels already", estimate.reused_sentence))
    if estimate.shutdown:
        lines.append(("shutdown", f"the provider serves this model until {estimate.shutdown}"))
    return lines


def _priced(dollars: Dollars | None) -> str:
    if dollars is None:
        return "not known"
    return f"{usd(dollars.typical)} typical, {usd(dollars.bound)} at the most"


def usd(amount: float) -> str:
    """Dollars as people read them; less than a dollar with enough digits to tell it from none."""
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.4f}"


def roughly(dollars: float) -> str:
    """A price that nobody has counted yet: "free", "about $0.02", "about $46"."""
    if not dollars:
        return "free"
    if dollars < 0.01:
        return "less than $0.01"
    return f"about ${dollars:,.2f}" if dollars < 10 else f"about ${float(f'{dollars:.2g}'):,.0f}"
