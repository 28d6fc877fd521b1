"""What could come next in a study: of each kind of run one proposal, told by the kind itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ivan_core.domain.errors import IvanError
from ivan_core.domain.runs import ACTIVE, RunState
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import studies
from ivan_core.engine.kind import experiments, kind_of
from ivan_core.engine.plan import Proposal
from ivan_core.engine.studies import About

Proposes = Callable[[RowsSpec], Proposal]


def proposals(rows: RowsSpec) -> list[Proposal]:
    """What each kind of run would take on some rows, in the order of the stages of a study.

    A kind that proposes nothing is left out, and so is one that cannot be had here now.
    """
    return _of((kind.proposes for kind in experiments()), rows)


def left_in(about: About) -> list[Proposal]:
    """What is neither done in a study nor at work there; last what adds to stages that are done,
    which says so, and whose `why` is what it adds.
    """
    runs = studies.runs_of(about.id)
    finished = {run.kind for run in runs if run.state is RunState.DONE}
    done = {kind_of(name).stage for name in finished}
    begun = {kind_of(run).stage for run in runs if run.state in ACTIVE}
    free = [kind for kind in experiments() if kind.stage not in begun]
    new = (kind.proposes for kind in free if kind.stage not in done)
    first = [one for one in _of(new, about.spec) if not one.after]
    others = (
        kind.adds if kind.name in finished else kind.proposes for kind in free if kind.stage in done
    )
    second = [
        replace(one, does=f"{one.does} once more", why=one.second)
        for one in _of(others, about.spec)
        if one.second
    ]
    return [*first, *second]


def _of(told: Iterable[Proposes | None], rows: RowsSpec) -> list[Proposal]:
    found = []
    for propose in filter(None, told):
        try:
            found.append(propose(rows))
        except IvanError:  # its form says why
            continue
    return found
