"""Whatever a provider answers, it ends in a sentence, and the run goes on once it is well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from fakes.listening import Came, Listening, Told, as_json
from given.sending_place import KEY, Place
from given.taxonomy_runs import account_of, be_worker, creations, say_yes, spec_of, workers_here

from ivan_core.backends.chats import ChatLabeler
from ivan_core.backends.ollama.client import OllamaServer
from ivan_core.backends.openai.batches import OpenAIBatches
from ivan_core.backends.openai.chat import ANSWER_TOKENS, OpenAIChat
from ivan_core.backends.openai.client import Account
from ivan_core.backends.openai.errors import ProviderBusy, RequestRefused
from ivan_core.demo.openai_api import OpenAIApi
from ivan_core.demo.server import DemoServer
from ivan_core.demo.wire import Answer, Request
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.labels import AnswerLost, BatchState, LabelPrompt, TextKey
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.ledger.records import Stage

DIGITS = "9" * 5_000
GOOD = {
    "id": "batch_1",
    "object": "batch",
    "status": "completed",
    "created_at": 1_790_000_000,
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-in",
    "completion_window": "24h",
    "output_file_id": "file-out",
    "error_file_id": None,
    "errors": None,
    "metadata": {"run": "r"},
    "request_counts": {"total": 2, "completed": 2, "failed": 0},
    "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
}
ABSURD: Mapping[str, str] = {
    "text": '"soon"',
    "half a character": '"\\ud800"',
    "list": "[1, [2]]",
    "object": '{"a": {}}',
    "huge": str(10**30),
    "negative": "-1",
    "float": "1e999",
    "nan": "NaN",
    "infinity": "-Infinity",
    "digits": DIGITS,
    "deep": "[" * 100_000 + "]" * 100_000,
    "true": "true",
    "null": "null",
    "address": '"../../v1/models?x#y"',
    "long": f'"{"x" * 100_000}"',
    "lines": '"a\\nb\\u0000"',
}
FIELDS = (
    "id",
    "status",
    "created_at",
    "metadata",
    "request_counts",
    "usage",
    "errors",
    "output_file_id",
    "error_file_id",
    "input_file_id",
    "object",
    "expires_at",
    "request_counts.total",
    "request_counts.completed",
    "request_counts.failed",
    "usage.input_tokens",
    "usage.output_tokens",
    "metadata.run",
    "errors.data",
)
BODIES = {
    "empty": b"",
    "html": b"<html>Log in</html>",
    "cut": b'{"id": "batch_1", "sta',
    "null": b"null",
    "number": b"12",
    "text": b'"batch_1"',
    "list": b'["batch_1"]',
    "digits": DIGITS.encode(),
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "bytes": b"\xff\xfe\x00",
    "nan": b"NaN",
}
PROMPT = LabelPrompt(TextKey(3, "chosen"), ("k",), "Label it.", "hello", "", {})


def with_value(field: str, written: str) -> bytes:
    """A good batch as JSON, but for one field, which is written as given."""
    value = json.loads(json.dumps(GOOD))
    *outer, name = field.split(".")
    inner = value
    for one in outer:
        if not isinstance(inner.get(one), dict):
            inner[one] = {}
        inner = inner[one]
    inner[name] = "@"
    return json.dumps(value).replace('"@"', written).encode()


@pytest.fixture(scope="module")
def server() -> Iterator[Listening]:
    with Listening(lambda came: as_json({})) as server:
        yield server


@pytest.fixture(scope="module")
def batches(server: Listening) -> OpenAIBatches:
    return OpenAIBatches(Account(server.url + "/v1", "sk-1"))


def answered(call: Callable[[], object]) -> object:
    """What a call gives, or the sentence it ends in."""
    try:
        return call()
    except BackendUnavailable as problem:
        assert problem.message.isprintable() and len(problem.message) < 600, problem.message[:900]
        assert problem.message.endswith(".") and problem.hint.endswith(".")
        return problem


def can_be_kept(state: BatchState) -> None:
    """That nothing of it breaks a database, a file or a page that it comes into."""
    for number in (
        state.total,
        state.completed,
        state.failed,
        state.input_tokens or 0,
        state.output_tokens or 0,
    ):
        assert type(number) is int and 0 <= number < 2**62
    names = (state.id, state.status, state.output_file, state.error_file, state.input_file)
    assert all(name.isprintable() and len(name) <= 200 for name in names)
    assert state.created is None or 0 < state.created < 1e12
    json.dumps([dict(state.metadata), [p.message for p in state.problems]]).encode()
    " ".join((*state.metadata, *state.metadata.values())).encode()


@pytest.mark.parametrize("value", ABSURD)
def test_a_batch_with_an_absurd_field_is_asked_again_or_read_without_it(server, batches, value):
    for field in FIELDS:
        server.answer = lambda came, field=field: Told(200, with_value(field, ABSURD[value]))
        found = answered(lambda: batches.poll("batch_1"))
        if isinstance(found, BatchState):
            can_be_kept(found)
            assert found.id == "batch_1"
            if field not in ("status", "output_file_id") and found.ended:
                assert found.output_file == "file-out", (field, value)


@pytest.mark.parametrize("value", ABSURD)
def test_no_absurd_end_of_a_batch_is_taken_for_its_end(server, batches, value):
    """A batch whose files cannot be read from the answer is not collected as one without files."""
    if value in ("null", "address"):
        return
    server.answer = lambda came: Told(200, with_value("output_file_id", ABSURD[value]))
    if value in ("text",):
        assert batches.poll("batch_1").output_file == "soon"
        return
    assert isinstance(answered(lambda: batches.poll("batch_1")), BackendUnavailable)


@pytest.mark.parametrize("value", ABSURD)
def test_a_list_with_an_absurd_entry_still_tells_of_the_others(server, batches, value):
    whole = json.dumps({**GOOD, "id": "batch_2"}).encode()
    for field in FIELDS:
        entry = with_value(field, ABSURD[value])
        page = b'{"object": "list", "has_more": false, "data": [3, ' + entry + b", " + whole + b"]}"
        server.answer = lambda came, page=page: Told(200, page)
        found = answered(lambda: list(batches.batches()))
        if isinstance(found, list):
            assert found[-1].id == "batch_2"
            for state in found:
                can_be_kept(state)


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_answer_is_a_sentence(server, batches, body, tmp_path):
    server.answer = lambda came: Told(200, BODIES[body])
    path = tmp_path / "1-input.jsonl"
    path.write_text("{}\n")
    calls: list[Callable[[], object]] = [
        lambda: batches.upload(path),
        lambda: list(batches.batches()),
        lambda: batches.poll("batch_1"),
        lambda: batches.cancel("batch_1"),
    ]
    for call in calls:
        assert isinstance(answered(call), BackendUnavailable)
    lost = answered(lambda: batches.create("file-in", {}))
    assert isinstance(lost, AnswerLost)
    chat = OpenAIChat("m", Account(server.url + "/v1"), retries=0)
    labeler = ChatLabeler(chat, room=ANSWER_TOKENS)
    reply = answered(lambda: labeler.label(PROMPT))
    assert isinstance(reply, BackendUnavailable) or reply.problem


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_an_absurd_error_is_a_sentence(server, batches, status):
    for value in ABSURD.values():
        written = f'{{"error": {{"message": {value}, "code": {value}, "type": {value}}}}}'.encode()
        for body in (written, value.encode()):
            server.answer = lambda came, body=body: Told(status, body, {"Retry-After": "nan"})
            assert isinstance(answered(lambda: batches.poll("batch_1")), BackendUnavailable)


WAITS = (
    "Mon, 01 Jan 99999999999 00:00:00 GMT",
    "Fri, 01 Jan 9999 00:00:00 GMT",
    "Mon, 01 Jan 2024 99999999999999999999:00:00 GMT",
    "Mon, 01 Jan 2024 00:00:00 +" + "9" * 99,
    "Mon, 01 Jan 2024 00:00:00 +9999",
    "Mon, 01 Jan 2024 00:00:00 -0000",
    "1e999",
    "9" * 5_000,
    "-1",
    "nan",
    "Mon,",
    ",",
    "\xb2",
    "0 Jan 0 0:0:0",
)


@pytest.mark.parametrize("name", ["Retry-After", "Retry-After-Ms"])
def test_an_absurd_wait_counts_as_none_and_a_refused_create_made_nothing(server, batches, name):
    for wait in WAITS:
        server.answer = lambda came, wait=wait: Told(429, b"{}", {name: wait})
        calls = (lambda: batches.poll("batch_1"), lambda: batches.create("file-in", {}))
        for call in calls:
            busy = answered(call)
            assert isinstance(busy, ProviderBusy) and busy.retry_after is None, wait


@pytest.mark.parametrize("charset", ["zlib", "hex", "punycode", "undefined", "rot13", '"', "\xb2"])
def test_an_error_in_an_absurd_encoding_is_read_as_it_came(server, batches, charset):
    headers = {"Content-Type": f"text/plain; charset={charset}"}
    server.answer = lambda came: Told(400, "no such café".encode(), headers)
    for call in (lambda: batches.poll("batch_1"), lambda: batches.create("file-in", {})):
        refused = answered(call)
        assert isinstance(refused, RequestRefused), charset
        assert "no such café" in refused.message


@pytest.mark.parametrize("value", ABSURD)
def test_a_chat_with_an_absurd_field_is_a_reply_or_a_sentence(server, value):
    chat = OpenAIChat("m", Account(server.url + "/v1"), retries=0)
    labeler = ChatLabeler(chat, room=ANSWER_TOKENS)
    written = ABSURD[value]
    for body in (
        f'{{"choices": [{{"finish_reason": {written}, "message": {{"content": "ok"}}}}]}}',
        f'{{"choices": [{{"message": {{"content": {written}, "refusal": {written}}}}}]}}',
        f'{{"choices": {written}, "error": {written}}}',
        f'{{"choices": [{{"message": {{}}}}], "usage": {{"prompt_tokens": {written}}}}}',
    ):
        server.answer = lambda came, body=body: Told(200, body.encode())
        found = answered(lambda: labeler.label(PROMPT))
        if not isinstance(found, BackendUnavailable):
            f"{found.text}{found.problem}{found.finish}{found.refusal}".encode()
            assert found.input_tokens is None or 0 <= found.input_tokens < 2**62


def test_a_list_without_an_end_is_left(server, batches, monkeypatch):
    """Each page names another last batch, or the same two in turn."""
    monkeypatch.setattr("ivan_core.backends.openai.batches.MOST_PAGES", 12)
    server.came.clear()

    def endless(came: Came) -> Told:
        page = [{**GOOD, "id": f"batch_{len(server.came)}"}]
        return as_json({"object": "list", "data": page, "has_more": True})

    def in_turn(came: Came) -> Told:
        page = [{**GOOD, "id": f"batch_{len(server.came) % 2}"}]
        return as_json({"object": "list", "data": page, "has_more": True})

    server.answer = endless
    assert len(list(batches.batches())) == 12
    server.answer = in_turn
    assert len(list(batches.batches())) < 5


@pytest.mark.parametrize("value", ABSURD)
def test_counts_that_are_none_end_no_batch(server, batches, value):
    """Read as no finished request, they would make a lost file of answers one of nothing."""
    server.answer = lambda came: Told(200, with_value("request_counts", ABSURD[value]))
    found = answered(lambda: batches.poll("batch_1"))
    if value in ("null", "object"):
        assert isinstance(found, BatchState) and found.ended and found.total == 0
    else:
        assert isinstance(found, BackendUnavailable)


@pytest.mark.parametrize(
    "value", ["text", "list", "huge", "digits", "deep", "nan", "lines", "true"]
)
@pytest.mark.parametrize("field", ["id", "created_at", "metadata", "request_counts.total"])
def test_a_create_with_an_absurd_answer_is_in_doubt_or_made_and_found_in_the_end(
    server, batches, tmp_path, field, value
):
    place = Place(tmp_path / "data")
    place.provider.account = batches.account
    place.confirm()
    marks = dict(place.ledger.part(KEY).part.marks)
    well = {**GOOD, "metadata": marks, "created_at": int(place.time)}
    lists = []

    def answer(came: Came) -> Told:
        if came.path == "/v1/files":
            return as_json({"id": "file-in"})
        if came.method == "POST":
            return Told(200, with_value(field, ABSURD[value]))
        lists.append(came)
        sick = b'{"data": [' + with_value(field, ABSURD[value]) + b'], "has_more": false}'
        return Told(200, sick) if len(lists) < 3 else as_json({"data": [well], "has_more": False})

    server.answer = answer
    place.provider = batches
    sent = place.send()
    assert sent.stage is Stage.CREATED
    # An id that could be one is taken at its word: the provider is asked about it later.
    assert sent.batch_id == ("soon" if (field, value) == ("id", "text") else "batch_1")
    assert place.ledger.part(KEY) == sent
    assert len([one for one in server.came if one.path == "/v1/batches"]) >= 1


@pytest.fixture
def demo(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    with DemoServer() as demo, workers_here(monkeypatch):
        account_of(monkeypatch, demo)
        yield demo


@pytest.mark.parametrize(
    "field", ["created_at", "metadata", "request_counts", "usage", "output_file_id", "status", "id"]
)
def test_a_run_goes_on_once_the_provider_is_well(demo, tmp_path, monkeypatch, field):
    # Where a file's name could be one, or is told to be none, what is downloaded has to tell.
    told = [w for w in ABSURD.values() if field != "output_file_id" or w not in ('"soon"', "null")]
    respond, values = OpenAIApi.respond, iter(told)

    def sick(self: OpenAIApi, request: Request) -> Answer:
        answer = respond(self, request)
        written = next(values, None) if request.path.startswith("/v1/batches/") else None
        if written is None:
            return answer
        value = json.loads(answer.body)
        value[field] = {"total": "@"} if field == "request_counts" else "@"
        value[field] = {"input_tokens": "@"} if field == "usage" else value[field]
        return Answer(body=json.dumps(value).replace('"@"', written).encode())

    monkeypatch.setattr(OpenAIApi, "respond", sick)
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    if runs.get(run_id).state is not RunState.DONE:
        be_worker(run_id)
    summary = taxonomy.counts(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert summary and summary["counts"]["valid"] == 12
    assert creations(demo) == 1
    assert taxonomy.parts(run_id)[0]["status"] == "completed"


OLLAMA: dict[str, Callable[[OllamaServer], object]] = {
    "version": OllamaServer.version,
    "models": OllamaServer.models,
    "show": lambda server: server.longest_context("m"),
    "pull": lambda server: server.pull("m"),
    "chat": lambda server: server.chat("m", [{"role": "user", "content": "hi"}]),
}


@pytest.mark.parametrize("value", [*ABSURD, *BODIES])
def test_whatever_ollama_answers_is_a_sentence_or_fit_to_keep(server, value):
    asked = OllamaServer(server.url)
    written = ABSURD.get(value, "")
    whole = json.dumps(
        {
            "version": "@",
            "models": [{"model": "m", "size": "@"}],
            "status": "@",
            "digest": "d",
            "completed": "@",
            "total": "@",
            "model_info": {"a.context_length": "@"},
            "capabilities": "@",
            "message": {"role": "assistant", "content": "@"},
            "done_reason": "@",
            "eval_count": "@",
        }
    )
    body = BODIES.get(value) or whole.replace('"@"', written).encode()
    for status in (200, 500):
        server.answer = lambda came, status=status: Told(status, body)
        for name, call in OLLAMA.items():
            found = answered(lambda call=call: call(asked))
            assert not isinstance(found, ArithmeticError), name
            repr(found).encode()
