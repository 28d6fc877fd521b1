"""Cells of spreadsheets: text that stays text on the way out, and cells of any origin read back."""

from __future__ import annotations

import io
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NoReturn
from zipfile import BadZipFile, ZipFile

from ivan_core.domain.errors import BadInput

MOST_BYTES = 20 * 2**20
"""What a sheet may weigh; as much as the page lets anybody upload."""
MOST_UNPACKED = 64 * 2**20
_MOST_MEMBERS = 500
_MOST_TAGS = 1_500_000
"""Tags in all cells of a file; what is read of one takes hundreds of bytes."""
_MOST_OTHER_TAGS = 100_000
"""Tags in parts that hold no cells: styles, properties, names."""
_BROKEN_ZIP = (BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error)
_CELLS = ("xl/worksheets/", "xl/sharedStrings")
MOST_ROWS = 10_000
"""Rows with something in them, of all sheets of a file together."""
_MOST_EMPTY_ROWS = 200_000
_MOST_COLUMNS = 120
LONGEST_CELL = 32_767
"""Characters in a cell, counted as spreadsheets do: an emoji is two."""
CUT_MARK = "\n[… cut here: a cell holds no more. Skip this one if you need the rest.]"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_OURS = {"005F", "FFFE", "FFFF"} | {
    f"{code:04X}" for code in range(0x20) if code not in (0x09, 0x0A)
}
_NO_TEXT = re.compile(r"_?x[0-9A-Fa-f]{4}_|[\W_]+")
_TRUTHS = {"=TRUE()": True, "=FALSE()": False}
"""How LibreOffice saves a typed TRUE and FALSE."""
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_NOT_A_WORKBOOK = "Save it as an Excel workbook (.xlsx), all of its sheets, and import that."


def cell_text(text: str) -> str:
    """Text as a cell holds it: control characters escaped as Excel does, and cut with a mark.

    `\\x07` becomes `_x0007_`, and an underscore that would begin such an escape `_x005F_`; half a
    surrogate pair, which is no text, becomes the replacement character.
    """
    escaped = _CONTROL.sub(_escape, text)
    if _cell_length(escaped) <= LONGEST_CELL:
        return escaped
    room = LONGEST_CELL - len(CUT_MARK)
    kept = escaped.encode("utf-16-le")[: 2 * room].decode("utf-16-le", "ignore")
    torn = re.search(r"_(x([0-9A-F]{0,4}))?$", kept)  # an escape that was cut through
    return (kept[: torn.start()] if torn else kept) + CUT_MARK


def plain_text(cell: str) -> str:
    """The text that `cell_text` or a spreadsheet program escaped."""
    return _ESCAPED.sub(
        lambda found: chr(int(found[1], 16)) if found[1].upper() in _OURS else found[0], cell
    )


def same_text(cell: str, text: str) -> bool:
    """Whether a cell still shows a text; programs change spaces and line ends on their way."""
    shown, whole = (_NO_TEXT.sub("", one) for one in (cell, cell_text(text)))
    return shown == whole


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "\N{REPLACEMENT CHARACTER}" if 0xD800 <= code <= 0xDFFF else f"_x{code:04X}_"


def _cell_length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def put_text(cell: Any, text: str) -> Any:
    """Put text into a cell of openpyxl so that it stays text, whatever it begins with."""
    cell.value = cell_text(text)
    cell.data_type = "s"  # a leading = would make it a formula, and #N/A an error
    cell.number_format = "@"
    cell.quotePrefix = True  # it stays text even where somebody edits it
    return cell


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet as it came: the rows with something in them, by their number from 1."""

    title: str
    rows: dict[int, tuple[Any, ...]]

    def at(self, row: int, column: int) -> Any:
        """What stands in a cell, columns counted from 0; None for nothing."""
        cells = self.rows.get(row, ())
        return cells[column] if column < len(cells) else None


class Formula(str):
    """What a cell computes; nobody answered it."""

    __slots__ = ()


def read_grids(data: bytes, name: str = "The file") -> list[Grid]:
    """All sheets of an .xlsx file, which nobody vouches for.

    Raises:
        BadInput: it is something else, damaged, or larger than any sheet that IVAN makes.
    """
    check_package(data, name)
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the reader leaves out, none is an answer
            with closing(load_workbook(io.BytesIO(data), read_only=True, keep_links=False)) as book:
                return list(_grids(book, name))
    except BadInput:
        raise
    except Exception as error:  # the reader raises nearly anything on a file that is not whole
        raise BadInput(f"{name} is damaged: {type(error).__name__}.", _NOT_A_WORKBOOK) from error


def _grids(book: Any, name: str) -> Iterator[Grid]:
    found = seen = 0
    for sheet in book.worksheets:
        rows: dict[int, tuple[Any, ...]] = {}
        nothing = None
        cells = sheet.iter_rows(min_row=1, max_row=2**20, min_col=1, max_col=_MOST_COLUMNS)
        for number, row in enumerate(cells, start=1):
            if row is nothing:  # what stands for the rows that the file leaves out
                continue
            seen += 1
            if seen > _MOST_EMPTY_ROWS:
                _refuse_size(name, "is full of empty rows")
            values = [_value(cell) for cell in row]
            while values and values[-1] is None:
                values.pop()
            if not values:
                nothing = row
            else:
                rows[number] = tuple(values)
                found += 1
                if found > MOST_ROWS:
                    _refuse_size(name, f"has more than {MOST_ROWS:,} rows")
        yield Grid(sheet.title, rows)


def _value(cell: Any) -> Any:
    value = cell.value
    if value is None:
        return None
    if cell.data_type == "f":
        formula = str(getattr(value, "text", None) or value)
        return _TRUTHS.get(formula.upper(), Formula(formula))
    if isinstance(value, str):
        return plain_text(value) if value.strip() else None
    return value


def check_package(data: bytes, name: str) -> None:
    """Refuse what is no workbook, or would unpack to more than one, before anything is read.

    Raises:
        BadInput: it is one of these.
    """
    if len(data) > MOST_BYTES:
        _refuse_size(name, f"weighs more than {MOST_BYTES // 2**20} MiB")
    if not data.startswith(b"PK"):
        raise BadInput(f"{name} is {_kind(data)}.", _NOT_A_WORKBOOK)
    try:
        with ZipFile(io.BytesIO(data)) as packed:
            members = packed.infolist()
            names = [member.filename for member in members]
            if "mimetype" in names or "[Content_Types].xml" not in names:
                raise BadInput(f"{name} is no Excel workbook.", _NOT_A_WORKBOOK)
            if len(members) > _MOST_MEMBERS or len(set(names)) < len(names):
                _refuse_size(name, "has too many parts, or one of them twice")
            if sum(member.file_size for member in members) > MOST_UNPACKED:
                _refuse_size(name, f"would unpack to more than {MOST_UNPACKED // 2**20} MiB")
            # A reader never gives more than the size that a part has announced.
            tags = {True: 0, False: 0}
            for member in members:
                part = packed.read(member)
                tags[member.filename.startswith(_CELLS)] += part.count(b"<")
                if tags[True] > _MOST_TAGS or tags[False] > _MOST_OTHER_TAGS:
                    _refuse_size(name, "has more cells or styles than any sheet")
                if _ENTITIES.search(part.replace(b"\x00", b"")):
                    raise BadInput(
                        f"{name} defines entities, as no spreadsheet does.", _NOT_A_WORKBOOK
                    )
    except (*_BROKEN_ZIP, OSError, ValueError) as error:
        raise BadInput(f"{name} is damaged: {type(error).__name__}.", _NOT_A_WORKBOOK) from error


def _kind(data: bytes) -> str:
    """What a file that is no zip seems to be, as the end of a sentence."""
    if not data:
        return "empty"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "locked with a password, or an old .xls workbook"
    if b"\x00" not in data[:2_000] and (b"," in data or b";" in data or b"\t" in data):
        return "a text file, such as a CSV, which keeps one sheet and loses what names the items"
    return "no Excel workbook"


def _refuse_size(name: str, why: str) -> NoReturn:
    raise BadInput(f"{name} {why}.", "No sheet of IVAN is as large; nothing was read.")
