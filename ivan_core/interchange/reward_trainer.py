"""Preferences for TRL's RewardTrainer: both dialogues whole, as chat messages (implicit prompt).

https://huggingface.co/docs/trl/dataset_formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ivan_core.interchange.content import Content, Row
from ivan_core.interchange.format import Format
from ivan_core.interchange.json_files import write_lines
from ivan_core.interchange.messages import messages
from ivan_core.interchange.trl import OF_MESSAGES


def _write(path: Path, content: Content, rows: Iterator[Row]) -> None:
    write_lines(path, (_line(content, row) for row in rows))


def _line(content: Content, row: Row) -> dict[str, object]:
    chosen, rejected = messages(row.pair.chosen), messages(row.pair.rejected)
    return {"chosen": chosen, "rejected": rejected, **content.values(row)}


REWARD_TRAINER = Format(
    "reward-trainer",
    "Whole dialogues (RewardTrainer, JSON lines)",
    "Both dialogues whole, as chat messages. No ties, and one prompt a pair.",
    ".jsonl",
    OF_MESSAGES,
    _write,
)
