"""Labelling text by text, before it runs: what it takes, and the command line that does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from ivan_core.datasets.chosen_rows import choose_rows
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import AUTHOR, FEATURES
from ivan_core.domain.options import command_of, field_options
from ivan_core.domain.runs import Run, Span
from ivan_core.domain.specs import LabelSpec, RowsSpec
from ivan_core.engine import datasets, handling as runs
from ivan_core.engine.kind import kind_for
from ivan_core.engine.plan import Proposal, lexicon_time, overhead, rows_of, the
from ivan_core.experiments.labels.results import open_labels
from ivan_core.models import labelers
from ivan_core.models.names import AUTHORED, is_authored, is_rules, reader_note, shown_name

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
        if is_authored(self.labeler):
            told = f"{texts}, at once: those of minimal pairs have an author's label, others none."
            return " ".join([told, reader_note(self.labeler), *self.notes])
        by = reader_note(self.labeler) or f"{self.labeler} on Ollama labels them."
        took = f", {self.takes.words}" if self.takes else ""
        return " ".join([f"{texts}, one after the other{took}.", by, *self.notes])


def plan(spec: LabelSpec) -> LabelPlan:
    """What a labelling would take. Nothing has happened yet.

    Raises:
        BadInput: the dataset or the rows do not exist, or the labeler is not for them.
        NotAllowed: as `datasets.find`.
    """
    labelers.check_own(spec.labeler)
    labelers.check_authored(spec)
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        return LabelPlan(spec.labeler, None)
    choice = choose_rows(spec, dataset)
    pairs = len(choice.row_ids)
    takes = overhead() + lexicon_time(2 * pairs) if is_rules(spec.labeler) else None
    return LabelPlan(spec.labeler, pairs, choice.notes, takes)


def propose(rows: RowsSpec) -> Proposal:
    """Labelling some rows by the rules that ship with IVAN.

    Raises:
        BadInput: the rows do not exist.
        NotAllowed: as `datasets.find`.
    """
    spec = LabelSpec(**rows_of(rows))
    known = plan(spec)
    return Proposal(
        spec.kind,
        label_words(known.pairs),
        WHY,
        "rules",
        spec,
        known.pairs,
        known.takes,
        starts=True,
        second="Rules are free, and tell how far the labels of a model can be trusted.",
    )


def propose_authored(rows: RowsSpec) -> Proposal:
    """Taking the labels that were written with some rows of the sample.

    Raises:
        BadInput: the rows are not the sample's, or do not exist.
        NotAllowed: as `datasets.find`.
    """
    spec = LabelSpec(labeler=AUTHOR, **rows_of(rows))
    known = plan(spec)
    return Proposal(
        spec.kind,
        label_words(known.pairs),
        WHY,
        AUTHORED,
        spec,
        known.pairs,
        overhead(),
        starts=True,
        second="What was written with the sample tells how far any labeler can be trusted there.",
    )


def propose_beside(rows: RowsSpec) -> Proposal:
    """What adds to a labelling of the sample: authored labels, or to these alone the rules'.

    Raises:
        BadInput: the rows are not the sample's, do not exist, or have both.
        NotAllowed: as `datasets.find`.
    """
    authored = propose_authored(rows)
    there = {is_authored(name) for name in _labelers_of(authored.spec)}
    if there == {True, False}:
        raise BadInput("These rows have authored labels and others.", "Set them side by side.")
    return propose(rows) if True in there else authored


def _labelers_of(rows: RowsSpec) -> Iterator[str]:
    """Who has labelled all of some rows."""
    dataset = datasets.find(rows.dataset)
    if dataset is not None:
        wanted = set(choose_rows(rows, dataset).row_ids)
        for found in open_labels.on_pairs(str(dataset.about["content"])):
            if wanted <= set(found.row_ids):
                yield found.labeler


WHY = f"What do the texts say and do? {len(FEATURES)} questions about each."


def label_words(pairs: int | None) -> str:
    """What a labelling of some pairs does, as in "Label the 120 texts"."""
    return f"Label {the(None if pairs is None else 2 * pairs, 'text')}"


def choice_words(spec: RowsSpec) -> str:
    """What was chosen in a labelling, in a few words."""
    if spec.limit:
        rows = f"the first {spec.limit:,} pairs"
    elif spec.sample:
        rows = f"a random draw of {spec.sample:,} pairs"
    elif spec.row_ids is not None:
        rows = f"{len(spec.row_ids):,} pairs by number"
    else:
        rows = "all pairs"
    who = kind_for(spec).about(spec).rpartition(" | ")[2]
    return f"{spec.dataset.label}, {rows}, {shown_name(who)}"


_Rows = TypeVar("_Rows", bound=RowsSpec)


def label_command(run: Run) -> str:
    """The command that labels the same texts with the same labeler."""
    return command_of(rows_named(runs.spec_of(run, LabelSpec)))


def rows_named(spec: _Rows) -> _Rows:
    """The same labelling, its rows named by id where the command has no word for their choice."""
    said = {one.name for one in field_options(type(spec))}
    if all(getattr(spec, name) is None or name in said for name in ("limit", "sample")):
        return spec
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        return spec
    row_ids = tuple(choose_rows(spec, dataset).row_ids)
    return spec.model_copy(update={"limit": None, "sample": None, "row_ids": row_ids})
