"""Leaving sentences out: pieces that join back, dialogues without them, deletions that flip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from given import made_runs
from hypothesis import given, strategies as st

from ivan_core.domain.ablation import (
    Deletion,
    Flip,
    holds_a_turn,
    in_pieces,
    search_flip,
    sentences,
    with_reply,
    words,
)
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import Reward
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.warm.answers import Answer, Pending
from ivan_core.experiments.compare import ablation
from ivan_core.experiments.compare.ablation import Effects, OwnReward, WordEffects
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.metrics.sentences import effects_sentence, flip_sentence, signed

ASK = "\n\nHuman: How?\n\nAssistant:"
TEXTS = st.text(st.sampled_from("aB1 .!?…\n`\"')-。\r\té\ud800") | st.characters(), max_size=120)


@given(TEXTS)
def test_pieces_joined_give_the_text_back(text: str) -> None:
    pieces = sentences(text)
    assert "".join(pieces) == text
    assert all(pieces) and len(pieces) <= 40


@given(st.text("Ab. \n", min_size=200, max_size=2000), st.integers(1, 9))
def test_long_texts_lie_in_no_more_pieces_than_allowed(text: str, most: int) -> None:
    assert len(sentences(text, most)) <= most


@pytest.mark.parametrize(
    "marked",
    [
        "One. |Two! |Three? |Four",
        "Dr. Smith, e.g. J. Smith, paid 3.50 to Mr. Lee.",
        "At 5 p.m. |He left. |So do I. |You too.",
        "See fig. 3 of vol. 2. |Say no. |Then go.",
        "Well... maybe. |Well... |Maybe…  |No.",
        "Really?! |he asked. |“No.” |She went.",
        "你好。|我是谁？|「对。」|好",
        "To do:\n|1. Buy eggs.\n|2. Eat\n   them\n\n|Done",
        "- a\n|- b. c\n|* d",
        "Run `a. B` now. |Then:\n|```py\nx = 1.\nY. Z\n```\n|Ok.",
        "It was a very long line that somebody has wrapped in\nParis. |Then more.",
        "---\nHello.\n***\n",
        "Visit www.a.com. |It is v1.2.3.",
        " \n ",
    ],
)
def test_sentences_end_where_a_reader_ends_them(marked: str) -> None:
    assert sentences(marked.replace("|", "")) == marked.split("|")


@given(text=st.text(alphabet="ab.,!? \n-'。", max_size=300), most=st.integers(1, 8))
def test_words_joined_give_the_text_back_in_no_more_pieces_than_allowed(
    text: str, most: int
) -> None:
    found = words(text, most)
    assert "".join(found) == (text if text.strip() else "".join(found)) and len(found) <= most


def test_words_stand_alone_while_there_is_room_and_never_join_two_sentences() -> None:
    text = "One two three. Four five."
    assert words(text) == ["One ", "two ", "three. ", "Four ", "five."]
    assert words(text, 4) == ["One two ", "three. ", "Four five."]
    assert words(text, 2) == ["One two three. ", "Four five."]
    assert words("") == []


def test_adversarial_texts_take_no_time() -> None:
    for text in ("`" * 50_000, "a. " * 50_000, '."' * 50_000, "\n- " * 50_000, "ab\n" * 50_000):
        assert "".join(sentences(text)) == text


def test_a_reply_without_some_sentences_keeps_the_space_around_it() -> None:
    reply = in_pieces(Dialogue(f"{ASK}  One. Two.\n\nThree.\n"))
    assert reply.pieces == ("One. ", "Two.\n\n", "Three.")
    assert reply.without(()).text == reply.dialogue.text
    assert reply.without((0,)).text == f"{ASK}  Two.\n\nThree.\n"
    assert reply.without((1, 2)).text == f"{ASK}  One.\n"
    assert reply.without((0, 1, 2)).text == ASK
    assert reply.without((0, 1, 2)).reply == ""


@given(TEXTS, TEXTS, st.sets(st.integers(0, 40)))
def test_a_deletion_changes_the_last_reply_only(
    before: str, reply: str, left_out: set[int]
) -> None:
    dialogue = Dialogue(f"\n\nHuman:{before}{ASK}{reply}")
    if dialogue.ends_in_human_turn or not dialogue.turns[-1].words:
        return
    found = in_pieces(dialogue)
    assert found.without(()).text == dialogue.text
    assert found.without(range(len(found.pieces))).turns[-1].words == ""
    shorter = found.without(left_out)
    assert shorter.turns[:-1] == dialogue.turns[:-1]
    assert len(shorter.turns) == len(dialogue.turns)


def test_what_is_left_never_becomes_a_turn() -> None:
    dialogue = Dialogue(f"{ASK} Go.\n\nThen. Human: no. Assistant: yes.")
    reply = in_pieces(dialogue)
    assert reply.pieces[1] == "Then. "
    shorter = reply.without((1,))
    assert shorter.text == f"{ASK} Go.\nHuman: no. Assistant: yes."
    assert len(shorter.turns) == 2


def test_a_typed_reply_takes_the_place_of_the_last_one() -> None:
    assert with_reply(Dialogue(f"{ASK} Old."), "New.").text == f"{ASK} New."
    assert with_reply(Dialogue(ASK), "New.").text == f"{ASK} New."
    assert with_reply(Dialogue("\n\nHuman: Hi"), "New.").text == "\n\nHuman: Hi\n\nAssistant: New."
    assert with_reply(Dialogue("plain text "), "New.").text == "New. "
    assert holds_a_turn("So\n\nHuman: no") and not holds_a_turn("Human: no")


@pytest.mark.parametrize("text", ["\n\nHuman: Hi", ASK, f"{ASK} \n"])
def test_without_a_reply_there_is_nothing_to_leave_out(text: str) -> None:
    with pytest.raises(BadInput):
        in_pieces(Dialogue(text))


def searched(
    lengths: Sequence[int],
    reward_of: Callable[[Deletion], float | None],
    other: float,
    budget: int = 120,
) -> Flip:
    """A search with a scorer that knows the reward of each deletion."""
    reward = reward_of(frozenset())
    assert reward is not None
    search = search_flip(tuple(lengths), reward, other, budget)
    try:
        wanted = next(search)
        while True:
            wanted = search.send({deletion: reward_of(deletion) for deletion in wanted})
    except StopIteration as over:
        found: Flip = over.value
        return found


def sums(*weights: float) -> Callable[[Deletion], float]:
    """A model whose reward is the sum of what each sentence weighs."""
    return lambda left_out: sum(w for i, w in enumerate(weights) if i not in left_out)


def test_one_sentence_that_flips_is_found_at_once() -> None:
    found = searched([9, 5, 7], sums(1, 4, 4), other=6)
    assert found == Flip((1,), 5, tried=3, possible=6, shortest=True)
    assert flip_sentence(found, "m", "B").startswith("Without sentence 2, m prefers B: no shorter")


def test_two_sentences_that_flip_together_are_found_next() -> None:
    found = searched([5, 5, 3], sums(2, 2, 3), other=3.5)
    assert found == Flip((0, 2), 2, tried=6, possible=6, shortest=True)


def test_the_side_the_model_likes_less_may_rise() -> None:
    assert searched([5, 5], sums(-3, 1), other=0).left_out == (0,)


def test_equal_rewards_and_single_sentences_have_nothing_to_flip() -> None:
    assert searched([5, 5], sums(1, 1), other=2) == Flip(None, None, 0, 2, False)
    assert searched([5], sums(1), other=2) == Flip(None, None, 0, 0, True)


def test_sentences_that_cannot_be_scored_flip_nothing() -> None:
    found = searched([5, 5], lambda left_out: None if left_out else 1.0, other=0)
    assert found == Flip(None, None, 2, 2, True)


WEIGHTS = st.lists(st.integers(-9, 9), min_size=2, max_size=6)


@given(WEIGHTS, st.integers(-12, 12), st.lists(st.integers(1, 9), min_size=6, max_size=6))
def test_within_the_budget_the_search_finds_the_shortest_of_all(
    weights: list[int], other: int, lengths: list[int]
) -> None:
    n, reward_of = len(weights), sums(*weights)
    reward = reward_of(frozenset())
    flipping = [
        (count, sum(lengths[i] for i in chosen))
        for count in range(1, n)
        for chosen in combinations(range(n), count)
        if (reward_of(frozenset(chosen)) - other) * (reward - other) < 0
    ]
    found = searched(lengths[:n], reward_of, other)
    if found.left_out is None:
        assert not flipping
    else:
        size = len(found.left_out), sum(lengths[i] for i in found.left_out)
        assert size == min(flipping)
    assert found.shortest or reward == other


@given(st.lists(st.integers(-9, 9), min_size=17, max_size=40), st.integers(-30, 30))
def test_a_long_search_keeps_to_its_budget_and_says_so(weights: list[int], other: int) -> None:
    reward_of = sums(*weights)
    found = searched([1] * len(weights), reward_of, other)
    assert found.tried <= 120 and found.possible == 2 ** len(weights) - 2
    if found.left_out is not None:
        assert found.reward == reward_of(frozenset(found.left_out))
        assert (found.reward - other) * (reward_of(frozenset()) - other) < 0
        assert found.shortest == (len(found.left_out) == 1)
    elif reward_of(frozenset()) != other:
        assert "among 0 of" not in flip_sentence(found, "m", "B")


def test_a_long_search_puts_back_what_was_not_needed() -> None:
    # Leaving out all three of these flips, two of them do not, and no single one tells.
    needed = frozenset((3, 8, 12))
    found = searched(
        [1] * 20, lambda out: 10.0 - 0.1 * len(out) - (8 if needed <= out else 0), other=5.0
    )
    assert found.left_out is not None and needed <= set(found.left_out)
    assert not found.shortest and found.tried <= 120
    assert "a shorter one may exist" in flip_sentence(found, "m", "B")


def test_numbers_have_signs_and_two_digits() -> None:
    assert signed([0.834, -0.0412, 0.0, None]) == ["+0.83", "−0.04", "0.00", "–"]
    assert signed([12.0, -3.4]) == ["+12", "−3"]
    assert signed([]) == [] and signed([0.0]) == ["0"]
    assert effects_sentence("m", [0.1, -0.5], 0.25) == (
        "Without sentence 2, m gives the reply 0.50 more (2.0 typical margins)."
    )
    assert "No single sentence" in effects_sentence("m", [0.0], None)


@pytest.fixture
def results(data_dir: Path, tmp_path: Path) -> Results:
    rows = [
        {"chosen": f"{ASK} aaa. Bbbbb. Cc.", "rejected": f"{ASK} Dddd ddd."},
        {"chosen": "\n\nHuman: Hi", "rejected": f"{ASK} No."},
    ]
    spec = made_runs.spec_of_file(made_runs.write_rows(tmp_path / "rows.jsonl", rows))
    return open_results(made_runs.finished(data_dir, spec))


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A warm worker that answers at once: the reward is the number of letters of the reply."""
    asked: list[int] = []

    def ask(_: Any, texts: Sequence[Dialogue], again: bool = False) -> Answer:
        asked.append(len(texts))
        return Answer({t.hash: Reward(float(len((t.reply or "").strip()))) for t in texts})

    monkeypatch.setattr(ablation, "ask", ask)
    return asked


def test_effects_are_the_reward_with_a_sentence_minus_without(
    results: Results, letters: list[int]
) -> None:
    found = ablation.sentence_effects(results, 0, "ivan/minilm-control", "chosen")
    assert isinstance(found, Effects)
    assert (found.reward.value, found.other.value) == (15, 9)
    told = [(s.text, s.without, s.adds) for s in found.sentences]
    assert told == [("aaa. ", 10, 5), ("Bbbbb. ", 8, 7), ("Cc.", 11, 4)]


def test_every_word_of_both_replies_is_left_out_in_one_question(
    results: Results, letters: list[int]
) -> None:
    found = ablation.word_effects(results, 0, "ivan/minilm-control")
    assert isinstance(found, WordEffects)
    assert {side: reward.value for side, reward in found.rewards.items()} == {
        "chosen": 15,
        "rejected": 9,
    }
    assert [(w.text, w.adds) for w in found.words["chosen"]] == [
        ("aaa. ", 5),
        ("Bbbbb. ", 7),
        ("Cc.", 4),
    ]
    assert [(w.text, w.adds) for w in found.words["rejected"]] == [("Dddd ", 5), ("ddd.", 5)]
    assert letters == [7] and not found.refused


def test_the_words_of_the_side_with_a_reply_are_told_where_the_other_has_none(
    results: Results, letters: list[int]
) -> None:
    found = ablation.word_effects(results, 1, "ivan/minilm-control")
    assert isinstance(found, WordEffects)
    assert list(found.words) == ["rejected"] and "no reply" in found.refused["chosen"].message


def test_the_flip_of_a_pair(results: Results, letters: list[int]) -> None:
    found = ablation.shortest_flip(results, 0, "ivan/minilm-control", "chosen")
    assert found == Flip((1,), 8.0, tried=3, possible=6, shortest=True)
    assert letters == [2, 3]


def test_a_search_waits_for_its_rewards(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Pending("id", "Scoring", 0, 2)
    monkeypatch.setattr(ablation, "ask", lambda *_: Answer(pending=waiting))
    assert ablation.shortest_flip(results, 0, "ivan/minilm-control", "chosen") == waiting
    assert ablation.sentence_effects(results, 0, "ivan/minilm-control", "chosen") == waiting
    assert ablation.word_effects(results, 0, "ivan/minilm-control") == waiting


def test_a_reply_of_ones_own_stands_beside_the_two(results: Results, letters: list[int]) -> None:
    found = ablation.own_reply(results, 0, "  Sixteen letters! ")
    assert [reward.model for reward in found] == list(results.models)
    assert found[0] == OwnReward(results.models[0], Reward(16.0), Reward(15.0), Reward(9.0))
    assert found[0].beats_chosen is True
    assert ablation.own_reply(results, 0, "Fifteen letter.")[0].beats_chosen is False


@pytest.mark.parametrize("typed", ["", " \n", "x" * 20_001, "So\n\nHuman: no"])
def test_what_is_no_reply_is_refused(results: Results, typed: str) -> None:
    with pytest.raises(BadInput):
        ablation.own_reply(results, 0, typed)


def test_a_side_without_a_reply_and_an_unknown_model_are_said(results: Results) -> None:
    with pytest.raises(BadInput, match="no reply"):
        ablation.sentence_effects(results, 1, "ivan/minilm-control", "chosen")
    with pytest.raises(BadInput, match="no model"):
        ablation.sentence_effects(results, 0, "other", "chosen")


def test_a_reply_of_millions_of_characters_is_never_cut_into_sentences(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"chosen": f"{ASK} {'So it is. ' * 10_001}", "rejected": f"{ASK} No."}]
    spec = made_runs.spec_of_file(made_runs.write_rows(tmp_path / "rows.jsonl", rows))
    results = open_results(made_runs.finished(data_dir, spec))
    taken: list[Dialogue] = []
    monkeypatch.setattr(ablation, "in_pieces", taken.append)
    for ask in (ablation.sentence_effects, ablation.shortest_flip):
        with pytest.raises(BadInput, match="100,009 characters"):
            ask(results, 0, "ivan/minilm-control", "chosen")
    assert not taken
