"""Home: before the first run, while one is at work, and afterwards."""

from __future__ import annotations

import shutil
from itertools import permutations
from pathlib import Path

from fakes.reward_models import Fakes
from given import made_runs

from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest, LabelSpec, RowsSpec
from ivan_core.engine import handling as runs, own_pairs, studies
from ivan_core.worker import work


def test_a_fresh_home_is_one_sentence_and_one_button(data_dir, open_page):
    page = open_page()
    assert page.app.title[0].value.endswith("really teach a reward model?")
    assert "A reward model scores replies" in page.said
    assert list(page.buttons) == ["first", "do-all"]
    assert page.buttons["first"].startswith("Judge the sample with two models, ")
    assert page.buttons["do-all"].startswith("Do the whole study on the sample, ")
    assert "480 bundled pairs" in page.said
    assert page.links == {
        "Home": "?",
        "Analysis": "analysis?",
        "Compare": "compare?",
        "Pairs": "pairs?",
        "Rewrite": "rewrite?",
        "Taxonomy": "taxonomy?",
        "Review": "review?",
        "Runs": "runs?",
        "Words": "words?",
        "Handbook": "handbook?",
        ":primary[Show me, in ten minutes →]": "handbook?chapter=tour",
        ":primary[For fun: the best and the worst words, by two reward models →]": "words?",
    }


def test_the_button_starts_the_demo_and_goes_to_it(data_dir, open_page, spawned):
    page = open_page()
    page.press("first")
    assert len(spawned) == 1
    assert page.app.query_params["run"] == spawned[0]
    assert "Judging sample" in page.said


def test_what_this_machine_has_is_told_without_values(data_dir, open_page, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    page = open_page()
    assert "✓ An OpenAI key." in page.said
    assert "sk-secret" not in page.said
    assert "– Ollama. For rewording" in page.said


def test_after_a_run_each_finding_leads_to_its_row(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample())
    page = open_page()
    assert "first" not in page.buttons
    assert f"Found in sample, run {run_id}." in page.said
    assert "The two models disagree on " in page.said
    sharpest = [to for label, to in page.links.items() if "sharpest" in label]
    assert len(sharpest) == 1
    assert sharpest[0].startswith(f"pairs?run={run_id}&row=")
    assert "clearly prefers the chosen reply" in page.said and " typical margins)" in page.said
    assert "Compare480pairs judged" in page.said


def test_the_tile_of_a_run_at_work_tells_how_far_it_is_and_can_cancel_it(data_dir, open_page):
    with made_runs.at_work(data_dir, made_runs.spec_of_sample()) as run_id:
        page = open_page()
    assert "Compare16%" in page.said
    assert list(page.buttons) == [f"cancel-{run_id}", "begin-Labels", "begin-Rewording"]


def test_a_run_that_still_reads_its_dataset_is_announced_and_leads_there(
    data_dir, open_page, pairs_file
):
    run_id = made_runs.queued(data_dir, made_runs.spec_of_file(pairs_file))
    page = open_page()
    assert "A run is at work." in page.said
    assert page.links[":primary[Watch it →]"] == f"compare?run={run_id}"


def test_recent_runs_are_named_newest_first(data_dir, open_page):
    first = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    second = made_runs.stopped(
        data_dir, made_runs.spec_of_sample(made_runs.TWO_MODELS[:1], limit=60), RunState.CANCELLED
    )
    recent = [to for label, to in open_page().links.items() if "Comparison, " in label]
    assert recent == [f"compare?run={run_id}" for run_id in (second, first)]


def test_a_failed_run_can_be_gone_on_with_where_its_stage_stands(data_dir, open_page, spawned):
    run_id = made_runs.failed(data_dir, made_runs.spec_of_sample())
    page = open_page()
    assert "Compare80of 480 pairs judged, failed" in page.said
    assert page.buttons["begin-Compare"] == "Resume"
    page.press("begin-Compare")
    assert spawned == [run_id]


def test_a_run_without_a_rated_row_finds_nothing_and_breaks_nothing(data_dir, open_page):
    nothing = Fakes(failing="0123456789abcdef")
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20), nothing)
    page = open_page()
    assert "disagree on" not in page.said
    assert "Compare20pairs judged" in page.said


def test_lost_texts_are_said_and_the_rest_of_home_stays(data_dir: Path, open_page):
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    shutil.rmtree(data_dir / "datasets")
    page = open_page()
    assert "are no longer in the data folder" in page.said
    assert any("sample" in label for label in page.links)


def test_the_next_stages_can_be_begun_where_they_stand(data_dir, open_page, spawned):
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=8))
    page = open_page()
    assert page.buttons["begin-Labels"].startswith("Label the 16 texts, ")
    assert page.buttons["begin-Rewording"].startswith("Reword the 8 pairs, ")
    assert page.buttons["do-all"].startswith("Do the rest of the study, ")
    assert [label for label in page.links if "Ask people" in label] == [":primary[Ask people →]"]
    page.press("begin-Labels")
    assert runs.any_spec_of(runs.get(spawned[0])) == LabelSpec(limit=8)
    assert page.buttons[f"cancel-{spawned[0]}"] == "Cancel"
    work(runs.registry(), spawned[0])
    page = open_page()
    assert "Labels8pairs labelled" in page.said
    assert f"taxonomy?run={spawned[0]}" in page.links.values()


def test_a_finding_of_labels_leads_to_the_texts_behind_it(data_dir, open_page):
    spec = LabelSpec()
    run_id, _ = runs.registry().add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    work(runs.registry(), run_id)
    page = open_page()
    assert "replies are called “Refusal”, on 480 pairs" in page.said
    (to,) = [to for label, to in page.links.items() if "only the chosen reply is" in label]
    assert to == f"taxonomy?run={run_id}&label=last_response_is_refusal&pair=chosen_only"


def test_texts_below_a_finding_are_never_markup(data_dir, tmp_path, open_page):
    replies = ("<img src=x> one", "<script>two</script> three", "<b>four</b>")
    rows = [
        {
            "chosen": f"\n\nHuman: Hi\n\nAssistant: {a}",
            "rejected": f"\n\nHuman: Hi\n\nAssistant: {b}",
        }
        for a, b in permutations(replies, 2)
    ]
    path = made_runs.write_rows(tmp_path / "hostile.jsonl", rows)
    made_runs.finished(data_dir, made_runs.spec_of_file(path))
    lines = [html.body for html in open_page().app.get("html") if "ivan-lines" in html.body]
    lines = [line for line in lines if "<style>" not in line]
    assert lines
    assert all("<img" not in line and "<script" not in line for line in lines)
    assert any("&lt;" in line for line in lines)


def test_somebody_who_has_judged_nothing_sees_the_first_pair_and_all_that_is_left(
    data_dir, open_page, pairs_file, monkeypatch
):
    begun = []
    monkeypatch.setattr(runs, "spawn_in_turn", begun.append)
    request = DatasetRequest(source=str(pairs_file))
    own_pairs.read(request, lambda _: None)
    studies.take(RowsSpec(dataset=request))
    page = open_page()
    assert "40 pairs, 2 turns each." in page.said
    assert page.buttons["do-all"].startswith("Do the whole study, ")
    page.press("do-all")
    kinds = [runs.get(run_id).kind for run_id in begun[0]]
    assert kinds == ["compare", "labels", "rewrite", "analysis"]
    assert page.buttons["cancel-all"] == "Cancel all"
    page.press("cancel-all")
    assert {run.state for run in runs.every()} == {RunState.CANCELLED}
    assert page.buttons["do-all"].startswith("Do the rest of the study, ")
    page.press("do-all")
    assert begun[1] == begun[0]
