"""Where two models part by subset: what is called so, what is not, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

from ivan_core.metrics.subset_contrast import (
    MOST_SUBSETS,
    contrast_sentence,
    contrast_test_sentence,
    subset_contrast,
)
from ivan_core.metrics.training import training_of

Cells = tuple[int, int, int, int]
"""Pairs on which both models agree, only the first, only the second, and neither."""
_SIDES = (np.array([1, 1, -1, -1]), np.array([1, -1, 1, -1]))
SAME: Cells = (45, 70, 78, 47)
PARTED: Cells = (50, 95, 44, 51)
_TWO: Mapping[str, Cells] = {"x": PARTED, "y": SAME}


def scores(
    subsets: Mapping[str, Cells], models: tuple[str, str] = ("a", "b"), seen: bool | None = None
) -> pd.DataFrame:
    """The scores of two models with so many pairs of each kind in each subset."""
    margins = [np.concatenate([np.repeat(side, n) for n in subsets.values()]) for side in _SIDES]
    names = np.concatenate([np.repeat(name, sum(n)) for name, n in subsets.items()])
    tables = [
        pd.DataFrame(
            {
                "row_id": range(len(own)),
                "model": model,
                "subset": names,
                "margin": own.astype(float),
                "verdict": np.where(own > 0, "agree", "disagree"),
                "seen": pd.Series([seen] * len(own), dtype="boolean"),
            }
        )
        for model, own in zip(models, margins, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def found(table: pd.DataFrame):
    return subset_contrast(table, training_of(table, {}))


def test_both_tests_hold_and_are_corrected_for_both_subsets() -> None:
    contrast = found(scores({"helpful": PARTED, "harmless": SAME}))
    assert contrast is not None
    assert (contrast.first, contrast.second, contrast.here.subset) == ("a", "b", "helpful")
    # 145 and 94 of 240 on the one, 115 and 123 of 240 on the other.
    assert contrast.here.found.difference == pytest.approx(51 / 240)
    assert contrast.elsewhere.difference == pytest.approx(-8 / 240)
    mid_p = 2 * binom.cdf(43, 139, 0.5) + binom.pmf(44, 139, 0.5)
    assert contrast.here.found.mid_p == pytest.approx(mid_p)
    variances = [(139 / 240 - (51 / 240) ** 2) / 240, (148 / 240 - (8 / 240) ** 2) / 240]
    apart = 2 * norm.sf((59 / 240) / sqrt(sum(variances)))
    # The larger of the two p-values, twice: Holm's first of two. Newcombe's are a little wider.
    assert contrast.p == pytest.approx(2 * max(mid_p, apart), rel=0.25)
    assert contrast.looked_at == 2


def test_the_sentence_names_the_subset_first_and_says_what_the_others_are_worth() -> None:
    contrast = found(scores({"helpful": PARTED, "harmless": SAME}))
    assert contrast is not None
    assert contrast_sentence(contrast, "authored choice") == (
        "On helpful pairs a sides with the author's choice in 60% [54, 66] of 240, b in 39%"
        " [33, 45]. On harmless pairs the difference may be chance: 48% [42, 54] against 51%"
        " [45, 58] of 240."
    )
    assert contrast_test_sentence(contrast) == (
        "The lead of a over b is 21 points [12, 30] on helpful pairs, which is clear, and −3 points"
        " [−13, 7] on all others, which is not the same (McNemar's test, and a z-test of the two;"
        " p < 0.001 after Holm's correction for 2 differences)."
    )


def test_whichever_model_stands_first_the_one_ahead_is_told_first() -> None:
    turned = {name: (both, two, one, no) for name, (both, one, two, no) in _TWO.items()}
    one, other = found(scores(_TWO)), found(scores(turned, ("b", "a")))
    assert one is not None and other is not None
    assert contrast_sentence(one, "choice") == contrast_sentence(other, "choice")
    assert contrast_test_sentence(one) == contrast_test_sentence(other)


@pytest.mark.parametrize(
    ("subsets", "why"),
    [
        ({"x": PARTED}, "there is one subset"),
        ({"x": PARTED, "y": PARTED}, "it is ahead by as much on both"),
        ({"x": SAME, "y": SAME}, "they do not differ at all"),
        # 36 against 24 of 60, of which 12 only one (p = .0005): clear alone. The other subset has
        # 27 against 24, so that 12 points are not shown to be more than 5.
        ({"x": (24, 12, 0, 24), "y": (21, 6, 3, 30)}, "clear beside unclear is no difference"),
        ({"x": (0, 19, 0, 0), "y": SAME}, "19 pairs are too few to be looked at"),
        ({"x": PARTED, "y": (0, 0, 5, 5)}, "ten other pairs are too few to part from"),
    ],
)
def test_what_could_be_chance_or_is_the_same_everywhere_is_not_told(
    subsets: dict[str, Cells], why: str
) -> None:
    assert found(scores(subsets)) is None, why


def test_of_many_subsets_none_is_looked_for() -> None:
    several = {f"s{i:02}": SAME for i in range(MOST_SUBSETS - 1)}
    assert found(scores({**several, "x": PARTED})) is not None
    assert found(scores({**several, "x": PARTED, "z": SAME})) is None


def test_with_many_others_they_are_counted() -> None:
    contrast = found(scores({"x": (20, 80, 0, 20), "y": SAME, "z": SAME, "w": SAME}))
    assert contrast is not None
    told = contrast_sentence(contrast, "choice")
    assert told.endswith("On none of the 3 other subsets the two differ clearly.")


def test_where_the_other_model_is_ahead_elsewhere_the_sentence_says_so() -> None:
    contrast = found(scores({"x": (20, 80, 20, 20), "y": (20, 20, 70, 20)}))
    assert contrast is not None
    # 100 and 40 of 140; 40 and 90 of 130.
    assert "On y pairs it is the other way round: 31% [23, 39] against 69%" in (
        contrast_sentence(contrast, "choice")
    )


def test_a_clear_difference_the_same_way_elsewhere_is_told_as_one() -> None:
    contrast = found(scores({"x": (10, 100, 0, 10), "y": (40, 40, 10, 30)}))
    assert contrast is not None and contrast.here.subset == "x"
    assert "On y pairs they differ clearly too: 67%" in contrast_sentence(contrast, "choice")


def test_models_that_were_trained_on_the_pairs_have_no_contrast() -> None:
    assert found(scores(_TWO, seen=False)) is not None
    assert found(scores(_TWO, seen=True)) is None


def test_pairs_without_a_subset_are_called_so() -> None:
    contrast = found(scores({"": PARTED, "y": SAME}))
    assert contrast is not None
    assert contrast_sentence(contrast, "choice").startswith("On pairs of no subset a sides with")


def test_repeated_prompts_make_it_less_clear() -> None:
    table = scores({"x": (50, 35, 10, 45), "y": (45, 30, 32, 33)})
    assert found(table) is not None
    # Prompts of ten pairs that all come out alike: a tenth of the pairs is left.
    alike = table.assign(prompt_group=table["row_id"] // 10)
    assert found(alike) is None


def test_where_both_subsets_differ_by_as_much_few_draws_show_a_contrast() -> None:
    # Discordant pairs 40% and 20% on either: a true difference of 20 points on both.
    rng, shown = np.random.default_rng(20261128), 0
    for _ in range(120):
        drawn = rng.multinomial(120, [0.2, 0.4, 0.2, 0.2], size=2).tolist()
        subsets: dict[str, Cells] = dict(zip("xy", map(tuple, drawn), strict=True))
        shown += found(scores(subsets)) is not None
    assert shown <= 0.05 * 120
