"""`ivan review export|import`, as it is typed: what it writes, says and returns."""

from __future__ import annotations

import io

import pytest
from given.filled_sheets import Filled, better
from openpyxl import load_workbook

from ivan_core.annotations.opinions import Opinions
from ivan_core.cli.main import run


@pytest.fixture
def queue(data_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return better(data_dir)


def test_a_sheet_goes_out_is_filled_in_and_comes_back(data_dir, tmp_path, queue, capsys):
    assert run(["review", "export", str(queue.id)]) == 0
    path = tmp_path / f"queue-{queue.id}.xlsx"
    assert path.name in capsys.readouterr().out
    filled = Filled(path.read_bytes())
    path.write_bytes(filled.put(0, which="A").bytes())
    assert run(["review", "import", path.name]) == 0
    told = capsys.readouterr().out
    assert told == (
        f"{path.name}\n  Ada on “Which one?”: 1 new, 0 changed, 0 as before.\n  3 left empty.\n"
    )
    assert len(Opinions(data_dir).all(queue.id)) == 1


def test_a_file_that_may_hold_answers_is_not_overwritten(tmp_path, queue, capsys):
    assert run(["review", "export", str(queue.id), "ada.xlsx", "--for", "Ada"]) == 0
    before = (tmp_path / "ada.xlsx").read_bytes()
    assert load_workbook(io.BytesIO(before))["Start here"]["B3"].value == "Ada"
    assert run(["review", "export", str(queue.id), "ada.xlsx"]) == 1
    assert "ada.xlsx is there already" in capsys.readouterr().err
    assert (tmp_path / "ada.xlsx").read_bytes() == before
    assert run(["review", "export", str(queue.id), "no/such.xlsx"]) == 1
    assert run(["review", "export", "99"]) == 1
    assert "There is no queue 99." in capsys.readouterr().err


def test_of_several_sheets_those_that_are_right_come_in(data_dir, tmp_path, queue, capsys):
    (tmp_path / "ada.xlsx").write_bytes(Filled(queue).put(0, which="A").bytes())
    (tmp_path / "bob.xlsx").write_bytes(Filled(queue, "Bob").put(0, which="both").bytes())
    (tmp_path / "cyd.csv").write_bytes(b"Item,Which reply is better?\n")
    assert run(["review", "import", "bob.xlsx", "cyd.csv", "ada.xlsx"]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("ada.xlsx\n  Ada on")
    assert "bob.xlsx: nothing was imported.\n  Answers!E2 says “both”" in told.err
    assert "cyd.csv is a text file, such as a CSV" in told.err
    assert "2 of 3 sheets were not imported." in told.err
    assert [one.reviewer for one in Opinions(data_dir).all(queue.id)] == ["Ada"]


def test_good_rows_of_a_sheet_are_taken_when_asked_for(data_dir, tmp_path, queue, capsys):
    data = Filled(queue).put(0, which="A").put(1, which="both").bytes()
    (tmp_path / "ada.xlsx").write_bytes(data)
    assert run(["review", "import", "ada.xlsx"]) == 1
    assert "1 of its rows is right: --good-rows takes them." in capsys.readouterr().err
    assert run(["review", "import", "ada.xlsx", "--good-rows"]) == 0
    told = capsys.readouterr().out
    assert "1 new" in told and "Left out: row 3." in told and "Answers!E3 says “both”" in told
    assert len(Opinions(data_dir).all(queue.id)) == 1


def test_replacing_is_asked_for(data_dir, tmp_path, queue, capsys):
    filled = Filled(queue)
    (tmp_path / "ada.xlsx").write_bytes(filled.put(0, which="A").bytes())
    run(["review", "import", "ada.xlsx"])
    later = Filled(queue)
    (tmp_path / "later.xlsx").write_bytes(later.put(0, which="can't tell").bytes())
    run(["review", "import", "later.xlsx"])
    capsys.readouterr()
    assert run(["review", "import", "ada.xlsx"]) == 0
    assert "1 kept as they are" in capsys.readouterr().out
    assert run(["review", "import", "ada.xlsx", "--replace"]) == 0
    assert "0 new, 1 changed" in capsys.readouterr().out
