"""What breaks it? What the rewording of these pairs flips, and what it moves label by label."""

from __future__ import annotations

from math import isnan

import streamlit as st

from ivan_core.charts.imprint import rewording_dots
from ivan_core.domain.errors import IvanError
from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.figures import TITLES
from ivan_core.experiments.analysis.here import is_here, left_behind
from ivan_core.experiments.analysis.plan import rewordings_at_hand
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.breaks import (
    ATTENUATED,
    lacking,
    move_sentence,
    rewording_of,
    rewording_rows,
    too_few_sentence,
)
from ivan_core.experiments.analysis.sentences.noise import labeler_sentence
from ivan_core.experiments.analysis.steps.rewordings import shared_models
from ivan_core.experiments.analysis.views import reworded_rows
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import Gate, open_rewrite
from ivan_core.figures.words import FOR_THE_PAPER
from ivan_core.metrics.imprint.rewording import ITSELF
from ivan_core.metrics.robustness.sentences import (
    beyond_sentence,
    flips_sentence,
    label_flip_sentence,
    risk_sentence,
)
from pages.components.analysis.charts import effects_chart
from pages.components.analysis.chosen import chosen_effect
from pages.components.analysis.numbers import numbers_table
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import pick_model
from pages.components.kit.state import ANALYSIS, REWRITE, choose_run
from pages.components.kit.study import STUDY, study_now
from pages.components.kit.text import say
from pages.components.public.reading import told_instead


def what_breaks_it(analysed: Analysed) -> None:
    """Say what rewording flips, and draw what it moves beside what the imprint says."""
    if rewording_of(analysed) is None:
        _missing(analysed)
        return
    found = _numbers(analysed)
    models = shared_models(found.models, analysed.models) if found else {}
    if found:
        say(found.headline, "headline")
        for name in models.values():
            one = found.of(name)
            say(flips_sentence(name, one.flips if one else None))
            say(beyond_sentence(name, found.beyond(name, "surface")), "small", quiet=True)
    if why := lacking(analysed):
        say(f"Whether it moves rewards as the imprint says is not shown. {why}")
        _to_rewrite("Reword them again, with a labeler that is no rule →")
        return
    _moves(analysed)
    if found:
        _own_flips(found)
        _risks(found, list(models.values()))
    with st.expander(FOR_THE_PAPER):
        told = "What rewording moves, in numbers"
        numbers_table(analysed, analysed.tables["rewording"], "rewording-numbers", told)


def _missing(analysed: Analysed) -> None:
    """What is not there, and the one button that gets it."""
    say(lacking(analysed), "headline")
    if left_behind(analysed.spec):
        return  # what is not here cannot be analysed again; the page says it above
    done = rewordings_at_hand(analysed.spec.comparison, analysed.models)
    if not done:
        say("Pairs are reworded slightly, so that their meaning stays; do verdicts stay too?")
        _to_rewrite("Reword them →")
        return
    say(f"Run {done[0]} reworded pairs of this dataset.")
    if told_instead():
        return
    if st.button("Analyse again with it, a few seconds", type="primary", key="analyse-reworded"):
        spec = analysed.spec.model_copy(update={"rewording": done[0]})
        run_id, _ = runs.start(spec)
        choose_run(run_id, ANALYSIS)
        st.rerun()


def _to_rewrite(label: str) -> None:
    about = study_now()
    st.page_link(
        REWRITE, label=f":primary[{label}]", query_params={STUDY: about.id} if about else {}
    )


def _numbers(analysed: Analysed) -> Numbers | None:
    """What Rewrite shows of the rewording; None where it is not here any more."""
    try:
        return numbers(open_rewrite(analysed.spec.rewording), Gate())
    except IvanError as error:
        say(f"What Rewrite says of run {analysed.spec.rewording} is not here: {error.message}")
        return None


def _moves(analysed: Analysed) -> None:
    """One model's moves beside its imprint, and one label in a sentence."""
    table, labeler = analysed.tables["rewording"], analysed.manifest["rewording"]["labeler"]
    model = pick_model(list(dict.fromkeys(table["model"])), "breaks-model")
    rows = rewording_rows(analysed, model)
    left, right = st.columns([3, 2], gap="large")
    with left:
        name = f"breaks-{model}"
        if effects_chart(analysed, name, lambda dark: rewording_dots(rows, TITLES, dark=dark)):
            figure_menu(analysed.run.id, "rewording", model=model)
        for who in analysed.labelers:
            if who.id == labeler:  # whose imprint stands beside
                say(labeler_sentence(analysed, who), "small", quiet=True)
    own = analysed.table("rewording", model=model).to_dict("records")
    with right:
        for row in chosen_effect(own, "model")[:1]:
            say(TITLES.get(row["feature"], row["feature"]), "lead")
            say(move_sentence(row, labeler))
            reworded = is_here(analysed, analysed.spec.rewording)
            if row["feature"] in REWRITE_FEATURES and row["texts_changed"] and reworded:
                label = f":primary[See the {row['texts_changed']:,} texts in which it flips →]"
                query = reworded_rows(analysed, row["feature"])
                st.page_link(REWRITE, label=label, query_params=query)
        for row in own:
            if row["feature"] == ITSELF:
                say(move_sentence(row, labeler), "small", quiet=True)
        if told := too_few_sentence(analysed, model):
            say(told, "small", quiet=True)


def _own_flips(found: Numbers) -> None:
    """How often the labeler changes its own mind, which shrinks the moves."""
    rates = found.flip_rates.to_dict("records")
    if not rates:
        return
    say(ATTENUATED, "small", quiet=True)
    for row in rates:
        say(label_flip_sentence(row, label_name(str(row["feature"]))), "small")


def _risks(found: Numbers, models: list[str]) -> None:
    """Whether pairs at risk turn against the choice where a label flips, as Rewrite says it."""
    folded = st.expander(
        "Do verdicts turn where labels flip?", key="analysis-risks", on_change="rerun"
    )
    if not folded.open:
        return
    with folded:
        say("Only pairs that a model agreed on can turn against the choice.", "small", quiet=True)
        for model in models:
            say(model, "lead")
            rows = found.risks(model).to_dict("records")
            known = [row for row in rows if not isnan(row["difference"])]
            for row in known:
                say(risk_sentence(row, label_name(str(row["feature"]))), "small")
            if not known:
                say("No label flips often enough in pairs at risk to tell.", "small")
