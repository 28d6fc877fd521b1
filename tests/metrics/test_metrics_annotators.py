"""Agreement of labelers: by hand, against scikit-learn and krippendorff, and as properties."""

from __future__ import annotations

import krippendorff
import numpy as np
import pandas as pd
import pytest
from given.tables.labels import INSULT, SENTIMENT, TOPICS, crossed, labels
from hypothesis import example, given, settings, strategies as st
from sklearn.metrics import cohen_kappa_score

from ivan_core.domain.errors import BadInput
from ivan_core.metrics.intervals import bca_interval, resampled_sums
from ivan_core.metrics.labels.agreement import AGREEMENT, agreement_table, class_agreement
from ivan_core.metrics.labels.answers import SENTIMENTS, cells, joined
from ivan_core.metrics.labels.coefficients import (
    Floats,
    alpha_of_coincidences,
    cohen_kappa,
    coincidences,
)
from ivan_core.metrics.labels.sentences import agreement_sentence, coefficient_sentence

NAN = float("nan")
words = st.sampled_from([*SENTIMENTS, None])
two_answers = st.lists(st.tuples(words, words), min_size=1, max_size=40)


def agreement(*tables: pd.DataFrame, key: str = INSULT, times: int = 200) -> dict[str, object]:
    labelers = {f"labeler {i}": table for i, table in enumerate(tables)}
    found = agreement_table(labelers, [key], np.random.default_rng(1), times)
    return {str(name): value for name, value in found.iloc[0].items()}


def test_kappa_and_ac1_by_hand() -> None:
    found = agreement(*crossed(20, 5, 10, 15))
    # Observed 35/50; kappa expects .5 * .6 + .5 * .4 = .5; AC1 expects 2 * .55 * .45 = .495.
    assert found["measure"] == "kappa" and found["n"] == 50 and found["share"] == 0.7
    assert found["coefficient"] == pytest.approx((0.7 - 0.5) / 0.5)
    assert found["ac1"] == pytest.approx((0.7 - 0.495) / 0.505)
    assert (found["both"], found["either"], found["few"]) == (20, 35, False)


def test_a_rare_label_shows_why_kappa_does_not_stand_alone() -> None:
    found = agreement(*crossed(0, 5, 5, 310))
    assert found["share"] == pytest.approx(0.96875)
    assert found["coefficient"] == pytest.approx(-0.0159, abs=1e-4)
    assert found["ac1"] == pytest.approx((0.96875 - 2 * 0.015625 * 0.984375) / 0.96923828125)
    assert found["few"] and found["either"] == 10 and found["both"] == 0
    assert agreement(*crossed(310, 5, 5, 0))["few"]


@pytest.mark.parametrize("counts", [(0, 0, 0, 9), (9, 0, 0, 0), (0, 9, 0, 0)])
def test_labelers_who_never_change_their_answer_have_no_coefficient(
    counts: tuple[int, int, int, int],
) -> None:
    found = agreement(*crossed(*counts))
    for name in ("coefficient", "low", "high", "ac1", "ac1_low", "ac1_high"):
        assert pd.isna(found[name])


def test_no_answer_is_left_out_and_counted() -> None:
    left = labels(**{INSULT: [True, None, False, True, None]})
    right = labels(**{INSULT: [True, True, None, False, None, True]})
    found = agreement(left, right)
    assert (found["n"], found["left_out"], found["same"]) == (2, 3, 1)


def test_texts_are_joined_by_key_and_never_by_position() -> None:
    left, right = crossed(20, 5, 10, 15)
    shuffled = right.sample(frac=1, random_state=3)
    assert agreement(left, shuffled) == agreement(left, right)
    shifted = right.assign(row_id=right["row_id"] + 1000)
    assert agreement(left, shifted)["n"] == 0 and pd.isna(agreement(left, shifted)["low"])
    found = joined(labels(**{TOPICS: [("a",), None]}), labels(**{TOPICS: [(), ("b",), ()]}), TOPICS)
    assert list(found["row_id"]) == [0, 0] and list(found["preference"]) == ["chosen", "rejected"]
    assert list(found["left"]) == [("a",), None] and list(found["right"]) == [(), ("b",)]
    with pytest.raises(BadInput, match="more than once"):
        joined(left, pd.concat([right, right]), INSULT)


def test_one_labeler_agrees_with_nobody() -> None:
    with pytest.raises(ValueError, match="two labelers"):
        agreement(labels(**{INSULT: [True]}))


@settings(max_examples=50)
@given(two_answers)
def test_weighted_kappa_is_that_of_scikit_learn(values: list[tuple[object, object]]) -> None:
    left, right = (labels(**{SENTIMENT: [v[i] for v in values]}) for i in (0, 1))
    found = agreement(left, right, key=SENTIMENT, times=1)
    both = [(a, b) for a, b in values if a and b]
    if len({a for a, _ in both}) < 2 and len({b for _, b in both}) < 2:
        assert pd.isna(found["coefficient"])
        return
    ours, theirs = zip(*both, strict=True)
    expected = cohen_kappa_score(ours, theirs, labels=list(SENTIMENTS), weights="linear")
    assert found["measure"] == "weighted kappa"
    assert found["coefficient"] == pytest.approx(expected, abs=1e-12)


def test_weighted_ac_by_hand() -> None:
    left = labels(**{SENTIMENT: ["negative", "neutral", "positive", "positive"]})
    right = labels(**{SENTIMENT: ["negative", "neutral", "neutral", "negative"]})
    # Agreement (1 + 1 + .5 + 0) / 4; shares 3/8, 3/8, 2/8; all weights add up to 5.
    chance = 5 / 6 * (2 * 3 / 8 * 5 / 8 + 2 / 8 * 6 / 8)
    found = agreement(left, right, key=SENTIMENT)
    assert found["ac1"] == pytest.approx((0.625 - chance) / (1 - chance))


# The worked example of the package's own documentation: three coders, fifteen units, many gaps.
CODERS = [
    [NAN, NAN, NAN, NAN, NAN, 3, 4, 1, 2, 1, 1, 3, 3, NAN, 3],
    [1, NAN, 2, 1, 3, 3, 4, 3, NAN, NAN, NAN, NAN, NAN, NAN, NAN],
    [NAN, NAN, 2, 1, 3, 4, 4, NAN, 2, 1, 1, 3, 3, NAN, 4],
]


def test_alpha_of_a_published_example() -> None:
    counts = (np.array(CODERS)[..., None] == np.arange(1, 5)).sum(axis=0)
    found = alpha_of_coincidences(coincidences(counts).sum(axis=0), ordinal=False)
    assert found == pytest.approx(0.691358, abs=1e-6)


@settings(max_examples=50)
@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=30), st.booleans())
def test_alpha_is_that_of_the_package(texts: list[tuple[int, ...]], ordinal: bool) -> None:
    counts = np.array(texts, dtype=np.int64)
    found = alpha_of_coincidences(coincidences(counts).sum(axis=0), ordinal=ordinal)
    compared = counts[counts.sum(axis=1) > 1]
    if np.count_nonzero(compared.sum(axis=0)) < 2:
        assert np.isnan(found)
        return
    expected = krippendorff.alpha(
        value_counts=compared, level_of_measurement="ordinal" if ordinal else "nominal"
    )
    assert found == pytest.approx(expected, abs=1e-12)


def test_three_labelers_with_gaps_have_an_alpha() -> None:
    answers = [
        [True, True, False, False, None],
        [True, False, False, None, True],
        [True, True, None],
    ]
    found = agreement(*(labels(**{INSULT: own}) for own in answers))
    # The last two texts have one answer each, so that nothing there can be compared.
    data = [[1, 1, 0], [1, 0, 0], [1, 1, NAN]]
    expected = krippendorff.alpha(reliability_data=data, level_of_measurement="nominal")
    assert found["measure"] == "alpha" and found["coefficient"] == pytest.approx(expected)
    assert (found["n"], found["left_out"], found["same"]) == (3, 2, 2)
    assert (found["both"], found["either"]) == (1, 2)


def test_lists_by_hand() -> None:
    left = labels(**{TOPICS: [("a", "b"), ("a",), (), (), None]})
    right = labels(**{TOPICS: [("b", "c"), ("a",), (), ("c",), ("a",)]})
    found = agreement(left, right, key=TOPICS)
    # Overlaps 1/3, 1 and 0; two empty lists are the same, and say nothing of the words.
    assert found["measure"] == "jaccard" and found["coefficient"] == pytest.approx(4 / 9)
    assert (found["n"], found["same"], found["both"], found["either"]) == (4, 2, 2, 3)
    labelers = {"l": left, "r": right}
    classes = class_agreement(labelers, TOPICS, np.random.default_rng(0), 10)
    assert list(classes.columns) == AGREEMENT and list(classes["value"]) == ["a", "b", "c"]
    # a: yes to texts 0 and 1 against 1 alone, kappa (3/4 - 1/2) / (1/2); b: both to text 0; c:
    # right alone.
    assert list(classes["coefficient"].fillna(-9)) == pytest.approx([1 / 2, 1.0, 0.0])


UNEVEN = [
    ("negative", "negative"),
    *[("negative", "neutral")] * 2,
    ("negative", "positive"),
    ("neutral", "negative"),
    ("positive", "positive"),
]
"""Of these the order of adding up decides whether resampled values equal the observed one."""


@settings(max_examples=50)
@example(UNEVEN, 0)
@given(two_answers, st.integers(0, 3))
def test_order_of_labelers_changes_nothing(values: list[tuple[object, object]], seed: int) -> None:
    left, right = (labels(**{SENTIMENT: [v[i] for v in values]}) for i in (0, 1))
    one, other = (
        agreement_table({"x": a, "y": b}, [SENTIMENT], np.random.default_rng(seed), 50)
        for a, b in ((left, right), (right, left))
    )
    pd.testing.assert_frame_equal(one, other)


@settings(max_examples=50)
@given(st.lists(words, min_size=1, max_size=30), st.sampled_from([2, 3]))
def test_agreement_with_oneself_is_one_or_nothing(values: list[object], times: int) -> None:
    found = agreement(*[labels(**{SENTIMENT: values})] * times, key=SENTIMENT, times=5)
    if len({value for value in values if value}) < 2:
        assert pd.isna(found["coefficient"]) and pd.isna(found["ac1"])
    else:
        assert found["coefficient"] == pytest.approx(1) and found["ac1"] == pytest.approx(1)


def test_cells_add_up() -> None:
    left, right = crossed(3, 1, 2, 4)
    left.loc[9, INSULT] = None
    found = cells(left, right, INSULT).set_index(["left", "right"])
    assert dict(found["count"]) == {
        ("no", "no"): 3,
        ("no", "yes"): 2,
        ("yes", "no"): 1,
        ("yes", "yes"): 3,
    }
    assert (found["n"] == 9).all() and (found["left_out"] == 1).all()
    topics = (labels(**{TOPICS: [("a",), (), None]}), labels(**{TOPICS: [("a", "b"), ("b",), ()]}))
    by_word = cells(*topics, TOPICS, "b").set_index(["left", "right"])
    assert by_word["count"][("no", "yes")] == 2 and by_word["n"].iloc[0] == 2
    assert cells(left.iloc[:0], right, INSULT)["share"].isna().all()


def test_both_sides_of_a_pair_are_drawn_together() -> None:
    sums = resampled_sums(np.array([[2.0, 1.0], [0.0, 1.0]]), np.random.default_rng(0), 300)
    assert set(sums[:, 0]) == {0.0, 2.0, 4.0} and set(sums[:, 1]) == {2.0}
    assert sums[:, 0].mean() == pytest.approx(2, abs=0.3)
    low, high = bca_interval(np.array([NAN] * 10 + [1.0] * 90), 1.0, np.ones(9))
    assert pd.isna(low) and pd.isna(high)
    # Neither biased nor skewed: the plain percentiles.
    even = np.linspace(0, 1, 101)
    assert bca_interval(even, 0.5, even) == pytest.approx((0.025, 0.975))


def test_many_pairs_are_drawn_in_groups_with_the_same_spread() -> None:
    rng = np.random.default_rng(2)
    by_pair = (rng.random((60_001, 1)) < 0.3).astype(float)
    sums = resampled_sums(by_pair, rng, 800)[:, 0]
    # A sum of 60,001 tosses of .3: standard deviation sqrt(60,001 * .3 * .7) = 112.
    assert sums.mean() == pytest.approx(by_pair.sum(), abs=20)
    assert sums.std() == pytest.approx(112, rel=0.1)


def test_intervals_cover_the_true_kappa() -> None:
    # Prevalence .3, both labelers wrong in 10% of texts: kappa .612, found in closed form.
    rng, inside = np.random.default_rng(7), 0
    marginal, same = 0.3 * 0.9 + 0.7 * 0.1, 0.9**2 + 0.1**2
    chance = marginal**2 + (1 - marginal) ** 2
    truth = (same - chance) / (1 - chance)
    for _ in range(200):
        true = rng.random(300) < 0.3
        tables = [labels(**{INSULT: list(true ^ (rng.random(300) < 0.1))}) for _ in range(2)]
        found = agreement_table(dict(zip("ab", tables, strict=True)), [INSULT], rng, 300)
        inside += int(found["low"][0] <= truth <= found["high"][0])
    assert 0.90 <= inside / 200 <= 0.99


def test_intervals_of_few_pairs_cover_what_percentiles_miss() -> None:
    # Fifty pairs, a label of one text in ten, kappa .6 by construction: both say yes to
    # .01 + .6 * .09 = .064 of the texts, only one of them to .036 each.
    rng, draws, inside, plain = np.random.default_rng(3), 400, 0, 0
    for _ in range(draws):
        texts = rng.choice(4, 100, p=[0.064, 0.036, 0.036, 0.864])
        by_pair = np.eye(4)[texts].reshape(50, 2, 4).sum(axis=1)
        total = by_pair.sum(axis=0)

        def kappa(sums: Floats) -> Floats:
            return cohen_kappa(sums.reshape(-1, 2, 2), np.eye(2))

        values = kappa(resampled_sums(by_pair, rng, 400))
        low, high = bca_interval(values, float(kappa(total)[0]), kappa(total - by_pair))
        inside += low <= 0.6 <= high
        low, high = np.nanquantile(values, [0.025, 0.975])
        plain += low <= 0.6 <= high
    assert inside > plain
    assert 0.92 <= inside / draws <= 0.98


def test_agreement_in_words() -> None:
    found = agreement(*crossed(30, 6, 5, 59))
    assert agreement_sentence(found, "an insult") == (
        "Of the 41 texts either called an insult, both did in 30 (73%, 95% interval [52, 87];"
        " texts share prompts: as if n = 21)."
    )
    # Of 15 pairs both texts, of 5 none, and one text alone: with a share of 30/41 deviations of
    # 11/41 and 30/41 add up to 8.05, by pair to 15.56: (15.56 * 21/20) / (8.05 * 41/40) = 1.98.
    assert found["both_effective_n"] == 21 == round(41 / 1.98)
    told = coefficient_sentence(found)
    assert told.startswith(
        "The same answer in 89% of 100 texts [78, 95] (texts share prompts: as if n = 52). Cohen's"
        " kappa 0.76 ["
    )
    assert "Gwet's AC1 0.80 [" in told
    rare = agreement(*crossed(2, 1, 1, 96))
    assert agreement_sentence(rare, "an insult").endswith(
        "Too few to say more: the rarer answer was given to fewer than 20 texts."
    )
    common = agreement(*crossed(96, 1, 1, 2))
    assert agreement_sentence(common, "harmless").endswith("to fewer than 20 texts.")
    never = agreement(*crossed(0, 0, 0, 30))
    assert agreement_sentence(never, "an insult") == (
        "Of the 30 texts compared, none was called an insult by either."
    )
    assert "No coefficient" in coefficient_sentence(never)


def test_a_text_answered_once_counts_for_nothing_in_ac1() -> None:
    # Three texts with two answers, one with a single answer: the same as without the last.
    left = labels(**{INSULT: [True, True, False, True]})
    right = labels(**{INSULT: [True, False, False, None]})
    found = agreement(left, right)
    # Agreement 2 of 3; shares of yes 3 of 6: chance 2 * .5 * .5 = .5, (2/3 - .5) / .5 = 1/3.
    assert found["n"] == 3
    assert found["ac1"] == pytest.approx(1 / 3)
