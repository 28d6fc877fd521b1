"""Somebody's own pairs: kept, read by whatever columns, and told before anything runs."""

from __future__ import annotations

import csv
import gzip
import json
import os
import sys
from pathlib import Path

import pytest
from fakes.hub import StandinHub
from given import made_runs
from given.support import write_pairs

from ivan_core.datasets import prepared
from ivan_core.datasets.columns import WrongColumns
from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.pairs import Columns
from ivan_core.domain.specs import NO_COLUMN, CompareSpec, DatasetRequest, RowsSpec
from ivan_core.engine import datasets, own_pairs, studies
from ivan_core.engine.access import NotAllowed, Visitor
from ivan_core.engine.own_files import keep_file
from ivan_core.engine.own_pairs import found_in, proposed, read

ASK = "\n\nHuman: Hi\n\nAssistant:"
ROW = {"chosen": f"{ASK} Hello.", "rejected": f"{ASK} No."}


def jsonl(*rows: object) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def nothing(_: int) -> None:
    return None


def other_columns(path: Path) -> Path:
    """A table whose columns are called as people call them."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "question", "winner", "loser", "topic"])
        table.writerows(
            [i, f"Question {i}?", f"Yes {i}.", f"No {i}.", "ab"[i % 2]] for i in range(6)
        )
    return path


def by_hand(path: Path) -> DatasetRequest:
    return DatasetRequest(
        source=str(path),
        chosen_column="winner",
        rejected_column="loser",
        prompt_column="question",
        subset_column="topic",
    )


def test_a_file_is_kept_once_under_its_fingerprint_and_called_by_its_name(data_dir: Path) -> None:
    first = keep_file("my-prefs.jsonl", jsonl(ROW))
    before = Path(first.source).stat().st_mtime_ns
    assert keep_file("my-prefs.jsonl", jsonl(ROW)) == first
    assert Path(first.source).stat().st_mtime_ns == before
    assert first.label == "my-prefs.jsonl"
    folder = Path(first.source).parent
    assert folder.parent == data_dir / "dropped" and len(folder.name) == 16
    assert keep_file("my-prefs.jsonl", jsonl(ROW, ROW)).source != first.source


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../.streamlit/config.jsonl", "config.jsonl"),
        ("..\\..\\autoexec.csv", "autoexec.csv"),
        ("<img src=x>.jsonl", "_img src_x_.jsonl"),
        ("a\x00b\n.csv", "a_b_.csv"),
        (".jsonl", "pairs.jsonl"),
        ("...jsonl", "pairs.jsonl"),
        ("x" * 500 + ".parquet", "x" * 160 + ".parquet"),
        ("好" * 500 + ".csv", "好" * 53 + ".csv"),
        ("Präferenzen 1.JSONL.GZ", "Präferenzen 1.jsonl.gz"),
    ],
)
def test_whatever_a_file_is_called_it_lies_in_its_own_folder(
    data_dir: Path, name: str, kept: str
) -> None:
    path = Path(keep_file(name, b"x").source)
    assert path.parent.parent == data_dir / "dropped"
    assert path.name == kept and path.read_bytes() == b"x"


@pytest.mark.parametrize(("name", "content"), [("a.exe", b"x"), ("", b"x"), ("a.jsonl", b"")])
def test_other_files_and_empty_ones_are_refused(data_dir: Path, name: str, content: bytes) -> None:
    with pytest.raises(BadInput):
        keep_file(name, content)
    assert not (data_dir / "dropped").exists()


def test_what_was_found_names_pairs_turns_and_lines_that_are_none(data_dir: Path) -> None:
    longer = {side: f"{text}\n\nHuman: More\n\nAssistant: Well." for side, text in ROW.items()}
    content = jsonl(ROW) + b"{not json\n" + jsonl(longer, {"chosen": "x"}, longer)
    found = found_in(read(keep_file("mine.jsonl", content), nothing))
    assert (found.pairs, found.turns, found.bad_lines) == (3, "2 to 4 turns each", 2)
    assert found.bad == ("line 2: not valid JSON", "line 4: no text under rejected")
    assert found.columns == ("chosen", "rejected")
    assert found.first.chosen.reply == "Hello."
    assert found.odd == (
        "1 of 3 pairs stand there more than once (pair 2).",
        "2 of 3 pairs have sides that part before the last reply (pairs 1, 2).",
    )


def test_columns_of_other_names_are_proposed_and_taken(data_dir: Path, tmp_path: Path) -> None:
    path = other_columns(tmp_path / "table.csv")
    with pytest.raises(WrongColumns) as wrong:
        read(DatasetRequest(source=str(path)), nothing)
    assert wrong.value.found == ("id", "question", "winner", "loser", "topic")
    assert proposed(wrong.value.found) == Columns("winner", "loser", "question", "")
    dataset = read(by_hand(path), nothing)
    found = found_in(dataset)
    assert found.pairs == 6 and found.columns == wrong.value.found
    assert found.first.chosen.text == "\n\nHuman: Question 0?\n\nAssistant: Yes 0."
    assert found.first.rejected.reply == "No 0."
    assert list(dataset.numbers(["subset"])["subset"]) == ["a", "b"] * 3


def test_a_prompt_column_can_be_left_unread(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(jsonl({"chosen": "Yes.", "rejected": "No.", "prompt": "Sure?"}))
    request = DatasetRequest(source=str(path), prompt_column=NO_COLUMN)
    assert found_in(read(request, nothing)).first.chosen.text.strip() == "Yes."
    assert found_in(read(DatasetRequest(source=str(path)), nothing)).first.chosen.turns


def test_one_column_for_both_replies_is_refused(data_dir: Path, pairs_file: Path) -> None:
    request = DatasetRequest(source=str(pairs_file), rejected_column="chosen")
    with pytest.raises(BadInput, match="Both replies would be taken from the column chosen"):
        read(request, nothing)


def test_usual_columns_leave_every_request_as_it_was() -> None:
    request = DatasetRequest(source="prefs.csv")
    said = '{"source":"prefs.csv","subset":"","split":"train","revision":""}'
    assert request.model_dump_json() == said
    assert CompareSpec(dataset=request).model_dump()["dataset"] == json.loads(said)
    other = request.model_copy(update={"chosen_column": "better"})
    assert other.model_dump()["chosen_column"] == "better"
    assert other.fingerprint != request.fingerprint
    assert DatasetRequest.model_validate_json(other.model_dump_json()) == other


def test_a_large_file_is_read_by_a_process_of_its_own(
    data_dir: Path, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_pairs, "_QUICK_BYTES", 0)
    dataset = read(DatasetRequest(source=str(pairs_file)), nothing)
    assert dataset.rows == 40
    with pytest.raises(WrongColumns) as wrong:
        read(DatasetRequest(source=str(other_columns(data_dir / "table.csv"))), nothing)
    assert wrong.value.found[0] == "id"


def test_a_packed_file_is_as_large_as_what_it_may_hold(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few packed bytes may be minutes of work, which the server would not survive well."""
    packed = tmp_path / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress(jsonl(*[ROW] * 100)))
    plain = tmp_path / "rows.jsonl"
    plain.write_bytes(jsonl(ROW, ROW))
    monkeypatch.setattr(own_pairs, "_QUICK_BYTES", packed.stat().st_size * 2)
    monkeypatch.setattr(own_pairs, "READER", (sys.executable, "-c", "raise SystemExit"))
    assert plain.stat().st_size < packed.stat().st_size * 2
    assert read(DatasetRequest(source=str(plain)), nothing).rows == 2
    with pytest.raises(BadInput, match="what read it was ended"):
        read(DatasetRequest(source=str(packed)), nothing)


def test_a_reading_that_fails_or_is_killed_says_so(
    data_dir: Path, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_pairs, "_QUICK_BYTES", 0)
    monkeypatch.setattr(own_pairs, "READER", (sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(BadInput, match=r"pairs.jsonl could not be read: what read it was ended"):
        read(DatasetRequest(source=str(pairs_file)), nothing)
    # More than a pipe holds: whoever writes it waits until the other end is gone.
    long = DatasetRequest(source=str(pairs_file), chosen_column="x" * 1_000_000)
    with pytest.raises(BadInput, match=r"pairs.jsonl could not be read: what read it was ended"):
        read(long, nothing)
    said = '{"message": "The hub is away.", "hint": "Later."}'
    monkeypatch.setattr(own_pairs, "READER", (sys.executable, "-c", f"print('{said}')"))
    with pytest.raises(IvanError, match="The hub is away") as problem:
        read(DatasetRequest(source=str(pairs_file)), nothing)
    assert problem.value.hint == "Later."


def test_who_leaves_ends_the_reading(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that would beat for ever is gone once the page that waits for it is left."""
    own = tmp_path / "own"
    code = (
        f"import os, time; open({str(own)!r}, 'w').write(str(os.getpid()))\n"
        "while True: print('{\"pairs\": 7}', flush=True); time.sleep(.01)"
    )
    monkeypatch.setattr(own_pairs, "_QUICK_BYTES", 0)
    monkeypatch.setattr(own_pairs, "READER", (sys.executable, "-c", code))

    def left(pairs: int) -> None:
        assert pairs == 7
        raise KeyboardInterrupt

    path = write_pairs(tmp_path / "pairs.jsonl", 2)
    with pytest.raises(KeyboardInterrupt):
        read(DatasetRequest(source=str(path)), left)
    with pytest.raises(ProcessLookupError):
        os.kill(int(own.read_text()), 0)


def test_a_visitor_reads_nothing_new(
    data_dir: Path, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivan_core.engine.access._provider", lambda: Visitor(local=False))
    with pytest.raises(NotAllowed):
        read(DatasetRequest(source=str(pairs_file)), nothing)
    with pytest.raises(NotAllowed):
        read(DatasetRequest(source="lab/prefs"), nothing)
    assert not (data_dir / "datasets").exists()


def test_a_study_that_was_begun_is_there_without_a_run(data_dir: Path, pairs_file: Path) -> None:
    request = DatasetRequest(source=str(pairs_file))
    with pytest.raises(BadInput, match="has not been read here yet"):
        studies.take(RowsSpec(dataset=request))
    read(request, nothing)
    begun = studies.take(RowsSpec(dataset=request, limit=10))
    assert begun.name == "pairs.jsonl · 10 pairs"
    assert studies.abouts() == [begun]
    assert studies.take(RowsSpec(dataset=request, row_ids=tuple(range(10)))).id == begun.id
    assert studies.about(begun.id) is not None and studies.runs_of(begun.id) == []
    whole = studies.with_runs(begun, [])
    assert whole.runs == () and whole.newest == {}
    assert {stage.done for stage in whole.stages} == {None}
    assert studies.about("0" * 16) is None
    (kept,) = (data_dir / "studies").glob("*.json")
    kept.write_text("{")
    assert studies.abouts() == []


def test_a_dataset_of_the_hub_is_looked_at_before_anything_runs(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"question": f"Q{i}?", "better": f"Yes {i}.", "worse": f"No {i}."} for i in range(4)]
    (tmp_path / "home").mkdir()
    with StandinHub(tmp_path / "hub") as hub:
        hub.add("datasets", "lab/prefs", {"train.jsonl": jsonl(*rows)})
        for name, value in hub.environment(tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        told: list[int] = []
        with pytest.raises(WrongColumns) as wrong:
            read(DatasetRequest(source="lab/prefs"), told.append)
        guess = proposed(wrong.value.found)
        assert guess == Columns("better", "worse", "question", "")
        request = DatasetRequest(
            source="lab/prefs",
            chosen_column="better",
            rejected_column="worse",
            prompt_column="question",
        )
        found = found_in(read(request, told.append))
        assert found.pairs == 4 and found.first.chosen.reply == "Yes 0."
        with pytest.raises(IvanError, match="lab/nothing"):
            read(DatasetRequest(source="lab/nothing"), told.append)
    assert all(count >= 0 for count in told)


@pytest.mark.parametrize(
    "content", ["{", "[]", "null", '"x"', "[" * 100_000, '{"fingerprint": "\\u0000", "spec": {}}']
)
def test_a_damaged_file_of_a_study_is_no_study_and_the_others_stay(
    data_dir: Path, pairs_file: Path, content: str
) -> None:
    request = DatasetRequest(source=str(pairs_file))
    read(request, nothing)
    begun = studies.take(RowsSpec(dataset=request))
    (data_dir / "studies" / "damaged.json").write_text(content)
    assert studies.abouts() == [begun] and studies.about("damaged") is None


@pytest.mark.parametrize("card", ["{", "[]", "{}", '{"request": {"source": 1}}'])
def test_runs_and_studies_on_a_damaged_dataset_are_in_no_study(
    data_dir: Path, pairs_file: Path, card: str
) -> None:
    spec = made_runs.spec_of_sample(limit=5).model_copy(
        update={"dataset": DatasetRequest(source=str(pairs_file))}
    )
    run_id = made_runs.finished(data_dir, spec)
    begun = studies.take(RowsSpec(dataset=spec.dataset))
    assert len(studies.abouts()) == 2
    (data_dir / "datasets" / begun.fingerprint / "dataset.json").write_text(card)
    prepared._read_json.cache_clear()  # as in a server that was just started
    studies._taken_at.cache_clear()
    assert studies.abouts() == [] and studies.about_run(run_id) is None


def test_datasets_of_one_name_are_all_known(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files in two folders may be called alike; who may only read may name both."""
    requests = []
    for count in (1, 2):
        (tmp_path / str(count)).mkdir()
        path = write_pairs(tmp_path / str(count) / "train.jsonl", count)
        requests.append(DatasetRequest(source=str(path)))
        read(requests[-1], nothing)
    (data_dir / "datasets" / "requests" / "damaged.json").write_text("[")
    assert datasets.known() == requests
    monkeypatch.setattr("ivan_core.engine.access._provider", lambda: Visitor(local=False))
    assert [dataset.rows for dataset in map(datasets.find, requests) if dataset] == [1, 2]
