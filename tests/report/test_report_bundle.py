"""Reports of several runs in a folder: an index with relative links, written last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from given import made_runs

from ivan_core.cli.main import run as command_line
from ivan_core.domain.errors import BadInput
from ivan_core.report.bundle import write_bundle


@pytest.fixture
def two_runs(data_dir: Path) -> list[str]:
    """Finished comparisons of one model, of the first 20 and 30 pairs of the sample."""
    models = ("ivan/minilm-control",)
    return [
        made_runs.finished(data_dir, made_runs.spec_of_sample(models, limit=limit))
        for limit in (20, 30)
    ]


def test_each_run_has_a_file_and_the_index_leads_to_it(
    two_runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "site"
    assert command_line(["report", "--bundle", str(folder), *two_runs, two_runs[0]]) == 0
    names = [f"{run_id}.html" for run_id in two_runs]
    assert sorted(path.name for path in folder.iterdir()) == sorted(["index.html", *names])
    index = (folder / "index.html").read_text("utf-8")
    assert [one for one in re.findall(r'href="([^"]*)"', index) if one[0] != "#"] == names
    assert "<script" not in index and "script-src" not in index
    assert "20 of 480 pairs" in index and "30 of 480 pairs" in index
    assert str(folder / "index.html") in capsys.readouterr().out


def test_without_all_its_runs_nothing_is_written(two_runs: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "site"
    with pytest.raises(BadInput, match="no run"):
        write_bundle(folder, [*two_runs, "1999-01-01-00-00"])
    assert not folder.exists()


def test_a_folder_in_no_folder_is_refused(two_runs: list[str], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no folder"):
        write_bundle(tmp_path / "none" / "site", two_runs)


def test_two_files_for_one_run_are_refused(
    two_runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line(["report", two_runs[0], "a.html", "b.html"]) == 1
    assert "Add --bundle FOLDER for several runs." in capsys.readouterr().err
