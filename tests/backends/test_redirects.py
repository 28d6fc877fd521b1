"""A server that sends a request on to another host gets nobody's key or texts there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.listening import Came, Listening, Told, as_json, redirect
from given.sending_place import KEY, Place

from ivan_core.backends.chats import ChatLabeler, ChatRewriter
from ivan_core.backends.ollama.chat import OllamaChat
from ivan_core.backends.ollama.client import OllamaServer
from ivan_core.backends.openai.batches import OpenAIBatches
from ivan_core.backends.openai.chat import ANSWER_TOKENS, OpenAIChat
from ivan_core.backends.openai.client import account_for
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.labels import AnswerLost, LabelPrompt, TextKey
from ivan_core.domain.rewriting import PieceKey, RewriteRequest
from ivan_core.ledger.records import Stage

SECRET, ENDPOINT, ORGANIZATION = "sk-secret-1", "endpoint-secret-2", "org-secret-3"
OLLAMA = "ollama-secret-4"
TEXT = "A text that nobody else may read."
STATUSES = (301, 302, 303, 307, 308)
PROMPT = LabelPrompt(TextKey(3, "chosen"), ("k",), "Label it.", TEXT, "", {})
BATCH = {"id": "batch_foreign", "object": "batch", "status": "completed", "endpoint": "/v1/x"}


@pytest.fixture(autouse=True)
def keys(no_files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ORG_ID", ORGANIZATION)
    monkeypatch.setenv("IVAN_ENDPOINT_KEY", ENDPOINT)
    monkeypatch.setenv("OLLAMA_API_KEY", OLLAMA)


def foreign(came: Came) -> Told:
    """What would be taken for an answer of each call, if anybody asked."""
    if "content" in came.path:
        return Told(200, b"{}\n")
    if came.path.startswith("/api/"):
        return as_json({"models": [], "version": "0.18.0", "message": {"content": "taken"}})
    answer = {"choices": [{"message": {"content": "taken"}}], "data": [BATCH], "has_more": False}
    return as_json({**answer, **BATCH})


@pytest.fixture
def elsewhere() -> Iterator[Listening]:
    with Listening(foreign) as server:
        yield server


@pytest.fixture
def sends_on(elsewhere: Listening) -> Iterator[Callable[[int], Listening]]:
    """A server that sends every request on to the other one, with a status."""
    with Listening(foreign) as server:

        def tell(status: int) -> Listening:
            server.answer = lambda came: redirect(status, elsewhere.url + came.path)
            return server

        yield tell


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    path = tmp_path / "1-input.jsonl"
    path.write_text(TEXT + "\n", "utf-8")
    return path


class Asking:
    """Every call of the program at an OpenAI-compatible server, with one client of each kind."""

    def __init__(self, url: str, path: Path) -> None:
        account = account_for(url)
        batches, chat = OpenAIBatches(account), OpenAIChat("m", account)
        labeler = ChatLabeler(chat, room=ANSWER_TOKENS)
        piece = RewriteRequest(PieceKey(3, "chosen", "reply"), "second", "shared", TEXT, user=TEXT)
        self.calls: dict[str, Callable[[], object]] = {
            "files.create": lambda: batches.upload(path),
            "batches.create": lambda: batches.create("f", {"run": TEXT}),
            "batches.list": lambda: list(batches.batches()),
            "batches.retrieve": lambda: batches.poll("batch_1"),
            "batches.cancel": lambda: batches.cancel("batch_1"),
            "files.content": lambda: batches.collect("file-1", path.with_name("got")),
            "labels": lambda: labeler.label(PROMPT),
            "run-file": lambda: chat.send({"messages": TEXT}),
            "rewriting": lambda: ChatRewriter(chat).rewrite(piece),
        }


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("typed", [False, True], ids=["own", "typed"])
def test_no_call_takes_a_key_or_a_text_to_another_host(
    sends_on, elsewhere, request_file, monkeypatch, status, typed
):
    server = sends_on(status)
    url = server.url + "/v1"
    if not typed:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
    asking = Asking(url if typed else "", request_file)
    for number, (name, call) in enumerate(asking.calls.items(), start=1):
        with pytest.raises(BackendUnavailable) as refused:
            call()
        assert (len(elsewhere.came), len(server.came)) == (0, number), name
        assert f"a redirect to {elsewhere.url} (HTTP {status})" in refused.value.message
        assert isinstance(refused.value, AnswerLost) is (name == "batches.create")
        assert refused.value.hint.endswith(".")
        told = f"{refused.value.message} {refused.value.hint}"
        assert not any(secret in told for secret in (SECRET, ENDPOINT, ORGANIZATION, TEXT))


def test_no_redirect_is_followed_on_the_same_host_either(sends_on, request_file):
    server = sends_on(307)
    server.answer = lambda came: redirect(307, "/elsewhere" + came.path)
    for call in Asking(server.url + "/v1", request_file).calls.values():
        with pytest.raises(BackendUnavailable, match="to another address of its own"):
            call()
    assert all(one.path.startswith("/v1/") for one in server.came)


@pytest.mark.parametrize("location", ["", "http://[", "\x7f", "javascript:alert(1)", "x" * 9_000])
def test_an_odd_address_to_go_on_to_is_a_sentence_too(sends_on, request_file, location):
    server = sends_on(302)
    server.answer = lambda came: redirect(302, location)
    for call in Asking(server.url + "/v1", request_file).calls.values():
        with pytest.raises(BackendUnavailable, match="HTTP 302") as refused:
            call()
        assert len(refused.value.message) < 300 and refused.value.message.isprintable()


@pytest.mark.parametrize("status", STATUSES)
def test_a_redirected_create_is_in_doubt_until_it_is_found(tmp_path, sends_on, elsewhere, status):
    """The foreign answer is not adopted; the provider's own list decides."""
    server = sends_on(status)
    place = Place(tmp_path / "data")
    batches = OpenAIBatches(account_for(server.url + "/v1"))
    place.provider.account = batches.account
    place.confirm()
    marks = dict(place.ledger.part(KEY).part.marks)
    made = {**BATCH, "id": "batch_own", "metadata": marks, "created_at": int(place.time)}
    listings = []

    def answer(came: Came) -> Told:
        if came.method == "POST" and came.path == "/v1/batches":
            return redirect(status, elsewhere.url + came.path)
        if came.path.startswith("/v1/batches"):
            listings.append(came)
            shown = [made] if len(listings) > 2 else []
            return as_json({"object": "list", "data": shown, "has_more": False})
        return as_json({"id": "file-1", "object": "file"})

    server.answer = answer
    place.provider = batches
    sent = place.send()
    assert (sent.stage, sent.batch_id) == (Stage.CREATED, "batch_own")
    assert (place.slept, elsewhere.came) == ([2, 4], [])


OLLAMA_CALLS: dict[str, Callable[[OllamaServer], object]] = {
    "version": OllamaServer.version,
    "models": OllamaServer.models,
    "show": lambda server: server.longest_context("m"),
    "pull": lambda server: server.pull("m"),
    "chat": lambda server: server.chat("m", [{"role": "user", "content": TEXT}]),
    "asker": lambda server: OllamaChat("m", server),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("typed", [False, True], ids=["own", "typed"])
def test_nothing_that_ollama_is_asked_goes_to_another_host(
    sends_on, elsewhere, monkeypatch, status, typed
):
    server = sends_on(status)
    if not typed:
        monkeypatch.setenv("OLLAMA_API_HOST", server.url)
    asked = OllamaServer(server.url if typed else "")
    for name, call in OLLAMA_CALLS.items():
        with pytest.raises(BackendUnavailable) as refused:
            call(asked)
        assert elsewhere.came == [], name
        assert f"a redirect to {elsewhere.url} (HTTP {status})" in refused.value.message, name
        assert "OLLAMA_API_HOST" in refused.value.hint


def test_dropping_a_model_from_memory_is_not_sent_on_either(sends_on, elsewhere):
    OllamaServer(sends_on(307).url).release("m")
    assert elsewhere.came == []
