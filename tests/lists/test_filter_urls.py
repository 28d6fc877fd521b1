"""Filters survive URLs and never raise; each condition has one chip that takes it away."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from given.any_filters import ANY_FILTER
from hypothesis import given, strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare.conditions import LANGUAGE, MarginIn, Sort
from ivan_core.experiments.compare.verdicts import VerdictIs
from ivan_core.lists.conditions import MOST_CONDITIONS, Filter
from ivan_core.lists.pairs import SubsetIs
from ivan_core.lists.url import parameters, query_of, read_filter


@given(ANY_FILTER)
def test_a_filter_survives_a_url(row_filter):
    url = urlencode(query_of(row_filter))
    read, ignored = read_filter(LANGUAGE, dict(parse_qsl(url, keep_blank_values=True)))
    assert read == row_filter
    assert ignored == []
    assert query_of(read) == query_of(row_filter)


@given(ANY_FILTER)
def test_every_condition_has_one_chip_that_takes_it_away(row_filter):
    found = row_filter.chips()
    assert len({chip.key for chip in found}) == len(found) == len(row_filter.conditions)
    for chip, condition in zip(found, row_filter.conditions, strict=True):
        assert chip.label
        left = row_filter.without(chip.key)
        assert condition not in left.conditions
        assert len(left.conditions) == len(row_filter.conditions) - 1
        assert left.sort == row_filter.sort
    assert row_filter.sort.words({})


_hostile = st.one_of(
    st.text(max_size=60),
    st.text("~!0nte.-1ab", max_size=30),
    st.integers(),
    st.none(),
    st.lists(st.text(max_size=5), max_size=3),
    st.binary(max_size=8),
)


@given(st.dictionaries(st.sampled_from([*parameters(LANGUAGE), "run", "row", "x"]), _hostile))
def test_a_hostile_url_is_read_or_ignored_and_never_raises(query):
    read, ignored = read_filter(LANGUAGE, query)
    assert read_filter(LANGUAGE, query_of(read)) == (read, [])
    assert all("\n" not in named and len(named) < 80 for named in ignored)


def test_what_is_not_understood_is_named_and_the_rest_holds():
    read, ignored = read_filter(
        LANGUAGE,
        {
            "verdict": "m~agree~~m2~loves",
            "margin": "m~nan~1~~m~2~1",
            "sort": "beauty",
            "column": "../../etc~1",
            "subset": "helpful",
            "row": "7",
        },
    )
    assert read == Filter(
        LANGUAGE, (VerdictIs(model="m", verdict="agree"), SubsetIs(label="helpful"))
    )
    assert ignored == [
        "verdict=m2~loves",
        "margin=m~nan~1",
        "margin=m~2~1",
        "column=../../etc~1",
        "sort=beauty",
    ]


def test_urls_are_short_and_readable():
    row_filter = (
        Filter(LANGUAGE)
        .add(VerdictIs(model="ivan/minilm-control", verdict="disagree"))
        .add(MarginIn(model="m", low=-1.0, high=0.5))
        .sorted_by(Sort(by="sharpest", descending=True))
    )
    assert query_of(row_filter) == {
        "verdict": "ivan/minilm-control~disagree",
        "margin": "m~-1~0.5",
        "sort": "sharpest~1",
    }


def test_a_condition_replaces_the_one_it_contradicts():
    row_filter = Filter(LANGUAGE).add(VerdictIs(model="m", verdict="agree"))
    row_filter = row_filter.add(VerdictIs(model="m", verdict="tie"))
    assert row_filter.conditions == (VerdictIs(model="m", verdict="tie"),)


def test_too_many_conditions_are_refused_in_a_sentence():
    row_filter = Filter(LANGUAGE)
    for number in range(MOST_CONDITIONS):
        row_filter = row_filter.add(VerdictIs(model=f"m{number}", verdict="tie"))
    with pytest.raises(BadInput, match="24 conditions"):
        row_filter.add(VerdictIs(model="one more", verdict="tie"))
    query = {"verdict": "~~".join(f"m{number}~tie" for number in range(MOST_CONDITIONS + 1))}
    read, ignored = read_filter(LANGUAGE, query)
    assert (len(read.conditions), ignored) == (MOST_CONDITIONS, ["verdict=m24~tie"])


def test_a_head_sorts_by_its_column_and_turns_the_order_when_clicked_again():
    start = Filter(LANGUAGE).add(VerdictIs(model="m", verdict="agree"))
    row = start.by_head("row_id", ("m", "n"))
    assert query_of(row)["sort"] == "row~1"
    assert row.by_head("row_id", ("m", "n")) == start
    most = start.by_head("n", ("m", "n"))
    assert most.sort == Sort(by="margin", of="n", descending=True)
    least = most.by_head("n", ("m", "n"))
    assert least.sort == Sort(by="margin", of="n")
    assert least.by_head("row_id", ("m", "n")).sort == Sort(by="row")
    assert least.by_head("chosen", ("m", "n")) == least
