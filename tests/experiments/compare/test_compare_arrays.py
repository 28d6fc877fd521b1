"""Scores as arrays: how far models lie apart where they differ, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from given.made_scores import scores

from ivan_core.experiments.compare.tables import align


def test_the_sharpest_disagreement_comes_first() -> None:
    # Typical margins: big sqrt((100 + 400 + 100) / 3) = 14.14, small sqrt((1 + 1 + 16) / 3) = 2.45
    big = scores([(10, 0), (20, 0), (0, 10), (5, 5)], "big").iloc[:3]
    small = scores([(0, 1), (1, 0), (4, 0), (None, 0)], "small")
    aligned = align(pd.concat([big, small], ignore_index=True))
    assert aligned.sharpest() == [2, 0]
    apart = aligned.apart()
    assert apart[2] == pytest.approx(4 / 6**0.5 + 10 / 200**0.5)
    assert apart[0] == pytest.approx(1 / 6**0.5 + 10 / 200**0.5)
    assert np.isnan(apart[[1, 3]]).all()


def test_models_that_never_differ_leave_nothing_to_list() -> None:
    assert align(scores([(2, 1), (None, 1)])).sharpest() == []


def test_equally_sharp_disagreements_come_in_the_order_of_the_dataset() -> None:
    table = pd.concat([scores([(1, 0)] * 3, "a"), scores([(0, 1)] * 3, "b")])
    assert align(table.iloc[::-1]).sharpest() == [0, 1, 2]
