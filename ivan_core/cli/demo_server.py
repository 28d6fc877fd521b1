"""`ivan demo-server`: a fake of OpenAI's and of Ollama's API on this machine."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.demo.fault_names import FAULTS
from ivan_core.domain.errors import BadInput

if TYPE_CHECKING:
    from ivan_core.demo.faults import Faults

_LONGEST_NAME = max(len(name) for name in FAULTS)
_EPILOG = "faults (AMOUNT has the value in brackets; tests may set another):\n" + "\n".join(
    f"  {fault.name:<{_LONGEST_NAME}}  {fault.description}" for fault in FAULTS.values()
)


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "demo-server",
        help="a fake OpenAI and Ollama server, to try things out without a key",
        description="Serve a fake of OpenAI's API (files, batches, chat) and of Ollama's on this "
        "machine, until Ctrl-C. It answers by rules; nothing leaves the machine, nothing costs "
        "money.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="Where to listen. Default: a free port."
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:TIMES]",
        help="Something that goes wrong, always or so many times. May be given more than once.",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=10.0,
        metavar="S",
        help="How long a batch takes. 0: it is finished when it is first looked at. Default: 10.",
    )
    parser.add_argument(
        "--data-file",
        type=Path,
        metavar="FILE",
        help="Keep files and batches there for the next start.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.demo.server import DemoServer

    if not 0 <= options.port <= 65_535:
        raise BadInput("--port is between 0 and 65535.")
    if not 0 <= options.seconds <= 86_400:
        raise BadInput("--seconds is between 0 and 86400.")
    server = DemoServer(
        options.port,
        switched_on(options.fault),
        batch_seconds=options.seconds,
        data_file=options.data_file,
    )
    with server:
        print(
            "IVAN's demo server: it answers by rules, and nothing costs money. Ctrl-C stops it.\n"
            f"OpenAI API  {server.openai_url}\n"
            f"Ollama API  {server.ollama_url}\n\n"
            "Before you start IVAN in another terminal:\n"
            f"export OPENAI_BASE_URL={server.openai_url}\n"
            "export OPENAI_API_KEY=demo\n"
            f"export OLLAMA_API_HOST={server.ollama_url}",
            flush=True,
        )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("\nStopped.")
    return 0


def switched_on(asked: list[str]) -> Faults:
    """The faults of the command line, each `NAME` or `NAME:TIMES`.

    Raises:
        BadInput: there is no such fault, or TIMES is not a number above 0.
    """
    from ivan_core.demo.faults import Faults

    faults = Faults()
    for one in asked:
        name, colon, times = one.partition(":")
        if colon and not (times.isdecimal() and int(times) > 0):
            raise BadInput(f"{one!r} does not say how often: NAME:TIMES, as in rate-limited:2.")
        faults.set(name, times=int(times) if colon else None)
    return faults
