"""What a finished comparison shows at a glance: up to three findings that lead to their rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from statistics import NormalDist

import pandas as pd

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.words import short_names
from ivan_core.experiments.compare.results import Results, margins_of
from ivan_core.figures.finding import Bar, Example, Finding
from ivan_core.lists.short import beside
from ivan_core.metrics.agreement import ALL_SUBSETS, by_subset, rows_in_bar
from ivan_core.metrics.intervals import rate_of_row, share_in, units_of
from ivan_core.metrics.margin_words import MOST_TOLD, preferences_words
from ivan_core.metrics.sentences import percent, rate_words, share_of, the
from ivan_core.metrics.subset_contrast import contrast_sentence, subset_pairs

_SHARPEST = 5
_MOST_BARS = 4


def findings(results: Results) -> list[Finding]:
    """Up to three findings: disagreement between models, the widest gap by subset, and length.

    Where two models clearly part on a subset and not elsewhere, that comes first.
    """
    contrast, disagreement = _contrast(results), _disagreement(results)
    if contrast is not None:
        found = [contrast, _by_who_agrees(results, disagreement), _length(results)]
    else:
        found = [disagreement, _widest_gap(results), _length(results)]
    return [_with_example(results, finding) for finding in found if finding is not None]


def _with_example(results: Results, finding: Finding) -> Finding:
    if finding.row is None:
        return finding
    return replace(finding, example=partial(_pair, results, finding.row))


def _pair(results: Results, row: int) -> Example:
    """The replies of a row, and what each model does with them."""
    does = preferences_words(margins_of(results, row), "the chosen reply", "the rejected reply")
    told = f"Pair {row:,}: {does}."
    return replace(replies(results.dataset, row), told=told)


def replies(dataset: PreparedDataset, row: int) -> Example:
    """The chosen and the rejected reply of a row, each on one line."""
    pair = dataset.pair(row)
    chosen, rejected = pair.chosen.reply, pair.rejected.reply
    return Example(("Chosen", beside(chosen, rejected)), ("Rejected", beside(rejected, chosen)))


def _disagreement(results: Results) -> Finding | None:
    if len(results.models) < 2 or not results.sharpest:
        return None
    aligned = results.aligned
    rated = aligned.rated_by_two()
    groups = units_of(aligned.row_ids[rated], results.dataset.prompt_groups)
    share = share_in(aligned.differ()[rated], groups)
    if share is None:
        return None
    many = "two" if len(results.models) == 2 else str(len(results.models))
    count = min(_SHARPEST, len(results.sharpest))
    pairs = "pair" if share.n == 1 else "pairs"
    on = "".join(
        f" {one.model} was trained on {'all' if one.on_all else f'{one.seen:,}'} of them."
        for one in results.training.values()
        if one.seen
    )
    return Finding(
        f"The {many} models disagree on {share_of(share)} {pairs}.{on}",
        f"Read the {count} sharpest (press D for the next)" if count > 1 else "Read it",
        results.sharpest[0],
        _verdict_bars(by_subset(results.fair), ALL_SUBSETS),
    )


def _by_who_agrees(results: Results, disagreement: Finding | None) -> Finding | None:
    """With the bars of a disagreement of two models by which of them sides with the choice.

    How often each does is told by subset beside it.
    """
    found = results.contrast
    if disagreement is None or found is None or len(results.models) > 2:
        return disagreement
    here, rest = found.here.found, found.elsewhere
    n = here.n + rest.n
    short = short_names(results.models)
    counts = {
        f"only {short[found.first]} agrees": here.first_only + rest.first_only,
        f"only {short[found.second]} agrees": here.second_only + rest.second_only,
        "both agree": here.both + rest.both,
        "neither": here.neither + rest.neither,
    }
    bars = (Bar(who, percent(count / n, n), {"share": count / n}) for who, count in counts.items())
    return replace(disagreement, bars=tuple(bars))


def _verdict_bars(bars: pd.DataFrame, subset: str) -> tuple[Bar, ...]:
    """How often each model agrees, ties and disagrees on a subset, for at most four models.

    Of more these are the two that agree most often and the two that agree least often.
    """
    own = bars[(bars["subset"] == subset) & (bars["n"] > 0)]
    by_rate = own.drop_duplicates("model").sort_values("rate", ascending=False, kind="stable")
    if len(by_rate) > _MOST_BARS:
        ends = [*by_rate["model"][:2], *by_rate["model"][-2:]]
        own = pd.concat([own[own["model"] == model] for model in ends])
    short = short_names(own["model"].unique().tolist())
    return tuple(
        Bar(
            short[str(model)],
            percent(float(parts["rate"].iloc[0]), int(parts["n"].iloc[0])),
            {str(part.verdict): float(str(part.share)) for part in parts.itertuples()},
        )
        for model, parts in islice(own.groupby("model", sort=False), _MOST_BARS)
    )


def _contrast(results: Results) -> Finding | None:
    """Where two models clearly part, with the bars of both on each subset."""
    found = results.contrast
    if found is None:
        return None
    short = short_names(results.models)
    bars = [
        Bar(f"{short[model]}, {one.subset}", percent(rate.rate, rate.n), {"agree": rate.rate})
        for one in (found.here, *found.others)
        for model, rate in ((found.first, one.first), (found.second, one.second))
    ]
    return Finding(
        contrast_sentence(found, results.dataset.chosen_by),
        "Read one where they part",
        _sharpest_of(results, found.here.subset, found.second),
        tuple(bars[:_MOST_BARS]),
        aside=" ".join(results.learned_from(found.first, found.second)),
    )


def _widest_gap(results: Results) -> Finding | None:
    """The subset where two models are furthest apart, if their intervals do not touch."""
    parts = by_subset(results.fair)
    bars = parts[(parts["verdict"] == "agree") & (parts["subset"] != "all") & (parts["n"] >= 20)]
    widest: tuple[float, str, str] | None = None
    row: int | None = None
    for subset, own in bars.groupby("subset", sort=False):
        best, worst = (
            own.loc[own["rate"].astype(float).idxmax()],
            own.loc[own["rate"].astype(float).idxmin()],
        )
        gap = float(best["rate"]) - float(worst["rate"])
        wider = _wider(len(own) * (len(own) - 1) // 2 * bars["subset"].nunique(), len(own))
        # How far the nearer ends reach towards each other.
        reach = float(best["rate"]) - float(best["low"])
        reach += float(worst["high"]) - float(worst["rate"])
        if gap > wider * reach and (widest is None or gap > widest[0]):
            trained = (results.training[str(model)].caveat for model in own["model"])
            sentence = (
                f"On {subset_pairs(str(subset))} {best['model']} sides with"
                f" {the(results.dataset.chosen_by)} in {_rate(best)}, {worst['model']} in"
                f" {_rate(worst)}."
            )
            sentence = " ".join([sentence, *filter(None, trained)])
            widest = (gap, sentence, str(subset))
            row = _sharpest_of(results, str(subset), str(worst["model"]))
    if widest is None:
        return None
    return Finding(widest[1], "Read one where they part", row, _verdict_bars(parts, widest[2]))


def _sharpest_of(results: Results, subset: str, model: str) -> int | None:
    """The sharpest disagreement in a subset where this model goes against the choice."""
    against = set(rows_in_bar(results.fair, model, subset, "disagree")["row_id"])
    found = [row for row in results.sharpest if row in against]
    # The sharpest of all is read under another finding already.
    return next(iter([row for row in found if row != results.sharpest[0]] or found), None)


def _length(results: Results) -> Finding | None:
    """The model that depends most on which reply is longer, if its two intervals do not touch."""
    widest: tuple[float, str, str, tuple[Bar, ...]] | None = None
    wider = _wider(len(results.models), len(results.models))
    for summary in results.summaries:
        longer, shorter = (
            summary.length_balanced.longer_chosen,
            summary.length_balanced.shorter_chosen,
        )
        if longer is None or shorter is None or longer.n < 20 or shorter.n < 20:
            continue
        more, less = sorted((longer, shorter), key=lambda one: -one.rate)
        gap = more.rate - less.rate
        if gap <= wider * (more.rate - more.low + less.high - less.rate):
            continue
        if widest is None or gap > widest[0]:
            likes = "shorter" if shorter.rate > longer.rate else "longer"
            sentence = (
                f"{summary.model} leans to the {likes} reply: it sides with the choice in "
                f"{rate_words(shorter)} where the shorter was chosen and in "
                f"{rate_words(longer)} where the longer was."
                f" {results.training[summary.model].caveat}".rstrip()
            )
            lengths = (("shorter", shorter), ("longer", longer))
            bars = tuple(
                Bar(f"{name} chosen", percent(rate.rate, rate.n), {"agree": rate.rate})
                for name, rate in lengths
            )
            widest = (gap, sentence, summary.model, bars)
    if widest is None:
        return None
    own = results.fair[
        (results.fair["model"] == widest[2]) & (results.fair["verdict"] == "disagree")
    ]
    row = int(own.loc[own["margin"].idxmin(), "row_id"]) if len(own) else None
    return Finding(widest[1], "Read where it is most wrong", row, widest[3])


def _wider(tests: int, models: int) -> float:
    """How much wider intervals are to be where the widest gap of many models is looked for.

    Of up to four models none is; of more those of all tests together are 95% (Bonferroni).
    """
    if models <= MOST_TOLD:
        return 1.0
    normal = NormalDist()
    return normal.inv_cdf(1 - 0.025 / tests) / normal.inv_cdf(0.975)


def _rate(bar: pd.Series) -> str:
    """The agreement of a bar with its interval and n, as in "60% [54, 66] of 240"."""
    count, n = int(bar["count"]), int(bar["n"])
    low, high, effective_n = (float(bar[name]) for name in ("low", "high", "effective_n"))
    return rate_words(rate_of_row(count, n, low, high, effective_n))
