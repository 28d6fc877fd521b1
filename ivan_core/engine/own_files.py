"""Files that people hand over in the browser: kept in the data folder under their fingerprint."""

from __future__ import annotations

import re
from hashlib import sha256

from ivan_core.datasets.files import FORMATS
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import access
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import data_dir

FOLDER = "dropped"
LARGEST_MB = 200
"""Megabytes of a file that is handed over; the server holds it in memory meanwhile."""
_ENDINGS = sorted(FORMATS, key=len, reverse=True)
_ODD = re.compile(r"[^\w .()+-]+")
_LONGEST_NAME = 160
"""Bytes of a name without its ending; file systems take 255."""


def keep_file(name: str, content: bytes) -> DatasetRequest:
    """Keep a file as `dropped/<fingerprint>/<name>` and give the dataset that it holds.

    The fingerprint is of the content, 16 hex digits: the same file is kept once.

    Raises:
        BadInput: it is empty, or of a kind that IVAN does not read.
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.READ)
    kept_as = _plain_name(name)
    if not content:
        raise BadInput(f"{kept_as} is empty.", "Drop a file with rows in it.")
    path = data_dir().absolute() / FOLDER / sha256(content).hexdigest()[:16] / kept_as
    if not path.exists():
        with storage_errors(data_dir()):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_bytes(content)
    return DatasetRequest(source=str(path))


def _plain_name(name: str) -> str:
    """The file's name without folders and odd characters, with its ending.

    Raises:
        BadInput: an ending that IVAN does not read.
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    ending = next((one for one in _ENDINGS if last.lower().endswith(one)), None)
    if ending is None:
        raise BadInput(
            f"{last[:_LONGEST_NAME] or 'This'} is not a kind of file that IVAN reads.",
            f"It reads {', '.join(FORMATS)}.",
        )
    whole = _ODD.sub("_", last[: -len(ending)]).strip(" .")
    stem = whole.encode("utf-8", "ignore")[:_LONGEST_NAME].decode("utf-8", "ignore")
    return f"{stem or 'pairs'}{ending}"
