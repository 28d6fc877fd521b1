"""What is reworded of a pair, and the pair put together again: shared prompts stay shared."""

from __future__ import annotations

from typing import get_args

from hypothesis import given, strategies as st

from ivan_core.domain.pairs import Pair
from ivan_core.domain.rewriting import PieceKey, Scope
from ivan_core.domain.transcripts import Dialogue
from ivan_core.rewording.pieces import PairInPieces, Piece, has_something_to_reword, pieces_of

ASK = "\n\nHuman: How do I bake bread?"
GOOD = "\n\nAssistant: Mix flour and water first."
BAD = "\n\nAssistant: No idea, sorry about that."


def pair(chosen: str, rejected: str) -> Pair:
    return Pair(7, Dialogue(chosen), Dialogue(rejected))


def told(pieces: list[Piece]) -> list[tuple[str, str]]:
    return [(piece.key.text, piece.text) for piece in pieces]


def test_the_shared_prompt_is_one_piece_and_each_reply_one():
    made = pair(ASK + GOOD, ASK + BAD)
    assert told(pieces_of(made, "shared")) == [
        ("7.both.prompt", ASK),
        ("7.chosen.reply", GOOD),
        ("7.rejected.reply", BAD),
    ]
    assert told(pieces_of(made, "whole")) == [
        ("7.chosen.dialogue", ASK + GOOD),
        ("7.rejected.dialogue", ASK + BAD),
    ]


def test_sides_that_part_ways_early_keep_a_prompt_of_their_own_after_that():
    more = "\n\nHuman: And without any flour?"
    last = "\n\nAssistant: Take ground almonds then."
    made = pair(ASK + GOOD + more + last, ASK + BAD)
    assert told(pieces_of(made, "shared")) == [
        ("7.both.prompt", ASK),
        ("7.chosen.prompt", GOOD + more),
        ("7.chosen.reply", last),
        ("7.rejected.reply", BAD),
    ]


def test_a_side_that_ends_in_a_human_turn_has_no_reply():
    more = "\n\nHuman: Thanks a lot."
    made = pair(ASK + GOOD + more, ASK + BAD)
    assert [piece.key.text for piece in pieces_of(made, "shared")] == [
        "7.both.prompt",
        "7.chosen.prompt",
        "7.rejected.reply",
    ]


def test_texts_before_the_first_turn_belong_to_the_prompt_and_share_only_if_they_are_the_same():
    made = pair("A chat log." + ASK + GOOD, "A chat log." + ASK + BAD)
    assert pieces_of(made, "shared")[0].text == "A chat log." + ASK
    made = pair("A chat log." + ASK + GOOD, "Some chat log." + ASK + BAD)
    assert [piece.key.text for piece in pieces_of(made, "shared")] == [
        "7.chosen.prompt",
        "7.chosen.reply",
        "7.rejected.prompt",
        "7.rejected.reply",
    ]
    assert told(pieces_of(pair("Just a text.", "Another one."), "shared")) == [
        ("7.chosen.prompt", "Just a text."),
        ("7.rejected.prompt", "Another one."),
    ]


def test_sides_that_are_the_same_are_reworded_once():
    made = pair(ASK + GOOD, ASK + GOOD)
    assert [piece.key.side for piece in pieces_of(made, "shared")] == ["both", "both"]
    assert [piece.key.text for piece in pieces_of(made, "whole")] == ["7.both.dialogue"]


def test_what_has_fewer_than_two_words_stands_as_it_was():
    made = pair("\n\nHuman: Hi" + GOOD, "\n\nHuman: Hi\n\nAssistant: Hello!")
    (piece,) = pieces_of(made, "shared")
    assert piece.key == PieceKey(7, "chosen", "reply")
    chosen, rejected = PairInPieces(made, "shared").assemble(
        {piece.key: "\n\nAssistant: First mix both."}
    )
    assert chosen == Dialogue("\n\nHuman: Hi\n\nAssistant: First mix both.")
    # Of the rejected side nothing can be reworded, so it has no rewording.
    assert rejected is None


def test_words_are_counted_without_the_names_of_the_speakers():
    for nothing in ("", "\n\nHuman:", "\n\nHuman: ?!", "\n\nHuman: Hi\n\nAssistant:", "don't"):
        assert not has_something_to_reword(Dialogue(nothing))
    for something in (ASK, "two words", "\n\nHuman: Hi\n\nAssistant: Hello", "\n\nHuman: 你好"):
        assert has_something_to_reword(Dialogue(something))


def test_a_side_is_complete_only_if_all_its_pieces_were_accepted():
    made = pair(ASK + GOOD, ASK + BAD)
    prompt, good, bad = (piece.key for piece in pieces_of(made, "shared"))
    asked, mixed = "\n\nHuman: How is bread baked?", "\n\nAssistant: First mix both."
    assert PairInPieces(made, "shared").assemble({prompt: asked, good: mixed}) == (
        Dialogue(asked + mixed),
        None,
    )
    assert PairInPieces(made, "shared").assemble({good: mixed, bad: mixed}) == (None, None)
    assert PairInPieces(made, "whole").assemble({}) == (None, None)


def test_a_key_is_read_as_it_is_written():
    for text in ("0.both.prompt", "12.chosen.reply", "160799.rejected.dialogue"):
        key = PieceKey.from_text(text)
        assert key is not None and key.text == text
    for odd in ("", "12", "01.both.prompt", "1.left.prompt", "1.both.prompt.x", "-1.both.reply"):
        assert PieceKey.from_text(odd) is None


WORDS = st.lists(st.sampled_from(["tea", "is", "Hi", "", "?", "Human", "warm\n", "Assistant:"]))
TURNS = st.lists(
    st.tuples(st.sampled_from(["Human", "Assistant"]), WORDS.map(" ".join)), max_size=4
)
TRANSCRIPTS = TURNS.map(lambda turns: "".join(f"\n\n{role}: {said}" for role, said in turns))


@given(
    shared=TRANSCRIPTS, one=TRANSCRIPTS, other=TRANSCRIPTS, scope=st.sampled_from(get_args(Scope))
)
def test_rewordings_that_change_nothing_give_the_pair_back(shared, one, other, scope):
    made = pair(shared + one, shared + other)
    pieces = pieces_of(made, scope)
    assert len({piece.key for piece in pieces}) == len(pieces)
    chosen, rejected = PairInPieces(made, scope).assemble(
        {piece.key: piece.text for piece in pieces}
    )
    assert chosen in (None, made.chosen) and rejected in (None, made.rejected)
    assert (chosen is None) == (not has_something_to_reword(made.chosen)) or scope == "shared"


@given(shared=TRANSCRIPTS, one=TRANSCRIPTS, other=TRANSCRIPTS)
def test_both_sides_keep_the_prompt_they_share(shared, one, other):
    made = pair(shared + one, shared + other)
    reworded = {
        piece.key: "".join(f"\n\n{turn.role}: new words" for turn in Dialogue(piece.text).turns)
        for piece in pieces_of(made, "shared")
    }
    chosen, rejected = PairInPieces(made, "shared").assemble(reworded)
    if chosen and rejected:
        after = Pair(7, chosen, rejected)
        assert len(after.shared_turns) >= len(made.shared_turns)
        assert after.prompts_differ is False or made.prompts_differ
