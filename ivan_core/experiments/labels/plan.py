"""Labelling text by text, before it runs: what it takes, who can label, and pulling a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ivan_core.datasets.rows import choose_rows
from ivan_core.domain.durations import Span
from ivan_core.domain.label_specs import LEXICON, LabelSpec
from ivan_core.engine import access, datasets
from ivan_core.engine.speeds import lexicon_time, overhead

DEMO_NOTE = (
    "The demo server labels by the rules of ivan/lexicon, whatever model is named: how far it "
    "agrees with others says nothing about models."
)
LEXICON_NOTE = (
    "ivan/lexicon is rule-based: it looks for words and shapes of text, it does not understand."
)
SUGGESTED = ("gemma4:e4b", "gemma4:12b", "qwen3.5:4b", "qwen3.5:9b")
"""Models of an Ollama server that label well for their size."""


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What a labelling would take; `pairs` is None while the dataset was never read here."""

    labeler: str
    pairs: int | None
    notes: tuple[str, ...] = ()
    takes: Span | None = None

    @property
    def sentence(self) -> str:
        texts = f"{2 * self.pairs:,} texts" if self.pairs is not None else "All texts"
        by = LEXICON_NOTE if self.labeler == LEXICON else f"{self.labeler} on Ollama labels them."
        took = f", {self.takes.words}" if self.takes else ""
        return " ".join([f"{texts}, one after the other{took}.", by, *self.notes])


def plan(spec: LabelSpec) -> LabelPlan:
    """What a labelling would take. Nothing has happened yet.

    Raises:
        BadInput: the dataset or the rows do not exist.
        NotAllowed: as `datasets.find`.
    """
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        return LabelPlan(spec.labeler, None)
    choice = choose_rows(spec, dataset)
    pairs = len(choice.row_ids)
    takes = overhead() + lexicon_time(2 * pairs) if spec.is_rules else None
    return LabelPlan(spec.labeler, pairs, choice.notes, takes)


def installed() -> tuple[str, ...]:
    """The models of the Ollama server.

    Raises:
        BackendUnavailable: the server is away.
    """
    from ivan_core.backends.ollama.client import OllamaServer

    return tuple(model.name for model in OllamaServer().models())


def has(model: str) -> bool:
    """Whether a labeler is ready: the rules always are, a model where the server has it.

    Raises:
        BackendUnavailable: the server is away.
    """
    if model == LEXICON:
        return True
    from ivan_core.backends.ollama.client import ModelMissing, OllamaServer

    try:
        OllamaServer().find(model)
    except ModelMissing:
        return False
    return True


def pull(model: str, progress: Callable[[int, int, str], None]) -> None:
    """Download a model to the Ollama server, unless it is there.

    Raises:
        BackendUnavailable: the server is away, has no such model to give, or stopped half way.
        NotAllowed: the visitor may only read and review.
    """
    access.require(access.Action.PULL)
    if model == LEXICON or has(model):
        return
    from ivan_core.backends.ollama.client import OllamaServer

    OllamaServer().pull(model, progress)
