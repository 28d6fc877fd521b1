"""Starting a rewording: what it would take, a model to be pulled first, a cost to accept."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.estimates import usd
from ivan_core.domain.specs import RewriteSpec
from ivan_core.experiments.rewrite import plan as rewrite
from ivan_core.experiments.rewrite.cost import total
from ivan_core.experiments.rewrite.plan import RewritePlan
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON
from ivan_core.models.names import is_rules, on_ollama, on_openai, rules_note
from ivan_core.models.servers import OllamaModels, provider
from pages.components.kit.form import pull_button
from pages.components.kit.frame import problems_shown, show_error
from pages.components.kit.state import REWRITE, choose_run
from pages.components.kit.text import say


def offer(spec: RewriteSpec, models: OllamaModels) -> None:
    """Say what a rewording would take and start it by one button."""
    try:
        plan = rewrite.plan(spec)
    except IvanError as error:
        show_error(error)
        return
    if RULES_AND_LEXICON in plan.notes:
        with st.container(border=True, key="rules-on-rules"):
            say(f"{RULES_AND_LEXICON} The two are never combined as evidence.")
    asked = (spec.rewriter, spec.labeler)
    wanted, elsewhere = on_ollama(asked), on_openai(asked)
    if wanted and models.problem:
        say(models.problem, "lead")
        say(f"{models.hint} Or choose ivan/rules: it is always here.".strip(), quiet=True)
        return
    missing = [name for name in wanted if not models.has(name)]
    if missing:
        pull_button(missing[0], "It can reword now.")
        return
    pairs = "1 pair" if plan.pairs == 1 else f"{plan.pairs:,} pairs" if plan.pairs else "the pairs"
    if st.button(f"Reword {pairs}", type="primary", key="reword"):
        if plan.paid:
            _accept(spec, plan)
        else:
            begin(spec)
            st.rerun()
    told = [plan.sentence, *(note for note in plan.notes if note != RULES_AND_LEXICON)]
    told += [rules_note(spec.rewriter)] if is_rules(spec.rewriter) else []
    told += ["Nothing is sent anywhere."] if not wanted and not elsewhere else []
    told += ["Texts go to your Ollama server only."] if wanted and not elsewhere else []
    say(" ".join(told), "small", quiet=True)


def begin(spec: RewriteSpec, accept_cost: bool = False) -> None:
    """Start a rewording, or find the one that is at it, and look at it from now on."""
    run_id, _ = rewrite.start(spec, accept_cost=accept_cost)
    choose_run(run_id, REWRITE)


@st.dialog("The provider charges for this", width="medium")
def _accept(spec: RewriteSpec, plan: RewritePlan) -> None:
    """Nothing is sent before the box is ticked."""
    with problems_shown():
        most = total(plan.costs)
        if most is not None:
            say(
                f"At the most {usd(most.bound)}, about {usd(most.typical)} as a rule, charged "
                "to the account of your key.",
                "lead",
            )
        for line in plan.cost_sentences:
            if line != plan.together:
                say(line, quiet=most is not None)
        say(
            f"The texts of these pairs are sent to {provider().host}, one request after the other. "
            "Cancel stops it at any time; what was sent by then is charged.",
            quiet=True,
        )
        ticked = st.checkbox("I accept this cost", key="accept-cost")
        if st.button("Send and reword", type="primary", disabled=not ticked, key="accepted"):
            begin(spec, accept_cost=True)
            st.rerun()
