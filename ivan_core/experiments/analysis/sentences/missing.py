"""Which tables an analysis has not, and what each needs, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.breaks import lacking
from ivan_core.experiments.analysis.tables import TABLES
from ivan_core.metrics.imprint.corrected import LEAST_REVIEWED

_TWO = "It takes a model before training and another one after it (--before and --after)."
_NEEDS: Mapping[str, str] = {
    "corrected": f"It takes {LEAST_REVIEWED} pairs on whose two replies people describe blindly,"
    " drawn at random.",
    "differences": "It takes two models.",
    "interaction": "It takes two labels of one's choice (--interaction A:B).",
    "regimes": _TWO,
    "shift": _TWO,
    "no-preference": "It takes labels of harmless and helpful.",
    "why": "It takes labels that say what each reply is: authored labels say how two differ.",
    "authored": "It takes authored labels, which the dataset sample has, beside a labeler's own.",
    "published": "It takes labels of harmless and helpful that say what each reply is.",
}
_OTHERS: Mapping[str, Callable[[Analysed], str]] = {"rewording": lacking}


def missing_tables(analysed: Analysed) -> list[str]:
    """Each table that was not written, with what it takes."""
    told = {name: needs(analysed) for name, needs in _OTHERS.items()}
    return [
        f"No table {name}. {told.get(name) or _NEEDS.get(name, 'Analyse these pairs anew.')}"
        for name in TABLES
        if name not in analysed.tables
    ]
