"""Models of all kinds: what is known of them and what they give.

Reward models and similarity models with their protocols; labelers and rewriters have theirs beside
what they are asked.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from ivan_core.domain.transcripts import Dialogue

Verdict = Literal["agree", "tie", "disagree"]
_FLOAT32 = struct.Struct("f")


@dataclass(frozen=True, slots=True)
class Reward:
    """What a reward model gave one text, in its own units (comparable inside one model only).

    `value` is a float32 held in a Python float, or None with the `failure` that says why.
    `truncated` tells that the model did not read the whole text. `read_alone` says why, where the
    model was to read what texts share once and read this one by itself; it is of no other reward
    of the text.
    """

    value: float | None
    truncated: bool = False
    failure: str | None = None
    read_alone: str = field(default="", compare=False)

    @classmethod
    def measured(cls, value: float, truncated: bool = False) -> Reward:
        """A reward as a float32; one that is not finite is kept as a failure, with its reason."""
        rounded = _as_float32(value)
        if math.isfinite(rounded):
            return cls(rounded, truncated)
        return cls(None, truncated, f"the model gave {value}, which is not a finite number")

    def kept(self) -> Reward:
        """As it may be kept, whatever a model made: one that is no finite number is a failure."""
        value = self.value
        if value is None or (_as_float32(value) == value and math.isfinite(value)):
            return self
        return Reward.measured(value, self.truncated)


def _as_float32(value: float) -> float:
    """The nearest float32; one that none holds is infinite."""
    try:
        return float(_FLOAT32.unpack(_FLOAT32.pack(value))[0])
    except OverflowError:
        return math.inf


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


MEASURED = "served-"
"""What a revision begins with that was made of scores, as the server tells none."""


def file_slug(name: str) -> str:
    """A name as the name of a file: what is no letter, digit, `-`, `.` or `_` becomes a dash."""
    return "".join(c if c.isalnum() or c in "-._" else "-" for c in name).strip("-.")


class ServerFacts(BaseModel):
    """Facts about the program that runs a model elsewhere, as it told them.

    `model` is what the server calls it. `probes` are its rewards of fixed texts, by which a change
    of the weights shows. `compared` says how its rewards stand to those of a pass on this machine,
    or why there was none; `agrees` that there was one and they agree.
    """

    model_config = ConfigDict(frozen=True)

    engine: str
    version: str = ""
    model: str = ""
    settings: dict[str, str] = {}
    probes: tuple[float, ...] = ()
    compared: str = "not compared with a local pass"
    agrees: bool = False

    @property
    def identity(self) -> tuple[str, ...]:
        """All of it that may change a score of the same weights."""
        settings = (f"{name} {value}" for name, value in sorted(self.settings.items()))
        return (self.engine, self.version, *settings)

    @property
    def sentence(self) -> str:
        """Who scored, and whether that was checked here."""
        return f"Scored by {self.named}; {self.compared}."

    @property
    def named(self) -> str:
        """The program with its version, model and settings, in words."""
        how = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return (
            f"{self.engine} {self.version or 'of an unknown version'}"
            + (f" with {self.model}" if self.model else "")
            + (f" ({how})" if how else "")
        )


class EightBits(BaseModel):
    """How a model whose weights are held in 8 bits scored beside itself in full precision.

    `largest` is the largest change of a score. Without pairs `not_compared` says why.
    """

    model_config = ConfigDict(frozen=True)

    pairs: int = 0
    verdicts_changed: int = 0
    largest: float = 0.0
    not_compared: str = ""


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
    learned_from: str = ""
    """What it learned from and how it does there, after its name; empty where nobody says."""
    way: str = ""
    """How its texts are read, in words, where not simply one by one or in batches."""
    shared_way: str = ""
    """How under a token budget below 0; empty where the model cannot read a prompt once."""
    server: ServerFacts | None = None
    """The program that ran it, where that was another one than IVAN."""
    eight_bits: EightBits | None = None
    """What came of the check of its weights in 8 bits, where they are held so."""

    @model_serializer(mode="wrap")
    def _only_what_there_is(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The card of a model that ran here as it is says nothing of servers and 8 bits."""
        written: dict[str, Any] = write(self)
        for name in ("server", "eight_bits", "learned_from"):
            if not getattr(self, name):
                written.pop(name, None)
        return written

    @property
    def slug(self) -> str:
        """The id as a file name."""
        return file_slug(self.id)

    def under(self, budget: int) -> ModelCard:
        """The card of the model as it scores under a token budget: see `RewardModel.tune`."""
        way = self.shared_way if self.reads_once(budget) else self.way
        return self.model_copy(update={"way": way, "shared_way": ""})

    def reads_once(self, budget: int) -> bool:
        """Whether what texts share is read once under a token budget."""
        return budget < 0 and bool(self.shared_way)

    @property
    def lasts(self) -> bool:
        """Whether the revision names weights for good, so that other runs may use its scores."""
        return not self.revision.startswith(MEASURED)

    @property
    def cache_identity(self) -> str:
        """All that changes a score: scores that differ in any of it never share a cache key."""
        parts = (
            self.server.model if self.server else self.id,
            self.revision,
            self.input_format,
            self.template_hash,
            self.max_tokens,
            self.dtype,
        )
        dropped = ("without system turns",) if self.system == "drop" else ()
        server = self.server.identity if self.server else ()
        return "|".join(str(part) for part in (*parts, *dropped, *server))


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

        Returns the budget in tokens; 0 means one text at a time, and below 0 that what texts share,
        mostly a pair's prompt, is read once. The budget decides how texts are batched, so a run
        keeps it and gives it back as `known` when it is resumed.
        """
        ...


@runtime_checkable
class ModelElsewhere(RewardModel, Protocol):
    """A reward model that another program runs, which may not do what is believed of it."""

    @property
    def has_copy_here(self) -> bool:
        """Whether its weights are on this machine too, and would be loaded to compare with."""
        ...

    def compare(self, dialogues: Sequence[Dialogue]) -> None:
        """Look at its scores of these texts, and at those of a pass on this machine where that can
        be made; the card then says what was found. The sides of a pair follow each other.

        Raises:
            BackendUnavailable: they cannot be rewards of that model, or the server fails.
        """
        ...

    def check_unchanged(self) -> None:
        """Ask whether it is still what it was when it was loaded.

        Raises:
            BackendUnavailable: it is not, or the server fails.
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
