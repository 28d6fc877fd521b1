"""Models in disguise, the fewest that show every disagreement, and many as one: worked by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from given.made_scores import judged
from hypothesis import given, strategies as st

from ivan_core.metrics.models import fewest
from ivan_core.metrics.models.disguise import Disguise, disguises
from ivan_core.metrics.models.fewest import fewest_models
from ivan_core.metrics.models.joint import MEAN, VOTE, joined_verdicts, joint
from ivan_core.metrics.models.judged import AGREE, DISAGREE, TIE, UNRATED, Judged
from ivan_core.metrics.models.likeness import likeness
from ivan_core.metrics.models.sentences import (
    disguise_sentence,
    fewest_sentence,
    joint_sentences,
    named,
)
from ivan_core.metrics.paired import mcnemar_mid_p

DRAWN = np.random.default_rng(4).normal(0.2, 1, 40).astype(np.float32).astype(float)
verdicts = st.lists(
    st.lists(st.sampled_from([1.0, -1.0, 0.0, None]), min_size=5, max_size=5), max_size=8
)


def found_in(models: Judged) -> list[Disguise]:
    return disguises(models, likeness(models))


def affine(values: np.ndarray, slope: float, zero: float) -> np.ndarray:
    """Rewards in another unit and with another zero, as a model in float32 would give them."""
    return (values * slope + zero).astype(np.float32).astype(float)


def test_equal_rewards_are_one_model_under_two_names() -> None:
    (one,) = found_in(judged(a=DRAWN, b=-DRAWN, c=DRAWN))
    assert one == Disguise(("a", "c"), "equal", 40)
    assert disguise_sentence(one) == (
        "a and c are the same model in disguise: their rewards are equal on all 40 pairs that each"
        " two of them rated."
    )


def test_rewards_in_another_unit_are_the_same_model_and_a_turned_sign_is_not() -> None:
    other = affine(DRAWN, 3.0, 0.0)
    assert found_in(judged(a=DRAWN, b=other, c=affine(DRAWN, -2.0, 0.0))) == [
        Disguise(("a", "b"), "affine", 40)
    ]
    (three,) = found_in(judged(a=DRAWN, b=other, c=DRAWN))
    assert three == Disguise(("a", "b", "c"), "affine", 40)


def test_rewards_with_another_zero_are_the_same_model() -> None:
    shown = judged(a=DRAWN, b=affine(DRAWN, 2.0, 0.0))
    moved = Judged(
        shown.names,
        shown.verdict,
        shown.margin,
        np.stack([DRAWN, affine(DRAWN, 2.0, 7.5)]),
        np.stack([np.zeros(40), np.full(40, 7.5)]),
        shown.seen,
    )
    assert [one.how for one in found_in(moved)] == ["affine"]


def test_nearly_the_same_margins_need_equal_verdicts_too() -> None:
    near = DRAWN * (1 + 1e-4 * np.cos(np.arange(40)))
    assert [one.how for one in found_in(judged(a=DRAWN, b=near))] == ["nearly"]
    smallest = int(np.argmin(np.abs(near)))
    turned = near.copy()
    turned[smallest] = -1e-6 * np.sign(near[smallest])
    assert found_in(judged(a=DRAWN, b=turned)) == []


def test_few_shared_pairs_tell_no_disguise() -> None:
    assert found_in(judged(a=DRAWN[:9], b=DRAWN[:9])) == []
    assert len(found_in(judged(a=DRAWN[:10], b=DRAWN[:10]))) == 1


def test_a_model_that_stands_alone_is_in_every_set_that_shows_all() -> None:
    # Row 0: c alone; row 1: a and b against the rest; row 2: all the same; row 3: d alone.
    found = fewest_models(
        judged(a=[1, 1, 1, 1], b=[1, 1, 1, 1], c=[-1, -1, 1, 1], d=[1, -1, 1, -1], e=[1, -1, 1, 1])
    )
    assert found is not None
    # c and d are needed; on row 1 they agree, so one of a and b must join them, and then all show.
    assert (found.models, found.n, found.smallest) == (("a", "c", "d"), 3, True)
    assert fewest_sentence(found, 5).startswith(
        "It takes 3 of the 5 models to show every disagreement, on 3 pairs: a, c and d."
    )


def test_without_a_disagreement_no_set_is_named() -> None:
    found = fewest_models(judged(a=[1, None], b=[1, -1]))
    assert found is not None and (found.models, found.n) == ((), 0)
    assert fewest_sentence(found, 2) == (
        "The 2 models have the same verdict on 1 pair that two of them or more rated."
    )
    apart = fewest_models(judged(a=[1, None], b=[None, -1]))
    assert fewest_sentence(apart, 2).startswith("No two models rated the same pair")


def test_a_set_that_was_built_step_by_step_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(1).choice([-1.0, 1.0], (6, 12))
    rows = np.concatenate([rows, rows])  # nobody stands alone
    models = judged(**{f"m{i}": own for i, own in enumerate(rows)})
    exact = fewest_models(models)
    assert exact is not None and exact.smallest
    monkeypatch.setattr(fewest, "MOST_SETS", 3)
    greedy = fewest_models(models)
    assert greedy is not None and not greedy.smallest
    assert len(greedy.models) >= len(exact.models)
    assert "A smaller set may exist" in fewest_sentence(greedy, 12)
    assert greedy.steps[-1].shown == greedy.n
    assert [step.shown for step in greedy.steps] == sorted(step.shown for step in greedy.steps)


@given(verdicts)
def test_the_smallest_set_is_the_one_that_trying_all_sets_finds(
    rows: list[list[float | None]],
) -> None:
    if not rows:
        return
    models = judged(**{f"m{i}": [row[i] for row in rows] for i in range(5)})

    def differ(among: tuple[int, ...]) -> set[int]:
        return {
            row
            for row in range(len(rows))
            if len({int(models.verdict[i][row]) for i in among} - {UNRATED}) > 1
        }

    every = differ(tuple(range(5)))
    smallest = next(
        size
        for size in range(6)
        if any(differ(among) == every for among in combinations(range(5), size))
    )
    found = fewest_models(models)
    assert found is not None and found.smallest and found.n == len(every)
    assert len(found.models) == smallest
    assert differ(tuple(models.names.index(name) for name in found.models)) == every


def test_a_vote_goes_to_the_many_and_the_mean_to_the_sure() -> None:
    # Margins in typical margins: those of c lie far apart on row 0, where it is alone.
    made = judged(a=[1.0, 1.0, -1.0, 1.0], b=[1.0, -1.0, -1.0, 1.0], c=[-9.0, 0.0, 1.0, None])
    found = joined_verdicts(made)
    assert found[VOTE].tolist() == [AGREE, TIE, DISAGREE, UNRATED]
    # c's typical margin is sqrt(82/3) = 5.23, so that its -9 is -1.72 against 1 and 1: above 0.
    assert found[MEAN].tolist() == [AGREE, TIE, DISAGREE, UNRATED]
    far = judged(a=[0.1, 1.0], b=[0.1, 1.0], c=[-1.0, 1.0])
    assert joined_verdicts(far)[VOTE][0] == AGREE and joined_verdicts(far)[MEAN][0] == DISAGREE


def test_joint_models_stand_beside_the_best_single_one_with_holms_correction() -> None:
    rows = np.where(np.random.default_rng(6).random((5, 400)) < 0.7, 1.0, -1.0)
    made = judged(**{f"m{i}": own for i, own in enumerate(rows)})
    found = joint(made)
    assert found is not None
    agrees = (rows > 0).sum(axis=1)
    assert found.best == f"m{int(agrees.argmax())}" and found.rate.count == agrees.max()
    vote, mean = found.ways
    ahead = rows.sum(axis=0) > 0
    best = rows[agrees.argmax()] > 0
    only, best_only = int((ahead & ~best).sum()), int((~ahead & best).sum())
    assert (vote.found.first_only, vote.found.second_only) == (only, best_only)
    # Margins of equal size: the mean sides as the vote does, and two equal p-values are doubled.
    p = mcnemar_mid_p(only, best_only)
    assert [vote.adjusted, mean.adjusted] == pytest.approx([2 * p, 2 * p])
    told = joint_sentences(found, "people's choice", complete=True)
    assert told[0].startswith("The majority vote sides with people's choice in 8")
    assert "This difference is clear (McNemar's test, corrected for the 2 joint models" in told[0]
    assert "of 400 pairs that all models rated" in told[0]
    assert f"{found.best} was picked as the best single model on these very 400 pairs" in told[2]
    so_far = joint_sentences(found, "people's choice", complete=False)
    assert "Whether it is clear can be said once the run is complete." in so_far[0]


def test_the_best_of_several_is_never_called_clearly_ahead_of_a_joint_model() -> None:
    good = np.ones(300)
    bad = np.tile([1.0, -1.0, -1.0], 100)
    found = joint(judged(a=good, b=bad, c=np.roll(bad, 1), d=np.roll(bad, 2), e=bad))
    assert found is not None and found.best == "a"
    (vote, _, _) = joint_sentences(found, "people's choice", complete=True)
    assert "a model picked as the best of several is ahead is not called clear" in vote


def test_two_models_have_no_vote_and_trained_ones_nothing_clear() -> None:
    assert joint(judged(a=[1.0], b=[1.0])) is None
    assert joint(judged(a=[1.0, None], b=[1.0, None], c=[None, 1.0])) is None
    found = joint(judged(a=[1.0], b=[1.0], c=[1.0], seen={"b": [1]}))
    assert found is not None and found.trained == ("b",)
    told = joint_sentences(found, "people's choice", complete=True)
    assert "a was picked as the best single model on this very pair, which" in told[-1]
    assert (
        "b was trained on pairs among these"
        in joint_sentences(found, "people's choice", complete=True)[0]
    )


def test_many_models_are_named_by_a_few() -> None:
    assert named(["a"]) == "a" and named(["a", "b", "c"]) == "a, b and c"
    assert named([*"abcdefgh"]) == "a, b, c, d, e, f and 2 others"
    assert named([*"abcdefg"]) == "a, b, c, d, e, f and g"
