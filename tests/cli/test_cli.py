"""The command line: options, exit codes, output, and how little it loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ivan_core.cli.compare import spec_from
from ivan_core.cli.follow import follow
from ivan_core.cli.main import parser, run
from ivan_core.domain.errors import BadInput
from ivan_core.domain.options import command_of
from ivan_core.domain.specs import parse_row_ids
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.plan import preset_spec
from ivan_core.runs.registry import Registry


def ivan(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ivan_core", *words], capture_output=True, text=True, timeout=300
    )


def test_help_answers_soon_and_without_models() -> None:
    code = (
        "import sys, time; start = time.process_time()\n"
        "from ivan_core.cli.main import parser\n"
        "parser().format_help(); seconds = time.process_time() - start\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'openai', 'ollama', 'streamlit'}\n"
        "print(seconds, sorted(heavy & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, _, loaded = told.stdout.strip().partition(" ")
    assert loaded == "[]"
    # About half a second of the processor's; one that does much else needs twice as long for it.
    assert float(seconds) < 4


@pytest.mark.parametrize("words", [("--help",), ("compare", "--help"), ("runs", "list", "--help")])
def test_every_command_has_help_that_needs_no_key(words: tuple[str, ...]) -> None:
    told = ivan(*words)
    assert told.returncode == 0 and "usage: ivan" in told.stdout


def test_the_options_help_is_the_specs_own() -> None:
    told = " ".join(ivan("compare", "--help").stdout.split())
    assert "Only the first N pairs (not a random sample)." in told


def test_wrong_usage_is_exit_code_2() -> None:
    assert ivan("compare", "--no-such-option").returncode == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--limit", "-3"), "limit must be at least 1, not -3."),
        (("--limit", "5", "--sample", "5"), "--limit and --sample exclude each other."),
        (("--row-ids", "0,480"), "No such pair in this dataset: 480."),
        (("--row-ids", "one"), "Pair numbers are whole numbers from 0, not one."),
        (("--dataset", "nowhere.jsonl"), "There is no file nowhere.jsonl."),
        (("--dataset", "two words"), "'two words' is neither a file nor a hub dataset."),
        (("--model", "nonsense"), "'nonsense' is neither in the catalog"),
        (("--model", "ivan/nothing"), "There is no embedded model 'ivan/nothing'."),
        (("--preset", "other"), "There is no preset 'other'."),
        (("--subset", "helpful-base"), "sample has no subsets, splits or revisions."),
    ],
)
def test_bad_input_is_a_sentence_a_hint_and_exit_code_1(
    data_dir: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert run(["compare", *words]) == 1
    told = capsys.readouterr().err
    assert told.startswith("ivan: ") and sentence in told and "Traceback" not in told
    assert len(told.strip().splitlines()) == 2, "a sentence and a hint"
    assert not runs.every(), "nothing was started"


def test_a_plan_says_what_it_would_take_and_does_nothing(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "--plan", "--limit", "10"]) == 0
    told = capsys.readouterr().out
    assert "sample: 10 pairs" in told and "not a random sample" in told
    assert not runs.every()


def test_row_ids_allow_spaces_and_the_first_row() -> None:
    assert parse_row_ids(" 0, 17 ,479 ") == (0, 17, 479)
    assert parse_row_ids(None) is None
    with pytest.raises(BadInput):
        parse_row_ids("-1")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--limit", "7", "--seed", "3"],
        ["--row-ids", "0, 5", "--model", "owner/name@main", "--max-tokens", "512"],
        ["--dataset", "Anthropic/hh-rlhf", "--subset", "helpful-base", "--split", "test"],
        ["--preset", "seal", "--sample", "9", "--input-format", "as-published"],
    ],
)
def test_the_printed_command_asks_for_the_same_thing(words: list[str]) -> None:
    import shlex

    spec = spec_from(parser().parse_args(["compare", *words]))
    again = shlex.split(command_of(spec))[1:]
    assert spec_from(parser().parse_args(again)) == spec


def test_compare_from_start_to_files(data_dir: Path) -> None:
    told = ivan("compare", "--limit", "6")
    assert told.returncode == 0, told.stderr
    assert "The first 6 of 480 pairs: not a random sample." in told.stdout
    for part in ("agreement", "always the longer reply", "length-balanced", "Files:"):
        assert part in told.stdout
    listed = ivan("runs", "list").stdout.split()
    shown = json.loads(ivan("runs", "show", listed[0]).stdout)
    assert shown["state"] == "done" and shown["manifest"]["rows"] == 6
    again = ivan("compare", "--limit", "6")
    assert "nothing was computed" in again.stdout
    assert len(list((data_dir / "compare").glob("*-stats.csv"))) == 2
    refused = ivan("runs", "cancel", listed[0])
    assert refused.returncode == 1 and "nothing to cancel" in refused.stderr


def test_an_unknown_run_is_a_sentence(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runs", "show", "2000-01-01-00-00"]) == 1
    assert "There is no run '2000-01-01-00-00' here." in capsys.readouterr().err


def test_an_interrupted_run_says_how_to_go_on_even_before_its_first_chunk(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = preset_spec()
    registry = Registry(data_dir)
    run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    registry.begin(run_id)  # and its worker is gone: nobody holds the lock
    assert follow(run_id, sys.stdout) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"ivan: Run {run_id} was interrupted.",
        f"      `ivan runs resume {run_id}` goes on.",
    ]


def test_a_data_folder_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "unplugged" / "disk")
    monkeypatch.setenv("IVAN_DATA_DIR", str(tmp_path / "link" / "data"))
    assert run(["compare", "--limit", "3"]) == 1
    told = capsys.readouterr().err
    assert f"The folder {tmp_path}/link/data cannot be written." in told
    assert "IVAN_DATA_DIR" in told
