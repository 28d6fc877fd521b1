"""Tokens of texts and of whole requests."""

import json

import pytest
from hypothesis import given, strategies as st

from ivan_core.backends.openai.chat import label_body
from ivan_core.backends.openai.models import TokenCounter
from ivan_core.domain.labels import LabelPrompt, TextKey

KEY = TextKey(7, "chosen")


def test_known_texts_have_known_tokens():
    # tiktoken: cl100k_base encodes "hello world" as [15339, 1917].
    assert TokenCounter("gpt-4").count("hello world") == 2
    assert TokenCounter("gpt-4o").count("hello world") == 2
    assert TokenCounter("gpt-4o").count("") == 0


@pytest.mark.parametrize(
    ("model", "name", "exact"),
    [
        ("gpt-4o-mini", "o200k_base", True),
        ("gpt-4.1", "o200k_base", True),
        ("gpt-4-turbo", "cl100k_base", True),
        ("gpt-3.5-turbo", "cl100k_base", True),
        ("gpt-6-luna", "o200k_base", False),
    ],
)
def test_the_encoding_follows_the_family(model, name, exact):
    counter = TokenCounter(model)
    assert (counter.name, counter.exact) == (name, exact)


def test_an_unknown_model_is_counted_by_bytes_and_says_so():
    counter = TokenCounter("gemma4:e4b")
    assert counter.count("hello world") == 4  # 11 bytes, rounded up
    assert counter.count("é") == 1
    assert not counter.exact and "rough" in counter.name


def test_names_of_special_tokens_are_text():
    assert TokenCounter("gpt-4").count("<|endoftext|>") > 1


@given(st.text(max_size=200))
def test_any_text_can_be_counted(text):
    assert TokenCounter("gpt-6-luna").count(text) >= (1 if text else 0)


def test_half_a_character_is_counted():
    assert TokenCounter("gpt-6-luna").count("a\ud800b") == TokenCounter("gpt-6-luna").count("a?b")
    assert TokenCounter("other").count("a\ud800b") == 1


def test_a_request_is_its_messages_their_frames_and_the_schema():
    schema = {"type": "object", "properties": {"topics": {"type": "array"}}}
    body = label_body(
        LabelPrompt(KEY, ("topics",), "Label it.", "hello world", "", schema), "gpt-4o"
    )
    counter = TokenCounter("gpt-4o")
    written = counter.count(json.dumps(schema, separators=(",", ":")))
    # 3 for the request, 3 for each of two messages, "Label it." is 3 tokens.
    assert counter.count("Label it.") == 3
    assert counter.request_tokens(body) == 3 + 3 + 3 + 3 + 2 + written
    assert counter.request_tokens(body) == 14 + written


def test_another_schema_is_counted_anew():
    counter = TokenCounter("gpt-4o")
    small, large = {"type": "object"}, {"type": "object", "required": ["a", "b", "c"]}
    counts = [
        counter.request_tokens(label_body(LabelPrompt(KEY, (), "s", "u", "", schema), "gpt-4o"))
        for schema in (small, large, small)
    ]
    assert counts[0] == counts[2] < counts[1]
