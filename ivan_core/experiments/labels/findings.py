"""What a finished labelling shows at a glance: the label that sets the two sides apart the most."""

from __future__ import annotations

from functools import partial

from ivan_core.experiments.compare.findings import replies
from ivan_core.experiments.labels.conditions import LANGUAGE, LabelersDiffer, label_name
from ivan_core.experiments.labels.numbers import agreement, named, others, shares
from ivan_core.experiments.labels.results import LabelResults
from ivan_core.figures.finding import Bar, Finding
from ivan_core.lists.conditions import Filter
from ivan_core.lists.url import query_of
from ivan_core.metrics.labels.answers import YES
from ivan_core.metrics.labels.sentences import prevalence_sentence, same_sentence
from ivan_core.metrics.labels.shares import pairs_with
from ivan_core.metrics.sentences import percent


def findings(results: LabelResults) -> list[Finding]:
    """The clear difference between chosen and rejected replies that is the largest, if any is.

    Authored labels are as common on one side as on the other, by design: of them, the label that
    the newest other labeler finds least.
    """
    if results.authored:
        return _least_found(results)
    differences = shares(results)[1]
    clear = differences[differences["clear"].astype(bool)]
    if clear.empty:
        return []
    row = clear.loc[clear["difference"].abs().astype(float).idxmax()].to_dict()
    key, value, n = str(row["key"]), str(row["value"]), int(row["n"])
    side = "chosen" if float(row["difference"]) > 0 else "rejected"
    of_value = {} if value == YES else {"value": value}
    only = pairs_with(results.decided, key, value, f"{side}_only")
    first = only[0] if only else None
    called = f"“{label_name(key, value)}”"
    bars = tuple(
        Bar(one, percent(float(row[one]), n), {"share": float(row[one])})
        for one in ("chosen", "rejected")
    )
    return [
        Finding(
            f"{named(results)}: {prevalence_sentence(row, called)}",
            f"Read those where only the {side} reply is",
            first,
            bars,
            {"label": key, **of_value, "pair": f"{side}_only"},
            example=None if first is None else partial(replies, results.dataset, first),
        )
    ]


def _least_found(results: LabelResults) -> list[Finding]:
    """The authored label on which the newest other labeler says the same least often."""
    other = next(iter(others(results)), None)
    table = None if other is None else agreement([results, other])
    if other is None or table is None or not table["n"].any():
        return []
    row = table.loc[table["share"].astype(float).idxmin()].to_dict()
    key, n = str(row["key"]), int(row["n"])
    differ = Filter(LANGUAGE, (LabelersDiffer(label=key, other=other.run.id),))
    said = same_sentence(row)
    return [
        Finding(
            f"{named(results)} and {named(other)} on “{label_name(key)}”, the label that they share"
            f" least: {said[:1].lower()}{said[1:]}",
            "Read those on which they differ",
            bars=(Bar("same", percent(float(row["share"]), n), {"share": float(row["share"])}),),
            query=query_of(differ),
        )
    ]
