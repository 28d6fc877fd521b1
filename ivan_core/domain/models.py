"""What is known of a reward model, and the protocol that every adapter keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from ivan_core.domain.rewards import Reward
from ivan_core.domain.transcripts import Dialogue

InputFormat = Literal["reply", "last-turn", "openassistant", "as-published", "chat"]
SystemTurns = Literal["keep", "drop"]
"""What becomes of the system turns of a dialogue before a model reads it."""


def file_slug(name: str) -> str:
    """A name as the name of a file: what is no letter, digit, `-`, `.` or `_` becomes a dash."""
    return "".join(c if c.isalnum() or c in "-._" else "-" for c in name).strip("-.")


class ModelCard(BaseModel):
    """Facts about one reward model: from the catalog, completed by the adapter once loaded."""

    model_config = ConfigDict(frozen=True)

    id: str
    revision: str = ""
    """What was loaded: a commit, or a hash of the files; empty until resolved."""
    input_format: InputFormat | None = None
    input_format_guessed: bool = False
    system: SystemTurns = "keep"
    """Whether the system turns of a dialogue are put before the model."""
    max_tokens: int | None = None
    dtype: str = "float32"
    template_hash: str = ""
    """Hash of the chat template for the chat format; empty otherwise."""
    parameters: int | None = None
    licence: str = "unknown"
    trained_on_hh: bool | None = None
    """Whether its training data held Anthropic/hh-rlhf; None if nobody says."""
    seen_hashes: frozenset[str] = frozenset()
    """Hashes of the training pairs, where the card lists them."""
    device: str = ""
    head_label: str = ""
    """What the model's files call its score; empty where they give no telling name."""
    note: str = ""

    @property
    def slug(self) -> str:
        """The id as a file name."""
        return file_slug(self.id)

    @property
    def cache_identity(self) -> str:
        """All that changes a score: scores that differ in any of it never share a cache key."""
        parts = (
            self.id,
            self.revision,
            self.input_format,
            self.template_hash,
            self.max_tokens,
            self.dtype,
        )
        dropped = ("without system turns",) if self.system == "drop" else ()
        return "|".join(str(part) for part in (*parts, *dropped))


class RewardModel(Protocol):
    """A loaded reward model."""

    @property
    def card(self) -> ModelCard: ...

    def score(
        self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """One reward a dialogue, in the same order; a text that cannot be scored gets a failure.

        `progress` is called with the number of texts finished since the last call.
        """
        ...

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        """Choose the token budget of a batch by a short measurement, or take `known`.

        Returns the budget in tokens; 0 means one text at a time. The budget decides how texts are
        batched, so a run keeps it and gives it back as `known` when it is resumed.
        """
        ...
