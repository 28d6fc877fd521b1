"""Rows of the original's CSV of rewordings, with rewards and labels as they are asked for."""

from __future__ import annotations

import csv
from pathlib import Path

from ivan_core.experiments.rewrite.files import CSV_COLUMNS

SENTIMENT = "last_response_sentiment"


def row_of(row: int, **cells: object) -> dict[str, object]:
    """A row of the original's: rewards 2 over 1 before, and 1 over 2 after."""
    ask = f"\n\nHuman: Question {row}?\n\nAssistant: "
    new = f"\n\nHuman: Enquiry {row}?\n\nAssistant: "
    about: dict[str, object] = {
        "row_id": row,
        "original_chosen_text": f"{ask}Answer {row}.",
        "original_rejected_text": f"{ask}Answer {row}. But ask a friend too.",
        "rewritten_chosen_text": f"{new}Reply {row}.",
        "rewritten_rejected_text": f"{new}Reply {row}. But ask a friend too.",
        "original_to_rewritten_chosen_vector_cos_sim": 0.95,
        "original_to_rewritten_rejected_vector_cos_sim": 0.9,
    }
    for model in ("aligned", "control"):
        about |= {
            f"original_chosen_score_rm_{model}": 2.0,
            f"original_rejected_score_rm_{model}": 1.0,
            f"rewritten_chosen_score_rm_{model}": 1.0,
            f"rewritten_rejected_score_rm_{model}": 2.0,
            f"original_agreement_dataset_and_rm_{model}": True,
            f"rewritten_agreement_dataset_and_rm_{model}": False,
        }
    for word in ("original", "rewritten"):
        for side in ("chosen", "rejected"):
            for key in ("helpful", "harmless", "coherent", "eloquent"):
                about[f"{word}_{side}_last_response_is_{key}"] = True
            about[f"{word}_{side}_{SENTIMENT}"] = "neutral"
    return {**about, **cells}


def rewrite_csv(path: Path, *rows: dict[str, object]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CSV_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path
