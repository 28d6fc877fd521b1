"""Preferences as plain texts: TRL's standard format with an explicit prompt.

A prompt and a reply, one after the other, are the transcript byte for byte: the prompt ends in the
marker of the reply, and the reply begins with the space after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import ASSISTANT_MARKER, Dialogue
from ivan_core.interchange import reasons
from ivan_core.interchange.content import Content, Row
from ivan_core.interchange.format import Format
from ivan_core.interchange.json_files import write_lines
from ivan_core.interchange.trl import A_PREFERENCE

_CRLF_MARKER = re.compile(r"\r\n\r\n(?:Human|Assistant):")


def _write(path: Path, content: Content, rows: Iterator[Row]) -> None:
    write_lines(path, (_line(content, row) for row in rows))


def _line(content: Content, row: Row) -> dict[str, object]:
    before, marker, chosen = row.pair.chosen.text.rpartition(ASSISTANT_MARKER)
    rejected = _reply(row.pair.rejected)
    return {
        "prompt": before + marker,
        "chosen": chosen,
        "rejected": rejected,
        **content.values(row),
    }


def _odd_marker(pair: Pair) -> str:
    """Readers mend transcripts whose lines end in CR LF, and a reply stands alone here."""
    replies = (_reply(side) for side in (pair.chosen, pair.rejected))
    odd = any(_CRLF_MARKER.search(reply) for reply in replies)
    return "a marker of turns after CR LF, which readers take for one" if odd else ""


def _reply(dialogue: Dialogue) -> str:
    return dialogue.text.rpartition(ASSISTANT_MARKER)[2]


TRL_STANDARD = Format(
    "trl-standard",
    "Preferences as plain texts (TRL standard, JSON lines)",
    "Prompt and replies as transcripts. No ties, one prompt a pair, no system texts.",
    ".jsonl",
    (*A_PREFERENCE, reasons.no_transcript, reasons.nobody_asks, _odd_marker),
    _write,
)
