"""What is odd about a dataset, counted while it is prepared."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ivan_core.datasets.sides import has_prompt
from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import text_hash

_COUNTED = (
    "pairs",
    "identical",
    "empty_reply",
    "ends_in_human",
    "no_assistant_turn",
    "prompts_differ",
    "duplicates",
    "lengths_differ",
    "longer_chosen",
    "tied",
    "without_prompt",
)


class Sanity:
    """Counts over the pairs added so far, and the row of numbers for each."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first_row: dict[tuple[str, str], int] = {}
        self._characters = {"chosen": 0, "rejected": 0}

    def add(self, pair: Pair) -> dict[str, Any]:
        """Count one pair; returns its row of numbers (lengths in characters of the reply)."""
        key = (pair.chosen.hash, pair.rejected.hash)
        duplicate_of = self._first_row.setdefault(key, pair.row_id)
        replies = {"chosen": pair.chosen.reply, "rejected": pair.rejected.reply}
        lengths = {side: len(reply or "") for side, reply in replies.items()}
        row: dict[str, Any] = {
            "row_id": pair.row_id,
            "subset": pair.subset,
            "chosen_hash": key[0],
            "rejected_hash": key[1],
            "chosen_length": lengths["chosen"],
            "rejected_length": lengths["rejected"],
            "identical": pair.identical,
            "empty_reply": not all(replies.values()),
            "ends_in_human": pair.chosen.ends_in_human_turn or pair.rejected.ends_in_human_turn,
            "prompts_differ": pair.prompts_differ,
            "equal_scores": pair.tied,
            "duplicate_of": -1 if duplicate_of == pair.row_id else duplicate_of,
            "first_turn": text_hash(pair.chosen.first_human_turn)[:16],
        }
        for name in ("identical", "empty_reply", "ends_in_human", "prompts_differ"):
            self._counts[name] += bool(row[name])
        self._counts["pairs"] += 1
        self._counts["tied"] += pair.tied
        self._counts["without_prompt"] += not (
            has_prompt(pair.chosen) and has_prompt(pair.rejected)
        )
        self._counts["duplicates"] += row["duplicate_of"] >= 0
        self._counts["no_assistant_turn"] += None in replies.values()
        for side, length in lengths.items():
            self._characters[side] += length
        if lengths["chosen"] != lengths["rejected"]:
            self._counts["lengths_differ"] += 1
            self._counts["longer_chosen"] += lengths["chosen"] > lengths["rejected"]
        return row

    def report(self) -> dict[str, Any]:
        """Counts, mean reply length by side in characters, and how often the longer was chosen."""
        pairs = self._counts["pairs"]
        differing = self._counts["lengths_differ"]
        return {
            **{name: self._counts[name] for name in _COUNTED},
            "mean_length": {
                side: round(total / pairs, 1) if pairs else None
                for side, total in self._characters.items()
            },
            "longer_chosen_rate": (
                round(self._counts["longer_chosen"] / differing, 4) if differing else None
            ),
        }
