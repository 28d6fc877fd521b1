"""Which texts are read as one tree: worked by hand on small ids, and properties on random ones."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ivan_core.backends.reward_models.shared_prompts import (
    LONGEST_TREE,
    MOST_TAILS,
    Tree,
    distinct,
    plan_trees,
)

WIDE = 10**9
"""A model so wide that attention costs nothing: work is the number of tokens."""
PROMPT = list(range(100, 110))


def test_a_pair_is_a_tree_of_its_prompt_and_two_replies() -> None:
    plan = plan_trees([[*PROMPT, 1, 2], [*PROMPT, 3]], WIDE)
    assert plan.trees == [Tree(10, (0, 1), 13)]
    # 12 + 11 tokens one by one, 10 + 2 + 1 as a tree.
    assert (plan.alone, plan.gain) == ([], pytest.approx(23 / 13))


def test_four_replies_and_a_text_of_its_own() -> None:
    replies = [[*PROMPT, i] for i in (4, 3, 2, 1)]
    plan = plan_trees([replies[0], [7, 7], *replies[1:]], WIDE)
    assert plan.trees == [Tree(10, (4, 3, 2, 0), 14)]
    assert plan.alone == [1]


def test_a_template_that_opens_all_texts_alike_does_not_join_two_prompts() -> None:
    opening = [1, 2, 3]
    one, other = [*opening, *range(10, 30)], [*opening, *range(40, 60)]
    plan = plan_trees([[*one, 5], [*other, 5], [*one, 6], [*other, 6]], WIDE)
    assert plan.trees == [Tree(23, (0, 2), 25), Tree(23, (1, 3), 25)]


def test_where_one_text_begins_the_other_its_last_token_is_a_tail() -> None:
    plan = plan_trees([[*PROMPT, 1, 2], PROMPT], WIDE)
    assert plan.trees == [Tree(9, (1, 0), 13)]


def test_texts_with_nothing_in_common_are_read_alone() -> None:
    plan = plan_trees([[1, 2, 3], [4, 5, 6]], WIDE)
    assert (plan.trees, plan.alone, plan.gain) == ([], [0, 1], 1.0)


def test_no_texts_need_no_plan() -> None:
    plan = plan_trees([], WIDE)
    assert (plan.trees, plan.alone, plan.gain) == ([], [], 1.0)


def test_a_text_past_the_window_is_read_alone_and_the_others_still_share() -> None:
    plan = plan_trees([[*PROMPT, 1], [*PROMPT, 2], [*PROMPT, *range(20)]], WIDE, longest=12)
    assert (plan.trees, plan.alone) == ([Tree(10, (0, 1), 12)], [2])


def test_a_short_prompt_before_long_replies_is_not_worth_the_attention() -> None:
    # As a tree 2,010 tokens meet each other, apart twice 1,010: for a model of width 8 that costs
    # more than the ten tokens save.
    texts = [[*PROMPT, i, *[i] * 999] for i in (1, 2)]
    assert plan_trees(texts, 8).trees == []
    assert len(plan_trees(texts, WIDE).trees) == 1


def test_a_tree_is_never_longer_than_its_mask_may_be_wide() -> None:
    long = [[*PROMPT, i, *[9] * (LONGEST_TREE // 2)] for i in (1, 2)]
    assert plan_trees(long, WIDE).trees == []


def test_many_replies_make_several_trees() -> None:
    plan = plan_trees([[*PROMPT, i] for i in range(40)], WIDE)
    assert sorted(place for tree in plan.trees for place in tree.places) == list(range(40))
    assert sum(tree.tokens for tree in plan.trees) == 2 * 10 + 40
    assert max(len(tree.places) for tree in plan.trees) <= MOST_TAILS


def test_equal_texts_are_told_by_the_first_of_them() -> None:
    assert distinct(["a", "b", "a", "c", "b"]) == ([0, 1, 3], [0, 1, 0, 2, 1])


TEXTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), max_size=40, unique_by=tuple)


@given(TEXTS, st.integers(1, 50), st.none() | st.integers(1, 12))
def test_every_text_is_read_once_and_its_tree_begins_as_it_does(
    texts: list[list[int]], width: int, longest: int | None
) -> None:
    plan = plan_trees(texts, width, longest)
    read = [place for tree in plan.trees for place in tree.places] + plan.alone
    assert sorted(read) == list(range(len(texts)))
    assert plan.gain >= 1.0
    for tree in plan.trees:
        shown = [texts[place] for place in tree.places]
        assert len({tuple(ids[: tree.prefix]) for ids in shown}) == 1
        assert 0 < tree.prefix < min(map(len, shown))
        assert tree.tokens == tree.prefix + sum(len(ids) - tree.prefix for ids in shown)
        assert longest is None or max(map(len, shown)) <= longest
