"""What makes the shared server new between journeys, without the server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import shared_app
from huggingface_hub import get_session
from sqlalchemy import make_url

from ivan_core.annotations import database
from ivan_core.datasets import hub_client
from ivan_core.domain.errors import BackendUnavailable


class Loop:
    """An event loop that does what it is told in a thread of its own, as a server does."""

    def call_soon_threadsafe(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()


class Sessions:
    """Two sessions, of which the first cannot be closed."""

    def list_sessions(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(session=SimpleNamespace(id=name)) for name in ("one", "two")]


class Server:
    """As much of Streamlit's runtime as is asked."""

    _session_mgr = Sessions()

    def _get_async_objs(self) -> SimpleNamespace:
        return SimpleNamespace(eventloop=Loop())

    def close_session(self, session_id: str) -> None:
        raise KeyError(session_id)


def test_a_session_that_cannot_be_closed_is_told_and_waits_for_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_app, "Runtime", SimpleNamespace(instance=Server))
    with pytest.raises(KeyError, match="one"):
        shared_app.end_sessions()


def test_silent_databases_and_the_bounds_of_the_hub_are_forgotten() -> None:
    url = make_url("postgresql://nobody@localhost/reviews")
    database._silent[url] = (float("inf"), BackendUnavailable("It says nothing.", "Wait."))
    database._laid_out.add(url)
    hub_client.guard_hub()
    guarded = get_session()
    shared_app.forget()
    assert url not in database._silent and url not in database._laid_out
    assert not hub_client._installed and get_session() is not guarded
    # Guarded again it has the hooks of the first time, not those and theirs once more.
    hub_client.guard_hub()
    assert len(get_session().event_hooks["request"]) == len(guarded.event_hooks["request"])
    shared_app.forget()
