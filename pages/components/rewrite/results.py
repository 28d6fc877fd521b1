"""What a rewording found: a sentence, the slider of meaning, flips, rows, and what to take away."""

from __future__ import annotations

import streamlit as st

from ivan_core.charts.robustness import flip_bars
from ivan_core.domain.options import command_of
from ivan_core.experiments.rewrite import words as rewrite_words
from ivan_core.experiments.rewrite.conditions import FlipIs, ReasonIs, StateIs
from ivan_core.experiments.rewrite.figures import gate_words
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults, files, read_gate
from ivan_core.metrics.robustness.sentences import flips_sentence, needed_sentence
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import Point, files_and_settings, quotable, word
from pages.components.kit.state import dark, write_query
from pages.components.kit.text import md_escape, say
from pages.components.rewrite.rows import marks, pair_rows, show_pairs
from pages.components.rewrite.tabs import changed, drawn, rewrite_tabs

_LOWEST = 0.5
"""Where the slider begins: less alike is hardly the same meaning."""


def rewrite_results(results: RewriteResults) -> None:
    """Draw what a rewording found, as far as it is."""
    gate = read_gate(st.query_params.to_dict())
    found = numbers(results, gate)
    head = st.container()
    _slider(gate)
    with head:
        say(found.headline, "headline")
        for line in rewrite_words.notes(results):
            say(line, "small", quiet=True)
        _accounted(results, found)
    if found.kept is not None:
        _flips(results.run.id, found, gate_words(gate))
        rewrite_tabs(results, found, gate_words(gate))
    pair_rows(results, found)
    quotable(results.run.id)
    files_and_settings(command_of(results.spec), files(results), results.manifest)


def _slider(gate: Gate) -> None:
    """How alike a rewording must be to count; every number on the page follows."""
    for name, value in (("meaning", gate.similarity), ("lengths", (gate.shortest, gate.longest))):
        st.session_state[f"gate-{name}"] = value

    def moved() -> None:
        shortest, longest = st.session_state.get("gate-lengths", (gate.shortest, gate.longest))
        asked = Gate(st.session_state["gate-meaning"], shortest, longest)
        write_query(asked.query)

    left, right = st.columns([5, 1], vertical_alignment="bottom")
    left.slider(
        "The meaning counts as kept from this similarity on",
        min(_LOWEST, gate.similarity),
        1.0,
        step=0.005,
        format="%.3f",
        key="gate-meaning",
        on_change=moved,
        help="The cosine of the less similar side with its original, by the similarity model: 1 "
        "means the same. Every number on this page is of the rewordings that pass.",
    )
    with right.popover("More", key="gate-more"):
        st.slider(
            "And a length between these shares of the original's",
            0.0,
            5.0,
            step=0.05,
            key="gate-lengths",
            on_change=moved,
        )


def _accounted(results: RewriteResults, found: Numbers) -> None:
    """Where every pair is; a number that is not 0 opens its rows."""
    counts = rewrite_words.accounted(results, found)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="accounted"):
        word(f"{len(results.row_ids):,} pairs =")
        for place, (state, words, count) in enumerate(counts):
            if place:
                word("+")
            label = f"{count:,} {words}"
            if not count:
                word(label)
                continue
            st.button(
                label,
                key=f"state-{state}",
                on_click=show_pairs,
                args=(StateIs(state=state),),
                help="Show these pairs",
            )
    reasons = rewrite_words.reasons(results)
    if reasons:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="reasons"):
            word("Texts refused:")
            for reason, count in reasons.items():
                st.button(
                    f"{count:,} {md_escape(reason)}",
                    key=f"reason-{reason}",
                    type="tertiary",
                    on_click=show_pairs,
                    args=(ReasonIs(reason=reason),),
                    help="Show the pairs with such a text, and what the rewriter answered",
                )


def _flips(run_id: str, found: Numbers, gate: str | None) -> None:
    """Verdicts that turned, both ways, beside the surface change."""
    shown, full = drawn(found)

    def opened(point: Point) -> None:
        if point.get("direction"):
            show_pairs(
                FlipIs(
                    model=full.get(str(point["model"]), ""),
                    flip=str(point["direction"]),
                    of=changed(point),
                )
            )

    marks(flip_bars(shown, dark=dark()), "rewrite-flips", "flip", opened)
    figure_menu(run_id, "flips", gate=gate)
    for model in found.models:
        one = found.of(model)
        if one is not None:
            needed = needed_sentence(one.flips)
            say(f"{flips_sentence(model, one.flips)} {needed}".strip(), "small", quiet=not needed)
