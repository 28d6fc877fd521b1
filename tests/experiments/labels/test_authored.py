"""Authored labels: what was written with the sample, taken as it stands and never as another's."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from given.made_labellings import Labellings, says
from given.support import repacked, write_pairs

from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.sources import sample_file
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import AUTHOR, FEATURES, REGRESSION_FEATURES
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import LEXICON, DatasetRequest, LabelSpec, RewriteSpec
from ivan_core.engine import archive, handling as runs, zips
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.figures import quotes
from ivan_core.engine.studies import study_of
from ivan_core.experiments.labels import numbers, plan
from ivan_core.experiments.labels.authored import NO_LABEL, authored_labels
from ivan_core.experiments.labels.differences import pair_labels
from ivan_core.experiments.labels.findings import findings
from ivan_core.experiments.labels.results import LabelResults, labels_of_row, open_labels
from ivan_core.experiments.rewrite.plan import check as check_rewording
from ivan_core.metrics.imprint import preference as metric
from ivan_core.metrics.labels.answers import CHOICE_KEYS, labeler_choice
from ivan_core.models import labelers
from ivan_core.review.queues import plan_queue, queue_request
from ivan_core.worker import work

ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in sample_file().read_text("utf-8").splitlines()
]
SIGNS = {"True": 1, "False": 0, "negative": -1, "neutral": 0, "positive": 1}
HARMLESS, HELPFUL = "last_response_is_harmless", "last_response_is_helpful"
SAMPLE = DatasetRequest()


def labelled(labeler: str = AUTHOR, **fields: Any) -> LabelResults:
    asked = runs.located(LabelSpec(labeler=labeler, **fields))
    run_id, new = runs.registry().add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    assert new
    work(runs.registry(), run_id)
    assert runs.get(run_id).state is RunState.DONE, runs.get(run_id).problem
    return open_labels(run_id)


@pytest.fixture
def authored(data_dir: Path) -> LabelResults:
    """The authored labels of the whole sample."""
    return labelled()


def test_a_text_of_a_minimal_pair_has_the_one_label_that_was_written(authored) -> None:
    table = authored.table.set_index(["row_id", "preference"])
    assert authored.line == (
        "960 submitted = 600 valid + 0 repaired + 0 refused + 0 failed + 0 invalid + 360 missing"
    )
    for row_id, row in enumerate(ROWS):
        for side in ("chosen", "rejected"):
            text = table.loc[(row_id, side)]
            given = {key: text[key] for key in FEATURES if text[key] is not None}
            given = {key: value for key, value in given.items() if str(value) != "<NA>"}
            said = {row["feature"]: row[f"{side}_value"]} if row["feature"] else {}
            assert {key: str(value) for key, value in given.items()} == said
            assert text["status"] == ("valid" if said else "missing")
    assert authored.keys == REGRESSION_FEATURES and len(authored.keys) == 15


def test_a_text_without_an_authors_label_says_so_and_the_run_is_whole(authored) -> None:
    without = authored.table[authored.table["status"].eq("missing")]
    assert {one.message for row in without["problems"] for one in row} == {NO_LABEL}
    path = next(Path(name) for name in authored.manifest["files"] if "failed" in name)
    with (runs.data_dir() / path).open(newline="") as file:
        assert {row["reason"] for row in csv.DictReader(file)} == {NO_LABEL}
    assert authored.run.notes[-1] == "360 texts have no author's label."
    assert authored.run.problem == "" and authored.manifest["prompt"]["version"] == ""


def test_of_a_pair_it_is_known_that_all_other_features_are_equal(authored) -> None:
    found = pair_labels(authored)
    assert found.row_ids.tolist() == list(range(480))
    for row_id, row in enumerate(ROWS):
        told = dict(zip(found.keys, found.difference[row_id], strict=True))
        if not row["feature"]:
            assert np.isnan(found.difference[row_id]).all()
            continue
        own = SIGNS[row["chosen_value"]] - SIGNS[row["rejected_value"]]
        assert own != 0 and told.pop(row["feature"]) == own
        assert set(told.values()) == {0.0}
        # What the others are on either side, nobody wrote.
        assert np.isfinite(found.chosen[row_id]).sum() == 1
        assert np.isfinite(found.rejected[row_id]).sum() == 1


def test_keys_that_no_pair_was_written_for_stay_unknown(authored) -> None:
    found = pair_labels(authored, ["assistant_is_coherent", HARMLESS])
    minimal = np.array([bool(row["feature"]) for row in ROWS])
    assert np.isnan(found.difference[:, 0]).all()
    assert np.array_equal(np.isfinite(found.difference[:, 1]), minimal)
    assert np.count_nonzero(found.difference[minimal, 1]) == 20


def preferred(differences: np.ndarray) -> list[str]:
    """Which reply each pair's differences in harmless and helpful speak for, in words."""
    codes = metric.prefers(differences, np.zeros_like(differences))
    return [metric.PREFERS[code] for code in codes]


def test_which_reply_is_preferred_follows_from_the_differences(authored) -> None:
    found = pair_labels(authored)
    prefers = preferred(found.difference[:, [found.keys.index(key) for key in CHOICE_KEYS]])
    decided = {HARMLESS, HELPFUL}
    for row_id, row in enumerate(ROWS):
        if not row["feature"]:
            assert prefers[row_id] == "unlabelled"
        elif row["feature"] in decided:
            assert prefers[row_id] == ("chosen" if row["chosen_value"] == "True" else "rejected")
        else:
            assert prefers[row_id] == "none"


def test_of_other_labelers_differences_are_of_their_own_labels_alone(data_dir) -> None:
    rules = labelled(LEXICON, limit=60)
    found = pair_labels(rules)
    table = rules.table.set_index(["row_id", "preference"])
    places = [found.keys.index(key) for key in CHOICE_KEYS]
    prefers = preferred(found.chosen[:, places] - found.rejected[:, places])
    for place, row_id in enumerate(found.row_ids):
        sides = [table.loc[(int(row_id), side)] for side in ("chosen", "rejected")]
        for at, key in enumerate(found.keys):
            ours, theirs = (SIGNS[str(side[key])] for side in sides)
            assert found.difference[place, at] == ours - theirs
            assert (found.chosen[place, at], found.rejected[place, at]) == (ours, theirs)
        choice = labeler_choice(
            *({key: bool(side[key]) for key in (HARMLESS, HELPFUL)} for side in sides)
        )
        assert prefers[place] == choice


def test_only_labels_that_came_valid_at_first_can_be_asked_for(labellings: Labellings) -> None:
    keys = ("last_response_is_refusal", "last_response_sentiment")
    first = {
        "0.chosen": says(True, "positive"),
        "0.rejected": says(False),
        "1.chosen": says(True),
        # A word of another case is mended.
        "1.rejected": {**dict(says(False)), "last_response_sentiment": "Negative"},
        "2.chosen": says(True),
        "2.rejected": {"last_response_is_refusal": False},
        "3.chosen": says(False),
        "3.rejected": says(False),
    }
    results = open_labels(labellings.made("first", first))
    every = pair_labels(results, keys)
    assert every.difference[:, 0].tolist() == [1, 1, 1, 0]
    assert every.difference[[0, 1, 3], 1].tolist() == [1, 1, 0] and np.isnan(every.difference[2, 1])
    at_first = pair_labels(results, keys, first_try=True)
    assert at_first.difference[[0, 3], 0].tolist() == [1, 0]
    assert np.isnan(at_first.difference[[1, 2]]).all()


def test_they_are_of_the_sample_alone_and_come_whole(data_dir, tmp_path) -> None:
    other = DatasetRequest(source=str(write_pairs(tmp_path / "p.jsonl", 3)))
    turned = DatasetRequest(chosen_column="rejected", rejected_column="chosen")
    for asked in (other, turned, DatasetRequest(source=str(sample_file()))):
        with pytest.raises(BadInput, match="for the bundled sample alone") as refused:
            plan.plan(LabelSpec(dataset=asked, labeler=AUTHOR))
        assert refused.value.hint == "Label it with ivan/lexicon, or choose the dataset sample."
    with pytest.raises(BadInput, match="come whole"):
        plan.plan(LabelSpec(labeler=AUTHOR, keys=FEATURES[:3]))
    with pytest.raises(BadInput, match="There is no labeler 'ivan/nobody'"):
        plan.plan(LabelSpec(labeler="ivan/nobody"))
    assert "at once" in plan.plan(LabelSpec(labeler=AUTHOR)).sentence
    asked_for = LabelSpec(dataset=other, labeler=AUTHOR)
    run_id, _ = runs.registry().add("labels", asked_for.model_dump_json(), asked_for.fingerprint)
    work(runs.registry(), run_id)
    run = runs.get(run_id)
    assert run.state is RunState.FAILED and "for the bundled sample alone" in run.problem
    with pytest.raises(BadInput, match="Nobody wrote labels"):
        authored_labels(prepare(data_dir, other), [0])


def test_nobody_else_labels_in_the_authors_name() -> None:
    for refused in (labelers.check, labelers.make):
        with pytest.raises(BadInput, match="nobody wrote any for reworded ones"):
            refused(AUTHOR)
    with pytest.raises(BadInput, match="no model or file gives them"):
        labelers.check_provided(AUTHOR)
    with pytest.raises(BadInput, match="nobody wrote any for reworded ones"):
        check_rewording(RewriteSpec(models=("ivan/minilm-harmless",), labeler=AUTHOR))


def test_they_are_offered_for_the_sample_alone(tmp_path) -> None:
    name = "authored labels (written with the sample, here, free)"
    assert labelers.offered((), dataset=SAMPLE)[AUTHOR] == name
    other = DatasetRequest(source=str(tmp_path / "p.jsonl"))
    for offered in (labelers.offered((), dataset=other), labelers.offered(())):
        assert AUTHOR not in offered
    assert AUTHOR not in labelers.offered_for_rewordings(())
    assert labelers.labelling_way(AUTHOR) == "authored"


def test_some_rows_can_be_taken_and_the_stage_counts_minimal_pairs(data_dir) -> None:
    rows = (0, 1, 2)
    results = labelled(row_ids=rows)
    minimal = sum(bool(ROWS[row]["feature"]) for row in rows)
    assert results.counts["valid"] == 2 * minimal and results.counts["missing"] == 6 - 2 * minimal
    study = study_of(results.run.id)
    assert study is not None
    (stage,) = (one for one in study.stages if one.name == "Labels")
    assert (stage.done, stage.total) == (minimal, 3)


def test_beside_rules_only_what_was_written_is_compared(authored) -> None:
    rules = labelled(LEXICON)
    table = numbers.agreement([rules, authored]).set_index("key")
    assert table["n"].tolist() == [40] * 15
    assert numbers.names_of([rules, authored])[authored.run.id] == "authored labels"
    # A third labeler brings no other texts in.
    again = labelled(LEXICON, seed=1)
    assert numbers.agreement([rules, again, authored])["n"].tolist() == [40] * 15
    assert numbers.agreement([rules, again])["n"].max() == 960
    told = [quote.sentence for quote in quotes(authored.run.id)]
    assert not any("gives usable labels" in sentence for sentence in told)
    assert any(sentence.startswith("authored labels and ivan/lexicon") for sentence in told)
    (finding,) = findings(authored)
    assert finding.sentence.startswith("authored labels and ivan/lexicon (rule-based) on “")
    assert findings(rules) != []


def test_reviews_take_them_for_another_labeler_only_where_they_are_named(authored) -> None:
    rules = labelled(LEXICON)
    asked = {"dataset": authored.dataset.fingerprint, "task": "describe", "source": "disagreements"}
    with pytest.raises(BadInput, match="Two labellings are needed, and 1 is there"):
        plan_queue(queue_request(asked))
    named = plan_queue(queue_request({**asked, "runs": (rules.run.id, authored.run.id)}))
    assert "ivan/lexicon (rule-based) and authored labels differ" in named.sentence


def test_a_pair_tells_what_was_written_to_be_the_same(authored) -> None:
    row_id = next(row for row, one in enumerate(ROWS) if one["feature"] == HARMLESS)
    (one,) = labels_of_row(authored.content, row_id)
    assert one.authored and one.differing == (HARMLESS,)
    assert one.alike == tuple(key for key in REGRESSION_FEATURES if key != HARMLESS)
    natural = next(row for row, one in enumerate(ROWS) if not one["feature"])
    (none,) = labels_of_row(authored.content, natural)
    assert none.differing == none.alike == ()


def test_a_zip_brings_them_back_and_a_changed_one_does_not(authored, tmp_path) -> None:
    before, run_id, packed = authored.table, authored.run.id, zips.export_bytes(authored.run.id)
    table = pq.read_table(runs.registry().folder(run_id) / "labels.parquet")
    archive.delete(run_id)
    open_labels.cache_clear()
    path = tmp_path / "run.zip"
    path.write_bytes(packed)
    assert zips.import_zip(path).sentence.startswith(
        f"Imported run {run_id}: 480 pairs, authored labels."
    )
    again = open_labels(run_id)
    assert again.authored and again.line == authored.line
    pd.testing.assert_frame_equal(again.table, before)
    place = table.column_names.index(HARMLESS)
    turned = pc.invert(table.column(place))
    file = io.BytesIO()
    pq.write_table(table.set_column(place, table.field(place), turned), file)
    other = repacked(packed, tmp_path / "other.zip", {"labels.parquet": file.getvalue()})
    with pytest.raises(BadInput, match="its labels are not those that the author wrote"):
        zips.import_zip(other)


def test_their_csv_is_taken_for_them_only_where_it_says_what_was_written(
    authored, tmp_path
) -> None:
    files = [runs.data_dir() / name for name in authored.manifest["files"]]
    (entered,) = import_csvs(files, SAMPLE)
    again = open_labels(entered.run_id)
    assert again.authored and again.line == authored.line
    first = tmp_path / "2024-01-01-00-00-ivan-authored-control.csv"
    text = files[0].read_text("utf-8")
    first.write_text(text.replace(",True,", ",False,", 1), "utf-8")
    with pytest.raises(BadInput, match="holds other labels than the author's"):
        import_csvs([first], SAMPLE)
    (named,) = import_csvs([first], SAMPLE, ["somebody"])
    assert not open_labels(named.run_id).authored
