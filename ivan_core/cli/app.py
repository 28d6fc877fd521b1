"""`ivan app`: the dashboard, from any folder."""

from __future__ import annotations

import argparse
import atexit
import os
import platform
import shutil
import socket
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.runs.storage import only_to_read
from ivan_core.settings import NOT_FOR_STRANGERS, PUBLIC, app_folder, data_dir

_HERE = "127.0.0.1"
_EPILOG = (
    "Others reach it through a proxy or a tunnel; the handbook tells how (data.md, demo.md). "
    "STREAMLIT_SERVER_ADDRESS is the address to listen on, where it must be another one."
)
_FOR_STRANGERS = {
    "server.headless": "true",
    # They drop no files, and what they type is short.
    "server.maxUploadSize": "0",
    "server.maxMessageSize": "16",
}
_HOSTS = "STREAMLIT_SERVER_ALLOWED_HOSTS"


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "app",
        help="open the dashboard in the browser",
        description="Serve the dashboard on this machine, until Ctrl-C.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--port", type=int, metavar="N", help="Where to listen. Default: 8501, or the next free."
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="Where everything is kept. Default: IVAN_DATA_DIR, else data in this folder; with "
        "--public a folder that is thrown away.",
    )
    parser.add_argument(
        "--public",
        action="store_true",
        help="A demo for strangers: it shows what is in --data, or a finished study of the bundled "
        "pairs if that is empty. Nothing runs, and nothing that visitors say is kept.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    settings = {"server.headless": str(not _has_screen()).lower()}
    if options.port is not None:
        _check_port(options.port)
        settings["server.port"] = str(options.port)
    if options.data is not None:
        _check_folder(options.data)
        os.environ["IVAN_DATA_DIR"] = str(options.data.expanduser().absolute())
    if options.public:
        settings |= _FOR_STRANGERS
        if not os.environ.get(_HOSTS):
            # Nobody has rights here that a page of another name could make use of.
            settings["server.allowedHosts"] = "*"
        _open_to_strangers(kept=options.data is not None)
    arguments = [part for name, text in settings.items() for part in (f"--{name}", text)]
    folder = app_folder()
    # By name, since the core knows no page and imports no streamlit.
    sys.path.insert(0, str(folder))
    import_module("pages.components.serve").serve(folder / "streamlit_app.py", arguments)
    return 0


def _open_to_strangers(kept: bool) -> None:
    """Have something to show, and from then on no key, no server and nobody with rights."""
    from ivan_core.demo.finished_study import put_into

    if not kept:
        folder = tempfile.mkdtemp(prefix="ivan-demo-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["IVAN_DATA_DIR"] = folder
    if not only_to_read(data_dir()):
        put_into(data_dir())
    for name in NOT_FOR_STRANGERS:
        os.environ.pop(name, None)
    os.environ |= {PUBLIC: "1", "HF_HUB_OFFLINE": "1"}


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
