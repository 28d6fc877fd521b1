"""The exact requests of a few rows, to be read before anything is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import TextKey
from ivan_core.engine.handling import registry
from ivan_core.experiments.batches.answers import read_requests
from ivan_core.experiments.batches.job import open_job


@dataclass(frozen=True, slots=True)
class Example:
    """One request as it stands in the file: what the model reads, and the whole body as JSON."""

    key: TextKey
    system: str
    user: str
    body: str


def examples(run_id: str, rows: int = 3) -> list[Example]:
    """Both requests of the first few rows of the estimate that is in force.

    Raises:
        BadInput: there is no estimate, or its first file is gone.
    """
    job = open_job(registry(), run_id)
    shown = job.estimate()
    if shown is None or not shown.files:
        raise BadInput(f"Run {run_id} has prepared no requests yet.", "Wait until it has.")
    path = job.data_dir / shown.files[0].path
    if not path.is_file():
        raise BadInput(f"The request file {path.name} is gone.", "Have the estimate made anew.")
    found: list[Example] = []
    for one in islice(read_requests([path]), 2 * rows):
        key = TextKey.from_custom_id(one.custom_id)
        said = {str(part["role"]): str(part["content"]) for part in _messages(one.body)}
        if key is not None:
            body = json.dumps(one.body, indent=1, ensure_ascii=False)
            found.append(Example(key, said.get("system", ""), said.get("user", ""), body))
    return found


def _messages(body: object) -> list[dict[str, object]]:
    messages = body.get("messages") if isinstance(body, dict) else None
    return messages if isinstance(messages, list) else []
