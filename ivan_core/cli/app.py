"""`ivan app`: the dashboard, from any folder."""

from __future__ import annotations

import argparse
import os
import platform
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.settings import app_folder

_HERE = "127.0.0.1"


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "app",
        help="open the dashboard in the browser",
        description="Serve the dashboard on this machine, until Ctrl-C.",
    )
    parser.add_argument(
        "--port", type=int, metavar="N", help="Where to listen. Default: 8501, or the next free."
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="Where everything is kept. Default: IVAN_DATA_DIR, else data in this folder.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    arguments = ["--server.headless", str(not _has_screen()).lower()]
    if options.port is not None:
        _check_port(options.port)
        arguments += ["--server.port", str(options.port)]
    if options.data is not None:
        _check_folder(options.data)
        os.environ["IVAN_DATA_DIR"] = str(options.data.expanduser().absolute())
    folder = app_folder()
    # By name, since the core knows no page and imports no streamlit.
    sys.path.insert(0, str(folder))
    import_module("pages.components.serve").serve(folder / "streamlit_app.py", arguments)
    return 0


def _has_screen() -> bool:
    """Whether a browser can be opened here."""
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return platform.system() == "Darwin" or bool(named)


def _check_port(port: int) -> None:
    if not 1 <= port <= 65_535:
        raise BadInput("--port is between 1 and 65535.")
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((_HERE, port))
        except OSError as error:
            raise BadInput(
                f"Port {port} cannot be listened on: {error.strerror}.",
                "Name another one, or leave --port out and the next free one is taken.",
            ) from error


def _check_folder(folder: Path) -> None:
    try:
        folder.expanduser().mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:
        raise BadInput(
            f"{folder} cannot be the data folder: {getattr(error, 'strerror', None) or error}.",
            "Name a folder that you may write to.",
        ) from error
