"""Preparing a dataset: once, whole or not at all, and read back row by row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from given.support import without_rights

from ivan_core.datasets import numbers as numbers_module
from ivan_core.datasets.numbers import Numbers
from ivan_core.datasets.prepare import find_prepared, prepare
from ivan_core.datasets.prepared import BASE_COLUMNS, PreparedDataset, beginnings
from ivan_core.datasets.sources import AUTHORED, check_source
from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.pairs import IDENTICAL, TIED, Pair
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.transcripts import Dialogue, text_hash


def row(number: int, **more: Any) -> dict[str, Any]:
    prompt = f"\n\nHuman: question {number}\n\nAssistant: "
    return {"chosen": f"{prompt}good {number}", "rejected": f"{prompt}bad {number}", **more}


def write(path: Path, rows: list[dict[str, Any]]) -> DatasetRequest:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    return DatasetRequest(source=str(path))


def folders(data_dir: Path) -> list[str]:
    root = data_dir / "datasets"
    return sorted(path.name for path in root.iterdir() if path.name != "requests")


def test_preparing_twice_reads_once(tmp_path: Path) -> None:
    request = write(tmp_path / "rows.jsonl", [row(i) for i in range(3)])
    first = prepare(tmp_path, request)
    card = first.folder / "dataset.json"
    before = card.stat().st_mtime_ns
    assert prepare(tmp_path, request) == first == find_prepared(tmp_path, request)
    assert card.stat().st_mtime_ns == before
    assert folders(tmp_path) == [first.fingerprint]


def test_nothing_is_found_before_it_is_prepared(tmp_path: Path) -> None:
    request = write(tmp_path / "rows.jsonl", [row(0)])
    assert find_prepared(tmp_path, request) is None
    assert find_prepared(tmp_path, DatasetRequest(source=str(tmp_path / "gone.jsonl"))) is None


def test_a_missing_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        prepare(tmp_path / "data", DatasetRequest(source=str(tmp_path / "gone.jsonl")))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[1].update(chosen="\n\nHuman: other\n\nAssistant: other"),
        lambda rows: rows.reverse(),
        lambda rows: rows[0].update(subset="part"),
        lambda rows: rows[0].update(label="new"),
        lambda rows: rows.append({"chosen": "only"}),
    ],
    ids=["text", "order", "subset", "label", "bad line"],
)
def test_the_fingerprint_changes_with_the_content(tmp_path: Path, change: Any) -> None:
    rows = [row(0), row(1)]
    before = prepare(tmp_path, write(tmp_path / "rows.jsonl", rows))
    change(rows)
    after = prepare(tmp_path, write(tmp_path / "rows.jsonl", rows))
    assert after.fingerprint != before.fingerprint


def test_a_file_that_was_only_touched_keeps_its_fingerprint(tmp_path: Path) -> None:
    request = write(tmp_path / "rows.jsonl", [row(0)])
    before = prepare(tmp_path, request)
    os.utime(tmp_path / "rows.jsonl", (1, 1))
    assert prepare(tmp_path, request) == before


def test_rows_are_read_back_by_id_in_any_order(tmp_path: Path) -> None:
    dataset = prepare(tmp_path, write(tmp_path / "rows.jsonl", [row(i) for i in range(2_500)]))
    asked = [2_499, 0, 1_000, 999, 2_000, 0]
    pairs = list(dataset.pairs(asked))
    assert [pair.row_id for pair in pairs] == asked
    assert [pair.chosen.reply for pair in pairs] == [f"good {i}" for i in asked]
    assert dataset.rows == len(dataset.numbers()) == 2_500


def test_texts_may_be_read_by_the_hashes_that_were_kept_of_them(tmp_path: Path) -> None:
    dataset = prepare(tmp_path, write(tmp_path / "rows.jsonl", [row(i) for i in range(1_100)]))
    asked = [1_099, 0, 999]
    for told, pair in zip(dataset.hashed_rows(asked), dataset.pairs(asked), strict=True):
        sides = [pair.chosen, pair.rejected]
        assert told == (pair.row_id, *(text_hash(side.text) for side in sides), "")
        places = {side.hash: (pair.row_id, place) for place, side in enumerate(sides)}
        read = dataset.hashed_texts(places, [pair.rejected.hash, pair.chosen.hash])
        assert read == sides[::-1]
        assert [vars(side)["hash"] for side in read] == [side.hash for side in sides[::-1]]


def test_of_rows_that_are_not_rated_it_is_said_why_before_they_are_read(tmp_path: Path) -> None:
    scores = {"score_chosen": 2.0, "score_rejected": 2.0}
    rows = [row(0), row(1, rejected=row(1)["chosen"]), row(2, **scores)]
    dataset = prepare(tmp_path, write(tmp_path / "rows.jsonl", rows))
    told = [one.unrated for one in dataset.hashed_rows([2, 1, 0])]
    assert told == [pair.unrated for pair in dataset.pairs([2, 1, 0])] == [TIED, IDENTICAL, ""]


def test_unknown_rows_are_named(tmp_path: Path) -> None:
    dataset = prepare(tmp_path, write(tmp_path / "rows.jsonl", [row(i) for i in range(3)]))
    with pytest.raises(BadInput) as caught:
        list(dataset.pairs([2, 3, -1]))
    assert caught.value.message == "No such pair in this dataset: 3, -1."
    assert caught.value.hint == "Its pairs are numbered from 0 to 2."
    with pytest.raises(BadInput, match="and 5 more"):
        dataset.check_row_ids(range(3, 18))


def test_progress_is_told_every_thousand_pairs(tmp_path: Path) -> None:
    told: list[int] = []
    prepare(tmp_path, write(tmp_path / "rows.jsonl", [row(i) for i in range(2_100)]), told.append)
    assert told == [1_000, 2_000]


def test_a_column_of_mixed_types_is_kept_as_text(tmp_path: Path) -> None:
    rows = [row(0, mark=1), row(1, mark="two"), row(2), row(3, mark=None), row(4, mark=10**30)]
    numbers = prepare(tmp_path, write(tmp_path / "rows.jsonl", rows)).numbers()
    assert numbers["mark"].dropna().to_dict() == {0: "1", 1: "two", 4: str(10**30)}
    assert list(numbers.columns) == [*BASE_COLUMNS, "mark"]


def test_a_column_whose_types_differ_far_apart_is_kept_as_if_they_stood_together(
    tmp_path: Path,
) -> None:
    """Rows are read a thousand at a time: what a column holds is known when all of it is."""
    of_first: dict[str, Any] = {"mark": 1, "score": 1, "flag": True, "early": 0.5}
    of_last: dict[str, Any] = {"mark": "two", "score": 2.5, "flag": 7, "late": "x"}
    rows = [row(i, **(of_first if i < 1_000 else of_last)) for i in range(1_001)]
    numbers = prepare(tmp_path, write(tmp_path / "rows.jsonl", rows)).numbers()
    assert list(numbers.columns[-5:]) == ["mark", "score", "flag", "early", "late"]
    first, last = numbers.iloc[0], numbers.iloc[1_000]
    assert [first[name] for name in ("mark", "score", "flag", "early")] == ["1", 1.0, "True", 0.5]
    assert [last[name] for name in ("mark", "score", "flag", "late")] == ["two", 2.5, "7", "x"]
    assert numbers["early"].count() == 1_000 and numbers["late"].count() == 1


def test_a_pair_that_comes_again_names_the_first_of_its_kind(tmp_path: Path) -> None:
    rows = [row(i % 1_200) for i in range(2_500)]
    swapped = {"chosen": rows[0]["rejected"], "rejected": rows[0]["chosen"]}
    dataset = prepare(tmp_path, write(tmp_path / "rows.jsonl", [*rows, swapped]))
    expected = [-1] * 1_200 + [*range(1_200), *range(100), -1]
    assert dataset.numbers(["duplicate_of"])["duplicate_of"].tolist() == expected
    assert dataset.about["sanity"]["duplicates"] == 1_300


def test_columns_too_long_for_one_piece_stay_in_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(i % 1_200, subset=f"part {i % 3}", mark=f"m{i % 5}") for i in range(2_500)]
    whole = prepare(tmp_path / "one", write(tmp_path / "rows.jsonl", rows))
    monkeypatch.setattr(numbers_module, "_LONGEST_PIECE", 1)
    pieces = prepare(tmp_path / "several", DatasetRequest(source=str(tmp_path / "rows.jsonl")))
    assert pieces.fingerprint == whole.fingerprint
    assert pieces.numbers().equals(whole.numbers())


def test_a_column_of_long_texts_is_left_out_and_said_so(tmp_path: Path) -> None:
    rows = [row(0, essay="short"), row(1, essay="long " * 100)]
    dataset = prepare(tmp_path, write(tmp_path / "rows.jsonl", rows))
    assert "essay" not in dataset.numbers().columns
    assert dataset.about["columns_left_out"] == ["essay"]


def test_bad_lines_are_counted_and_named_on_the_card(tmp_path: Path) -> None:
    request = write(tmp_path / "rows.jsonl", [row(0), {"chosen": "x"}, row(1)])
    about = prepare(tmp_path, request).about
    assert (about["rows"], about["bad_lines"]) == (2, 1)
    assert about["bad_lines_named"] == [[2, "no text under rejected"]]


def test_the_sample_says_that_its_choices_are_authored(tmp_path: Path) -> None:
    dataset = prepare(tmp_path, DatasetRequest())
    assert dataset.chosen_by == AUTHORED == "authored choice"
    assert "it is not evidence about people" in dataset.about["note"]
    assert dataset.pair(479).subset in ("helpful", "harmless")


def test_the_sanity_report_counts_by_hand() -> None:
    texts = [
        ("\n\nHuman: q\n\nAssistant: long", "\n\nHuman: q\n\nAssistant: no"),
        ("\n\nHuman: q\n\nAssistant: long", "\n\nHuman: q\n\nAssistant: no"),
        ("\n\nHuman: q\n\nAssistant: a", "\n\nHuman: q\n\nAssistant: abcde"),
        ("\n\nHuman: q\n\nAssistant: x", "\n\nHuman: q\n\nAssistant: x"),
        ("\n\nHuman: q\n\nAssistant:", "\n\nHuman: r\n\nAssistant: b"),
        ("\n\nHuman: q", "\n\nHuman: q\n\nAssistant: c"),
    ]
    numbers = Numbers()
    for i, (chosen, rejected) in enumerate(texts):
        numbers.add(Pair(i, Dialogue(chosen), Dialogue(rejected)), {})
    numbers.end_batch()
    rows = numbers.table(set())
    assert rows.column("duplicate_of").to_pylist() == [-1, 0, -1, -1, -1, -1]
    assert numbers.report(rows) == {
        "pairs": 6,
        "identical": 1,
        "empty_reply": 2,
        "ends_in_human": 1,
        "no_assistant_turn": 1,
        "prompts_differ": 1,
        "duplicates": 1,
        "lengths_differ": 5,
        "longer_chosen": 2,
        "tied": 0,
        "without_prompt": 0,
        "reversed": 0,
        # chosen: 4 + 4 + 1 + 1 + 0 + 0 = 10; rejected: 2 + 2 + 5 + 1 + 1 + 1 = 12
        "mean_length": {"chosen": 1.7, "rejected": 2.0},
        "longer_chosen_rate": 0.4,
    }


def test_where_all_replies_are_as_long_no_longer_one_was_chosen() -> None:
    numbers = Numbers()
    numbers.add(Pair(0, Dialogue("\n\nAssistant: a"), Dialogue("\n\nAssistant: b")), {})
    numbers.end_batch()
    report = numbers.report(numbers.table(set()))
    assert report["longer_chosen_rate"] is None and report["mean_length"]["chosen"] == 1.0


def test_options_of_hub_datasets_are_refused_for_files_and_the_sample() -> None:
    with pytest.raises(BadInput, match="sample has no subsets"):
        check_source(DatasetRequest(subset="helpful-base"))


@pytest.mark.parametrize("source", ["no-such-thing", "a/b/c", "Anthropic/hh rlhf"])
def test_a_source_that_is_neither_file_nor_hub_id_is_refused(source: str) -> None:
    with pytest.raises(BadInput, match="neither a file nor a hub dataset"):
        check_source(DatasetRequest(source=source))


@pytest.mark.parametrize("source", ["x.tsv", "~nobody-of-that-name/x.csv", "/no/such.parquet"])
def test_a_source_that_looks_like_a_path_is_looked_for_on_disk(source: str) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        check_source(DatasetRequest(source=source))


SLOW_PREPARE = """
import sys, time
from pathlib import Path
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.specs import DatasetRequest

def pause(rows):
    print(rows, flush=True)
    time.sleep(3600)

prepare(Path(sys.argv[1]), DatasetRequest(source=sys.argv[2]), pause)
"""


def test_a_prepare_killed_half_way_leaves_no_half_dataset(tmp_path: Path) -> None:
    request = write(tmp_path / "rows.jsonl", [row(i) for i in range(1_500)])
    worker = subprocess.Popen(
        [sys.executable, "-c", SLOW_PREPARE, str(tmp_path), request.source],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "1000\n"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    assert find_prepared(tmp_path, request) is None
    (left,) = folders(tmp_path)
    assert left.startswith(".preparing-")
    dataset = prepare(tmp_path, request)
    assert dataset.pair(1_499).chosen.reply == "good 1499"


def test_only_unfinished_folders_older_than_an_hour_are_removed(tmp_path: Path) -> None:
    old, busy = (tmp_path / "datasets" / f".preparing-{name}" for name in ("old", "busy"))
    two_hours_ago = time.time() - 7_200
    for folder in (old, busy):
        folder.mkdir(parents=True)
        (folder / "texts.arrow").write_bytes(b"half")
    os.utime(old / "texts.arrow", (two_hours_ago, two_hours_ago))
    for folder in (old, busy):
        os.utime(folder, (two_hours_ago, two_hours_ago))
    dataset = prepare(tmp_path, write(tmp_path / "rows.jsonl", [row(0)]))
    assert folders(tmp_path) == [".preparing-busy", dataset.fingerprint]


def test_a_folder_that_lost_its_card_is_prepared_again(tmp_path: Path) -> None:
    request = write(tmp_path / "rows.jsonl", [row(0)])
    folder = prepare(tmp_path, request).folder
    (folder / "dataset.json").unlink()
    assert prepare(tmp_path, request).folder == folder
    assert (folder / "dataset.json").exists()


def test_bad_input_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("x\n", "utf-8")
    with pytest.raises(BadInput):
        prepare(tmp_path, DatasetRequest(source=str(path)))
    assert folders(tmp_path) == []


def test_a_data_folder_that_is_a_file_cannot_be_written(tmp_path: Path) -> None:
    in_the_way = tmp_path / "data"
    in_the_way.write_text("not a folder", "utf-8")
    with pytest.raises(StorageProblem) as caught:
        prepare(in_the_way, DatasetRequest())
    assert "cannot be written" in caught.value.message
    assert "IVAN_DATA_DIR" in caught.value.hint


def test_a_read_only_data_folder_cannot_be_written(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    with without_rights(), pytest.raises(StorageProblem, match="cannot be written"):
        prepare(open_folder, DatasetRequest())


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.specs import DatasetRequest

import pyarrow.parquet
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    prepare(Path(sys.argv[1]), DatasetRequest())
except StorageProblem as problem:
    print(problem.message)
"""


def test_a_full_disk_is_said_and_leaves_nothing_half(tmp_path: Path) -> None:
    request = write(tmp_path / "rows.jsonl", [row(0)])
    intact = prepare(tmp_path, request)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"The disk that holds {tmp_path} is full.\n"
    assert folders(tmp_path) == [intact.fingerprint]
    assert PreparedDataset(intact.folder).pair(0).chosen.reply == "good 0"


def test_hashes_begin_the_same_in_whatever_pieces_they_lie() -> None:
    hashes = [text_hash(str(n)) for n in range(7)]
    whole = pyarrow.array(hashes)
    lying = [
        pyarrow.chunked_array([whole]),
        pyarrow.chunked_array([whole[:3], whole[3:3], whole[3:]]),
        pyarrow.chunked_array([pyarrow.array([one[:16] for one in hashes])]),
    ]
    expected = [int(one[:16], 16) for one in hashes]
    assert [beginnings(one).tolist() for one in lying] == [expected] * 3
    assert beginnings(pyarrow.chunked_array([], pyarrow.string())).tolist() == []
