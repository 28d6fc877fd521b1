"""HTTP that ends: one deadline for a whole request, and a limit on what its answer unpacks to.

The usual timeouts are between two bytes, so that a server which sends one every few seconds is
never late; and an answer is unpacked whole before anybody sees how large it is. This is a transport
for clients of httpx and of httpx2, which are alike but share no classes.
"""

from __future__ import annotations

import threading
import urllib.request
import weakref
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from time import monotonic
from types import ModuleType
from typing import Any

from ivan_core.domain.errors import BackendUnavailable
from ivan_core.settings import seconds_of

SECONDS = "IVAN_REQUEST_SECONDS"
DEFAULT_SECONDS = 300.0

MOST_ANSWER = 16 * 2**20
"""Bytes of an answer that is read into memory; the largest usual one, a list, has 300 kB."""
LEAST_RATE = 5_000.0
"""Bytes a second, on average, below which a transfer is given up once its deadline has passed."""
_MOST_HEAD = 2**20
"""Bytes that may come before an answer's body; interim answers and headers have a few hundred."""
_PIECE = 2**16
_UNPACKED_AT_ONCE = 2**20
_CONNECTIONS, _KEPT, _KEPT_SECONDS = 1000, 100, 5.0


class AnswerTooLong(BackendUnavailable):
    """The answer is larger than what was asked for can be; it was not read to its end."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a request may take in all, and how many bytes its answer may have.

    The seconds count from the connection to the last byte; what is sent and received meanwhile adds
    its time at the least rate, so that a large file may take longer and a slow drip may not. No
    more is credited than the answer may have: a server may send for ever what is no answer.
    """

    seconds: float
    most_bytes: int = MOST_ANSWER


@dataclass(slots=True)
class Clock:
    """One request against its bounds."""

    bounds: Bounds
    now: Callable[[], float] = monotonic
    host: str = ""
    sent: int = 0
    received: int = 0
    """Bytes as they come over the connection, packed, with all that is around them."""
    most_received: int = _MOST_HEAD
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.now()

    @property
    def left(self) -> float:
        """Seconds."""
        moved = self.sent + min(self.received, self.bounds.most_bytes)
        return self.began + self.bounds.seconds + moved / LEAST_RATE - self.now()

    def count_received(self, count: int) -> None:
        self.received += count
        if self.received > self.most_received:
            raise too_long(self.host, self.most_received)

    def expect_body(self, most: int) -> None:
        """From now on a body comes that unpacks to no more than so many bytes.

        Twice as many may come over the connection: there are lengths of pieces around them.
        """
        self.bounds = replace(self.bounds, most_bytes=most)
        self.most_received = self.received + 2 * most + _MOST_HEAD


def too_long(host: str, most: int) -> AnswerTooLong:
    return AnswerTooLong(
        f"{host} sends more than {most / 2**20:,.0f} MB in answer to a request "
        "that cannot have so much.",
        "Nothing of it was kept. Check the address, then try again.",
    )


_asked: ContextVar[Bounds | None] = ContextVar("bounds of a request", default=None)
_running = threading.local()


def request_seconds() -> float:
    """How long one request may take in all.

    Raises:
        BadInput: the setting is no number of seconds.
    """
    return seconds_of(SECONDS, DEFAULT_SECONDS)


@contextmanager
def bounded(seconds: float, most_bytes: int = MOST_ANSWER) -> Iterator[None]:
    """Requests of this thread end within these bounds, each for itself."""
    before = _asked.set(Bounds(seconds, most_bytes))
    try:
        yield
    finally:
        _asked.reset(before)


class Transport:
    """Carries requests of a client of `http` (httpx or httpx2) by its `core` (httpcore, httpcore2).

    `usual` tells the bounds of requests outside of `bounded` by their path. Proxies of the
    environment are used where `proxies` says so.

    Raises, while a request is carried, what the client's own transport raises (a deadline is its
    time-out), and AnswerTooLong.
    """

    def __init__(
        self,
        http: ModuleType,
        core: ModuleType,
        usual: Callable[[str], Bounds],
        *,
        proxies: bool = True,
    ) -> None:
        self._http, self._core, self._usual, self._proxies = http, core, usual, proxies
        self._body: Any = type("Body", (_Body, http.SyncByteStream), {})
        self._pools: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        # Who asks a server seldom says when that is over: connections end with who held them.
        weakref.finalize(self, _close, self._pools).atexit = False

    def handle_request(self, request: Any) -> Any:
        url = request.url
        host = url.netloc.decode("ascii")
        clock = Clock(_asked.get() or self._usual(url.path), host=host)
        if request.headers.get("Accept-Encoding") != "identity":
            request.headers["Accept-Encoding"] = "gzip"
        asked = self._core.Request(
            method=request.method,
            url=self._core.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with self._running(clock):
            answer = self._pool(url.scheme, url.host).handle_request(asked)
        headers = self._http.Headers(answer.headers)
        packing = headers.pop("Content-Encoding", "").strip().lower()
        if packing not in ("", "identity"):
            headers.pop("Content-Length", None)
        # A text is unpacked once more by its "charset", which may name zlib: all here is UTF-8.
        if media := headers.get("Content-Type"):
            headers["Content-Type"] = media.partition(";")[0]
        most = clock.bounds.most_bytes
        if answer.status >= 300:  # read into memory for what it says
            most = min(most, MOST_ANSWER)
        clock.expect_body(most)
        body = self._body(answer.stream, packing, clock, self)
        return self._http.Response(
            answer.status, headers=headers, stream=body, extensions=answer.extensions
        )

    def close(self) -> None:
        _close(self._pools)

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _running(self, clock: Clock) -> Iterator[None]:
        """Hold this thread's network calls to a clock, and raise what the client knows."""
        _running.clock = clock
        try:
            yield
        except (
            self._core.TimeoutException,
            self._core.NetworkError,
            self._core.ProtocolError,
            self._core.ProxyError,
            self._core.UnsupportedProtocol,
        ) as error:
            known = getattr(self._http, type(error).__name__, self._http.TransportError)
            raise known(str(error)) from error
        finally:
            _running.clock = None

    def _pool(self, scheme: str, host: str) -> Any:
        proxy = ""
        if self._proxies and not urllib.request.proxy_bypass(host):
            known = urllib.request.getproxies()
            proxy = known.get(scheme) or known.get("all") or ""
        with self._lock:
            if (scheme, proxy) not in self._pools:
                # To read the certificates that are trusted takes longer than most requests.
                secret = "https" in (scheme, proxy.partition(":")[0])
                self._pools[scheme, proxy] = self._core.ConnectionPool(
                    ssl_context=self._http.create_ssl_context(trust_env=self._proxies)
                    if secret
                    else None,
                    proxy=self._proxy(proxy) if proxy else None,
                    max_connections=_CONNECTIONS,
                    max_keepalive_connections=_KEPT,
                    keepalive_expiry=_KEPT_SECONDS,
                    network_backend=_Network(self._core),
                )
            return self._pools[scheme, proxy]

    def _proxy(self, address: str) -> Any:
        proxy = self._http.Proxy(address if "://" in address else f"http://{address}")
        return self._core.Proxy(
            url=str(proxy.url), auth=proxy.raw_auth, headers=proxy.headers.raw or None
        )


def _close(pools: dict[tuple[str, str], Any]) -> None:
    for pool in pools.values():
        pool.close()


class _Body:
    """The body of an answer, unpacked piece by piece and counted."""

    def __init__(self, stream: Any, packing: str, clock: Clock, carrier: Transport) -> None:
        self._stream, self._packing = stream, packing
        self._clock, self._carrier = clock, carrier

    def __iter__(self) -> Iterator[bytes]:
        most, count = self._clock.bounds.most_bytes, 0
        for piece in self._unpacked():
            count += len(piece)
            if count > most:
                raise too_long(self._clock.host, most)
            yield piece

    def close(self) -> None:
        self._stream.close()

    def _unpacked(self) -> Iterator[bytes]:
        if self._packing in ("", "identity"):
            yield from self._pieces()
            return
        http = self._carrier._http
        if self._packing not in ("gzip", "x-gzip", "deflate"):
            raise http.DecodingError("an unknown way of packing")
        unpack, empty = zlib.decompressobj(zlib.MAX_WBITS | 32), True
        try:
            for piece in self._pieces():
                empty = empty and not piece
                while piece and not unpack.eof:  # after its end it would keep all it is given
                    yield unpack.decompress(piece, _UNPACKED_AT_ONCE)
                    piece = unpack.unconsumed_tail
            while more := unpack.decompress(unpack.unconsumed_tail, _UNPACKED_AT_ONCE):
                yield more
        except zlib.error as error:
            raise http.DecodingError(str(error)) from error
        if not (unpack.eof or empty):
            raise http.RemoteProtocolError("the packed answer is cut")

    def _pieces(self) -> Iterator[bytes]:
        pieces = iter(self._stream)
        while True:
            with self._carrier._running(self._clock):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece


class _Network:
    """Connections that a deadline holds for. Without one they are as they always were."""

    def __init__(self, core: ModuleType) -> None:
        self._core = core
        self._own = core.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **more: Any
    ) -> _Connection:
        seconds = _within(timeout, self._core.ConnectTimeout)
        return _Connection(self._own.connect_tcp(host, port, seconds, **more), self._core)

    def sleep(self, seconds: float) -> None:
        self._own.sleep(seconds)


class _Connection:
    def __init__(self, stream: Any, core: ModuleType) -> None:
        self._stream, self._core = stream, core

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        found: bytes = self._stream.read(max_bytes, _within(timeout, self._core.ReadTimeout))
        if clock := _clock():
            clock.count_received(len(found))
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        for start in range(0, len(view), _PIECE):
            piece = bytes(view[start : start + _PIECE])
            self._stream.write(piece, _within(timeout, self._core.WriteTimeout))
            if clock := _clock():
                clock.sent += len(piece)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Connection:
        seconds = _within(timeout, self._core.ConnectTimeout)
        return _Connection(
            self._stream.start_tls(ssl_context, server_hostname, seconds), self._core
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _within(timeout: float | None, too_late: type[Exception]) -> float | None:
    """The time that a call may wait: no longer than the request may still take."""
    clock = _clock()
    if clock is None:
        return timeout
    left = clock.left
    if left <= 0:
        raise too_late("the request takes too long in all")
    return left if timeout is None else min(timeout, left)


def _clock() -> Clock | None:
    """Of the request that this thread carries now."""
    found: Clock | None = getattr(_running, "clock", None)
    return found
