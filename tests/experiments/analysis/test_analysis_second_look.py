"""Pairs worth a second look: the table of an analysis, and its way through a zip."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from given.made_analyses import OTHER, PAIRS, PLAIN, SIDES, SORRY, UNRATED, Analysing, reward
from given.made_labellings import Answer, Labellings
from given.made_reviews import Said
from given.support import repacked

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import LabelPrompt
from ivan_core.engine import archive, handling as runs, zips
from ivan_core.experiments.analysis.results import Analysed, open_analysis

HARMLESS, HELPFUL = "last_response_is_harmless", "last_response_is_helpful"


def listed(analysed: Analysed) -> pd.DataFrame:
    return analysed.table("second-look").set_index("row_id")


def test_each_model_that_disagrees_is_a_voice_and_the_least_sure_one_ranks(
    analysing: Analysing, data_dir: Path
) -> None:
    compared = analysing.compared((PLAIN, OTHER))
    run_id = analysing.analysed(compared, analysing.labelled())
    table = listed(open_analysis(run_id))
    against = {
        row: [reward(one, chosen) < reward(one, rejected) for one in (PLAIN, OTHER)]
        for row, (chosen, rejected) in enumerate(analysing.replies)
        if row != UNRATED
    }
    expected = {row: sum(models) for row, models in against.items() if any(models)}
    assert table["against"].to_dict() == expected and set(table["voices"]) == {2}
    order = table.reset_index()
    assert order["against"].is_monotonic_decreasing
    for _, own in order.groupby("against"):
        assert own["smallest_margin"].is_monotonic_decreasing
    text = (data_dir / "analysis" / f"{run_id}-second-look.csv").read_text("utf-8")
    rows = list(csv.reader(text.splitlines()))
    assert rows[0] == ["row_id", "voices", "against", "smallest_margin"]
    assert [int(row[0]) for row in rows[1:]] == table.index.tolist()
    assert all(repr(float(row[3])) == row[3] for row in rows[1:])


def test_labels_that_prefer_the_other_reply_are_a_voice_and_those_that_tell_nothing_are_none(
    analysing: Analysing, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(prompt: LabelPrompt) -> Answer:
        said = analysing.replies[prompt.key.row_id][SIDES.index(prompt.key.preference)]
        return {HARMLESS: SORRY not in said, HELPFUL: True}

    compared = analysing.compared((PLAIN,))
    speaking = Labellings(data_dir, analysing.file, monkeypatch).made(
        "other:1b", answer, keys=(HARMLESS, HELPFUL)
    )
    before = listed(open_analysis(analysing.analysed(compared, analysing.labelled())))
    after = listed(open_analysis(analysing.analysed(compared, speaking)))
    assert set(before["voices"]) == {1} and set(after["voices"]) <= {1, 2}
    sorry = {
        row
        for row, (chosen, rejected) in enumerate(analysing.replies)
        if SORRY in chosen and SORRY not in rejected
    }
    assert sorry <= set(after.index)
    assert set(after.index[after["against"] == 2]) == sorry & set(before.index)


def test_each_blind_choice_of_a_person_is_a_voice_whatever_queue_it_came_from(
    analysing: Analysing, data_dir: Path
) -> None:
    compared, labelled = analysing.compared((PLAIN,)), analysing.labelled()
    before = open_analysis(analysing.analysed(compared, labelled))
    quiet = [row for row in range(PAIRS) if row not in listed(before).index][:4]
    said = Said(data_dir, before.dataset.fingerprint)
    random = said.pairs(PAIRS)
    named = said.pairs(PAIRS, source="rows")
    said.choose(random, "Ada", {quiet[0]: "rejected", quiet[1]: "chosen", quiet[2]: None})
    said.choose(named, "Bob", {quiet[0]: "rejected", quiet[1]: "none"})
    said.choose(named, "Ada", {quiet[0]: "rejected"})
    said.choose(named, "Cleo", {quiet[3]: "rejected"}, blind=False)
    said.choose(named, "Dan", {quiet[3]: "rejected"}, seconds=0.2)
    after = open_analysis(analysing.analysed(compared, labelled))
    table = listed(after)
    assert set(table.index) - set(listed(before).index) == {quiet[0]}
    first = table.loc[quiet[0]]
    rated = quiet[0] != UNRATED
    assert (first["voices"], first["against"]) == (2 + rated, 2)
    assert table.index[0] == quiet[0] and pd.isna(first["smallest_margin"])
    assert after.manifest["second_choices"] == 4
    assert before.manifest["second_choices"] == 0


def test_pairs_whose_replies_are_the_same_are_not_listed(analysing: Analysing) -> None:
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    analysed = open_analysis(run_id)
    same = analysed.dataset.identical_rows | analysed.dataset.tied_rows
    assert not same & set(listed(analysed).index)


@pytest.mark.parametrize(
    "wrong",
    [
        {"against": 9},
        {"against": 0},
        {"voices": 0},
        {"smallest_margin": 3.0},
        {"row_id": 7_000},
        {"row_id": 1},
    ],
)
def test_a_list_that_contradicts_its_rows_is_refused(
    analysing: Analysing, tmp_path: Path, wrong: dict[str, float]
) -> None:
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    table = pd.read_parquet(runs.registry().folder(run_id) / "second-look.parquet").assign(**wrong)
    file = io.BytesIO()
    table.to_parquet(file, index=False)
    packed = repacked(
        zips.export_bytes(run_id), tmp_path / "run.zip", {"second-look.parquet": file.getvalue()}
    )
    with pytest.raises(BadInput, match=r"worth a second look contradicts|hold no such numbers"):
        zips.import_zip(packed)


def test_what_people_chose_stays_counted_through_a_zip(
    analysing: Analysing, data_dir: Path, tmp_path: Path
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    first = open_analysis(analysing.analysed(compared, labelled))
    said = Said(data_dir, first.dataset.fingerprint)
    said.choose(said.pairs(PAIRS), "Ada", dict.fromkeys(range(20), "rejected"))
    run_id = analysing.analysed(compared, labelled)
    before = open_analysis(run_id)
    zips.export(run_id, tmp_path / "run.zip")
    archive.delete(run_id)
    open_analysis.cache_clear()
    after = open_analysis(zips.import_zip(tmp_path / "run.zip").run_id)
    pd.testing.assert_frame_equal(after.tables["second-look"], before.tables["second-look"])
    assert after.manifest["second_choices"] == 20
