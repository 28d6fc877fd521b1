"""Labels of the original's CSV: joined by text, each cell checked, a bad one named by its line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from given.made_labellings import FIRST, REFUSAL, SENTIMENT, TOPICS, Labellings, four_pairs
from given.support import data_files
from hypothesis import HealthCheck, given, settings, strategies as st

from ivan_core.cli.main import main
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import TextKey
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import handling as runs
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.imports import Imported, read_dataset
from ivan_core.experiments.labels.results import open_labels
from ivan_core.labels.schema import TOPICS as ALL_TOPICS, features
from ivan_core.labels.table import CSV_COLUMNS, write_labels_csv

HELPFUL = "last_response_is_helpful"


@pytest.fixture
def request_of(data_dir: Path, tmp_path: Path) -> DatasetRequest:
    return read_dataset(DatasetRequest(source=str(four_pairs(tmp_path))))


def text(row: int, side: str) -> str:
    reply = f"I can't help with {row}." if side == "chosen" else f"Sure, {row} it is."
    return f"\n\nHuman: Ask {row}\n\nAssistant: {reply}"


def labels_file(path: Path, *rows: tuple[int, str, dict[str, str]], **texts: str) -> Path:
    """A file as the original writes it, one row a text; cells that are not given are empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CSV_COLUMNS)
        writer.writeheader()
        for row, side, cells in rows:
            about = {"row_id": row, "preference": side, "text": text(row, side), **texts}
            writer.writerow({**dict.fromkeys(CSV_COLUMNS, ""), **about, **cells})
    return path


def only(paths: list[Path], request: DatasetRequest, *names: str, force: bool = False) -> Imported:
    (found,) = import_csvs(paths, request, names, force)
    return found


def test_a_file_of_the_original_becomes_a_finished_labelling(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    path = labels_file(
        tmp_path / "2024-08-19-10-30-gpt-4-turbo.csv",
        (0, "chosen", {HELPFUL: "True", SENTIMENT: "positive", TOPICS: f"['{ALL_TOPICS[0]}']"}),
        (0, "rejected", {HELPFUL: "0", SENTIMENT: "neutral", TOPICS: "[]"}),
        (2, "rejected", {HELPFUL: "1", SENTIMENT: "negative", TOPICS: f'("{ALL_TOPICS[1]}",)'}),
    )
    found = only([path], request_of)
    assert (found.run_id, found.rows, found.models) == ("2024-08-19-10-30", 2, ("gpt-4-turbo",))
    assert found.notes == (
        "Labels imported from CSV; nothing was asked from here.",
        "2 of 4 pairs: those that the files hold, perhaps not at random.",
        "1 text with a label that is missing or not allowed: see the lines named there.",
    )
    run, results = runs.get(found.run_id), open_labels(found.run_id)
    assert (run.kind, run.state, run.done, run.total) == ("labels", RunState.DONE, 3, 3)
    assert results.keys == (HELPFUL, SENTIMENT, TOPICS) and results.spec.row_ids == (0, 2)
    assert (
        results.line
        == "3 submitted = 2 valid + 0 repaired + 0 refused + 0 failed + 1 invalid + 0 missing"
    )
    first, second, third = results.table.to_dict("records")
    assert (first[HELPFUL], first[SENTIMENT], first[TOPICS]) == (True, "positive", (ALL_TOPICS[0],))
    assert (second[HELPFUL], second[SENTIMENT], second[TOPICS]) == (False, "neutral", ())
    assert third["status"] == "invalid" and third[HELPFUL] is True and third[TOPICS] is None
    (problem,) = third["problems"]
    assert (problem.key, problem.message) == (TOPICS, "Line 12: Not a list.")
    assert results.manifest["labeler"]["kind"] == "import"
    assert runs.command(run).endswith(
        f"-gpt-4-turbo.csv --dataset {request_of.source} --model gpt-4-turbo"
    )
    assert runs.command(run).startswith("ivan runs import 2024-08-19-10-30-")


@pytest.mark.parametrize(
    ("cells", "key", "message"),
    [
        ({HELPFUL: "maybe"}, HELPFUL, "Line 2: Neither True nor False."),
        ({HELPFUL: ""}, HELPFUL, "Line 2: The label is missing."),
        ({SENTIMENT: "mixed"}, SENTIMENT, "Line 2: Not among the allowed values."),
        ({TOPICS: "['Cooking']"}, TOPICS, "Line 2: Not among the allowed values."),
        ({TOPICS: "[" * 5_000}, TOPICS, "Line 2: Not a list."),
        ({TOPICS: "['" + "x" * 2_000_000 + "']"}, TOPICS, "Line 2: Not a list."),
        ({TOPICS: "['a', " * 3_000}, TOPICS, "Line 2: Not a list."),
        ({TOPICS: "[__import__('os')]"}, TOPICS, "Line 2: Not a list."),
        ({TOPICS: "[9**9**9]"}, TOPICS, "Line 2: Not a list."),
        ({SENTIMENT: "x" * 2_000_000}, SENTIMENT, "Line 2: Longer than any answer."),
    ],
)
def test_a_cell_that_breaks_the_schema_is_one_label_and_not_the_file(
    tmp_path: Path, request_of: DatasetRequest, cells: dict[str, str], key: str, message: str
) -> None:
    fine = {HELPFUL: "False", SENTIMENT: "neutral", TOPICS: "[]"}
    path = tmp_path / "labels.csv"
    labels_file(path, (0, "chosen", {**fine, **cells}), (1, "chosen", fine))
    results = open_labels(only([path], request_of, "someone").run_id)
    bad, good = results.table.to_dict("records")
    assert (good["status"], bad["status"], results.labeler) == ("valid", "invalid", "someone")
    assert [(one.key, one.message) for one in bad["problems"]] == [(key, message)]
    assert all(len(one.found) < 500 for one in bad["problems"])
    assert [bad[name] for name in fine if name != key and bad[name] is None] == []


def test_lines_with_the_same_cells_are_each_named_by_their_own_number(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    rows = [
        (row, side, {HELPFUL: "perhaps"}) for row in range(2) for side in ("chosen", "rejected")
    ]
    # Each text has five lines of its own: a record begins on every fifth line of the file.
    found = only(
        [labels_file(tmp_path / "a.csv", *rows, (3, "chosen", {HELPFUL: "1"}))], request_of
    )
    problems = open_labels(found.run_id).table["problems"]
    told = [one.message for several in problems for one in several]
    assert told == [f"Line {line}: Neither True nor False." for line in (2, 7, 12, 17)]


def test_a_word_named_twice_is_kept_once_with_a_receipt(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    twice = f"['{ALL_TOPICS[0]}', '{ALL_TOPICS[0]}']"
    path = labels_file(tmp_path / "a.csv", (0, "chosen", {TOPICS: twice}))
    (row,) = open_labels(only([path], request_of).run_id).table.to_dict("records")
    assert row["status"] == "repaired" and row[TOPICS] == (ALL_TOPICS[0],)
    assert row["fixes"][0].rule == "word named twice kept once"


def test_lines_of_other_texts_are_refused_counted_and_left_aside_if_asked(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    path = tmp_path / "a.csv"
    rows = [(row, "chosen", {HELPFUL: "True"}) for row in (0, 1, 7)]
    labels_file(path, *rows)
    content = path.read_text("utf-8").replace("Ask 1", "Ask one")
    path.write_text(content, "utf-8", newline="")
    with pytest.raises(BadInput, match=r"2 lines \(line 7, 12\) with another text") as told:
        import_csvs([path], request_of)
    assert "--force" in told.value.hint and not runs.every("labels")
    found = only([path], request_of, force=True)
    assert found.rows == 1 and "2 lines with other texts left aside." in found.notes
    assert open_labels(found.run_id).table["row_id"].tolist() == [0]
    with pytest.raises(BadInput, match="holds no label of a text of"):
        labels_file(path, (9, "chosen", {HELPFUL: "True"}))
        import_csvs([path], request_of, force=True)


def test_odd_but_readable_files_are_read_and_of_a_text_that_comes_twice_the_first_line_counts(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    path = tmp_path / "odd.csv"
    lines = [f"extra,preference,row_id,text,{HELPFUL}"]
    for row, side, said in ((3, "rejected", True), (3, "chosen", False), (3, "rejected", False)):
        lines.append(f'x,{side},{row}.0,"{text(row, side)}",{said}\r\n')
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    found = only([path], request_of)
    assert found.notes[-1] == "1 text came twice; the first line counts."
    table = open_labels(found.run_id).table
    assert table["preference"].tolist() == ["chosen", "rejected"]
    assert table[HELPFUL].tolist() == [False, True]


def test_without_texts_nobody_can_tell_what_was_labelled(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"row_id,preference,{HELPFUL}\n0,chosen,True\n")
    with pytest.raises(BadInput, match=r"with another text than .* or with none"):
        import_csvs([path], request_of)


def test_several_files_of_one_study_in_one_command(
    tmp_path: Path, request_of: DatasetRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    one = labels_file(tmp_path / "one.csv", (0, "chosen", {HELPFUL: "True"}))
    two = labels_file(tmp_path / "two.csv", (0, "chosen", {HELPFUL: "False"}))
    scores = tmp_path / "scores.csv"
    scores.write_text("row_id,chosen_score,rejected_score,agreement\n0,1.5,0.5,True\n")
    files = [str(path) for path in (one, scores, two)]
    with pytest.raises(SystemExit):
        main(
            [
                "runs",
                "import",
                *files,
                "--dataset",
                request_of.source,
                "--model",
                "a",
                "--model",
                "org/rm",
                "--model",
                "b",
            ]
        )
    told = capsys.readouterr().out.splitlines()
    *told, study = told
    assert len(told) == 3 and all(line.startswith("Imported run ") for line in told)
    assert study == "3 runs of one study: four.jsonl · 1 pair."
    labelers = {open_labels(run.id).labeler for run in runs.every("labels")}
    assert labelers == {"a", "b"} and len(runs.every("compare")) == 1
    with pytest.raises(BadInput, match="3 files with results and 2 names"):
        import_csvs([Path(name) for name in files], request_of, ["a", "b"])


def test_one_bad_file_of_a_study_keeps_all_of_it_out(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    good = labels_file(tmp_path / "one.csv", (0, "chosen", {HELPFUL: "True"}))
    bad = labels_file(tmp_path / "two.csv", (0, "chosen", {HELPFUL: "True"}), text="other")
    with pytest.raises(BadInput):
        import_csvs([good, bad], request_of)
    assert not runs.every("labels")


def test_what_a_labelling_wrote_comes_back_equal(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = Labellings(data_dir, four_pairs(tmp_path), monkeypatch).made("first:1b", FIRST)
    before, files = open_labels(run_id), data_files(data_dir)
    assert len(files) == 2
    found = only([data_dir / name for name in files], before.spec.dataset)
    assert found.models == ("first-1b",) and found.run_id != run_id
    after, written = open_labels(found.run_id), data_files(data_dir)
    assert after.counts == before.counts and after.keys == before.keys
    for column in (REFUSAL, SENTIMENT, TOPICS, "status", "attempt", "raw"):
        assert after.table[column].tolist() == before.table[column].tolist(), column
    for name, content in files.items():
        assert written[name.replace(run_id, found.run_id)] == content


def _labels(key: str) -> Any:
    (one,) = features([key])
    if one.kind == "boolean":
        return st.booleans()
    if one.kind == "word":
        return st.sampled_from(one.values)
    return st.lists(st.sampled_from(one.values), unique=True).map(tuple)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    keys=st.sets(st.sampled_from([one.key for one in features()]), min_size=1),
    texts=st.sets(
        st.sampled_from(
            [TextKey(row, side) for row in range(4) for side in ("chosen", "rejected")]
        ),
        min_size=1,
    ),
    data=st.data(),
)
def test_written_imported_and_written_again_a_file_is_the_same(
    tmp_path: Path, request_of: DatasetRequest, keys: set[str], texts: set[TextKey], data: Any
) -> None:
    asked = sorted(texts, key=lambda key: (key.row_id, key.preference))
    rows = [(key, {name: data.draw(_labels(name)) for name in keys}) for key in asked]
    path = tmp_path / "labels.csv"
    write_labels_csv(path, rows, lambda key: text(key.row_id, key.preference))
    found = only([path], request_of, "someone")
    results = open_labels(found.run_id)
    assert set(results.keys) == keys
    (name,) = results.manifest["files"]
    assert (runs.registry().data_dir / name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("row_id,preference,state,attempt,reason,raw\n", "None of these files holds results"),
        ("row_id,preference,text,topics\n0,both,x,[]\n", "line 2: no text .* side 'both'"),
        ("row_id,preference,text,topics\n-1,chosen,x,[]\n", "line 2: no text is meant by row '-1'"),
        ("row_id,preference,text,topics\n0,chosen,x\n", "3 fields where the header has 4"),
        ("row_id,preference,text,topics\n0,chosen,x,\n", "holds no label"),
        ("\udcff", "no CSV file in UTF-8"),
        ("", "no labels and no rewordings"),
    ],
)
def test_files_that_hold_no_labels_are_a_sentence(
    tmp_path: Path, request_of: DatasetRequest, content: str, words: str
) -> None:
    path = tmp_path / "labels-failed.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadInput, match=words):
        import_csvs([path], request_of)
    assert not runs.every("labels")
