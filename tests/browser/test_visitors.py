"""Who comes through a proxy reads, and is refused what destroys or costs."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from socket import SHUT_WR, create_connection, socket

import pytest
from given import made_runs
from playwright.sync_api import Page, expect
from tables import click_first_row

from ivan_core.runs.registry import Registry

REFUSED = "from another machine needs a login that is listed in IVAN_OWNERS."


class _Forward(socketserver.BaseRequestHandler):
    """One connection of a reverse proxy: it names a client, made up or not, and passes all on."""

    server: _Proxy

    def handle(self) -> None:
        ours: socket = self.request
        with create_connection(self.server.target) as theirs:
            back = threading.Thread(target=_pipe, args=(theirs, ours), daemon=True)
            back.start()
            line, _, rest = ours.recv(65_536).partition(b"\r\n")
            theirs.sendall(line + b"\r\nX-Forwarded-For: 127.0.0.1\r\n" + rest)
            _pipe(ours, theirs)
            back.join()


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.target = target


def _pipe(source: socket, sink: socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(SHUT_WR)
    except OSError:
        return


@pytest.fixture
def through_proxy() -> Iterator[Callable[[str], str]]:
    """Put a proxy in front of a server; returns its address."""
    proxies: list[_Proxy] = []

    def put_before(base: str) -> str:
        host, _, port = base.removeprefix("http://").partition(":")
        proxy = _Proxy((host, int(port)))
        proxies.append(proxy)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{proxy.server_address[1]}"

    yield put_before
    for proxy in proxies:
        proxy.shutdown()
        proxy.server_close()


@pytest.fixture
def run_id(data_dir) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))


def press_delete(page: Page, base: str, run_id: str) -> None:
    page.goto(f"{base}/runs")
    click_first_row(page, run_id)
    page.get_by_text("Delete", exact=True).click()
    page.get_by_text("I mean it").click()
    page.get_by_role("button", name="Delete this run").click()


def test_a_visitor_through_a_proxy_reads_and_deletes_nothing(
    serve, visitor, run_id, data_dir, through_proxy
):
    server = serve()
    page = visitor()
    proxy = through_proxy(server.base)
    page.goto(f"{proxy}/compare?run={run_id}")
    expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()
    press_delete(page, proxy, run_id)
    expect(page.get_by_text(f"Deleting a run {REFUSED}")).to_be_visible()
    assert Registry(data_dir).get(run_id)
    local = visitor()
    press_delete(local, server.base, run_id)
    expect(local.get_by_text(f"Deleted run {run_id}")).to_be_visible()
    assert Registry(data_dir).all() == []


def test_behind_a_proxy_by_the_setting_nobody_is_local(serve, page, run_id, data_dir, monkeypatch):
    monkeypatch.setenv("IVAN_BEHIND_PROXY", "1")
    server = serve()
    page.goto(server.url("/compare"))
    page.get_by_role("button", name="Judge 20 pairs with 2 models").click()
    expect(page.get_by_text(f"Starting a run {REFUSED}")).to_be_visible()
    press_delete(page, server.base, run_id)
    expect(page.get_by_text(f"Deleting a run {REFUSED}")).to_be_visible()
    assert [run.id for run in Registry(data_dir).all()] == [run_id]
