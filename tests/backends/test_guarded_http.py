"""No request lasts for ever and no answer fills the memory, whatever a server sends."""

from __future__ import annotations

import gc
import gzip
import json
import threading
import tracemalloc
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, repeat
from pathlib import Path

import pytest
from fakes.listening import Came, Listening, Told, as_json

from ivan_core.backends.chats import ChatLabeler
from ivan_core.backends.ollama.client import OllamaServer
from ivan_core.backends.openai.batches import OpenAIBatches
from ivan_core.backends.openai.chat import ANSWER_TOKENS, OpenAIChat
from ivan_core.backends.openai.client import Account
from ivan_core.datasets import guarded_http
from ivan_core.datasets.guarded_http import (
    LEAST_RATE,
    MOST_ANSWER,
    AnswerTooLong,
    Bounds,
    Clock,
    request_seconds,
)
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import AnswerLost, LabelPrompt, TextKey

PROMPT = LabelPrompt(TextKey(3, "chosen"), ("k",), "Label it.", "hello", "", {})
LIST = {"object": "list", "data": [], "has_more": False}


pytestmark = pytest.mark.usefixtures("no_files")


@pytest.fixture
def server() -> Iterator[Listening]:
    with Listening(lambda came: as_json(LIST)) as server:
        yield server


class Drip:
    """A byte every now and then, for ever; each is a second on the clock of the requests."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def bytes(self, first: bytes) -> Iterator[bytes]:
        yield first
        pause = threading.Event()
        while True:
            pause.wait(0.005)
            self.time += 1.0
            yield b" "


class Asking:
    """Every kind of call, at one server."""

    def __init__(self, url: str, path: Path) -> None:
        path.write_text("{}\n")
        account = Account(url + "/v1", "sk-1")
        batches, ollama = OpenAIBatches(account, file_seconds=5.0), OllamaServer(url, 60.0)
        chat = OpenAIChat("m", account, retries=0)
        labeler = ChatLabeler(chat, room=ANSWER_TOKENS)
        self.calls: dict[str, Callable[[], object]] = {
            "upload": lambda: batches.upload(path),
            "create": lambda: batches.create("file-1", {}),
            "list": lambda: list(batches.batches()),
            "poll": lambda: batches.poll("batch_1"),
            "content": lambda: batches.collect("file-1", path.with_name("got")),
            "chat": lambda: labeler.label(PROMPT),
            "version": ollama.version,
            "models": ollama.models,
            "ollama": lambda: ollama.chat("m", [{"role": "user", "content": "hello"}]),
        }


def test_a_deadline_counts_all_and_gives_a_file_the_time_that_its_bytes_take():
    time = 1000.0
    clock = Clock(Bounds(10.0), lambda: time)
    assert clock.left == 10.0
    time = 1008.0
    assert clock.left == 2.0
    clock.sent += int(3 * LEAST_RATE)
    assert clock.left == 5.0
    clock.count_received(int(2 * LEAST_RATE))
    assert clock.left == 7.0
    time = 1016.0
    assert clock.left == -1.0


def test_connections_end_with_who_asked(server, tmp_path):
    gc.collect()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        asking = Asking(server.url, tmp_path / "requests.jsonl")
        assert asking.calls["list"]() == []
        del asking
        gc.collect()
    assert not [one for one in said if server.url.rpartition(":")[2] in str(one.message)]


def test_what_no_answer_needs_gives_no_time():
    """4 seconds' worth may be asked for, so 4 are given, however much comes."""
    clock = Clock(Bounds(10.0, int(4 * LEAST_RATE)), lambda: 1000.0, host="a.test")
    clock.count_received(int(4 * LEAST_RATE))
    assert clock.left == 14.0
    clock.count_received(2**20 - int(4 * LEAST_RATE))
    assert clock.left == 14.0
    with pytest.raises(AnswerTooLong, match=r"a\.test sends more than 1 MB"):
        clock.count_received(1)


def test_a_body_may_come_in_pieces_with_their_lengths_around_them():
    clock = Clock(Bounds(10.0, 5 * 2**20), lambda: 1000.0)
    clock.count_received(100)
    clock.expect_body(2 * 2**20)
    clock.count_received(5 * 2**20)  # twice the body, and a head
    assert clock.left == pytest.approx(10.0 + 2 * 2**20 / LEAST_RATE)
    with pytest.raises(AnswerTooLong):
        clock.count_received(1)


@pytest.mark.parametrize("raw", [False, True], ids=["body", "headers"])
def test_a_server_that_drips_is_given_up(server, tmp_path, monkeypatch, raw):
    """Bytes come all the time, so no time-out between two of them would ever end this."""
    monkeypatch.setenv("IVAN_REQUEST_SECONDS", "5")
    start = b"HTTP/1.1 200 OK\r\nX-Slow:" if raw else b" "
    for name, call in Asking(server.url, tmp_path / "f").calls.items():
        drip = Drip()
        monkeypatch.setattr(guarded_http, "Clock", partial(Clock, now=drip.now))
        server.answer = lambda came, drip=drip: Told(200, pieces=drip.bytes(start), raw=raw)
        with pytest.raises(BackendUnavailable) as late:
            problem = getattr(call(), "problem", "")
            raise BackendUnavailable(problem)
        assert "did not answer" in late.value.message or isinstance(late.value, AnswerLost), name


INTERIM = b"HTTP/1.1 100 Continue\r\nX: " + b"x" * 2**15 + b"\r\n\r\n"
PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
NOTHING = b"\0\0\0\xff\xff" * 20_000
"""Stored blocks of no byte: they unpack to nothing, however many there are."""
WHOLE = gzip.compress(json.dumps(LIST).encode())


@pytest.mark.parametrize(
    ("start", "more"),
    [(b"", INTERIM), (PACKED + gzip.compress(b"")[:10], NOTHING), (PACKED + WHOLE, b"\0" * 2**16)],
    ids=["interim", "nothing", "after the end"],
)
def test_a_server_that_sends_for_ever_what_is_no_answer_is_left(
    server, tmp_path, monkeypatch, start, more
):
    """It is faster than the least rate, so that no deadline would ever end this."""
    monkeypatch.setattr("ivan_core.backends.openai.batches.MOST_FILE", 2**21)
    server.answer = lambda came: Told(pieces=chain([start], repeat(more)), raw=True)
    calls = Asking(server.url, tmp_path / "f").calls
    tracemalloc.start()
    try:
        for name in calls if more is INTERIM else ("content", "create", "poll", "version"):
            expected = AnswerLost if name == "create" else AnswerTooLong
            with pytest.raises(expected) as left:
                calls[name]()
            assert left.value.hint.endswith("."), name
        assert tracemalloc.get_traced_memory()[1] < MOST_ANSWER
    finally:
        tracemalloc.stop()


def test_the_deadline_is_a_setting(monkeypatch):
    assert request_seconds() == 300.0
    monkeypatch.setenv("IVAN_REQUEST_SECONDS", "20")
    assert request_seconds() == 20.0
    for odd in ("soon", "-1", "nan", "1e99"):
        monkeypatch.setenv("IVAN_REQUEST_SECONDS", odd)
        with pytest.raises(BadInput, match="no number of seconds"):
            request_seconds()


def packed(megabytes: int) -> bytes:
    """So many megabytes of spaces, which pack to a thousandth."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    pieces = [packer.compress(b" " * 2**20) for _ in range(megabytes)]
    return b"".join([*pieces, packer.flush()])


BOMB = packed(300)


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("shape", ["packed", "plain"])
def test_an_answer_without_an_end_is_left_before_it_fills_the_memory(
    server, tmp_path, monkeypatch, status, shape
):
    monkeypatch.setattr("ivan_core.backends.openai.batches.MOST_FILE", MOST_ANSWER)
    if shape == "packed":
        server.answer = lambda came: Told(status, BOMB, {"Content-Encoding": "gzip"})
    else:
        server.answer = lambda came: Told(status, pieces=repeat(b" " * 2**16))
    asking = Asking(server.url, tmp_path / "f")
    tracemalloc.start()
    try:
        for name, call in asking.calls.items():
            expected = AnswerLost if name == "create" else AnswerTooLong
            with pytest.raises(expected) as left:
                call()
            assert left.value.hint.endswith("."), name
        assert tracemalloc.get_traced_memory()[1] < 5 * MOST_ANSWER
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", ["packed", "plain"])
def test_a_large_file_goes_to_the_disk_as_it_comes(server, tmp_path, shape):
    batches = OpenAIBatches(Account(server.url + "/v1", "sk-1"))
    if shape == "packed":
        body = packed(40)
        server.answer = lambda came: Told(200, body, {"Content-Encoding": "gzip"})
    else:
        server.answer = lambda came: Told(200, pieces=repeat(b" " * 2**16, 40 * 16))
    tracemalloc.start()
    try:
        batches.collect("file-1", tmp_path / "got")
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()
    assert (tmp_path / "got").stat().st_size == 40 * 2**20
    with pytest.raises(AnswerTooLong, match="more than 39 MB"):
        batches.collect("file-1", tmp_path / "got", 39 * 2**20)


def test_a_packed_answer_is_read_and_one_that_is_cut_or_odd_is_not(server):
    batches = OpenAIBatches(Account(server.url + "/v1", "sk-1"))
    whole = gzip.compress(json.dumps(LIST).encode())

    def answer(body: bytes, packing: str) -> Callable[[Came], Told]:
        headers = {"Content-Encoding": packing, "Content-Type": "application/json"}
        return lambda came: Told(200, body, headers)

    for packing in ("gzip", "GZIP", "x-gzip"):
        server.answer = answer(whole, packing)
        assert list(batches.batches()) == []
    assert all(came.headers["accept-encoding"] == "gzip" for came in server.came)
    for body, packing in (
        (whole[:-9], "gzip"),
        (b"{}", "gzip"),
        (whole, "br"),
        (whole, "gzip, gzip"),
    ):
        server.answer = answer(body, packing)
        with pytest.raises(BackendUnavailable, match="broke off"):
            list(batches.batches())


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Listening(lambda came: as_json(LIST)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://me:word@"))
        list(OpenAIBatches(Account("http://api.example.test/v1", "sk-1")).batches())
        (came,) = proxy.came
        assert came.path.startswith("http://api.example.test/v1/batches")
        assert came.headers["proxy-authorization"].startswith("Basic ")
        list(OpenAIBatches(Account(server.url + "/v1", "sk-1")).batches())
        assert (len(proxy.came), len(server.came)) == (1, 1)
        monkeypatch.setenv("no_proxy", "api.example.test")
        with pytest.raises(BackendUnavailable, match="cannot be reached"):
            list(OpenAIBatches(Account("http://api.example.test/v1", "sk-1")).batches())
        assert len(proxy.came) == 1
