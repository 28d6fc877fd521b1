"""Writing a file for others, whole or not at all, and what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ivan_core.domain.words import number_of
from ivan_core.interchange.content import Content, Row
from ivan_core.interchange.format import Format
from ivan_core.runs.storage import replacing


@dataclass(frozen=True, slots=True)
class Summary:
    """How many pairs were asked for, how many are written, and why the others are not."""

    written: int
    asked: int
    left_out: Mapping[str, int]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Such as "3 of 4 pairs written." and "1 left out: a side has no reply."."""
        told = f"{self.written:,} of {number_of(self.asked, 'pair')} written."
        return told, *(f"{count:,} left out: {why}." for why, count in self.left_out.items())


def write(path: Path, wanted: Format, content: Content) -> Summary:
    """Write what a format has a place for; a file that was there gives way once all is written.

    Raises:
        OSError: the file cannot be written; what was there stays.
        StorageProblem: the texts are damaged.
    """
    counts, written = Counter[str](), 0

    def held() -> Iterator[Row]:
        nonlocal written
        for row in content.rows():
            if why := wanted.left_out(row.pair):
                counts[why] += 1
            else:
                written += 1
                yield row

    with replacing(path) as temporary:
        wanted.write(temporary, content, held())
    return Summary(written, content.count, dict(counts))
