"""Compare with a run: done, stopped in every way, at work, and none."""

from __future__ import annotations

import pytest
from fakes.reward_models import Fakes
from given import made_runs
from given.listed import listed, lists_of

from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs

COMPARE = "pages/compare.py"
ALL_HEX = "0123456789abcdef"


def test_a_finished_run_opens_with_its_headline_and_bars(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample())
    page = open_page(COMPARE, run=run_id)
    headline = page.said.splitlines()[1]
    assert headline.startswith("ivan/minilm-harmless sides with the author's choice in ")
    assert "of 480 pairs [" in headline
    assert "ivan/minilm-control in" in headline
    assert "reply would reach" in headline
    assert page.kinds.count("vega_lite_chart") == 3
    assert len(listed(page.app)) == 50
    assert "480 pairs, 1 to 50 shown. Click a pair to read it;" in page.said


def test_the_address_names_the_page_of_rows_until_another_filter_is_chosen(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=120))
    page = open_page(COMPARE, run=run_id)

    def turned(asked: str) -> str:
        page.app.query_params["page"] = asked
        page.run()
        return str(page.said)

    for damaged in ("4", "0", "-1", "x", "9" * 40):
        assert "120 pairs, 1 to 50 shown." in turned(damaged)
    assert "120 pairs, 101 to 120 shown." in turned("3")
    page.app.selectbox(key="quick-0").select("the longer reply was chosen").run()
    assert "page" not in page.app.query_params
    assert ", 1 to 50 shown." in page.said


def test_files_and_the_command_are_at_hand(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page = open_page(COMPARE, run=run_id)
    at_once = [button.proto.label for button in page.app.get("download_button")]
    assert at_once == ["One page to send"] and not page.app.code
    page.unfold("files")
    page.unfold("take-rows")
    assert [code.value for code in page.app.code][-1] == (
        "ivan compare --dataset sample --limit 20"
        " --model ivan/minilm-harmless --model ivan/minilm-control"
    )
    names = [button.proto.label for button in page.app.get("download_button")]
    assert len([name for name in names if name.endswith(("csv", "parquet"))]) == 4
    assert page.app.get("json")


def test_is_it_just_length_is_a_tab(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample())
    page = open_page(COMPARE, run=run_id)
    assert "where the longer reply was chosen" not in page.said
    page.app.segmented_control(key="view").set_value("Is it just length?")
    page.run()
    assert "where the longer reply was chosen" in page.said
    assert page.kinds.count("vega_lite_chart") == 2


def test_disagreements_come_sharpest_first(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample())
    page = open_page(COMPARE, run=run_id)
    page.app.session_state["rows-view"] = "Models disagree, sharpest first"
    page.run()
    first = listed(page.app).iloc[0]
    verdicts = {first[model].split()[0] for model in made_runs.TWO_MODELS}
    assert len(verdicts) == 2


def test_new_comparison_leads_back_to_the_form(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page = open_page(COMPARE, run=run_id)
    page.press("new")
    assert "judge" in page.buttons
    assert "run" not in page.app.query_params


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (RunState.CANCELLED, "This run was cancelled. It stopped at "),
        (RunState.RUNNING, "The worker of this run is gone. It stopped at "),
    ],
)
def test_a_stopped_run_shows_what_it_has_and_offers_to_resume(
    data_dir, open_page, spawned, state, sentence
):
    run_id = made_runs.stopped(data_dir, made_runs.spec_of_sample(limit=100), state)
    page = open_page(COMPARE, run=run_id)
    assert sentence in page.said
    assert "of 200 judgements; what is finished is kept." in page.said
    assert "stopped at " in page.said
    assert len(lists_of(page.app)) == 1
    page.press("resume")
    assert spawned == [run_id]
    assert runs.get(run_id).state is RunState.QUEUED


def test_a_failed_run_says_why_and_what_to_do(data_dir, open_page):
    run_id = made_runs.failed(data_dir, made_runs.spec_of_sample(limit=100))
    page = open_page(COMPARE, run=run_id)
    assert "The server of this model went away." in page.said
    assert "Start it again." in page.said
    assert "resume" in page.buttons


def test_a_run_that_failed_before_its_first_row_has_only_the_reason(data_dir, open_page):
    run_id = made_runs.queued(data_dir, made_runs.spec_of_sample())
    runs.registry().finish(run_id, RunState.FAILED, "The model could not be had.", "Try again.")
    page = open_page(COMPARE, run=run_id)
    assert "The model could not be had." in page.said
    assert "resume" in page.buttons
    assert not lists_of(page.app)


def test_a_cancelled_run_with_unfinished_chunks_only_is_no_crash(data_dir, open_page):
    run_id = made_runs.queued(data_dir, made_runs.spec_of_sample())
    runs.registry().progress(run_id, done=3, total=960)
    runs.registry().finish(run_id, RunState.CANCELLED)
    page = open_page(COMPARE, run=run_id)
    assert "This run was cancelled." in page.said
    assert f"Run {run_id} has no results yet." in page.said


def test_a_run_at_work_shows_its_numbers_so_far(data_dir, open_page):
    with made_runs.at_work(data_dir, made_runs.spec_of_sample()) as run_id:
        runs.registry().progress(run_id, doing="Scoring with a model", done=240, rate=60.0)
        page = open_page(COMPARE, run=run_id)
        assert "Judging sample" in page.said
        assert "Scoring with a model: 240 of 960 judgements · 60 a second · " in page.said
        assert " s left" in page.said
        assert " so far [" in page.said
        assert page.kinds.count("vega_lite_chart") == 1
        page.press("cancel")
        assert runs.registry().beat(run_id), "nobody asked the worker to stop"


def test_nothing_rated_is_a_result(data_dir, open_page):
    run_id = made_runs.finished(
        data_dir, made_runs.spec_of_sample(limit=20), Fakes(failing=ALL_HEX)
    )
    page = open_page(COMPARE, run=run_id)
    assert "ivan/minilm-harmless has rated none of 20 pairs (20 failed)." in page.said
    shown = listed(page.app)
    assert set(shown["ivan/minilm-harmless"]) == {"not rated"}
    assert "view" not in {control.key for control in page.app.segmented_control}


def test_ties_truncation_and_failures_are_counted(data_dir, open_page):
    fakes = Fakes(constant=True, truncated="01234567", failing="f")
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=60), fakes)
    said = open_page(COMPARE, run=run_id).said
    assert "gives both replies exactly the same reward in every pair." in said
    assert "not read to the end" in said
    assert " failed" in said


def test_one_model_has_no_disagreements_to_choose(data_dir, open_page):
    spec = made_runs.spec_of_sample(made_runs.TWO_MODELS[:1], limit=20)
    page = open_page(COMPARE, run=made_runs.finished(data_dir, spec))
    shows = page.app.selectbox(key="quick-0").options
    assert "models disagree" not in shows and "starred" in shows
    assert "20 pairs." in page.said


def test_six_models_and_many_subsets_fit(data_dir, open_page, tmp_path):
    rows = [
        {
            "chosen": f"\n\nHuman: q{i}\n\nAssistant: yes {i}",
            "rejected": f"\n\nHuman: q{i}\n\nAssistant: no, not {i}",
            "subset": f"part {i % 14}",
        }
        for i in range(140)
    ]
    names = tuple(f"org/a-rather-long-name-of-a-reward-model-{n}" for n in range(6))
    spec = made_runs.spec_of_file(made_runs.write_rows(tmp_path / "p.jsonl", rows), names)
    page = open_page(COMPARE, run=made_runs.finished(data_dir, spec))
    assert all(name in page.said for name in names)
    assert "recorded choice" in page.said


def test_a_run_that_does_not_exist_is_said_and_forgotten(data_dir, open_page):
    page = open_page(COMPARE, run="no-such-run")
    assert "There is no run 'no-such-run' here." in page.said
    assert page.links["Compare"] == "compare?"
    assert "run" not in page.app.session_state


def test_results_outlive_the_file_they_came_from(data_dir, open_page, pairs_file):
    run_id = made_runs.stopped(data_dir, made_runs.spec_of_file(pairs_file), RunState.CANCELLED)
    pairs_file.unlink()
    page = open_page(COMPARE, run=run_id)
    assert "stopped at " in page.said
    assert len(lists_of(page.app)) == 1
