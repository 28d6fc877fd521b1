"""A new labelling: its three steps, what was labelled elsewhere, and earlier labellings."""

from __future__ import annotations

from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.experiments.labels.results import labellings
from pages.components.kit.frame import list_of_runs
from pages.components.kit.text import say
from pages.components.labels.demo import demo_banner
from pages.components.labels.elsewhere import from_elsewhere
from pages.components.labels.form import label_form
from pages.components.labels.steps import CHOOSE, COST, FOLLOW, closed_step, open_step

_RECENT = 8


def new_labelling() -> None:
    """What the page offers where no labelling is looked at."""
    say(
        "What do the texts of a preference dataset say and do? A labeler answers 19 questions "
        "about each: is the reply helpful, harmless, honest, a refusal, what is it about?",
        "lead",
    )
    demo_banner()
    with open_step(CHOOSE):
        label_form()
    closed_step(COST)
    closed_step(FOLLOW)
    from_elsewhere()
    list_of_runs("Earlier labellings", labellings()[:_RECENT], runs.about, _below)


def _below(run: Run) -> str:
    counted = f", {run.done:,} of {run.total:,} texts" if run.total else ""
    return f"{run.label}: {run.state}{counted}"
