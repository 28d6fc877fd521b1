"""What is known of servers: who answers in place of a provider, and how long that is waited for."""

from __future__ import annotations

import http.client

import pytest

from ivan_core.backends.openai.client import SHOWN_SECONDS, is_demo
from ivan_core.models import servers

SILENT = "http://127.0.0.1:9/v1"


class _Silent:
    """A connection to a server that says nothing, and how long was waited for it."""

    waited: list[float]

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.waited.append(timeout)

    def request(self, method: str, path: str) -> None:
        raise TimeoutError

    def close(self) -> None:
        pass


@pytest.fixture
def waited(no_files, monkeypatch):
    _Silent.waited = []
    monkeypatch.setattr(http.client, "HTTPConnection", _Silent)
    return _Silent.waited


def test_pages_wait_half_a_second_for_a_silent_server_and_what_is_paid_by_it_longer(
    waited, monkeypatch
):
    monkeypatch.setenv("OLLAMA_API_HOST", "127.0.0.1:9")
    assert not servers.provider(SILENT).demo and not servers.ollama_is_demo()
    assert waited == [SHOWN_SECONDS, SHOWN_SECONDS]
    assert not is_demo(SILENT)
    assert waited[-1] >= 10.0
