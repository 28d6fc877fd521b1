"""Rewrite: reword pairs slightly, and measure what moves although the meaning did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivan_core.domain.specs import RewriteSpec
from ivan_core.engine.work import BEGUN, Begun, begin
from ivan_core.experiments.rewrite.live import Tally
from ivan_core.experiments.rewrite.steps import CARDS, CHANGED, Steps, Tools
from ivan_core.experiments.rewrite.units import Unit, chunk_of, plan_units
from ivan_core.models.names import is_rules
from ivan_core.runs.context import Parts, RunContext

ORDER = "order"
"""Key of the part that says whether each chunk goes through all steps before the next."""
DEMO = "demo"
"""Key of the part that names the models for which the demo server answered."""
RULES_AND_LEXICON = (
    "ivan/rules changes the very words that ivan/lexicon reads: what it labels here is no evidence "
    "of how a change of words moves labels."
)

PROMPTS_STAND = (
    "A prompt that no rule of ivan/rules fits stands as it was; a text counts as reworded if its "
    "last reply is."
)


@dataclass(frozen=True)
class Reworded:
    """All that a finished run knows; its files are written from it and from its parts."""

    begun: Begun
    units: tuple[Unit, ...]
    facts: dict[str, object]


def run_rewrite(context: RunContext, spec: RewriteSpec, tools: Tools) -> Reworded:
    """Do what is left of a run. Calling it again after a kill goes on where it stopped.

    Raises:
        IvanError: the data, the rewriter, a model or the labeler cannot be had.
    """
    begun = begin(context, spec, lambda _: chunk_of(spec))
    dataset, choice = begun.dataset, begun.choice
    notes = [*begun.notes, *notes_of(spec), *_kept_notes(context.parts)]
    context.note(notes)
    if ORDER not in context.parts:
        context.parts.append(ORDER, [tools.together])
    units = units_of(context.parts, spec, choice.row_ids)
    tally = Tally(spec, units, len(choice.row_ids))
    done = 0
    for unit in units:
        if unit.key in context.parts:
            tally.add(unit, context.parts.rows(unit.key))
            done += unit.weight
    context.plan(total=sum(unit.weight for unit in units), done=done)
    context.tell(tally.facts)
    steps = Steps(context, spec, tools, dataset, units, notes)
    for unit in units:
        if unit.key in context.parts:
            continue
        rows, computed = steps.do(unit, done)
        context.parts.append(unit.key, rows)
        tally.add(unit, rows)
        done += unit.weight
        context.tell(tally.facts)
        context.finished(done, computed, [])
    return Reworded(begun, tuple(units), tally.facts)


def units_of(parts: Parts, spec: RewriteSpec, row_ids: Sequence[int]) -> list[Unit]:
    """The units of a run that has begun, finished or not, in the order in which they are done."""
    chunk, together = parts.rows(BEGUN)[0]["chunk"], parts.rows(ORDER)[0]
    return plan_units(spec, row_ids, chunk, together)


def _kept_notes(parts: Parts) -> Sequence[str]:
    """What earlier workers found out about those who answered."""
    keys = [key for kind in CARDS if (key := f"{CHANGED}|{kind}") in parts]
    found = [str(told) for key in keys for told in parts.rows(key)]
    if DEMO in parts:
        named = " and ".join(parts.rows(DEMO))
        found = [
            f"IVAN's demo server answered for {named}: by rules, whatever the name says.",
            *found,
        ]
    return found


def notes_of(spec: RewriteSpec) -> Sequence[str]:
    """What a reader of the run should know of who works on it."""
    if not is_rules(spec.rewriter):
        return []
    notes = [PROMPTS_STAND] if spec.scope == "shared" else []
    return [*notes, RULES_AND_LEXICON] if is_rules(spec.labeler) else notes
