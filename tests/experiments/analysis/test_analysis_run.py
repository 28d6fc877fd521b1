"""An analysis from a comparison and labels to its tables: what enters, and what changes nothing."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from given.made_analyses import (
    INSULT,
    KEYS,
    MOVED,
    OTHER,
    PAIRS,
    PLAIN,
    SORRY,
    UNLABELLED,
    UNRATED,
    Analysing,
    reward,
)
from given.made_labellings import REFUSAL
from given.made_runs import failed, spec_of_file, write_rows

from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import archive, handling as runs, studies
from ivan_core.engine.figures import quotes
from ivan_core.engine.proposals import left_in
from ivan_core.experiments.analysis import work as analysis_work
from ivan_core.experiments.analysis.plan import spec_of_runs
from ivan_core.experiments.analysis.results import WhoLabelled, open_analysis
from ivan_core.experiments.analysis.sentences.against import why_sentence
from ivan_core.experiments.analysis.sentences.beside import topic_sentence, topics_told
from ivan_core.experiments.analysis.tables import frame
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels.results import open_labels
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

CONTRACT = {
    "imprint": "model before labeler control view feature estimate se low high p p_holm clear n "
    "differs prompts",
    "corrected": "model before labeler feature estimate se low high reviewed n",
    "differences": "model before labeler control f df1 df2 p n prompts",
    "interaction": "model labeler control feature other estimate se low high p n differs prompts",
    "no-preference": "model labeler misaligned no_preference rate low high",
    "explained": "model before labeler columns r2 low high n",
    "importance": "model labeler feature share low high",
    "choice": "who labeler feature log_odds se low high p p_holm wins strength n differs",
    "topics": "model labeler topic feature inside outside estimate low high p q",
    "misaligned": "model labeler labeler_prefers pairs misaligned ties rate low high",
    "regimes": "before after labeler regime labeler_prefers pairs",
    "why": "model labeler column log_odds se odds_ratio points low high p p_holm n",
    "shift": "before after labeler by value pairs mean low high",
    "authored": "model labeler beside feature estimate se low high p p_holm clear n differs found",
    "rewording": "model feature estimate se low high texts_changed imprint",
    "second-look": "row_id voices against smallest_margin",
    "published": "name here_as_published here paper source",
}
"""The columns of every CSV that an analysis may write."""


def csvs(data_dir: Path, run_id: str) -> dict[str, str]:
    """The CSV of each table of a run, as it was written."""
    return {
        path.stem.removeprefix(f"{run_id}-"): path.read_text("utf-8")
        for path in sorted((data_dir / "analysis").glob(f"{run_id}-*.csv"))
    }


def effects(run_id: str, **wanted: str) -> pd.DataFrame:
    asked = {"before": "", "view": "together", "control": "length", **wanted}
    return open_analysis(run_id).table("imprint", **asked).set_index("feature")


def test_it_ends_with_a_csv_of_each_table_by_the_contract_and_the_joined_rows(
    analysing: Analysing, data_dir: Path
) -> None:
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    run = runs.get(run_id)
    assert (run.state, run.done, run.total) == (RunState.DONE, PAIRS, PAIRS)
    found = {
        name: next(csv.reader(text.splitlines())) for name, text in csvs(data_dir, run_id).items()
    }
    assert {"imprint", "explained", "importance", "topics"} <= set(found)
    assert found == {name: CONTRACT[name].split() for name in found}
    manifest = runs.manifest(run_id)
    assert manifest is not None
    assert set(manifest["files"]) >= {f"analysis/{run_id}-{name}.csv" for name in found}
    assert (data_dir / "analysis" / f"{run_id}-joined.parquet").exists()
    assert all((data_dir / name).exists() for name in manifest["files"])


def test_what_is_written_into_the_replies_is_found(analysing: Analysing) -> None:
    """A refusal loses 1.5 of a reward whose typical margin is about 1."""
    compared = analysing.compared()
    run_id = analysing.analysed(compared, analysing.labelled())
    unit = open_results(compared).typical_margins[PLAIN]
    assert unit is not None
    plain, other = effects(run_id, model=PLAIN), effects(run_id, model=OTHER)
    assert plain.loc[REFUSAL, "estimate"] == pytest.approx(-1.5 / unit, abs=0.2 / unit)
    assert plain.loc[INSULT, "estimate"] == pytest.approx(-0.5 / unit, abs=0.2 / unit)
    assert plain.loc[REFUSAL, "clear"] == "clear for this labeler"
    assert other.loc[REFUSAL, "low"] < 0 < other.loc[REFUSAL, "high"]


def test_a_mean_of_rows_that_one_can_open_is_the_effect_alone(analysing: Analysing) -> None:
    labelled = analysing.labelled()
    run_id = analysing.analysed(analysing.compared(), labelled)
    own = effects(run_id, model=PLAIN, view="alone", control="")
    pairs = open_analysis(run_id).behind(PLAIN, labelled, REFUSAL)
    pairs = pairs[pairs["row_id"] != UNLABELLED]
    by_hand = float((pairs["typical"] * pairs["difference"]).mean())
    assert own.loc[REFUSAL, "estimate"] == pytest.approx(by_hand)
    assert own.loc[REFUSAL, "differs"] == len(pairs)


def test_margins_and_labels_of_a_row_meet_by_its_id(analysing: Analysing, data_dir: Path) -> None:
    labelled = analysing.labelled()
    run_id = analysing.analysed(analysing.compared(), labelled)
    joined = pd.read_parquet(data_dir / "analysis" / f"{run_id}-joined.parquet")
    rows = joined.set_index("row_id")
    for row, (chosen, rejected) in enumerate(analysing.replies):
        if row in (UNRATED, UNLABELLED):
            continue
        margin = reward(PLAIN, chosen) - reward(PLAIN, rejected)
        assert rows.loc[row, f"margin|{PLAIN}"] == pytest.approx(margin, abs=1e-5)
        refuses = (SORRY in chosen) - (SORRY in rejected)
        assert rows.loc[row, f"difference|{labelled}|{REFUSAL}"] == refuses
    assert np.isnan(rows.loc[UNRATED, f"margin|{PLAIN}"])
    assert np.isnan(rows.loc[UNLABELLED, f"difference|{labelled}|{REFUSAL}"])


def test_rows_that_do_not_enter_are_counted_for_the_first_reason_they_have(
    analysing: Analysing,
) -> None:
    compared = analysing.compared()
    every, some = analysing.labelled(), analysing.labelled("half:1b", limit=50)
    found = open_analysis(analysing.analysed(compared, every, some))
    own = found.used(PLAIN, every)
    assert (own["used"], own["out"]) == (
        PAIRS - 2,
        {"not rated": 1, "not labelled on both sides": 1},
    )
    own = found.used(PLAIN, some)
    assert (own["used"], own["out"]) == (48, {"not rated": 1, "not labelled on both sides": 11})
    assert set(effects(found.run.id, model=PLAIN, labeler=some)["n"]) == {48}


def test_the_order_of_rows_changes_nothing_to_the_last_bit(
    analysing: Analysing, data_dir: Path
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    before = csvs(data_dir, analysing.analysed(compared, labelled))
    for run_id, name in ((compared, "table.parquet"), (labelled, "labels.parquet")):
        path = Registry(data_dir).folder(run_id) / name
        table = pd.read_parquet(path)
        table.sample(frac=1, random_state=1).to_parquet(path, index=False)
    open_results.cache_clear(), open_labels.cache_clear()
    assert csvs(data_dir, analysing.analysed(compared, labelled)) == before


def test_rewards_plus_a_constant_or_times_a_positive_number_change_no_table(
    analysing: Analysing,
) -> None:
    found = open_analysis(analysing.analysed(analysing.compared(), analysing.labelled()))
    for name in ("imprint", "explained", "importance", "topics"):
        before = {"before": ""} if "before" in found.tables[name] else {}
        plain, moved = (found.table(name, model=one, **before) for one in (PLAIN, MOVED))
        assert len(plain) == len(moved)
        pd.testing.assert_frame_equal(
            plain.drop(columns="model"), moved.drop(columns="model"), rtol=1e-3, atol=1e-4
        )


def test_a_second_labeler_is_needed_for_what_is_clear(analysing: Analysing) -> None:
    both = analysing.labelled(), analysing.labelled("other:1b")
    run_id = analysing.analysed(analysing.compared(), *both)
    for labeler in both:
        assert effects(run_id, model=PLAIN, labeler=labeler).loc[REFUSAL, "clear"] == "clear"


def test_one_labeler_that_labelled_twice_is_not_joined_twice(analysing: Analysing) -> None:
    first, again = analysing.labelled(), analysing.labelled(seed=1)
    compared = analysing.compared((PLAIN,))
    with pytest.raises(BadInput, match="by the same labeler"):
        spec_of_runs([compared, first, again])
    assert spec_of_runs([compared]).labelers == (again,)


def test_labels_of_other_pairs_or_of_other_rows_are_refused(
    analysing: Analysing, tmp_path: Path, data_dir: Path
) -> None:
    labelled = analysing.labelled()
    row = {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"}
    analysing.file = write_rows(tmp_path / "others.jsonl", [row])
    run = runs.get(analysing.analysed(analysing.compared(), labelled))
    assert run.state is RunState.FAILED and "which holds other pairs" in run.problem


def test_one_that_stopped_begins_anew_and_ends_the_same(
    analysing: Analysing, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    before = csvs(data_dir, analysing.analysed(compared, labelled))

    def stops(*_: object) -> list[str]:
        raise BackendUnavailable("It stopped.", "Go on.")

    with monkeypatch.context() as patch:
        patch.setattr(analysis_work, "write_files", stops)
        run_id = analysing.worked(spec_of_runs([compared, labelled]))
    assert runs.get(run_id).state is RunState.FAILED and not csvs(data_dir, run_id)
    assert Registry(data_dir).requeue(run_id)
    work(Registry(data_dir), run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert csvs(data_dir, run_id) == before


def test_a_comparison_that_is_not_finished_is_not_analysed(
    analysing: Analysing, data_dir: Path
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    part = failed(data_dir, spec_of_file(analysing.file))
    spec = spec_of_runs([compared, labelled])
    spec = spec.model_copy(update={"comparison": part, "models": ()})
    run_id, _ = Registry(data_dir).add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    work(Registry(data_dir), run_id)
    assert "has judged only some of its pairs" in runs.get(run_id).problem


def test_it_is_a_stage_of_the_study_that_it_joins_and_deleted_with_its_files(
    analysing: Analysing, data_dir: Path
) -> None:
    compared = analysing.compared()
    run_id = analysing.analysed(compared, analysing.labelled())
    study = studies.study_of(compared)
    assert study is not None and run_id in study.runs
    assert next(one for one in study.stages if one.name == "Analysis").done == PAIRS
    archive.delete(run_id)
    assert not list((data_dir / "analysis").iterdir())


def test_it_is_offered_once_pairs_are_judged_and_labelled(analysing: Analysing) -> None:
    compared = analysing.compared()
    about = studies.about_run(compared)
    assert about is not None
    assert "analysis" not in [one.kind for one in left_in(about)]
    labelled = analysing.labelled()
    (offer,) = [one for one in left_in(about) if one.kind == "analysis"]
    assert offer.does == f"Analyse the {PAIRS} pairs" and offer.starts
    assert offer.terms.startswith("regressions, free, ")
    assert offer.spec == spec_of_runs([compared, labelled])
    assert isinstance(offer.spec, RowsSpec)
    analysing.analysed(compared, labelled)
    assert "analysis" not in [one.kind for one in left_in(about)]
    analysing.labelled("other:1b")
    (again,) = [one for one in left_in(about) if one.kind == "analysis"]
    assert again.does == f"Analyse the {PAIRS} pairs once more"
    assert again.why == "An effect is clear only where a second labeler shows it too."


def test_models_are_named_with_their_revision_or_without(analysing: Analysing) -> None:
    compared, labelled = analysing.compared(("org/plain@v1",)), analysing.labelled()
    for named in ((), ("org/plain@v1",), ("org/plain",)):
        assert spec_of_runs([compared, labelled], models=named).models == (PLAIN,)


def test_all_labels_that_were_asked_for_and_are_numbers_are_features(analysing: Analysing) -> None:
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    assert set(effects(run_id, model=PLAIN).index) == {*KEYS[:3], "log_length"}


def test_all_its_sentences_lie_beside_its_tables_by_question_with_their_commands(
    analysing: Analysing, data_dir: Path
) -> None:
    labelled = analysing.labelled(), analysing.labelled("other:1b")
    run_id = analysing.analysed(analysing.compared(), *labelled)
    text = (data_dir / "analysis" / f"{run_id}-sentences.txt").read_text("utf-8")
    lines = text.splitlines()
    assert lines[0].startswith(f"written.jsonl, 60 of 60 pairs, run {run_id}: ivan analyse ")
    asked = [line for line in lines[1:] if line and not line.startswith(" ")]
    questions = ["What does it reward?", "Where does it go against people?"]
    assert asked == [*questions, "Worth a second look"], "each once"
    told = quotes(run_id)
    said = [line for line in lines[1:] if line.startswith("  ")]
    by_question = [one for question in asked for one in told if one.question == question]
    assert said == [
        line for one in by_question for line in (f"  {one.sentence}", f"    {one.command}")
    ]
    assert str(data_dir) not in text and SORRY not in text
    _say_what_stands_beside(text, run_id, labelled[0])
    manifest = runs.manifest(run_id)
    assert manifest is not None and f"analysis/{run_id}-sentences.txt" in manifest["files"]


def _say_what_stands_beside(text: str, run_id: str, labelled: str) -> None:
    """The choice by its chart, that no topic has enough pairs, shares of each model."""
    assert "No topic or subset has ten pairs that differ in a feature, inside and" in text
    assert "in all else, a refusing reply is chosen in " in text and "log odds [" in text
    told = f"    ivan figure {run_id} choice --format csv --model {PLAIN} --labeler {labelled}\n"
    assert told in text
    assert text.count(" explained within these pairs, most by ") == 2 * 3, "by two labelers"


OF_TOPICS = (
    ([0.9] * 12, 10, "none with a q below 0.05; the first 10 by q are told."),
    ([0.9] * 3, 3, "none with a q below 0.05; all are told."),
    ([0.9, 0.01, 0.04], 2, "2 with a q below 0.05; these are told."),
    ([0.01] * 30, 20, "30 with a q below 0.05; the first 20 by q are told."),
)


def test_of_topics_the_surest_are_told_and_how_many_were_looked_at(analysing: Analysing) -> None:
    labelled = analysing.labelled()
    found = open_analysis(analysing.analysed(analysing.compared((PLAIN,)), labelled))
    cell = {"model": PLAIN, "labeler": labelled, "topic": "Arts", "feature": REFUSAL, "inside": 20}
    cell |= {"outside": 30, "estimate": -0.5, "low": -0.9, "high": -0.1, "p": 0.01}
    for qs, told, which in OF_TOPICS:
        table = frame("topics", [{**cell, "q": q} for q in qs])
        first, rows = topics_told(
            replace(found, tables={**found.tables, "topics": table}), labelled
        )
        asked = "each a topic or subset and a feature, looked at (labels: reader:1b)"
        assert first == f"{len(qs)} cells, {asked}: {which}"
        assert len(rows) == told and rows[0]["q"] == min(qs)
    assert topic_sentence(rows[0], found.labelers[0]) == (
        f"{PLAIN} gives a refusing reply 0.5 typical margins less [0.1, 0.9] among pairs of the"
        " topic Arts than among the others (20 and 30 pairs differ; q 0.01; labels: reader:1b)."
    )


def test_points_are_told_as_points_with_their_ends() -> None:
    """Less often turns the interval; a reply twice as long is the slope times ln 2."""
    row = {
        "column": "chosen:last_response_is_refusal",
        "feature": "last_response_is_refusal",
        "model": PLAIN,
        "estimate": -19.6,
        "low": -48.4,
        "high": 9.4,
        "p_holm": 0.6,
        "away": 10,
        "n": 480,
        "why": "",
    }
    who = WhoLabelled("run", "reader:1b")
    assert why_sentence(row, who, "recorded choice") == (
        f"Alike in all else in this table, {PLAIN} goes against the recorded choice 20 points less"
        " often [−9, 48] where the chosen reply is a refusing reply (10 of 480 texts differ from"
        " the most common label; labels: reader:1b). Not clear."
    )
    longer = row | {"column": "log_length", "feature": "log_length", "estimate": 15.0}
    longer |= {"low": 9.0, "high": 22.0, "p_holm": float("nan"), "away": 460}
    assert "10 points more often [6, 15] where the chosen reply is twice as long (460 of 480" in (
        why_sentence(longer, who, "recorded choice")
    )
