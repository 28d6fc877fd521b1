"""Labels on both sides: shares, paired differences, topics and what goes together, by hand."""

from __future__ import annotations

import pandas as pd
import pytest
from given.tables.labels import HARMLESS, INSULT, SENTIMENT, TOPICS, labels
from hypothesis import given, settings, strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.labels.sentences import co_occurrence_sentence, prevalence_sentence
from ivan_core.metrics.labels.shares import (
    co_occurrence,
    pairs_with,
    prevalence_differences,
    prevalences,
    topic_counts,
)
from ivan_core.metrics.paired import difference_of_counts, holm

yes_no = st.sampled_from([True, False, None])
sides = st.lists(st.tuples(yes_no, yes_no), min_size=1, max_size=30)


def swapped(table: pd.DataFrame) -> pd.DataFrame:
    other = {"chosen": "rejected", "rejected": "chosen"}
    return table.assign(preference=table["preference"].map(other))


def row(table: pd.DataFrame, at: int = 0) -> dict[str, object]:
    return {str(name): value for name, value in table.iloc[at].items()}


def test_shares_are_of_the_texts_with_an_answer() -> None:
    found = prevalences(
        labels(**{INSULT: [True, True, False, True, None, None, False, None]}), [INSULT]
    )
    assert list(found["side"]) == ["chosen", "rejected"]
    assert list(found["count"]) == [1, 2] and list(found["n"]) == [3, 2]
    assert list(found["share"]) == pytest.approx([1 / 3, 1.0])
    expected = wilson(1, 3)
    assert expected is not None
    assert (found["low"][0], found["high"][0]) == (expected.low, expected.high)


def test_without_an_answer_there_is_no_share() -> None:
    table = labels(**{INSULT: [None, float("nan"), pd.NA, False]})
    found = prevalences(table, [INSULT])
    assert list(found["n"]) == [0, 1]
    assert pd.isna(found["share"][0]) and found["share"][1] == 0.0
    difference = prevalence_differences(table, [INSULT])
    assert difference["n"][0] == 0 and pd.isna(difference["difference"][0])
    assert not difference["clear"][0]


def test_nullable_booleans_are_read_like_objects() -> None:
    table = labels(**{INSULT: [True, None, False, True]})
    nullable = table.astype({INSULT: "boolean"})
    pd.testing.assert_frame_equal(prevalences(table, [INSULT]), prevalences(nullable, [INSULT]))


def test_each_sentiment_has_its_share() -> None:
    table = labels(**{SENTIMENT: ["positive", "neutral", "positive", "negative", None, "neutral"]})
    found = prevalences(table, [SENTIMENT]).set_index(["value", "side"])
    assert list(found.index.get_level_values(0)[::2]) == ["negative", "neutral", "positive"]
    assert found["share"][("positive", "chosen")] == 1.0 and found["n"][("positive", "chosen")] == 2
    assert found["share"][("neutral", "rejected")] == pytest.approx(2 / 3)


def test_differences_are_counted_on_pairs_with_both_answers() -> None:
    values = [True, True, True, False, True, False, False, True, False, False, True, None]
    table = labels(**{INSULT: values})
    found = prevalence_differences(table, [INSULT])
    counts = ["both", "chosen_only", "rejected_only", "neither", "n"]
    assert list(found.loc[0, counts]) == [1, 2, 1, 1, 5]
    assert found["difference"][0] == pytest.approx(1 / 5)
    expected = difference_of_counts(1, 2, 1, 1)
    assert expected is not None
    assert (found["low"][0], found["high"][0]) == (expected.low, expected.high)
    # Two against one: the mid-p of 3 tosses is 2 * 1/8 + 3/8 = 0.625.
    assert found["mid_p"][0] == pytest.approx(0.625)
    assert pairs_with(table, INSULT, "yes", "chosen_only") == [1, 2]
    assert pairs_with(table, INSULT, "yes", "rejected_only") == [3]
    assert pairs_with(table, INSULT, "yes", "neither") == [4]


def test_a_pair_with_one_side_missing_is_no_pair() -> None:
    table = labels(**{INSULT: [True, False, True, False]}).iloc[:3]
    assert prevalence_differences(table, [INSULT])["n"][0] == 1


@settings(max_examples=50)
@given(sides)
def test_swapping_the_sides_negates_the_difference(values: list[tuple[object, object]]) -> None:
    table = labels(**{INSULT: [side for pair in values for side in pair]})
    one, other = (prevalence_differences(t, [INSULT]) for t in (table, swapped(table)))
    if one["n"][0] == 0:
        assert other["n"][0] == 0
        return
    assert one["difference"][0] == -other["difference"][0]
    assert one["low"][0] == pytest.approx(-other["high"][0], abs=1e-12)
    assert one["mid_p"][0] == other["mid_p"][0]


def test_holm_by_hand() -> None:
    # 0.01 * 3, 0.02 * 2, 0.03 * 1 held up to 0.04; what was not tested is not counted.
    assert list(holm([0.03, 0.01, 0.02])) == pytest.approx([0.04, 0.03, 0.04])
    assert list(holm([0.5, 0.8])) == [1.0, 1.0]
    found = holm([float("nan"), 0.04])
    assert pd.isna(found[0]) and found[1] == 0.04


def test_clear_holds_for_the_whole_family() -> None:
    # Seven against none: mid-p 1/128, below 5% alone and times 6, not times 7.
    apart = [True, False] * 7 + [False, False] * 13
    same = [False, False] * 20
    others = [f"assistant_{i}" for i in range(6)]
    table = labels(**{INSULT: apart, **dict.fromkeys(others, same)})
    few = prevalence_differences(table, [INSULT, *others[:5]])
    assert few["mid_p"][0] == pytest.approx(1 / 128) and few["clear"][0]
    many = prevalence_differences(table, [INSULT, *others])
    assert many["holm_p"][0] == pytest.approx(7 / 128) and not many["clear"][0]
    looked = prevalence_differences(table, [INSULT], chosen_after_looking=True)
    assert pd.isna(looked["mid_p"][0]) and not looked["clear"][0]
    assert looked["low"][0] == few["low"][0]


def test_topics_come_most_named_first() -> None:
    table = labels(**{TOPICS: [("b",), ("b", "c"), (), None, ("b",), ("a",)]})
    found = topic_counts(table, TOPICS)
    assert list(found["value"][::2]) == ["b", "a", "c"]
    both = found.set_index(["value", "side"])
    assert both["count"][("b", "chosen")] == 2 and both["n"][("b", "chosen")] == 3
    assert both["count"][("b", "rejected")] == 1 and both["n"][("b", "rejected")] == 2
    assert both["count"][("a", "chosen")] == 0 and both["share"][("a", "chosen")] == 0.0


def test_what_goes_together_by_hand() -> None:
    insult = [True] * 24 + [False] * 74 + [True, None]
    harmless = [False] * 18 + [True] * 80 + [None, True]
    table = labels(**{INSULT: insult, HARMLESS: harmless})
    found = co_occurrence(table, [INSULT, HARMLESS])
    # Of 98 texts that answer both, 24 are insults, 6 of these harmless; 80 are harmless in all.
    assert list(found.loc[0, ["n", "first", "second", "both"]]) == [98, 24, 80, 6]
    assert found["share"][0] == 0.25 and found["overall"][0] == pytest.approx(80 / 98)
    assert found["share"][1] == pytest.approx(6 / 80)
    assert not found["too_few"].any()
    # The 24 are twelve pairs, of which three are harmless in both texts: as if 11.5 texts.
    low, high = found.loc[0, ["low", "high"]]
    assert (low, high) == pytest.approx((0.0870, 0.5384), abs=1e-4)
    assert co_occurrence_sentence(row(found), "an insult", "harmless") == (
        "Of the 24 texts called an insult, 6 are called harmless too (25%, 95% interval [9, 54];"
        " texts share prompts: as if n = 11); of all 98 texts, 82% are."
    )
    nothing = labels(**{INSULT: [False] * 4, HARMLESS: [True] * 4})
    none = co_occurrence(nothing, [INSULT, HARMLESS])
    assert co_occurrence_sentence(row(none), "an insult", "harmless") == (
        "None of 4 texts is called an insult."
    )


def test_few_texts_are_called_too_few() -> None:
    found = co_occurrence(labels(**{TOPICS: [("a", "b"), ("a",), (), None]}), [TOPICS])
    assert list(found["both"]) == [1, 1] and list(found["first"]) == [2, 1]
    assert found["too_few"].all()
    nothing = co_occurrence(labels(**{INSULT: [None], HARMLESS: [True]}), [INSULT, HARMLESS])
    assert nothing["share"].isna().all() and nothing["overall"].isna().all()
    assert co_occurrence(labels(**{INSULT: [True]}), []).empty


def test_prevalence_in_words() -> None:
    table = labels(**{INSULT: [True, False] * 7 + [False, False] * 13})
    found = prevalence_differences(table, [INSULT])
    assert prevalence_sentence(row(found), "an insult") == (
        "35% of chosen and 0% of rejected replies are called an insult, on 20 pairs (95% interval"
        " of the difference [12, 57] points). The difference is clear."
    )
    looked = prevalence_differences(table, [INSULT], chosen_after_looking=True)
    assert prevalence_sentence(row(looked), "an insult").endswith("no more than a hint.")
    nothing = prevalence_differences(labels(**{INSULT: [None, None]}), [INSULT])
    assert prevalence_sentence(row(nothing), "“Insult”") == (
        "No pair has an answer on both sides, so nothing is known about “Insult”."
    )


@pytest.mark.parametrize(
    ("key", "value"), [(INSULT, "maybe"), (SENTIMENT, "mixed"), (TOPICS, "a word"), (INSULT, 2)]
)
def test_what_is_no_answer_is_refused(key: str, value: object) -> None:
    with pytest.raises(BadInput, match="no answer"):
        prevalences(labels(**{key: [value]}), [key])


def test_a_text_named_twice_is_refused() -> None:
    table = labels(**{INSULT: [True, False]})
    with pytest.raises(BadInput, match="more than once"):
        prevalences(pd.concat([table, table]), [INSULT])
    with pytest.raises(BadInput, match="neither chosen nor rejected"):
        prevalences(table.assign(preference="best"), [INSULT])
    with pytest.raises(BadInput, match="no column"):
        prevalences(table, [HARMLESS])
