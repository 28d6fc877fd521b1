"""The demo's Ollama API, reached by the real client over HTTP, and what goes wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import ollama
import pytest

from ivan_core.demo import fault_names as names
from ivan_core.demo.answers import _ONCE_MORE, reword
from ivan_core.demo.ollama_api import INSTALLED
from ivan_core.demo.server import DemoServer
from ivan_core.rewording.styles import instructions

MODEL = "mistral:7b-instruct-fp16"
THINKER = "gemma4:e4b"
DIALOGUE = "\n\nHuman: Is tea good?\n\nAssistant: I think it's fine."
REWORDED = "\n\nHuman: Is tea good?\n\nAssistant: I believe it is fine."


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer() as running:
        yield running


@pytest.fixture
def api(server: DemoServer) -> ollama.Client:
    return ollama.Client(server.ollama_url, timeout=300)


def fenced(dialogue: str = DIALOGUE) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"<text-1>\n{dialogue}\n</text-1>"}]


def said(api: ollama.Client, model: str = MODEL, **options: Any) -> str:
    return api.chat(model, fenced(), think=False, **options).message.content or ""


def test_models_are_listed_shown_and_loaded(api: ollama.Client) -> None:
    listed = [model.model for model in api.list().models]
    assert listed == list(INSTALLED)
    assert {THINKER, MODEL} <= set(listed)
    shown = api.show(MODEL)
    assert shown.modelinfo is not None
    assert shown.modelinfo["mistral.context_length"] == 32_768
    assert shown.capabilities == ["completion"]
    assert api.show(THINKER).capabilities == ["completion", "thinking"]
    assert list(api.ps().models) == []
    said(api)
    assert [model.model for model in api.ps().models] == [MODEL]


def test_the_version_and_the_server_itself_are_told(server: DemoServer) -> None:
    assert httpx.get(f"{server.url}/api/version").json() == {"version": "0.18.0"}
    front = httpx.get(server.url)
    assert front.json() == {"service": "ivan demo server"}
    assert front.headers["x-ivan-demo"] == "1"


def test_a_dialogue_in_a_fence_is_reworded(api: ollama.Client) -> None:
    answer = api.chat(MODEL, fenced(), think=False)
    assert answer.message.content == REWORDED
    assert (answer.done_reason, answer.message.thinking) == ("stop", None)
    # Four characters a token: the message has 71, the rewording 55.
    assert (answer.prompt_eval_count, answer.eval_count) == (18, 14)
    plain = api.generate(MODEL, prompt=fenced()[0]["content"], think=False)
    assert plain.response == REWORDED


def test_a_stream_adds_up_to_the_whole(api: ollama.Client) -> None:
    parts = list(api.chat(MODEL, fenced(), stream=True))
    assert len(parts) > 2
    assert "".join(part.message.content or "" for part in parts) == REWORDED
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    generated = api.generate(MODEL, prompt=fenced()[0]["content"], stream=True)
    assert "".join(part.response for part in generated) == REWORDED


def test_a_schema_of_label_keys_gets_labels(api: ollama.Client) -> None:
    schema = {
        "type": "object",
        "properties": {
            "last_response_is_refusal": {"type": "boolean"},
            "last_response_sentiment": {"type": "string"},
        },
    }
    found = json.loads(said(api, format=schema))
    assert list(found) == ["last_response_is_refusal", "last_response_sentiment"]
    assert found["last_response_is_refusal"] is False


def test_a_model_that_thinks_does_so_unless_told_not_to(api: ollama.Client) -> None:
    assert api.chat(THINKER, fenced()).message.thinking
    assert api.chat(THINKER, fenced(), think=False).message.thinking is None
    with pytest.raises(ollama.ResponseError, match="does not support thinking"):
        api.chat(MODEL, fenced(), think=True)


def test_a_missing_model_is_there_once_it_is_pulled(server: DemoServer, api: ollama.Client) -> None:
    server.faults.set(names.MODEL_MISSING)
    assert list(api.list().models) == []
    with pytest.raises(ollama.ResponseError, match="not found") as refused:
        said(api)
    assert refused.value.status_code == 404
    done: dict[str, int] = {}
    for step in api.pull(MODEL, stream=True):
        if step.digest is not None:
            assert done.get(step.digest, 0) <= (step.completed or 0) <= (step.total or 0)
            done[step.digest] = step.completed or 0
    assert sum(done.values()) == 4_000_002_000
    assert step.status == "success"
    assert said(api) == REWORDED


def test_a_pull_can_fail_midway(server: DemoServer, api: ollama.Client) -> None:
    server.faults.set(names.PULL_FAILS, times=1)
    with pytest.raises(ollama.ResponseError, match="max retries exceeded"):
        list(api.pull("qwen3.5:4b", stream=True))
    with pytest.raises(ollama.ResponseError, match="not found"):
        said(api, "qwen3.5:4b")
    assert api.pull("qwen3.5:4b").status == "success"
    assert said(api, "qwen3.5:4b") == REWORDED


def test_a_prompt_longer_than_the_context_is_cut_silently(
    server: DemoServer, api: ollama.Client
) -> None:
    answer = api.chat(MODEL, fenced("word " * 100), options={"num_ctx": 50})
    assert answer.prompt_eval_count == 50
    server.faults.set(names.TRUNCATED_PROMPT, times=1)
    assert api.chat(MODEL, fenced()).prompt_eval_count == 9
    assert api.chat(MODEL, fenced()).prompt_eval_count == 18


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (names.THINKING, f"<think>\nLet me look at it closely.\n</think>\n\n{REWORDED}"),
        (names.CHATTY, f"Sure! Here it is:\n\n{REWORDED}\n\nLet me know what you think!"),
        (names.SWAPPED_ROLES, "\n\nAssistant: Is tea good?\n\nHuman: I believe it is fine."),
        (names.DROPPED_ROLES, "\n\nIs tea good?\n\nI believe it is fine."),
        (names.EMPTY_REPLY, ""),
        (names.IDENTICAL_REPLY, DIALOGUE),
        (names.FORMAT_IGNORED, "The assistant is mostly helpful here, and rather polite."),
        (names.REFUSAL, "I'm sorry, but I can't help with that."),
    ],
)
def test_a_model_can_spoil_a_rewording_once(
    server: DemoServer, api: ollama.Client, fault: str, text: str
) -> None:
    server.faults.set(fault, times=1, path="/api/chat")
    assert said(api) == text
    assert said(api) == REWORDED


def test_a_reply_can_be_cut_short(server: DemoServer, api: ollama.Client) -> None:
    server.faults.set(names.LENGTH, times=1)
    answer = api.chat(MODEL, fenced())
    assert answer.done_reason == "length"
    assert answer.message.content == REWORDED[:27]


def test_a_busy_server_says_so_and_recovers(server: DemoServer, api: ollama.Client) -> None:
    server.faults.set(names.BUSY, times=1)
    with pytest.raises(ollama.ResponseError, match="server busy") as refused:
        said(api)
    assert refused.value.status_code == 503
    assert said(api) == REWORDED


def test_a_stream_can_break_with_an_error_in_it(server: DemoServer, api: ollama.Client) -> None:
    server.faults.set(names.MIDSTREAM_ERROR)
    parts = api.chat(MODEL, fenced(), stream=True)
    assert next(parts).message.content
    with pytest.raises(ollama.ResponseError, match="an error was encountered") as broken:
        next(parts)
    assert broken.value.status_code == -1
    with pytest.raises(ollama.ResponseError) as plain:
        said(api)
    assert plain.value.status_code == 500


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [names.DROPPED_CONNECTION, names.TRUNCATED_BODY, names.RESET])
def test_an_answer_can_fail_to_arrive_whole(
    server: DemoServer, api: ollama.Client, fault: str, stream: bool
) -> None:
    server.faults.set(fault, times=1)
    with pytest.raises(httpx.TransportError):
        list(api.chat(MODEL, fenced(), stream=stream))  # type: ignore[call-overload]
    assert said(api) == REWORDED


def test_a_silent_server_times_out_and_an_absent_one_refuses(server: DemoServer) -> None:
    server.faults.set(names.TIMEOUT, path="/api/chat")
    with pytest.raises(httpx.ReadTimeout):
        said(ollama.Client(server.ollama_url, timeout=0.2))
    server.stop()
    with pytest.raises(ConnectionError):
        said(ollama.Client(server.ollama_url, timeout=300))


def test_every_turn_keeps_its_role_and_a_second_rewording_is_another_one() -> None:
    assert reword("\n\nHuman: Write a poem") == "\n\nHuman: Well, Write a poem"
    assert reword("\n\nHuman: Write a poem", again=True) == "\n\nHuman: So, Write a poem"
    both = "\n\nHuman: Hi\n\nAssistant: I think so"
    assert reword(both) == "\n\nHuman: Hi\n\nAssistant: I believe so"
    assert reword(both, again=True) == "\n\nHuman: Hi\n\nAssistant: So, I believe so"
    # The instructions of the second style are those that ask for another one.
    assert _ONCE_MORE in instructions("second") and _ONCE_MORE not in instructions("published")
