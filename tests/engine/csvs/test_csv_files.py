"""Lines of CSV files: read by one reader, counted in one way, each fault one sentence."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivan_core.domain.errors import BadInput
from ivan_core.engine.csvs.files import Line, Part, header_of, lines_of, with_beside


def file_of(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    return path


def numbers(path: Path) -> list[int]:
    return [line.number for line in lines_of(path)]


@pytest.fixture
def few_letters() -> Iterator[None]:
    """Cells of at most a hundred letters, in place of so many that no test could hold them."""
    before = csv.field_size_limit(100)
    yield
    csv.field_size_limit(before)


def test_a_line_is_named_by_the_number_on_which_it_begins(tmp_path: Path) -> None:
    path = file_of(tmp_path, b'row_id,text\n0,"a\n\nb"\n1,c\n\n\n2,"d\re"\n3,f\n')
    # The second text has three lines, two empty lines follow the third, and the fourth has two.
    assert numbers(path) == [2, 5, 8, 10]
    assert [line.cells["text"] for line in lines_of(path)] == ["a\n\nb", "c", "d\re", "f"]
    assert [line.row_id for line in lines_of(path)] == [0, 1, 2, 3]


def test_a_byte_order_mark_and_other_line_ends_count_for_nothing(tmp_path: Path) -> None:
    path = file_of(tmp_path, b'\xef\xbb\xbf row_id ,text\r\n7.0,"a\r\nb"\r\n8,c')
    assert header_of(path) == ["row_id", "text"]
    assert numbers(path) == [2, 4]
    assert [(line.row_id, line.cells["text"]) for line in lines_of(path)] == [
        (7, "a\r\nb"),
        (8, "c"),
    ]


def test_a_nul_is_a_character_as_any_other_and_no_number(tmp_path: Path) -> None:
    first, second = lines_of(file_of(tmp_path, b"row_id,text\n1,a\0b\n1\0,c\n"))
    assert (first.row_id, first.cells["text"]) == (1, "a\0b")
    with pytest.raises(BadInput, match=r"^a.csv, line 3: no row id"):
        _ = second.row_id


@pytest.mark.parametrize(
    ("content", "words", "hint"),
    [
        (b"row_id,a\n1,\xff\n", "a.csv is no CSV file in UTF-8.", "Save it again as UTF-8."),
        ("row_id,a\n".encode("utf-16"), "a.csv is no CSV file in UTF-8.", "Save it again"),
        (b"row_id,row_id\n", "a.csv has two columns of one name.", "Rename one."),
        (b'row_id,a\n1,"x\ny"\n2\n', "a.csv, line 4: 1 field where the header has 2.", "cut"),
        (b'row_id,a\n1,x\n2,"y\nz\n', "a.csv is no whole CSV file from line 3 on.", "cut"),
        (b'row_id,a\n1,"x"y\n', "a.csv is no whole CSV file from line 2 on.", "cut"),
        (b"row_id,a\n1,%b\n" % (b"x" * 101), "a.csv is no whole CSV file from line 2 on.", "cut"),
    ],
)
@pytest.mark.usefixtures("few_letters")
def test_a_file_that_is_no_whole_csv_is_a_sentence(
    tmp_path: Path, content: bytes, words: str, hint: str
) -> None:
    path = file_of(tmp_path, content)
    with pytest.raises(BadInput) as told:
        list(lines_of(path))
    assert told.value.message == words and hint in told.value.hint


def test_an_empty_file_has_no_columns_and_no_lines_and_one_that_is_not_there_is_named(
    tmp_path: Path,
) -> None:
    path = file_of(tmp_path, b"")
    assert header_of(path) == [] and numbers(path) == []
    path.unlink()
    with pytest.raises(BadInput, match="There is no file"):
        header_of(path)


@pytest.mark.parametrize(
    ("cell", "said"),
    [("True", True), (" false ", False), ("1", True), ("0.0", False), ("", None), ("yes", None)],
)
def test_true_and_false_are_read_however_they_are_written(cell: str, said: bool | None) -> None:
    line = Line(Path("a.csv"), 2, {"agreement": cell})
    assert line.yes("agreement") is said and line.yes("other") is None


def test_a_spreadsheet_may_leave_columns_without_a_name(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"row_id,text,,\r\n0,a,,\r\n1,b,,\r\n")
    assert [(line.row_id, line.cell("text")) for line in lines_of(path)] == [(0, "a"), (1, "b")]


def test_what_failed_goes_with_the_file_of_its_own_folder(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / "x.csv").write_text("row_id,score\n1,2\n")
        (folder / "x-failed.csv").write_text("row_id,reason\n0,empty\n")
    scores = [folder / "x.csv" for folder in (first, second)]
    beside = [folder / "x-failed.csv" for folder in (first, second)]
    assert with_beside([*scores, *beside], _part, "scores") == [*zip(scores, beside, strict=True)]
    assert with_beside([*scores, beside[1]], _part, "scores") == [
        (scores[0], None),
        (scores[1], beside[1]),
    ]
    assert with_beside([scores[0], beside[1]], _part, "scores") == [(scores[0], beside[1])]
    with pytest.raises(BadInput, match="lists what failed"):
        with_beside([scores[0], *beside], _part, "scores")


def _part(header: list[str]) -> Part | None:
    return "beside" if "reason" in header else "results"
