"""Tails of Student's t and of F, from the regularised incomplete beta function.

Written out here because the metrics need numpy alone. The continued fraction is 8.17.22 of the NIST
Digital Library of Mathematical Functions, evaluated by Lentz's method as Thompson and Barnett
(1986, Journal of Computational Physics 64:490) changed it.
"""

from __future__ import annotations

from math import exp, isnan, lgamma, log

_TINY = 1e-300
_ENOUGH = 1e-16
_MOST_TERMS = 100_000


def student_p(t: float, df: float) -> float:
    """Two-sided p-value of Student's t with `df` degrees of freedom; NaN where t is NaN."""
    if isnan(t):
        return t
    return _beta(df / 2, 0.5, df / (df + t * t), t * t / (df + t * t))


def f_p(f: float, df: float, df_below: float) -> float:
    """The chance of an F as large or larger with `df` and `df_below` degrees of freedom."""
    if isnan(f):
        return f
    whole = df_below + df * f
    return _beta(df_below / 2, df / 2, df_below / whole, df * f / whole)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a and b above 0 and 0 <= x <= 1.

    Raises ValueError outside of that.
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"I_x(a, b) needs a, b > 0 and 0 <= x <= 1, not {a}, {b} and {x}.")
    return _beta(a, b, x, 1 - x)


def _beta(a: float, b: float, x: float, rest: float) -> float:
    """The same with `rest` = 1 - x told apart, which loses no digits where x is nearly 1."""
    if x == 0 or rest == 0:
        return 1.0 if rest == 0 else 0.0
    # The fraction converges fast below the mean only; the function is symmetric about it.
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, rest, x)
    front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest)
    return exp(front) / (a * _fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """1 + d1 / (1 + d2 / (1 + ...)), whose inverse is what the function needs."""
    value, above, below = 1.0, 1.0, 0.0
    for term in range(1, _MOST_TERMS):
        m, odd = divmod(term, 2)
        if odd:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        below = 1 / _apart_from_zero(1 + d * below)
        above = _apart_from_zero(1 + d / above)
        value *= above * below
        if abs(above * below - 1) < _ENOUGH:
            break
    return value


def _apart_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
