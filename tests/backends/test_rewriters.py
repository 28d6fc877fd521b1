"""Rewriters asked with the real clients at the demo server: what is sent, and what goes wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping

import pytest

from ivan_core.backends.chats import ChatRewriter
from ivan_core.backends.ollama.chat import FAILURES_IN_A_ROW, OllamaChat
from ivan_core.backends.ollama.client import ModelMissing, OllamaBusy, OllamaServer, OllamaSilent
from ivan_core.backends.openai.chat import OpenAIChat
from ivan_core.backends.openai.client import Account
from ivan_core.demo import fault_names as faults
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import ModelReply
from ivan_core.domain.rewriting import PieceKey
from ivan_core.rewording.accept import Rewording, rewrite_piece
from ivan_core.rewording.pieces import Piece
from ivan_core.rewording.styles import build_request

MODEL = "mistral:7b-instruct-fp16"
OPENAI_MODEL = "local-model"
SECRET = "sk-test-not-to-be-seen"
TEXT = "\n\nHuman: Is tea good?\n\nAssistant: I think it's fine."
REWORDED = "\n\nHuman: Is tea good?\n\nAssistant: I believe it is fine."
PIECE = Piece(PieceKey(3, "chosen", "dialogue"), TEXT)


pytestmark = pytest.mark.usefixtures("no_files")


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer() as server:
        yield server


@pytest.fixture
def sent(monkeypatch) -> list[Mapping[str, object]]:
    """What the client is asked to send."""
    seen: list[Mapping[str, object]] = []
    chat = OllamaServer.chat

    def noting(self: OllamaServer, model: str, messages: object, **told: object) -> object:
        seen.append({"messages": messages, **told})
        return chat(self, model, messages, **told)

    monkeypatch.setattr(OllamaServer, "chat", noting)
    return seen


def ollama_chat(
    demo: DemoServer, model: str = MODEL, timeout: float = 60.0, num_ctx: int | None = None
) -> OllamaChat:
    server = OllamaServer(demo.ollama_url, timeout)
    return OllamaChat(model, server, num_ctx=num_ctx, wait=lambda seconds: None)


def openai_chat(demo: DemoServer, model: str = OPENAI_MODEL, **told: float) -> OpenAIChat:
    account = Account(demo.openai_url, SECRET)
    return OpenAIChat(model, account, wait=lambda seconds: None, **told)


def on_ollama(demo: DemoServer, model: str = MODEL, **told: float) -> ChatRewriter:
    return ChatRewriter(ollama_chat(demo, model), **told)


def at_openai(demo: DemoServer, model: str = OPENAI_MODEL, **told: float) -> ChatRewriter:
    return ChatRewriter(openai_chat(demo, model), **told)


@pytest.fixture
def bodies(monkeypatch) -> list[Mapping[str, object]]:
    """The bodies of the requests that an OpenAI-compatible server is sent."""
    seen: list[Mapping[str, object]] = []
    send = OpenAIChat.send

    def noting(self: OpenAIChat, body: Mapping[str, object]) -> ModelReply:
        seen.append(body)
        return send(self, body)

    monkeypatch.setattr(OpenAIChat, "send", noting)
    return seen


def reasons(rewording: Rewording) -> list[str]:
    return [refused.reason for refused in rewording.refusals]


def test_a_piece_is_reworded_with_everything_the_server_must_be_told(demo, sent):
    rewriter = on_ollama(demo, seed=7)
    reply = rewriter.rewrite(build_request(PIECE, "published"))
    assert (reply.text, reply.finish, reply.problem) == (REWORDED, "stop", "")
    assert reply.input_tokens and reply.output_tokens == 14
    (told,) = sent
    # 52 bytes count as 17 tokens; an answer may have twice that and 256 to spare.
    assert len(TEXT.encode()) == 52
    assert told["options"] == {"temperature": 0.1, "seed": 7, "num_predict": 290, "num_ctx": 8192}
    assert (told["think"], told["schema"]) == (False, None)
    assert [message["role"] for message in told["messages"]] == ["system", "user"]
    card = rewriter.card
    assert (card.id, card.kind, len(card.revision)) == (MODEL, "ollama", 64)
    assert dict(card.settings) == {
        "server": "Ollama 0.18.0",
        "num_ctx": "by the prompt",
        "think": "false",
        "demo": "yes",
        "temperature": "published 0.1, second 0.7",
        "seed": "7",
    }


def test_each_style_has_its_temperature_and_each_try_its_seed(demo, sent):
    on_ollama(demo).rewrite(build_request(PIECE, "second", attempt=3, reason="Change words."))
    on_ollama(demo, temperature=0.5).rewrite(build_request(PIECE, "second"))
    told = [(one["options"]["temperature"], one["options"]["seed"]) for one in sent]
    assert told == [(0.7, 2), (0.5, 0)]
    assert "could not be used. Change words." in sent[0]["messages"][1]["content"]


def test_gpt_oss_thinks_little_because_it_cannot_stop(demo, sent):
    demo.ollama.models.add("gpt-oss:20b")
    on_ollama(demo, "gpt-oss:20b").rewrite(build_request(PIECE, "published"))
    assert sent[0]["think"] == "low" and sent[0]["options"]["num_predict"] == 290 + 1024


SPOILED = [
    (faults.CHATTY, "remark"),
    (faults.SWAPPED_ROLES, "turns"),
    (faults.DROPPED_ROLES, "turns"),
    (faults.FORMAT_IGNORED, "turns"),
    (faults.EMPTY_REPLY, "empty"),
    (faults.IDENTICAL_REPLY, "identical"),
    (faults.LENGTH, "cut_off"),
    (faults.REFUSAL, "declined"),
]


@pytest.mark.parametrize(("fault", "why"), SPOILED)
def test_a_spoiled_answer_is_asked_for_again_with_the_reason(demo, sent, fault, why):
    demo.faults.set(fault, times=1, path="/api/chat")
    rewording = rewrite_piece(on_ollama(demo), PIECE, "published")
    assert (rewording.text, rewording.tries, reasons(rewording)) == (REWORDED, 2, [why])
    assert rewording.refusals[0].sentence in sent[1]["messages"][1]["content"]
    assert [one["options"]["seed"] for one in sent] == [0, 1]


@pytest.mark.parametrize(("fault", "why"), [*SPOILED, (faults.CONTENT_FILTER, "declined")])
def test_an_openai_endpoint_that_always_spoils_ends_after_three_tries(demo, fault, why):
    demo.faults.set(fault)
    rewording = rewrite_piece(at_openai(demo), PIECE, "published")
    assert (rewording.text, rewording.tries, reasons(rewording)) == (None, 3, [why] * 3)
    assert (rewording.refusals[-1].raw == "") == (why == "empty" or fault == faults.CONTENT_FILTER)


def test_thoughts_are_taken_off_with_a_receipt(demo):
    demo.faults.set(faults.THINKING)
    for rewriter in (on_ollama(demo), at_openai(demo)):
        rewording = rewrite_piece(rewriter, PIECE, "published")
        assert (rewording.text, rewording.mends) == (REWORDED, ("thoughts",))


def test_a_prompt_that_was_cut_silently_gives_no_rewording(demo):
    demo.faults.set(faults.TRUNCATED_PROMPT, amount=0.2)
    rewording = rewrite_piece(on_ollama(demo), PIECE, "published")
    assert (rewording.text, reasons(rewording)) == (None, ["prompt_cut"])
    assert "its beginning was cut off" in rewording.refusals[0].sentence
    demo.faults.clear()
    fixed = rewrite_piece(ChatRewriter(ollama_chat(demo, num_ctx=256)), PIECE, "published")
    assert "read only 256 tokens" in fixed.refusals[0].sentence


def test_a_text_longer_than_the_model_reads_is_not_sent(demo, sent):
    long = Piece(PIECE.key, "\n\nHuman:" + " word" * 40_000)
    reply = on_ollama(demo).rewrite(build_request(long, "published"))
    assert "longer than the 32768 tokens" in reply.problem and sent == []


@pytest.mark.parametrize(
    "fault", [faults.TIMEOUT, faults.DROPPED_CONNECTION, faults.MIDSTREAM_ERROR]
)
def test_one_piece_without_an_answer_is_a_problem_of_that_piece(demo, fault):
    patience = 2.0 if fault == faults.TIMEOUT else 60.0
    rewriter = ChatRewriter(ollama_chat(demo, timeout=patience))
    demo.faults.set(fault, times=2, path="/api/chat")
    rewording = rewrite_piece(rewriter, PIECE, "published")
    assert (rewording.text, reasons(rewording)) == (None, ["no_answer"] * 2)
    assert "The Ollama server at 127.0.0.1" in rewording.refusals[0].sentence
    assert rewrite_piece(rewriter, PIECE, "published").text == REWORDED


def test_an_endpoint_that_is_too_slow_is_a_problem_of_that_piece(demo):
    rewriter = ChatRewriter(openai_chat(demo, read_seconds=2.0, retries=0))
    demo.faults.set(faults.TIMEOUT, times=1)
    reply = rewriter.rewrite(build_request(PIECE, "published"))
    assert reply == ModelReply(problem=reply.problem) and "did not answer in time" in reply.problem
    assert rewriter.rewrite(build_request(PIECE, "published")).text == REWORDED


def test_piece_after_piece_without_an_answer_stops_the_run(demo):
    rewriter = on_ollama(demo)
    demo.faults.set(faults.SERVER_ERROR, path="/api/chat")
    for _ in range(FAILURES_IN_A_ROW - 1):
        assert rewriter.rewrite(build_request(PIECE, "published")).problem
    with pytest.raises(OllamaSilent):
        rewriter.rewrite(build_request(PIECE, "published"))


def test_a_full_queue_is_waited_for_a_few_times(demo):
    chat = ollama_chat(demo)
    rewriter = ChatRewriter(chat)
    demo.faults.set(faults.BUSY, times=2)
    assert rewrite_piece(rewriter, PIECE, "published").tries == 1 and chat.retries == 2
    demo.faults.set(faults.BUSY)
    with pytest.raises(OllamaBusy):
        rewrite_piece(rewriter, PIECE, "published")


def test_a_missing_model_can_be_pulled_and_one_that_goes_missing_stops_the_run(demo):
    with pytest.raises(ModelMissing) as missing:
        on_ollama(demo, "qwen3.5:4b")
    assert missing.value.model == "qwen3.5:4b"
    rewriter = on_ollama(demo)
    demo.faults.set(faults.MODEL_MISSING)
    with pytest.raises(ModelMissing):
        rewrite_piece(rewriter, PIECE, "published")


def test_a_server_that_is_away_stops_the_run():
    with DemoServer() as demo:
        rewriters = (on_ollama(demo), ChatRewriter(openai_chat(demo, retries=0)))
    for rewriter in rewriters:
        with pytest.raises(BackendUnavailable, match=r"answers|reached"):
            rewrite_piece(rewriter, PIECE, "published")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{found.getsockname()[1]}"
        with pytest.raises(BackendUnavailable, match="No Ollama server answers"):
            OllamaChat(MODEL, OllamaServer(url, 1))


def test_an_openai_endpoint_is_sent_temperature_and_seed_unless_its_model_reasons(demo, bodies):
    at_openai(demo, seed=7).rewrite(build_request(PIECE, "published", attempt=2))
    body = bodies[-1]
    assert (body["temperature"], body["seed"], body["max_completion_tokens"]) == (0.1, 8, 290)
    assert "response_format" not in body and "reasoning_effort" not in body
    luna = at_openai(demo, "gpt-6-luna")
    luna.rewrite(build_request(PIECE, "published"))
    body = bodies[-1]
    assert "temperature" not in body and "seed" not in body
    assert (body["reasoning_effort"], body["max_completion_tokens"]) == ("none", 290 + 1024)
    assert luna.card.settings == (("server", Account(demo.openai_url).host),)
    card = at_openai(demo, temperature=0.5, seed=7).card
    assert dict(card.settings)["temperature"] == "0.5" and dict(card.settings)["seed"] == "7"
    assert SECRET not in repr(card)


def test_a_lost_answer_of_an_openai_endpoint_is_asked_for_again_at_once(demo):
    chat = openai_chat(demo)
    demo.faults.set(faults.RATE_LIMITED, times=1)
    rewording = rewrite_piece(ChatRewriter(chat), PIECE, "published")
    assert (rewording.text, rewording.tries, chat.retries) == (REWORDED, 1, 1)
    assert rewording.input_tokens and rewording.output_tokens == 14
