"""Models of an Ollama server, asked with the real client at the demo server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping

import pytest

from ivan_core.backends.chats import ChatLabeler
from ivan_core.backends.ollama import client as ollama_client
from ivan_core.backends.ollama.chat import (
    ANSWER_TOKENS,
    FAILURES_IN_A_ROW,
    OllamaChat,
    without_thoughts,
)
from ivan_core.backends.ollama.client import ModelMissing, OllamaBusy, OllamaServer, OllamaSilent
from ivan_core.demo import fault_names as faults
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import LabelPrompt, TextKey

MODEL = "gemma4:e4b"
SCHEMA = {
    "type": "object",
    "properties": {"last_response_is_helpful": {"type": "boolean"}},
    "required": ["last_response_is_helpful"],
}
MESSAGES = [{"role": "user", "content": "hello"}]


def prompt(words: int = 20) -> LabelPrompt:
    user = "understandable " * words
    return LabelPrompt(
        TextKey(3, "chosen"), ("last_response_is_helpful",), "Label it.", user, "", SCHEMA
    )


pytestmark = pytest.mark.usefixtures("no_files")


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer() as server:
        yield server


@pytest.fixture
def sent(monkeypatch) -> list[Mapping[str, object]]:
    """What the client is asked to send, beside the messages."""
    seen: list[Mapping[str, object]] = []
    chat = OllamaServer.chat

    def noting(self: OllamaServer, model: str, messages: object, **told: object) -> object:
        seen.append(told)
        return chat(self, model, messages, **told)

    monkeypatch.setattr(OllamaServer, "chat", noting)
    return seen


def server(demo: DemoServer, timeout: float = 60.0) -> OllamaServer:
    return OllamaServer(demo.ollama_url, timeout)


def chat(demo: DemoServer, model: str = MODEL, num_ctx: int | None = None) -> OllamaChat:
    return OllamaChat(model, server(demo), num_ctx=num_ctx, wait=lambda seconds: None)


def labeler(
    demo: DemoServer, model: str = MODEL, num_ctx: int | None = None, **settings: float
) -> ChatLabeler:
    return ChatLabeler(chat(demo, model, num_ctx), room=ANSWER_TOKENS, **settings)


def test_a_server_tells_its_version_its_models_and_their_context(demo):
    mine = server(demo)
    assert mine.version() == "0.18.0"
    models = {model.name: model for model in mine.models()}
    assert models[MODEL].size == 4_000_002_000 and len(models[MODEL].digest) == 64
    assert mine.find(MODEL) == models[MODEL]
    assert mine.longest_context(MODEL) == 32_768
    assert mine.chat(MODEL, MESSAGES).text


def test_the_host_and_patience_come_from_the_settings(monkeypatch):
    assert (OllamaServer().url, OllamaServer().timeout) == ("http://localhost:11434", 600.0)
    monkeypatch.setenv("OLLAMA_API_HOST", "gpu.lab:1234/")
    monkeypatch.setenv("OLLAMA_API_TIMEOUT", "60")
    assert (OllamaServer().url, OllamaServer().timeout) == ("http://gpu.lab:1234", 60.0)
    assert OllamaServer("0.0.0.0").url == "http://127.0.0.1:11434"
    assert OllamaServer("[::1]:9").url == "http://[::1]:9"
    assert OllamaServer("https://gpu.lab/ollama").url == "https://gpu.lab/ollama"
    monkeypatch.setenv("OLLAMA_API_TIMEOUT", "soon")
    with pytest.raises(BadInput, match="no number of seconds"):
        OllamaServer()


@pytest.mark.parametrize("odd", ["ftp://host", "http://me:pw@host", "host:port", "http://"])
def test_an_address_that_is_none_is_refused(odd):
    with pytest.raises(BadInput, match="no address"):
        OllamaServer(odd)


def test_a_key_for_one_server_is_not_sent_to_another(demo, monkeypatch):
    monkeypatch.setenv("OLLAMA_API_KEY", "secret-of-the-environment")
    seen: list[str] = []
    respond = demo.ollama.respond

    def noting(request):
        seen.append(request.headers.get("authorization", ""))
        return respond(request)

    monkeypatch.setattr(demo.ollama, "respond", noting)
    server(demo).models()
    monkeypatch.setenv("OLLAMA_API_HOST", demo.ollama_url)
    OllamaServer().models()
    assert seen == ["", "Bearer secret-of-the-environment"]


def test_a_server_that_is_not_there_is_named_with_a_way_out():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{found.getsockname()[1]}"
    for ask in (
        OllamaServer.version,
        OllamaServer.models,
        lambda s: s.pull("m"),
        lambda s: OllamaChat(MODEL, s),
    ):
        with pytest.raises(BackendUnavailable, match=f"No Ollama server answers at {host}") as away:
            ask(OllamaServer(host, 1))
        assert "ollama serve" in away.value.hint and "the rules" in away.value.hint


def test_something_else_at_the_address_is_named(demo):
    with pytest.raises(BackendUnavailable, match="is not an Ollama server"):
        OllamaServer(f"{demo.url}/odd").models()
    with pytest.raises(BackendUnavailable, match="does not let you in"):
        OllamaServer(f"{demo.url}/v1").models()
    with pytest.raises(BackendUnavailable, match="is not an Ollama server"):
        OllamaServer(f"{demo.url}/nothing").version()


def test_a_missing_model_can_be_pulled_with_progress(demo):
    mine = server(demo)
    with pytest.raises(ModelMissing, match=r"does not have qwen3.5:4b") as missing:
        OllamaChat("qwen3.5:4b", mine)
    assert missing.value.model == "qwen3.5:4b"
    seen: list[tuple[int, int, str]] = []
    mine.pull("qwen3.5:4b", lambda done, total, step: seen.append((done, total, step)))
    assert seen[-1] == (4_000_002_000, 4_000_002_000, "success")
    done = [d for d, _, _ in seen]
    assert done == sorted(done) and len(set(done)) > 2
    assert OllamaChat("qwen3.5:4b", mine).model == "qwen3.5:4b"


def test_a_pull_that_fails_or_is_stopped_says_so(demo):
    demo.faults.set(faults.PULL_FAILS, times=1)
    with pytest.raises(BackendUnavailable, match="could not pull") as failed:
        server(demo).pull("qwen3.5:4b")
    assert "what has come is kept" in failed.value.hint

    def stop(done: int, total: int, step: str) -> None:
        raise ValueError("stopped by the page")

    with pytest.raises(ValueError, match="stopped by the page"):
        server(demo).pull("qwen3.5:4b", stop)


def test_a_text_is_labelled_with_everything_the_server_must_be_told(demo, sent):
    mine = labeler(demo, temperature=0.5, seed=7)
    reply = mine.label(prompt())
    assert set(json.loads(reply.text)) == {"last_response_is_helpful"}
    assert (reply.finish, reply.problem) == ("stop", "")
    assert reply.input_tokens and reply.output_tokens
    assert sent == [
        {
            "schema": SCHEMA,
            "think": False,
            "options": {"temperature": 0.5, "seed": 7, "num_predict": 1024, "num_ctx": 8192},
        }
    ]
    card = mine.card
    assert (card.id, card.kind, card.revision) == (MODEL, "ollama", server(demo).find(MODEL).digest)
    assert dict(card.settings)["server"] == "Ollama 0.18.0" and dict(card.settings)["seed"] == "7"


def test_gpt_oss_thinks_little_because_it_cannot_stop(demo, sent):
    demo.ollama.models.add("gpt-oss:20b")
    labeler(demo, "gpt-oss:20b").label(prompt())
    assert sent[0]["think"] == "low"


def test_the_context_grows_in_steps_and_never_shrinks(demo, sent):
    mine = labeler(demo)
    # 15 bytes a word: 2,000 words need 10,003 tokens at most, 4,000 need 20,003, and the answer.
    for words in (20, 2_000, 4_000, 20):
        assert mine.label(prompt(words)).problem == ""
    contexts = [told["options"]["num_ctx"] for told in sent]
    assert contexts == [8_192, 16_384, 32_768, 32_768]


def test_a_text_longer_than_the_model_reads_is_not_sent(demo, sent):
    reply = labeler(demo).label(prompt(40_000))
    assert "longer than the 32768 tokens" in reply.problem and sent == []


def test_a_prompt_that_was_cut_silently_is_noticed(demo):
    demo.faults.set(faults.TRUNCATED_PROMPT, amount=0.2)
    assert "its beginning was cut off" in labeler(demo).label(prompt(2_000)).problem
    demo.faults.clear()
    # The server reads 4 characters a token, so 1,000 words of 15 fill a context of 2,048.
    assert "read only 2048 tokens" in labeler(demo, num_ctx=2_048).label(prompt(1_000)).problem


@pytest.mark.parametrize(
    "fault",
    [faults.DROPPED_CONNECTION, faults.MIDSTREAM_ERROR, faults.SERVER_ERROR, faults.TIMEOUT],
)
def test_one_text_without_an_answer_does_not_stop_the_others(demo, fault):
    patience = 2.0 if fault == faults.TIMEOUT else 60.0
    mine = ChatLabeler(OllamaChat(MODEL, server(demo, patience)), room=ANSWER_TOKENS)
    demo.faults.set(fault, times=1, path="/api/chat")
    assert mine.label(prompt()).problem
    assert mine.label(prompt()).text


def test_text_after_text_without_an_answer_stops_the_run(demo):
    mine = labeler(demo)
    demo.faults.set(faults.SERVER_ERROR, path="/api/chat")
    for _ in range(FAILURES_IN_A_ROW - 1):
        assert mine.label(prompt()).problem
    with pytest.raises(OllamaSilent):
        mine.label(prompt())


def test_a_server_that_goes_away_stops_the_run():
    with DemoServer() as demo:
        mine = labeler(demo)
    with pytest.raises(BackendUnavailable, match="No Ollama server answers"):
        mine.label(prompt())


def test_a_full_queue_is_waited_for_a_few_times(demo):
    own = chat(demo)
    mine = ChatLabeler(own, room=ANSWER_TOKENS)
    demo.faults.set(faults.BUSY, times=2)
    assert mine.label(prompt()).text and own.retries == 2
    demo.faults.set(faults.BUSY)
    with pytest.raises(OllamaBusy, match="too many requests"):
        mine.label(prompt())


def test_what_the_model_thinks_aloud_is_no_answer(demo):
    demo.faults.set(faults.THINKING)
    assert json.loads(labeler(demo).label(prompt()).text)
    assert without_thoughts('<think>{"a": 1}</think>\n {"b": 2}') == '{"b": 2}'
    assert without_thoughts("<think>without an end") == ""
    assert without_thoughts('{"a": "<b>"}') == '{"a": "<b>"}'


def test_half_a_character_can_be_sent(demo):
    odd = LabelPrompt(TextKey(1, "chosen"), (), "s", "half \ud800", "")
    assert labeler(demo).label(odd).problem == ""


def test_models_are_suggested_for_an_empty_server():
    assert ollama_client.SUGGESTED[0] == MODEL
