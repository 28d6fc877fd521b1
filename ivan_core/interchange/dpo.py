"""Preferences for training: TRL's conversational preference format with an explicit prompt.

https://huggingface.co/docs/trl/dataset_formats. What stands beside a pair follows as columns of
their own; trainers take no notice of them.
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
    write_lines(path, (_line(content, row) for row in rows))


def _line(content: Content, row: Row) -> dict[str, object]:
    prompt, chosen, rejected = prompt_and_replies(row.pair)
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, **content.values(row)}


DPO = Format(
    "dpo",
    "Preferences for training (DPO, JSON lines)",
    "Prompt, chosen and rejected as chat messages, as TRL reads them. No ties.",
    ".jsonl",
    OF_MESSAGES,
    _write,
)
