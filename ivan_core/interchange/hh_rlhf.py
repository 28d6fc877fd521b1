"""Two transcripts a line, byte for byte, as the helpful and harmless data of Anthropic have them.

https://github.com/anthropics/hh-rlhf. The form has these two texts alone, and no tie.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ivan_core.interchange import reasons
from ivan_core.interchange.content import Content, Row
from ivan_core.interchange.format import Format
from ivan_core.interchange.json_files import write_lines


def _write(path: Path, _: Content, rows: Iterator[Row]) -> None:
    pairs = (row.pair for row in rows)
    write_lines(path, ({"chosen": one.chosen.text, "rejected": one.rejected.text} for one in pairs))


HH_RLHF = Format(
    "hh-rlhf",
    "Transcripts (hh-rlhf, JSON lines)",
    "Two transcripts a line and nothing beside them. No ties and no system texts.",
    ".jsonl",
    (reasons.tie, reasons.no_transcript, reasons.nobodys_text),
    _write,
)
