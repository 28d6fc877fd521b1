"""What a rewriter is told in each style; the surface change keeps words, roles and turns."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from given import hostile
from hypothesis import given, strategies as st

from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.domain.rewriting import STYLES, PieceKey, RewriteRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.rewording.accept import rewrite_piece
from ivan_core.rewording.pieces import Piece
from ivan_core.rewording.styles import build_request, change_surface, instructions, style_hash

FENCED = re.compile(r"<dialogue-([0-9a-f]{16})>\n(.*)\n</dialogue-\1>", re.DOTALL)
PROMPT = Piece(PieceKey(3, "both", "prompt"), "\n\nHuman: Is green tea good?")
GOOD = "\n\nHuman: Is green tea nice?"


class Said:
    """A rewriter that says one thing after the other, and keeps what it was asked."""

    def __init__(self, *replies: ModelReply, kind: Literal["ollama", "rules"] = "ollama") -> None:
        self.card = AnswererCard("said", kind=kind)
        self.replies = list(replies)
        self.asked: list[RewriteRequest] = []

    def rewrite(self, request: RewriteRequest) -> ModelReply:
        self.asked.append(request)
        return self.replies[len(self.asked) - 1]


def test_each_style_has_instructions_of_its_own_and_a_hash():
    published, second, surface = (instructions(style) for style in STYLES)
    assert published and second and published != second and surface == ""
    for said in (published, second):
        for rule in ("vocabulary and grammar", "intensity", "Do not soften", "Keep the turns"):
            assert rule.lower() in said.lower()
    hashes = [style_hash(style) for style in STYLES]
    assert len(set(hashes)) == 3 and all(re.fullmatch("[0-9a-f]{16}", one) for one in hashes)


def test_a_version_that_was_used_is_never_edited():
    assert {style: style_hash(style) for style in STYLES} == HASHES


HASHES = {
    "published": "90a46b81dc59ef01",
    "second": "5da8a7fb0b4e2af2",
    "surface": "64b6ac33921e2c4c",
}


@pytest.mark.parametrize("text", ["$x {0} %s ${keys}", *hostile.texts("http://leak.example")])
def test_a_text_acts_on_nothing_behind_its_fence(text):
    piece = Piece(PROMPT.key, f"\n\nHuman: {text}")
    request = build_request(piece, "published")
    found = FENCED.fullmatch(request.user)
    assert found is not None and found[2] == piece.text and found[1] not in piece.text
    assert request.system == instructions("published") and request.text == piece.text
    again = build_request(piece, "published", 2, "Change words.")
    assert again.user.startswith(request.user) and "Change words." in again.user
    assert again.system == request.system


def test_the_scope_follows_from_the_piece():
    assert build_request(PROMPT, "second").scope == "shared"
    whole = Piece(PieceKey(3, "chosen", "dialogue"), PROMPT.text)
    assert build_request(whole, "second").scope == "whole"


def test_a_piece_is_asked_for_until_it_is_accepted():
    rewriter = Said(
        *(
            ModelReply(text, input_tokens=read, output_tokens=written)
            for text, read, written in (("", 5, 1), ("Tea?", 6, 2), (GOOD, 7, 3))
        )
    )
    rewording = rewrite_piece(rewriter, PROMPT, "published")
    assert (rewording.text, rewording.tries) == (GOOD, 3)
    assert [refused.reason for refused in rewording.refusals] == ["empty", "turns"]
    assert (rewording.input_tokens, rewording.output_tokens) == (18, 6)
    assert [asked.attempt for asked in rewriter.asked] == [1, 2, 3]
    assert [bool(asked.reason) for asked in rewriter.asked] == [False, True, True]
    assert "Tea?" not in rewriter.asked[2].user


def test_what_is_never_accepted_is_kept_as_it_came():
    rewording = rewrite_piece(Said(*[ModelReply("Tea?")] * 3), PROMPT, "published")
    assert (rewording.text, rewording.tries, rewording.input_tokens) == (None, 3, None)
    assert [refused.raw for refused in rewording.refusals] == ["Tea?"] * 3
    assert rewrite_piece(Said(ModelReply("Tea?")), PROMPT, "published", tries=1).tries == 1


def test_rules_are_asked_once_and_silence_ends_after_two_tries():
    rules = Said(ModelReply(PROMPT.text), kind="rules")
    rewording = rewrite_piece(rules, PROMPT, "published")
    assert (rewording.tries, rewording.refusals[0].reason) == (1, "identical")
    silent = Said(*[ModelReply(problem="Too slow.")] * 2)
    rewording = rewrite_piece(silent, PROMPT, "published")
    assert (rewording.tries, rewording.refusals[1].sentence) == (2, "Too slow.")
    # A problem says nothing about an answer, so no reason is given.
    assert silent.asked[1].reason == ""


def test_the_surface_change_needs_no_rewriter_and_the_others_do():
    rewording = rewrite_piece(None, PROMPT, "surface")
    assert (rewording.text, rewording.refusals) == ("\n\nHuman: Is green tea good ?", ())
    nothing = rewrite_piece(None, Piece(PROMPT.key, "\n\nHuman: ?!"), "surface")
    assert nothing.text is None and nothing.refusals[0].reason == "identical"
    with pytest.raises(ValueError, match="needs a rewriter"):
        rewrite_piece(None, PROMPT, "second")


TOKENS = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    return TOKENS.findall(text)


def roles(text: str) -> list[str]:
    return [turn.role for turn in Dialogue(text).turns]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("\n\nHuman: Tea", "\n\nHuman: Tea."),
        ("\n\nHuman: Tea.", "\n\nHuman: Tea"),
        ("\n\nHuman: Tea?", "\n\nHuman: Tea ?"),
        ("\n\nHuman: Tea ?", "\n\nHuman: Tea?"),
        ("\n\nHuman: (Tea)", "\n\nHuman: (Tea)."),
        ("\n\nHuman: Tea;", "\n\nHuman: Tea; "),
    ],
)
def test_a_text_with_one_place_to_change_is_changed_there(text, changed):
    assert change_surface(text) == changed


def test_a_text_without_letters_or_digits_has_no_surface_to_change():
    for empty in ("", "\n\nHuman:", "\n\nHuman: ?!\n\nAssistant: ;"):
        assert change_surface(empty) is None


def test_code_and_addresses_are_left_alone():
    text = "\n\nHuman: See https://a.example/it's.\n    x = 'a'...\nDon't you think so"
    changed = change_surface(text)
    assert changed is not None
    assert changed.startswith("\n\nHuman: See https://a.example/it's.\n    x = 'a'...\n")
    assert tokens(changed) == tokens(text)


def test_the_same_text_always_gets_the_same_change():
    text = "\n\nHuman: I don't... know. It's \"odd\" - isn't it? Yes! No."
    assert change_surface(text) == change_surface(text)
    more = [change_surface(f"{text} And {n}.") for n in range(20)]
    starts = {str(changed)[: len(text) - 4] for changed in more}
    # Other texts draw other coins.
    assert len(starts) > 5


MARKS = st.sampled_from(
    [" ", "  ", ". ", "... ", "…", "?", "! ", '"', "'", "’", "“", " - ", "–", "--", ", ", "\n", ")"]
)
SAID = st.lists(st.one_of(st.sampled_from(["tea", "3", "Human:", "don't"]), MARKS), max_size=12)
TEXTS = st.lists(st.tuples(st.sampled_from(["Human", "Assistant"]), SAID.map("".join)), max_size=4)


@given(TEXTS.map(lambda turns: "".join(f"\n\n{role}:{said}" for role, said in turns)) | st.text())
def test_words_and_roles_stay_and_something_changes(text):
    changed = change_surface(text)
    said = [Dialogue(text).preamble, *(turn.content for turn in Dialogue(text).turns)]
    if changed is None:
        assert not any(tokens(part) for part in said)
        return
    assert changed != text
    assert tokens(changed) == tokens(text) and roles(changed) == roles(text)


def test_hostile_texts_keep_their_words():
    for text in hostile.texts("http://leak.example"):
        changed = change_surface(f"\n\nHuman: {text}")
        assert changed is not None and tokens(changed) == tokens(f"\n\nHuman: {text}")
