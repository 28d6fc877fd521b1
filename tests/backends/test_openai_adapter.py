"""Batches and single answers of OpenAI's API, asked with the real client at the demo server."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import pytest

from ivan_core.backends.chats import ChatLabeler, Question
from ivan_core.backends.openai.batches import OpenAIBatches
from ivan_core.backends.openai.chat import (
    ANSWER_TOKENS,
    FAILURES_IN_A_ROW,
    OpenAIChat,
    chat_body,
    label_body,
)
from ivan_core.backends.openai.client import Account
from ivan_core.backends.openai.errors import NoCredit, NotAtProvider, ProviderBusy
from ivan_core.demo import fault_names as faults
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import AnswerLost, BatchState, LabelPrompt, TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.models import labelers

MODEL = "gpt-6-luna"
SECRET = "sk-test-not-to-be-seen"
SCHEMA = {
    "type": "object",
    "properties": {"last_response_is_helpful": {"type": "boolean"}},
    "required": ["last_response_is_helpful"],
    "additionalProperties": False,
}
PROMPT = LabelPrompt(
    TextKey(3, "chosen"), ("last_response_is_helpful",), "Label it.", "Human: hi", "", SCHEMA
)
METADATA = {"run": "r1", "part": "1", "attempt": "1", "sha256": "ab"}


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer() as server:
        yield server


def provider(demo: DemoServer, **seconds: float) -> OpenAIBatches:
    return OpenAIBatches(Account(demo.openai_url, SECRET), **seconds)


def request_file(folder: Path, rows: int = 3) -> Path:
    lines = [
        {
            "custom_id": f"{row}.chosen",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": label_body(PROMPT, MODEL),
        }
        for row in range(rows)
    ]
    path = folder / "1-input.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def test_a_batch_goes_up_ends_and_comes_back(demo, tmp_path):
    batches = provider(demo)
    batch_id = batches.create(batches.upload(request_file(tmp_path)), METADATA)
    state = batches.poll(batch_id)
    assert (state.status, state.total, state.completed, state.failed) == ("completed", 3, 3, 0)
    assert state.ended and dict(state.metadata) == METADATA and state.created
    assert state.input_tokens and state.output_tokens
    batches.collect(state.output_file, tmp_path / "got")
    lines = [json.loads(line) for line in (tmp_path / "got").read_bytes().splitlines()]
    assert {line["custom_id"] for line in lines} == {"0.chosen", "1.chosen", "2.chosen"}
    assert demo.requests.count("POST", "/v1/batches") == 1


def test_batches_are_listed_newest_first_a_page_at_a_time(demo, tmp_path, monkeypatch):
    monkeypatch.setattr("ivan_core.backends.openai.batches.PAGE", 2)
    batches = provider(demo)
    file_id = batches.upload(request_file(tmp_path))
    made = [batches.create(file_id, {"part": str(part)}) for part in range(5)]
    assert [state.id for state in batches.batches()] == made[::-1]
    demo.requests.clear()
    assert len(list(islice(batches.batches(), 2))) == 2
    assert demo.requests.count("GET", "/v1/batches") == 1


@pytest.mark.parametrize(
    "fault",
    [
        faults.COMMIT_THEN_RESET,
        faults.COMMIT_THEN_TIMEOUT,
        faults.RESET,
        faults.TIMEOUT,
        faults.TRUNCATED_BODY,
        faults.SERVER_ERROR,
    ],
)
def test_a_create_whose_answer_is_lost_is_sent_once_and_in_doubt(demo, tmp_path, fault):
    batches = provider(demo)
    file_id = batches.upload(request_file(tmp_path))
    demo.faults.set(fault, times=1, method="POST", path="/v1/batches")
    with pytest.raises(AnswerLost, match="no usable answer"):
        provider(demo, read_seconds=0.3).create(file_id, METADATA)
    until(lambda: demo.requests.count("POST", "/v1/batches") == 1)
    took_effect = fault in (
        faults.COMMIT_THEN_RESET,
        faults.COMMIT_THEN_TIMEOUT,
        faults.TRUNCATED_BODY,
    )
    until(lambda: len(list(batches.batches())) == (1 if took_effect else 0))


def test_a_create_that_was_refused_or_never_sent_is_not_in_doubt(demo, tmp_path):
    batches = provider(demo)
    with pytest.raises(BackendUnavailable, match="refused the request") as refused:
        batches.create("file-of-another", METADATA)
    assert not isinstance(refused.value, AnswerLost)
    with pytest.raises(BackendUnavailable, match="cannot be reached") as away:
        OpenAIBatches(Account(f"http://127.0.0.1:{free_port()}/v1", SECRET)).create("f", METADATA)
    assert not isinstance(away.value, AnswerLost)
    assert list(batches.batches()) == []


def test_a_refused_create_says_when_to_come_back_or_that_there_is_no_credit(demo):
    batches = provider(demo)
    demo.faults.set(faults.RATE_LIMITED, times=1, amount=7)
    with pytest.raises(ProviderBusy, match="wait 7 seconds") as busy:
        batches.create("f", METADATA)
    assert busy.value.retry_after == 7 and busy.value.worth_waiting
    demo.faults.set(faults.RATE_LIMITED, times=1, amount=121)
    with pytest.raises(ProviderBusy) as long:
        batches.create("f", METADATA)
    assert not long.value.worth_waiting
    demo.faults.set(faults.INSUFFICIENT_QUOTA, times=1)
    with pytest.raises(NoCredit, match="no credit left"):
        batches.create("f", METADATA)


CALLS: dict[str, Callable[[OpenAIBatches, Path], object]] = {
    "upload": lambda batches, path: batches.upload(path),
    "list": lambda batches, path: list(batches.batches()),
    "poll": lambda batches, path: batches.poll("batch_1"),
    "cancel": lambda batches, path: batches.cancel("batch_1"),
    "collect": lambda batches, path: batches.collect("file-1", path.with_name("got")),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "fault", [faults.RESET, faults.TIMEOUT, faults.TRUNCATED_BODY, faults.SERVER_ERROR]
)
def test_other_calls_are_made_once_and_their_lost_answers_are_harmless(demo, tmp_path, call, fault):
    demo.faults.set(fault)
    patience = 0.5 if fault == faults.TIMEOUT else 60.0
    batches = provider(demo, read_seconds=patience, file_seconds=patience)
    with pytest.raises(BackendUnavailable) as raised:
        CALLS[call](batches, request_file(tmp_path))
    assert not isinstance(raised.value, AnswerLost)
    assert "tried again" in raised.value.hint or isinstance(raised.value, NotAtProvider)
    until(lambda: len(list(demo.requests)) == 1)


def test_what_the_account_does_not_have_is_named(demo, tmp_path):
    batches = provider(demo)
    with pytest.raises(NotAtProvider, match="has no batch batch_none"):
        batches.poll("batch_none")
    with pytest.raises(NotAtProvider, match="has no file file-none"):
        batches.collect("file-none", tmp_path / "got")
    for odd in ("", "a/b"):
        with pytest.raises(BadInput):
            batches.poll(odd)


def test_files_that_are_not_there_have_no_id(demo, tmp_path):
    batches = provider(demo)
    for fault in (faults.EMPTY_FILE_IDS, faults.NO_OUTPUT_FILE):
        demo.faults.clear()
        demo.faults.set(fault)
        state = batches.poll(batches.create(batches.upload(request_file(tmp_path)), METADATA))
        assert "" in (state.output_file, state.error_file) and state.ended


def test_what_the_provider_has_against_a_file_is_told(demo, tmp_path):
    demo.faults.set(faults.VALIDATION_FAILURE)
    batches = provider(demo)
    state: BatchState = batches.poll(
        batches.create(batches.upload(request_file(tmp_path)), METADATA)
    )
    assert state.status == "failed"
    assert [problem.code for problem in state.problems] == ["token_limit_exceeded"]


def test_the_request_is_the_same_in_a_batch_and_alone():
    body = label_body(PROMPT, MODEL, 99)
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert body["reasoning_effort"] == "none" and body["max_completion_tokens"] == 99
    assert "temperature" not in body
    assert body["response_format"]["json_schema"] == {
        "name": "labels",
        "strict": True,
        "schema": SCHEMA,
    }
    assert "reasoning_effort" not in label_body(PROMPT, "gpt-4o")
    assert "reasoning_effort" not in label_body(PROMPT, "llama-9")
    assert chat_body(MODEL, Question("s", "half \ud800", 600, temperature=0.0)) == {
        "model": MODEL,
        "max_completion_tokens": 600,
        "reasoning_effort": "none",
        "temperature": 0.0,
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "half ?"}],
    }


def test_what_a_paid_labeler_sends_is_what_its_answer_is_found_by(demo, monkeypatch):
    sent: list[Mapping[str, object]] = []
    send = OpenAIChat.send

    def noting(self: OpenAIChat, body: Mapping[str, object]) -> ModelReply:
        sent.append(body)
        return send(self, body)

    monkeypatch.setattr(OpenAIChat, "send", noting)
    mine = labelers.make_paid(f"openai:{MODEL}", Account(demo.openai_url, SECRET))
    assert mine.label(PROMPT).text and mine.card.id == MODEL
    assert sent == [label_body(PROMPT, MODEL)]


def chat(demo: DemoServer, waits: list[float], read_seconds: float = 60.0) -> OpenAIChat:
    account = Account(demo.openai_url, SECRET)
    return OpenAIChat(MODEL, account, read_seconds=read_seconds, retries=2, wait=waits.append)


def labeler(demo: DemoServer, waits: list[float]) -> ChatLabeler:
    return ChatLabeler(chat(demo, waits), room=ANSWER_TOKENS)


def test_a_text_is_labelled_and_a_card_says_by_whom(demo):
    mine = labeler(demo, [])
    reply = mine.label(PROMPT)
    assert set(json.loads(reply.text)) == {"last_response_is_helpful"}
    assert (reply.finish, reply.problem) == ("stop", "")
    assert reply.input_tokens and reply.output_tokens
    assert (mine.card.id, mine.card.kind) == (MODEL, "openai")
    assert SECRET not in repr(mine.card)


@pytest.mark.parametrize(
    "fault",
    [faults.RATE_LIMITED, faults.SERVER_ERROR, faults.RESET, faults.TRUNCATED_BODY, faults.TIMEOUT],
)
def test_a_passing_trouble_is_asked_again_and_counted(demo, fault):
    demo.faults.set(fault, times=2, amount=3)
    waits: list[float] = []
    own = chat(demo, waits, read_seconds=2.0 if fault == faults.TIMEOUT else 60.0)
    assert ChatLabeler(own, room=ANSWER_TOKENS).label(PROMPT).text
    assert own.retries == len(waits) == 2
    assert min(waits) >= (3 if fault == faults.RATE_LIMITED else 0.75)


def test_no_credit_or_a_long_wait_stops_at_once(demo):
    for fault, amount in ((faults.INSUFFICIENT_QUOTA, 1), (faults.RATE_LIMITED, 600)):
        demo.faults.clear()
        demo.requests.clear()
        demo.faults.set(fault, amount=amount)
        with pytest.raises(BackendUnavailable):
            labeler(demo, []).label(PROMPT)
        assert demo.requests.count("POST", "/v1/chat/completions") == 1


def test_a_text_that_always_fails_has_a_problem_until_too_many_do(demo):
    demo.faults.set(faults.SERVER_ERROR)
    mine = labeler(demo, [])
    for _ in range(FAILURES_IN_A_ROW - 1):
        assert "HTTP 500" in mine.label(PROMPT).problem
    with pytest.raises(BackendUnavailable):
        mine.label(PROMPT)


def test_a_server_that_is_away_stops_the_run():
    account = Account(f"http://127.0.0.1:{free_port()}/v1", SECRET)
    with pytest.raises(BackendUnavailable, match="cannot be reached"):
        OpenAIChat(MODEL, account, retries=1, wait=lambda s: None).ask(Question("s", "u", 9))


def test_a_refusal_is_a_refusal(demo):
    demo.faults.set(faults.REFUSAL)
    assert labeler(demo, []).label(PROMPT).refusal


def until(holds: Callable[[], bool]) -> None:
    """Wait for what a server thread has yet to do: the client may have given up before it."""
    while not holds():
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
