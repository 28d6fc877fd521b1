"""The rule-based rewriter: what it changes, what it never touches, what holds each time."""

from __future__ import annotations

import json
import re
import time
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import example, given, settings, strategies as st

from ivan_core.backends.rules_rewriter.reading import Reading, held_spans
from ivan_core.backends.rules_rewriter.rewriter import (
    NAME,
    NO_RULE,
    NO_SECOND,
    NO_SURFACE,
    RulesRewriter,
    changed_by,
    explain,
    revision,
    reword,
)
from ivan_core.backends.rules_rewriter.rules import read_rules, rules, words_file
from ivan_core.datasets.sources import sample_file
from ivan_core.domain.rewriting import PieceKey, Rewriter, RewriteRequest, Style
from ivan_core.domain.transcripts import Dialogue

STYLES: tuple[Style, ...] = ("published", "second")


def told(reply: str) -> str:
    return f"\n\nHuman: Well?\n\nAssistant: {reply}"


def request(text: str, style: Style = "published") -> RewriteRequest:
    return RewriteRequest(PieceKey(0, "chosen", "reply"), style, "shared", text)


# Each sentence has one place that a rule fits, so this is what stands in it.
ONE_PLACE = [
    ("Perhaps it rains.", "Maybe it rains."),
    ("Everyone left.", "Everybody left."),
    ("Nobody saw us.", "No one saw us."),
    ("I'm an AI.", "I am an AI."),
    ("i'm an ai.", "i am an ai."),
    ("They cannot swim.", "They can't swim."),
    ("It's not raining.", "It is not raining."),
    ("Stay here, for example.", "Stay here, for instance."),
    ("Hi there!", "Hello there!"),
    ("How can I fix it?", "How do I fix it?"),
    ("Thank you for coming.", "Thanks for coming."),
    ("The entire cake fell.", "The whole cake fell."),
]


@pytest.mark.parametrize(("before", "after"), ONE_PLACE)
def test_the_only_place_that_a_rule_fits_is_always_changed(before: str, after: str) -> None:
    assert [reword(told(before), style) for style in STYLES] == [told(after), told(before)]


UNTOUCHED = [
    "",
    "Why can't I swim?",
    "Don't you swim?",
    "It's been raining.",
    "Swim as fast as you are.",
    'She wrote "I don\'t know, perhaps everyone left" there.',
    "She wrote “I’m here, perhaps” there.",
    "She wrote 'perhaps it won't rain' there.",
    "Run `perhaps everyone` now.",
    "```\nperhaps everyone\n```",
    "See https://perhaps.example/everyone?maybe=perhaps.",
    "Play the song Perhaps Everyone.",
    "PERHAPS EVERYONE",
    "A perhaps-everyone plan.",
    "[perhaps everyone]",
    "Wait for 15 days.",
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_quotes_code_addresses_names_and_doubtful_places_stay(text: str) -> None:
    assert [explain(told(text), style) for style in STYLES] == [[], []]


MOVED = [
    ("If you feel ill, call a doctor.", "Call a doctor if you feel ill."),
    ("Call a doctor if you feel ill.", "If you feel ill, call a doctor."),
    ("My aunt sold the boat last week.", "Last week, my aunt sold the boat."),
    ("At night, the owls sing.", "The owls sing at night."),
]


@pytest.mark.parametrize(("before", "after"), MOVED)
def test_a_clause_or_adverbial_goes_to_the_other_end(before: str, after: str) -> None:
    assert reword(told(before)) == told(after)


STAYS_IN_ORDER = [
    "If the cake sinks, it is raw.",
    "Ask if you may swim.",
    "If you swim and dive, call a doctor, or a friend.",
    "Mary swam to Malta last week.",
    "I asked my aunt to come tonight.",
    "I think you swam last week.",
]


@pytest.mark.parametrize("text", STAYS_IN_ORDER)
def test_a_sentence_that_points_back_or_asks_whether_stays_in_order(text: str) -> None:
    assert not [change for change in explain(told(text)) if " to the " in change.rule]


def test_a_curly_apostrophe_and_a_capital_stay_what_they_are() -> None:
    assert reword(told("It’s raining.")) == told("It is raining.")
    assert reword(told("“Yes,” and he didn’t; he is not here.")).count("'") == 0


def test_the_words_of_a_message_stay_small_where_its_writer_writes_small() -> None:
    assert reword("\n\nHuman: maybe i swim") == "\n\nHuman: perhaps i swim"
    assert reword("\n\nHuman: do i have to i wonder").count("I") == 0


@cache
def sample_pieces() -> list[str]:
    """The 480 prompts and 960 last replies of the bundled sample, as transcripts."""
    pieces = []
    for line in sample_file().read_text("utf-8").splitlines():
        row = json.loads(line)
        prompt, marker, chosen = row["chosen"].rpartition("\n\nAssistant:")
        rejected = row["rejected"].rpartition("\n\nAssistant:")[2]
        pieces += [prompt, marker + chosen, marker + rejected]
    return pieces


def test_most_texts_of_the_sample_change_and_many_at_several_places() -> None:
    places = [len(explain(text)) for text in sample_pieces()]
    assert sum(n > 0 for n in places) > 0.70 * len(places)
    assert sum(n > 1 for n in places) > 0.20 * len(places)
    second = [len(explain(text, "second")) for text in sample_pieces()]
    assert sum(n > 0 for n in second) > 0.38 * len(second)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("They get a chance to swim.", "They get an opportunity to swim."),
        ("They get an opportunity to swim.", "They get a chance to swim."),
        ("A frequently heard sound.", "A frequently heard sound."),
        ("An almost new house.", "An almost new house."),
        ("A roughly 9 km walk.", "A roughly 9 km walk."),
    ],
)
def test_no_article_is_left_before_a_word_that_needs_the_other(before: str, after: str) -> None:
    assert reword(before) == after


def test_the_second_rewording_changes_no_place_that_the_first_one_changes() -> None:
    for text in sample_pieces():
        first, second = explain(text), explain(text, "second")
        assert 0 <= len(first) - len(second) <= 1
        assert not [
            (one, other)
            for one in first
            for other in second
            if one.start < other.end and other.start < one.end
        ]
        assert not first or reword(text) != reword(text, "second")


def known_words() -> set[str]:
    """Every word of the sample, and every word that a rule puts in."""
    rights = (
        right for found in rules().by_first.values() for rule in found for right in rule.rights
    )
    return {word.lower() for text in (*sample_pieces(), *rights) for word in WORDS.findall(text)}


def test_every_rule_on_every_place_of_the_sample_leaves_words_and_single_spaces() -> None:
    known, tried = known_words(), set()
    for text in sample_pieces():
        reading = Reading(text)
        for at in range(len(reading.tokens)):
            for rule in rules().found_at(reading, at):
                for change in changed_by(reading, at, rule):
                    tried.add((rule.left, change.after))
                    after = text[: change.start] + change.after + text[change.end :]
                    around = after[max(0, change.start - 30) : change.start + len(change.after) + 9]
                    assert {word.lower() for word in WORDS.findall(after)} <= known, around
                    assert ODD_SPACE.findall(after) == ODD_SPACE.findall(text), around
    assert len(tried) > 300


def roles(text: str) -> list[str]:
    return [turn.role for turn in Dialogue(text).turns]


WORDS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
ODD_SPACE = re.compile(r" {2,}| [,.;:!?]|[,;](?=[^\W\d])")
"""Two spaces, a space before a mark, none after one."""
NUMBERS = re.compile(r"\d+")


def check_kept(text: str, style: Style) -> None:
    """What holds for every rewording: its changes rebuild it, and they touch nothing held."""
    changes = explain(text, style)
    after = reword(text, style)
    rebuilt = text
    for change in reversed(changes):
        assert text[change.start : change.end] == change.before != change.after
        rebuilt = rebuilt[: change.start] + change.after + rebuilt[change.end :]
    assert rebuilt == after == reword(text, style)
    assert all(one.end <= other.start for one, other in pairwise(changes))
    for start, end in held_spans(text):
        assert not any(change.start < end and start < change.end for change in changes)
    assert NUMBERS.findall(after) == NUMBERS.findall(text)
    assert roles(after) == roles(text)
    assert Dialogue(after).preamble == "" or Dialogue(text).preamble != ""


def test_what_is_held_stays_in_every_text_of_the_sample() -> None:
    for text in sample_pieces():
        for style in STYLES:
            check_kept(text, style)


PIECES = st.sampled_from(
    [
        "If you can, ",
        "call them if you swim",
        "perhaps",
        "Everyone",
        "I'm",
        "it's",
        "don’t",
        "i",
        "to",
        '"',
        "'",
        "‘",
        "’",
        "“",
        "`",
        "```",
        "\n",
        "\n\n",
        "\n\nHuman:",
        "\n\nAssistant:",
        "Human:",
        ". ",
        ", ",
        "?",
        " ",
        " ",
        "42",
        "3.5",
        "https://a.b/because",
        "and then",
        "because",
        "so that",
        "[",
        "-",
        "ß",
        "today",
        "At first, ",
        "the",
        "we",
        "\ud800",
        "İ",
        "{",
        "()",
        "    ",
        "want to",
        "go",
    ]
)


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(STYLES))
@example("\n\nHuman: if you \n\nAssistant: maybe", "published")
def test_any_text_keeps_its_roles_numbers_and_quotes(text: str, style: Style) -> None:
    check_kept(text, style)


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    check_kept(text, "published")


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "'a ",
        '"',
        '" x\n\n',
        "“",
        "perhaps ",
        "if you ",
        "[",
        "<",
        "`",
        "```",
        "'",
        " 'a'b'c",
        "=",
        "\n",
        ", then go",
        "don't ",
        "Human: ",
        "( ) ",
        "a.b ",
    ],
)
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    text = unit * (120_000 // len(unit))
    begun = time.process_time()
    explain(text)
    # About 1 s at the most; squared growth takes twenty.
    assert time.process_time() - begun < 5


def test_the_rewriter_answers_pieces_and_says_when_no_rule_fits() -> None:
    rewriter: Rewriter = RulesRewriter()
    assert (rewriter.card.id, rewriter.card.kind) == (NAME, "rules")
    assert rewriter.card.revision == revision()
    answer = rewriter.rewrite(request(told("Perhaps it rains.")))
    assert (answer.text, answer.problem) == (told("Maybe it rains."), "")
    nothing = rewriter.rewrite(request(told("Rain.")))
    assert (nothing.text, nothing.problem) == ("", NO_RULE)
    nothing = rewriter.rewrite(request(told("Perhaps it rains."), "second"))
    assert (nothing.text, nothing.problem) == ("", NO_SECOND)
    assert rewriter.rewrite(request(told("Perhaps."), "surface")).problem == NO_SURFACE


def test_every_rule_is_read_and_offers_something_else() -> None:
    for first, found in rules().by_first.items():
        for rule in found:
            assert rule.left[0] == first
            assert all(right and right != " ".join(rule.left) for right in rule.rights), rule
    assert rules().date == "2026-11-26"


def test_a_condition_that_is_not_understood_is_refused() -> None:
    content = words_file().decode("utf-8")
    broken = content.replace("[moves]", 'odd = "a > b ? after=c"\n[moves]', 1)
    with pytest.raises(ValueError, match="after=c"):
        read_rules(broken)


def test_sentences_begin_after_marks_line_ends_and_roles() -> None:
    reading = Reading("\n\nHuman: hi there. go\n\nAssistant: Yes: no")
    firsts = [token.key for token in reading.tokens if token.first and token.key.isalpha()]
    assert firsts == ["human", "hi", "go", "assistant", "yes"]
