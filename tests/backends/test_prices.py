"""Prices of requests and facts about models, with amounts worked by hand."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given, settings, strategies as st

from ivan_core.backends import prices
from ivan_core.backends.openai.models import default_model, model_family, shutdown, suggested_models
from ivan_core.backends.prices import given_price, listed_price
from ivan_core.domain.errors import BadInput

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LUNA = "gpt-6-luna"


def luna(batch: bool = True) -> prices.Price:
    price = listed_price(LUNA, batch=batch, when=NOW)
    assert price is not None
    return price


def test_five_thousand_texts_cost_57_cents_as_a_batch():
    # 5,000 x (1,400 x 0.05 + 180 x 0.25) / 1e6 = 0.35 + 0.225
    assert luna().requests([1400] * 5000, 180) == pytest.approx(0.575)


@pytest.mark.parametrize(
    ("model", "dollars_in", "dollars_out"),
    [
        (LUNA, 0.05, 0.25),
        ("gpt-5.6-luna", 0.10, 0.60),
        ("gpt-6.1-terra", 0.50, 2.50),
        ("gpt-6.1-sol", 1.0, 5.0),
    ],
)
def test_a_batch_costs_half_for_every_suggested_model(model, dollars_in, dollars_out):
    batch, standard = (listed_price(model, batch=b, when=NOW) for b in (True, False))
    assert batch is not None and standard is not None
    assert batch.batch and not standard.batch
    assert (batch.input_usd_per_million, batch.output_usd_per_million) == (dollars_in, dollars_out)
    assert standard.request(1400, 180) == pytest.approx(2 * batch.request(1400, 180))


def test_many_short_requests_are_not_priced_as_one_long_one():
    # All 7,000,000 tokens in one request would pay 0.10 and 0.375: 0.70 + 0.3375.
    assert luna().request(7_000_000, 900_000) == pytest.approx(1.0375)
    assert luna().requests({1400: 5000}, 180) == pytest.approx(0.575)
    assert luna().used(7_000_000, 900_000) == pytest.approx(0.575)


def test_a_request_is_long_above_its_limit_and_not_at_it():
    assert luna().request(272_000, 0) == pytest.approx(0.0136)
    assert luna().request(272_001, 0) == pytest.approx(0.0272001)


def test_a_misspelt_context_would_silently_cost_the_standard_price(monkeypatch):
    monkeypatch.setattr(prices, "_BATCH", {"procesing": "batch"})
    price = luna(batch=True)
    assert price.input_usd_per_million == 0.10
    assert not price.batch


def test_before_batch_rates_were_known_the_price_says_that_it_has_none():
    price = listed_price(LUNA, batch=True, when=datetime(2026, 10, 1, tzinfo=UTC))
    assert price is not None
    assert (price.batch, price.input_usd_per_million) == (False, 0.10)


@pytest.mark.parametrize(
    "model", ["llama-9", "ft:gpt-4o-mini:us", "my-gpt-6-luna", "", "whisper-1"]
)
def test_an_unknown_model_has_no_price(model):
    assert listed_price(model, batch=True, when=NOW) is None


def test_the_table_is_named_with_version_and_date():
    price = luna()
    assert price.source == "genai-prices"
    assert price.version and price.version[0].isdigit()
    assert date(2026, 10, 14) <= date.fromisoformat(price.date) <= NOW.date()


@settings(max_examples=60)
@given(
    tokens=st.integers(1, 900_000),
    answer=st.integers(0, 5_000),
    model=st.sampled_from([*suggested_models(), "gpt-4o-mini"]),
    batch=st.booleans(),
)
def test_a_request_costs_what_the_library_says(tokens, answer, model, batch):
    price = listed_price(model, batch=batch, when=NOW)
    theirs = calc_price(
        Usage(input_tokens=tokens, output_tokens=answer),
        model,
        provider_id="openai",
        genai_request_timestamp=NOW,
        price_context={"processing": "batch"} if batch else None,
    )
    assert price is not None
    assert price.request(tokens, answer) == pytest.approx(float(theirs.total_price), rel=1e-9)


@given(tokens=st.lists(st.integers(1, 400_000), max_size=30))
def test_counted_and_listed_requests_cost_the_same(tokens):
    one_by_one = sum(luna().request(n, 180) for n in tokens)
    assert luna().requests(tokens, 180) == pytest.approx(one_by_one)
    assert luna().requests(Counter(tokens), 180) == pytest.approx(one_by_one)


def test_a_price_may_be_given():
    price = given_price(2.0, 8.0)
    assert price.request(1_000_000, 500_000) == pytest.approx(6.0)
    assert (price.source, price.batch) == ("given by you", False)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf"), 1e6])
def test_an_odd_price_is_refused(wrong):
    with pytest.raises(BadInput, match="is not a price"):
        given_price(0.1, wrong)


def test_models_past_and_near_their_end_are_known():
    assert shutdown("gpt-4-turbo") == date(2026, 10, 23)
    assert shutdown("gpt-4-turbo-2024-04-09") == date(2026, 10, 23)
    assert shutdown("gpt-3.5-turbo-0125") == date(2026, 10, 23)
    assert shutdown("gpt-4o") == shutdown("gpt-4o-mini-2024-07-18") == date(2027, 1, 14)
    assert shutdown("gpt-5-nano") == date(2026, 12, 11)
    assert shutdown(LUNA) is None and shutdown("gpt-4.1-mini") is None


def test_the_default_model_is_suggested_and_stays():
    assert default_model() == LUNA == suggested_models()[0]
    assert all(shutdown(model) is None for model in suggested_models())


def test_the_longest_prefix_names_the_family():
    efforts = {
        m: f.effort
        for m in ("gpt-6.1-sol", "gpt-5.6-luna", "gpt-5-mini", "o3", "gpt-4o")
        if (f := model_family(m))
    }
    assert efforts == {
        "gpt-6.1-sol": "none",
        "gpt-5.6-luna": "none",
        "gpt-5-mini": "minimal",
        "o3": "low",
        "gpt-4o": "",
    }
    assert model_family("llama-9") is None
