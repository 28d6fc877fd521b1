"""Authored labels in an analysis: a second labeler, who tells how replies differ and no more."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from given.made_analyses import OTHER, PLAIN
from given.made_runs import finished
from given.remembered import Remembered
from given.support import repacked

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import AUTHOR, REGRESSION_FEATURES
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import LEXICON, CompareSpec, LabelSpec
from ivan_core.engine import archive, figures, handling as runs, studies, zips
from ivan_core.engine.figures import quotes
from ivan_core.experiments.analysis.conditions import Away, listing as of_analysis
from ivan_core.experiments.analysis.plan import labels_of_study, propose, spec_of_runs
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.sentences.against import NO_WHY
from ivan_core.experiments.analysis.sentences.beside import found_sentence, taught_sentence
from ivan_core.experiments.analysis.sentences.noise import labeler_sentence
from ivan_core.experiments.analysis.tables import JOINED
from ivan_core.experiments.analysis.views import behind_both, inside_topic, listed_rows
from ivan_core.experiments.compare.conditions import LANGUAGE, listing
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels.differences import pair_labels
from ivan_core.experiments.labels.results import open_labels
from ivan_core.lists.conditions import matching_rows
from ivan_core.lists.url import read_filter
from ivan_core.metrics.labels.answers import CHOICE_KEYS
from ivan_core.worker import work

HARMLESS = "last_response_is_harmless"


def done(spec: Any) -> str:
    asked = runs.located(spec)
    run_id, _ = runs.registry().add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    work(runs.registry(), run_id)
    assert runs.get(run_id).state is RunState.DONE, runs.get(run_id).problem
    return run_id


@pytest.fixture
def past(data_dir: Path) -> Remembered:
    return Remembered(data_dir, "authored labels of the sample")


@pytest.fixture
def compared(data_dir: Path, past: Remembered) -> str:
    """A comparison of the whole sample."""
    spec = CompareSpec(models=(PLAIN, OTHER))
    return past.done("compared", lambda: finished(data_dir, runs.located(spec)))


@pytest.fixture
def both(compared: str, past: Remembered) -> tuple[str, str]:
    """Labels by rules, and authored ones, which are newer."""
    rules, authored = (
        past.done(name, partial(done, LabelSpec(labeler=name))) for name in (LEXICON, AUTHOR)
    )
    return rules, authored


@pytest.fixture
def analysed(compared: str, both: tuple[str, str], past: Remembered) -> Analysed:
    """An analysis of the sample by all of its labels."""
    spec = spec_of_runs([compared], before=PLAIN, after=OTHER)
    return open_analysis(past.done("analysed", lambda: done(spec)))


def test_they_stand_beside_a_labeler_and_not_for_it(
    compared: str, both: tuple[str, str], analysed: Analysed
) -> None:
    rules, authored = both
    assert labels_of_study(compared) == [rules, authored]
    newest = [runs.get(one) for one in (authored, rules)]
    assert [run.id for run in studies.whole_first(newest)] == [rules, authored]
    assert spec_of_runs([authored, compared, rules]).labelers == (rules, authored)
    assert [one.named for one in analysed.labelers] == [
        f"{LEXICON} (rule-based)",
        "authored labels",
    ]
    assert labeler_sentence(analysed, analysed.labelers[1]).startswith(
        "Authored labels were written with"
    )
    assert not any("labels: authored" in one.sentence for one in quotes(analysed.run.id))


def test_a_minimal_pair_differs_in_one_feature_and_in_no_other(
    both: tuple[str, str], analysed: Analysed
) -> None:
    rules, authored = both
    told = pair_labels(open_labels(authored))
    joined = pd.read_parquet(runs.registry().folder(analysed.run.id) / JOINED)
    columns = [f"difference|{authored}|{key}" for key in REGRESSION_FEATURES]
    assert np.array_equal(joined[columns].to_numpy(), told.difference, equal_nan=True)
    used = analysed.used(PLAIN, authored)
    assert (used["used"], used["out"]) == (300, {"of no minimal pair": 180})
    own = analysed.table("imprint", labeler=authored, model=PLAIN, view="alone", before="")
    assert set(own.set_index("feature")["differs"][list(REGRESSION_FEATURES)]) == {20}
    assert analysed.used(PLAIN, rules)["used"] == 480


def test_what_they_prefer_follows_from_how_replies_differ(
    both: tuple[str, str], analysed: Analysed
) -> None:
    _, authored = both
    found = pair_labels(open_labels(authored))
    harmless, helpful = (found.difference[:, found.keys.index(key)] for key in CHOICE_KEYS)
    prefers = np.where(harmless == 0, helpful, harmless)
    parts = analysed.table("misaligned", model=PLAIN, labeler=authored)
    counts = parts.set_index("labeler_prefers")["pairs"].to_dict()
    assert counts["all"] == 480 and counts["none"] == 260
    assert (counts["chosen"], counts["rejected"]) == ((prefers == 1).sum(), (prefers == -1).sum())
    regimes = analysed.table("regimes", labeler=authored)
    assert regimes.groupby("labeler_prefers")["pairs"].sum()["unlabelled"] == 180


def test_of_either_reply_they_tell_nothing_and_that_is_said(
    compared: str, both: tuple[str, str], analysed: Analysed
) -> None:
    rules, authored = both
    assert set(analysed.tables["why"]["labeler"]) == {rules}
    with pytest.raises(BadInput):
        figures.caption(analysed.run.id, "against", labeler=authored)
    one_reply = Away(labeler=authored, model=PLAIN, column=f"chosen:{HARMLESS}")
    with pytest.raises(BadInput, match="what each reply is"):
        one_reply.check(of_analysis(analysed))
    alone = open_analysis(done(spec_of_runs([compared, authored])))
    assert "why" not in alone.tables and "authored" not in alone.tables
    with pytest.raises(BadInput, match=NO_WHY[:40]):
        figures.caption(alone.run.id, "against")
    assert {one.chart for one in quotes(alone.run.id)} == {"", "choice", "differences", "imprint"}
    assert not list((runs.data_dir() / "analysis").glob(f"{alone.run.id}-why.csv"))


def test_a_labeler_beside_them_is_told_on_the_same_pairs(
    both: tuple[str, str], analysed: Analysed
) -> None:
    rules, authored = both
    table = analysed.table("authored", model=PLAIN)
    assert set(table["n"]) == {300} and set(table["labeler"]) == set(both)
    written, read = (pair_labels(open_labels(one)).difference for one in (authored, rules))
    minimal = ~np.isnan(written).any(axis=1)
    written, read = np.sign(written[minimal]), np.sign(read[minimal])
    found = int(((written == read) & (written != 0)).sum())
    besides = int((read != 0).sum()) - found
    assert found_sentence(analysed, rules) == (
        f"On the same 300 pairs, {LEXICON} (rule-based) finds {found} of the 300 differences that"
        f" were written, and sees {besides} that were not."
    )
    assert taught_sentence(analysed, PLAIN, rules).startswith(f"{PLAIN}: by authored labels alone")
    assert found_sentence(analysed, authored) == taught_sentence(analysed, PLAIN, authored) == ""
    main = analysed.table("imprint", labeler=authored, model=PLAIN, view="together", before="")
    main = main[main["control"] == "length"].set_index("feature")["estimate"]
    again = table[table["labeler"] == authored].set_index("feature")["estimate"]
    pd.testing.assert_series_equal(main, again, check_names=False)


def test_an_analysis_waits_for_a_labeler_rather_than_take_authored_labels_for_it(
    compared: str,
) -> None:
    authored = done(LabelSpec(labeler=AUTHOR))
    about = studies.about_run(compared)
    assert about is not None
    assert propose(about.spec).after == ()
    asked = runs.located(LabelSpec(labeler=LEXICON))
    at_work, _ = runs.registry().add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    offer = propose(about.spec)
    assert offer.after == (at_work,) and offer.spec.labelers == (at_work, authored)


def test_a_zip_brings_them_back_and_none_that_were_not_written(
    both: tuple[str, str], analysed: Analysed, tmp_path: Path
) -> None:
    _, authored = both
    run_id, before = analysed.run.id, dict(analysed.tables)
    packed = zips.export_bytes(run_id)
    table = pd.read_parquet(runs.registry().folder(run_id) / JOINED)
    zips.export(run_id, tmp_path / "run.zip")
    archive.delete(run_id)
    open_analysis.cache_clear()
    column = f"chosen|{authored}|{HARMLESS}"
    turned, file = table.assign(**{column: 1 - table[column]}), io.BytesIO()
    turned.to_parquet(file, index=False)
    other = repacked(packed, tmp_path / "other.zip", {JOINED: file.getvalue()})
    with pytest.raises(BadInput, match="contradict themselves or their dataset"):
        zips.import_zip(other)
    after = open_analysis(zips.import_zip(tmp_path / "run.zip").run_id)
    for name, own in before.items():
        pd.testing.assert_frame_equal(after.tables[name], own)


def test_each_topic_and_subset_lists_the_pairs_that_differ_inside(
    analysed: Analysed, compared: str
) -> None:
    cells = analysed.tables["topics"].to_dict("records")
    assert {row["topic"].startswith("subset: ") for row in cells} == {True, False}
    for row in cells[::5]:
        link = listed_rows(analysed, *inside_topic(row))
        wanted, ignored = read_filter(LANGUAGE, link)
        found = matching_rows(listing(open_results(compared)), wanted)
        assert (len(found), ignored) == (row["inside"], []), row


def test_each_mark_of_both_labelers_lists_the_pairs_that_both_tell(
    analysed: Analysed, compared: str
) -> None:
    rows = analysed.tables["authored"].to_dict("records")
    assert {row["labeler"] for row in rows} == {one.run_id for one in analysed.labelers}
    for row in rows[::3]:
        wanted, ignored = read_filter(LANGUAGE, listed_rows(analysed, *behind_both(row)))
        found = matching_rows(listing(open_results(compared)), wanted)
        assert (len(found), ignored) == (row["differs"], []), row
