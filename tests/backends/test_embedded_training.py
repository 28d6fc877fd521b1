"""Training the embedded heads: the arithmetic on made-up rows, and the committed heads again."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ivan_core.backends.embedded import fitting, nested, train
from ivan_core.backends.embedded.model import NAMES, Encoder, read_head

HARMLESS, CONTROL = NAMES


def test_pairs_whose_longer_or_shorter_reply_was_chosen_weigh_alike() -> None:
    # Three longer, one shorter, one equal: 4/5 share two halves of .4; .4/.6 and .4/.2.
    weights = fitting.length_weights(np.array([1, 1, 1, -1, 0]))
    assert weights == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2.0, 1.0])
    assert weights.sum() == pytest.approx(5.0)


@given(st.lists(st.sampled_from([1, -1, 0]), min_size=1, max_size=40))
def test_length_weights_balance_whatever_the_lengths(signs: list[int]) -> None:
    longer = np.array(signs)
    weights = fitting.length_weights(longer)
    if {1, -1} <= set(signs):
        assert weights[longer == 1].sum() == pytest.approx(weights[longer == -1].sum())
    assert (weights[longer == 0] == 1).all()


def synthetic(rows: int = 200, width: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Differences whose sign follows a known direction, and that direction."""
    rng = np.random.default_rng(3)
    direction = rng.normal(size=width)
    difference = rng.normal(size=(rows, width))
    noisy = difference @ direction + rng.logistic(size=rows) / 2
    return difference * np.sign(noisy)[:, None], direction


def test_fitting_finds_the_direction_that_people_followed() -> None:
    difference, direction = synthetic()
    head = fitting.fit(difference, np.ones(200), np.zeros(6), 10.0)
    cosine = head @ direction / np.linalg.norm(head) / np.linalg.norm(direction)
    assert cosine > 0.97


def test_with_a_tiny_c_the_head_stays_at_its_prior() -> None:
    difference, direction = synthetic()
    prior = -direction
    assert fitting.fit(difference, np.ones(200), prior, 1e-9) == pytest.approx(prior, abs=1e-5)


@settings(max_examples=10)
@given(st.integers(0, 1_000), st.sampled_from([0.01, 0.3, 3.0]))
def test_at_the_fitted_head_the_loss_is_flat_in_every_direction(seed: int, c: float) -> None:
    rng = np.random.default_rng(seed)
    difference, weights = rng.normal(size=(40, 4)), rng.uniform(0.5, 2, size=40)
    prior = rng.normal(size=4)

    def loss(head: np.ndarray) -> float:
        misses = np.logaddexp(0, -difference @ head)
        return float(c * np.sum(weights * misses) + np.sum((head - prior) ** 2) / 2)

    head = fitting.fit(difference, weights, prior, c)
    for step in np.eye(4) * 1e-4:
        slope = (loss(head + step) - loss(head - step)) / 2e-4
        assert abs(slope) < 1e-2
        assert loss(head + 1e3 * step) > loss(head)


def test_the_control_has_a_typical_margin_of_one_and_points_from_bad_to_good() -> None:
    good, bad = np.array([[2.0, 0.0], [4.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    # Good minus bad is (2, 0); margins 2, -4 have the root mean square sqrt(10).
    head = train.control_direction(good, bad, np.array([[1.0, 5.0], [-2.0, 0.0]]))
    assert head == pytest.approx([2 / np.sqrt(10), 0.0])


def test_rows_of_one_first_turn_are_never_on_both_sides_of_a_fold() -> None:
    # Rows of a group agree with each other and with nothing else, so a head fitted without the
    # group knows nothing of them; one fitted with a twin would get every row right.
    rng = np.random.default_rng(0)
    once = np.eye(20) * rng.choice([-1, 1], size=20)
    rows = fitting.Rows(
        np.repeat(once, 2, axis=0), np.ones(40), np.repeat(np.arange(20), 2), [""] * 40
    )
    assert fitting.out_of_fold(rows, np.zeros(20), 1.0) == pytest.approx(np.zeros(40), abs=1e-9)


def test_ties_do_not_count_as_agreement() -> None:
    assert fitting.agreement(np.array([1.0, 0.0, -1.0, 2.0])) == 0.5


def test_of_equal_rates_the_first_is_chosen_among_the_pulls_that_are_allowed() -> None:
    rates = {(1.0, 0.1): 0.7, (0.25, 0.1): 0.6, (0.0, 0.1): 0.7, (0.0, 0.3): 0.7}
    assert nested.best(rates, (1.0, 0.25, 0.0)) == (1.0, 0.1)
    assert nested.best(rates, (0.25, 0.0)) == (0.0, 0.1)
    assert nested.best(rates, (0.25,)) == (0.25, 0.1)


def test_the_inner_folds_find_that_a_wrong_prior_is_better_not_followed() -> None:
    # The prior is the true direction turned round, many times as long: C cannot make up for it.
    difference, direction = synthetic()
    rows = fitting.Rows(difference, np.ones(200), np.arange(200), [""] * 200)
    found = nested.nested(rows, -150 * direction, divisions=1)["ways"]
    assert found["chosen"] == {**found["none"]}
    assert all(choice.startswith("pull 0,") for choice in found["chosen"]["chosen"])
    assert sum(found["chosen"]["chosen"].values()) == fitting.FOLDS
    assert found["chosen"]["rate"] > 0.85 > 0.5 > found["whole"]["rate"]
    assert found["none"]["ahead"]["rate"] == pytest.approx(
        found["none"]["rate"] - found["quarter"]["rate"], abs=2e-4
    )


def test_a_choice_among_ways_that_know_nothing_is_not_flattered() -> None:
    # Signs of 120 rows are tosses of a coin: the best of 18 out-of-fold rates must be above a half,
    # since it was picked for being the best; the nested one has nothing to pick.
    rng = np.random.default_rng(1)
    rows = fitting.Rows(rng.normal(size=(120, 30)), np.ones(120), np.arange(120), [""] * 120)
    control = rng.normal(size=30)
    picked = max(
        fitting.agreement(fitting.out_of_fold(rows, pull * control, c))
        for pull in nested.PULLS
        for c in fitting.PENALTIES
    )
    found = nested.nested(rows, control, divisions=2)["ways"]["chosen"]
    assert found["interval"][0] < 0.5 < found["interval"][1]
    assert found["rate"] < picked


ROWS = os.environ.get("IVAN_TEST_HH_RLHF", "")


@pytest.mark.skipif(
    not ROWS, reason="IVAN_TEST_HH_RLHF names no hh-rlhf rows (harmless-base, test, 0 to 1499)"
)
def test_training_again_gives_the_committed_heads() -> None:
    reader = Encoder()
    rows = train.embed_rows(Path(ROWS), reader)
    control, control_facts = train.train_control(rows, *train.embed_statements(reader))
    harmless, harmless_facts = train.train_harmless(rows, control)
    kept = {name: read_head(name) for name in NAMES}
    assert control == pytest.approx(kept[CONTROL]["weights"], abs=1e-3)
    assert harmless == pytest.approx(kept[HARMLESS]["weights"], abs=1e-3)
    assert rows.hashes == kept[HARMLESS]["training_pairs"]
    assert control_facts["agreement_on_real_rows"] == pytest.approx(
        kept[CONTROL]["measured"]["agreement_on_real_rows"], abs=0.005
    )
    facts = kept[HARMLESS]["measured"]
    assert (harmless_facts["pull"], harmless_facts["c"]) == (facts["pull"], facts["c"])
    assert harmless_facts["out_of_fold"] == pytest.approx(facts["out_of_fold"], abs=0.005)
    ways, known = harmless_facts["nested"]["ways"], facts["nested"]["ways"]
    for way in known:
        assert ways[way]["rate"] == pytest.approx(known[way]["rate"], abs=0.005)
