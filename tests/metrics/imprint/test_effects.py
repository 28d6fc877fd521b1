"""What a model rewards: columns that can be told apart, effects, words for how clear they are."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

import numpy as np
import pytest
import statsmodels.api as sm

from ivan_core.metrics.imprint.corrected import corrected
from ivan_core.metrics.imprint.effects import (
    CLEAR,
    CLEAR_FOR_ONE,
    Effect,
    alone,
    clearness,
    pairs_for,
    together,
)
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.least_squares import NOTHING, Estimate
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH, Rows, columns_of
from ivan_core.metrics.imprint.topics import benjamini_hochberg, topics

NAMES = ("a", "b", "c")


def rows_of(seed: int = 0, n: int = 300, prompts: int | None = None) -> Rows:
    draw = np.random.default_rng(seed)
    differences = draw.choice([-1.0, 0, 1], p=[0.2, 0.6, 0.2], size=(n, len(NAMES)))
    named = draw.integers(0, prompts, n) if prompts else None
    return Rows(NAMES, differences, draw.normal(size=n), Groups.of(named, n))


def outcome_of(rows: Rows, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed + 100)
    beta = np.array([1.0, -0.5, 0])
    return rows.differences @ beta + 0.3 * rows.length + draw.normal(size=len(rows))


def by_name(effects: tuple[Effect, ...]) -> dict[str, Effect]:
    return {one.feature: one for one in effects}


def test_together_is_least_squares_on_all_columns_and_alone_a_mean() -> None:
    rows = rows_of()
    y = outcome_of(rows)
    found = by_name(together(rows, y).effects)
    oracle = sm.OLS(y, np.column_stack([rows.differences, rows.length])).fit(cov_type="HC3")
    assert [one.found.estimate for one in found.values()] == pytest.approx(list(oracle.params))
    assert list(found) == [*NAMES, LENGTH]
    single = by_name(alone(rows, y))["a"].found.estimate
    d = rows.differences[:, 0]
    assert single == pytest.approx((d * y).sum() / (d**2).sum())


def test_controls_add_length_and_a_constant() -> None:
    rows = rows_of()
    y = outcome_of(rows)
    assert [one.feature for one in together(rows, y, "none").effects] == list(NAMES)
    found = together(rows, y + 2, "chosen").effects
    assert [one.feature for one in found] == [*NAMES, LENGTH, CHOSEN]
    assert found[-1].found.estimate == pytest.approx(2, abs=0.2)
    assert all(isnan(one.p_holm) for one in found[-2:])


def test_a_feature_that_differs_too_rarely_is_no_column_and_says_so() -> None:
    rows = rows_of()
    rows.differences[:, 1] = 0
    rows.differences[:9, 1] = 1
    found = by_name(together(rows, outcome_of(rows)).effects)["b"]
    assert found.why == "too few: 9 of at least 10" and isnan(found.found.estimate)
    assert (found.differs, found.n, found.prompts) == (9, 300, 9)


def test_a_feature_of_one_prompt_alone_is_no_column() -> None:
    rows = rows_of()
    rows.differences[:, 1] = 0
    rows.differences[:12, 1] = 1
    named = np.concatenate([np.zeros(12, int), np.arange(1, 289)])
    rows = replace(rows, groups=Groups.of(named, 300))
    assert columns_of(rows, "length").left_out["b"] == "all 12 pairs that differ share one prompt"


def test_columns_that_say_the_same_are_named_and_the_later_is_dropped() -> None:
    rows = rows_of()
    rows.differences[:, 2] = -rows.differences[:, 0]
    assert columns_of(rows, "length").left_out == {"c": "cannot be told apart from a"}


def test_where_a_model_never_parts_the_replies_nothing_is_tested() -> None:
    rows = rows_of()
    y = outcome_of(rows)
    y[rows.differences[:, 2] != 0] = 0
    found = by_name(together(rows, y).effects)["c"]
    count = int((rows.differences[:, 2] != 0).sum())
    assert found.why == f"this model gives both replies the same in all {count} pairs"
    assert isnan(found.p_holm)


def test_too_few_prompts_for_the_columns_give_no_numbers() -> None:
    rows = rows_of(prompts=4)
    found = together(rows, outcome_of(rows))
    assert found.fit is None and all(isnan(one.found.estimate) for one in found.effects)


@pytest.mark.parametrize("control", ["length", "none", "chosen"])
def test_swapping_the_sides_changes_no_effect_but_turns_the_constant(control: str) -> None:
    rows = rows_of(prompts=120)
    y = outcome_of(rows) + 0.5
    turned = replace(rows, differences=-rows.differences, length=-rows.length)
    before, after = together(rows, y, control).effects, together(turned, -y, control).effects
    for one, other in zip(before, after, strict=True):
        sign = -1 if one.feature == CHOSEN else 1
        assert other.found.estimate == pytest.approx(sign * one.found.estimate)
        assert other.found.se == pytest.approx(one.found.se)


def test_a_labeler_who_says_the_opposite_has_the_mirrored_imprint() -> None:
    rows = rows_of(prompts=120)
    y = outcome_of(rows)
    mirrored = together(replace(rows, differences=-rows.differences), y).effects
    for one, other in zip(together(rows, y).effects[:3], mirrored, strict=False):
        assert other.found.estimate == pytest.approx(-one.found.estimate)
        assert other.p_holm == pytest.approx(one.p_holm)


def test_the_change_between_two_models_is_the_difference_of_their_imprints() -> None:
    rows = rows_of(prompts=120)
    before, after = outcome_of(rows, 1), outcome_of(rows, 2)
    change = together(rows, after - before).effects
    for one, new, old in zip(
        change, together(rows, after).effects, together(rows, before).effects, strict=True
    ):
        assert one.found.estimate == pytest.approx(new.found.estimate - old.found.estimate)


def test_all_features_at_once_is_the_test_of_least_squares_with_hc3() -> None:
    rows = rows_of()
    y = outcome_of(rows)
    oracle = sm.OLS(y, np.column_stack([rows.differences, rows.length]))
    expected = oracle.fit(cov_type="HC3", use_t=True).f_test(np.eye(4)[:3])
    found = together(rows, y).none_differs(NAMES)
    assert found is not None and (found.df, found.df_below) == (3, 296)
    assert found.f == pytest.approx(float(expected.fvalue), abs=1e-8)
    assert found.p == pytest.approx(float(expected.pvalue), abs=1e-8)


def test_holm_takes_the_features_as_a_family_without_length() -> None:
    rows = rows_of()
    found = together(rows, outcome_of(rows)).effects
    p = sorted(one.found.p for one in found[:3])
    assert min(one.p_holm for one in found[:3]) == pytest.approx(min(1, 3 * p[0]))


def test_an_effect_is_clear_where_every_labeler_says_so() -> None:
    up = Effect("a", Estimate(1, 0.1, 0.8, 1.2, 0), 0.001, 300, 50, 50)
    down = replace(up, found=Estimate(-1, 0.1, -1.2, -0.8, 0))
    unsure, missing = replace(up, p_holm=0.2), replace(up, found=NOTHING, why="too few: 3")
    assert clearness([{"a": up}]) == [{"a": CLEAR_FOR_ONE}]
    assert clearness([{"a": up}, {"a": up}]) == [{"a": CLEAR}, {"a": CLEAR}]
    assert clearness([{"a": up}, {"a": down}]) == [{"a": ""}, {"a": ""}]
    assert clearness([{"a": up}, {"a": unsure}]) == [{"a": ""}, {"a": ""}]
    assert clearness([{"a": up}, {"a": missing}]) == [{"a": CLEAR_FOR_ONE}, {"a": ""}]
    assert clearness([{"a": up}, {}]) == [{"a": CLEAR_FOR_ONE}, {}]


def test_people_count_as_one_more_labeler() -> None:
    up = Effect("a", Estimate(1, 0.1, 0.8, 1.2, 0), 0.001, 300, 50, 50)
    down = replace(up, found=Estimate(-1, 0.1, -1.2, -0.8, 0))
    assert clearness([{"a": up}], [{"a": up}]) == [{"a": CLEAR}]
    assert clearness([{"a": up}], [{"a": down}]) == [{"a": ""}]
    assert clearness([{"a": up}], [{}]) == [{"a": CLEAR_FOR_ONE}]
    # Each labeler has its own effects as people label.
    assert clearness([{"a": up}, {"a": up}], [{"a": up}, {"a": down}]) == [{"a": CLEAR}, {"a": ""}]


def test_pairs_needed_for_a_half_width() -> None:
    # (2.3 * 1 / 0.5)² = 21.16, and four times as many for half the width.
    assert (pairs_for(0.5, 1.0), pairs_for(0.25, 1.0)) == (22, 85)


def test_topics_add_one_column_at_a_time() -> None:
    rows = rows_of(n=600, prompts=150)
    y = outcome_of(rows)
    inside = np.random.default_rng(5).random(600) < 0.3
    (cells,) = topics(rows, [y], {"cooking": inside})
    assert {cell.feature for cell in cells} == set(NAMES)
    for cell in cells:
        added = rows.column(cell.feature) * inside
        x = np.column_stack([rows.differences, rows.length, added])
        codes = rows.groups.codes
        beta = np.linalg.lstsq(x, y, rcond=None)[0]
        moves = [
            beta - np.linalg.lstsq(x[codes != one], y[codes != one], rcond=None)[0]
            for one in range(150)
        ]
        assert cell.found.estimate == pytest.approx(beta[-1])
        assert cell.found.se == pytest.approx(np.sqrt(np.sum([move[-1] ** 2 for move in moves])))
        differs = rows.differing(cell.feature)
        assert (cell.inside, cell.outside) == ((differs & inside).sum(), (differs & ~inside).sum())
    assert [cell.q for cell in cells] == sorted(cell.q for cell in cells)


def test_a_topic_of_few_pairs_has_no_cell() -> None:
    rows = rows_of()
    inside = np.zeros(300, dtype=bool)
    inside[:12] = True
    assert topics(rows, [outcome_of(rows)], {"rare": inside}) == [()]


def test_false_discovery_rates_by_hand() -> None:
    # Sorted: 0.01 * 4 / 1, 0.02 * 4 / 2, 0.03 * 4 / 3, 0.5; none above one after it.
    found = benjamini_hochberg([0.02, 0.5, np.nan, 0.01, 0.03])
    assert found[[0, 1, 3, 4]] == pytest.approx([0.04, 0.5, 0.04, 0.04])
    assert isnan(found[2])


def test_people_correct_what_a_labeler_shrinks() -> None:
    draw = np.random.default_rng(1)
    n = 4_000
    truth = draw.choice([-1.0, 0, 1], p=[0.1, 0.8, 0.1], size=(n, 1))
    wrong = draw.random((n, 1)) < 0.1
    seen = np.where(wrong, draw.choice([-1.0, 0, 1], size=(n, 1)), truth)
    y = truth[:, 0] + draw.normal(size=n)
    length, reviewed = draw.normal(size=n), np.arange(n) < 400
    labelled = Rows(("a",), seen, length, Groups.of(None, n))
    people = Rows(("a",), truth[reviewed], length[reviewed], Groups.of(None, 400))
    shrunk = together(labelled, y).effects[0].found.estimate
    found = corrected(people, labelled, y, reviewed)
    assert found is not None and shrunk < 0.85
    assert found[0].found.low < 1 < found[0].found.high
    alone_on_r = together(people, y[reviewed]).effects[0].found.se
    assert found[0].found.se < alone_on_r
    assert corrected(people, labelled, y, np.arange(n) < 299) is None
