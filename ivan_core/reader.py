"""The reader: `python -m ivan_core.reader` prepares a dataset in a process of its own.

The request is read as JSON from standard input. What it comes to is told in lines of JSON: how many
pairs are read by now, twice a second, so that whoever asked can also end it; at the end the
dataset's fingerprint, or the problem.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from ivan_core.datasets.columns import WrongColumns
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.errors import IvanError
from ivan_core.domain.specs import DatasetRequest
from ivan_core.runs.storage import keep_private
from ivan_core.settings import data_dir

BEAT_SECONDS = 0.5
_UNKNOWN = "The dataset could not be read: {error}."


def main() -> None:
    """Prepare the dataset that standard input asks for."""
    request = DatasetRequest.model_validate_json(sys.stdin.read())
    keep_private(data_dir())
    ended, read = threading.Event(), [0]
    beat = threading.Thread(target=_beat, args=(ended, read), daemon=True)
    beat.start()
    try:
        last: dict[str, Any] = {"fingerprint": _prepared(request, read)}
    except IvanError as error:
        last = {"message": error.message, "hint": error.hint}
        if isinstance(error, WrongColumns):
            last["found"] = list(error.found)
    except Exception as error:
        last = {"message": _UNKNOWN.format(error=type(error).__name__), "hint": ""}
    ended.set()
    beat.join()
    _tell(last)


def _prepared(request: DatasetRequest, read: list[int]) -> str:
    def note(pairs: int) -> None:
        read[0] = pairs

    return prepare(data_dir(), request, note).fingerprint


def _beat(ended: threading.Event, read: list[int]) -> None:
    while not ended.wait(BEAT_SECONDS):
        _tell({"pairs": read[0]})


def _tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
