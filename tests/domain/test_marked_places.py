"""What is told of a transcript by looking for its markers is what its turns tell."""

from __future__ import annotations

from hypothesis import given, strategies as st

from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue, Role, prompt_turns

PIECES = ["\n\nHuman:", "\n\nAssistant:", "\n\n", "Human:", "Assistant:", " Hi", " ", "\n", "Yes."]
texts = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
roles: st.SearchStrategy[Role] = st.sampled_from(["Human", "Assistant", "System"])
messages = st.lists(st.tuples(roles, st.sampled_from([" a", "b", "\n\nHuman: c", ""])), max_size=4)
dialogues = texts.map(Dialogue) | messages.map(Dialogue.of_messages)


@given(dialogues)
def test_turns_and_markers_tell_the_same_of_a_dialogue(one: Dialogue) -> None:
    asked = [turn.words for turn in one.turns if turn.role == "Human"]
    assert one.first_human_turn == (asked[0] if asked else "")
    assert one.ends_in_human_turn == (bool(one.turns) and one.turns[-1].role != "Assistant")
    assert one.has_prompt == (bool(asked) or bool(one.turns and one.preamble.strip()))


@given(dialogues, dialogues)
def test_prompts_differ_where_turns_before_the_last_reply_do(
    chosen: Dialogue, rejected: Dialogue
) -> None:
    before = [(one.preamble, prompt_turns(one)) for one in (chosen, rejected)]
    assert Pair(0, chosen, rejected).prompts_differ == (before[0] != before[1])


@given(texts, st.sampled_from([" Yes", " No", ""]), st.sampled_from([" Yes", "\n\nHuman: So?"]))
def test_prompts_that_are_the_same_do_not_differ(asked: str, one: str, other: str) -> None:
    chosen, rejected = (Dialogue(f"{asked}\n\nAssistant:{reply}") for reply in (one, other))
    before = [(side.preamble, prompt_turns(side)) for side in (chosen, rejected)]
    assert Pair(0, chosen, rejected).prompts_differ == (before[0] != before[1])
