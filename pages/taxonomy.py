"""Taxonomy: label every text, with a provider's batches or with a labeler of one's own."""

from __future__ import annotations

from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from pages.components.kit.frame import frame, page_title, tell_news
from pages.components.kit.state import TAXONOMY, chosen_run
from pages.components.kit.text import say
from pages.components.labels.new import new_labelling
from pages.components.labels.one_run import ONE_RUN
from pages.components.study.next import what_next

with frame("Taxonomy"):
    run_id = chosen_run(TAXONOMY)
    run = runs.get(run_id) if run_id else None
    page_title(TAXONOMY, "Taxonomy", "New labelling", run)
    tell_news()
    if run is None:
        new_labelling()
    else:
        say(f"{runs.about(run).replace(' | ', ' · ')} · run {run.id}", "small", quiet=True)
        ONE_RUN[run.kind](run)
        if run.state is RunState.DONE:
            what_next()
