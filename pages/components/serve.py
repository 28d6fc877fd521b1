"""Streamlit with these pages, as `ivan app` starts it.

It tells the link of a server that asks for a token as soon as it listens. Started by
`streamlit run`, a server tells it when its first page is asked for: earlier none of its code runs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from socket import create_connection
from threading import Thread

from streamlit import config, runtime
from streamlit.web.cli import main

from pages.components.kit.visitor import tell_link


def serve(script: Path, arguments: Sequence[str]) -> None:
    """Serve the app of this script until Ctrl-C, with further arguments of `streamlit run`."""
    Thread(target=_tell_when_up, daemon=True, name="tell-link").start()
    main(
        ["run", str(script), "--server.showEmailPrompt", "false", *arguments], prog_name="streamlit"
    )


def _tell_when_up() -> None:
    while not (runtime.exists() and _listens()):
        time.sleep(0.1)
    tell_link()


def _listens() -> bool:
    at = (config.get_option("server.address") or "127.0.0.1", config.get_option("server.port"))
    try:
        create_connection(at, timeout=1).close()
    except OSError:
        return False
    return True
