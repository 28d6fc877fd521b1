"""Similarity models: the embedded one, and BAAI/bge-m3 by name over HTTP with a tiny stand-in."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.hub import FreshProcess, StandinHub, hub_environment
from fakes.listening import Listening, Told
from given.tiny_models import tiny_electra

from ivan_core.backends.similarity import cosines, once
from ivan_core.datasets.hub_client import MOST_FACTS
from ivan_core.domain.specs import MINILM
from ivan_core.models import similarity

BGE = "BAAI/bge-m3"
PAIRS = [["the dough", "the dough"], ["how do i bake bread", "knead the dough"]]


def similar(name: str) -> dict[str, Any]:
    """Called in the fresh process: the cosines of PAIRS and the card, or the sentence and hint."""
    from ivan_core.domain.errors import IvanError

    try:
        model = similarity.make(name)
        found = model.similarity([(one, other) for one, other in PAIRS])
    except IvanError as error:
        return {"says": error.message, "hint": error.hint}
    return {"found": found, "id": model.card.id, "revision": model.card.revision}


def test_cosines_worked_by_hand() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1], [0.8, 0.6]], dtype=np.float32)
    assert cosines(vectors, 2) == pytest.approx([0.0, 0.96], abs=1e-6)
    assert cosines(np.zeros((2, 3), np.float32), 1) == [0.0]


def test_the_embedded_model_knows_equal_texts_and_a_paraphrase_from_another_topic() -> None:
    model = similarity.make(MINILM)
    same, close, far = model.similarity(
        [
            ("How do I bake bread?", "How do I bake bread?"),
            ("How do I bake bread?", "What is the way to bake bread?"),
            ("How do I bake bread?", "The committee adjourned the vote."),
        ]
    )
    assert same == pytest.approx(1.0, abs=1e-6) and far < 0.3 < 0.7 < close < 1
    assert model.similarity([]) == [] and model.card.revision


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandinHub]:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    built = tmp_path_factory.mktemp("built")
    words = Transformer(str(tiny_electra(built / "words")))
    model = SentenceTransformer(
        modules=[words, Pooling(words.get_embedding_dimension())], device="cpu"
    )
    model.save(str(built / "bge"))
    with StandinHub(tmp_path_factory.mktemp("hub")) as hub:
        hub.add_model(BGE, built / "bge")
        hub.add_model("lab/gated", built / "bge")
        hub.faults["lab/gated"] = "gated"
        yield hub


def test_the_published_model_loads_by_name_and_refusals_are_sentences(
    hub: StandinHub, tmp_path: Path
) -> None:
    environment = hub.environment(tmp_path / "home")
    with FreshProcess(environment, tmp_path / "errors.txt") as process:
        found = process.call(similar, name=BGE)
        missing = process.call(similar, name="lab/nowhere")
        gated = process.call(similar, name="lab/gated")
    assert found["id"] == BGE and found["revision"] == hub.add("models", BGE, {})
    same, other = found["found"]
    assert math.isclose(same, 1.0, abs_tol=1e-6) and -1 <= other < 1
    assert "lab/nowhere" in missing["says"] and missing["hint"]
    assert "gated" in gated["says"] and "http:" not in gated["says"]


def test_a_hub_that_answers_without_an_end_is_left(tmp_path: Path) -> None:
    """Nothing else in that process has asked the hub before."""
    endless = Told(200, gzip.compress(b" " * (MOST_FACTS + 1)), {"Content-Encoding": "gzip"})
    with Listening(lambda came: endless) as sick:
        environment = hub_environment(sick.url, tmp_path)
        with FreshProcess(environment, tmp_path / "errors.txt") as process:
            found = process.call(similar, name="lab/model")
    assert "sends more than 64 MB" in found["says"] and found["hint"].endswith(".")


@pytest.mark.parametrize("content", [b"3", b"[3]", b'[{"idx": 0}]', b"[" * 100_000])
def test_a_model_whose_files_are_odd_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "modules.json").write_bytes(content)
    found = similar(str(tmp_path))
    assert "cannot be loaded as a similarity model" in found["says"]


def test_each_text_is_embedded_once_however_often_it_is_compared() -> None:
    texts, places = once([("a", "b"), ("a", "c"), ("d", "a")])
    assert texts == ["a", "d", "b", "c"]
    assert places == [0, 0, 1, 2, 3, 0]
