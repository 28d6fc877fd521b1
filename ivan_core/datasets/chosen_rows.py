"""Which rows of a prepared dataset a run takes, and in what order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import RowsSpec


@dataclass(frozen=True, slots=True)
class RowChoice:
    """Row ids in dataset order, and sentences a reader should see."""

    row_ids: list[int]
    notes: tuple[str, ...]
    random: bool
    """Whether the rows may stand for the dataset: all of it, or a random draw."""


def choose_rows(spec: RowsSpec, dataset: PreparedDataset) -> RowChoice:
    """The rows a spec asks for.

    Raises:
        BadInput: a row id is outside the dataset, or none is given.
    """
    rows = dataset.rows
    if spec.row_ids == ():
        raise BadInput("No pair numbers were given.", "Name at least one, such as 0, the first.")
    if spec.row_ids is not None:
        dataset.check_row_ids(spec.row_ids)
        chosen = sorted(set(spec.row_ids))
        return RowChoice(
            chosen, (f"{len(chosen)} pairs picked by number: not a random sample.",), False
        )
    wanted = spec.limit or spec.sample or rows
    too_many = (f"{wanted:,} pairs were asked for and the data has {rows:,}: all are taken.",)
    if wanted >= rows:
        return RowChoice(list(range(rows)), too_many if wanted > rows else (), True)
    if spec.limit:
        note = f"The first {wanted:,} of {rows:,} pairs: not a random sample."
        return RowChoice(list(range(wanted)), (note,), False)
    drawn = sorted(random.Random(spec.seed).sample(range(rows), wanted))
    return RowChoice(
        drawn, (f"A random draw of {wanted:,} of {rows:,} pairs, seed {spec.seed}.",), True
    )


def rows_within(spec: RowsSpec, others: RowsSpec, dataset: PreparedDataset) -> bool:
    """Whether all rows that a spec asks for are among those of another; no, if one asks for none.

    Nothing is raised: what another machine wrote may name rows that are not there.
    """
    with suppress(BadInput):
        asked, there = (set(choose_rows(one, dataset).row_ids) for one in (spec, others))
        return asked <= there
    return False


def seeded_chunks(row_ids: list[int], seed: int, size: int) -> list[list[int]]:
    """The rows in seeded random order, cut into chunks: the first few are a random sample."""
    order = list(row_ids)
    random.Random(f"chunks-{seed}").shuffle(order)
    return [order[start : start + size] for start in range(0, len(order), size)]


def seeded_sample(row_ids: Sequence[int], seed: int, most: int) -> list[int]:
    """At most so many of the rows, drawn at random by a seed; their order means nothing."""
    if len(row_ids) <= most:
        return list(row_ids)
    return random.Random(f"sample-{seed}").sample(row_ids, most)
