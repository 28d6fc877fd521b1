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

_TAG = re.compile(r"<!--\s*ivan\b(.*?)(-->|\Z)", re.DOTALL | re.IGNORECASE)
_SPACE = "\u00a0\u2009\u202f"
"""What may part thousands, as a comma does."""
_NUMBER = re.compile(
    r"(?P<below><\s?|&lt;\s?)?(?<![\d.,])(?P<sign>[+\-−–]|&minus;)?"
    rf"(?P<digits>(?:\d{{1,3}}(?:[,{_SPACE}]\d{{3}})+|\d+)(?:\.\d+)?(?:e[+\-−]?\d+)?|\.\d+)"
    r"(?P<percent>(?:\s|&nbsp;)?\\?%)?[$*_~)\]\s]*$",
    re.IGNORECASE,
)
_HAIR = Decimal("1e-9")
"""What computers make of a half."""
_LONGEST = 200
_FENCE = re.compile(r"[\s>]*(`{3,}|~{3,})(.*)")
_CODE = re.compile(r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")


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
    """One comment: the line it stands in, its words, and the number before it, if there is one.

    One that is not `closed` hides the rest of the text.
    """

    line: int
    words: str
    written: Written | None
    closed: bool = True


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


def tags(text: str, *, markdown: bool = True) -> Iterator[Tag]:
    """The tags of a text in their order; what is code in Markdown is left out."""
    plain = _CODE.sub(_blank, _without_fenced(text)) if markdown else text
    for found in _TAG.finditer(plain):
        before = plain[: found.start()].rpartition("\n")[2].rpartition("-->")[2]
        line = plain.count("\n", 0, found.start()) + 1
        words = one_line(found[1].strip(), _LONGEST)
        yield Tag(line, words, _written(before), bool(found[2]))


def place(words: str) -> Place | None:
    """What a tag names; None where it is none."""
    try:
        run, chart, column, *conditions = shlex.split(words)
        by_name = dict(condition.split("=", 1) for condition in conditions)
        if len(by_name) < len(conditions):
            raise ValueError("a condition is there twice")
    except ValueError:  # a word is missing, or an end of quotes, or a "="
        return None
    return Place(run, chart, column.removesuffix("%"), column.endswith("%"), by_name)


def _written(before: str) -> Written | None:
    found = _NUMBER.search(before)
    if found is None:
        return None
    sign = "" if found["sign"] in (None, "+") else "-"
    digits = re.sub(f"[,{_SPACE}]", "", found["digits"]).replace("−", "-")
    words = found[0].strip(" $*_~)]")
    return Written(words, Decimal(sign + digits), bool(found["below"]), bool(found["percent"]))


def _without_fenced(text: str) -> str:
    """As many lines, those of fenced code empty; a fence that nothing closes goes to the end."""
    lines, fence = [], ""
    for line in text.split("\n"):
        found = _FENCE.fullmatch(line.rstrip())
        if fence:
            closes = found is not None and found[1].startswith(fence) and not found[2].strip()
            fence = "" if closes else fence
            lines.append("")
            continue
        if found is not None and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
            line = ""
        lines.append(line)
    return "\n".join(lines)


def _blank(found: re.Match[str]) -> str:
    """As many lines, and nothing on them."""
    return re.sub(r"[^\n]", " ", found[0])
