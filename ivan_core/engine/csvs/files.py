"""CSV files of results that were made elsewhere: sorted by what they hold, entered as runs."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.pairs import USUAL
from ivan_core.domain.specs import DatasetRequest, RowsSpec
from ivan_core.domain.transcripts import text_hash
from ivan_core.domain.words import number_of
from ivan_core.engine import access, archive
from ivan_core.engine.imports import (
    Came,
    Elsewhere,
    Imported,
    check_file_name,
    enter,
    located,
    named_dataset,
)
from ivan_core.engine.kind import experiments
from ivan_core.engine.opened import STUDY

Part = Literal["results", "beside"]
"""Whether a file holds results of its own, or goes with one that does."""
_LONGEST_HEADER = 100_000
_MOST_BYTES = 2**30
_STARTED = re.compile(r"(\d{4}-\d\d-\d\d-\d\d-\d\d(?:-\d\d)?)(?:-(.+))?")
_LONGEST_NAME = 150
"""Bytes of the name of who judged: files are called by it, and no file's name has over 255."""
_LATEST = 2**32
"""The last second that a run can have begun in; those of zips have the same bound."""
_FAILED = "-failed"
_CUT = "Write the file again: it may be cut."
TRUE, FALSE = ("true", "1", "1.0"), ("false", "0", "0.0")
_LONGEST_ROW_ID = 12
_MOST_NAMED = 5
_NONE_ENTERED = "Nothing was imported: files of one study enter together or not at all."
_File = TypeVar("_File")
_Read = TypeVar("_Read")
csv.field_size_limit(2**27)


@dataclass(frozen=True, slots=True)
class Given:
    """The files of one kind, and on what: `names` are those of who judged, by the files.

    `force` leaves rows aside that would else be refused. `before` are the runs that were read of
    files of other kinds in the same command: comparisons come first.
    """

    paths: Sequence[Path]
    dataset: PreparedDataset
    request: DatasetRequest
    names: Mapping[Path, str]
    force: bool
    before: Sequence[FromCsv] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a CSV file: the number of that on which it begins, and its cells by their columns.

    A column that the file lacks is empty.
    """

    path: Path
    number: int
    cells: Mapping[str, str]

    def cell(self, column: str) -> str:
        return self.cells.get(column, "").strip()

    def wrong(self, why: str, hint: str = "") -> BadInput:
        return BadInput(f"{self.path.name}, line {self.number}: {why}", hint)

    @property
    def row_id(self) -> int:
        """The row that it is about. Raises BadInput if none is meant."""
        text = self.cell("row_id").removesuffix(".0")
        if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ROW_ID):
            raise self.wrong("no row id, which is a whole number from 0.")
        return int(text)

    def yes(self, column: str) -> bool | None:
        """What a cell of True or False says; None where it is neither."""
        text = self.cell(column).lower()
        return text in TRUE if text in TRUE + FALSE else None


@dataclass(frozen=True, slots=True)
class FromCsv:
    """A run that was read of files and is still to be entered: what it was asked, what came of it.

    `names` are those by which the files are imported once more, and `manifest` says what is its
    kind's own.
    """

    files: Sequence[Path]
    names: Sequence[str]
    spec: RowsSpec
    came: Came
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CsvFiles:
    """How runs of a kind are read from CSV files.

    `part` tells by its header what a file is; `begins` how such a header begins, for a sentence.
    """

    begins: str
    part: Callable[[list[str]], Part | None]
    read: Callable[[Given], list[FromCsv]]


def import_csvs(
    paths: Sequence[Path], dataset: DatasetRequest, names: Sequence[str] = (), force: bool = False
) -> list[Imported]:
    """Enter the CSV files of one study as finished runs, all or none. Nothing is computed.

    Files of scores are one comparison; each file of labels or of rewordings is a run of its own.
    All are joined to the dataset by row and side, and are one study: that of all rows that any of
    them holds. `names` say who judged, labelled or reworded, in the order of the files with
    results; by default the files' own names do. `force` leaves rows of other texts aside.

    Raises:
        BadInput: files are of no such kind or do not fit the dataset (all such files are named),
            the dataset has not been read here, or names and files do not go together.
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.IMPORT)
    found = named_dataset(dataset)
    kinds: dict[str, CsvFiles] = {
        kind.name: kind.transfer.csvs()
        for kind in experiments()
        if kind.transfer is not None and kind.transfer.csvs is not None
    }
    of_kind, results, refused = _sorted(paths, kinds)
    if names and len(names) != len(results):
        raise BadInput(
            f"{len(results)} files with results and {len(names)} names were given.",
            "Give one name a file with results, in their order, or none.",
        )
    for name in names:
        _check_name(name)
    named = dict(zip(results, names, strict=True)) if names else {}
    read: list[FromCsv] = []
    for kind in (one for one in kinds if one in of_kind):
        given = Given(of_kind[kind], found, located(dataset), named, force, tuple(read))
        try:
            read += kinds[kind].read(given)
        except BadInput as error:
            refused.append(error)
    if refused:
        raise _together(refused, of=len(paths))
    return _all_entered(read, found)


class _Refused(BadInput):
    """Several files that do not fit."""

    def __init__(self, errors: Sequence[BadInput]) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = tuple(errors)


def each(files: Iterable[_File], read: Callable[[_File], _Read]) -> list[_Read]:
    """What is read of each file.

    Raises:
        BadInput: some cannot be read; of several it tells of all.
    """
    found: list[_Read] = []
    refused: list[BadInput] = []
    for one in files:
        try:
            found.append(read(one))
        except BadInput as error:
            refused.append(error)
    if refused:
        raise refused[0] if len(refused) == 1 else _Refused(refused)
    return found


def _together(refused: Sequence[BadInput], of: int) -> BadInput:
    """One error that tells of all files that do not fit, of so many that were given."""
    errors = [each for one in refused for each in getattr(one, "errors", (one,))]
    if of == 1:
        return errors[0]
    messages = dict.fromkeys(error.message for error in errors)
    hints = dict.fromkeys(error.hint for error in errors if error.hint)
    return BadInput(" ".join(messages), " ".join([*hints, _NONE_ENTERED]))


def _all_entered(read: Sequence[FromCsv], dataset: PreparedDataset) -> list[Imported]:
    """Enter runs as one study; where one cannot be, those before it go again."""
    rows = [_rows(one.spec) for one in read]
    every = None if None in rows else frozenset().union(*(own for own in rows if own is not None))
    if every is not None and len(every) == dataset.rows:
        every = None
    study = {"row_ids": None if every is None else sorted(every)}
    entered: list[Imported] = []
    try:
        for one, own in zip(read, rows, strict=True):
            beyond = {} if own == every else {STUDY: study}
            entered.append(_entered(one, dataset, beyond))
    except BaseException:
        for before in entered:
            with suppress(IvanError):
                archive.delete(before.run_id)
        raise
    return entered


def _rows(spec: RowsSpec) -> frozenset[int] | None:
    """The rows of a run that was read of files; None for all of the dataset."""
    return None if spec.row_ids is None else frozenset(spec.row_ids)


def _entered(one: FromCsv, dataset: PreparedDataset, beyond: Mapping[str, Any]) -> Imported:
    created, run_id = _started(one.files)
    manifest = {
        **beyond,
        "seed": one.spec.seed,
        "random_sample": one.spec.row_ids is None,
        **one.manifest,
        "imported": {"files": [path.name for path in one.files], "names": list(one.names)},
    }
    return enter(Elsewhere(one.spec, dataset, one.came, manifest, created, time.time(), run_id))


def _check_name(name: str) -> None:
    """Refuse a name by which no file can be called; an empty one is left to the file's own name."""
    readable = name.isprintable() and (name.strip() or not name)
    if not readable or len(name.encode()) > _LONGEST_NAME:
        raise BadInput(
            f"{name[:40]!r} can name nobody.",
            f"A name is one line of at most {_LONGEST_NAME} letters that can be read.",
        )


def _sorted(
    paths: Sequence[Path], kinds: Mapping[str, CsvFiles]
) -> tuple[dict[str, list[Path]], list[Path], list[BadInput]]:
    """The files by their kinds, those with results in their order, and what is none of them."""
    of_kind: dict[str, list[Path]] = {}
    results: list[Path] = []
    refused: list[BadInput] = []
    for path in dict.fromkeys(paths):
        try:
            header = header_of(path)
        except BadInput as error:
            refused.append(error)
            continue
        for kind, csvs in kinds.items():
            part = csvs.part(header)
            if part is None:
                continue
            of_kind.setdefault(kind, []).append(path)
            if part == "results":
                results.append(path)
            break
        else:
            begins = "; or ".join(csvs.begins for csvs in kinds.values())
            refused.append(
                BadInput(
                    f"{path.name} is no scores of a comparison, no labels and no rewordings.",
                    "It holds pairs: give it as the dataset of a comparison."
                    if set(USUAL.needed) <= set(header)
                    else f"Its first line should begin {begins}.",
                )
            )
    if not results and not refused:
        raise BadInput(
            "None of these files holds results.",
            "Give the files of scores, labels or rewordings themselves.",
        )
    return of_kind, results, refused


def header_of(path: Path) -> list[str]:
    """The names of the columns of a CSV file. Raises BadInput as `lines_of`."""
    with _opened(path) as file:
        line = file.readline(_LONGEST_HEADER)
    return [name.strip() for name in next(csv.reader([line]), [])]


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of a CSV file, without empty ones.

    Raises:
        BadInput: it is no whole CSV file in UTF-8, or two columns have one name.
    """
    header, lines = rows_of_file(path)
    for number, fields in lines:
        yield Line(path, number, dict(zip(header, fields, strict=True)))


def rows_of_file(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The names of the columns of a CSV file; its lines with their numbers, without empty ones.

    Raises:
        BadInput: as `lines_of`, also while lines are read.
    """
    lines = _numbered(path)
    _, header = next(lines)
    return header, lines


def _numbered(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The names of the columns, and then the lines."""
    number = 1
    with _opened(path) as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            named = [name for name in header if name]
            if len(set(named)) < len(named):
                raise BadInput(f"{path.name} has two columns of one name.", "Rename one.")
            yield number, header
            number = reader.line_num + 1
            for fields in reader:
                if fields and len(fields) != len(header):
                    raise BadInput(
                        f"{path.name}, line {number}: {number_of(len(fields), 'field')} where the "
                        f"header has {len(header)}.",
                        _CUT,
                    )
                if fields:
                    yield number, fields
                number = reader.line_num + 1
        except csv.Error as error:
            raise BadInput(
                f"{path.name} is no whole CSV file from line {number} on.", _CUT
            ) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """A file to read as CSV. Raises BadInput where it is none, or holds no text in UTF-8."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Check the path.")
    check_file_name(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadInput(f"{path.name} is larger than a GiB.", "No run is as large.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path.name} is no CSV file in UTF-8.", "Save it again as UTF-8."
        ) from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}).", "Check it.") from error


def with_beside(
    paths: Sequence[Path], part: Callable[[list[str]], Part | None], what: str
) -> list[tuple[Path, Path | None]]:
    """Each file with results, and the one beside it that lists what failed; `what` names them.

    Raises:
        BadInput: a file of what failed goes with none of the others.
    """
    parts = {path: part(header_of(path)) for path in paths}
    results = [path for path, one in parts.items() if one == "results"]
    left = [path for path, one in parts.items() if one == "beside"]
    found: dict[Path, Path] = {}
    for anywhere in (False, True):  # two folders may hold files of one name
        for path in results:
            fits = (one for one in left if one.stem == f"{path.stem}{_FAILED}")
            other = next((one for one in fits if anywhere or one.parent == path.parent), None)
            if other is not None and path not in found:
                found[path] = other
                left.remove(other)
    if left:
        name = min(path.name for path in left)
        raise BadInput(
            f"{name} lists what failed, and no file of {what} goes with it.",
            f"Give {name.replace(_FAILED, '')} too.",
        )
    return [(path, found.get(path)) for path in results]


def same_text(read: str, own: str) -> bool:
    """Whether a text of a file is the dataset's, as it is written to files."""
    return read == own or text_hash(read) == text_hash(own.encode("utf-8", "replace").decode())


def of_others(path: Path, lines: Sequence[int], dataset: PreparedDataset) -> BadInput:
    """The refusal of a file some of whose lines are about other texts."""
    named = ", ".join(str(line) for line in lines[:_MOST_NAMED])
    more = ", …" if len(lines) > _MOST_NAMED else ""
    return BadInput(
        f"{path.name}: {number_of(len(lines), 'line')} (line {named}{more}) with another text than "
        f"{dataset.about['label']} has there, or with none.",
        "Name the dataset that they are about, or leave these lines aside (--force).",
    )


def _started(paths: Sequence[Path]) -> tuple[float, str]:
    """When a run began, by the name of the first file that says so, and its id; else now."""
    for match in filter(None, (_STARTED.fullmatch(path.stem) for path in paths)):
        parts = [int(part) for part in match[1].split("-")]
        with suppress(ValueError):
            moment = datetime(*parts[:6], tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]
            if 0 <= moment <= _LATEST:
                return moment, match[1]
    return time.time(), ""


def name_of(path: Path, ending: str = "") -> str:
    """Who judged or labelled, by the file's name: what stands after the time in it."""
    match = _STARTED.fullmatch(path.stem)
    name = path.stem if match is None else match[2] or ""
    own = name.removesuffix(ending) or path.stem
    return own.encode()[:_LONGEST_NAME].decode(errors="ignore")


def rows_note(rows: int, of: int) -> list[str]:
    """What a reader should know of a file that does not hold all rows."""
    if rows == of:
        return []
    return [f"{rows:,} of {of:,} pairs: those that the files hold, perhaps not at random."]
