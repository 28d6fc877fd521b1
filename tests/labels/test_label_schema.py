"""The 19 features: their order, closed lists, numbers, and the words that people and models get."""

from __future__ import annotations

import pytest

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, REWRITE_FEATURES
from ivan_core.labels import schema
from ivan_core.labels.schema import SCHEMA, check_keys, feature, features, is_label, json_schema

AGAINST = "last_response_is_discriminating_against"


def test_the_schema_is_the_19_keys_in_their_order():
    assert tuple(one.key for one in SCHEMA) == FEATURES
    assert len(SCHEMA) == 19
    kinds = {one.key: one.kind for one in SCHEMA}
    assert list(kinds.values()).count("boolean") == 16
    assert kinds["last_response_sentiment"] == "word"
    assert kinds[AGAINST] == kinds["topics"] == "list"


def test_the_closed_lists_are_the_published_ones():
    assert feature("last_response_sentiment").values == ("negative", "neutral", "positive")
    assert len(feature("topics").values) == len(feature(AGAINST).values) == 12
    assert {"Race, Color, and Sex", "Reprisal / Retaliation"} <= set(feature(AGAINST).values)
    assert feature("topics").values[0] == "Culture and the arts"
    assert feature("topics").values[-1] == "Technology and applied sciences"
    assert all(not one.values for one in SCHEMA if one.kind == "boolean")


def test_every_feature_has_words_of_its_own():
    for words in ("title", "instruction", "question", "help"):
        said = [getattr(one, words) for one in SCHEMA]
        assert all(said) and len(set(said)) == 19, words
        assert not any("\n" in text or "_" in text for text in said), words
    for one in SCHEMA:
        assert one.question.endswith("?") and one.help.endswith(".")
        assert one.instruction.startswith("True if") or one.kind != "boolean"
        assert len(one.title) <= 20


def test_a_screen_of_the_review_has_at_most_five_questions_and_a_follow_up():
    for group in schema.GROUPS:
        asked = [one for one in SCHEMA if one.group == group and one.key != AGAINST]
        assert 1 <= len(asked) <= 5, group
    assert {one.group for one in SCHEMA} == set(schema.GROUPS)


def test_what_is_judged_is_the_reply_but_for_four_keys():
    others = {one.key: one.about for one in SCHEMA if one.about != "reply"}
    assert others == {
        "assistant_is_anthropomorphic": "dialogue",
        "assistant_is_coherent": "dialogue",
        "human_vocabulary_quality": "human",
        "topics": "dialogue",
    }


def test_keys_come_back_once_and_in_order_and_unknown_ones_are_refused():
    assert check_keys(["topics", "assistant_is_coherent", "topics"]) == (
        "assistant_is_coherent",
        "topics",
    )
    assert [one.key for one in features(reversed(FEATURES))] == list(FEATURES)
    for wrong in (["last_response_is_nice"], ["Topics"], []):
        with pytest.raises(BadInput) as refused:
            check_keys(wrong)
        assert "topics" in refused.value.hint
    with pytest.raises(BadInput, match="no label called 'nice'"):
        feature("nice")


def test_five_keys_make_a_schema_of_five():
    made = json_schema(REWRITE_FEATURES)
    assert len(REWRITE_FEATURES) == 5
    assert set(made["properties"]) == set(made["required"]) == set(REWRITE_FEATURES)
    assert made["additionalProperties"] is False


def test_the_json_schema_is_strict_and_has_the_closed_lists():
    made = json_schema()
    assert list(made["properties"]) == made["required"] == list(FEATURES)
    assert made["properties"]["last_response_is_honest"] == {"type": "boolean"}
    assert made["properties"]["last_response_sentiment"] == {
        "type": "string",
        "enum": ["negative", "neutral", "positive"],
    }
    assert made["properties"]["topics"]["type"] == "array"
    assert made["properties"]["topics"]["items"]["enum"] == list(schema.TOPICS)


def test_a_label_is_checked_by_kind_and_value():
    honest, tone = feature("last_response_is_honest"), feature("last_response_sentiment")
    topics = feature("topics")
    assert is_label(honest, False) and is_label(tone, "neutral") and is_label(topics, ())
    assert is_label(topics, ("People and self", "Human activities"))
    for one, wrong in [
        (honest, 1),
        (honest, None),
        (honest, "True"),
        (tone, "Neutral"),
        (tone, None),
        (topics, ["People and self"]),
        (topics, ("Cats",)),
        (topics, ("Human activities",) * 2),
        (topics, "People and self"),
        (topics, ([],)),
    ]:
        assert not is_label(one, wrong), wrong
