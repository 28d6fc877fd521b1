"""What models reward, in sentences: never more than the rows and the labeler allow."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

from ivan_core.charts.order import by_effect
from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed, WhoLabelled
from ivan_core.experiments.analysis.sentences.words import REPLIES, decimals, titled, unit_of
from ivan_core.labels.schema import features
from ivan_core.metrics.imprint.effects import AS_PEOPLE, CLEAR, CLEAR_FOR_ONE
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH
from ivan_core.metrics.intervals import interval_text, number_text

if TYPE_CHECKING:
    import pandas as pd

_TITLES = {one.key: one.title for one in features()}
_SURE = {
    "": " Not clear.",
    CLEAR: "",
    CLEAR_FOR_ONE: " Clear for this labeler; no other has a number for it.",
}


def explained_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """How much of a model's margins the labels explain on pairs that were held out."""
    table = analysed.table("explained", model=model, before="", labeler=labeler)
    both = table[table["columns"] == "labels+length"].iloc[0]
    who = analysed.labeler(labeler)
    if isnan(both["r2"]):
        return f"{model} gives both replies the same in every pair: nothing is there to explain."
    told, columns = share(both), _columns(analysed, model, labeler)
    if both["r2"] <= 0:
        return (
            f"{columns} explain nothing of what {model} prefers on pairs that were held out"
            f" ({told} of {number_of(int(both['n']), 'pair')}; {who.labels})."
        )
    rest = number_text(1 - both["r2"], 0, scale=100)
    return (
        f"{columns} explain {told} of what {model} prefers; {rest}% is something else"
        f" ({number_of(int(both['n']), 'pair')}, held out by prompt; {who.labels})."
    )


def share(row: Mapping[str, Any]) -> str:
    """A held-out R² with its interval, in percent."""
    ends = interval_text(row["low"], row["high"], 0, scale=100)
    return f"{number_text(row['r2'], 0, scale=100)}% {ends}"


def _columns(analysed: Analysed, model: str, labeler: str) -> str:
    effects = shown_effects(analysed, labeler, "together", "length", model)
    labels = int((effects["feature"].ne(LENGTH) & effects["estimate"].notna()).sum())
    if not labels:
        return "Length alone (no label differs often enough) can"
    return f"{'This label' if labels == 1 else f'These {labels} labels'} and length"


def clear_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """Which labels have a clear effect on a model's margins, all else alike, and how large."""
    who = analysed.labeler(labeler)
    rows = shown_effects(analysed, labeler, "together", analysed.spec.control, model)
    pairs = number_of(int(rows["n"].max()), "pair")
    told = clear_words(analysed, model, labeler)
    return f"{model}: {told[0].lower()}{told[1:].removesuffix('.')} ({pairs}; {who.labels})."


def clear_words(analysed: Analysed, model: str, labeler: str) -> str:
    """The same where model, labeler and pairs are told beside it."""
    table = shown_effects(analysed, labeler, "together", analysed.spec.control, model)
    rows = {row["feature"]: row for row in table.to_dict("records")}
    order = [rows[one] for one in by_effect(rows.values()) if one not in (LENGTH, CHOSEN)]
    told = [
        f"clear {words} {'is' if len(sure) == 1 else 'are'} {', '.join(map(_named, sure))}"
        for clear, words in ((CLEAR, "with every labeler"), (CLEAR_FOR_ONE, "for this labeler"))
        if (sure := [row for row in order if row["clear"] == clear])
    ]
    alike = "all else in this table alike"
    if not told:
        return f"No effect of a label is clear, {alike}."
    first = f"{'; '.join(told)}, in typical margins, {alike}."
    return f"{first[0].upper()}{first[1:]}"


def _named(row: Mapping[str, Any]) -> str:
    places = decimals(row)
    ends = interval_text(row["low"], row["high"], places, signed=True)
    size = number_text(row["estimate"], places, signed=True)
    return f"{_TITLES[row['feature']]} {size} {ends}"


def shown_effects(
    analysed: Analysed, labeler: str, view: str, control: str, model: str = "", before: str = ""
) -> pd.DataFrame:
    """The effects of one view by one labeler: of all models, or of one."""
    table = analysed.table("imprint", labeler=labeler, view=view, before=before)
    table = table[table["control"] == (control if view == "together" else "")]
    if model:
        table = table[table["model"] == model]
    return table.reset_index(drop=True)


def effect_sentence(row: Mapping[str, Any], who: WhoLabelled, *, in_time: bool = True) -> str:
    """One effect, with its interval, its rows and who labelled; or why there is none.

    Of two models it tells how the margin went from one to the other, or where they are not
    `in_time` how much more one gives than the other.
    """
    reply = REPLIES.get(str(row["feature"]), str(row["feature"]))
    of = f"{row['differs']:,} of {number_of(int(row['n']), 'pair')} differ; {who.labels}"
    if row["why"] and isnan(row["estimate"]):
        whose = f"{row['model']} beside {row['before']}" if row["before"] else row["model"]
        return f"Of {reply} {whose} tells nothing here: {titled(row['why'])} ({of})."
    less = row["estimate"] < 0
    value, low, high = (row[name] * unit_of(row) for name in ("estimate", "low", "high"))
    ends = (-high, -low) if less else (low, high)
    alike = "Alike in all else in this table" if row["view"] == "together" else "By itself"
    if row["clear"] == AS_PEOPLE:
        alike = "As people label, alike in all else in this table"
        of = f"people described {row['reviewed']:.0f} of {number_of(int(row['n']), 'pair')}"
        of += f", {row['differs']:,.0f} of these differ; the others labelled by {who.named}"
    size = number_text(abs(value), decimals(row), signed=False)
    amount = f"{size} typical margins {'less' if less else 'more'}"
    does = f"{row['model']} gives {reply} {amount}"
    if row["before"] and not in_time:
        does = f"{does} than {row['before']}"
    elif row["before"]:
        does = f"from {row['before']} to {row['model']} the margin of {reply} goes"
        does += f" {size} typical margins {'down' if less else 'up'}"
    sure = "" if row["feature"] in (LENGTH, CHOSEN) else _SURE.get(str(row["clear"]), "")
    return f"{alike}, {does} {interval_text(*ends, decimals(row))} ({of}).{sure}"
