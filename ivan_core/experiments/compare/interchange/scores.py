"""The rewards of a comparison for others: one row a model and pair, and no text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from ivan_core.datasets.prepared import HASHES
from ivan_core.experiments.compare.results import Results
from ivan_core.figures.chart import paths_of_run
from ivan_core.figures.files import file_names, named
from ivan_core.figures.words import model_words
from ivan_core.interchange.scores import HASH, PIECE, ROW_ID, SUBSET, Scores
from ivan_core.metrics.trust import eight_bits_sentence

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS: dict[str, tuple[type, str]] = {
    "row_id": ROW_ID,
    "model": (str, "the reward model"),
    "subset": SUBSET,
    "chosen_reward": (float, "its reward for the chosen reply, in its own units"),
    "rejected_reward": (float, "its reward for the rejected reply"),
    "margin": (float, "chosen minus rejected; of one model alone can margins be compared"),
    "verdict": (str, "agree, tie (exactly equal) or disagree; empty if it did not rate the pair"),
    "chosen_truncated": (bool, "the model did not read the whole text of the chosen side"),
    "rejected_truncated": (bool, "nor that of the rejected side"),
    "failure": (str, "why there is no reward; empty if there is one"),
    "identical": (bool, "both sides are the same text, so there is nothing to judge"),
    "chosen_length": (int, "characters in the chosen reply"),
    "rejected_length": (int, "characters in the rejected reply"),
    "seen": (bool, "the model was trained on the pair; empty if that is not known"),
    "chosen_hash": (str, HASH.format("chosen")),
    "rejected_hash": (str, HASH.format("rejected")),
}


def scores(results: Results) -> Scores:
    """All rewards of a comparison; models that are paths by their names."""
    called = file_names(paths_of_run(results))

    @cache
    def by_name(value: object) -> str | None:
        return str(named(value, called)) if isinstance(value, str) else None

    def pieces() -> Iterator[pd.DataFrame]:
        hashes = results.dataset.numbers(HASHES)
        for start in range(0, len(results.table), PIECE):
            piece = results.table.iloc[start : start + PIECE].reset_index(drop=True)
            for name in HASHES:
                piece[name] = hashes[name].to_numpy()[piece["row_id"].to_numpy()]
            for name in ("model", "failure"):
                piece[name] = [by_name(value) for value in piece[name].tolist()]
            yield piece[list(_COLUMNS)]

    return Scores(
        "scores",
        "model and pair",
        _COLUMNS,
        len(results.table),
        tuple(str(named(_told(results, model), called)) for model in results.models),
        pieces,
    )


def _told(results: Results, model: str) -> str:
    """What exactly a model was, where it ran, and what must be known of it."""
    card = results.cards[model]
    parts = [
        f"{model_words(card)}, licence {card.licence}.",
        card.server.sentence if card.server else "",
        eight_bits_sentence(card.eight_bits) if card.eight_bits else "",
        *results.learned_from(model),
        results.training[model].sentence,
    ]
    return " ".join(part for part in parts if part)
