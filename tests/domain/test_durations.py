"""How long something takes, in numbers and in words."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ivan_core.domain.runs import Span, slowness, time_left, time_under_load, time_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (1.4, "1 s"),
        (16, "16 s"),
        (19.4, "19 s"),
        (21, "20 s"),
        (88, "90 s"),
        (95, "2 min"),
        (5_000, "83 min"),
        (7_200, "2.0 h"),
    ],
)
def test_a_time_in_words(seconds, words):
    assert time_words(seconds) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (15, 17, "about 16 s"),
        (15, 24, "about 19 s"),
        (15, 62, "15 to 60 s"),
        (0.1, 0.4, "about 1 s"),
        (40, 180, "40 s to 3 min"),
    ],
)
def test_a_range_is_told_where_it_is_not_sure(low, high, words):
    assert Span(low, high).words == words


def test_spans_add_up_and_have_a_middle():
    assert Span(1, 4) + Span(2, 5) == Span(3, 9)
    assert Span(10, 40).middle == 20


def test_all_who_want_a_core_share_them():
    assert slowness(0, threads=2, cores=2) == 1
    assert slowness(2, threads=2, cores=2) == 2
    assert slowness(3, threads=1, cores=8) == 1


def test_a_time_of_a_busy_machine_is_that_of_an_idle_one_times_its_slowness():
    # 20 s while two others wanted the two cores are 10 s of an idle machine.
    assert time_under_load(20, 2, 0, threads=2, cores=2) == Span(10, 10)
    assert time_under_load(20, 2, 2, threads=2, cores=2) == Span(15, 20)
    assert time_under_load(20, 0, 6, threads=2, cores=2) == Span(50, 80)
    assert time_under_load(20, None, 0, threads=2, cores=2) == Span(10, 20)


def test_what_is_left_is_a_range_until_a_third_is_done():
    assert time_left(5, 100, 1.0) == Span(47.5, 190)
    assert time_left(20, 100, 1.0) == Span(80 / 1.4, 80 * 1.4)
    assert time_left(50, 100, 1.0) == Span(50, 50)
    assert time_left(120, 100, 1.0) == Span(0, 0)


@given(st.floats(0.1, 1e5), st.floats(0, 100), st.floats(0, 100))
def test_more_load_never_makes_it_faster(seconds, then, now):
    here, busier = (time_under_load(seconds, then, load, 2, 2) for load in (now, now + 1))
    assert here.low <= here.high <= busier.high
    assert here.low <= busier.low
