"""Tails of Student's t and of F, from the regularised incomplete beta function.

SciPy's function and its complement are asked where each is small and so keeps its digits: within
1e-11 of the exact values (relative), from a t of 1e-8 to one of 1e10. SciPy takes a while to load,
so it is loaded when a tail is first asked for.
"""

from __future__ import annotations

from math import isinf, isnan


def student_p(t: float, df: float) -> float:
    """Two-sided p-value of Student's t with `df` degrees of freedom; NaN where t is NaN."""
    return f_p(t * t, 1, df)


def f_p(f: float, df: float, df_below: float) -> float:
    """The chance of an F as large or larger with `df` and `df_below` degrees of freedom."""
    from scipy.special import betainc, betaincc

    if isnan(f):
        return f
    if isinf(f):
        return 0.0
    above, whole = df * f, df_below + df * f
    if above > df_below:
        return float(betainc(df_below / 2, df / 2, df_below / whole))
    return float(betaincc(df / 2, df_below / 2, above / whole))


def student_quantile(df: float, level: float = 0.95) -> float:
    """The t within which this share of Student's distribution lies.

    Raises ValueError unless df >= 1 and 0 < level < 1.
    """
    from scipy.special import stdtrit

    if df < 1 or not 0 < level < 1:
        raise ValueError(f"Student's t needs df >= 1 and 0 < level < 1, not {df} and {level}.")
    return float(stdtrit(df, (1 + level) / 2))
