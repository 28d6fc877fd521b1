"""Answers that no engine gives: each is refused with a sentence, and none costs much."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fakes.listening import Came, Listening, Told
from fakes.served.server import FakeServed
from fakes.served.tei import FakeTEI
from fakes.served.vllm import FakeVLLM

from ivan_core.backends.served.address import address_of
from ivan_core.backends.served.client import Away, Server
from ivan_core.datasets.guarded_http import SECONDS
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.models import reward_models


def changed(server: FakeServed, path: str, change: Callable[[Any, Any], object]) -> None:
    """Have answers of a path changed, by what was asked, before they are sent."""
    usual = server.answer

    def answer(came: Came) -> Told:
        told = usual(came)
        if came.path != path:
            return told
        content = json.loads(told.body)
        change(content, json.loads(came.body or b"{}"))
        return replace(told, body=json.dumps(content).encode())

    server.answer = answer


def refused(server: FakeServed) -> str:
    with pytest.raises(BackendUnavailable) as problem:
        reward_models.make(server.url)
    assert problem.value.hint
    return problem.value.message


def test_models_that_are_no_list_are_those_of_no_engine(vllm: FakeVLLM) -> None:
    changed(vllm, "/v1/models", lambda content, asked: content.update(data=5))
    assert "is none of vLLM, SGLang and text-embeddings-inference" in refused(vllm)


def test_a_label_that_is_no_word_is_refused(tei: FakeTEI) -> None:
    changed(tei, "/predict", lambda content, asked: content[0][0].update(label=["x"]))
    assert "not one score for each text" in refused(tei)


def test_a_count_that_none_can_be_is_not_repeated(vllm: FakeVLLM, tei: FakeTEI) -> None:
    tei.says_read = "9" * 5000
    assert "not one score for each text" in refused(tei)
    changed(vllm, "/pooling", lambda content, asked: content["usage"].update(prompt_tokens=10**400))
    vllm.lacks = ("/classify",)
    assert refused(vllm).startswith("vLLM does not tell how many tokens it read")


def test_more_numbers_with_the_activation_than_without_are_refused(vllm: FakeVLLM) -> None:
    def double(content: Any, asked: Any) -> None:
        if asked["use_activation"]:
            content["data"][0]["data"] *= 2

    changed(vllm, "/pooling", double)
    vllm.lacks = ("/classify",)
    assert "not one score for each text" in refused(vllm)


def test_more_numbers_for_one_text_than_for_another_are_refused(vllm: FakeVLLM) -> None:
    def more(content: Any, asked: Any) -> None:
        content["data"][0]["data"] += [0.0] * (len(asked["input"][0]) % 2)

    changed(vllm, "/pooling", more)
    vllm.lacks = ("/classify",)
    assert "not one score for each text" in refused(vllm)


def test_an_endless_answer_to_what_it_is_is_not_read_to_its_end(vllm: FakeVLLM) -> None:
    usual = vllm.answer
    endless = Told(pieces=iter(lambda: b" " * 2**16, b""))
    vllm.answer = lambda came: endless if came.path == "/version" else usual(came)
    assert "sends more than 1 MB" in refused(vllm)


def test_an_answer_that_drips_ends_with_the_time_of_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SECONDS, "0.3")
    over = threading.Event()

    def drops() -> Iterator[bytes]:
        for _ in range(3000):
            if over.wait(0.02):
                return
            yield b" "

    with Listening(lambda came: Told(pieces=drops())) as server:
        try:
            with pytest.raises(Away, match="did not answer in time"):
                Server(address_of(server.url)).ask("/classify", {})
        finally:
            over.set()
