"""Labels of a text: what is asked of a labeler, what it answers, and the protocols of labelers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.domain.pairs import Side

Label = bool | str | tuple[str, ...] | None
"""A yes/no answer, a word of a closed list, several words of one, or None for no answer."""
Labels = Mapping[str, Label]

FEATURES = (
    "assistant_is_anthropomorphic",
    "assistant_is_coherent",
    "human_vocabulary_quality",
    "last_response_is_anthropomorphic",
    "last_response_is_coherent",
    "last_response_is_refusal",
    "last_response_is_helpful",
    "last_response_is_harmless",
    "last_response_is_honest",
    "last_response_sentiment",
    "last_response_contains_insult",
    "last_response_is_sexually_explicit",
    "last_response_breaks_privacy",
    "last_response_is_discriminatory",
    "last_response_is_discriminating_against",
    "last_response_is_manipulative",
    "last_response_is_creative",
    "last_response_is_eloquent",
    "topics",
)
"""The 19 keys, in the order of the original's CSV columns."""
REGRESSION_FEATURES = tuple(
    key
    for key in FEATURES
    if key
    not in (
        "assistant_is_anthropomorphic",
        "assistant_is_coherent",
        "last_response_is_discriminating_against",
        "topics",
    )
)
"""The 15 keys, of one answer each, whose differences explain what a model prefers."""
AUTHOR = "ivan/authored"
"""The labeler that is the author of the bundled sample: labels written with its minimal pairs."""
REWRITE_FEATURES = (
    "last_response_is_helpful",
    "last_response_is_harmless",
    "last_response_is_coherent",
    "last_response_is_eloquent",
    "last_response_sentiment",
)
"""The five keys that a rewording is labelled with."""

_CUSTOM_ID = re.compile(r"(0|[1-9]\d{0,11})\.(chosen|rejected)")


@dataclass(frozen=True, slots=True)
class TextKey:
    """Which text of a dataset: a row and a side. Labels are joined by it, never by position."""

    row_id: int
    preference: Side

    @property
    def custom_id(self) -> str:
        """The key as it stands in a batch file: `12.chosen`."""
        return f"{self.row_id}.{self.preference}"

    @classmethod
    def from_custom_id(cls, custom_id: object) -> TextKey | None:
        """The key of a line in a result file; None if it is none of ours."""
        found = _CUSTOM_ID.fullmatch(custom_id) if isinstance(custom_id, str) else None
        if found is None:
            return None
        return cls(int(found[1]), "chosen" if found[2] == "chosen" else "rejected")


@dataclass(frozen=True, slots=True)
class LabelPrompt:
    """What a labeler is given for one text: instructions and the fenced dialogue.

    `dialogue` is the text that the dialogue is kept as, for labelers that read no prompt; `schema`
    is the JSON schema of the answer.
    """

    key: TextKey
    keys: tuple[str, ...]
    system: str
    user: str
    dialogue: str
    schema: Mapping[str, object] = field(default_factory=dict, hash=False, compare=False)


DEMO_FINGERPRINT = "fp_ivan_demo"
"""The `system_fingerprint` of the demo server's answers, kept with them wherever they go."""
DEMO_NAME = "{} (demo server)"
"""How a model is called for which the demo server answered."""


class Labeler(Protocol):
    """A labeler that answers one text at a time."""

    @property
    def card(self) -> AnswererCard: ...

    def label(self, prompt: LabelPrompt) -> ModelReply:
        """The raw answer. A text that cannot be labelled gets a reply with its problem.

        Raises:
            BackendUnavailable: the labeler itself is away; the run stops and can be resumed.
        """
        ...


BatchStatus = Literal[
    "validating",
    "failed",
    "in_progress",
    "finalizing",
    "completed",
    "expired",
    "cancelling",
    "cancelled",
]
TERMINAL: tuple[BatchStatus, ...] = ("failed", "completed", "expired", "cancelled")


@dataclass(frozen=True, slots=True)
class BatchProblem:
    """One complaint of the provider about a whole file."""

    code: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch as the provider tells of it. File ids are empty where there is no file."""

    id: str
    status: BatchStatus
    total: int = 0
    completed: int = 0
    failed: int = 0
    output_file: str = ""
    error_file: str = ""
    input_file: str = ""
    problems: tuple[BatchProblem, ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    created: float | None = None

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


class AnswerLost(BackendUnavailable):
    """A request was sent and no answer came: nobody here knows whether it took effect."""


class BatchProvider(Protocol):
    """A provider of batches. Every call is made once: no retries inside.

    Each method may raise BackendUnavailable (refused or unreachable: nothing took effect) and
    AnswerLost (nobody knows).
    """

    @property
    def account(self) -> str:
        """Fingerprint of key, organisation and base URL; tells accounts apart, reveals nothing."""
        ...

    def upload(self, path: Path) -> str:
        """Upload a batch file; returns the file's id. Doing it twice costs nothing."""
        ...

    def create(self, file_id: str, metadata: Mapping[str, str]) -> str:
        """Create a batch, which costs money; returns its id."""
        ...

    def batches(self) -> Iterator[BatchState]:
        """The account's batches, newest first, as many as are asked for."""
        ...

    def poll(self, batch_id: str) -> BatchState: ...

    def cancel(self, batch_id: str) -> BatchState: ...

    def collect(self, file_id: str, into: Path, most_bytes: int) -> None:
        """Write the whole content of a result file to `into`; BackendUnavailable beyond the most.

        What stands there after an error is no file.
        """
        ...
