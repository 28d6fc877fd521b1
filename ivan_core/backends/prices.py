"""What requests cost, from the price table that ships with `genai-prices` or as the user says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from ivan_core.domain.errors import BadInput

_BATCH = {"processing": "batch"}


@dataclass(frozen=True, slots=True)
class LongRate:
    """The dearer rates of a request with more than `above` input tokens."""

    above: int
    input_usd_per_million: float
    output_usd_per_million: float


@dataclass(frozen=True, slots=True)
class Price:
    """Rates in US dollars, and where they are from.

    `batch` is True for batch rates; where it was asked for and is False, the table knows none and
    these are the standard rates. `date` is the newest day from which a
    price in the table holds.
    """

    input_usd_per_million: float
    output_usd_per_million: float
    source: str
    version: str = ""
    date: str = ""
    batch: bool = False
    long: tuple[LongRate, ...] = ()

    def request(self, input_tokens: int, output_tokens: int) -> float:
        """Dollars for one request."""
        rate: Price | LongRate = self
        for step in self.long:
            if input_tokens > step.above:
                rate = step
        dollars = input_tokens * rate.input_usd_per_million
        return (dollars + output_tokens * rate.output_usd_per_million) / 1e6

    def requests(
        self, input_tokens: Iterable[int] | Mapping[int, int], output_tokens: int
    ) -> float:
        """Dollars for many requests: the input tokens of each, or how many requests have so many.

        Every request is expected to answer with `output_tokens`. Requests are priced one by one,
        because long ones cost more a token: the sum of all tokens would be priced as one of those.
        """
        counted = input_tokens if isinstance(input_tokens, Mapping) else Counter(input_tokens)
        return sum(self.request(tokens, output_tokens) * times for tokens, times in counted.items())

    def used(self, input_tokens: int, output_tokens: int) -> float:
        """Dollars for the tokens of a finished batch, whose requests were all short ones."""
        dollars = input_tokens * self.input_usd_per_million
        return (dollars + output_tokens * self.output_usd_per_million) / 1e6


def listed_price(model: str, *, batch: bool, when: datetime | None = None) -> Price | None:
    """The price of an OpenAI model; None if the table does not know it.

    `when` is the time of the requests, now if not given.
    """
    import genai_prices as table

    moment = when or datetime.now(UTC)
    try:
        standard = _rates(model, moment, {})
        rates = _rates(model, moment, _BATCH) if batch else standard
    except LookupError:
        return None
    steps_in, steps_out = _steps(rates.input_mtok), _steps(rates.output_mtok)
    if not steps_in or not steps_out:
        return None
    starts = sorted({start for start in steps_in | steps_out if start >= 0})
    # Prices are announced ahead, so days to come say nothing about the table's age.
    newest = max((day for day in _days() if day <= moment.date()), default=None)
    return Price(
        steps_in[-1],
        steps_out[-1],
        source="genai-prices",
        version=table.__version__,
        date=newest.isoformat() if newest else "",
        # A context that the table does not know silently gets the standard rates.
        batch=batch and rates != standard,
        long=tuple(LongRate(at, _at(steps_in, at), _at(steps_out, at)) for at in starts),
    )


def given_price(input_usd_per_million: float, output_usd_per_million: float) -> Price:
    """A price that a person typed in, for a model that the table does not know."""
    for value in (input_usd_per_million, output_usd_per_million):
        if not 0 <= value <= 10_000:
            raise BadInput(
                f"{value:g} is not a price in dollars per million tokens.",
                "Give the input and the output price from the provider's page, for example 0.05.",
            )
    return Price(input_usd_per_million, output_usd_per_million, source="given by you")


def _rates(model: str, when: datetime, context: Mapping[str, str]) -> Any:
    from genai_prices import Usage, calc_price

    priced = calc_price(
        Usage(input_tokens=1, output_tokens=1),
        model,
        provider_id="openai",
        genai_request_timestamp=when,
        price_context=context,
    )
    return priced.model_price


def _steps(rate: Any) -> dict[int, float]:
    """Dollars per million tokens by the input tokens above which they hold; -1: from the first."""
    if rate is None:
        return {}
    if not hasattr(rate, "tiers"):
        return {-1: float(rate)}
    return {-1: float(rate.base)} | {tier.start: float(tier.price) for tier in rate.tiers}


def _at(steps: Mapping[int, float], start: int) -> float:
    return steps[max(step for step in steps if step <= start)]


@lru_cache(maxsize=1)
def _days() -> tuple[date, ...]:
    """The days on which prices in the table begin; the table itself carries no date."""
    from genai_prices.data import providers

    constraints = [
        entry.constraint
        for provider in providers
        for model in provider.models
        for entry in (*_listed(model.prices), *(model.price_variants or ()))
    ]
    starts = (getattr(constraint, "start_date", None) for constraint in constraints)
    return tuple(start for start in starts if start is not None)


def _listed(prices: Any) -> list[Any]:
    return prices if isinstance(prices, list) else []
