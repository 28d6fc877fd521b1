"""Rewordings of the original's CSV: 39 columns, joined by text, finished without any work."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from fakes.rewriting import FakeRewriter, added, fake_tools, sometimes, spec_of, work_here
from given.original_rewordings import SENTIMENT, rewrite_csv, row_of
from given.support import data_files, write_pairs
from hypothesis import HealthCheck, given, settings, strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import handling as runs, zips
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.imports import Imported, read_dataset
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.results import Gate, open_rewrite

HELPFUL = "last_response_is_helpful"
ALL = Gate(0, 0.1, 5)


@pytest.fixture
def request_of(data_dir: Path, tmp_path: Path) -> DatasetRequest:
    return read_dataset(DatasetRequest(source=str(write_pairs(tmp_path / "p.jsonl", 10))))


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def only(paths: list[Path], request: DatasetRequest, *names: str, force: bool = False) -> Imported:
    (found,) = import_csvs(paths, request, names, force)
    return found


def test_a_file_of_the_original_becomes_a_finished_rewording(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    kept = {
        f"rewritten_{side}_score_rm_aligned": value
        for side, value in (("chosen", 3.0), ("rejected", 0.5))
    }
    path = rewrite_csv(
        tmp_path / "2024-05-01-12-00-mistral-7b.csv",
        row_of(0),
        row_of(1, **kept, rewritten_agreement_dataset_and_rm_aligned=True),
        row_of(4, **{f"rewritten_chosen_{HELPFUL}": "0"}),
    )
    found = only([path], request_of)
    assert (found.run_id, found.rows) == ("2024-05-01-12-00", 3)
    assert found.models == ("mistral-7b", "rm_aligned", "rm_control")
    assert found.notes == (
        "Rewordings imported from CSV; nothing was reworded or measured here.",
        "3 of 10 pairs: those that the files hold, perhaps not at random.",
    )
    run, results = runs.get(found.run_id), open_rewrite(found.run_id)
    assert (run.kind, run.state, run.done) == ("rewrite", RunState.DONE, run.total)
    assert results.pair(4).sides["reworded"][1].printed == (
        "\n\nHuman: Enquiry 4?\n\nAssistant: Reply 4. But ask a friend too."
    )
    assert results.pair(4).sides["surface"] == (None, None)
    got = numbers(results, ALL)
    aligned, control = got.of("rm_aligned"), got.of("rm_control")
    # Worked by hand: of three pairs that agreed before, two (control: three) do not after.
    lost = [one.flips.became_misaligned.count for one in (aligned, control)]
    assert (aligned.n, lost) == (3, [2, 3])
    alike = results.similarities[results.similarities["variant"] == "reworded"]
    assert alike["chosen_similarity"].tolist() == [0.95] * 3
    flips = got.label_flips
    assert flips[(flips["flip"] != 0)]["row_id"].tolist() == [4]
    assert runs.command(run) == (
        f"ivan runs import 2024-05-01-12-00-mistral-7b.csv --dataset {request_of.source} "
        "--model mistral-7b"
    )
    with pytest.raises(BadInput, match="nothing left to do"):
        runs.resume(found.run_id)


def test_labels_that_are_not_allowed_are_named_by_line_and_the_rest_is_kept(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    bad = {f"original_chosen_{HELPFUL}": "maybe", f"original_chosen_{SENTIMENT}": "x" * 10**6}
    path = rewrite_csv(tmp_path / "a.csv", row_of(0, **bad), row_of(1))
    found = only([path], request_of, "someone")
    assert found.notes[-1].startswith("2 labels not allowed (line ")
    labels = open_rewrite(found.run_id).labels
    (row,) = labels[labels["status"] == "invalid"].to_dict("records")
    assert (row["row_id"], row["preference"], row["variant"]) == (0, "chosen", "original")
    assert pd.isna(row[HELPFUL]) and row["last_response_is_harmless"] is True
    assert len(labels) == 8


def test_scores_count_where_the_file_says_otherwise(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    path = rewrite_csv(tmp_path / "a.csv", row_of(0, original_agreement_dataset_and_rm_aligned="0"))
    assert only([path], request_of).notes[-1] == (
        "1 agreement told otherwise than the scores do; the scores count."
    )


def test_lines_of_other_texts_are_refused_counted_and_left_aside_if_asked(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    other = row_of(1) | {"original_chosen_text": "\n\nHuman: Else?\n\nAssistant: Yes."}
    path = rewrite_csv(tmp_path / "a.csv", row_of(0), other, row_of(99))
    with pytest.raises(BadInput, match=r"2 lines .* with another text"):
        import_csvs([path], request_of)
    found = only([path], request_of, force=True)
    assert found.rows == 1 and "2 lines with other texts left aside." in found.notes


def test_without_labels_and_with_one_model_nothing_is_made_up(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    row = row_of(2)
    for name in row:
        if "control" in name or "last_response" in name or "cos_sim" in name:
            row[name] = ""
    results = open_rewrite(only([rewrite_csv(tmp_path / "a.csv", row)], request_of).run_id)
    assert results.models == ("rm_aligned",) and results.labels.empty and not results.spec.labeler
    assert results.similarities["chosen_similarity"].isna().all()


@pytest.mark.parametrize("scope", ["shared", "whole"])
def test_what_a_rewording_wrote_comes_back_equal(
    data_dir: Path, tmp_path: Path, scope: str
) -> None:
    run_id = added(data_dir, spec_of(write_pairs(tmp_path / "p.jsonl", 10), scope=scope))
    work_here(data_dir, run_id, fake_tools(FakeRewriter(sometimes)))
    before, files = open_rewrite(run_id), data_files(data_dir)
    assert len(files) == 2
    found = only([data_dir / name for name in files], before.spec.dataset)
    after, written = open_rewrite(found.run_id), data_files(data_dir)
    name = f"rewrite/{run_id}-rewrite.csv"
    assert written[name.replace(run_id, found.run_id)] == files[name]
    names = {"fake/one": "rm_aligned", "fake/two": "rm_control"}
    for model, called in names.items():
        ours, theirs = numbers(before, ALL).of(model), numbers(after, ALL).of(called)
        assert (ours.n, ours.flips) == (theirs.n, theirs.flips)
    failed = csv_rows(files[f"rewrite/{run_id}-rewrite-failed.csv"])
    again = csv_rows(written[f"rewrite/{found.run_id}-rewrite-failed.csv"])
    assert [row for row in again if "left out" not in row["reason"]] == failed
    assert len(again) == len(failed) + 1, "of row 2 one side was reworded; no file holds it"
    # And as a zip it goes on as any other.
    packed = tmp_path / "run.zip"
    zips.export(found.run_id, packed, texts=True)
    once_more = open_rewrite(zips.import_zip(packed).run_id)
    pd.testing.assert_frame_equal(once_more.scores, after.scores)


_words = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=30)
_reward = st.floats(-50, 50, width=32)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.integers(0, 6), unique=True, min_size=1),
    words=st.lists(_words, min_size=14, max_size=14),
    rewards=st.lists(_reward, min_size=14, max_size=14),
    cosine=st.floats(-1, 1),
)
def test_written_imported_and_written_again_a_file_is_the_same(
    tmp_path: Path,
    request_of: DatasetRequest,
    rows: list[int],
    words: list[str],
    rewards: list[float],
    cosine: float,
) -> None:
    made = []
    for row in sorted(rows):
        chosen, rejected = rewards[row], rewards[row + 7]
        made.append(
            row_of(
                row,
                rewritten_chosen_text=f"\n\nHuman: Well?\n\nAssistant: {words[row]}.",
                rewritten_rejected_text=f"\n\nHuman: Well?\n\nAssistant: {words[row + 7]}!",
                original_to_rewritten_chosen_vector_cos_sim=cosine,
                rewritten_chosen_score_rm_aligned=chosen,
                rewritten_rejected_score_rm_aligned=rejected,
                rewritten_agreement_dataset_and_rm_aligned=chosen > rejected,
            )
        )
    path = rewrite_csv(tmp_path / "a.csv", *made)
    found = only([path], request_of, "someone")
    name = next(iter((runs.manifest(found.run_id) or {})["files"]))
    assert (runs.registry().data_dir / name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"row_id": "-1"}, "no row id"),
        ({"row_id": "١"}, "no row id"),
        ({"original_chosen_score_rm_aligned": "high"}, "'high' is no number"),
        ({"original_chosen_score_rm_aligned": "inf"}, "'inf' is no number"),
        ({"original_chosen_score_rm_aligned": "9" * 10**6}, "is no number"),
        ({"original_to_rewritten_chosen_vector_cos_sim": "2"}, "'2' is no cosine"),
    ],
)
def test_a_number_that_is_none_is_named_by_its_line(
    tmp_path: Path, request_of: DatasetRequest, cells: dict[str, object], words: str
) -> None:
    path = rewrite_csv(tmp_path / "a.csv", row_of(1), row_of(0, **cells))
    with pytest.raises(BadInput, match=words):
        import_csvs([path], request_of)
    with pytest.raises(BadInput, match="row 1 comes twice"):
        import_csvs([rewrite_csv(path, row_of(1), row_of(1))], request_of)
    assert not runs.every("rewrite")


def test_a_file_without_a_reward_is_refused(tmp_path: Path, request_of: DatasetRequest) -> None:
    row = {name: "" if "_score_" in name else value for name, value in row_of(2).items()}
    with pytest.raises(BadInput, match="holds no reward"):
        import_csvs([rewrite_csv(tmp_path / "a.csv", row)], request_of)
    assert runs.every() == []
