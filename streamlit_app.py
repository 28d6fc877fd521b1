"""Home: a study begins with one button or with pairs of one's own; then what was found in it."""

from __future__ import annotations

from ivan_core.engine.studies import runs_of
from pages.components.home.first import first_visit, teaser, this_machine
from pages.components.home.study import begun_elsewhere, recent_runs, study_panel, texts_lost
from pages.components.kit.frame import frame
from pages.components.kit.study import is_new_study, study_now

with frame("Home"):
    about = study_now()
    own = runs_of(about.id) if about is not None else []
    if about is not None:
        study_panel(about, own)
    else:
        if not is_new_study():
            begun_elsewhere()
            texts_lost()
        first_visit()
    recent_runs(own)
    teaser()
    this_machine()
