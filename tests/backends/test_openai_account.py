"""Which key goes to which server, and that no error tells it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ivan_core.backends.openai.batches import OpenAIBatches
from ivan_core.backends.openai.client import (
    OPENAI_URL,
    Account,
    account_for,
    is_demo,
    is_loopback,
    make_client,
)
from ivan_core.backends.openai.errors import RequestRefused, lost_answer, provider_problem
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import AnswerLost

SECRET = "sk-test-0123456789abcdef"
OTHER = "endpoint-key-42"


pytestmark = pytest.mark.usefixtures("no_files")


class _Told(HTTPServer):
    """Answers every request with one status and body, and remembers the headers."""

    def __init__(self, status: int = 200, body: str = '{"object": "list", "data": []}') -> None:
        self.status, self.body, self.seen = status, body.encode(), []
        super().__init__(("127.0.0.1", 0), _Answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Answers(BaseHTTPRequestHandler):
    server: _Told

    def do_GET(self) -> None:
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def told() -> Iterator[_Told]:
    with _Told() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_without_a_key_openai_is_not_asked_and_the_demo_is_named():
    with pytest.raises(BackendUnavailable, match="No key for OpenAI") as missing:
        account_for()
    assert ".env" in missing.value.hint and "demo-server" in missing.value.hint


def test_the_environments_key_goes_to_its_base_url_only(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    assert account_for() == Account(OPENAI_URL, SECRET, "org-1")
    assert account_for("https://API.openai.com/v1/") == account_for()
    typed = account_for("http://localhost:8000/v1")
    assert (typed.key, typed.organization, typed.of_environment) == ("", "", False)
    monkeypatch.setenv("IVAN_ENDPOINT_KEY", OTHER)
    assert account_for("http://localhost:8000/v1").key == OTHER
    assert account_for("http://api.openai.com/v1").key == OTHER
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
    assert account_for("http://localhost:8000/v1/").key == SECRET
    assert account_for(OPENAI_URL).key == OTHER


def test_a_server_sees_its_own_key_and_nothing_of_the_environments(told, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer x-1\nX-Gateway: secret-2")
    list(OpenAIBatches(account_for(told.url)).batches())
    assert told.seen[-1]["authorization"] == "Bearer no-key"
    assert not {"openai-organization", "openai-project", "x-gateway"} & set(told.seen[-1])
    monkeypatch.setenv("IVAN_ENDPOINT_KEY", OTHER)
    list(OpenAIBatches(account_for(told.url)).batches())
    assert told.seen[-1]["authorization"] == f"Bearer {OTHER}"
    monkeypatch.setenv("OPENAI_BASE_URL", told.url)
    list(OpenAIBatches(account_for()).batches())
    assert told.seen[-1]["authorization"] == f"Bearer {SECRET}"
    assert told.seen[-1]["openai-organization"] == "org-1"


def test_fingerprints_tell_accounts_apart_and_reveal_nothing():
    accounts = [
        Account(OPENAI_URL, SECRET),
        Account(OPENAI_URL, OTHER),
        Account(OPENAI_URL, SECRET, "org-1"),
        Account("http://localhost/v1", SECRET),
    ]
    prints = [account.fingerprint for account in accounts]
    assert len(set(prints)) == 4 and all(len(p) == 24 for p in prints)
    assert Account(OPENAI_URL, SECRET).fingerprint == prints[0]
    assert account_for("http://localhost:1/v1").fingerprint != prints[3]
    assert SECRET not in repr(accounts) + "".join(prints)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_no_sentence_and_no_log_repeats_the_key(told, status, caplog):
    caplog.set_level(logging.DEBUG)
    told.status = status
    told.body = f'{{"error": {{"message": "Incorrect key {SECRET} or sk-proj-AAAABBBB"}}}}'.encode()
    with pytest.raises(BackendUnavailable) as raised:
        list(OpenAIBatches(Account(told.url, SECRET)).batches())
    shown = f"{raised.value.message} {raised.value.hint} {raised.value!r} {caplog.text}"
    assert SECRET not in shown and "AAAABBBB" not in shown
    if status in (400, 403):
        assert isinstance(raised.value, RequestRefused) and "Incorrect key" in shown


@pytest.mark.parametrize("body", ["<html>hello</html>", '"hi"', "[]", '{"data": 3}', "{"])
def test_what_is_no_api_of_this_kind_is_named(told, body):
    told.body = body.encode()
    with pytest.raises(BackendUnavailable, match="answer"):
        list(OpenAIBatches(Account(told.url)).batches())


def test_a_key_with_a_line_break_or_a_foreign_character_is_no_key(monkeypatch):
    for odd in ("sk-a\nb", "sk-…", "sk a"):
        monkeypatch.setenv("OPENAI_API_KEY", odd)
        with pytest.raises(BackendUnavailable, match="is no key") as refused:
            account_for()
        assert odd not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "ftp://x/v1",
        "http://me:pw@host/v1",
        "http://h:x/v1",
        "https://host/v1?key=1",
        "http:///v1",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url):
    with pytest.raises(BadInput, match="no base URL") as refused:
        account_for(url)
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
def test_statuses_after_which_a_batch_may_exist(status):
    error = type("Answered", (Exception,), {"status_code": status})()
    assert isinstance(lost_answer(error, Account(OPENAI_URL)), AnswerLost)


def test_the_demo_is_known_by_its_header_and_only_looked_for_here(told):
    with DemoServer() as demo:
        assert is_demo(demo.openai_url)
        stopped = demo.openai_url
    assert not is_demo(stopped)
    assert not is_demo(told.url)
    assert not is_demo("http://192.0.2.1/v1") and not is_demo("")
    assert is_loopback("http://[::1]:80") and is_loopback("http://localhost")
    assert not is_loopback("http://localhost.example.org")


def test_the_client_never_asks_again_by_itself():
    assert make_client(Account(OPENAI_URL, SECRET)).max_retries == 0


def test_an_http_date_is_a_wait_too():
    response = type("R", (), {"headers": {"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}})
    error = type("Busy", (Exception,), {"status_code": 429, "response": response})()
    assert provider_problem(error, Account(OPENAI_URL)).retry_after == 0.0
