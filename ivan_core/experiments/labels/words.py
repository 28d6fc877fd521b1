"""What the tables of labels say, in sentences with n and interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import pandas as pd

from ivan_core.domain.words import number_of
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.metrics.intervals import interval_text, number_text
from ivan_core.metrics.labels import sentences
from ivan_core.metrics.labels.answers import LIST_KEYS, SENTIMENT
from ivan_core.metrics.sentences import (
    PROMPTS_SHARED,
    as_if_apart,
    as_if_n,
    difference_ends,
    interval,
    interval_ends,
    percent,
)

Row = Mapping[str, Any]
_NAMED = 3


def differences_sentence(differences: pd.DataFrame) -> str:
    """Which labels one side is given more often than the other, those with clear differences."""
    n = int(differences["n"].max()) if len(differences) else 0
    if n == 0:
        return "No pair has labels on both sides yet."
    if differences["mid_p"].isna().all():
        sizes = differences["difference"].abs().sort_values(ascending=False, kind="stable")
        named = "; ".join(
            _apart(row) for row in differences.loc[sizes.index[:_NAMED]].to_dict("records")
        )
        return (
            f"On {number_of(n, 'pair')}, furthest apart: {named}. They were chosen after looking,"
            " so no difference is called clear."
        )
    clear = differences[differences["clear"].astype(bool)]
    if clear.empty:
        return (
            f"On {number_of(n, 'pair')}, no label is clearly more common on one side, all"
            f" {len(differences):,} taken together."
        )
    told = []
    for side, own in (
        ("chosen", clear[clear["difference"] > 0]),
        ("rejected", clear[clear["difference"] < 0]),
    ):
        if own.empty:
            continue
        order = own["difference"].abs().sort_values(ascending=False, kind="stable").index
        named = "; ".join(_apart(row) for row in own.loc[order[:_NAMED]].to_dict("records"))
        more = f"; and {len(own) - _NAMED:,} more" if len(own) > _NAMED else ""
        told.append(f"more common in {side} replies: {named}{more}")
    return f"On {number_of(n, 'pair')}, clearly {'; clearly '.join(told)}."


def label_sentence(differences: pd.DataFrame, key: str, value: str) -> str:
    """One label on both sides, with n and interval."""
    own = differences[(differences["key"] == key) & (differences["value"] == value)]
    name = label_name(key, value)
    if own.empty or not int(own.iloc[0]["n"]):
        return f"{name}: no pair has an answer on both sides."
    row = own.iloc[0].to_dict()
    ends = ""
    if not isnan(row["low"]):
        wide = as_if_n(int(row["n"]), int(row["effective_n"]))
        ends = f" (95% interval {_ends(row)}{wide})"
    judged = "a clear difference" if row["clear"] else "no clear difference"
    if isnan(row["mid_p"]):
        judged = "chosen after looking, so not called clear"
    return (
        f"{name}: {percent(row['chosen'], row['n'])} of chosen and"
        f" {percent(row['rejected'], row['n'])} of rejected replies in"
        f" {number_of(int(row['n']), 'pair')}; {points(row['difference'], row['n'])}{ends},"
        f" {judged}."
    )


def words_sentence(counts: pd.DataFrame, title: str) -> str:
    """The words of a list that are named most, on either side."""
    if counts.empty:
        return f"{title}: none is named in any text."
    named = []
    for value in list(dict.fromkeys(counts["value"]))[:_NAMED]:
        own = counts[counts["value"] == value]
        shares = ", ".join(_share(row) for row in own.to_dict("records"))
        named.append(f"{value} ({shares})")
    return f"Named most: {'; '.join(named)}."


def together_sentence(table: pd.DataFrame) -> str:
    """The two labels whose share lies furthest above that in all texts."""
    known = table[~table["too_few"].astype(bool) & table["share"].notna()]
    if known.empty:
        return "No label is given to 20 texts or more, too few to tell which go together."
    row = known.loc[(known["share"] - known["overall"]).abs().idxmax()].to_dict()
    ends = ""
    if not isnan(row["low"]):
        wide = as_if_n(row["first"], int(row["effective_n"]), PROMPTS_SHARED)
        ends = f" {interval_ends(row['low'], row['high'], row['first'])}{wide}"
    return (
        f"Furthest apart: of the {number_of(row['first'], 'text')} with"
        f" {label_name(row['first_key'], row['first_value'])}, {row['both']:,}"
        f" ({percent(row['share'], row['first'])}{ends}) also have"
        f" {label_name(row['second_key'], row['second_value'])}, against"
        f" {percent(row['overall'], row['n'])} of all {row['n']:,}."
    )


def both_sentence(row: Row) -> str:
    """Of the texts that any labeler called so, in how many all did, with its interval."""
    key, value = str(row["key"]), str(row["value"])
    called = f"“{label_name(key, value)}”"
    if key in LIST_KEYS and not value:
        called = f"anything under {called}"
    return sentences.agreement_sentence(
        row, "other than neutral in sentiment" if _is_tone(row) else called
    )


def agreement_sentence(table: pd.DataFrame, names: Sequence[str]) -> str:
    """Where labelers agree most and least, of the labels that say enough."""
    n = int(table["n"].max()) if len(table) else 0
    who = f"{', '.join(names[:-1])} and {names[-1]}"
    if n == 0:
        return f"{who} have no text with two answers."
    single = ~table["key"].isin(LIST_KEYS) & table["coefficient"].notna()
    enough = table[single & ~table["few"].astype(bool)]
    if enough.empty:
        return f"{who}, {number_of(n, 'text')}: every label is too rare to tell how far they agree."
    ordered = enough.sort_values("coefficient", ascending=False, kind="stable").to_dict("records")
    first, last = ordered[0], ordered[-1]
    if len(ordered) > 1 and first["coefficient"] == last["coefficient"]:
        alike = f"{len(ordered)} labels: {first['measure']} {decimal(first['coefficient'])}"
        return f"{who}, {number_of(n, 'text')}. They agree equally far on all {alike}."
    told = [f"{who}, {number_of(n, 'text')}. They agree most on {_both(ordered[0], len(names))}"]
    if len(ordered) > 1:
        told.append(f"least on {_both(ordered[-1], len(names))}")
    return f"{'; '.join(told)}."


def agreement_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The agreement of each label as a table to read."""

    def told(point: float, low: float, high: float) -> str:
        if isnan(point):
            return ""
        return decimal(point) + ("" if isnan(low) else f" {interval_text(low, high, 2)}")

    return pd.DataFrame.from_records(
        [
            {
                "Label": label_name(row["key"], row["value"]),
                "Called so by any, by all": f"{row['both']:,} of {row['either']:,}",
                "Few": "few" if row["few"] else "",
                "Coefficient": told(row["coefficient"], row["low"], row["high"]),
                "Measure": row["measure"],
                "AC1": told(row["ac1"], row["ac1_low"], row["ac1_high"]),
                "Same answer": f"{percent(same.rate, same.n)} {interval(same)}" if same else "",
                "Texts": row["n"],
                "As if n": same.effective_n if same else 0,
            }
            for row in table.to_dict("records")
            for same in (sentences.same_rate(row),)
        ]
    )


def decimal(value: float) -> str:
    """A coefficient with two decimals and a true minus."""
    return number_text(value, 2)


def points(difference: float, n: int) -> str:
    """A difference of shares in points."""
    size = percent(abs(difference), n).removesuffix("%")
    sign = "+" if difference > 0 else "−" if difference < 0 else ""
    return f"{sign}{size} points"


def _apart(row: Row) -> str:
    n = row["n"]
    name = label_name(row["key"], row["value"])
    if not n:
        return f"{name}, no answer"
    ends = ""
    if not isnan(row["low"]):
        ends = f" {_ends(row)}{as_if_n(int(n), int(row['effective_n']))}"
    return (
        f"{name}, {percent(row['chosen'], n)} against"
        f" {percent(row['rejected'], n)} ({points(row['difference'], n)}{ends})"
    )


def _ends(row: Row) -> str:
    """The interval of a difference in points, with a true minus."""
    return difference_ends(row["low"], row["high"], row["n"])


def _share(row: Row) -> str:
    if not row["n"]:
        return f"{row['side']} no answer"
    ends = ""
    if not isnan(row["low"]):
        wide = as_if_apart(row["n"], int(row["effective_n"]))
        ends = f" {interval_ends(row['low'], row['high'], row['n'])}{wide}"
    return f"{percent(row['share'], row['n'])}{ends} of {row['n']:,} {row['side']}"


def _both(row: Row, labelers: int) -> str:
    """A label with the texts that all called so, of those that any did, and its coefficient."""
    any_, all_ = ("either", "both") if labelers == 2 else ("any", "all")
    so = "not neutral" if _is_tone(row) else "so"
    ends = "" if isnan(row["low"]) else f" {interval_text(row['low'], row['high'], 2)}"
    return (
        f"{label_name(row['key'], row['value'])} (of {number_of(row['either'], 'text')} that {any_}"
        f" called {so}, {all_} did {row['both']:,}; {row['measure']} {decimal(row['coefficient'])}"
        f"{ends})"
    )


def _is_tone(row: Row) -> bool:
    """Whether a row is about the sentiment as a whole, which counts as called if not neutral."""
    return bool(row["key"] == SENTIMENT and not row["value"])
