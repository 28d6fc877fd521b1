"""Stars, notes and guesses of this data folder, and how the guesses compare."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivan_core.domain.pairs import Side
from ivan_core.domain.reviews import Guess
from ivan_core.experiments.compare.results import Results
from ivan_core.lists.download import csv_bytes
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.annotations.notes import Reviews

TELL_FROM = 10
"""Guesses before anything is said of them."""
_FIELDS = ("dataset", "row_id", "author", "starred", "note", "saved")


def reviews() -> Reviews:
    """All that people said in this data folder."""
    from ivan_core.annotations.notes import Reviews

    return Reviews(data_dir())


def notes_csv(dataset: str, author: str | None = None, *, spreadsheet: bool = False) -> bytes:
    """Notes and stars of a dataset, or of one author, as CSV in the order of rows.

    Verbatim, or for spreadsheets: see `csv_bytes`.
    """
    rows = ([row[name] for name in _FIELDS] for row in reviews().export(dataset, author))
    return csv_bytes(_FIELDS, rows, spreadsheet=spreadsheet)


def left_side(dataset: str, row_id: int, name: str) -> Side:
    """Which side a person sees left before they guess: by chance, but the same after a reload."""
    return random.Random(f"{dataset}|{row_id}|{name}").choice(("chosen", "rejected"))


@dataclass(frozen=True, slots=True)
class Tally:
    """Of `rows` guessed pairs, in how many who sided with the choice that was made."""

    rows: int
    you: int
    models: dict[str, int]
    longer: int

    @property
    def sentence(self) -> str:
        """As in "Of 10 pairs: you 7, model-a 6, always the longer reply 5."."""
        told = [f"you {self.you}", *(f"{name} {count}" for name, count in self.models.items())]
        told.append(f"always the longer reply {self.longer}")
        return f"Of {self.rows} pairs sided with the choice: {', '.join(told)}."


def tally(results: Results, guesses: Sequence[Guess], names: dict[str, str]) -> Tally:
    """Guesses of one person on rows of this run, beside the models (called as in `names`)."""
    rows = set(results.row_ids)
    own = {guess.row_id: guess.sided_with for guess in guesses if guess.row_id in rows}
    table = results.table[results.table["row_id"].isin(list(own))]
    agree = table[table["verdict"] == "agree"].groupby("model", observed=True).size()
    first = table[table["model"] == results.models[0]]
    return Tally(
        rows=len(own),
        you=sum(side == "chosen" for side in own.values()),
        models={names[model]: int(agree.get(model, 0)) for model in results.models},
        longer=int((first["chosen_length"] > first["rejected_length"]).sum()),
    )
