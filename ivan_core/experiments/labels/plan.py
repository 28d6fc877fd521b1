"""Labelling text by text, before it runs: what it takes, and who can label."""

from __future__ import annotations

from dataclasses import dataclass

from ivan_core.datasets.prepared import choose_rows
from ivan_core.domain.runs import Span
from ivan_core.domain.specs import LabelSpec, RowsSpec
from ivan_core.engine import datasets
from ivan_core.engine.kind import kind_for
from ivan_core.engine.plan import lexicon_time, overhead
from ivan_core.models.names import is_rules, rules_note, shown_name

DEMO_NOTE = (
    "The demo server labels by the rules of ivan/lexicon, whatever model is named: how far it "
    "agrees with others says nothing about models."
)


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
        by = rules_note(self.labeler) or f"{self.labeler} on Ollama labels them."
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
    takes = overhead() + lexicon_time(2 * pairs) if is_rules(spec.labeler) else None
    return LabelPlan(spec.labeler, pairs, choice.notes, takes)


def choice_words(spec: RowsSpec) -> str:
    """What was chosen in a labelling, in a few words."""
    if spec.limit:
        rows = f"the first {spec.limit:,} rows"
    elif spec.sample:
        rows = f"a random draw of {spec.sample:,} rows"
    elif spec.row_ids is not None:
        rows = f"{len(spec.row_ids):,} rows by id"
    else:
        rows = "all rows"
    who = kind_for(spec).about(spec).rpartition(" | ")[2]
    return f"{spec.dataset.label}, {rows}, {shown_name(who)}"
