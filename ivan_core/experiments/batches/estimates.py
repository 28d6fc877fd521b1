"""Estimates of what labelling costs: made from counted requests and a price table, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ivan_core.backends.openai.models import shutdown
from ivan_core.backends.prices import Price, given_price, listed_price
from ivan_core.domain.errors import BadInput
from ivan_core.domain.estimates import (
    Dollars,
    Estimate,
    EstimatedFile,
    Mode,
    PriceFacts,
    Rates,
    Reason,
    Reused,
    typical_tokens,
    usd,
)
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.experiments.batches.job import write_text
from ivan_core.ledger.records import plan_hash
from ivan_core.settings import setting

CAP = "IVAN_MAX_USD"
_GIVEN = "prices.json"


@dataclass(frozen=True, slots=True)
class Prices:
    """Batch and standard rates of a model, as the price table has them or a person gave them."""

    batch: Price
    standard: Price

    @property
    def facts(self) -> PriceFacts:
        one = self.batch
        return PriceFacts(
            Rates(one.input_usd_per_million, one.output_usd_per_million),
            Rates(self.standard.input_usd_per_million, self.standard.output_usd_per_million),
            one.source,
            one.version,
            one.date,
            one.batch or one.source == "given by you",
        )


def prices_of(spec: TaxonomySpec, folder: Path | None = None) -> Prices | None:
    """The prices of a run's model: those given for it, else the table's; None if nobody knows.

    Raises:
        BadInput: a price was given that is none.
    """
    given = _given(spec, folder)
    if given is not None:
        return Prices(given, given)
    batch, standard = listed_price(spec.model, batch=True), listed_price(spec.model, batch=False)
    return Prices(batch, standard) if batch and standard else None


def _given(spec: TaxonomySpec, folder: Path | None) -> Price | None:
    if spec.input_usd is not None and spec.output_usd is not None:
        return given_price(spec.input_usd, spec.output_usd)
    path = folder / _GIVEN if folder else None
    if path is None or not path.exists():
        return None
    return given_price(*json.loads(path.read_text("utf-8")))


def keep_prices(folder: Path, input_usd: float, output_usd: float) -> None:
    """Keep prices that a person gives for a run whose model nobody knows one for.

    Raises:
        BadInput: a number is no price.
    """
    given_price(input_usd, output_usd)
    write_text(folder / _GIVEN, json.dumps([input_usd, output_usd]))


def make_estimate(
    spec: TaxonomySpec,
    prices: Prices | None,
    files: tuple[EstimatedFile, ...],
    lengths: Mapping[int, int],
    *,
    attempt: int,
    rows: int,
    counted: str,
    exact: bool,
    reason: Reason = "first",
    mode: Mode = "batch",
    may_charge_twice: bool = False,
    reused: Reused | None = None,
) -> Estimate:
    """The estimate of an attempt; requests are priced one by one, by how long each is."""
    requests = sum(lengths.values())
    estimate = Estimate(
        attempt=attempt,
        reason=reason,
        mode=mode,
        model=spec.model,
        rows=rows,
        requests=requests,
        files=files,
        input_tokens=sum(tokens * times for tokens, times in lengths.items()),
        counted=counted,
        exact=exact,
        output_typical=requests * _typical(spec),
        output_bound=requests * spec.max_completion_tokens,
        batch=None,
        standard=None,
        prices=None,
        may_charge_twice=may_charge_twice,
        reused=reused,
    )
    return _priced(estimate, spec, prices, lengths)


def _priced(
    estimate: Estimate, spec: TaxonomySpec, prices: Prices | None, lengths: Mapping[int, int]
) -> Estimate:
    """The estimate at some prices, with the hash of all that a confirmation is bound to."""
    last_day = shutdown(spec.model)
    priced = replace(
        estimate,
        batch=_dollars(prices.batch, lengths, spec) if prices else None,
        standard=_dollars(prices.standard, lengths, spec) if prices else None,
        prices=prices.facts if prices else None,
        shutdown=last_day.isoformat() if last_day else "",
    )
    sha256s = [file.sha256 for file in priced.files]
    return replace(priced, plan_hash=plan_hash(sha256s, priced.facts, priced.price_table))


def _typical(spec: TaxonomySpec) -> int:
    return typical_tokens(len(spec.keys), spec.max_completion_tokens)


def _dollars(price: Price, lengths: Mapping[int, int], spec: TaxonomySpec) -> Dollars:
    bound = spec.max_completion_tokens
    return Dollars(price.requests(lengths, _typical(spec)), price.requests(lengths, bound))


def repriced(spec: TaxonomySpec, folder: Path, estimate: Estimate) -> Estimate:
    """The same requests at the prices of today."""
    prices = prices_of(spec, folder)
    if (prices.facts if prices else None) == estimate.prices:
        return estimate
    return _priced(estimate, spec, prices, read_lengths(folder, estimate.attempt))


def over_cap(max_usd: float | None, dollars: Dollars | None) -> str:
    """Why a cap forbids to spend so much, as a sentence; empty if none does.

    The lower of the cap that was asked for and that of the setting counts.

    Raises:
        BadInput: the setting is no number.
    """
    text = setting(CAP).strip()
    try:
        caps = [float(text)] if text else []
    except ValueError:
        raise BadInput(f"{CAP} is {text[:20]!r}.", "Give dollars, such as 5.") from None
    cap = min([*caps, *([max_usd] if max_usd is not None else [])], default=None)
    if cap is None or dollars is None or dollars.bound <= cap:
        return ""
    return f"This may cost up to {usd(dollars.bound)}, and the cap is {usd(cap)}."


def estimate_path(folder: Path, attempt: int) -> Path:
    return folder / f"estimate-{attempt}.json"


def keep_estimate(
    folder: Path, estimate: Estimate, lengths: Mapping[int, int] | None = None
) -> None:
    """Write the estimate of an attempt, and first how long its requests are."""
    if lengths is not None:
        write_text(_lengths_path(folder, estimate.attempt), json.dumps(sorted(lengths.items())))
    write_text(estimate_path(folder, estimate.attempt), estimate.as_json())


def read_lengths(folder: Path, attempt: int) -> dict[int, int]:
    """How many requests of an attempt have so many input tokens."""
    return dict(json.loads(_lengths_path(folder, attempt).read_text("utf-8")))


def _lengths_path(folder: Path, attempt: int) -> Path:
    return folder / f"lengths-{attempt}.json"
