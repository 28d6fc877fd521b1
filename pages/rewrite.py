"""Rewrite: what moves when texts are reworded although their meaning did not?"""

from __future__ import annotations

from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.rewrite import sentences as rewrite_sentences
from ivan_core.experiments.rewrite.results import open_rewrite
from pages.components.kit.frame import frame, list_of_runs, page_title, tell_news
from pages.components.kit.live import live, stopped
from pages.components.kit.state import REWRITE, chosen_row, chosen_run
from pages.components.kit.text import say
from pages.components.rewrite.form import rewrite_form
from pages.components.rewrite.live import PANEL
from pages.components.rewrite.results import rewrite_results
from pages.components.rewrite.rows import one_row
from pages.components.runs.duplicate import change_button
from pages.components.study.next import what_next

_RECENT = 8

with frame("Rewrite"):
    run_id = chosen_run(REWRITE)
    run = runs.get(run_id) if run_id else None
    row = chosen_row()
    page_title(REWRITE, "Rewrite", "New rewording", run)
    if run is not None:
        say(f"{runs.about(run).replace(' | ', ' · ')} · run {run.id}", "small", quiet=True)
    tell_news()
    if run is None:
        rewrite_form()
        earlier = runs.every("rewrite")[:_RECENT]
        list_of_runs(
            "Earlier rewordings", earlier, runs.about, lambda run: f"{run.label}: {run.state}"
        )
    elif run.state.live:
        live(run.id, PANEL)
    else:
        if run.state.resumable:
            stopped(run, rewrite_sentences.stopped_at(run), change_button)
        if run.done or run.state is RunState.DONE:
            results = open_rewrite(run.id)
            if row is None:
                rewrite_results(results)
                if run.state is RunState.DONE:
                    what_next()
            else:
                one_row(results, row)
