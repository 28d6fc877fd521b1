"""Several models, and several labels at once, in sentences: whether two models reward alike, by how
much they differ, and what two labels add together."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed, WhoLabelled
from ivan_core.experiments.analysis.sentences.noise import people_rows
from ivan_core.experiments.analysis.sentences.rewards import shown_effects
from ivan_core.experiments.analysis.sentences.words import REPLIES, titled
from ivan_core.experiments.analysis.steps.several import NOT_TOLD
from ivan_core.metrics.intervals import interval_text, number_text
from ivan_core.metrics.labels.answers import SENTIMENT
from ivan_core.metrics.paired import SIGNIFICANT

if TYPE_CHECKING:
    import pandas as pd

_SMALLEST = 0.001


def two_models(analysed: Analysed) -> list[tuple[str, str]]:
    """Any two models whose margins were subtracted: the second from the first."""
    table = analysed.table("differences")
    found = zip(table["model"], table["before"], strict=True)
    return list(dict.fromkeys((str(model), str(before)) for model, before in found))


def alike_sentence(
    analysed: Analysed, model: str, before: str, labeler: str, control: str = ""
) -> str:
    """Whether two models reward all labels alike, by one test; empty where none was made."""
    table = analysed.table("differences", model=model, before=before, labeler=labeler)
    table = table[table["control"] == (control or analysed.spec.control)]
    if table.empty:
        return ""
    row, who = table.to_dict("records")[0], analysed.labeler(labeler)
    of = f"{number_of(int(row['n']), 'pair')} of {number_of(int(row['prompts']), 'prompt')}"
    of = f"({of}; {who.labels})"
    if row["why"]:
        return f"{model} and {before}: {row['why']} {of}."
    labels = "this label" if row["df1"] == 1 else f"these {row['df1']} labels"
    p = f"p < {_SMALLEST:g}" if row["p"] < _SMALLEST else f"p = {number_text(row['p'], 2)}"
    test = f"one test of all, F({row['df1']}, {row['df2']:,}) = {number_text(row['f'], 1)}, {p}"
    if row["p"] < SIGNIFICANT:
        return f"{model} and {before} do not reward {labels} alike: {test} {of}."
    return f"Nothing here says that {model} and {before} reward {labels} differently: {test} {of}."


def differences_known(analysed: Analysed, shown: Mapping[str, Any]) -> bool:
    """Whether the other of two models was subtracted from the first, and they differ anywhere."""
    model, other = shown["model"], shown["other"]
    if (model, other) not in two_models(analysed):
        return False
    rows = difference_rows(analysed, model, other, shown["labeler"])
    return bool(rows["estimate"].notna().any())


def differ(analysed: Analysed, model: str, before: str, labeler: str) -> bool:
    """Whether that test says that they do not reward all labels alike."""
    table = analysed.table("differences", model=model, before=before, labeler=labeler)
    table = table[table["control"] == analysed.spec.control]
    return bool((table["p"] < SIGNIFICANT).any())


def difference_rows(
    analysed: Analysed, model: str, before: str, labeler: str, view: str = "", control: str = ""
) -> pd.DataFrame:
    """By how much two models reward each label differently, and beside it as people label.

    Where the second was subtracted from the first's, not the other way round, signs are turned.
    """
    import pandas as pd

    shown, beside = view or "together", control or analysed.spec.control
    turned = (model, before) not in two_models(analysed)
    first, second = (before, model) if turned else (model, before)
    effects = shown_effects(analysed, labeler, shown, beside, first, second)
    as_people = people_rows(analysed, labeler, shown, beside, first, second)
    found = effects if as_people.empty else pd.concat([effects, as_people], ignore_index=True)
    if not turned:
        return found
    ends = {"estimate": -found["estimate"], "low": -found["high"], "high": -found["low"]}
    return found.assign(model=model, before=before, **ends)


def interaction_rows(analysed: Analysed, labeler: str, control: str = "") -> pd.DataFrame:
    """What two labels add together, a row a model; empty where nobody asked."""
    table = analysed.table("interaction", labeler=labeler)
    return table[table["control"] == (control or analysed.spec.control)].reset_index(drop=True)


def interaction_sentences(analysed: Analysed, labeler: str, control: str = "") -> list[str]:
    """What two labels add together, by one labeler: a sentence a model, none where nobody asked."""
    who = analysed.labeler(labeler)
    rows = interaction_rows(analysed, labeler, control).to_dict("records")
    return list(dict.fromkeys(interaction_sentence(row, who) for row in rows))


def interaction_sentence(row: Mapping[str, Any], who: WhoLabelled) -> str:
    """What two labels add together to a model's margin; or why there is no number."""
    names = sorted((str(row["feature"]), str(row["other"])), key=lambda one: one == SENTIMENT)
    first, second = (REPLIES.get(name, name) for name in names)
    mood = names[1] == SENTIMENT
    both = f"{first}, {'by its sentiment' if mood else second}"
    if row["why"] in NOT_TOLD:
        return f"Both together ({both}): no number, {row['why']} ({who.labels})."
    of = f"{row['differs']:,} of {number_of(int(row['n']), 'pair')}"
    of = f"({of} differ in {'their product' if mood else 'having both'}; {who.labels})"
    if isnan(row["estimate"]):
        return f"Both together ({both}), {row['model']}: no number, {titled(row['why'])} {of}."
    less = row["estimate"] < 0
    low, high = (-row["high"], -row["low"]) if less else (row["low"], row["high"])
    size = f"{number_text(abs(row['estimate']), 2)} typical margins {'less' if less else 'more'}"
    size = f"{size} {interval_text(low, high, 2)}"
    p = f"p < {_SMALLEST:g}" if row["p"] < _SMALLEST else f"p = {number_text(row['p'], 2)}"
    does = (
        f"{row['model']} gives {first} {size} for each step that it is more positive, beyond what"
        " either label does by itself"
        if mood
        else f"{row['model']} gives both together ({both}) {size} than the two add up to"
    )
    return (
        f"Alike in all else in this table, {does} {of}. The one pair of labels that was asked for:"
        f" {p}, not adjusted."
    )
