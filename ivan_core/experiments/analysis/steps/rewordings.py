"""What an analysis takes from a rewording of its pairs: texts, their labels and rewards, before and
after, and the records of the table `rewording`.

Rewordings count past the usual gate on meaning, as on their own page. The labels are those of the
rewording itself, so that original and reworded text have the same labeler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.domain.pairs import SIDES
from ivan_core.experiments.analysis.joined import Joined
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON
from ivan_core.metrics.imprint.effects import Effect, together
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.rewording import Move, moves
from ivan_core.metrics.imprint.rows import Rows
from ivan_core.metrics.labels.answers import answers
from ivan_core.metrics.robustness.changes import ORIGINAL, REWORDED
from ivan_core.models.names import is_rules
from ivan_core.models.reward_models import split_revision

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NOBODY_LABELLED = "Nobody labelled the texts of this rewording, original and reworded."


@dataclass(frozen=True, eq=False)
class Texts:
    """Reworded texts with labels before and after (n, k), and one pair's number for each (n).

    `length` (n) is the change of ln characters of the reply, `moved` (n) that of the reward in
    typical margins of one model; texts are in the order of their pairs, chosen first.
    """

    pairs: Ints
    changes: Floats
    length: Floats
    moved: Floats


def why_not(rewriter: str, labeler: str) -> str:
    """Why labels of a rewording say nothing here; empty if they do."""
    if not labeler:
        return NOBODY_LABELLED
    return RULES_AND_LEXICON if is_rules(rewriter) and is_rules(labeler) else ""


def shared_models(reworded: Sequence[str], models: Sequence[str]) -> dict[str, str]:
    """The models of a comparison that rated the reworded texts too, with their names there."""
    named = {split_revision(name)[0]: name for name in reworded}
    return {name: named[name] for name in models if name in named}


def rewordings(joined: Joined, results: RewriteResults) -> list[dict[str, Any]]:
    """How each model's reward moves where rewording moves a label, beside the imprint."""
    records: list[dict[str, Any]] = []
    shared = shared_models(results.models, list(joined.models))
    for model, name in shared.items():
        unit = joined.models[model].unit
        if not unit:
            continue
        texts = texts_of(results, name, unit)
        beside = {one.feature: one for one in imprint_of_originals(results, name, unit)}
        for one in moves(REWRITE_FEATURES, texts.changes, texts.length, texts.moved, texts.pairs):
            records.append(_record(model, one, beside))
    return records


def _record(model: str, one: Move, beside: Mapping[str, Effect]) -> dict[str, Any]:
    found = {"estimate": one.found.estimate, "se": one.found.se}
    ends = {"low": one.found.low, "high": one.found.high}
    record = {"model": model, "feature": one.feature, **found, **ends, "texts_changed": one.changed}
    own = beside[one.feature].found if one.feature in beside else None
    imprint = {
        "imprint": own.estimate if own else np.nan,
        "imprint_low": own.low if own else np.nan,
        "imprint_high": own.high if own else np.nan,
    }
    return {**record, **imprint, "texts": one.texts, "why": one.why}


def texts_of(results: RewriteResults, model: str, unit: float) -> Texts:
    """The texts whose labels are all known before and after, and whose rewards both are."""
    table = numbers(results, Gate()).table
    own = table[table["model"] == model]
    parts: list[pd.DataFrame] = []
    labels = {name: _labels(results, name) for name in (ORIGINAL, REWORDED)}
    for place, side in enumerate(SIDES):
        before, after = (
            own[own["variant"] == variant].set_index("row_id")[f"{side}_reward"]
            for variant in (ORIGINAL, REWORDED)
        )
        texts = (after - before).dropna().rename("moved").to_frame()
        told = labels[REWORDED][side] - labels[ORIGINAL][side]
        parts.append(texts.join(told.dropna(), how="inner").assign(side=place))
    import pandas as pd

    found = pd.concat(parts).rename_axis("row_id").reset_index().sort_values(["row_id", "side"])
    row_ids, sides = found["row_id"].to_numpy(np.int64), found["side"].to_numpy(np.int64)
    return Texts(
        row_ids,
        found[list(REWRITE_FEATURES)].to_numpy(np.float64),
        _longer(results, row_ids, sides),
        found["moved"].to_numpy(np.float64) / unit,
    )


def _longer(results: RewriteResults, row_ids: Ints, sides: Ints) -> Floats:
    """The change of ln characters of each text's last reply."""
    by_row = {
        row_id: (before, after)
        for row_id, before, after in results.replies(np.unique(row_ids).tolist())
    }
    found = np.zeros(len(row_ids))
    for place, (row_id, side) in enumerate(zip(row_ids.tolist(), sides.tolist(), strict=True)):
        before, after = (len(texts[side] or "") for texts in by_row[row_id])
        found[place] = np.log(max(1, after)) - np.log(max(1, before))
    return found


def imprint_of_originals(results: RewriteResults, model: str, unit: float) -> tuple[Effect, ...]:
    """The imprint of the same labels on the margins of the originals of all pairs of the run."""
    own = results.scores
    own = own[(own["model"] == model) & (own["variant"] == ORIGINAL)].set_index("row_id")
    margin = (own["chosen_reward"] - own["rejected_reward"]).dropna().rename("margin")
    sides = _labels(results, ORIGINAL)
    labels = sides["chosen"] - sides["rejected"]
    found = margin.to_frame().join(labels.dropna(), how="inner").sort_index()
    row_ids = found.index.to_numpy(np.int64)
    lengths = results.dataset.numbers(["chosen_length", "rejected_length"]).iloc[row_ids]
    chosen, rejected = (
        np.log(np.maximum(lengths[f"{side}_length"].to_numpy(np.float64), 1)) for side in SIDES
    )
    rows = Rows(
        REWRITE_FEATURES,
        found[list(REWRITE_FEATURES)].to_numpy(np.float64),
        np.asarray(chosen - rejected, dtype=np.float64),
        Groups.of(results.dataset.prompt_groups[row_ids], len(row_ids)),
    )
    return together(rows, found["margin"].to_numpy(np.float64) / unit).effects


def _labels(results: RewriteResults, variant: str) -> dict[str, pd.DataFrame]:
    """The labels of one variant as numbers, by side and row id; NaN where one is not there."""
    own = results.labels
    own = own[own["variant"].eq(variant) & ~own["again"]]
    told = own[["row_id", "preference"]].copy()
    for key in REWRITE_FEATURES:
        codes = answers(own, key).codes().astype(np.float64)
        told[key] = np.where(codes < 0, np.nan, codes)
    return {
        side: told[told["preference"] == side].set_index("row_id")[list(REWRITE_FEATURES)]
        for side in SIDES
    }
