"""One pair: a sentence, its texts side by side, what each model said, the panels below, and the way
to other pairs.
"""

from __future__ import annotations

from math import inf

import pandas as pd
import streamlit as st

from ivan_core.charts.one_pair import margin_strip
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import TIED
from ivan_core.domain.words import short_names
from ivan_core.experiments.compare.results import JudgedPair, Results, judged_pair, margins_of
from ivan_core.experiments.rewrite import sentences as rewrite_sentences
from ivan_core.metrics.margin_words import MOST_TOLD, STRENGTHS, TYPICAL_MARGIN
from ivan_core.metrics.models.sentences import named
from ivan_core.metrics.sentences import pair_sentence
from pages.components.kit.figure import figure_menu
from pages.components.kit.frame import problems_shown, show_error
from pages.components.kit.results import plain_chart
from pages.components.kit.state import PAIRS, dark
from pages.components.kit.text import say
from pages.components.pair.labels import pair_labels
from pages.components.pair.marks import DIFFER, marked, marks_switch
from pages.components.pair.notes import guess_switch, guessing, is_guessing, notes
from pages.components.pair.of_prompt import replies_of_prompt
from pages.components.pair.own_reply import own_reply
from pages.components.pair.replies import show_pair
from pages.components.pair.rewordings import pair_rewordings
from pages.components.pair.walk import Walk, moves, tell_walk
from pages.components.pair.what_moved import answer, what_moved
from pages.components.public.reading import may_ask
from pages.components.review.versions import pair_reviews


def _badges(results: Results, found: JudgedPair) -> str:
    about = found.about
    told = [
        f"pair {found.pair.row_id:,} of {results.dataset.rows:,}",
        results.dataset.about["label"],
    ]
    told += [str(about[name]) for name in ("subset", "kind", "feature") if about.get(name)]
    if about["identical"]:
        told.append("both sides are the same text")
    if about.get("equal_scores"):
        told.append("a tie in the data")
    if not (found.pair.chosen.has_prompt and found.pair.rejected.has_prompt):
        told.append("no prompt in the data")
    if about["prompts_differ"]:
        told.append("the sides differ before the last reply")
    if about["duplicate_of"] >= 0:
        told.append(f"the same texts as pair {about['duplicate_of']}")
    cut = [
        row["model"] for row in found.judged if row["chosen_truncated"] or row["rejected_truncated"]
    ]
    if cut:
        who = named(cut) if len(cut) > MOST_TOLD else ", ".join(cut)
        told.append(f"truncated: {who} did not read all of it")
    return " · ".join(told)


def _notes(found: JudgedPair, of: str) -> dict[str, str]:
    """The rewards of each side, model by model; with many models that of the one whose words are
    marked."""
    notes = {}
    shown = found.judged
    if len(shown) > MOST_TOLD:
        shown = [row for row in shown if row["model"] == of]
    names = short_names([row["model"] for row in found.judged])
    for side in ("chosen", "rejected"):
        rewards = [(names[row["model"]], row[f"{side}_reward"]) for row in shown]
        told = [
            f"{model} {reward:+.3g}".replace(" -", " −")
            for model, reward in rewards
            if not pd.isna(reward)
        ]
        notes[side] = f"reward: {', '.join(told)}" if told else "not rated" if shown else ""
    return notes


def _headline(results: Results, row: int, margins: list[tuple[str, float | None]]) -> str:
    """Choice, models and, where the pair was reworded, what that did to their verdicts."""
    if row in results.dataset.tied_rows:
        return f"A tie: {TIED}, so no model is rated on it."
    reworded = rewrite_sentences.pair_sentence(str(results.dataset.about["content"]), row)
    return f"{pair_sentence('A', margins, results.dataset.chooser)} {reworded}".strip()


def one_pair(results: Results, walk: Walk, row: int) -> None:
    """Draw a pair on a walk through others, or say that the run has no such row."""
    try:
        found = judged_pair(results, row)
    except BadInput as error:
        show_error(error)
        st.page_link(
            PAIRS,
            label=":primary[Read the first pair →]",
            query_params={"run": results.run.id, "row": str(results.row_ids[0])},
        )
        return
    margins = margins_of(results, row)
    tied = row in results.dataset.tied_rows
    blind = is_guessing() and not tied
    if not blind:
        say(_headline(results, row, margins), "headline")
        say(_badges(results, found), "small", quiet=True)
    tell_walk(results, walk, row, blind)
    moves(results, walk, row)
    switches = st.container(horizontal=True, vertical_alignment="center")
    with switches:
        guess_switch(results.run.id)
    if blind:
        if guessing(results, found):
            return
        say(_headline(results, row, margins), "headline")
        say(_badges(results, found), "small", quiet=True)
    with switches:
        marks_switch(results)
    moved = answer(results, row)
    coloured = moved.coloured if moved else None
    show_pair(
        found.pair, marked(results) == DIFFER, _notes(found, marked(results)), coloured=coloured
    )
    what_moved(results, row, moved)
    names = short_names([model for model, _ in margins])
    if len(margins) > MOST_TOLD:
        margins = sorted(margins, key=lambda one: -inf if one[1] is None else one[1], reverse=True)
    strips = [(names[model], margin) for model, margin in margins]
    if plain_chart(margin_strip(strips, dark=dark()), "strip"):
        st.markdown(f":small[{STRENGTHS}]", help=TYPICAL_MARGIN)
        figure_menu(results.run.id, "pair-margins", row=str(row))
    for judged in () if tied else found.judged:
        if not pd.isna(judged["failure"]):
            say(f"{judged['model']} did not rate it: {judged['failure']}.", "small")
    replies_of_prompt(results, row)
    content = str(results.dataset.about["content"])
    pair_labels(content, found.pair)
    pair_rewordings(content, row)
    with problems_shown():
        pair_reviews(results.dataset, row)
    if may_ask():
        with st.expander("Type your own reply"):
            own_reply(results, row)
    with problems_shown():
        notes(results, row)
