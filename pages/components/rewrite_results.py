"""What a rewording found: a sentence, the slider of meaning, flips, and other views as tabs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from ivan_core.charts.robustness import flip_bars, reward_change_dots
from ivan_core.charts.robustness_cells import change_squares
from ivan_core.experiments.rewrite import RULES_AND_LEXICON
from ivan_core.metrics.robustness import REWORDED, SECOND, SURFACE
from ivan_core.metrics.robustness_labels import LEAST_UNCHANGED
from ivan_core.metrics.robustness_sentences import (
    beyond_sentence,
    change_sentence,
    correlation_sentence,
    flips_sentence,
    label_flip_sentence,
    needed_sentence,
    risk_sentence,
)
from ivan_core.workspace import rewrite_words
from ivan_core.workspace.label_filters import label_name
from ivan_core.workspace.rewrite_filters import PairFilter, cell_of
from ivan_core.workspace.rewrite_numbers import Gate, Numbers, numbers, read_gate
from ivan_core.workspace.rewrite_results import RewriteResults, files
from pages.components.carried import write_query
from pages.components.rewrite_rows import clicked_chart, pair_rows, show_pairs
from pages.components.state import dark
from pages.components.text import md_escape, say, short_names

VIEW = "view"
"""The question that is open."""
_LOWEST = 0.5
"""Where the slider begins: less alike is hardly the same meaning."""
Point = Mapping[str, Any]


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
        _flips(found)
        _tabs(results, found)
    pair_rows(results, found)
    _details(results)


def _slider(gate: Gate) -> None:
    """How alike a rewording must be to count; every number on the page follows."""
    for name, value in (
        ("meaning", gate.similarity), ("lengths", (gate.shortest, gate.longest)),
    ):  # fmt: skip
        st.session_state[f"gate-{name}"] = value

    def moved() -> None:
        shortest, longest = st.session_state.get("gate-lengths", (gate.shortest, gate.longest))
        asked = Gate(st.session_state["gate-meaning"], shortest, longest)
        write_query(asked.query)

    left, right = st.columns([5, 1], vertical_alignment="bottom")
    left.slider(
        "The meaning counts as kept from this similarity on", min(_LOWEST, gate.similarity), 1.0,
        step=0.005, format="%.3f", key="gate-meaning", on_change=moved,
        help="The cosine of the less similar side with its original, by the similarity model: 1 "
        "means the same. Every number on this page is of the rewordings that pass.",
    )  # fmt: skip
    with right.popover("More", key="gate-more"):
        st.slider(
            "And a length between these shares of the original's", 0.0, 5.0, step=0.05,
            key="gate-lengths", on_change=moved,
        )  # fmt: skip


def _accounted(results: RewriteResults, found: Numbers) -> None:
    """Where every pair is; a number that is not 0 opens its rows."""
    counts = rewrite_words.accounted(results, found)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="accounted"):
        _word(f"{len(results.row_ids):,} pairs =")
        for place, (state, words, count) in enumerate(counts):
            if place:
                _word("+")
            label = f"{count:,} {words}"
            if not count:
                _word(label)
                continue
            st.button(
                label, key=f"state-{state}", on_click=show_pairs,
                args=(PairFilter(state=state),), help="Show these pairs",
            )  # fmt: skip
    reasons = rewrite_words.reasons(results)
    if reasons:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="reasons"):
            _word("Texts refused:")
            for reason, count in reasons.items():
                st.button(
                    f"{count:,} {md_escape(reason)}", key=f"reason-{reason}", type="tertiary",
                    on_click=show_pairs, args=(PairFilter(reason=reason),),
                    help="Show the pairs with such a text, and what the rewriter answered",
                )  # fmt: skip


def _word(text: str) -> None:
    """A piece of a line that is no button; our own words only."""
    st.html(f'<span style="opacity:.72;white-space:nowrap">{text}</span>', width="content")


def _flips(found: Numbers) -> None:
    """Verdicts that turned, both ways, beside the surface change."""
    shown = [one for one in found.robustness if one.variant in (REWORDED, SURFACE)]

    def opened(point: Point) -> None:
        if point.get("direction"):
            show_pairs(
                PairFilter(model=str(point["model"]), flip=str(point["direction"]), of=_of(point))
            )

    clicked_chart(flip_bars(shown, dark=dark()), "rewrite-flips", "flip", opened)
    for one in shown:
        if one.variant == REWORDED:
            needed = needed_sentence(one.flips)
            told = flips_sentence(one.model, one.flips)
            say(f"{told} {needed}".strip(), "small", quiet=not needed)


def _of(point: Point) -> str:
    variant = str(point.get("variant") or REWORDED)
    return "" if variant == REWORDED else variant


def _tabs(results: RewriteResults, found: Numbers) -> None:
    """Questions, of which the open one computes."""
    tabs: dict[str, Callable[[RewriteResults, Numbers], None]] = {
        "How far do rewards move?": _changes,
        "Is it more than noise?": _noise,
        "Does it move more where less is alike?": _alike,
    }
    if results.spec.labeler:
        tabs["Do labels flip?"] = _labels
    names = list(tabs)
    asked = st.query_params.get(VIEW, "")
    places = [str(place) for place in range(len(names))]
    st.session_state["rewrite-view"] = names[int(asked) if asked in places else 0]

    def turn() -> None:
        write_query({VIEW: str(names.index(st.session_state["rewrite-view"]))})

    tab = st.segmented_control(
        "Questions", names, key="rewrite-view", label_visibility="collapsed", required=True,
        on_change=turn,
    )  # fmt: skip
    tabs[tab or names[0]](results, found)


def _changes(results: RewriteResults, found: Numbers) -> None:
    """Mean changes of the reward, beside the surface change."""
    shown = [one for one in found.robustness if one.variant in (REWORDED, SURFACE)]

    def opened(point: Point) -> None:
        if point.get("side"):
            show_pairs(
                PairFilter(
                    model=str(point["model"]), side=str(point["side"]), of=_of(point),
                    order="reward",
                )
            )  # fmt: skip

    clicked_chart(reward_change_dots(shown, dark=dark()), "rewrite-changes", "change", opened)
    for one in shown:
        if one.variant == REWORDED:
            sides = (("chosen", one.chosen_correlation), ("rejected", one.rejected_correlation))
            told = [correlation_sentence(one.model, side, value) for side, value in sides]
            say(" ".join([change_sentence(one), *told]), "small", quiet=True)


def _noise(results: RewriteResults, found: Numbers) -> None:
    """Rewording beside its two references, pair by pair."""
    say(
        "Reward models are deterministic: nothing moves unless the text does. So rewording is set "
        "beside a change of punctuation and space alone, and beside a second rewording of the same "
        "text; intervals are drawn again by pair.",
        "small", quiet=True,
    )  # fmt: skip
    for model in found.models:
        say(beyond_sentence(model, found.beyond(model, SURFACE)))
        if results.spec.second:
            say(beyond_sentence(model, found.beyond(model, SECOND)))


def _alike(results: RewriteResults, found: Numbers) -> None:
    """Pairs in bins of similarity and change of the margin."""
    names = short_names(found.models)
    model = found.models[0]
    if len(found.models) > 1:
        model = st.segmented_control(
            "Model", found.models, key="alike-model", default=model, required=True,
            format_func=lambda name: md_escape(names[name]), label_visibility="collapsed",
        ) or model  # fmt: skip
    cells = found.cells(model)

    def opened(point: Point) -> None:
        own = cells[cells["cell"] == point.get("cell")]
        if len(own):
            ends = (float(own.iloc[0][name]) for name in ("x0", "x1", "y0", "y1"))
            show_pairs(PairFilter(model=model, cell=cell_of(*ends)))

    clicked_chart(change_squares(cells, dark=dark()), f"rewrite-alike-{model}", "cell", opened)


def _labels(results: RewriteResults, found: Numbers) -> None:
    """Labels that flip, less what the labeler flips by itself, and what that does to verdicts."""
    say(f"Labelled by {rewrite_words.labeler_words(results.spec)}.", "small", quiet=True)
    if RULES_AND_LEXICON in results.run.notes:
        say(f"{RULES_AND_LEXICON} So whether verdicts turn where labels flip is not shown.")
    rates = found.flip_rates
    if rates.empty:
        say("No text has labels before and after.")
        return
    for row in rates.to_dict("records"):
        feature = str(row["feature"])
        with st.container(horizontal=True, vertical_alignment="center", key=f"flip-{feature}"):
            say(label_flip_sentence(row, label_name(feature)))
            for move in ("lost", "gained"):
                if row[move]:
                    st.button(
                        f"{row[move]:,} {move}", key=f"move-{feature}-{move}",
                        on_click=show_pairs, args=(PairFilter(label=feature, move=move),),
                        help="Show the pairs with such a text",
                    )  # fmt: skip
    if (rates["own_n"] < LEAST_UNCHANGED).any():
        say(
            f"The labeler's own flips are subtracted from {LEAST_UNCHANGED} texts on that were "
            "labelled twice unchanged.",
            "small", quiet=True,
        )  # fmt: skip
    if RULES_AND_LEXICON not in results.run.notes:
        _risks(found)


def _risks(found: Numbers) -> None:
    """Whether verdicts turn where labels flip, computed when it is opened."""
    folded = st.expander("Do verdicts turn where labels flip?", key="risks", on_change="rerun")
    if folded.open:
        with folded:
            for model in found.models:
                say(model, "lead")
                for row in found.risks(model).to_dict("records"):
                    say(risk_sentence(row, label_name(str(row["feature"]))), "small")


def _details(results: RewriteResults) -> None:
    """Files to download, the command that does the same, and the manifest."""
    with st.expander("Files, command and settings"):
        say("The same from the command line:", "small", quiet=True)
        st.code(rewrite_words.command(results.spec), language=None, wrap_lines=True)
        with st.container(horizontal=True):
            for path in files(results):
                st.download_button(
                    md_escape(path.name), path.read_bytes, path.name, key=f"file-{path.name}",
                    on_click="ignore",
                )  # fmt: skip
        if results.manifest is not None:
            st.json(dict(results.manifest), expanded=1)
