"""The files of a comparison for people: the original's CSVs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.domain.models import ModelCard
from ivan_core.domain.pairs import IDENTICAL
from ivan_core.metrics.agreement import rows_of, says, where
from ivan_core.metrics.summary import ModelSummary
from ivan_core.runs.csv_columns import write_csv_columns
from ivan_core.runs.storage import storage_errors, write_csv

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "compare"
STATS_COLUMNS = (
    "model_name",
    "model_trained_on_dataset",
    "rlfh_dataset_name",
    "rlhf_entries",
    "rlhf_entries_rated",
    "rlhf_entries_rated_percentage",
    "rlhf_entries_agreement",
    "rlhf_entries_agreement_percentage",
    # the original ends here; what follows is ours
    "rlhf_entries_tie",
    "rlhf_entries_disagree",
    "rlhf_entries_identical",
    "rlhf_entries_failed",
    "rlhf_entries_truncated",
    "agreement_low",
    "agreement_high",
    "always_longer",
    "always_shorter",
    "length_balanced_agreement",
    "typical_margin",
    "model_revision",
    "input_format",
    "max_tokens",
    "length_balanced_low",
    "length_balanced_high",
    "rlhf_entries_asked",
)


def write_csvs(
    data_dir: Path,
    slug: str,
    dataset_label: str,
    entries: int,
    table: pd.DataFrame,
    cards: Sequence[ModelCard],
    summaries: Sequence[ModelSummary],
) -> list[str]:
    """Write one CSV a model, one of failed rows where there are any, and the stats.

    `entries` is the length of the loaded split: as in the original it is `rlhf_entries`, whatever
    rows were asked for, and the rated percentage is one of it; those are a column of their own.
    Returns the names of the files.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    folder = data_dir / FOLDER
    names: list[str] = []
    with storage_errors(data_dir):
        for card, slug_of_card in zip(cards, _slugs(cards), strict=True):
            rows = rows_of(table, card.id)
            unrated = rows["margin"].isna().to_numpy(bool)
            name = f"{slug}-{slug_of_card}.csv"
            write_csv_columns(folder / name, _scores(where(rows, ~unrated)), alone=True)
            names.append(name)
            if unrated.any():
                name = f"{slug}-{slug_of_card}-failed.csv"
                write_csv(
                    folder / name,
                    ("row_id", "reason"),
                    (
                        (row.row_id, IDENTICAL if row.identical else row.failure)
                        for row in rows[unrated].itertuples()
                    ),
                    alone=True,
                )
                names.append(name)
        of_model = {summary.model: summary for summary in summaries}
        name = f"{slug}-stats.csv"
        write_csv(
            folder / name,
            STATS_COLUMNS,
            (_stats(card, dataset_label, entries, of_model.get(card.id)) for card in cards),
            alone=True,
        )
        names.append(name)
    return names


def _scores(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "row_id": rows["row_id"].to_numpy(),
        "chosen_score": rows["chosen_reward"].to_numpy(),
        "rejected_score": rows["rejected_reward"].to_numpy(),
        "agreement": says(rows["verdict"], "agree"),
    }


def _slugs(cards: Sequence[ModelCard]) -> list[str]:
    """A file name for each model; models whose ids make the same name are numbered."""
    slugs: list[str] = []
    for card in cards:
        same = sum(slug.partition("~")[0] == card.slug for slug in slugs)
        slugs.append(f"{card.slug}~{same + 1}" if same else card.slug)
    return slugs


def _stats(card: ModelCard, label: str, entries: int, summary: ModelSummary | None) -> list[Any]:
    if summary is None:
        unknown = [None] * (len(STATS_COLUMNS) - 6)
        return [card.id, card.trained_on_hh, label, entries, 0, *unknown, 0]
    counts, rate, rule = summary.counts, summary.agreement, summary.baselines
    return [
        card.id,
        card.trained_on_hh,
        label,
        entries,
        counts.rated,
        100 * counts.rated / entries if entries else None,
        counts.agree,
        100 * rate.rate if rate else None,
        counts.tie,
        counts.disagree,
        counts.identical,
        counts.failed,
        counts.truncated,
        rate.low if rate else None,
        rate.high if rate else None,
        rule.longer.rate if rule else None,
        rule.shorter.rate if rule else None,
        summary.length_balanced.rate,
        summary.typical_margin,
        card.revision,
        card.input_format,
        card.max_tokens,
        summary.length_balanced.low,
        summary.length_balanced.high,
        counts.total,
    ]
