"""Tails of t and F against what can be written in closed form, and t against the tables."""

from __future__ import annotations

from math import atan, exp, inf, isnan, log1p, nan, pi, sqrt

import pytest
from hypothesis import given, strategies as st

from ivan_core.metrics.distributions import f_p, student_p, student_quantile


@given(st.floats(1e-8, 1e10))
def test_tails_of_t_with_one_and_two_degrees_of_freedom(t: float) -> None:
    # Cauchy's distribution; and 1 - t / sqrt(2 + t^2), written so that it keeps its digits.
    assert student_p(t, 1) == pytest.approx(2 / pi * atan(1 / t), rel=1e-11)
    root = sqrt(2 + t * t)
    assert student_p(-t, 2) == pytest.approx(2 / (root * (root + t)), rel=1e-11)


@given(st.floats(1e-6, 1e8), st.sampled_from([1, 2, 30, 478, 150_000]))
def test_tails_of_f_with_two_degrees_of_freedom(f: float, below: int) -> None:
    exact = exp(-below / 2 * log1p(2 * f / below))
    assert f_p(f, 2, below) == pytest.approx(exact, rel=1e-9, abs=1e-300)


@given(st.floats(1e-3, 1e3), st.integers(1, 40), st.integers(1, 40))
def test_an_f_turned_around_has_the_other_tail(f: float, df: int, below: int) -> None:
    assert f_p(f, df, below) + f_p(1 / f, below, df) == pytest.approx(1, abs=1e-12)


def test_tails_end_and_what_is_not_known_stays_so() -> None:
    assert (student_p(0, 3), student_p(inf, 3), student_p(-1e200, 3)) == (1, 0, 0)
    assert (f_p(0, 2, 3), f_p(inf, 2, 3)) == (1, 0)
    assert isnan(student_p(nan, 3)) and isnan(f_p(nan, 2, 3))


@pytest.mark.parametrize(("df", "t"), [(1, 12.7062047), (4, 2.7764451), (29, 2.0452296)])
def test_students_t_is_that_of_the_tables(df: int, t: float) -> None:
    assert student_quantile(df) == pytest.approx(t, abs=1e-6)


@given(st.integers(1, 200_000), st.floats(0.01, 0.999))
def test_outside_of_the_quantiles_lies_the_rest(df: int, level: float) -> None:
    assert student_p(student_quantile(df, level), df) == pytest.approx(1 - level, rel=1e-10)


@pytest.mark.parametrize(("df", "level"), [(0, 0.95), (5, 0.0), (5, 1.0)])
def test_there_is_no_quantile_without_freedom_or_beyond_all(df: int, level: float) -> None:
    with pytest.raises(ValueError, match="Student's t needs"):
        student_quantile(df, level)
