"""A preference pair: two dialogues, one of which a person chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ivan_core.domain.transcripts import Dialogue, Turn, prompt_turns

Side = Literal["chosen", "rejected"]
SIDES: tuple[Side, Side] = ("chosen", "rejected")
"""The two sides of a pair, in this order everywhere."""
IDENTICAL = "both sides are the same text"
"""Why such a pair is not rated."""
TIED = "the data prefers neither reply"
"""Why such a pair is not rated: there is no choice that a model could agree with."""


def other_side(side: Side) -> Side:
    """The side of a pair that this one is not."""
    return "rejected" if side == "chosen" else "chosen"


def why_unrated(identical: bool, tied: bool) -> str:
    """Why no model rates a pair; empty where one can."""
    return IDENTICAL if identical else TIED if tied else ""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a source that a pair is taken from; an empty name is of no column."""

    chosen: str = "chosen"
    rejected: str = "rejected"
    prompt: str = "prompt"
    subset: str = "subset"

    @property
    def needed(self) -> tuple[str, str]:
        """The two without which there is no pair."""
        return self.chosen, self.rejected

    def take(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with what is taken under the usual names.

        A column of such a name that is not taken is left out; all others stay.
        """
        if self == USUAL:
            return dict(row)
        taken = {name: column for name in USUAL.__slots__ if (column := getattr(self, name))}
        others = {
            name: value
            for name, value in row.items()
            if name not in USUAL.__slots__ and name not in taken.values()
        }
        return {name: row[column] for name, column in taken.items() if column in row} | others


USUAL = Columns()
"""The columns that are taken where nothing else is said."""


class Pair(NamedTuple):
    """`row_id` is the position in the loaded split, first row 0.

    `tied`: the data prefers neither reply: it says so, or gives both the same score.
    """

    row_id: int
    chosen: Dialogue
    rejected: Dialogue
    subset: str = ""
    tied: bool = False

    @property
    def identical(self) -> bool:
        """Both sides are the same text: there is nothing to judge."""
        return self.chosen.text == self.rejected.text

    @property
    def unrated(self) -> str:
        """Why no model rates the pair; empty where one can."""
        return why_unrated(self.identical, self.tied)

    @property
    def shared_turns(self) -> tuple[Turn, ...]:
        """The turns both sides begin with; a final reply never counts as shared."""
        # Pairs may part ways before the last turn, so the shared prompt is computed, never assumed.
        limit = min(len(prompt_turns(self.chosen)), len(prompt_turns(self.rejected)))
        shared: list[Turn] = []
        for ours, theirs in zip(
            self.chosen.turns[:limit], self.rejected.turns[:limit], strict=True
        ):
            if ours != theirs:
                break
            shared.append(ours)
        return tuple(shared)

    @property
    def prompts_differ(self) -> bool:
        """The sides part ways before the last reply."""
        return not self.chosen.same_prompt(self.rejected)
