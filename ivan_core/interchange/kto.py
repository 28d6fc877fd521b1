"""Single replies for training, each with whether it is the better one: TRL's unpaired preferences.

https://huggingface.co/docs/trl/dataset_formats. A pair gives two lines, the better reply first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ivan_core.interchange.content import Content, Row
from ivan_core.interchange.format import Format
from ivan_core.interchange.json_files import write_lines
from ivan_core.interchange.messages import prompt_and_replies
from ivan_core.interchange.trl import OF_MESSAGES


def _write(path: Path, content: Content, rows: Iterator[Row]) -> None:
    write_lines(path, (line for row in rows for line in _lines(content, row)))


def _lines(content: Content, row: Row) -> Iterator[dict[str, object]]:
    prompt, chosen, rejected = prompt_and_replies(row.pair)
    values = content.values(row)
    for reply, better in ((chosen, True), (rejected, False)):
        yield {"prompt": prompt, "completion": reply, "label": better, **values}


KTO = Format(
    "kto",
    "Single replies for training (KTO, JSON lines)",
    "Each reply on a line of its own, with whether it is the better one. No ties.",
    ".jsonl",
    OF_MESSAGES,
    _write,
)
