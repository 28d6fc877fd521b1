"""Pairs worth a second look: which voices count, in which order, and that the order finds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ivan_core.metrics.imprint.preference import PREFERS
from ivan_core.metrics.imprint.second_look import voices

Floats = NDArray[np.float64]
NAN = float("nan")


def codes(*words: str) -> NDArray[np.int8]:
    return np.array([PREFERS.index(word) for word in words], dtype=np.int8)


def nobody(n: int) -> NDArray[np.int64]:
    return np.zeros(n, dtype=np.int64)


def test_models_that_disagree_labels_for_the_other_reply_and_people_are_against() -> None:
    first = np.array([-1.0, 0.0, 0.5, NAN, NAN])
    second = np.array([-0.25, -2.0, 0.5, 1.0, NAN])
    prefers = codes("rejected", "none", "chosen", "unlabelled", "unlabelled")
    people = np.array([2, 0, 1, 3, 0]), np.array([1, 0, 0, 3, 0])
    found = voices([first, second], [prefers], *people)
    assert found.spoke.tolist() == [5, 3, 4, 4, 0]
    assert found.against.tolist() == [4, 1, 0, 3, 0]
    assert found.smallest.tolist() == pytest.approx([0.25, 2.0, NAN, NAN, NAN], nan_ok=True)
    assert found.ranked.tolist() == [0, 3, 1]
    assert people[0].tolist() == [2, 0, 1, 3, 0], "what was given stays as it is"


def test_of_as_many_voices_the_surer_the_least_sure_model_is_the_earlier() -> None:
    first = np.array([-0.1, -3.0, -1.0, -1.0, 1.0])
    second = np.array([-5.0, -0.5, -2.0, -2.0, 1.0])
    labels = codes("chosen", "chosen", "chosen", "chosen", "rejected")
    found = voices([first, second], [labels], nobody(5), nobody(5))
    assert found.ranked.tolist() == [2, 3, 1, 0, 4], "equals as they came, without a model last"


def test_nobody_against_and_no_pair_are_no_list() -> None:
    found = voices(
        [np.array([1.0, 0.0, NAN])], [codes("chosen", "none", "unlabelled")], *2 * [nobody(3)]
    )
    assert not len(found.ranked) and np.isnan(found.smallest).all()
    assert not len(voices([], [], nobody(0), nobody(0)).ranked)


def test_pairs_in_another_order_rank_the_same() -> None:
    draw = np.random.default_rng(3)
    margins = [draw.normal(size=200) for _ in range(2)]
    labels = draw.integers(0, 4, 200).astype(np.int8)
    found = voices(margins, [labels], nobody(200), nobody(200))
    order = draw.permutation(200)
    moved = voices([one[order] for one in margins], [labels[order]], nobody(200), nobody(200))
    first, again = found.ranked, order[moved.ranked]
    with_a_model = ~np.isnan(found.smallest)
    assert again[with_a_model[again]].tolist() == first[with_a_model[first]].tolist()
    assert set(again) == set(first)


def test_the_top_of_the_list_holds_more_turned_choices_than_chance_or_the_other_order() -> None:
    """A tenth of the choices is turned around; models see the true difference with noise."""
    draw = np.random.default_rng(7)
    n = 5_000
    better = np.abs(draw.normal(size=n))
    turned = draw.random(n) < 0.1
    true = np.where(turned, -better, better)
    margins = [true + draw.normal(size=n) for _ in range(2)]
    found = voices(margins, [], nobody(n), nobody(n))
    every = found.ranked[found.against[found.ranked] == 2]
    top, bottom = every[:200], every[-200:]
    assert turned[top].mean() > turned[every].mean() > turned.mean()
    assert turned[top].mean() > 2 * turned[bottom].mean()
