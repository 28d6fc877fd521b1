"""The labels of texts for others: one row a text, and not the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ivan_core.datasets.prepared import HASHES
from ivan_core.domain.pairs import SIDES
from ivan_core.experiments.labels.numbers import in_words
from ivan_core.experiments.labels.results import LabelResults, plain
from ivan_core.interchange.scores import HASH, PIECE, ROW_ID, SUBSET, Scores
from ivan_core.labels.schema import feature
from ivan_core.labels.table import BOOLEANS

if TYPE_CHECKING:
    import pandas as pd

_OF_TEXT: dict[str, tuple[type, str]] = {
    "row_id": ROW_ID,
    "preference": (str, "the side: chosen or rejected"),
    "subset": SUBSET,
    "status": (str, "valid, repaired, refused, failed, invalid or missing"),
}


def scores(results: LabelResults) -> Scores:
    """All labels of a labelling."""
    columns = {
        **_OF_TEXT,
        **{key: (bool if key in BOOLEANS else str, feature(key).question) for key in results.keys},
        "hash": (str, HASH.format("side's")),
    }

    def pieces() -> Iterator[pd.DataFrame]:
        numbers = results.dataset.numbers(["subset", *HASHES])
        for start in range(0, len(results.table), PIECE):
            piece = results.table.iloc[start : start + PIECE].reset_index(drop=True)
            own = numbers.iloc[piece["row_id"].to_numpy()].reset_index(drop=True)
            piece["subset"] = own["subset"]
            chosen = piece["preference"].eq(SIDES[0]).to_numpy(bool)
            piece["hash"] = own[HASHES[0]].where(chosen, own[HASHES[1]])
            for key in results.keys:
                if key not in BOOLEANS:
                    piece[key] = [in_words(plain(value)) or None for value in piece[key]]
            yield piece[list(columns)]

    return Scores("labels", "text", columns, len(results.table), (_told(results),), pieces)


def _told(results: LabelResults) -> str:
    """Who labelled, exactly, and what came of it."""
    labeler, prompt = results.manifest["labeler"], results.manifest.get("prompt") or {}
    settings = [f"{name} {value}" for name, value in dict(labeler.get("settings") or {}).items()]
    facts = [f"revision {labeler.get('revision') or 'unknown'}", str(labeler.get("kind") or "")]
    facts += settings + ([f"prompt {prompt['version']}"] if "version" in prompt else [])
    by_rules = " These labels are by rules, not by a model." if results.rule_based else ""
    told = ", ".join(one for one in facts if one)
    return f"{labeler['id']} ({told}).{by_rules} {results.line}. {results.reused_words}".strip()
