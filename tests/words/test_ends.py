"""The two ends of a ranking, a word's place, the table, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from given.words.scored_words import LIST, asked, keep

from ivan_core.words import asking, ends as ends_module, sentences
from ivan_core.words.ends import Ranking, Word

FIRST, SECOND = "ivan/minilm-harmless", "ivan/minilm-control"


@pytest.fixture
def ranking(data_dir: Path) -> Ranking:
    """love peace cheese mud war: 3 2 1 0 -1 by the first, 1 3 2 0 none by the second."""
    return Ranking(keep(asked(), [3, 2, 1, 0, -1], [1, 3, 2, 0, None]))


def test_each_model_has_its_best_and_its_worst_words(ranking: Ranking) -> None:
    first, second = ranking.ends(0, 2), ranking.ends(1, 2)
    assert first.best == (Word("love", 1, 3), Word("peace", 2, 1))
    assert first.worst == (Word("war", 5, 0), Word("mud", 4, 4))
    assert [word.text for word in second.best] == ["peace", "cheese"]
    assert [word.text for word in second.worst] == ["mud", "love"]
    assert (first.ranked, second.ranked) == (5, 4)
    # love and peace, peace and cheese: one; war and mud, mud and love: one.
    assert ranking.shared(2) == (1, 1)
    assert sentences.shared_sentence(ranking, 2) == (
        "Of the 2 best words of each, 1 is the same; of the worst, 1."
    )


def test_no_word_is_at_both_ends_of_a_short_list(ranking: Ranking) -> None:
    ends = ranking.ends(0, 50)
    assert [word.text for word in ends.best] == ["love", "peace"]
    assert [word.text for word in ends.worst] == ["war", "mud"]


def test_words_held_back_are_ranked_counted_and_not_shown(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the five were the bundled list, and two of them were crude.
    monkeypatch.setattr(asking, "bundled", lambda: LIST)
    monkeypatch.setattr(ends_module, "held_back", lambda: frozenset({"love", "mud"}))
    ranking = Ranking(keep(asked(()), [3, 2, 1, 0, -1], [1, 3, 2, 0, None]))
    ends = ranking.ends(0, 1)
    assert ends.best == (Word("peace", 2, 1),) and ends.worst == (Word("war", 5, 0),)
    assert (ends.ranked, ends.skipped) == (5, 1)
    assert ranking.place_of("love") == ("love", 1, 3)
    assert len(ranking.table()) == 5
    assert sentences.ends_sentence(ends).startswith("Of 5 words that are shown, ")
    # By the second peace and cheese are shown, and of all that is below cheese nothing.
    assert sentences.hidden_sentence(ranking) == (
        "2 words that are crude or name a group of people are ranked like all others, but not shown"
        " in the lists: 1 and 2 of them would stand there."
    )


def test_a_words_own_place_is_found_whatever_its_capitals(ranking: Ranking) -> None:
    assert ranking.place_of("  CHEESE ") == ("cheese", 3, 2)
    assert ranking.place_of("joy") is None
    assert sentences.place_sentence(ranking, "peace", (2, 1)) == (
        f"“peace” is no. 2 of 5 with {FIRST} and no. 1 of 4 with {SECOND}."
    )
    assert sentences.place_sentence(ranking, "war", (5, 0)) == (
        f"“war” is no. 5 of 5 with {FIRST} and not rated by {SECOND}."
    )


def test_a_word_that_is_not_in_the_list_has_the_place_it_would_have(ranking: Ranking) -> None:
    # Above 1.5 are 3 and 2; above 3.0 is none, and equal to it one; nothing is known of NaN.
    assert ranking.places_for(np.array([1.5, 3.0])) == (3, 1)
    assert ranking.places_for(np.array([-9.0, np.nan])) == (6, 0)
    assert sentences.place_sentence(ranking, "joy", (3, 1), listed=False) == (
        f"“joy” is not in the list. It would be no. 3 of 6 with {FIRST} and no. 1 of 5 with "
        f"{SECOND}."
    )


def test_the_table_has_every_word_from_the_first_models_best_on(ranking: Ranking) -> None:
    assert ranking.table().to_csv(index=False).splitlines() == [
        f"word,reward {FIRST},place {FIRST},reward {SECOND},place {SECOND}",
        "love,3.0,1,1.0,3",
        "peace,2.0,2,3.0,1",
        "cheese,1.0,3,2.0,2",
        "mud,0.0,4,0.0,4",
        "war,-1.0,5,,",
    ]


def test_the_correlation_is_told_with_its_n_and_why_it_has_no_interval(ranking: Ranking) -> None:
    # Of the four that both rated: ranks 4 3 2 1 and 2 4 3 1; the squared differences add up to
    # 4 + 1 + 1 + 0, so rho = 1 - 6 * 6 / (4 * 15) = 0.4.
    assert ranking.correlation == (pytest.approx(0.4), 4)
    assert sentences.correlation_sentence(ranking) == (
        "The two orders have much in common: their rank correlation is +0.40 (Spearman's rho, "
        "n = 4 words)."
    )
    assert "has no interval" in sentences.CENSUS


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ([5, 4, 3, 2, 1], "are nearly the same"),
        ([1, 2, 3, 4, 5], "run against each other"),
        ([2, 1, 5, 4, 3], "run against each other"),
        ([3, 3, 3, 3, 3], "cannot be compared"),
    ],
)
def test_how_far_orders_go_together_is_told_in_words(
    data_dir: Path, second: list[float], said: str
) -> None:
    scored = keep(asked(), [5, 4, 3, 2, 1], second)
    assert said in sentences.correlation_sentence(Ranking(scored))


def test_models_that_do_not_read_the_question_are_named(ranking: Ranking) -> None:
    assert sentences.prompt_sentence(ranking.scored) == (
        f"{FIRST} and {SECOND} read the reply alone: whatever the question, they give a word the "
        "same reward."
    )
    assert "one sentence encoder (MiniLM)" in sentences.models_sentence(ranking.scored)
