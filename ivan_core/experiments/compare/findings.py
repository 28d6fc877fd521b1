"""What a finished comparison shows at a glance: sentences that lead to rows."""

from __future__ import annotations

from dataclasses import dataclass

from ivan_core.domain.plurals import number_of
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.agreement import NO_SUBSET, by_subset, rows_in_bar
from ivan_core.metrics.sentences import percent

_SHARPEST = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence and the row to open first."""

    sentence: str
    link: str
    row: int | None


def findings(results: Results) -> list[Finding]:
    """Up to three findings: disagreement between models, the widest gap by subset, and length."""
    found = [_disagreement(results), _widest_gap(results), _length(results)]
    return [finding for finding in found if finding is not None]


def _disagreement(results: Results) -> Finding | None:
    if len(results.models) < 2 or not results.sharpest:
        return None
    share = percent(len(results.sharpest) / len(results.row_ids), len(results.row_ids))
    many = "two" if len(results.models) == 2 else str(len(results.models))
    count = min(_SHARPEST, len(results.sharpest))
    pairs = number_of(len(results.row_ids), "pair")
    on = "".join(
        f" {one.model} was trained on {'all' if one.on_all else f'{one.seen:,}'} of them."
        for one in results.training.values()
        if one.seen
    )
    return Finding(
        f"The {many} models disagree on {share} of {pairs}.{on}",
        f"Read the {count} sharpest (press D for the next)" if count > 1 else "Read it",
        results.sharpest[0],
    )


def _widest_gap(results: Results) -> Finding | None:
    """The subset where two models are furthest apart, if their intervals do not touch."""
    bars = by_subset(results.fair).drop_duplicates(["model", "subset"])
    bars = bars[(bars["subset"] != "all") & (bars["n"] >= 20)]
    widest: tuple[float, str] | None = None
    row: int | None = None
    for subset, own in bars.groupby("subset", sort=False):
        best, worst = (
            own.loc[own["rate"].astype(float).idxmax()],
            own.loc[own["rate"].astype(float).idxmin()],
        )
        gap = float(best["rate"]) - float(worst["rate"])
        if float(best["low"]) > float(worst["high"]) and (widest is None or gap > widest[0]):
            where = "pairs of no subset" if subset == NO_SUBSET else f"{subset} pairs"
            trained = (results.training[str(model)].caveat for model in own["model"])
            sentence = (
                f"On {where} {best['model']} sides with {_choice(results)} in "
                f"{percent(float(best['rate']), int(best['n']))}, {worst['model']} in "
                f"{percent(float(worst['rate']), int(worst['n']))}."
            )
            sentence = " ".join([sentence, *filter(None, trained)])
            widest, row = (gap, sentence), _sharpest_of(results, str(subset), str(worst["model"]))
    return None if widest is None else Finding(widest[1], "Read one where they part", row)


def _sharpest_of(results: Results, subset: str, model: str) -> int | None:
    """The sharpest disagreement in a subset where this model goes against the choice."""
    against = set(rows_in_bar(results.fair, model, subset, "disagree")["row_id"])
    return next((row for row in results.sharpest if row in against), None)


def _length(results: Results) -> Finding | None:
    """The model that depends most on which reply is longer, if its two intervals do not touch."""
    widest: tuple[float, str, str] | None = None
    for summary in results.summaries:
        longer, shorter = (
            summary.length_balanced.longer_chosen,
            summary.length_balanced.shorter_chosen,
        )
        if longer is None or shorter is None or longer.n < 20 or shorter.n < 20:
            continue
        if longer.low <= shorter.high and shorter.low <= longer.high:
            continue
        gap = abs(longer.rate - shorter.rate)
        if widest is None or gap > widest[0]:
            likes = "shorter" if shorter.rate > longer.rate else "longer"
            sentence = (
                f"{summary.model} leans to the {likes} reply: it sides with the choice in "
                f"{percent(shorter.rate, shorter.n)} where the shorter was chosen and "
                f"{percent(longer.rate, longer.n)} where the longer was."
                f" {results.training[summary.model].caveat}".rstrip()
            )
            widest = (gap, sentence, summary.model)
    if widest is None:
        return None
    own = results.fair[
        (results.fair["model"] == widest[2]) & (results.fair["verdict"] == "disagree")
    ]
    row = int(own.loc[own["margin"].idxmin(), "row_id"]) if len(own) else None
    return Finding(widest[1], "Read where it is most wrong", row)


def _choice(results: Results) -> str:
    choice = results.dataset.chosen_by
    return choice if "'" in choice else f"the {choice}"
