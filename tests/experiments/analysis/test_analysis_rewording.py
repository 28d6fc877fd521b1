"""What an analysis takes of a rewording: which one, what it says of it, what it leaves alone."""

from __future__ import annotations

import shlex

import numpy as np
import pandas as pd
import pytest
from given.made_analyses import HARMLESS, HELPFUL, INSULT, OTHER, PLAIN, Analysing

from ivan_core.cli.main import run as command_line
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.domain.runs import RunState
from ivan_core.engine import archive, handling as runs, studies, zips
from ivan_core.engine.proposals import left_in
from ivan_core.experiments.analysis.plan import spec_of_runs
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.sentences.breaks import BREAKS, lacking
from ivan_core.experiments.analysis.sentences.quotes import quotes
from ivan_core.experiments.analysis.steps.rewordings import NOBODY_LABELLED, why_not
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON
from ivan_core.metrics.imprint.rewording import ITSELF
from ivan_core.runs.registry import Registry


def moved(analysed: Analysed, model: str) -> pd.DataFrame:
    return analysed.table("rewording", model=model).set_index("feature")


def test_a_word_taken_away_moves_the_reward_by_what_it_cost(analysing: Analysing) -> None:
    """A refusal costs 1.5 of a reward, an insult 0.5; to the other model refusals are nothing."""
    compared, labelled = analysing.compared(), analysing.labelled()
    rewording = analysing.reworded()
    analysed = open_analysis(analysing.analysed(compared, labelled))
    assert analysed.spec.rewording == rewording
    units = open_results(compared).typical_margins
    for model, costs in ((PLAIN, (1.5, 0.5)), (OTHER, (0.0, 0.5))):
        own, unit = moved(analysed, model), units[model]
        assert unit is not None
        assert list(own.index) == [*REWRITE_FEATURES, "log_length", ITSELF]
        for key, cost in zip((HELPFUL, HARMLESS), costs, strict=True):
            assert own.loc[key, "low"] < cost / unit < own.loc[key, "high"]
            assert own.loc[key, "imprint_low"] < cost / unit < own.loc[key, "imprint_high"]
        assert own.loc[ITSELF, "low"] < 0 < own.loc[ITSELF, "high"]
    assert own.loc["last_response_is_coherent", "why"] == "too few: 0 of at least 15"


def test_the_command_of_an_analysis_without_a_rewording_joins_none_that_came_later(
    analysing: Analysing, capsys: pytest.CaptureFixture[str]
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    asked = shlex.split(spec_of_runs([compared, labelled]).command_line)
    rewording = analysing.reworded()
    assert command_line(asked[1:]) == 0
    assert open_analysis(runs.every("analysis")[0].id).spec.rewording == ""
    again = spec_of_runs([compared, labelled, rewording])
    assert spec_of_runs([*shlex.split(again.command_line)[2:4], labelled]) == again
    capsys.readouterr()
    assert command_line(["analyse", compared, rewording, "--no-rewording"]) == 1
    assert "A rewording was named, and none is to be joined." in capsys.readouterr().err


def test_texts_count_whose_meaning_is_kept_and_whose_rewards_and_labels_are_known(
    analysing: Analysing,
) -> None:
    """One text is rated by no model, and the two of one pair are too unlike their originals."""
    compared, labelled = analysing.compared(), analysing.labelled()
    analysing.reworded()
    analysed = open_analysis(analysing.analysed(compared, labelled))
    assert set(analysed.tables["rewording"]["texts"]) == {120 - 1 - 2}
    assert moved(analysed, PLAIN).loc[ITSELF, "texts_changed"] == 117
    assert np.isnan(moved(analysed, PLAIN).loc[ITSELF, "imprint"])


def test_it_is_known_by_its_kind_or_is_the_one_of_the_study_that_says_something(
    analysing: Analysing,
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    assert spec_of_runs([compared, labelled]).rewording == ""
    said = analysing.reworded()
    silent = analysing.reworded(labeler="")
    assert spec_of_runs([compared, labelled]).rewording == said
    assert spec_of_runs([silent, labelled]).rewording == silent
    assert spec_of_runs([silent]).comparison == compared
    assert spec_of_runs([compared], rewording="").rewording == ""
    with pytest.raises(BadInput, match="Two rewordings were named"):
        spec_of_runs([compared, said, silent])
    with pytest.raises(BadInput, match="rated by none of org/moved"):
        spec_of_runs([compared, said], models=("org/moved",))
    assert spec_of_runs([compared], models=("org/moved",)).rewording == ""
    about = studies.about_run(compared)
    assert about is not None
    (offer,) = [one for one in left_in(about) if one.kind == "analysis"]
    assert offer.spec == spec_of_runs([compared])


def test_its_command_names_the_rewording(
    analysing: Analysing, capsys: pytest.CaptureFixture[str]
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    rewording = analysing.reworded()
    run_id = analysing.analysed(compared, labelled)
    command = runs.command(runs.get(run_id))
    assert command.startswith(f"ivan analyse {compared} {rewording} ")
    assert command_line([*command.split()[1:], "--plan"]) == 0
    assert f"rewording of run {rewording}" in capsys.readouterr().out


def test_without_labels_there_is_no_table_and_it_says_what_is_missing(analysing: Analysing) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    without = open_analysis(analysing.analysed(compared, labelled))
    assert "rewording" not in without.tables
    assert lacking(without) == "This analysis has no rewording of its pairs."
    analysing.reworded(labeler="")
    silent = open_analysis(analysing.analysed(compared, labelled))
    assert "rewording" not in silent.tables and lacking(silent) == NOBODY_LABELLED


def test_rules_that_reword_and_rules_that_label_are_never_combined() -> None:
    assert why_not("ivan/rules", "ivan/lexicon") == RULES_AND_LEXICON
    assert why_not("mistral:7b", "ivan/lexicon") == why_not("ivan/rules", "mistral:7b") == ""


def test_one_that_is_not_finished_is_left_out_with_a_note(analysing: Analysing) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    rewording = analysing.reworded()
    spec = spec_of_runs([compared, labelled])
    registry = Registry(analysing.data_dir)
    registry.finish(rewording, RunState.CANCELLED)
    run_id = analysing.worked(spec)
    assert runs.get(run_id).state is RunState.DONE
    assert f"Run {rewording} is not finished: it was left out." in runs.get(run_id).notes
    assert "rewording" not in open_analysis(run_id).tables


def test_its_sentences_say_what_moves_beside_the_imprint(analysing: Analysing) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    analysing.reworded()
    analysed = open_analysis(analysing.analysed(compared, labelled))
    told = [one.sentence for one in quotes(analysed) if one.question == BREAKS]
    first = told[0]
    assert first.startswith(
        f"Where a reworded text gains “Helpful”, all else in this table alike, the reward of"
        f" {PLAIN} moves by +"
    )
    assert "; its imprint on the originals is +" in first
    assert first.endswith("(25 of 117 texts changed; labels: reader:1b).")
    assert any("rewording itself moves the reward of" in one for one in told)
    assert not any(INSULT in one for one in told)


def test_it_leaves_and_comes_back_as_a_zip(analysing: Analysing) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    analysing.reworded()
    run_id = analysing.analysed(compared, labelled)
    before, path = open_analysis(run_id), analysing.data_dir / "run.zip"
    zips.export(run_id, path)
    archive.delete(run_id)
    open_analysis.cache_clear()
    zips.import_zip(path)
    after = open_analysis(run_id)
    pd.testing.assert_frame_equal(after.tables["rewording"], before.tables["rewording"])
    assert after.manifest["rewording"] == before.manifest["rewording"]
