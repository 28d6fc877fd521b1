"""Names, types and help texts of the tables' columns: written once, shown as tooltips."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its pandas dtype and what it holds, in plain words."""

    name: str
    dtype: str
    help: str


# The scores table: one row per model and pair.
ROW_ID = Column("row_id", "int64", "Position of the pair in the loaded split; the first is 0.")
MODEL = Column("model", "string", "The reward model's id.")
SUBSET = Column("subset", "string", "The part of the dataset this pair comes from.")
CHOSEN_REWARD = Column("chosen_reward", "float64", "The model's reward for the chosen reply.")
REJECTED_REWARD = Column("rejected_reward", "float64", "The model's reward for the rejected reply.")
MARGIN = Column(
    "margin", "float64", "How much more the model likes the chosen reply (chosen minus rejected)."
)
VERDICT = Column(
    "verdict",
    "string",
    "agree: the model rewards the chosen reply more; tie: exactly equal; disagree: less. "
    "Empty where the pair was not rated.",
)
CHOSEN_TRUNCATED = Column(
    "chosen_truncated", "bool", "The model did not read the whole text of the chosen side."
)
REJECTED_TRUNCATED = Column(
    "rejected_truncated", "bool", "The model did not read the whole text of the rejected side."
)
FAILURE = Column("failure", "string", "Why the pair has no rewards; empty if it has.")
IDENTICAL = Column(
    "identical", "bool", "Both sides are the same text, so there is nothing to judge."
)
CHOSEN_LENGTH = Column("chosen_length", "int64", "Characters in the chosen reply.")
REJECTED_LENGTH = Column("rejected_length", "int64", "Characters in the rejected reply.")
SEEN = Column("seen", "boolean", "The model's training data held this pair; empty if unknown.")
STEP = Column("step", "int64", "The chunk, in seeded random order, in which the pair was scored.")

SCORES = (
    ROW_ID,
    MODEL,
    SUBSET,
    CHOSEN_REWARD,
    REJECTED_REWARD,
    MARGIN,
    VERDICT,
    CHOSEN_TRUNCATED,
    REJECTED_TRUNCATED,
    FAILURE,
    IDENTICAL,
    CHOSEN_LENGTH,
    REJECTED_LENGTH,
    SEEN,
    STEP,
)
