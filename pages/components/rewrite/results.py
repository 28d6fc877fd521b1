"""What a rewording found: a sentence, the slider of meaning, flips, rows, and what to take away.

Further questions stand in tabs: how far, beyond noise, where, and which labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import isnan

import streamlit as st

from ivan_core.charts.robustness import change_squares, flip_bars, reward_change_dots
from ivan_core.domain.options import command_of
from ivan_core.domain.words import short_names
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.rewrite import sentences as rewrite_sentences
from ivan_core.experiments.rewrite.conditions import (
    MOVES,
    CellIs,
    FlipIs,
    LabelMoves,
    ReasonIs,
    RowOrder,
    StateIs,
    cell_of,
)
from ivan_core.experiments.rewrite.figures import gate_words
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults, files, read_gate
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON
from ivan_core.metrics.robustness.changes import REWORDED, SURFACE, Robustness
from ivan_core.metrics.robustness.labels import LEAST_EVENTS, LEAST_FLIPS, LEAST_UNCHANGED
from ivan_core.metrics.robustness.sentences import (
    beyond_sentence,
    change_sentence,
    flips_sentence,
    label_flip_sentence,
    needed_sentence,
    risk_cells,
    risk_sentence,
    together_sentence,
    twice_sentence,
)
from ivan_core.metrics.robustness.table import BESIDE, measures
from ivan_core.models.names import shown_name
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import (
    Point,
    files_and_settings,
    one_question,
    pick_model,
    quotable,
    word,
)
from pages.components.kit.sent_page import page_to_send
from pages.components.kit.state import dark, write_query
from pages.components.kit.text import md_escape, say
from pages.components.rewrite.rows import marks, pair_rows, show_pairs

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
        for line in rewrite_sentences.notes(results):
            say(line, "small", quiet=True)
        _accounted(results, found)
    if found.kept is not None:
        _flips(results.run.id, found, gate_words(gate))
        rewrite_tabs(results, found, gate_words(gate))
    pair_rows(results, found)
    quotable(results.run.id)
    files_and_settings(command_of(results.spec), files(results), results.manifest)
    page_to_send(results.run, "rewrite-page")


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
        help="How alike the less similar reply is to its original, by the similarity model (a "
        "cosine): 1 means the same. Every number on this page is of the rewordings that pass.",
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
    counts = rewrite_sentences.accounted(results, found)
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
    reasons = rewrite_sentences.reasons(results)
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

    if marks(flip_bars(shown, dark=dark()), "rewrite-flips", "flip", opened):
        figure_menu(run_id, "flips", gate=gate)
    for model in found.models:
        one = found.of(model)
        if one is not None:
            needed = needed_sentence(one.flips)
            say(f"{flips_sentence(model, one.flips)} {needed}".strip(), "small", quiet=not needed)


def drawn(found: Numbers) -> tuple[list[Robustness], dict[str, str]]:
    """What charts draw, each model by its short name, and the models by those names."""
    names = short_names(found.models)
    shown = [
        replace(one, model=names[one.model])
        for one in found.robustness
        if one.variant in (REWORDED, SURFACE)
    ]
    return shown, {name: model for model, name in names.items()}


def changed(point: Point) -> str:
    """The change of the text that a mark stands for, as a filter names it."""
    variant = str(point.get("variant") or REWORDED)
    return "" if variant == REWORDED else variant


def rewrite_tabs(results: RewriteResults, found: Numbers, gate: str | None) -> None:
    """Questions, of which the open one computes; `gate` is what a figure must be told of it."""
    tabs: dict[str, Callable[[RewriteResults, Numbers, str | None], None]] = {
        "How far do rewards move?": _changes,
        "Is it more than noise?": _noise,
        "Do larger rewordings move it more?": _alike,
    }
    if results.spec.labeler:
        tabs["Do labels flip?"] = _labels
    asked = {name: partial(draw, results, found, gate) for name, draw in tabs.items()}
    one_question(asked, "rewrite-view")


def _changes(results: RewriteResults, found: Numbers, gate: str | None) -> None:
    """Mean changes of the reward, beside the surface change."""
    shown, full = drawn(found)

    def opened(point: Point) -> None:
        if point.get("side"):
            show_pairs(
                sort=RowOrder(
                    model=full.get(str(point["model"]), ""),
                    side=str(point["side"]),
                    of=changed(point),
                    order="reward",
                )
            )

    if marks(reward_change_dots(shown, dark=dark()), "rewrite-changes", "change", opened):
        figure_menu(results.run.id, "changes", gate=gate)
    for model in found.models:
        one = found.of(model)
        if one is not None:
            say(change_sentence(one), "small", quiet=True)
            _beside(found, model)


def _beside(found: Numbers, model: str) -> None:
    """Every measure of one model beside the surface change and a second rewording."""
    st.dataframe(
        measures(found.beside(model)),
        hide_index=True,
        key=f"beside-{model}",
        placeholder="",
        column_config={
            "measure": st.column_config.TextColumn("Mean change, or share", width=270),
            **{words: st.column_config.TextColumn(words, width=190) for words in BESIDE.values()},
        },
        height="content",
        alt=f"What rewording moves in {model}, beside its references",
    )


def _noise(results: RewriteResults, found: Numbers, gate: str | None) -> None:
    """Rewording beside its two references, pair by pair."""
    say(
        "Reward models are deterministic: nothing moves unless the text does. So rewording is set "
        "beside a change of punctuation and space alone, and beside a second rewording of the same "
        "text where that is one of its own.",
        "small",
        quiet=True,
    )
    for model in found.models:
        say(beyond_sentence(model, found.beyond(model, "surface")))
        if results.spec.second:
            beyond = found.beyond(model, "second")
            if beyond is not None:
                say(beyond_sentence(model, beyond))
            say(twice_sentence(model, found.twice(model)), "small", quiet=beyond is not None)
    if found.tests:
        say(together_sentence(found.tests), "small", quiet=True)


def _alike(results: RewriteResults, found: Numbers, gate: str | None) -> None:
    """Pairs in bins of similarity and change of the margin."""
    model = pick_model(found.models, "alike-model")
    cells = found.cells(model)

    def opened(point: Point) -> None:
        own = cells[cells["cell"] == point.get("cell")]
        if len(own):
            ends = (float(own.iloc[0][name]) for name in ("x0", "x1", "y0", "y1"))
            show_pairs(CellIs(model=model, cell=cell_of(*ends)))

    if marks(change_squares(cells, dark=dark()), f"rewrite-alike-{model}", "cell", opened):
        figure_menu(results.run.id, "alike", model=model, gate=gate)


def _labels(results: RewriteResults, found: Numbers, gate: str | None) -> None:
    """Labels that flip, less what the labeler flips by itself, and what that does to verdicts."""
    say(f"Labelled by {shown_name(results.spec.labeler)}.", "small", quiet=True)
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
            for move in ("lost", "gained", "same"):
                if row[move]:
                    st.button(
                        f"{row[move]:,} {MOVES[move]}",
                        key=f"move-{feature}-{move}",
                        on_click=show_pairs,
                        args=(LabelMoves(label=feature, move=move),),
                        help="Show the pairs with such a text",
                    )
    if (rates["own_n"] < LEAST_UNCHANGED).any():
        say(
            f"The labeler's own flips are subtracted from {LEAST_UNCHANGED} texts on that were "
            "labelled twice unchanged.",
            "small",
            quiet=True,
        )
    if RULES_AND_LEXICON not in results.run.notes:
        _risks(found)


def _risks(found: Numbers) -> None:
    """Whether verdicts turn where labels flip, computed when it is opened."""
    folded = st.expander("Do verdicts turn where labels flip?", key="risks", on_change="rerun")
    if folded.open:
        with folded:
            say(
                "Only pairs that a model agreed on can turn against the choice. Where a label flips"
                f" in fewer than {LEAST_FLIPS} of them, or fewer than {LEAST_EVENTS} turn against"
                " it, nothing can be told: then stands how many pairs it would need.",
                "small",
                quiet=True,
            )
            for model in found.models:
                say(model, "lead")
                rows = [
                    (row, label_name(str(row["feature"])))
                    for row in found.risks(model).to_dict("records")
                ]
                for row, name in rows:
                    if not isnan(row["difference"]):
                        say(risk_sentence(row, name), "small")
                _risk_table(model, [risk_cells(row, name) for row, name in rows])


def _risk_table(model: str, cells: list[dict[str, object]]) -> None:
    """Every label, side and direction, the risk difference before the odds ratio."""
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    st.dataframe(
        cells,
        hide_index=True,
        key=f"risk-table-{model}",
        placeholder="",
        column_config={
            "what": text("Label and reply", width=190),
            "flips": number("Flips", width=60, help="Pairs in which the label flips"),
            "events": number("Turned", width=85, help="Pairs that turn against the choice"),
            "flipped": text("Where it flips", width=105, help="Share that turned"),
            "stayed": text("Where it stays", width=105, help="Share that turned"),
            "difference": text("Difference, points", width=130, help="Newcombe's 95% interval"),
            "odds": text(
                "Odds ratio",
                width=130,
                help="Firth's regression, adjusted for the size of the margin before",
            ),
            "clear": text("Clear", width=60, help="By Holm over all lines of this table"),
            "needs": number("Pairs needed", width=100, format="localized"),
        },
        alt=f"Whether verdicts of {model} turn where labels flip",
    )
