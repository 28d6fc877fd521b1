"""Filters of rows find exactly the rows behind a number."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.reward_models import Fakes
from given import made_runs
from given.any_filters import ANY_FILTER
from given.support import write_annotated_pairs
from hypothesis import HealthCheck, given, settings

from ivan_core.annotations.notes import Reviews
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import Mark
from ivan_core.experiments.columns.conditions import UserColumnIn, missing_searches
from ivan_core.experiments.compare.conditions import (
    LANGUAGE,
    Failed,
    MarginIn,
    MarginsIn,
    RewardsIn,
    Seen,
    Sort,
    SureIn,
    Truncated,
    listing,
)
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.verdicts import ModelsDiffer, VerdictIs, VerdictsAre
from ivan_core.lists.conditions import Filter, fitting, matching_rows, without_value
from ivan_core.lists.pairs import ColumnIs, LongerIs, Noted, Starred, SubsetIs
from ivan_core.metrics.agreement import by_subset, rated, rows_in_bar
from ivan_core.metrics.bins import in_reward_cell, margin_histogram, reward_bins
from ivan_core.metrics.columns import by_column, column_groups
from ivan_core.metrics.paired import in_margin_cell, margin_cells, shared_rows, verdict_table

FIRST, SECOND = made_runs.TWO_MODELS


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """120 pairs in three subsets by three annotators; some fail, some are cut, one is identical."""
    folder = tmp_path_factory.mktemp("filters")
    path = write_annotated_pairs(folder / "rows.jsonl", 120, 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IVAN_DATA_DIR", str(folder / "data"))
        patch.setenv("IVAN_SLOT_FILE", str(folder / "slot"))
        fakes = Fakes(failing="0", truncated="12")
        yield open_results(made_runs.finished(folder / "data", made_runs.spec_of_file(path), fakes))


def found(results, *conditions, sort=None):
    return matching_rows(listing(results), Filter(LANGUAGE, conditions, sort=sort or Sort()))


def rows_of(table):
    return sorted(int(row) for row in table["row_id"])


def test_no_condition_finds_every_row(results):
    assert found(results) == list(range(120))


def test_every_part_of_every_bar_leads_to_its_rows(results):
    for bar in by_subset(results.table).itertuples():
        rows = found(
            results, VerdictIs(model=bar.model, verdict=bar.verdict), SubsetIs(label=bar.subset)
        )
        assert rows == rows_of(rows_in_bar(results.table, bar.model, bar.subset, bar.verdict))
        assert len(rows) == bar.count


@pytest.mark.parametrize("column", ["annotator", "hours"])
def test_every_bar_of_a_column_leads_to_its_rows(results, column):
    values = results.own_column(column)
    bars = by_column(results.table, values)
    for bar in bars[bars["subset"] != "all"].itertuples():
        rows = found(
            results,
            VerdictIs(model=bar.model, verdict=bar.verdict),
            ColumnIs(column=column, value=bar.subset),
        )
        table = results.table
        groups = column_groups(values, table["row_id"])
        group = table["row_id"].map(groups.codes) == groups.names.index(bar.subset)
        assert rows == rows_of(
            table[(table["model"] == bar.model) & group & (table["verdict"] == bar.verdict)]
        )
        assert len(rows) == bar.count


def test_a_value_too_rare_for_a_bar_can_be_asked_for(results):
    assert found(results, ColumnIs(column="hours", value="0.25")) == [1]


def test_groups_of_a_column_are_those_of_the_listed_rows_whichever_were_asked_about_before(results):
    every, few = listing(results), listing(results.only(np.array([3, 5, 60]), bare=False))
    # 120 hours are cut into quarters; three of them are groups of their own.
    quarters = ColumnIs(column="hours", value="0 to 7.25").holds(every)
    assert np.flatnonzero(quarters).tolist() == list(range(30))
    for _ in range(2):
        assert ColumnIs(column="hours", value="1.25").holds(few).tolist() == [False, True, False]
        assert ColumnIs(column="hours", value="0 to 7.25").holds(few).tolist() == [False] * 3
        assert ColumnIs(column="annotator", value="a3").holds(few).tolist() == [True, False, False]


def test_every_cell_of_rewards_leads_to_its_rows(results):
    for model in results.models:
        own = results.table[results.table["model"] == model]
        known = rated(own)
        for cell in reward_bins(own, 6).itertuples():
            edges = {name: getattr(cell, name) for name in ("x0", "x1", "y0", "y1")}
            rows = found(results, RewardsIn(model=model, **edges))
            sides = (known[f"{side}_reward"].to_numpy(float) for side in ("chosen", "rejected"))
            assert rows == rows_of(known[in_reward_cell(*sides, **edges)])
            assert len(rows) == cell.count


def test_every_bin_of_margins_leads_to_its_rows(results):
    own = results.table[results.table["model"] == FIRST]
    unit = results.aligned.models[FIRST].unit
    for part in margin_histogram(own, 9).itertuples():
        span = MarginIn(model=FIRST, low=part.x0 / unit, high=part.x1 / unit)
        rows = found(results, span, VerdictIs(model=FIRST, verdict=part.verdict))
        assert len(rows) == part.count


def test_every_bin_of_sureness_leads_to_its_rows(results):
    for model in results.models:
        own = results.table[results.table["model"] == model]
        unit = results.typical_margins[model]
        sizes = own["margin"].abs()
        low, high = sizes.quantile([0.25, 0.5])
        rows = found(results, SureIn(model=model, low=low / unit, high=high / unit))
        assert rows == rows_of(own[(sizes >= low) & (sizes <= high)])
        assert len(rows) > 10
        # Both directions count, and a tie is sure of nothing.
        below = set(found(results, MarginIn(model=model, high=0.0)))
        assert below & set(rows) and set(rows) - below


def test_rows_whose_longer_reply_was_chosen_are_those_of_the_bar(results):
    for summary in results.summaries:
        bars = summary.length_balanced
        rated = set(found(results)) - set(
            found(results, VerdictIs(model=summary.model, verdict="unrated"))
        )
        for longer, bar in (("chosen", bars.longer_chosen), ("rejected", bars.shorter_chosen)):
            assert len(rated & set(found(results, LongerIs(longer=longer)))) == bar.n
    everything = [found(results, LongerIs(longer=one)) for one in ("chosen", "rejected", "neither")]
    assert sorted(row for rows in everything for row in rows) == list(range(120))


def test_every_cell_of_two_models_leads_to_its_rows(results):
    shared = shared_rows(results.table, FIRST, SECOND)
    for cell in verdict_table(shared).itertuples():
        condition = VerdictsAre(
            model=FIRST, verdict=cell.first, other=SECOND, other_verdict=cell.second
        )
        ours, theirs = shared["first_verdict"], shared["second_verdict"]
        assert found(results, condition) == rows_of(
            shared[(ours == cell.first) & (theirs == cell.second)]
        )
    for cell in margin_cells(shared, 6).itertuples():
        edges = {name: getattr(cell, name) for name in ("x0", "x1", "y0", "y1")}
        rows = found(results, MarginsIn(model=FIRST, other=SECOND, **edges))
        margins = (shared[f"{name}_margin"].to_numpy(float) for name in ("first", "second"))
        assert rows == rows_of(shared[in_margin_cell(*margins, **edges)])
        assert len(rows) == cell.count


def test_open_ended_margins(results):
    above = found(results, MarginIn(model=FIRST, low=0.0))
    below = found(results, MarginIn(model=FIRST, high=0.0))
    unrated = found(results, VerdictIs(model=FIRST, verdict="unrated"))
    assert sorted([*above, *below, *unrated]) == list(range(120))


def test_failed_truncated_and_unrated_rows_are_those_that_are_counted(results):
    for summary in results.summaries:
        counts, model = summary.counts, summary.model
        assert counts.failed and counts.truncated
        assert len(found(results, Failed(model=model))) == counts.failed
        assert len(found(results, Truncated(model=model))) == counts.truncated
        unrated = found(results, VerdictIs(model=model, verdict="unrated"))
        assert len(unrated) == counts.total - counts.rated
    either = {row for model in results.models for row in found(results, Failed(model=model))}
    assert found(results, Failed()) == sorted(either)


def test_seen_and_unseen(results):
    assert found(results, Seen(model=FIRST, seen=True)) == []
    assert found(results, Seen(model=FIRST, seen=False)) == list(range(120))


def test_where_models_differ_the_sharpest_comes_first(results):
    rows = found(results, ModelsDiffer(), sort=Sort(by="sharpest", descending=True))
    assert rows == results.sharpest
    both = found(results, ModelsDiffer(), VerdictIs(model=FIRST, verdict="agree"))
    assert set(both) < set(rows)


def test_orders(results):
    margins = results.aligned.models[FIRST].margin
    rows = found(results, sort=Sort(by="margin", of=FIRST))
    in_order = margins[rows]
    known = in_order[~np.isnan(in_order)]
    assert list(known) == sorted(known)
    assert np.isnan(in_order[len(known) :]).all(), "rows without a margin come last"
    descending = margins[found(results, sort=Sort(by="margin", of=FIRST, descending=True))]
    assert list(descending[: len(known)]) == sorted(known, reverse=True)
    sizes = np.abs(margins[found(results, sort=Sort(by="size", of=FIRST))])[: len(known)]
    assert list(sizes) == sorted(sizes)
    assert found(results, sort=Sort(descending=True)) == list(range(119, -1, -1))
    lengths = results.aligned.length[found(results, sort=Sort(by="length"))]
    assert list(lengths) == sorted(lengths)


def test_starred_and_noted_rows(results):
    from ivan_core.settings import data_dir

    reviews = Reviews(data_dir())
    fingerprint = results.dataset.fingerprint
    reviews.save(Mark(fingerprint, 5, "Ada", starred=True))
    reviews.save(Mark(fingerprint, 9, "Ada", note="odd"))
    assert found(results, Starred()) == [5]
    assert found(results, Noted()) == [9]


@pytest.mark.parametrize(
    "condition",
    [
        VerdictIs(model="gone", verdict="agree"),
        VerdictsAre(model=FIRST, verdict="agree", other="gone", other_verdict="tie"),
        ColumnIs(column="chosen_hash", value="x"),
        ColumnIs(column="gone", value="x"),
        UserColumnIn(column="0" * 16, low=1.0),
        Truncated(model="gone"),
    ],
)
def test_what_a_run_does_not_have_is_refused_and_can_be_left_out(results, condition):
    row_filter = Filter(LANGUAGE, (condition, SubsetIs(label="helpful")))
    with pytest.raises(BadInput):
        matching_rows(listing(results), row_filter)
    kept, ignored = fitting(listing(results), row_filter)
    assert kept == Filter(LANGUAGE, (SubsetIs(label="helpful"),))
    assert len(ignored) == 1


def test_an_order_by_what_is_gone_is_left_out(results):
    row_filter = Filter(LANGUAGE, sort=Sort(by="margin", of="gone"))
    kept, ignored = fitting(listing(results), row_filter)
    assert kept == Filter(LANGUAGE)
    assert ignored == [f"Run {results.run.id} has no model gone."]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(row_filter=ANY_FILTER)
def test_any_filter_is_judged_or_refused_in_a_sentence(results, row_filter):
    kept, ignored = fitting(listing(results), row_filter)
    assert bool(ignored) == (kept != row_filter)
    if not missing_searches(results.dataset.fingerprint, kept):
        assert set(matching_rows(listing(results), kept)) <= set(range(120))


def test_rows_without_a_verdict_are_counted_wherever_one_is_asked_for(results):
    rows, edges = listing(results), {"x0": -1.0, "x1": 1.0, "y0": -1.0, "y1": 1.0}
    own = {name: results.table[results.table["model"] == name] for name in (FIRST, SECOND)}
    unrated = {
        name: set(table.loc[table["verdict"].isna(), "row_id"]) for name, table in own.items()
    }
    either = len(unrated[FIRST] | unrated[SECOND])
    assert 0 < len(unrated[FIRST]) <= either
    verdicts = {"model": FIRST, "verdict": "agree", "other": SECOND}
    for asked, missing in (
        (VerdictIs(model=FIRST, verdict="agree"), len(unrated[FIRST])),
        (MarginIn(model=FIRST, low=0.0), len(unrated[FIRST])),
        (RewardsIn(model=FIRST, **edges), len(unrated[FIRST])),
        (MarginsIn(model=FIRST, other=SECOND, **edges), either),
        (VerdictsAre(**verdicts, other_verdict="tie"), either),
        (VerdictsAre(**verdicts, other_verdict="unrated"), len(unrated[FIRST])),
    ):
        assert without_value(rows, [asked]) == [(asked, missing)]
    assert without_value(rows, [VerdictIs(model=FIRST, verdict="unrated")]) == []
