"""Downloads: the rows of a filter as files that say so, with texts that stay texts."""

from __future__ import annotations

import csv
import json
import os
import re
import time

import pyarrow.parquet as pq
import pytest
from fakes.reward_models import Fakes
from given import made_runs

from ivan_core.annotations.notes import Reviews
from ivan_core.domain.reviews import Mark
from ivan_core.experiments.compare.conditions import LANGUAGE, Sort, listing
from ivan_core.experiments.compare.report import file_columns
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.verdicts import VerdictIs
from ivan_core.lists.conditions import Filter, matching_rows
from ivan_core.lists.download import FORMS, file_name
from ivan_core.lists.pairs import SubsetIs

FIRST, SECOND = made_runs.TWO_MODELS
HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    'a "quoted", cell\nand a line',
    "é€\u2028😀",
]


@pytest.fixture
def results(data_dir, tmp_path):
    """Pairs whose texts are what a spreadsheet trips over, and some that fail."""
    rows = [
        {"chosen": text, "rejected": f"{text} not {number}", "subset": ("=x", "y")[number % 2]}
        for number, text in enumerate(HOSTILE * 3)
    ]
    path = made_runs.write_rows(tmp_path / "rows.jsonl", rows)
    fakes = Fakes(failing="01", truncated="23")
    return open_results(made_runs.finished(data_dir, made_runs.spec_of_file(path), fakes))


def read_csv(path, encoding="utf-8"):
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_holds_texts_verbatim_and_every_number(results):
    rows = read_csv(made_runs.downloaded(results, Filter(LANGUAGE), "csv"))
    assert list(rows[0]) == list(file_columns(results).types)
    assert [row["chosen"] for row in rows] == HOSTILE * 3
    table = results.table.set_index(["model", "row_id"])
    for row in rows:
        for model in results.models:
            scores = table.loc[(model, int(row["row_id"]))]
            if row[f"verdict ({model})"]:
                assert row[f"verdict ({model})"] == scores["verdict"]
                assert float(row[f"margin ({model})"]) == scores["margin"]
                assert float(row[f"chosen_reward ({model})"]) == scores["chosen_reward"]
                assert row[f"failure ({model})"] == ""
            else:
                assert row[f"margin ({model})"] == ""
                assert row[f"failure ({model})"] == scores["failure"]
    assert any(row[f"failure ({FIRST})"] for row in rows)


def test_a_csv_for_spreadsheets_holds_no_formula(results):
    path = made_runs.downloaded(results, Filter(LANGUAGE), "spreadsheet")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = read_csv(path, "utf-8-sig")
    for row, text in zip(rows, HOSTILE * 3, strict=True):
        assert row["chosen"] == (f"'{text}" if text[0] in "=+-@\t\r" else text)
        numbers = {name for name in row if name.startswith(("margin", "chosen_reward"))}
        texts = [
            value for name, value in row.items() if name not in numbers | {"length_difference"}
        ]
        assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in texts)
    assert {row["subset"] for row in rows} == {"'=x", "y"}
    margins = [row[f"margin ({FIRST})"] for row in rows]
    assert any(float(margin) < 0 for margin in margins if margin), "numbers stay numbers"


def test_all_forms_hold_the_same_rows_in_the_filters_order(results):
    row_filter = Filter(
        LANGUAGE,
        (VerdictIs(model=FIRST, verdict="disagree"),),
        sort=Sort(by="margin", of=SECOND, descending=True),
    )
    ids = matching_rows(listing(results), row_filter)
    assert 0 < len(ids) < len(results.row_ids)
    paths = {form: made_runs.downloaded(results, row_filter, form) for form in FORMS}
    parquet = pq.read_table(paths["parquet"]).to_pylist()
    with paths["jsonl"].open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert parquet == lines
    assert [row["row_id"] for row in lines] == ids
    assert [int(row["row_id"]) for row in read_csv(paths["csv"])] == ids
    assert paths["row-ids"].read_text() == "".join(f"{row_id}\n" for row_id in ids)
    assert lines[0]["rejected"] == (HOSTILE * 3)[ids[0]] + f" not {ids[0]}"
    assert isinstance(lines[0][f"margin ({FIRST})"], float)


def test_notes_and_stars_stand_beside_their_rows(results, data_dir):
    reviews, fingerprint = Reviews(data_dir), results.dataset.fingerprint
    reviews.save(Mark(fingerprint, 2, "Ada", starred=True, note="=odd"))
    reviews.save(Mark(fingerprint, 2, "=Bob", starred=True, note="two\nlines"))
    row = read_csv(made_runs.downloaded(results, Filter(LANGUAGE), "csv"))[2]
    assert row["starred_by"] == "=Bob, Ada"
    assert row["notes"] == "=Bob: two\nlines\nAda: =odd"
    row = read_csv(made_runs.downloaded(results, Filter(LANGUAGE), "spreadsheet"), "utf-8-sig")[2]
    assert (row["starred_by"], row["notes"][:6]) == ("'=Bob, Ada", "'=Bob:")


def test_a_filter_that_finds_nothing_gives_an_empty_file(results):
    nothing = Filter(LANGUAGE, (SubsetIs(label="none such"),))
    assert read_csv(made_runs.downloaded(results, nothing, "csv")) == []
    table = pq.read_table(made_runs.downloaded(results, nothing, "parquet"))
    assert (table.num_rows, table.column_names) == (0, list(file_columns(results).types))
    assert made_runs.downloaded(results, nothing, "jsonl").read_bytes() == b""


def test_names_say_the_filter_and_nothing_else(results):
    def name(*conditions, form="csv"):
        return file_name(listing(results), Filter(LANGUAGE, conditions), form, {})

    run = results.run.id
    assert name() == f"{run}-all-rows.csv"
    assert name(VerdictIs(model=FIRST, verdict="tie"), form="row-ids") == (
        f"{run}-ivan-minilm-harmless-ties-row-ids.txt"
    )
    for label in ("../../etc/passwd", "con", "é" * 300, "a" * 400, "..", "-rf", "a\nb\0"):
        made = name(SubsetIs(label=label), form="spreadsheet")
        assert re.fullmatch(r"[a-z0-9.-]{1,200}", made)
        assert ".." not in made


def test_filters_with_the_same_name_have_files_of_their_own(results):
    one, other = (Filter(LANGUAGE, (SubsetIs(label=label),)) for label in ("é", "è"))
    assert file_name(listing(results), one, "csv", {}) == file_name(
        listing(results), other, "csv", {}
    )
    assert made_runs.downloaded(results, one, "csv") != made_runs.downloaded(results, other, "csv")


def test_old_downloads_are_removed_and_new_ones_kept(results):
    old = made_runs.downloaded(results, Filter(LANGUAGE), "jsonl")
    os.utime(old, (time.time() - 7_200,) * 2)
    new = made_runs.downloaded(results, Filter(LANGUAGE), "row-ids")
    made_runs.downloaded(results, Filter(LANGUAGE), "csv")
    assert not old.exists()
    assert new.exists()
