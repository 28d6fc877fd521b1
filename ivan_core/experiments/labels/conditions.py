"""Which texts of a labelling are shown: conditions that live in a URL, each with words for a chip.

A text is shown if all conditions hold. `label` names what the others speak of: `value` is the word
of a list or a sentiment, `answer` whether it was given (yes or no), `pair` how it stands on both
sides, `theirs` what the labeler of the run `other` says of it, `also` a second label as KEY:VALUE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES
from ivan_core.domain.pairs import SIDES
from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.labels.reconcile import STATES
from ivan_core.labels.schema import feature
from ivan_core.metrics.labels.answers import (
    LIST_KEYS,
    NO,
    SENTIMENT,
    SENTIMENTS,
    YES,
    answers,
    texts_in_cell,
)
from ivan_core.metrics.labels.shares import ON_PAIRS, pairs_with
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 200
_OF_LABEL = ("label", "value", "answer", "pair", "also", "other", "theirs")
_ON_PAIRS = {
    "both": "on both sides", "chosen_only": "only the chosen reply",
    "rejected_only": "only the rejected reply", "neither": "on neither side",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextFilter:
    """Conditions on texts; an empty one asks for nothing."""

    state: str = ""
    side: str = ""
    label: str = ""
    value: str = ""
    answer: str = ""
    pair: str = ""
    also: str = ""
    other: str = ""
    theirs: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The conditions as parameters of a URL."""
        return {name: text for name, text in asdict(self).items() if text}

    @property
    def holding(self) -> str:
        """The value that the label is counted by: "yes", a sentiment, or the word of a list."""
        return self.value or YES

    def without(self, name: str) -> TextFilter:
        """The filter less one condition, and less what makes no sense alone."""
        gone = {"label": _OF_LABEL, "theirs": ("other", "theirs")}.get(name, (name,))
        return replace(self, **dict.fromkeys(gone, ""))


PARAMETERS = tuple(one.name for one in fields(TextFilter))
"""The parameters of a URL that belong to the filter."""


def read_filter(query: Mapping[str, str]) -> tuple[TextFilter, tuple[str, ...]]:
    """The filter of a URL, and the names of parameters in it that make no sense."""
    asked = {name: query[name] for name in PARAMETERS if query.get(name)}
    found = TextFilter(**{name: text for name, text in asked.items() if _known(name, text, asked)})
    if not found.label or (feature(found.label).kind != "boolean" and not found.value):
        found = found.without("label")
    if not (found.other and found.theirs):
        found = found.without("theirs")
    return found, tuple(name for name in asked if name not in found.query)


def _known(name: str, text: str, asked: Mapping[str, str]) -> bool:
    """Whether a condition means something beside the others."""
    key = asked.get("label", "")
    if len(text) > _LONGEST:
        return False
    if name == "value":
        return text in SENTIMENTS if key == SENTIMENT else key in LIST_KEYS
    if name == "label":
        return text in FEATURES
    if name == "also":
        return text.partition(":")[0] in FEATURES
    if name == "theirs":
        return text in (SENTIMENTS if key == SENTIMENT else (YES, NO))
    allowed: dict[str, tuple[str, ...]] = {
        "state": STATES, "side": SIDES, "answer": (YES, NO), "pair": ON_PAIRS,
    }  # fmt: skip
    return name == "other" or text in allowed[name]


def chips(wanted: TextFilter) -> list[tuple[str, str]]:
    """Each condition that can be taken away: its name and its words."""
    found = []
    if wanted.state:
        found.append(("state", f"State: {wanted.state}"))
    if wanted.side:
        found.append(("side", f"Only {wanted.side} replies"))
    if wanted.label:
        name = label_name(wanted.label, wanted.value)
        if wanted.pair:
            found.append(("label", f"{name}: {_ON_PAIRS[wanted.pair]}"))
        elif wanted.value:
            found.append(("label", f"Not {name}" if wanted.answer == NO else name))
        else:
            found.append(("label", f"{name}: {wanted.answer or YES}"))
    if wanted.also:
        found.append(("also", f"Also {label_name(*_key_and_value(wanted.also))}"))
    if wanted.theirs:
        found.append(("theirs", f"{_labeler(wanted.other)} says {wanted.theirs}"))
    return found


def label_name(key: str, value: str = "") -> str:
    """A label as a person reads it: its title, with its value where there are several."""
    title = feature(key).title
    return title if value in ("", YES) else f"{title}: {value}"


def _key_and_value(text: str) -> tuple[str, str]:
    key, _, value = text.partition(":")
    return key, value or YES


def _labeler(run_id: str) -> str:
    try:
        return open_labels(run_id).labeler
    except BadInput:
        return run_id


def matching(results: LabelResults, wanted: TextFilter) -> NDArray[np.int64]:
    """The places in the labels table of the texts that meet all conditions.

    Raises:
        BadInput: the other run of the filter has no labels.
    """
    other = open_labels(wanted.other).run.finished if wanted.other else None
    return _places(data_dir(), results.run.id, results.run.finished, other, wanted)


@lru_cache(maxsize=32)
def _places(
    _: Path, run_id: str, __: float | None, ___: float | None, wanted: TextFilter
) -> NDArray[np.int64]:
    table = open_labels(run_id).table
    inside = np.ones(len(table), dtype=np.bool_)
    if wanted.state:
        inside &= table["status"].eq(wanted.state).to_numpy(bool)
    if wanted.side:
        inside &= table["preference"].eq(wanted.side).to_numpy(bool)
    if wanted.label:
        inside &= _label_holds(table, wanted)
    if wanted.also:
        key, value = _key_and_value(wanted.also)
        inside &= _given(table, key, value)[1]
    return np.flatnonzero(inside)


def _label_holds(table: pd.DataFrame, wanted: TextFilter) -> NDArray[np.bool_]:
    key, answer = wanted.label, wanted.answer or YES
    if wanted.pair:
        rows = pairs_with(table, key, wanted.holding, wanted.pair)
        return np.asarray(table["row_id"].isin(rows).to_numpy(bool))
    if wanted.theirs:
        ours = wanted.value if key == SENTIMENT else answer
        word = wanted.value if key in LIST_KEYS else ""
        other = open_labels(wanted.other).table
        cell = texts_in_cell(table, other, key, (ours, wanted.theirs), word)
        return _among(table, cell)
    answered, holds = _given(table, key, wanted.holding)
    return holds if answer == YES else answered & ~holds


def _given(
    table: pd.DataFrame, key: str, value: str
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which texts have an answer to a key, and which of them that value."""
    given = answers(table, key, [value] if key in LIST_KEYS else ())
    if value not in given.values:
        return given.answered, np.zeros(len(table), dtype=np.bool_)
    return given.answered, given.holds[:, given.values.index(value)]


def _among(table: pd.DataFrame, keys: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows of a table are among these texts."""

    def ids(rows: pd.DataFrame) -> NDArray[np.int64]:
        rejected = rows["preference"].eq(SIDES[1]).to_numpy(bool)
        return np.asarray(2 * rows["row_id"].to_numpy(np.int64) + rejected, dtype=np.int64)

    return np.isin(ids(table), ids(keys))
