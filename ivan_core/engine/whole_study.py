"""All that is left of a study, done one after the other: a run for each stage that costs nothing.

What is at work, was stopped or is done stands in the registry alone, so it can be cancelled, looked
at and gone on with run by run, and survives whoever began it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from ivan_core.domain.runs import Run, RunState, Span
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import access, handling as runs, studies
from ivan_core.engine.kind import experiments, kind_for, kind_of
from ivan_core.engine.plan import Proposal
from ivan_core.engine.proposals import proposals
from ivan_core.engine.studies import About


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a study: for each stage the run that could be started for nothing.

    `then` says what these make possible, and what is done last.
    """

    steps: tuple[Proposal, ...]
    then: tuple[str, ...] = ()

    def of(self, stage: str) -> Proposal | None:
        """What is left of a stage."""
        return next((step for step in self.steps if kind_of(step.kind).stage == stage), None)

    @property
    def takes(self) -> Span | None:
        """The time of all together; None where that of one is not known."""
        known = [step.takes for step in self.steps if step.takes is not None]
        if not known or len(known) < len(self.steps):
            return None
        return reduce(Span.__add__, known)


def left_of(rows: RowsSpec, found: Sequence[Run] = ()) -> Left:
    """What is left to do on some rows, of which there are these runs.

    A stage that is done or at work, or that costs something, downloads or asks a server, is left
    out, and so is one that must wait for runs that are at work.
    """
    steps = tuple(one for one in _left_of(rows, found) if not one.after)
    taken = _taken(found) | {kind_of(one.kind).stage for one in steps}
    then = (kind.then for kind in experiments() if kind.stage not in taken)
    return Left(steps, tuple(filter(None, then)))


def _taken(found: Sequence[Run]) -> set[str]:
    """The stages that are done or at work."""
    return {kind_of(run).stage for run in found if run.state is RunState.DONE or run.state.live}


def _left_of(rows: RowsSpec, found: Sequence[Run]) -> list[Proposal]:
    taken = _taken(found)
    steps: dict[str, Proposal] = {}
    for proposal in proposals(rows):
        stage = kind_of(proposal.kind).stage
        if proposal.starts and stage not in taken:
            steps.setdefault(stage, proposal)
    return list(steps.values())


def do_all(about: About) -> list[str]:
    """Begin all that is left of a study, one run after the other; returns the ids of these runs.

    What was stopped goes on, and what joins the results of others comes after them. Of two who ask
    at the same moment one begins each run.

    Raises:
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.START)
    run_ids: list[str] = []
    while begun := _begin_left(about):  # those begun make others possible
        run_ids += begun
    if run_ids:
        runs.spawn_in_turn(run_ids)
    return run_ids


def _begin_left(about: About) -> list[str]:
    found = studies.runs_of(about.id)
    begun = [_begun(step.spec, found) for step in _left_of(about.spec, found)]
    return [run_id for run_id in begun if run_id]


def _begun(spec: RowsSpec, found: Sequence[Run]) -> str:
    """Make a run wait for its worker: the stopped one of the same spec, else a new one.

    Returns its id; nothing where somebody else has just begun it.
    """
    spec = runs.located(spec)
    for run in found:
        if run.state.resumable and runs.any_spec_of(run) == spec:
            return run.id if runs.registry().requeue(run.id) else ""
    run_id, is_new = runs.registry().add(
        kind_for(spec).name, spec.model_dump_json(), spec.fingerprint
    )
    return run_id if is_new else ""


def cancel_all(about: About) -> None:
    """Cancel all runs of a study that are at work, the last one first, so that none begins.

    Raises:
        NotAllowed: the visitor may only read and review.
    """
    access.require(access.Action.CANCEL)
    for run in studies.runs_of(about.id):
        if runs.get(run.id).state.live:
            runs.stop(run.id)
