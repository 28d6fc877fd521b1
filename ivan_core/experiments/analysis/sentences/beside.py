"""What stands beside the imprint, in sentences: authored labels, the choice, topics and shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed, WhoLabelled
from ivan_core.experiments.analysis.sentences.words import REPLIES
from ivan_core.metrics.imprint.choice import CHOICE, chances
from ivan_core.metrics.imprint.least_squares import Estimate
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH
from ivan_core.metrics.intervals import interval_text, number_text
from ivan_core.metrics.paired import SIGNIFICANT

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
_CELL_SHOWN, _FIRST_CELLS, _MOST_CELLS = 0.05, 10, 20
_NO_CELL = "No topic or subset has ten pairs that differ in a feature, inside and outside"


def authored_rows(analysed: Analysed, model: str, labeler: str) -> pd.DataFrame:
    """The imprint of a model by authored labels, then by a labeler, on the pairs of both; empty
    where there are not both, and of authored labels themselves."""
    import pandas as pd

    table = analysed.table("authored", model=model)
    if analysed.labeler(labeler).authored:
        return table.head(0)
    own = table["labeler"] == labeler
    return pd.concat([table[table["beside"] == labeler], table[own]], ignore_index=True)


def found_sentence(analysed: Analysed, labeler: str) -> str:
    """How many of the written differences a labeler finds, and how many it sees besides; empty
    where there are no authored labels beside it."""
    for model in analysed.models:
        rows = authored_rows(analysed, model, labeler)
        if not rows.empty:
            break
    else:
        return ""
    written, read = rows[rows["labeler"] != labeler], rows[rows["labeler"] == labeler]
    differ, found = int(written["differs"].where(_of_labels(written)).sum()), read["found"].sum()
    besides = int(read["differs"].where(_of_labels(read)).sum()) - int(found)
    pairs = number_of(int(rows["n"].iloc[0]), "pair")
    return (
        f"On the same {pairs}, {analysed.labeler(labeler).named} finds {found:,} of the"
        f" {differ:,} differences that were written, and sees {besides:,} that were not."
    )


def taught_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """What a labeler's mistakes do to the imprint of a model; empty as `found_sentence`."""
    rows = authored_rows(analysed, model, labeler)
    if rows.empty:
        return ""
    own = rows["labeler"] == labeler
    sure = {
        name: set(zip(part["feature"], part["estimate"] > 0, strict=True))
        for name, table in (("written", rows[~own]), ("read", rows[own]))
        for part in (table[_of_labels(table) & (table["p_holm"] < SIGNIFICANT)],)
    }
    written, both = len(sure["written"]), len(sure["written"] & sure["read"])
    only, named = len(sure["read"] - sure["written"]), analysed.labeler(labeler).named
    if not written:
        told = f"no effect would be clear; by {named} alone {only or 'none'} would"
    else:
        other = f"{only} other{'s' if only > 1 else ''}" if only else "no other"
        told = f"{number_of(written, 'effect')} would be clear; by {named} alone"
        told += f" {both or 'none'} of these and {other}"
    return f"{model}: by authored labels alone {told}."


TEACHES = (
    "Pairs, margins and lengths are the same: what differs here are the labeler's mistakes. They"
    " shrink effects and give some to other features, and more pairs would not help."
)


def _of_labels(table: pd.DataFrame) -> pd.Series:
    return ~table["feature"].isin([LENGTH, CHOSEN])


def choice_rows(analysed: Analysed, model: str, labeler: str) -> list[tuple[Row, Row, Row]]:
    """The choice, a model and their gap, feature by feature, of those with a number."""
    table = analysed.table("choice", labeler=labeler)
    whose = (CHOICE, model, f"{model} - {CHOICE}")
    parts = (table[table["who"] == one].to_dict("records") for one in whose)
    return [several for several in zip(*parts, strict=True) if not isnan(several[0]["log_odds"])]


def widest_gaps(rows: Sequence[tuple[Row, Row, Row]]) -> list[tuple[Row, Row, Row]]:
    """The same, labels before length, the widest gap between a model and the choice first."""
    gaps = {id(row): -abs(row[2]["log_odds"]) for row in rows if not isnan(row[2]["log_odds"])}
    return sorted(rows, key=lambda row: (row[0]["feature"] == LENGTH, gaps.get(id(row), 0.0)))


def choice_sentence(chosen: Row, ours: Row, gap: Row, who: WhoLabelled) -> str:
    """How often the reply with a feature is chosen, how often the model prefers it, and their gap
    in log odds."""
    feature = str(chosen["feature"])
    reply = REPLIES.get(feature, feature)
    of = f"{chosen['differs']:,} of {number_of(int(chosen['n']), 'pair')} differ; {who.labels}"
    if isnan(chosen["log_odds"]):
        return f"Of {reply} nothing can be told: {chosen['why']} ({of})."
    beside = f", and preferred by {ours['who']} in {_chance(ours)}"
    beside = "" if isnan(ours["log_odds"]) else beside
    apart = ""
    if not isnan(gap["log_odds"]):
        ends = interval_text(gap["low"], gap["high"], 1, signed=True)
        sure = "clear for this labeler" if gap["p_holm"] < SIGNIFICANT else "not clear"
        apart = f" Gap {number_text(gap['log_odds'], 1, signed=True)} log odds {ends}"
        apart += f", {sure}." if feature != LENGTH else "."
    often = f"{reply} is chosen in {_chance(chosen)}{beside}"
    return f"Of two replies alike in all else, {often} ({of}).{apart}"


def _chance(row: Row) -> str:
    found = chances(Estimate(row["log_odds"], row["se"], row["low"], row["high"], row["p"]))
    ends = interval_text(found.low, found.high, 0, scale=100)
    return f"{number_text(found.share, 0, scale=100)}% {ends}"


GAP = "gap of the two"
"""What the model's log odds less those of the choice are called."""
GAP_NEEDS = (
    "A gap of 0.4 log odds between a model and the choice takes about 5,000 labelled pairs to be"
    " seen (in 86% of studies of that size; in 24% of those of 1,500)."
)


def topics_told(analysed: Analysed, labeler: str) -> tuple[str, list[Row]]:
    """Where effects differ the most, and before it how many cells were looked at: those below a q
    of 0.05, else the first ten, and never more than twenty; without any the list is empty."""
    table = analysed.table("topics", labeler=labeler).sort_values("q", kind="stable")
    who = analysed.labeler(labeler).labels
    if table.empty:
        return f"{_NO_CELL} ({who}).", []
    below = int((table["q"] < _CELL_SHOWN).sum())
    told = table.head(min(below, _MOST_CELLS) or _FIRST_CELLS)
    which = f"the first {len(told):,} by q are told" if len(told) < (below or len(table)) else ""
    which = which or "these are told" if below else which or "all are told"
    cells = f"{number_of(len(table), 'cell')}, each a topic or subset and a feature, looked at"
    first = f"{cells} ({who}): {below or 'none'} with a q below {_CELL_SHOWN:g}"
    return f"{first}; {which}.", told.to_dict("records")


def topic_sentence(row: Row, who: WhoLabelled) -> str:
    """By how much more a feature counts among pairs of a topic than among the others."""
    feature = str(row["feature"])
    reply, less = REPLIES.get(feature, feature), row["estimate"] < 0
    low, high = (-row["high"], -row["low"]) if less else (row["low"], row["high"])
    size = f"{number_text(abs(row['estimate']), 1)} typical margins {'less' if less else 'more'}"
    where = str(row["topic"])
    name = where.removeprefix("subset: ")
    among = f"the topic {where}" if name == where else f"the subset {name}"
    return (
        f"{row['model']} gives {reply} {size} {interval_text(low, high, 1)} among pairs of {among}"
        f" than among the others ({row['inside']:,} and {row['outside']:,} pairs differ;"
        f" q {number_text(row['q'], 2)}; {who.labels})."
    )


def shares_of(analysed: Analysed, model: str, labeler: str) -> list[Row]:
    """The columns of a model's imprint that have a share of what is explained."""
    table = analysed.table("importance", model=model, labeler=labeler)
    return list(table.dropna(subset=["share"]).to_dict("records"))


def share_sentence(shares: Sequence[Row], names: Mapping[str, str], pairs: int, who: str) -> str:
    """Which columns carry most of what is explained within these pairs."""
    ranked = sorted(shares, key=lambda row: -row["share"])[:3]
    told = ", ".join(
        f"{names.get(row['feature'], row['feature'])} {number_text(row['share'], 1, scale=100)}%"
        f" {interval_text(row['low'], row['high'], 1, scale=100)}"
        for row in ranked
    )
    whole = number_text(sum(row["share"] for row in shares), 1, scale=100)
    return (
        f"{shares[0]['model']}: of the {whole}% explained within these pairs, most by {told}"
        f" ({number_of(pairs, 'pair')}; {who})."
    )
