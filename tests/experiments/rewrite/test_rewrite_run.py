"""Rewording pairs from a file: every text kept, measured, or listed with its reason."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from fakes.reward_models import Fakes
from fakes.rewriting import FakeRewriter, added, fake_tools, reworded, sometimes, spec_of, work_here
from given.support import write_pairs

from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import ModelReply, SimilarityModel
from ivan_core.domain.pairs import IDENTICAL
from ivan_core.domain.rewriting import RewriteRequest
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import RewriteSpec
from ivan_core.engine import archive, handling as runs
from ivan_core.engine.studies import Stage, study_of
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.results import (
    Gate,
    RewriteResults,
    files,
    open_rewrite,
    rewordings_of_row,
)

COLUMNS = [
    "row_id",
    "original_chosen_text",
    "original_rejected_text",
    "rewritten_chosen_text",
    "rewritten_rejected_text",
    "original_to_rewritten_chosen_vector_cos_sim",
    "original_to_rewritten_rejected_vector_cos_sim",
    "original_chosen_score_rm_aligned",
    "original_rejected_score_rm_aligned",
    "original_chosen_score_rm_control",
    "original_rejected_score_rm_control",
    "rewritten_chosen_score_rm_aligned",
    "rewritten_rejected_score_rm_aligned",
    "rewritten_chosen_score_rm_control",
    "rewritten_rejected_score_rm_control",
    "original_agreement_dataset_and_rm_aligned",
    "rewritten_agreement_dataset_and_rm_aligned",
    "original_agreement_dataset_and_rm_control",
    "rewritten_agreement_dataset_and_rm_control",
    "original_chosen_last_response_is_helpful",
    "original_chosen_last_response_is_harmless",
    "original_chosen_last_response_is_coherent",
    "original_chosen_last_response_is_eloquent",
    "original_chosen_last_response_sentiment",
    "original_rejected_last_response_is_helpful",
    "original_rejected_last_response_is_harmless",
    "original_rejected_last_response_is_coherent",
    "original_rejected_last_response_is_eloquent",
    "original_rejected_last_response_sentiment",
    "rewritten_chosen_last_response_is_helpful",
    "rewritten_chosen_last_response_is_harmless",
    "rewritten_chosen_last_response_is_coherent",
    "rewritten_chosen_last_response_is_eloquent",
    "rewritten_chosen_last_response_sentiment",
    "rewritten_rejected_last_response_is_helpful",
    "rewritten_rejected_last_response_is_harmless",
    "rewritten_rejected_last_response_is_coherent",
    "rewritten_rejected_last_response_is_eloquent",
    "rewritten_rejected_last_response_sentiment",
]
"""The original's, in its order: scripts of its users read them by name and by place."""


HELPFUL = "last_response_is_helpful"


def done(
    data_dir: Path, spec: RewriteSpec, rewriter: FakeRewriter | None = None, **how: object
) -> RewriteResults:
    """The results of a run that fakes have done."""
    run_id = added(data_dir, spec)
    work_here(data_dir, run_id, fake_tools(rewriter, **how))
    assert runs.get(run_id).state is RunState.DONE, runs.get(run_id).problem
    return open_rewrite(run_id)


def rows_of(results: RewriteResults, name: str = "rewrite") -> list[dict[str, str]]:
    with (files(results)[0].parent / f"{results.run.id}-{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_csv_is_the_originals(data_dir, tmp_path) -> None:
    results = done(data_dir, spec_of(write_pairs(tmp_path / "p.jsonl", 9)), FakeRewriter())
    rows = rows_of(results)
    assert list(rows[0]) == COLUMNS and len(COLUMNS) == 39
    assert [row["row_id"] for row in rows] == ["0", "1", "2", "3", "4", "5", "6", "8"]
    first = rows[0]
    assert first["original_rejected_text"] == (
        "\n\nHuman: Question 0?\n\nAssistant: Answer 0. But ask a friend too."
    )
    assert first["rewritten_rejected_text"] == (
        "\n\nHuman: Enquiry 0?\n\nAssistant: Reply 0. But ask a friend too."
    )
    by_place = results.table.set_index(["row_id", "model", "variant"])
    for word, variant in (("original", "original"), ("rewritten", "reworded")):
        for model, name in (("fake/one", "aligned"), ("fake/two", "control")):
            chosen, rejected = (
                first[f"{word}_{side}_score_rm_{name}"] for side in ("chosen", "rejected")
            )
            kept = by_place.loc[(0, model, variant)]
            for told, value in ((chosen, kept.chosen_reward), (rejected, kept.rejected_reward)):
                assert told == "" if value != value else float(told) == value
            agrees = first[f"{word}_agreement_dataset_and_rm_{name}"]
            assert agrees == (
                "" if "" in (chosen, rejected) else str(float(chosen) > float(rejected))
            )
    words = {row["original_chosen_last_response_is_helpful"] for row in rows}
    assert words <= {"True", "False", ""} and words & {"True", "False"}


def test_a_tie_does_not_side_with_the_choice(data_dir, tmp_path) -> None:
    spec = spec_of(write_pairs(tmp_path / "p.jsonl", 2), labeler="")
    (row, _) = rows_of(done(data_dir, spec, FakeRewriter(), fakes=Fakes(constant=True)))
    assert row["original_chosen_score_rm_aligned"] == row["original_rejected_score_rm_aligned"]
    assert row["rewritten_agreement_dataset_and_rm_control"] == "False"
    told = json.loads(runs.every("rewrite")[0].facts)["models"]["fake/one"]["variants"]
    for moved in told.values():  # a model that gives every text the same is moved by none
        assert (moved["chosen_change"], moved["rejected_change"], moved["size"]) == (0, 0, 0)
        assert moved["became_misaligned"] == moved["became_aligned"] == 0
    assert row["original_chosen_last_response_sentiment"] == ""


def test_whatever_could_not_be_reworded_is_listed_and_nothing_is_dropped(
    data_dir, tmp_path
) -> None:
    results = done(
        data_dir, spec_of(write_pairs(tmp_path / "p.jsonl", 10)), FakeRewriter(sometimes)
    )
    assert [row["row_id"] for row in rows_of(results)] == ["0", "1", "4", "5", "6", "8", "9"]
    failed = {(row["row_id"], row["side"]): row for row in rows_of(results, "rewrite-failed")}
    assert set(failed) == {
        ("2", "chosen"),
        ("3", "chosen"),
        ("3", "rejected"),
        ("7", "chosen"),
        ("7", "rejected"),
    }
    identical = failed["2", "chosen"]
    assert identical["reason"] == "The answer is the same text as the original."
    assert identical["raw"] == "\n\nAssistant: Answer 2." and identical["part"] == "2.chosen.reply"
    assert identical["tries"] == "4"  # the prompt once, the reply three times
    assert failed["3", "rejected"]["reason"] == "The answer took too long."
    assert failed["7", "chosen"]["reason"].casefold() == f"{IDENTICAL}."
    assert results.texts_reworded == (15, 18)
    assert results.reasons == [(IDENTICAL, 2), ("no answer", 2), ("identical", 1)]
    one = results.pair(2)
    assert one.sides["reworded"][0] is None and one.sides["reworded"][1] is not None
    assert one.missing["reworded"][0].raw == "\n\nAssistant: Answer 2."
    scores = results.scores.set_index(["row_id", "model", "variant"])
    assert pd.isna(scores.loc[(2, "fake/one", "reworded")].chosen_reward)
    assert len(results.scores) == 10 * 2 * 4 and results.manifest["pieces"]["second"] == {
        "asked": 27,
        "accepted": 22,
        "refused": {"empty": 3, "identical": 1, "no answer": 1},
    }


def test_both_sides_keep_one_prompt_and_whole_dialogues_need_not(data_dir, tmp_path) -> None:
    def by_key(request: RewriteRequest) -> str:
        return reworded(request).replace("Enquiry", f"Enquiry of {request.key.side}")

    path = write_pairs(tmp_path / "p.jsonl", 2)
    shared = done(data_dir, spec_of(path), FakeRewriter(by_key)).pair(1).sides["reworded"]
    assert [side.turns[0].words for side in shared] == ["Enquiry of both 1?"] * 2
    whole = done(data_dir, spec_of(path, scope="whole"), FakeRewriter(by_key))
    chosen, rejected = whole.pair(1).sides["reworded"]
    assert (chosen.turns[0].words, rejected.turns[0].words) == (
        "Enquiry of chosen 1?",
        "Enquiry of rejected 1?",
    )


def test_rewording_nothing_moves_nothing(data_dir, tmp_path) -> None:
    same = FakeRewriter(lambda request: request.text)
    spec = spec_of(write_pairs(tmp_path / "p.jsonl", 5))
    results = done(data_dir, spec, same, fakes=Fakes(silent=True))
    assert results.texts_reworded == (0, 10) and results.reasons == [("identical", 10)]
    assert rows_of(results) == []
    told = json.loads(results.run.facts)["models"]["fake/one"]["variants"]
    assert told["reworded"]["pairs"] == 0 and told["reworded"]["chosen_change"] is None
    assert told["surface"]["pairs"] == 5


def test_live_numbers_are_those_of_the_tables(data_dir, tmp_path) -> None:
    spec = spec_of(write_pairs(tmp_path / "p.jsonl", 40))
    results = done(data_dir, spec, FakeRewriter())
    facts = json.loads(results.run.facts)
    wide = results.table[results.table["model"] == "fake/two"].pivot(
        index="row_id", columns="variant", values=["chosen_reward", "rejected_reward"]
    )
    chosen, rejected = wide["chosen_reward"], wide["rejected_reward"]
    known = (
        chosen["original"] * rejected["original"] * chosen["reworded"] * rejected["reworded"]
    ).notna()
    before = (chosen["original"] > rejected["original"])[known]
    after = (chosen["reworded"] > rejected["reworded"])[known]
    told = facts["models"]["fake/two"]["variants"]["reworded"]
    assert told["pairs"] == known.sum() and told["agreed"] == before.sum()
    assert told["became_misaligned"] == (before & ~after).sum()
    assert told["became_aligned"] == (~before & after).sum()
    change = (chosen["reworded"] - chosen["original"]).mean()
    assert told["chosen_change"] == pytest.approx(change)
    own = results.similarities[results.similarities["variant"] == "reworded"]
    mean = own[["chosen_similarity", "rejected_similarity"]].stack().mean()
    assert facts["similarity"]["reworded"] == pytest.approx(mean)
    assert facts["done"] == {
        "rewordings": 40,
        "scores": 40,
        "similar": 40,
        "labels": 40,
        "again": 40,
    }
    assert facts["models"]["fake/two"]["points"][-1][:2] == [
        told["pairs"],
        told["became_misaligned"] + told["became_aligned"],
    ]
    found = numbers(results, Gate(similarity=0, shortest=0, longest=9))
    flips = found.label_flips
    helpful = flips[flips["feature"] == "last_response_is_helpful"]["flip"]
    counts = facts["labels"]["last_response_is_helpful"]
    assert (counts["lost"], counts["gained"]) == ((helpful == 1).sum(), (helpful == -1).sum())
    assert found.flip_rates["own_n"].gt(0).all() and results.run.done == results.run.total


def test_a_rewriter_that_goes_away_leaves_a_run_that_goes_on(data_dir, tmp_path) -> None:
    path = write_pairs(tmp_path / "p.jsonl", 6)
    whole = done(data_dir, spec_of(path, seed=1), FakeRewriter(sometimes))

    def gone(request: RewriteRequest) -> str | ModelReply:
        if len(broken.asked) == 9:
            raise BackendUnavailable("Ollama went away.", "Start it again.")
        return sometimes(request)

    broken = FakeRewriter(gone)
    spec = spec_of(path, seed=1, temperature=0.2)  # else it would be the run that is there
    run_id = added(data_dir, spec)
    work_here(data_dir, run_id, fake_tools(broken))
    run = runs.get(run_id)
    assert (run.state, run.problem) == (RunState.FAILED, "Ollama went away.")
    again = FakeRewriter(sometimes, revision="2")
    assert runs.registry().requeue(run_id)

    def no_similarity(revision: str) -> SimilarityModel:
        raise BackendUnavailable("The hub is away.", "Try later.")

    # Killed once more, after all is reworded: who reworded is not asked again, and not forgotten.
    away = fake_tools(again, together=False)
    work_here(data_dir, run_id, replace(away, similarity=no_similarity))
    assert runs.get(run_id).problem == "The hub is away."
    assert runs.registry().requeue(run_id)
    work_here(data_dir, run_id, fake_tools(FakeRewriter(sometimes, revision="2")))
    resumed = open_rewrite(run_id)
    assert resumed.table.equals(whole.table) and resumed.labels.equals(whole.labels)
    assert "changed while this run stood still" in runs.get(run_id).notes[-1]


def test_a_model_is_not_asked_twice_for_the_same_text(data_dir, tmp_path) -> None:
    path, rewriter = write_pairs(tmp_path / "p.jsonl", 4), FakeRewriter()
    done(data_dir, spec_of(path), rewriter)
    asked = len(rewriter.asked)
    assert asked == 4 * 3 * 2
    done(data_dir, spec_of(path, labeler=""), rewriter)
    assert len(rewriter.asked) == asked


def test_a_row_is_found_and_a_run_deleted_with_its_files(data_dir, tmp_path) -> None:
    results = done(data_dir, spec_of(write_pairs(tmp_path / "p.jsonl", 4)), FakeRewriter())
    content = results.dataset.about["content"]
    ((found, one),) = rewordings_of_row(content, 3)
    assert found.run.id == results.run.id and one.pair.row_id == 3
    assert rewordings_of_row(content, 99) == [] and rewordings_of_row("another", 3) == []
    long = pd.read_parquet(files(results)[-1])
    assert len(long) == 4 * 2 * 4 * 2 and set(long["variant"]) == {
        "original",
        "reworded",
        "second",
        "surface",
    }
    study = study_of(results.run.id)
    assert study is not None and study.stages[2] == Stage("Rewording", 4, 4, 4)
    assert runs.about(results.run).endswith("fake:7b, fake/one, fake/two")
    written = files(results)
    archive.delete(results.run.id)
    assert not any(path.exists() for path in written)


def test_a_study_counts_the_pairs_that_were_reworded_on_both_sides(data_dir, tmp_path) -> None:
    def answer(request: RewriteRequest) -> str:
        left = request.key.row_id in (0, 2) and request.key.side == "chosen"
        return "" if left else reworded(request)

    path = write_pairs(tmp_path / "p.jsonl", 5)
    results = done(data_dir, spec_of(path), FakeRewriter(answer))
    study = study_of(results.run.id)
    assert study is not None and study.stages[2] == Stage("Rewording", 5, 5, 3)
    assert study.stages[0].name == "Compare" and not study.stages[0].finished
    (data_dir / "runs" / results.run.id / "likeness.parquet").write_bytes(b"no table")
    study = study_of(results.run.id)
    assert study is not None and study.stages[2] == Stage("Rewording", 5, 5, None)


def test_swapping_the_sides_mirrors_the_numbers(data_dir, tmp_path) -> None:
    path = write_pairs(tmp_path / "p.jsonl", 7)
    pairs = [json.loads(line) for line in path.read_text().splitlines()]
    swapped = tmp_path / "swapped.jsonl"
    swapped.write_text(
        "".join(
            json.dumps({"chosen": pair["rejected"], "rejected": pair["chosen"]}) + "\n"
            for pair in pairs
        )
    )
    one = done(data_dir, spec_of(path), FakeRewriter()).table
    other = done(data_dir, spec_of(swapped), FakeRewriter()).table
    for name in ("reward", "similarity", "ratio"):
        for side, mirrored in (("chosen", "rejected"), ("rejected", "chosen")):
            # How texts are batched shows in a fake's last digits, as it does in a model's.
            assert other[f"{mirrored}_{name}"].to_numpy() == pytest.approx(
                one[f"{side}_{name}"].to_numpy(), abs=1e-3, nan_ok=True
            )


def test_the_long_table_keeps_refused_answers_and_second_labels(data_dir, tmp_path) -> None:
    path = write_pairs(tmp_path / "p.jsonl", 4)
    long = pd.read_parquet(files(done(data_dir, spec_of(path), FakeRewriter(sometimes)))[-1])
    reworded = long[long["variant"] == "reworded"]
    refused = reworded[reworded["raw"].notna()]
    # Row 2's chosen reply came back as it was; of row 3's prompt there is no answer to keep.
    assert set(zip(refused["row_id"], refused["preference"], strict=True)) == {(2, "chosen")}
    assert refused["raw"].str.contains("Answer 2.").all() and refused["text"].isna().all()
    assert reworded.loc[reworded["row_id"] == 3, "reason"].eq("The answer took too long.").all()
    first, second = (long[name].notna() for name in (HELPFUL, f"again_{HELPFUL}"))
    assert first.any() and set(long.loc[second, "variant"]) == {"original"}
    assert set(long["label_status"].dropna()) <= {"valid", "missing", "failed", "invalid"}
