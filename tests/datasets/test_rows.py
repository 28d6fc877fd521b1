"""Which rows a run takes, and what it says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

from ivan_core.datasets import prepare as preparing
from ivan_core.datasets.chosen_rows import RowChoice, choose_rows, seeded_chunks, seeded_sample
from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import NUMBERS, PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import CompareSpec, DatasetRequest, checked


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    return prepare(tmp_path_factory.mktemp("data"), DatasetRequest())


def choose(dataset: PreparedDataset, **fields: Any) -> RowChoice:
    return choose_rows(CompareSpec(**fields), dataset)


def test_without_options_all_rows_are_taken(sample: PreparedDataset) -> None:
    assert choose(sample) == RowChoice(list(range(480)), (), True)


def test_a_limit_takes_the_first_rows_and_says_that_they_are_no_sample(
    sample: PreparedDataset,
) -> None:
    choice = choose(sample, limit=5)
    assert choice.row_ids == [0, 1, 2, 3, 4]
    assert choice.notes == ("The first 5 of 480 pairs: not a random sample.",)
    assert not choice.random


def test_a_limit_of_one_takes_row_zero(sample: PreparedDataset) -> None:
    assert choose(sample, limit=1).row_ids == [0]


def test_a_limit_of_all_rows_is_all_rows(sample: PreparedDataset) -> None:
    assert choose(sample, limit=480) == RowChoice(list(range(480)), (), True)


@pytest.mark.parametrize("option", ["limit", "sample"])
def test_more_rows_than_there_are_means_all_and_says_so(
    sample: PreparedDataset, option: str
) -> None:
    choice = choose(sample, **{option: 1_000})
    assert choice.row_ids == list(range(480))
    assert choice.notes == ("1,000 pairs were asked for and the data has 480: all are taken.",)
    assert choice.random


def test_a_sample_is_drawn_by_its_seed(sample: PreparedDataset) -> None:
    drawn = choose(sample, sample=20, seed=7)
    assert drawn == choose(sample, sample=20, seed=7)
    assert drawn.row_ids != choose(sample, sample=20, seed=8).row_ids
    assert drawn.row_ids == sorted(set(drawn.row_ids)) and len(drawn.row_ids) == 20
    assert drawn.notes == ("A random draw of 20 of 480 pairs, seed 7.",)
    assert drawn.random


def test_row_zero_and_the_last_row_may_be_picked(sample: PreparedDataset) -> None:
    choice = choose(sample, row_ids=(479, 0, 479))
    assert choice.row_ids == [0, 479]
    assert choice.notes == ("2 pairs picked by number: not a random sample.",)
    assert not choice.random


def test_unknown_row_ids_are_named(sample: PreparedDataset) -> None:
    with pytest.raises(BadInput) as caught:
        choose(sample, row_ids=(0, 480, -1))
    assert caught.value.message == "No such pair in this dataset: 480, -1."
    assert caught.value.hint == "Its pairs are numbered from 0 to 479."


def test_an_empty_list_of_row_ids_is_refused(sample: PreparedDataset) -> None:
    with pytest.raises(BadInput, match="No pair numbers were given"):
        choose(sample, row_ids=())


@pytest.mark.parametrize("option", ["limit", "sample"])
@pytest.mark.parametrize("value", [0, -3])
def test_numbers_of_rows_below_one_are_refused(option: str, value: int) -> None:
    with pytest.raises(BadInput, match=f"{option} must be at least 1, not {value}"):
        checked(CompareSpec, {option: value})


def test_two_ways_to_choose_rows_exclude_each_other() -> None:
    with pytest.raises(BadInput, match="--limit and --row-ids exclude each other"):
        checked(CompareSpec, {"limit": 3, "row_ids": (1,)})


@given(
    st.lists(st.integers(0, 10_000), unique=True, max_size=200),
    st.integers(0, 5),
    st.integers(1, 50),
)
def test_chunks_hold_every_row_once_and_are_the_same_for_the_same_seed(
    row_ids: list[int], seed: int, size: int
) -> None:
    chunks = seeded_chunks(row_ids, seed, size)
    assert sorted(row for chunk in chunks for row in chunk) == sorted(row_ids)
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= size for chunk in chunks)
    assert chunks == seeded_chunks(row_ids, seed, size)


def test_chunks_are_not_in_dataset_order_and_leave_the_list_alone() -> None:
    rows = list(range(100))
    assert seeded_chunks(rows, 0, 100) != [rows]
    assert seeded_chunks(rows, 0, 100) != seeded_chunks(rows, 1, 100)
    assert rows == list(range(100))


def test_one_row_of_the_numbers_is_read_without_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "_ROWS_A_GROUP", 7)
    dataset = prepare(tmp_path, DatasetRequest())
    with pq.ParquetFile(dataset.folder / NUMBERS) as file:
        assert file.num_row_groups == 69  # 480 rows
    numbers = dataset.numbers()
    for row_id in (0, 6, 7, 300, 479):
        assert dataset.row(row_id) == numbers.iloc[row_id].to_dict()
    with pytest.raises(BadInput, match="No such pair in this dataset: 480"):
        dataset.row(480)


def test_a_seeded_sample_is_the_same_each_time_and_all_rows_where_there_are_few() -> None:
    drawn = seeded_sample(range(100_000), 3, 100)
    assert len(set(drawn)) == 100 and max(drawn) < 100_000
    assert drawn == seeded_sample(range(100_000), 3, 100) != seeded_sample(range(100_000), 4, 100)
    assert seeded_sample([5, 2, 9], 3, 100) == [5, 2, 9]


@pytest.mark.parametrize("row_ids", [[], [479], [0, 7, 130, 131, 479], list(range(480))])
def test_some_rows_of_the_numbers_are_those_of_the_whole_table(
    sample: PreparedDataset, row_ids: list[int]
) -> None:
    columns = ["rejected_hash", "row_id", "chosen_length"]
    found = sample.some_numbers(columns, row_ids)
    assert list(found) == columns
    whole = sample.numbers(columns).iloc[row_ids]
    assert found.to_dict("list") == whole.to_dict("list")


def test_some_rows_are_found_in_whatever_part_of_the_table_they_lie(tmp_path: Path) -> None:
    path = tmp_path / "some" / NUMBERS
    path.parent.mkdir()
    table = pa.table({"row_id": range(200_000), "twice": range(0, 400_000, 2)})
    pq.write_table(table, path, row_group_size=30_000)
    asked = [0, 29_999, 30_000, 65_536, 131_071, 199_999]
    found = PreparedDataset(path.parent).some_numbers(["twice"], asked)
    assert found["twice"].tolist() == [2 * row for row in asked]
