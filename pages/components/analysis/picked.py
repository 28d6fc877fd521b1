"""The pairs that conditions pick on Analysis, and the numbers of these alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from ivan_core.charts.imprint import imprint_dots
from ivan_core.domain.words import number_of, short_names
from ivan_core.experiments.analysis.conditions import LANGUAGE, listing
from ivan_core.experiments.analysis.figures import TITLES
from ivan_core.experiments.analysis.numbers import (
    AFTER_LOOKING,
    picked_against,
    picked_effects,
    takes_a_while,
)
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.picked import (
    beware,
    picked_effect,
    picked_shares,
    which_sentence,
)
from ivan_core.experiments.analysis.views import behind, of_share
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.figures.words import FOR_THE_PAPER
from ivan_core.lists.conditions import Condition, Ints
from ivan_core.lists.others import measures_of
from ivan_core.metrics.imprint.against import ALL
from pages.components.analysis.charts import CLICKS, effects_chart
from pages.components.analysis.chosen import chosen_effect, pairs_link, see_pairs, view_and_control
from pages.components.kit.conditions import Place, fitting_filter, names_on, places_found
from pages.components.kit.strip import filter_words
from pages.components.kit.text import say

_ROWS = Place(LANGUAGE, "analysis-", CLICKS, "Count all pairs")
_ELSEWHERE = "These numbers are of all pairs: conditions count on the first two questions alone."
_TITLE = "What does it reward in these pairs?"
_STROKES = f"{AFTER_LOOKING}; strokes: estimates with intervals, none tested"


@dataclass(frozen=True, eq=False)
class Picked:
    """The pairs at some places of an analysis, the conditions that picked them, and these in words.

    `places` is None where a condition cannot be judged yet. `follows` says that one is on verdicts
    or margins, of which the numbers are made.
    """

    conditions: tuple[Condition, ...]
    words: str
    places: Ints | None
    follows: bool


def picked(analysed: Analysed) -> Picked | None:
    """Draw the conditions in the address, and one to add; None where all pairs count."""
    rows = listing(analysed)
    wanted = fitting_filter(_ROWS, rows)
    names = names_on(rows, wanted)
    places = places_found(_ROWS, rows, wanted, names | short_names(analysed.models))
    if not wanted.conditions:
        return None
    words = filter_words(wanted, names)
    return Picked(wanted.conditions, words, places, REWARDS in measures_of(wanted.conditions))


def of_all_pairs() -> None:
    """Say so on a question that no condition narrows, where the address holds some."""
    if _ROWS.asked().conditions:
        say(_ELSEWHERE, "small", quiet=True)


def picked_rewards(analysed: Analysed, labeler: str, found: Picked) -> None:
    """What the models reward in the picked pairs: estimates and intervals, and no test."""
    places = _begin(analysed, found)
    if places is None:
        return
    view, control = view_and_control(analysed, "rewards")
    control = control if view == "together" else ""
    effects = picked_effects(analysed, labeler, view, control, places)
    left, right = st.columns([3, 2], gap="large")
    with left:
        effects_chart(
            analysed,
            f"picked-{labeler}-{view}-{control}-{hash(places.tobytes())}",
            lambda dark: imprint_dots(effects, TITLES, _TITLE, dark=dark, subtitle=_STROKES),
        )
    with right:
        named = chosen_effect(effects.to_dict("records"), "model")
        if named:
            say(TITLES.get(named[0]["feature"], named[0]["feature"]), "lead")
        for row in named:
            say(picked_effect(row, analysed.labeler(labeler), found.words))
            mark = behind(labeler, row)
            see_pairs(analysed, row["model"], row["differs"], mark, *found.conditions)
    with st.expander(FOR_THE_PAPER):
        shown = effects.drop(columns=["p", "p_holm"])
        st.dataframe(shown, hide_index=True, key="picked-numbers", alt="All effects in numbers")


def picked_people(analysed: Analysed, labeler: str, found: Picked) -> None:
    """How often the models go against the choice in the picked pairs."""
    places = _begin(analysed, found)
    if places is None:
        return
    table = picked_against(analysed, labeler, places, bare=found.follows)
    of_these = replace(analysed, tables={**analysed.tables, "misaligned": table})
    for model in analysed.models:
        say(picked_shares(of_these, model, labeler, found.words))
        rows = of_these.table("misaligned", model=model, labeler_prefers=ALL).to_dict("records")
        for row in rows:
            share = of_share(row)
            see_pairs(analysed, model, row["misaligned"], *share, *found.conditions)
    say("What goes with it is told of all pairs alone.", "small", quiet=True)
    with st.expander(FOR_THE_PAPER):
        st.dataframe(table, hide_index=True, key="picked-numbers", alt="All shares in numbers")


def _begin(analysed: Analysed, found: Picked) -> Ints | None:
    """Say which pairs count, and lead to them; None where there is nothing to compute yet."""
    if found.places is None:
        return None
    count = len(found.places)
    say(which_sentence(analysed, found.words, count), "headline")
    if not count:
        return None
    say(beware(follows=found.follows), "small", quiet=True)
    pairs_link(analysed, f"See these {number_of(count, 'pair')}", *found.conditions)
    asked = f"picked-asked-{analysed.run.id}-{hash(found.places.tobytes())}"
    if takes_a_while(analysed) and not st.session_state.get(asked):
        if st.button(f"Compute them of these {count:,} pairs", key=f"{asked}-go", type="primary"):
            st.session_state[asked] = True
            st.rerun()
        return None
    return found.places
