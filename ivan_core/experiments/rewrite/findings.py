"""What a finished rewording shows at a glance: whether a model changed its mind, and where."""

from __future__ import annotations

from functools import partial

from ivan_core.experiments.compare.findings import replies
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults
from ivan_core.figures.finding import Bar, Example, Finding
from ivan_core.lists.short import beside
from ivan_core.metrics.robustness.changes import REWORDED, SURFACE
from ivan_core.metrics.robustness.sentences import mind_sentence
from ivan_core.metrics.sentences import percent

_NAMES = {REWORDED: "Reworded", SURFACE: "Punctuation alone"}


def findings(results: RewriteResults) -> list[Finding]:
    """How often the first model changed its mind; nothing where it has no verdicts to turn."""
    found = numbers(results, results.gate or Gate())
    model = found.models[0] if found.models else ""
    own, bars = found.of(model), _bars(found, model)
    if own is None or not bars:
        return []
    beyond = None if found.picked else found.beyond(model, "surface")
    sentence = mind_sentence(own, found.of(model, SURFACE), beyond)
    if results.seen[model]:
        sentence += f" {results.training[model]}"
    moved = found.changes(model)
    agreed, agrees = moved["verdict_before"].eq("agree"), moved["verdict_after"].eq("agree")
    turned = moved.loc[agreed != agrees, "row_id"]
    first = int(turned.iloc[0]) if len(turned) else None
    return [
        Finding(
            sentence,
            "See the rewordings" if first is None else "Read those where it did",
            first,
            bars,
            {} if first is None else {"model": model, "flip": "any"},
            example=None if first is None else partial(_rewording, results, first),
        )
    ]


def _bars(found: Numbers, model: str) -> tuple[Bar, ...]:
    """How often the verdict turned, by what was done to the texts."""
    bars = []
    for variant, name in _NAMES.items():
        own = found.of(model, variant)
        if own is not None and own.flips is not None:
            rate = own.flips.either
            bars.append(Bar(name, percent(rate.rate, rate.n), {"share": rate.rate}))
    return tuple(bars)


def _rewording(results: RewriteResults, row: int) -> Example:
    """The chosen reply of a row before and after, or the rejected one where that alone changed."""
    one = results.pair(row)
    before = (one.pair.chosen, one.pair.rejected)
    for was, now in zip(before, one.sides["reworded"], strict=True):
        if now is not None and now.reply != was.reply:
            old, new = beside(was.reply, now.reply), beside(now.reply, was.reply)
            return Example(("Before", old), ("After", new))
    return replies(results.dataset, row)
