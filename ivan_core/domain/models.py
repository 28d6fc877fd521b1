"""Models of all kinds: what is known of them and what they give.

Reward models and similarity models with their protocols; labelers and rewriters have theirs beside
what they are asked.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from ivan_core.domain.transcripts import Dialogue

Verdict = Literal["agree", "tie", "disagree"]


@dataclass(frozen=True, slots=True)
class Reward:
    """What a reward model gave one text, in its own units (comparable inside one model only).

    `value` is a float32 held in a Python float, or None with the `failure` that says why.
    `truncated` tells that the model did not read the whole text.
    """

    value: float | None
    truncated: bool = False
    failure: str | None = None

    @classmethod
    def measured(cls, value: float, truncated: bool = False) -> Reward:
        """A reward as a float32; one that is not finite is kept as a failure, with its reason."""
        try:
            (rounded,) = struct.unpack("f", struct.pack("f", value))
        except OverflowError:
            rounded = math.inf
        if math.isfinite(rounded):
            return cls(rounded, truncated)
        return cls(None, truncated, f"the model gave {value}, which is not a finite number")


def margin(chosen: Reward, rejected: Reward) -> float | None:
    """How much more the model rewards what the person preferred; None if a side has no reward."""
    if chosen.value is None or rejected.value is None:
        return None
    return chosen.value - rejected.value


def verdict(chosen: Reward, rejected: Reward) -> Verdict | None:
    """Whether the model sides with the person; a tie is an equal float32, None an absent reward."""
    if chosen.value is None or rejected.value is None:
        return None
    if chosen.value == rejected.value:
        return "tie"
    return "agree" if chosen.value > rejected.value else "disagree"


InputFormat = Literal["reply", "last-turn", "openassistant", "as-published", "chat"]
SystemTurns = Literal["keep", "drop"]
"""What becomes of the system turns of a dialogue before a model reads it."""
Quantization = Literal["none", "int8"]
"""In what the weights of a model's layers are held: as it computes, or in 8 bits."""


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
    way: str = ""
    """How texts were read, in words, where not simply one by one or in batches."""

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

        `progress` is called with the number of texts finished since the last call. The same as
        `score_read` of what was `read`.
        """
        ...

    def read(self, dialogues: Sequence[Dialogue]) -> Any:
        """What the model reads of some texts, for `score_read`: formatted and tokenised.

        May run in a thread, one call at a time, beside `score_read` of other texts.
        """
        ...

    def score_read(self, read: Any, progress: Callable[[int], None] | None = None) -> list[Reward]:
        """One reward for each text of what was `read`, in the same order, as `score` gives them."""
        ...

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        """Choose the token budget of a batch by a short measurement, or take `known`.

        Returns the budget in tokens; 0 means one text at a time. The budget decides how texts are
        batched, so a run keeps it and gives it back as `known` when it is resumed.
        """
        ...


@dataclass(frozen=True, slots=True)
class SimilarityCard:
    """Facts about a similarity model, kept with every run."""

    id: str
    revision: str = ""
    max_tokens: int | None = None


class SimilarityModel(Protocol):
    """A loaded similarity model."""

    @property
    def card(self) -> SimilarityCard: ...

    def similarity(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The cosine of each pair's embeddings, between -1 and 1, in the same order."""
        ...


@dataclass(frozen=True, slots=True)
class AnswererCard:
    """Facts about a labeler or rewriter, kept with every run: its id, what answered, and how."""

    id: str
    revision: str = ""
    kind: Literal["rules", "authored", "ollama", "openai", "import"] = "rules"
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def slug(self) -> str:
        """The id as a file name."""
        return file_slug(self.id)


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a labeler or rewriter answered, as it came: reading and judging it is done elsewhere.

    `problem` says why there is no usable text (an error of the provider, a time-out, a prompt that
    was cut); `refusal` is the provider's own word that the model declined, `finish` how the answer
    ended ("stop", "length", "content_filter", ""). `demo` says that IVAN's demo server answered, by
    rules and under the name of a model.
    """

    text: str = ""
    refusal: str = ""
    finish: str = ""
    problem: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    demo: bool = False
    reused: str = ""
    """The run that the answer was given to first, where it was not asked for again."""
