"""Compare: do reward models side with the choice?"""

from __future__ import annotations

from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.results import open_results
from ivan_core.metrics.models.sentences import named
from pages.components.compare.form import compare_form
from pages.components.compare.live import PANEL, stopped_at
from pages.components.compare.results import comparison
from pages.components.kit.frame import frame, page_title
from pages.components.kit.live import live, stopped
from pages.components.kit.state import COMPARE, chosen_run
from pages.components.kit.text import say
from pages.components.runs.duplicate import change_button
from pages.components.study.next import what_next

with frame("Compare"):
    run_id = chosen_run()
    run = runs.get(run_id) if run_id else None
    page_title(COMPARE, "Compare", "New comparison", run)
    if run is not None:
        spec = runs.spec_of(run, CompareSpec)
        about = f"{spec.dataset.label} · {named(spec.models)} · run {run.id}"
        say(about, "small", quiet=True)
    if run is None:
        compare_form()
    elif run.state.live:
        live(run.id, PANEL)
    else:
        if run.state.resumable:
            stopped(run, stopped_at(run), change_button)
        if run.done or run.state is RunState.DONE:
            comparison(open_results(run.id))
        if run.state is RunState.DONE:
            what_next()
