"""Filters survive URLs and never raise; each condition has one chip that takes it away."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from any_filters import ANY_FILTER
from hypothesis import given
from hypothesis import strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare.chips import chips, sort_label
from ivan_core.experiments.compare.conditions import (
    MarginIn,
    Sort,
    SubsetIs,
    VerdictIs,
)
from ivan_core.lists.conditions import MOST_CONDITIONS, QUERY_KEYS, RowFilter, without


@given(ANY_FILTER)
def test_a_filter_survives_a_url(row_filter):
    url = urlencode(row_filter.to_query())
    read, ignored = RowFilter.from_query(dict(parse_qsl(url, keep_blank_values=True)))
    assert read == row_filter
    assert ignored == []
    assert read.to_query() == row_filter.to_query()


@given(ANY_FILTER)
def test_every_condition_has_one_chip_that_takes_it_away(row_filter):
    found = chips(row_filter)
    assert len({chip.key for chip in found}) == len(found) == len(row_filter.conditions)
    for chip, condition in zip(found, row_filter.conditions, strict=True):
        assert chip.label
        left = without(row_filter, chip.key)
        assert condition not in left.conditions
        assert len(left.conditions) == len(row_filter.conditions) - 1
        assert left.sort == row_filter.sort
    assert sort_label(row_filter.sort)


_hostile = st.one_of(
    st.text(max_size=60), st.text("~!0nte.-1ab", max_size=30), st.integers(), st.none(),
    st.lists(st.text(max_size=5), max_size=3), st.binary(max_size=8),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([*QUERY_KEYS, "run", "row", "x"]), _hostile))
def test_a_hostile_url_is_read_or_ignored_and_never_raises(query):
    read, ignored = RowFilter.from_query(query)
    assert RowFilter.from_query(read.to_query()) == (read, [])
    assert all("\n" not in named and len(named) < 80 for named in ignored)


def test_what_is_not_understood_is_named_and_the_rest_holds():
    read, ignored = RowFilter.from_query(
        {
            "verdict": "m~agree~~m2~loves",
            "margin": "m~nan~1~~m~2~1",
            "sort": "beauty",
            "column": "../../etc~1",
            "subset": "helpful",
            "row": "7",
        }
    )
    assert read == RowFilter(
        conditions=(VerdictIs(model="m", verdict="agree"), SubsetIs(label="helpful"))
    )
    assert ignored == [
        "verdict=m2~loves", "margin=m~nan~1", "margin=m~2~1", "column=../../etc~1", "sort=beauty",
    ]  # fmt: skip


def test_urls_are_short_and_readable():
    row_filter = (
        RowFilter()
        .with_(VerdictIs(model="ivan/minilm-control", verdict="disagree"))
        .with_(MarginIn(model="m", low=-1.0, high=0.5))
        .sorted_by(Sort(by="sharpest", descending=True))
    )
    assert row_filter.to_query() == {
        "verdict": "ivan/minilm-control~disagree",
        "margin": "m~-1~0.5",
        "sort": "sharpest~1",
    }


def test_a_condition_replaces_the_one_it_contradicts():
    row_filter = RowFilter().with_(VerdictIs(model="m", verdict="agree"))
    row_filter = row_filter.with_(VerdictIs(model="m", verdict="tie"))
    assert row_filter.conditions == (VerdictIs(model="m", verdict="tie"),)


def test_too_many_conditions_are_refused_in_a_sentence():
    row_filter = RowFilter()
    for number in range(MOST_CONDITIONS):
        row_filter = row_filter.with_(VerdictIs(model=f"m{number}", verdict="tie"))
    with pytest.raises(BadInput, match="24 conditions"):
        row_filter.with_(VerdictIs(model="one more", verdict="tie"))
    query = {"verdict": "~~".join(f"m{number}~tie" for number in range(MOST_CONDITIONS + 1))}
    read, ignored = RowFilter.from_query(query)
    assert (len(read.conditions), ignored) == (MOST_CONDITIONS, ["verdict=m24~tie"])


def test_a_head_sorts_by_its_column_and_turns_the_order_when_clicked_again():
    start = RowFilter().with_(VerdictIs(model="m", verdict="agree"))
    row = start.sorted_by_head("row_id", ("m", "n"))
    assert row.to_query()["sort"] == "row~1"
    assert row.sorted_by_head("row_id", ("m", "n")) == start
    most = start.sorted_by_head("n", ("m", "n"))
    assert most.sort == Sort(by="margin", of="n", descending=True)
    least = most.sorted_by_head("n", ("m", "n"))
    assert least.sort == Sort(by="margin", of="n")
    assert least.sorted_by_head("row_id", ("m", "n")).sort == Sort(by="row")
    assert least.sorted_by_head("chosen", ("m", "n")) == least
