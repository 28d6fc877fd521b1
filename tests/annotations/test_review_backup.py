"""One file with all that people said: out of one kind of database, into another, or not at all."""

from __future__ import annotations

import json
import stat
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fakes.postgres_server import PostgresServer

from ivan_core.annotations.backup import TABLES, restore_backup, write_backup
from ivan_core.annotations.database import DATABASE_URL, ReviewDatabase
from ivan_core.annotations.notes import Reviews
from ivan_core.annotations.opinions import Decisions, Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.cli.main import run
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.reviews import Decision, Item, Mark, Opinion, Queue

DATA = "d" * 16
HOSTILE = '<b>x</b> "quoted" \\ =1+1 \U0001f600 ‮ \n second line'


def fill(data_dir: Path) -> Queue:
    """Say something of every kind."""
    reviews, opinions = Reviews(data_dir), Opinions(data_dir)
    note = reviews.save(Mark(DATA, 1, "Ada", note=HOSTILE))
    reviews.save(replace(note, starred=True))
    reviews.guess(DATA, 1, "Ada", "A", "rejected")
    asked = Queue(
        0, "", DATA, "Starred\x1b", "describe", "starred", keys=("topics",), assigned="Ada"
    )
    queue = Queues(data_dir).make(asked, [(4, "chosen"), (2, "rejected")], [(9, "chosen")])
    kept = opinions.save(
        Opinion(queue.id, 4, "chosen", "Ada", {"topics": ("food", "law")}, seconds=1 / 3)
    )
    opinions.save(replace(kept, answers={"topics": None}, note="can't tell"), reason="second look")
    opinions.save(Opinion(queue.id, 2, "rejected", "Ada", skipped=True))
    Decisions(data_dir).settle(Decision(queue.id, 4, "chosen", "topics", ("law",), "Owner", "why"))
    return queue


FILLED = {
    "marks": 1,
    "history": 2,
    "guesses": 1,
    "queues": 2,
    "items": 3,
    "opinions": 2,
    "changes": 3,
    "decisions": 1,
}


def everything(data_dir: Path) -> dict[str, list[tuple[Any, ...]]]:
    with ReviewDatabase(data_dir).reading() as db:
        return {
            table.name: sorted(tuple(row) for row in db.execute(table.select()).all())
            for table in TABLES
        }


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_a_backup_of_either_database_is_restored_whole_into_either(
    review_database: Path,
    target: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = fill(review_database)
    before = everything(review_database)
    assert {name: len(rows) for name, rows in before.items()} == FILLED
    written = write_backup(review_database, tmp_path / "all.zip")
    assert written.rows == FILLED
    assert written.words == (
        "1 note or star, 1 guess, 2 queues, 2 opinions, 3 changes of them, 1 decision"
    )
    new = tmp_path / "new"
    if target == "sqlite":
        monkeypatch.delenv(DATABASE_URL, raising=False)
    else:
        server = request.getfixturevalue("postgres_server")
        monkeypatch.setenv(DATABASE_URL, server.database())
    assert restore_backup(new, tmp_path / "all.zip") == written
    assert everything(new) == before
    later = Queues(new).make(Queue(0, "", DATA, "Next", "better", "random"), [(1, "both")])
    assert later.id > queue.id
    Reviews(new).guess(DATA, 2, "Ada", "B", "chosen")
    assert [guess.row_id for guess in Reviews(new).guesses(DATA)] == [1, 2]
    kept = Opinions(new).of(Item(queue.id, 0, 4, "chosen"), "Ada")
    assert Opinions(new).save(replace(kept, note="goes on")).version == 3


@pytest.mark.parametrize("said", ["note", "queue"])
def test_a_database_in_which_anything_was_said_is_refused_and_stays(
    review_database: Path, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.delenv(DATABASE_URL, raising=False)
        fill(tmp_path / "old")
        write_backup(tmp_path / "old", tmp_path / "all.zip")
    if said == "note":
        Reviews(review_database).save(Mark(DATA, 7, "Bob", starred=True))
    else:
        asked = Queue(0, "", DATA, "Q", "better", "random")
        Queues(review_database).make(asked, [(1, "both")])
    before = everything(review_database)
    with pytest.raises(BadInput, match="holds reviews already: ") as refused:
        restore_backup(review_database, tmp_path / "all.zip")
    assert "Nothing is merged or overwritten." in refused.value.hint
    assert everything(review_database) == before


def test_a_backup_is_never_overwritten_and_is_for_the_owners_eyes(data_dir, tmp_path):
    fill(data_dir)
    path = tmp_path / "all.zip"
    write_backup(data_dir, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_bytes()
    with pytest.raises(BadInput, match="exists already"):
        write_backup(data_dir, path)
    assert path.read_bytes() == first
    with pytest.raises(BadInput, match="There is no folder"):
        write_backup(data_dir, tmp_path / "nowhere" / "all.zip")
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["all.zip"]


def test_a_backup_that_cannot_be_finished_leaves_no_file(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE_URL, "postgresql://ivan@127.0.0.1:1/reviews")
    with pytest.raises(BackendUnavailable):
        write_backup(data_dir, tmp_path / "all.zip")
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    fill(tmp_path / "old")
    path = tmp_path / "all.zip"
    write_backup(tmp_path / "old", path)
    return path


def rewritten(backup: Path, name: str, change: Any, honest: bool = True) -> Path:
    """The backup with one member changed; an honest one's manifest tells the new hash."""
    with zipfile.ZipFile(backup) as archive:
        members = {one: archive.read(one) for one in archive.namelist()}
    members[name] = change(members[name])
    table = name.partition(".")[0]
    if honest:
        manifest = json.loads(members["manifest.json"])
        manifest["tables"][table] = {
            "rows": members[name].count(b"\n"),
            "sha256": sha256(members[name]).hexdigest(),
        }
        members["manifest.json"] = json.dumps(manifest).encode()
    path = backup.with_name("changed.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for one, content in members.items():
            archive.writestr(one, content)
    return path


def edited(**fields: Any) -> Any:
    def change(content: bytes) -> bytes:
        first, *others = content.splitlines(keepends=True)
        return b"".join([json.dumps(json.loads(first) | fields).encode() + b"\n", *others])

    return change


def told(**fields: Any) -> Any:
    return lambda content: json.dumps(json.loads(content) | fields).encode()


@pytest.mark.parametrize(
    ("name", "change", "honest", "says"),
    [
        ("opinions.jsonl", lambda c: c[: len(c) // 2], False, "cannot be read|what was written"),
        ("opinions.jsonl", lambda c: c.splitlines(True)[0], False, "is not what was written"),
        ("marks.jsonl", lambda c: c.replace(b"Ada", b"Bob"), False, "is not what was written"),
        ("marks.jsonl", lambda c: c + c, True, "two of its rows are the same"),
        ("marks.jsonl", edited(row_id="1"), True, "row_id in marks.jsonl is no int"),
        ("marks.jsonl", edited(row_id=2**31), True, "row_id in marks.jsonl is no int"),
        ("marks.jsonl", edited(starred=1), True, "starred in marks.jsonl is no bool"),
        ("marks.jsonl", edited(mood="glad"), True, "has other columns"),
        ("marks.jsonl", lambda c: b"[]\n", True, "has other columns"),
        ("decisions.jsonl", lambda c: b"{", True, "cannot be read"),
        ("manifest.json", lambda c: b"{", False, "manifest cannot be read"),
        ("manifest.json", told(tables={}), False, "does not name the tables"),
        ("manifest.json", lambda c: b"{}", False, "no backup of reviews"),
        ("manifest.json", told(layout=99), False, "newer IVAN"),
        ("manifest.json", told(format=99), False, "newer IVAN"),
    ],
)
def test_a_damaged_or_foreign_backup_is_refused_whole(
    backup: Path, name: str, change: Any, honest: bool, says: str, data_dir: Path
) -> None:
    with pytest.raises(BadInput, match=says):
        restore_backup(data_dir, rewritten(backup, name, change, honest))
    assert not any(everything(data_dir).values())


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.98])
def test_a_backup_that_was_cut_is_refused_whole(backup: Path, kept: float, data_dir: Path) -> None:
    content = backup.read_bytes()
    end = kept if isinstance(kept, int) else int(len(content) * kept)
    backup.write_bytes(content[:end])
    with pytest.raises(BadInput, match="damaged"):
        restore_backup(data_dir, backup)
    assert not any(everything(data_dir).values())


def test_a_backup_with_a_flipped_bit_is_refused_or_whole(backup: Path, tmp_path: Path) -> None:
    """At 40 places in the file: either all is restored as it was, or nothing."""
    content, before = backup.read_bytes(), everything(tmp_path / "old")
    refused = 0
    for number in range(40):
        place = number * len(content) // 40
        flipped = bytearray(content)
        flipped[place] ^= 0x10
        backup.write_bytes(flipped)
        folder = tmp_path / f"new-{number}"
        try:
            restore_backup(folder, backup)
        except BadInput:
            refused += 1
            assert not any(everything(folder).values())
        else:
            assert everything(folder) == before
    assert refused > 20


def test_what_only_one_database_can_keep_is_replaced(
    postgres: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes of an older IVAN could hold a null byte, which PostgreSQL cannot."""
    with monkeypatch.context() as elsewhere:
        elsewhere.delenv(DATABASE_URL)
        Reviews(tmp_path / "old").save(Mark(DATA, 1, "Ada", note="x"))
        with ReviewDatabase(tmp_path / "old").writing() as db:
            db.exec_driver_sql("UPDATE marks SET note = ?", ("a\0b",))
        write_backup(tmp_path / "old", tmp_path / "all.zip")
    restore_backup(data_dir, tmp_path / "all.zip")
    assert Reviews(data_dir).mark(DATA, 1, "Ada").note == "a\N{REPLACEMENT CHARACTER}b"


def test_a_column_that_an_older_backup_lacks_has_its_default(backup: Path, data_dir: Path) -> None:
    def without_seconds(content: bytes) -> bytes:
        rows = [json.loads(line) for line in content.splitlines()]
        return b"".join(
            json.dumps({k: v for k, v in row.items() if k != "seconds"}).encode() + b"\n"
            for row in rows
        )

    restore_backup(data_dir, rewritten(backup, "opinions.jsonl", without_seconds))
    assert {one.seconds for one in Opinions(data_dir).all(2)} == {0.0}


def test_queues_of_an_older_backup_do_not_tell_the_choice(backup: Path, data_dir: Path) -> None:
    def without_tells(content: bytes) -> bytes:
        rows = [json.loads(line) for line in content.splitlines()]
        return b"".join(
            json.dumps({k: v for k, v in row.items() if k != "tells"}).encode() + b"\n"
            for row in rows
        )

    restore_backup(data_dir, rewritten(backup, "queues.jsonl", without_tells))
    assert {queue.tells for queue in Queues(data_dir).all()} == {False}


def test_a_server_that_dies_while_reviews_are_restored_keeps_none_of_them(
    backup: Path,
    postgres_server: PostgresServer,
    postgres: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ivan_core.annotations import backup as module

    restore_table = module._restore_table

    def die_half_way(db: Any, table: Any, archive: Any, facts: Any) -> int:
        if table.name == "opinions":
            postgres_server.stop()
        return restore_table(db, table, archive, facts)

    monkeypatch.setattr(module, "_restore_table", die_half_way)
    with pytest.raises(BackendUnavailable):
        restore_backup(data_dir, backup)
    postgres_server.start()
    assert not any(everything(data_dir).values())
    monkeypatch.setattr(module, "_restore_table", restore_table)
    assert restore_backup(data_dir, backup).rows == FILLED


def test_the_commands_say_what_they_did(
    review_database: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run(["review", "queues"]) == 0
    assert capsys.readouterr().out == "No queues yet. Make one on the page Review.\n"
    fill(review_database)
    Queues(review_database).close(2)
    assert run(["review", "queues"]) == 0
    assert capsys.readouterr().out == (
        "   2  Starred? | describe, starred | 0 of 2 have 2 | 1 opinion | for Ada | closed\n"
        "   1  Starred?: first items | describe, random | 0 of 1 have 2 | 0 opinions | for Ada"
        " | closed\n"
    )
    path = tmp_path / "all.zip"
    assert run(["review", "backup", str(path)]) == 0
    words = "1 note or star, 1 guess, 2 queues, 2 opinions, 3 changes of them, 1 decision"
    assert capsys.readouterr().out == f"Wrote {words} to {path}.\n"
    assert run(["review", "backup", str(path)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert run(["review", "restore", str(path)]) == 1
    assert "Nothing is merged or overwritten" in capsys.readouterr().err
    monkeypatch.delenv(DATABASE_URL, raising=False)
    monkeypatch.setenv("IVAN_DATA_DIR", str(tmp_path / "new"))
    assert run(["review", "restore", str(path)]) == 0
    target = tmp_path / "new" / "reviews.sqlite"
    assert capsys.readouterr().out == f"Restored {words} into {target}.\n"
    assert run(["review", "restore", str(tmp_path / "none.zip")]) == 1
    assert "There is no file" in capsys.readouterr().err
