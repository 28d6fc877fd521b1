"""The app for many journeys, one after another: each begins as on a server that has just started.

    python shared_app.py SOCKET run streamlit_app.py ...

Whoever started it says over the socket how the next journey's environment is. It ends with them.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, Listener
from typing import Any

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.web.cli import main

from ivan_core import settings
from ivan_core.annotations import database
from ivan_core.datasets import hub_client
from ivan_core.engine import handling as runs

OWN_WORKER = runs.WORKER
_OURS = ("ivan_core", "pages")


def begin(environment: Mapping[str, str], worker: Sequence[str] | None) -> None:
    """Be as a server that was started in this environment; `worker` is the command of its workers.

    Sessions of the journey before are over first: none of them writes into the next one's folder.
    """
    end_sessions()
    os.environ.clear()
    os.environ.update(environment)
    runs.WORKER = OWN_WORKER if worker is None else tuple(worker)
    st.cache_data.clear()
    st.cache_resource.clear()
    forget()


def end_sessions() -> None:
    """Close all sessions, and wait until their scripts have come to an end."""
    runtime = Runtime.instance()
    closed = threading.Event()
    problems: list[Exception] = []

    def close() -> None:
        try:
            for info in runtime._session_mgr.list_sessions():
                runtime.close_session(info.session.id)
        except Exception as error:
            problems.append(error)
        finally:
            closed.set()

    runtime._get_async_objs().eventloop.call_soon_threadsafe(close)
    closed.wait()
    for problem in problems:
        raise problem
    for thread in threading.enumerate():
        if thread.name == "ScriptRunner.scriptThread":
            thread.join()


def forget() -> None:
    """Empty what the functions and modules of IVAN remember."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _OURS:
            for value in list(vars(module).values()):
                cached: Any = getattr(value, "cache_clear", None)
                if callable(cached):
                    cached()
    database._silent.clear()
    database._laid_out.clear()
    if hub_client._installed:  # its bounds were those of an environment that is over
        from huggingface_hub import set_client_factory
        from huggingface_hub.utils._http import default_client_factory

        set_client_factory(default_client_factory)
        hub_client._installed = False


def listen(connection: Connection) -> None:
    """Do what is said, and answer with what went wrong, if anything did."""
    while True:
        try:
            told = connection.recv()
        except EOFError:  # the tests are over
            os._exit(0)
        try:
            begin(*told) if told else end_sessions()
            connection.send("")
        except Exception:
            connection.send(traceback.format_exc())


def _accept(address: str) -> None:
    with Listener(address, "AF_UNIX") as listener, listener.accept() as connection:
        listen(connection)


if __name__ == "__main__":
    settings._from_files = dict  # no settings of whoever runs the tests
    threading.Thread(target=_accept, args=(sys.argv[1],), daemon=True).start()
    main(sys.argv[2:], prog_name="streamlit")
