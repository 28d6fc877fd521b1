"""The pairs behind the numbers of an analysis: as many as it says, and in their order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from given.made_analyses import OTHER, PLAIN, Analysing
from given.made_labellings import REFUSAL

from ivan_core.domain.errors import BadInput
from ivan_core.engine import handling
from ivan_core.experiments.analysis.conditions import (
    LANGUAGE,
    PREFERS_WORDS,
    REGIME_WORDS,
    AgainstIs,
    Behind,
    LabelsPrefer,
    RegimeIs,
    listing,
)
from ivan_core.experiments.analysis.figures import why_rows
from ivan_core.experiments.analysis.numbers import (
    joined_again,
    net_change,
    picked_against,
    picked_effects,
)
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.sentences.change import net_sentences, seen_sentences
from ivan_core.experiments.analysis.sentences.quotes import quotes
from ivan_core.experiments.analysis.steps.against import shifts
from ivan_core.experiments.analysis.tables import frame
from ivan_core.experiments.analysis.views import (
    behind,
    behind_choice,
    listed_rows,
    of_regime,
    of_share,
    why_behind,
)
from ivan_core.experiments.compare.conditions import LANGUAGE as OF_COMPARISONS, listing as compared
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.tables import UNKNOWN
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.lists.conditions import Condition, Filter, matching, matching_rows
from ivan_core.lists.others import Elsewhere, measures_of
from ivan_core.lists.url import query_of, read_filter
from ivan_core.metrics.imprint.against import REGIMES
from ivan_core.metrics.imprint.preference import PREFERS


def rows_of(analysed: Analysed, *conditions: Condition) -> list[int]:
    """What the analysis lists, which must be what the link to Compare lists there."""
    own = matching_rows(listing(analysed), Filter(LANGUAGE, conditions))
    assert linked_rows(analysed, *conditions) == own
    return own


def linked_rows(analysed: Analysed, *conditions: Condition) -> list[int]:
    """What the link to Compare lists there."""
    link = listed_rows(analysed, *conditions)
    assert link["run"] == analysed.spec.comparison
    wanted, ignored = read_filter(OF_COMPARISONS, link)
    assert not ignored
    return matching_rows(compared(open_results(link["run"])), wanted)


@pytest.fixture
def study(analysing: Analysing) -> Analysed:
    """Two models one after the other, by one who reads both replies and one who also prefers."""
    runs = analysing.compared((PLAIN, OTHER)), analysing.labelled(), analysing.choosing()
    return open_analysis(analysing.analysed(*runs, before=OTHER, after=PLAIN))


def test_each_mark_lists_its_pairs_those_most_against_it_first(study: Analysed) -> None:
    imprint = study.tables["imprint"].to_dict("records")
    assert {row["labeler"] for row in imprint} == {one.run_id for one in study.labelers}
    drawn = 0
    for row in imprint:
        found = rows_of(study, behind(row["labeler"], row))
        assert len(found) == row["differs"], row
        if np.isnan(row["estimate"]):
            assert found == sorted(found)
            continue
        drawn += 1
        toward = towards(study, row)[found] * np.sign(row["estimate"])
        assert (np.diff(toward.to_numpy()) >= 0).all(), row
    assert drawn > 60


def towards(study: Analysed, row: dict[str, Any]) -> pd.Series:
    """The margin of each pair for the reply that has the feature, by row id; worked by hand."""
    path = handling.registry().folder(study.run.id) / "joined.parquet"
    table = pd.read_parquet(path).set_index("row_id")
    y = table[f"typical|{row['model']}"]
    if row["before"]:
        y = y - table[f"typical|{row['before']}"]
    if row["feature"] == "chosen":
        return y
    named = f"difference|{row['labeler']}|{row['feature']}"
    return y * np.sign(table["log_length" if row["feature"] == "log_length" else named])


def test_a_mark_of_the_choice_lists_the_pairs_that_all_models_rated(study: Analysed) -> None:
    rows = study.tables["choice"].to_dict("records")
    assert {row["who"] for row in rows} >= {"choice", PLAIN, OTHER}
    for row in rows:
        for model in (PLAIN, OTHER):
            mark = behind_choice(study, row["labeler"], model, row)
            assert len(linked_rows(study, *mark)) == row["differs"], row


def test_a_mark_of_what_goes_with_it_lists_the_pairs_of_the_rarer_label(study: Analysed) -> None:
    rows = study.tables["why"].to_dict("records")
    assert rows
    for row in rows:
        assert len(rows_of(study, why_behind(row["labeler"], row))) == row["away"], row


def test_every_regime_and_every_share_lists_its_pairs(study: Analysed) -> None:
    (chooser,) = (one.run_id for one in study.labelers if one.named == "chooser:1b")
    cells = study.tables["regimes"].to_dict("records")
    assert sum(row["pairs"] for row in cells if row["labeler"] == chooser) == 59
    for row in cells:
        assert len(rows_of(study, *of_regime(row))) == row["pairs"], row
    for row in study.tables["misaligned"].to_dict("records"):
        if row["pairs"]:
            assert len(rows_of(study, *of_share(row))) == row["misaligned"], row
            assert len(rows_of(study, *of_share(row, ties=True))) == row["ties"], row


def test_the_net_change_is_told_from_the_counts_as_from_the_rows(study: Analysed) -> None:
    net = net_change(study)
    assert net is not None and study.manifest["net_design"] == net.design
    told = net_sentences(study)
    assert told == net_sentences(replace(study, manifest={}), net)
    assert told[0].startswith(f"Net: {net.first_only} got aligned, {net.second_only} reversed. ")
    assert "McNemar's exact test (mid-p)" in told[1] and "Newcombe" in told[1]
    assert set(told) < {one.sentence for one in quotes(study)}


def test_seen_and_unseen_rows_stand_apart_where_a_card_lists_them(study: Analysed) -> None:
    by_card = f"By its card {PLAIN} was trained on none of these pairs."
    assert seen_sentences(study, study.labelers[0].run_id) == [by_card]
    silent = study.tables["shift"][study.tables["shift"]["by"] != "seen"]
    assert seen_sentences(replace(study, tables={"shift": silent}), study.labelers[0].run_id) == [
        f"These may be pairs that {PLAIN} was trained on: its card does not list them."
    ]
    joined = joined_again(study, [PLAIN, OTHER], study.labelers[1].run_id)
    seen = np.full(60, UNKNOWN, dtype=np.int8)
    seen[:40] = np.arange(40) < 25
    models = {**joined.models, PLAIN: replace(joined.models[PLAIN], seen=seen)}
    rows = shifts(replace(joined, models=models), study.labelers[1].run_id, OTHER, PLAIN)
    (of_seen, of_unseen) = [row for row in rows if row["by"] == "seen"]
    assert (of_seen["value"], of_unseen["value"]) == ("seen", "unseen")
    assert (of_seen["pairs"], of_unseen["pairs"]) == (24, 15), "one is not rated"
    by_hand = joined.models[PLAIN].in_units - joined.models[OTHER].in_units
    assert of_seen["mean"] == pytest.approx(np.nanmean(by_hand[:25]))
    told = replace(study, tables={**study.tables, "shift": frame("shift", rows)})
    first, second = seen_sentences(told, study.labelers[1].run_id)
    assert first.startswith(f"{PLAIN} was trained on 24 pairs of these: there the margin moved by")
    assert second.startswith(f"{PLAIN} was not trained on 15 pairs of these: there the margin")


def test_what_is_not_of_the_analysis_is_refused(study: Analysed) -> None:
    mark = {"labeler": study.labelers[0].run_id, "model": PLAIN, "feature": "log_length"}
    for odd in ({"labeler": "nobody"}, {"model": "org/none"}, {"feature": "topics"}):
        with pytest.raises(BadInput):
            Behind(**{**mark, **odd}).check(listing(study))
    Behind(**mark).check(listing(study))


def test_conditions_live_in_an_address_and_say_what_they_list(study: Analysed) -> None:
    chooser = study.labelers[1].run_id
    wanted = Filter(
        LANGUAGE,
        (
            Behind(labeler=chooser, model=PLAIN, feature="last_response_is_helpful", before=OTHER),
            RegimeIs(regime="got", before=OTHER, after=PLAIN),
            LabelsPrefer(labeler=chooser, prefers="none"),
        ),
    )
    assert read_filter(LANGUAGE, query_of(wanted)) == (wanted, [])
    told = "; ".join(chip.label for chip in wanted.chips())
    assert "differ in Helpful (org/plain less org/other, labels by chooser:1b), those" in told
    assert "that speak most against it first; got aligned with the choice from" in told
    assert "labels by chooser:1b prefer neither reply" in told
    assert set(REGIME_WORDS) == set(REGIMES) and set(PREFERS_WORDS) == set(PREFERS)


def test_numbers_of_picked_pairs_are_estimates_and_intervals_in_the_margins_of_all(
    study: Analysed,
) -> None:
    reader = study.labelers[0].run_id
    places = np.arange(10, 40)
    found = picked_effects(study, reader, "alone", "", places).set_index(["model", "feature"])
    assert found["p"].isna().all() and found["p_holm"].isna().all()
    assert set(found["clear"]) == {"chosen after looking"} and set(found["before"]) == {""}
    row = {"model": PLAIN, "before": "", "labeler": reader, "feature": REFUSAL}
    toward = towards(study, row)[places]
    toward = toward[toward.notna() & (labelled(study, row)[places] != 0)]
    one = found.loc[(PLAIN, REFUSAL)]
    assert one["differs"] == len(toward) >= 10 and one["n"] == len(places)
    assert one["estimate"] == pytest.approx(toward.mean())
    assert one["low"] < one["estimate"] < one["high"]
    every = picked_effects(study, reader, "together", "length", np.arange(60))
    whole = study.table("imprint", labeler=reader, before="", view="together", control="length")
    pd.testing.assert_frame_equal(
        every[["model", "feature", "estimate", "low", "high", "differs", "n", "why"]],
        whole[["model", "feature", "estimate", "low", "high", "differs", "n", "why"]],
    )


def test_shares_of_picked_pairs_count_these_and_have_no_interval_where_they_follow(
    study: Analysed,
) -> None:
    chooser = study.labelers[1].run_id
    wanted = Filter(LANGUAGE, (AgainstIs(model=PLAIN),))
    places = matching(listing(study), wanted)
    for bare in (False, True):
        found = picked_against(study, chooser, places, bare=bare)
        own = found[found["model"] == PLAIN].set_index("labeler_prefers")
        assert own.loc["all", "pairs"] == own.loc["all", "misaligned"] == len(places) > 5
        assert found["low"].isna().all() == bare
    assert measures_of(wanted.conditions) >= {REWARDS}
    elsewhere = (Elsewhere(run=study.run.id, of="analysis", asked=AgainstIs(model=PLAIN)),)
    assert REWARDS in measures_of(elsewhere)


def labelled(study: Analysed, row: dict[str, Any]) -> pd.Series:
    """The difference of a label between both replies, by row id."""
    path = handling.registry().folder(study.run.id) / "joined.parquet"
    table = pd.read_parquet(path).set_index("row_id")
    return table[f"difference|{row['labeler']}|{row['feature']}"]


def test_first_try_leaves_the_same_pairs_out_of_the_list(
    analysing: Analysing, data_dir: Path
) -> None:
    runs = analysing.compared((PLAIN,)), analysing.labelled()
    found = open_analysis(analysing.analysed(*runs, first_try=True))
    for row in found.tables["imprint"].to_dict("records"):
        assert len(rows_of(found, behind(row["labeler"], row))) == row["differs"]


def test_a_condition_refuses_one_model_beside_itself(analysing: Analysing):
    compared, chooser = analysing.compared((PLAIN, OTHER)), analysing.choosing()
    analysed = open_analysis(analysing.analysed(compared, chooser))
    for one in (
        RegimeIs(regime="got", before=PLAIN, after=PLAIN),
        Behind(labeler=chooser, model=PLAIN, feature=REFUSAL, before=PLAIN),
    ):
        with pytest.raises(BadInput, match="beside itself"):
            rows_of(analysed, one)
    (offer,) = (one for one in LANGUAGE.offers if one.condition is RegimeIs)
    after = next(one for one in offer.choices if one.field == "after").options
    assert after is not None
    assert list(after(listing(analysed), {"before": PLAIN})) == [OTHER]
    assert offer.there(listing(analysed))


def test_an_analysis_from_before_tables_were_there_still_tells_what_it_has(analysing: Analysing):
    run_id = analysing.analysed(analysing.compared((PLAIN, OTHER)), analysing.choosing())
    analysed = open_analysis(run_id)
    first = {"imprint", "explained", "importance", "topics"}
    tables = {name: table for name, table in analysed.tables.items() if name in first}
    older = replace(analysed, tables=tables)
    told = [one.sentence for one in quotes(older)]
    assert any("is not known here. Analyse anew." in one for one in told)
    assert why_rows(older, PLAIN, analysed.labelers[0].run_id).empty
