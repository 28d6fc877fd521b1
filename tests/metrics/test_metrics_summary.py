"""The summary of each model: unseen pairs lead, and what was not rated has no numbers."""

from __future__ import annotations

import json

import pandas as pd
from given.made_scores import scores

from ivan_core.metrics.summary import summarise


def test_a_summary_leads_with_unseen_pairs_and_turns_into_json() -> None:
    known = scores([(2, 1), (1, 2), (2, 1)], "a", seen=[True, False, False])
    known["chosen_length"] = [2, 2, 0]
    unknown = scores([(2, 1), (None, 1), (2, 1)], "b")
    first, second = summarise(pd.concat([known, unknown], ignore_index=True))
    assert (first.model, second.model) == ("a", "b")
    assert first.headline == first.unseen and first.headline_is_unseen
    assert first.headline_baselines is not None and first.headline_baselines.longer.n == 2
    assert first.baselines is not None and first.baselines.longer.n == 3
    assert second.headline == second.agreement and not second.headline_is_unseen
    plain = json.loads(json.dumps(first.as_dict(), allow_nan=False))
    assert plain["headline"]["count"] == 1
    assert plain["baselines"]["better"] == "longer"


def test_a_model_that_rated_nothing_has_a_summary_without_numbers() -> None:
    (summary,) = summarise(scores([(None, 1)]))
    assert summary.headline is None and summary.typical_margin is None
    assert json.loads(json.dumps(summary.as_dict()))["agreement"] is None
