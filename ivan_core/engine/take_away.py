"""What each kind of run gives to take away: a kind with figures and sentences is listed here."""

from __future__ import annotations

from collections.abc import Mapping

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare import sentences as quotes
from ivan_core.experiments.compare.figures import of_run as figure_comparison
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels import figures as figure_labels
from ivan_core.experiments.labels import sentences as label_quotes
from ivan_core.experiments.rewrite import figures as figure_rewrite
from ivan_core.experiments.rewrite import sentences as rewrite_quotes
from ivan_core.figures.picks import TakeAway
from ivan_core.figures.shown_names import by_names, file_names
from ivan_core.review import figures as figure_reviews

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
        return by_names(figure_reviews.REVIEWS, file_names(figure_reviews.sources(run_id)))
    run = runs.get(run_id)
    if run.kind not in KINDS:
        raise BadInput(
            f"Run {run_id} has no figures and no sentences: it is a {run.kind}.",
            f"Choose a run of one of the kinds {', '.join(KINDS)}.",
        )
    return by_names(KINDS[run.kind], file_names(_sources(run)))


def _sources(run: Run) -> list[str]:
    """All in a run that may be a path: its dataset, its models, and files that were imported."""
    spec = runs.any_spec_of(run)
    manifest = runs.manifest(run.id) or {}
    # The dataset of a column is known by its fingerprint.
    found = [] if isinstance(spec.dataset, str) else [spec.dataset.source]
    found += getattr(spec, "models", ())
    found += [str(getattr(spec, name, "")) for name in ("rewriter", "similarity", "labeler")]
    return found + [str(file) for file in manifest.get("imported", {}).get("files", [])]
