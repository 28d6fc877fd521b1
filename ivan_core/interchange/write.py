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
    """How many pairs were asked for, how many are written, and why the others are not.

    `counted` tells what else was counted of the pairs that the format has a place for; `order` how
    the two replies stand, where that was drawn.
    """

    written: int
    asked: int
    left_out: Mapping[str, int]
    counted: Mapping[str, int]
    order: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Such as "3 of 4 pairs written." and "1 left out: a side has no reply."."""
        told = [f"{self.written:,} of {number_of(self.asked, 'pair')} written."]
        told += [f"{count:,} left out: {why}." for why, count in self.left_out.items()]
        told += [f"{count:,} {what}." for what, count in self.counted.items()]
        return tuple([*told, self.order] if self.order else told)


def write(path: Path, wanted: Format, content: Content) -> Summary:
    """Write what a format has a place for; a file that was there gives way once all is written.

    Raises:
        OSError: the file cannot be written; what was there stays.
        StorageProblem: the texts are damaged.
    """
    left_out, counted, written = Counter[str](), Counter[str](), 0

    def held() -> Iterator[Row]:
        nonlocal written
        for row in content.rows():
            why = wanted.left_out(row.pair)
            if not why:
                counted.update(row.counted)
            if why or row.dropped:
                left_out[why or row.dropped] += 1
            else:
                written += 1
                yield row

    with replacing(path) as temporary:
        wanted.write(temporary, content, held())
    order = content.order_told if wanted.shuffled else ""
    return Summary(written, content.count, dict(left_out), dict(counted), order)
