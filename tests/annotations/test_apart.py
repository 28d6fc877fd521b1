"""Each stranger writes into a copy of their own, and none of them into what all share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivan_core.annotations import apart
from ivan_core.annotations.notes import Reviews
from ivan_core.domain.reviews import Mark

DATASET = "d" * 16


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr(apart, "_folder", lambda: tmp_path / "copies")
    before = apart._asking
    yield tmp_path / "copies"
    apart.set_asking(before)


def says(who: str, data_dir: Path, note: str) -> None:
    apart.set_asking(lambda: who)
    Reviews(data_dir).save(Mark(DATASET, 0, who or "all", note=note))


def reads(who: str, data_dir: Path) -> list[str]:
    apart.set_asking(lambda: who)
    return [mark.note for mark in Reviews(data_dir).marks(DATASET)]


def test_strangers_see_what_all_said_and_what_they_said(data_dir: Path):
    says("", data_dir, "for all")
    says("one", data_dir, "of one")
    says("two", data_dir, "of two")
    assert sorted(reads("one", data_dir)) == ["for all", "of one"]
    assert sorted(reads("two", data_dir)) == ["for all", "of two"]
    assert reads("three", data_dir) == reads("", data_dir) == ["for all"]


def test_who_only_reads_has_no_copy(data_dir: Path, folder: Path):
    says("", data_dir, "for all")
    assert reads("one", data_dir) == ["for all"]
    assert list(folder.iterdir()) == []


def test_a_copy_can_begin_before_anybody_said_anything(data_dir: Path):
    assert reads("one", data_dir) == []
    says("one", data_dir, "first")
    assert reads("one", data_dir) == ["first"]
    assert reads("two", data_dir) == [] and not (data_dir / "reviews.sqlite").exists()


def test_the_oldest_copies_go_first(data_dir: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(apart, "MOST_KEPT", 2)
    for who in ("one", "two", "three"):
        says(who, data_dir, f"of {who}")
    assert len(list(folder.glob("*.sqlite"))) == 2
    assert reads("one", data_dir) == []
    assert (reads("two", data_dir), reads("three", data_dir)) == (["of two"], ["of three"])


def test_the_copies_of_two_data_folders_are_two(data_dir: Path, tmp_path: Path):
    says("one", data_dir, "here")
    assert reads("one", tmp_path / "other") == []
