"""What each kind of run gives to take away: a kind with figures and sentences is listed here."""

from __future__ import annotations

from collections.abc import Mapping

from ivan_core.domain.errors import BadInput
from ivan_core.workspace import (
    figure_comparison,
    figure_labels,
    figure_reviews,
    figure_rewrite,
    label_quotes,
    quotes,
    rewrite_quotes,
    runs,
)
from ivan_core.workspace.results import open_results
from ivan_core.workspace.take_away import TakeAway

_LABELS = TakeAway(
    figure_labels.charts, figure_labels.pick, label_quotes.source_line, label_quotes.quotes
)
KINDS: Mapping[str, TakeAway] = {
    "compare": TakeAway(
        figure_comparison.charts,
        figure_comparison.pick,
        lambda run_id: quotes.source_line(open_results(run_id)),
        lambda run_id: quotes.quotes(open_results(run_id)),
    ),
    "rewrite": TakeAway(
        figure_rewrite.charts,
        figure_rewrite.pick,
        rewrite_quotes.source_line,
        rewrite_quotes.quotes,
    ),
    "labels": _LABELS,
    "taxonomy": _LABELS,
}


def take_away(run_id: str) -> TakeAway:
    """What a run gives to take away, by its kind; or the reviews of a dataset.

    Raises:
        BadInput: there is no such run, or runs of its kind give nothing.
    """
    if run_id.startswith(figure_reviews.PREFIX):
        return figure_reviews.REVIEWS
    run = runs.get(run_id)
    if run.kind not in KINDS:
        raise BadInput(
            f"Run {run_id} has no figures and no sentences: it is a {run.kind}.",
            f"Choose a run of one of the kinds {', '.join(KINDS)}.",
        )
    return KINDS[run.kind]
