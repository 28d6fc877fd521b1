"""Rewording from the command line and through the real embedded models; plans and refusals."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import pytest
from fakes.rewriting import FakeRewriter, added, fake_tools, spec_of, work_here
from given.support import write_pairs

from ivan_core.cli import rewrite as command
from ivan_core.cli.main import parser, run
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import MINILM, RULES, DatasetRequest, RewriteSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.rewrite import plan as rewrite
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.report import print_rewordings
from ivan_core.experiments.rewrite.results import Gate, files, open_rewrite
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON
from ivan_core.worker import work

EMBEDDED = ("ivan/minilm-harmless", "ivan/minilm-control")


def asked(*words: str) -> RewriteSpec:
    return command.spec_from(parser().parse_args(["rewrite", *words]))


def test_the_demo_rewords_by_rules_and_measures_with_the_embedded_models(data_dir: Path) -> None:
    spec = asked("--limit", "20", "--labeler", "ivan/lexicon")
    run_id = added(data_dir, spec)
    work(runs.registry(), run_id)
    assert runs.get(run_id).state is RunState.DONE, runs.get(run_id).problem
    results = open_rewrite(run_id)
    reworded, texts = results.texts_reworded
    assert texts == 40 and reworded >= 24
    own = results.similarities[results.similarities["variant"] == "reworded"]
    assert own["chosen_similarity"].dropna().between(0.8, 1).all()
    assert own["chosen_length_ratio"].dropna().between(0.5, 2).all()
    surface = results.scores[results.scores["variant"] == "surface"]
    assert len(surface) == 40 and surface["chosen_reward"].notna().all()
    assert numbers(results, Gate()).flip_rates["own_rate"].dropna().eq(0).all()
    with files(results)[0].open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["original_agreement_dataset_and_rm_aligned"] in ("True", "False")
    assert row["rewritten_chosen_last_response_sentiment"] in ("negative", "neutral", "positive")
    manifest = results.manifest
    assert manifest is not None and RULES_AND_LEXICON in manifest["notes"]
    assert (manifest["rewriter"]["id"], manifest["similarity"]["id"]) == (RULES, MINILM)
    assert [card["id"] for card in manifest["models"]] == list(EMBEDDED)
    assert rewrite.plan(spec).takes is not None  # speeds are known now
    out = io.StringIO()
    print_rewordings(run_id, out)
    told = out.getvalue()
    assert f"{reworded} of 40 texts reworded ({reworded / 40:.0%})." in told
    assert "To see 20" in told and "“Helpful” moves in" in told and RULES_AND_LEXICON in told


def test_the_presets_name_who_rewords_and_judges(data_dir: Path) -> None:
    demo, seal = asked(), asked("--preset", "seal")
    assert (demo.dataset.source, demo.rewriter, demo.similarity) == ("sample", RULES, MINILM)
    assert demo.models == EMBEDDED and demo.labeler == ""
    assert (seal.rewriter, seal.similarity) == ("mistral:7b-instruct-fp16", "BAAI/bge-m3")
    assert seal.models == (
        "OpenAssistant/reward-model-deberta-v3-large-v2",
        "OpenAssistant/reward-model-deberta-v3-large",
    )


def test_the_originals_options_mean_what_they_meant(data_dir: Path) -> None:
    spec = asked("--limit=100", "--ollama-model-id=llama2:13b-instruct-fp16")
    assert (spec.sample, spec.limit, spec.rewriter) == (100, None, "llama2:13b-instruct-fp16")
    spec = asked("--model", "a/b", "--scope", "whole", "--no-second", "--row-ids", "3,1")
    assert (spec.models, spec.scope, spec.second, spec.row_ids) == (
        ("a/b",),
        "whole",
        False,
        (3, 1),
    )
    with pytest.raises(BadInput, match="a rewording is judged by one model or two"):
        asked("--model", "a/b", "--model", "c/d", "--model", "e/f")


def test_a_plan_counts_requests_and_is_quick(data_dir: Path) -> None:
    spec = asked("--limit", "10", "--rewriter", "gemma4:e4b")
    started = time.process_time()
    plan = rewrite.plan(spec)
    assert time.process_time() - started < 2.0
    # A prompt and two replies of ten pairs, each in two styles.
    assert (plan.pairs, plan.requests, plan.paid, plan.takes) == (10, 60, False, None)
    assert "up to 60 requests" in plan.sentence and "not been run on this machine" in plan.sentence
    assert rewrite.plan(asked("--limit", "10")).requests is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--labeler", "gpt-6-luna"), "gpt-6-luna is OpenAI's, not Ollama's."),
        (("--labeler", "openai: "), "No labeler was named."),
        (("--labeler", "ivan/words"), "There is no labeler 'ivan/words'."),
        (("--rewriter", "ivan/words"), "There is no rewriter 'ivan/words'."),
        (("--rewriter", "openai:"), "No rewriter was named."),
        (("--model", "nothing"), "'nothing' is neither in the catalog"),
        (("--similarity", "nothing"), "'nothing' is neither in the catalog"),
        (("--row-ids", "480"), "No such pair in this dataset: 480."),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(
    words: tuple[str, ...], says: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rewrite", *words]) == 1
    assert says in capsys.readouterr().err and runs.every(None) == []


def test_a_provider_that_charges_is_not_asked_before_somebody_accepts(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = asked("--limit", "2", "--rewriter", "openai:gpt-6-luna")
    with pytest.raises(BackendUnavailable, match="No key for OpenAI is set"):
        rewrite.start(spec)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert rewrite.plan(spec).paid
    with pytest.raises(BadInput, match="nobody has accepted that"):
        rewrite.start(spec)
    assert runs.every(None) == []
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert not rewrite.plan(spec).paid


def test_a_run_at_work_can_be_read_as_far_as_it_is(data_dir: Path, tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "p.jsonl", 8)
    spec = spec_of(path).model_copy(update={"dataset": DatasetRequest(source=str(path))})
    run_id = added(data_dir, spec)
    with pytest.raises(BadInput, match="no results yet"):
        open_rewrite(run_id)

    def breaks(request: object) -> str:
        if len(rewriter.asked) > 12:
            raise BackendUnavailable("It went away.", "Start it again.")
        return rewriter.asked[-1].text.replace("Answer", "Reply").replace("Question", "Enquiry")

    rewriter = FakeRewriter(breaks)
    work_here(data_dir, run_id, fake_tools(rewriter))
    results = open_rewrite(run_id)
    assert len(results.row_ids) == 2 and results.manifest is None and files(results) == []
    assert set(results.table["row_id"]) == set(results.row_ids)
    with pytest.raises(BadInput, match="did not reword pair"):
        results.pair(next(row for row in range(8) if row not in results.row_ids))
