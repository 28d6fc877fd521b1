"""Every number of finished labels as a sentence to copy, with the command that gives it again.

Below them what the tables of labels say, for charts and pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import pandas as pd

from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs, opened
from ivan_core.experiments.labels import numbers as label_numbers
from ivan_core.experiments.labels.conditions import LABELS, label_name
from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.figures.choices import Wish
from ivan_core.figures.words import FOR_THE_PAPER, Quote, source_line
from ivan_core.labels.reconcile import USABLE
from ivan_core.metrics.intervals import (
    design_effect,
    interval_text,
    number_text,
    rate_of_row,
    units_in,
    wilson,
)
from ivan_core.metrics.labels.answers import LIST_KEYS, SENTIMENT
from ivan_core.metrics.labels.sentences import (
    agreement_sentence as agreement_on,
    co_occurrence_sentence,
    coefficient_sentence,
    left_out_sentence,
    prevalence_sentence,
    same_rate,
    same_sentence,
)
from ivan_core.metrics.sentences import (
    PROMPTS_SHARED,
    as_if_apart,
    as_if_n,
    difference_ends,
    interval,
    interval_ends,
    percent,
    rate_sentence,
    share_ends,
)

Row = Mapping[str, Any]
_NAMED = 3


MOST_WORDS = 12
MOST_TOGETHER = 5
MOST_OTHERS = 3


def source(results: LabelResults) -> str:
    """What every sentence of the run rests on."""
    by = f"{'with' if results.authored else 'labelled by'} {label_numbers.named(results)}"
    return source_line(results, int(results.manifest["rows"]), runs.command(results.run), by=by)


def quotes(results: LabelResults) -> list[Quote]:
    """All sentences of a finished labelling, by question in the order of its page."""
    return [
        *_accounted(results),
        *_more_common(results),
        *_about(results),
        *_together(results),
        *_agreement(results),
    ]


def _accounted(results: LabelResults) -> list[Quote]:
    counts, name = results.counts, label_numbers.named(results)
    usable = results.table["status"].isin(USABLE).to_numpy(float)
    design = design_effect(usable, units_in(results.table))
    rate = wilson(counts["valid"] + counts["repaired"], counts["submitted"], design=design)
    told = [f"{name}: {results.line} texts."]
    if not results.authored:  # which texts have an author's label was no chance
        told.append(rate_sentence(rate, f"{name} gives usable labels", "texts", PROMPTS_SHARED))
    command = f"ivan runs show {results.run.id}"
    question = "Is every text accounted for?"
    return [Quote(question, sentence, command=command) for sentence in told]


def _more_common(results: LabelResults) -> list[Quote]:
    differences = label_numbers.shares(results)[1]
    name = label_numbers.named(results)
    return [
        Quote(
            "What is more common in chosen replies?",
            f"{name}: {prevalence_sentence(row, _called(row['key'], row['value']))}",
            "prevalence",
            measure=LABELS,
        )
        for row in differences.to_dict("records")
    ]


def _about(results: LabelResults) -> list[Quote]:
    """The words of lists that are named most, on either side."""
    found = []
    for key in (key for key in reversed(LIST_KEYS) if key in results.keys):
        counts = label_numbers.word_shares(results, key)
        kept = list(dict.fromkeys(counts["value"]))[:MOST_WORDS]
        for row in counts[counts["value"].isin(kept)].to_dict("records"):
            predicate = f"{label_numbers.named(results)} names {_called(key, row['value'])}"
            told = (row[name] for name in ("count", "n", "low", "high", "effective_n"))
            rate = rate_of_row(*told)
            sentence = rate_sentence(rate, predicate, f"{row['side']} replies")
            asked, shown = "What are they about?", Wish(label=key)
            found.append(Quote(asked, sentence, "topics", shown, measure=LABELS))
    return found


def _together(results: LabelResults) -> list[Quote]:
    """The labels that change each other's share most, of those with enough texts."""
    if results.authored or len(label_numbers.single_keys(results.keys)) < 2:
        return []
    table = label_numbers.together(results)
    known = table[~table["too_few"].astype(bool) & table["share"].notna()]
    order = (known["share"] - known["overall"]).abs().sort_values(ascending=False, kind="stable")
    found = []
    for row in known.loc[order.index[:MOST_TOGETHER]].to_dict("records"):
        first = _called(row["first_key"], row["first_value"])
        second = _called(row["second_key"], row["second_value"])
        sentence = f"{label_numbers.named(results)}: {co_occurrence_sentence(row, first, second)}"
        found.append(Quote("Which labels go together?", sentence, "together", measure=LABELS))
    return found


def _agreement(results: LabelResults) -> list[Quote]:
    """Each label by this labeler and another one, for the newest others; coefficients apart."""
    found: list[Quote] = []
    numbers: list[Quote] = []
    for other in label_numbers.others(results)[:MOST_OTHERS]:
        who = " and ".join(label_numbers.names_of([results, other]).values())
        if not label_numbers.shared_keys([results, other]):
            continue
        shown: Wish = {"other": other.run.id}
        table = label_numbers.agreement([results, other])
        for row in table.to_dict("records"):
            said = f"{who}: {both_sentence(row)} {same_sentence(row)}"
            asked, chart = "Do labelers agree?", "same-answers"
            found.append(Quote(asked, said, chart, shown, measure=LABELS))
            said = f"{who}, “{label_name(str(row['key']))}”: {coefficient_sentence(row)}"
            numbers.append(Quote(FOR_THE_PAPER, said, "labeler-agreement", shown, measure=LABELS))
    return [*found, *numbers]


def beside(first: str, second: str) -> str:
    """Two labellings on the texts that both labelled, a line a label.

    Raises:
        BadInput: there is no such run or it is not finished, or they share no text or no label.
    """
    ours, theirs = open_labels(first), open_labels(second)
    one, other = runs.names_apart(ours.run.id, theirs.run.id)
    pairs = opened.shared_pairs(ours, theirs)
    keys = label_numbers.shared_keys([ours, theirs])
    if not keys:
        raise BadInput(f"{one} and {other} were asked for no label alike.")
    who = (
        f"{one}, labelled by {label_numbers.named(ours)}, and {other}, labelled by"
        f" {label_numbers.named(theirs)},"
    )
    told = [f"{who} share {pairs}."]
    for row in label_numbers.agreement([ours, theirs]).to_dict("records"):
        called = label_name(str(row["key"]), "")
        told.append(f"{called}: {same_sentence(row)} {left_out_sentence(row)}".strip())
    return "\n".join(told)


def _called(key: str, value: str = "") -> str:
    return f"“{label_name(key, value)}”"


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
    ends = share_ends(row["low"], row["high"], row["first"], row["effective_n"], PROMPTS_SHARED)
    return (
        f"Furthest apart: of the {number_of(row['first'], 'text')} with"
        f" {_called(row['first_key'], row['first_value'])}, {row['both']:,}"
        f" ({percent(row['share'], row['first'])}{ends}) also have"
        f" {_called(row['second_key'], row['second_value'])}, against"
        f" {percent(row['overall'], row['n'])} of all {row['n']:,}."
    )


def both_sentence(row: Row) -> str:
    """Of the texts that any labeler called so, in how many all did, with its interval."""
    key, value = str(row["key"]), str(row["value"])
    called = f"“{label_name(key, value)}”"
    if key in LIST_KEYS and not value:
        called = f"anything under {called}"
    return agreement_on(row, "other than neutral in sentiment" if _is_tone(row) else called)


def agreement_sentence(table: pd.DataFrame, names: Sequence[str], *, in_full: bool = False) -> str:
    """On which labels labelers agree most and least, of those that say enough.

    That is told by the share of same answers or, with `in_full`, by coefficients for a paper.
    """
    n = int(table["n"].max()) if len(table) else 0
    who = f"{', '.join(names[:-1])} and {names[-1]}"
    if n == 0:
        return f"{who} have no text with two answers."
    single = ~table["key"].isin(LIST_KEYS) & table["coefficient"].notna()
    enough = table[single & ~table["few"].astype(bool)]
    if enough.empty:
        return f"{who}, {number_of(n, 'text')}: every label is too rare to tell how far they agree."
    by, words = ("coefficient", _measured) if in_full else ("share", _same)
    ordered = enough.sort_values(by, ascending=False, kind="stable").to_dict("records")
    first, last = ordered[0], ordered[-1]
    if len(ordered) > 1 and first[by] == last[by]:
        alike = f"all {len(ordered)} labels: {words(first)}"
        return f"{who}, {number_of(n, 'text')}. They agree equally far on {alike}."
    told = [f"{who}, {number_of(n, 'text')}. They agree most on {_name(first)}: {words(first)}"]
    if len(ordered) > 1:
        told.append(f"least on {_name(last)}: {words(last)}")
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
            for same in (same_rate(row),)
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


def _name(row: Row) -> str:
    return label_name(str(row["key"]), str(row["value"]))


def _same(row: Row) -> str:
    """The share of same answers, as in "the same answer in 67% of 6 texts [30, 90]"."""
    return same_sentence(row).removesuffix(".").replace("The same", "the same", 1)


def _measured(row: Row) -> str:
    """The coefficient with its interval, as in "kappa 0.52 [0.41, 0.63]"."""
    ends = "" if isnan(row["low"]) else f" {interval_text(row['low'], row['high'], 2)}"
    return f"{row['measure']} {decimal(row['coefficient'])}{ends}"


def _is_tone(row: Row) -> bool:
    """Whether a row is about the sentiment as a whole, which counts as called if not neutral."""
    return bool(row["key"] == SENTIMENT and not row["value"])
