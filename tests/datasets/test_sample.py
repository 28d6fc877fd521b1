"""What the bundled sample promises: balanced features, balanced lengths, no prompt twice."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from typing import Any

import pytest

from ivan_core.datasets.sources import sample_file
from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue

FEATURES = (
    "human_vocabulary_quality",
    "last_response_breaks_privacy",
    "last_response_contains_insult",
    "last_response_is_anthropomorphic",
    "last_response_is_coherent",
    "last_response_is_creative",
    "last_response_is_discriminatory",
    "last_response_is_eloquent",
    "last_response_is_harmless",
    "last_response_is_helpful",
    "last_response_is_honest",
    "last_response_is_manipulative",
    "last_response_is_refusal",
    "last_response_is_sexually_explicit",
    "last_response_sentiment",
)
ON = ("True", "positive")
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in sample_file().read_text("utf-8").splitlines()
]
PAIRS = [
    Pair(i, Dialogue(row["chosen"]), Dialogue(row["rejected"]), row["subset"])
    for i, row in enumerate(ROWS)
]


def test_there_are_480_pairs_of_three_kinds() -> None:
    kinds = Counter(row["kind"] for row in ROWS)
    assert kinds == {"minimal": 300, "natural": 120, "ambiguous": 60}


def test_both_subsets_are_equally_large() -> None:
    assert Counter(row["subset"] for row in ROWS) == {"helpful": 240, "harmless": 240}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_differs_in_20_pairs_and_is_on_the_chosen_side_in_half(feature: str) -> None:
    rows = [row for row in ROWS if row["feature"] == feature]
    assert len(rows) == 20
    assert all((row["chosen_value"] in ON) != (row["rejected_value"] in ON) for row in rows)
    assert sum(row["chosen_value"] in ON for row in rows) == 10


def test_only_minimal_pairs_have_a_feature() -> None:
    assert {row["feature"] for row in ROWS if row["kind"] == "minimal"} == set(FEATURES)
    assert all(row["feature"] == "" for row in ROWS if row["kind"] != "minimal")


@pytest.mark.parametrize("subset", ["helpful", "harmless", None])
@pytest.mark.parametrize("kind", ["minimal", "natural", "ambiguous", None])
def test_the_longer_reply_is_chosen_about_half_of_the_time(
    subset: str | None, kind: str | None
) -> None:
    lengths = [
        (len(pair.chosen.reply or ""), len(pair.rejected.reply or ""))
        for pair, row in zip(PAIRS, ROWS, strict=True)
        if subset in (None, row["subset"]) and kind in (None, row["kind"])
    ]
    differing = [chosen > rejected for chosen, rejected in lengths if chosen != rejected]
    assert 0.45 <= sum(differing) / len(differing) <= 0.55


def test_no_first_human_turn_occurs_in_two_pairs() -> None:
    turns = Counter(
        turn
        for pair in PAIRS
        for turn in {side.first_human_turn.casefold() for side in (pair.chosen, pair.rejected)}
    )
    assert [turn for turn, count in turns.items() if count > 1] == []


def test_sides_differ_in_the_prompt_only_where_the_prompt_is_the_feature() -> None:
    for pair, row in zip(PAIRS, ROWS, strict=True):
        about_the_prompt = row["feature"] == "human_vocabulary_quality"
        assert pair.prompts_differ == about_the_prompt, row
        assert (pair.chosen.reply == pair.rejected.reply) == about_the_prompt, row


def test_single_and_multi_turn_dialogues_are_both_present() -> None:
    turns = Counter(len(pair.chosen.turns) for pair in PAIRS)
    assert turns[2] >= 100 and sum(turns.values()) - turns[2] >= 100


def test_every_text_is_a_whole_dialogue() -> None:
    for pair in PAIRS:
        for side in (pair.chosen, pair.rejected):
            assert side.preamble == ""
            roles = [turn.role for turn in side.turns]
            assert roles == ["Human", "Assistant"] * (len(roles) // 2)
            assert all(turn.words for turn in side.turns)
        assert not pair.identical


def test_no_reply_is_used_in_two_pairs() -> None:
    replies = Counter(reply for pair in PAIRS for reply in {pair.chosen.reply, pair.rejected.reply})
    assert [reply for reply, count in replies.items() if count > 1] == []


def test_the_control_heads_statements_are_many_and_none_is_in_the_sample() -> None:
    text = (files("ivan_core.backends.embedded") / "statements.jsonl").read_text("utf-8")
    statements = [json.loads(line) for line in text.splitlines()]
    sides = Counter(statement["side"] for statement in statements)
    assert sides["good"] >= 100 and sides["bad"] >= 100
    assert len({statement["text"] for statement in statements}) == len(statements)
    sample = "\n".join(row["chosen"] + row["rejected"] for row in ROWS).casefold()
    assert [one for one in statements if one["text"].casefold() in sample] == []
