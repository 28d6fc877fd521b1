"""The table of published numbers: reproduced from the published counts, and beside ours."""

from __future__ import annotations

from itertools import product
from math import isnan

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from given.made_analyses import GLAD, HARMLESS, HELPFUL, MOOD, OTHER, PLAIN, SIDES, Analysing
from given.tables.published_labels import published_labels

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import archive, figures, handling as runs, zips
from ivan_core.experiments.analysis.joined import Joined, Judged, Labelled
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.experiments.analysis.sentences.published import published_models, published_rows
from ivan_core.experiments.analysis.steps import against
from ivan_core.experiments.analysis.steps.published import Of, names, paper, published, who_of
from ivan_core.experiments.rewrite.results import open_rewrite
from ivan_core.metrics.imprint.against import REGIMES
from ivan_core.metrics.imprint.preference import prefers_as_published
from ivan_core.metrics.robustness.changes import REWORDED, changes

PAIRS = 160_800
WORDS = ("chosen", "none", "rejected")
BEFORE, AFTER, LABELER = "org/pre", "org/post", "labels"


def as_counted() -> tuple[Joined, dict[str, np.ndarray]]:
    """Pairs with these labels, each published preference split into its published regimes."""
    chosen, rejected = published_labels()
    codes = prefers_as_published(chosen, rejected)
    signs = {name: np.zeros(PAIRS) for name in (BEFORE, AFTER)}
    for place, word in enumerate(WORDS):
        own, start = np.flatnonzero(codes == place), 0
        for regime in REGIMES:
            end = start + int(paper()[f"regime:{regime},labeler:{word}"].value)
            signs[BEFORE][own[start:end]] = 1 if regime in ("stayed", "reversed") else -1
            signs[AFTER][own[start:end]] = 1 if regime in ("stayed", "got") else -1
            start = end
        assert start == len(own)
    keys, nothing = (HARMLESS, HELPFUL), np.zeros((PAIRS, 0), bool)
    own = Labelled(LABELER, "gpt", keys, chosen, rejected, chosen - rejected, (), nothing)
    rows = np.arange(PAIRS, dtype=np.int64)
    rewards = {name: np.column_stack([one, np.zeros(PAIRS)]) for name, one in signs.items()}
    models = {name: Judged(one, 1.0) for name, one in signs.items()}
    joined = Joined(
        rows, rows, rows % 10, np.zeros(PAIRS), np.full(PAIRS, "", object), models, {LABELER: own}
    )
    return joined, rewards


def test_the_published_counts_give_the_published_numbers_and_ours() -> None:
    joined, rewards = as_counted()
    of = who_of(joined, BEFORE, AFTER)
    assert of == Of(LABELER, BEFORE, AFTER)
    records = {
        "misaligned": against.misaligned(joined, LABELER),
        "shift": against.shifts(joined, LABELER, BEFORE, AFTER),
        "imprint": [],
        "why": [],
    }
    found = {row["name"]: row for row in published(joined, rewards, of, records, None)}
    counts = [f"labeler:{word}" for word in WORDS]
    counts += [f"regime:{one},labeler:{word}" for one, word in product(REGIMES, WORDS)]
    assert len(counts) == 15
    for name in counts:
        assert found[name]["here_as_published"] == found[name]["paper"]
    ours = {word: found[f"labeler:{word}"]["here"] for word in WORDS}
    assert ours == {"chosen": 28_443, "none": 121_517, "rejected": 10_840}
    for name in ("agreement:before", "agreement:after"):
        assert found[name]["here_as_published"] == pytest.approx(found[name]["paper"], abs=1e-6)
        assert found[name]["here"] == pytest.approx(found[name]["paper"], abs=1e-6)
    for word in WORDS:
        row = found[f"misaligned:after,labeler:{word}"]
        assert row["here_as_published"] == pytest.approx(row["paper"], abs=1e-6)
    assert all("source" in row and row["source"] for row in found.values() if row["paper"])


def test_the_papers_numbers_have_their_source_and_date() -> None:
    assert len(paper()) == 121 and set(paper()) <= names()
    assert all("arXiv 2408.10270, August 2024" in one.source for one in paper().values())
    one = paper()["became-misaligned,chosen:last_response_sentiment,flip:lost"]
    assert (round(one.value, 3), round(one.se, 3)) == (0.117, 0.036)
    assert isnan(paper()["imprint:after,last_response_is_harmless"].se)
    assert paper()["theta:mean,all"].value == pytest.approx(6.48, abs=0.001)


def test_it_needs_labels_that_tell_a_preference(analysing: Analysing) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    found = open_analysis(analysing.analysed(compared, labelled))
    assert "published" not in found.tables and found.manifest["published"] is None


def with_choice(analysing: Analysing, **asked: str) -> str:
    """An analysis of labels that tell a preference, of two models and a rewording."""
    compared = analysing.compared((PLAIN, OTHER))
    analysing.reworded()
    return analysing.analysed(compared, analysing.choosing(), **asked)


def test_rules_that_were_published_stand_beside_ours(analysing: Analysing) -> None:
    run_id = with_choice(analysing, before=OTHER, after=PLAIN)
    assert runs.get(run_id).state is RunState.DONE, runs.get(run_id).problem
    analysed = open_analysis(run_id)
    assert analysed.manifest["published"]["after"] == PLAIN
    rows = analysed.tables["published"].set_index("name")
    assert list(rows.index[: len(paper())]) == list(paper())
    pooled = rows.loc[f"imprint:after,{HELPFUL}"]
    assert pooled["here_as_published_low"] < 1.5 < pooled["here_as_published_high"]
    ours = analysed.table(
        "imprint", model=PLAIN, before="", view="together", control="length"
    ).set_index("feature")
    assert pooled["here"] == ours.loc[HELPFUL, "estimate"]
    change = analysed.table(
        "imprint", model=PLAIN, before=OTHER, view="together", control="length"
    ).set_index("feature")
    theta = rows.loc[f"theta,rejected:{HELPFUL}"]
    assert theta["here"] == -change.loc[HELPFUL, "estimate"]
    assert theta["here_low"] < theta["here"] < theta["here_high"]
    assert not isnan(rows.loc["theta:mean,all", "here_as_published"])
    became = rows.filter(like="became-misaligned", axis=0)
    assert len(became) == 12 and became["here_as_published"].notna().sum() == 2
    estimates, errors = by_hand(analysing, analysed.spec.rewording)
    for side, estimate, error in zip(SIDES, estimates, errors, strict=True):
        one = became.loc[f"became-misaligned,{side}:{MOOD},flip:lost"]
        assert one["here_as_published"] == pytest.approx(estimate)
        half = (one["here_as_published_high"] - one["here_as_published_low"]) / 2
        assert half == pytest.approx(2 * error)


def by_hand(analysing: Analysing, rewording: str) -> tuple[np.ndarray, np.ndarray]:
    """Becoming misaligned over all pairs, on a glad word that is gone from either reply."""
    moved = changes(open_rewrite(rewording).table, PLAIN, REWORDED)
    lost = [
        [GLAD in said and row % 4 == 0 for said in analysing.replies[row]]
        for row in moved["row_id"]
    ]
    agreed, agrees = (moved[f"verdict_{when}"].eq("agree") for when in ("before", "after"))
    outcome = (agreed & ~agrees).to_numpy(float)
    fitted = sm.OLS(outcome, sm.add_constant(np.array(lost, dtype=float))).fit()
    return fitted.params[1:], fitted.bse[1:]


def test_the_published_imprint_is_drawn_with_its_bars_beside_the_papers(
    analysing: Analysing,
) -> None:
    runs_of = analysing.compared((PLAIN, OTHER)), analysing.choosing()
    analysed = open_analysis(analysing.analysed(*runs_of, before=OTHER, after=PLAIN))
    assert published_models(analysed) == [PLAIN, OTHER]
    told = analysed.table("published").set_index("name")
    for model, when, whose in (
        (PLAIN, "after", "the paper's, after training"),
        (OTHER, "before", "the paper's model before training"),
    ):
        rows = published_rows(analysed, model)
        own = rows[rows["series"].eq(model)].set_index("feature")
        assert {HARMLESS, HELPFUL} <= set(own.index) and own["estimate"].notna().all()
        here = told.loc[f"imprint:{when},{HARMLESS}"]
        assert own.loc[HARMLESS, "high"] == here["here_as_published_high"]
        theirs = rows[rows["series"].eq(whose)].set_index("feature")
        assert theirs.loc[HARMLESS, "estimate"] == paper()[f"imprint:{when},{HARMLESS}"].value
        assert isnan(theirs.loc[HARMLESS, "low"]), "read off a figure"
    words = figures.caption(analysed.run.id, "published", model=OTHER)
    assert "no differences are computed" in words and "labels: chooser:1b" in words.lower()
    assert "± 2" in figures.methods(analysed.run.id, "published")
    with pytest.raises(BadInput):
        figures.caption(analysed.run.id, "published", model="org/nobody")


def test_they_leave_and_come_back_as_a_zip(analysing: Analysing) -> None:
    run_id = with_choice(analysing)
    before, path = open_analysis(run_id), analysing.data_dir / "run.zip"
    zips.export(run_id, path)
    archive.delete(run_id)
    open_analysis.cache_clear()
    zips.import_zip(path)
    after = open_analysis(run_id)
    pd.testing.assert_frame_equal(after.tables["published"], before.tables["published"])
    assert after.manifest["published"] == before.manifest["published"]
