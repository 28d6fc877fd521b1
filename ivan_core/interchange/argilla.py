"""Records for Argilla 2: two replies in an order that tells nothing, and what was chosen as a
suggestion.

https://docs.argilla.io (records as dictionaries). `argilla.Record.from_dict` reads each; the
dataset's settings have the fields prompt (a chat), response_a and response_b (texts), and the
question preference with the labels response_a, response_b and tie.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ivan_core.interchange.content import Content, Label, Row, Text, without_empty
from ivan_core.interchange.format import Format
from ivan_core.interchange.json_files import write_array
from ivan_core.interchange.two_replies import ONE_PROMPT, side_by_side


def _write(path: Path, content: Content, rows: Iterator[Row]) -> None:
    write_array(path, (_record(content, row) for row in rows))


def _record(content: Content, row: Row) -> dict[str, Any]:
    fields, preferred = side_by_side(content, row)
    value = {"a": "response_a", "b": "response_b", "": "tie"}[preferred]
    return {
        "id": str(row.pair.row_id),
        "fields": fields,
        "metadata": without_empty(_metadata(content, row)),
        "suggestions": {"preference": {"value": value, "score": None, "agent": content.chosen_by}},
        "responses": {},
        "vectors": {},
    }


def _metadata(content: Content, row: Row) -> dict[str, Label]:
    """What stands beside the texts; metadata are terms and numbers, and whole texts are none."""
    kinds = content.columns
    return {name: one for name, one in content.values(row).items() if kinds.get(name) is not Text}


ARGILLA = Format(
    "argilla",
    "Argilla records",
    "Two replies in a drawn order, with the data's choice as a suggestion.",
    ".json",
    ONE_PROMPT,
    _write,
    shuffled=True,
)
