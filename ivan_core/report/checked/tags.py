"""How a number in Markdown or HTML names what it comes from: a comment right behind it.

    45%<!-- ivan RUN CHART COLUMN model=NAME subset=all -->

RUN and CHART are those of `ivan figure`, COLUMN is one of its CSV (with % where it holds shares and
the text percentages), and each condition picks rows by another column, or makes a choice that the
chart leaves. Conditions with spaces stand in quotes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ivan_core.domain.words import one_line

_TAG = re.compile(r"<!--\s*ivan\s+(.*?)-->", re.DOTALL)
_NUMBER = re.compile(
    r"(<\s?|&lt;\s?)?(?<![\d.,])([+\-−]?)(\d[\d,]*(?:\.\d+)?|\.\d+)(\s?\\?%)?[$*_~)\]\s]*$"
)
_HAIR = Decimal("1e-9")
"""What computers make of a half."""
_LONGEST = 200
_FENCED = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it is written: `below` where it says less than, `percent` where % stands."""

    words: str
    value: Decimal
    below: bool
    percent: bool

    def says(self, value: float) -> bool:
        """Whether this is the value, rounded to as many digits as are written.

        A half may be rounded either way.
        """
        exact = Decimal(repr(value))
        if self.below:
            return exact < self.value
        exponent = self.value.as_tuple().exponent
        half = Decimal((0, (5,), int(exponent) - 1))
        return abs(exact - self.value) <= half + _HAIR

    def as_written(self, value: float) -> str:
        """The value with two digits more."""
        decimals = max(0, -int(self.value.as_tuple().exponent)) + 2
        digits = f"{value:,.{decimals}f}".rstrip("0").rstrip(".")
        return f"{digits}%" if self.percent else digits


@dataclass(frozen=True, slots=True)
class Tag:
    """One comment: the line it stands in, its words, and the number before it, if there is one."""

    line: int
    words: str
    written: Written | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number stands: a column of a chart's numbers, in the rows that conditions pick.

    `percent` says that the column holds shares and the text percentages.
    """

    run: str
    chart: str
    column: str
    percent: bool
    conditions: Mapping[str, str]


def tags(text: str) -> Iterator[Tag]:
    """The tags of a text in their order; what is code is left out."""
    plain = _CODE.sub(_blank, _FENCED.sub(_blank, text))
    for found in _TAG.finditer(plain):
        before = plain[: found.start()].rpartition("\n")[2].rpartition("-->")[2]
        line = plain.count("\n", 0, found.start()) + 1
        yield Tag(line, one_line(found[1], _LONGEST), _written(before))


def place(words: str) -> Place | None:
    """What a tag names; None where it is none."""
    try:
        run, chart, column, *conditions = shlex.split(words)
        by_name = dict(condition.split("=", 1) for condition in conditions)
    except ValueError:  # a word is missing, or an end of quotes, or a "="
        return None
    return Place(run, chart, column.removesuffix("%"), column.endswith("%"), by_name)


def _written(before: str) -> Written | None:
    found = _NUMBER.search(before)
    if found is None:
        return None
    sign = "-" if found[2] in ("-", "−") else ""
    value = Decimal(sign + found[3].replace(",", ""))
    return Written(found[0].strip(" $*_~)]"), value, bool(found[1]), bool(found[4]))


def _blank(found: re.Match[str]) -> str:
    """As many lines, and nothing on them."""
    return re.sub(r"[^\n]", " ", found[0])
