"""Analysis: what does a reward model reward, and where does it go against people?"""

from __future__ import annotations

from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.results import open_analysis
from pages.components.analysis.form import analysis_form
from pages.components.analysis.live import PANEL
from pages.components.analysis.results import analysis
from pages.components.kit.frame import frame, page_title
from pages.components.kit.live import live, stopped
from pages.components.kit.state import ANALYSIS, chosen_run
from pages.components.kit.text import say
from pages.components.runs.duplicate import change_button
from pages.components.study.next import what_next

with frame("Analysis"):
    run_id = chosen_run(ANALYSIS)
    run = runs.get(run_id) if run_id else None
    page_title(ANALYSIS, "Analysis", "New analysis", run)
    if run is not None:
        say(f"{runs.about(run)} | run {run.id}", "small", quiet=True)
    if run is None:
        analysis_form()
    elif run.state.live:
        live(run.id, PANEL)
    elif run.state is RunState.DONE:
        analysis(open_analysis(run.id))
        what_next()
    else:
        stopped(run, "An analysis takes seconds, so it begins anew.", change_button)
