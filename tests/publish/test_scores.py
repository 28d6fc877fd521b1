"""Scores of runs as tables for the hub: all numbers, and no text unless it is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from given import made_runs
from given.made_analyses import Analysing

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.transcripts import text_hash
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels.results import open_labels
from ivan_core.publish.of_run import publish_run
from ivan_core.publish.publication import Asked

ASKED = Asked("ada/scores")
MODEL = made_runs.TWO_MODELS[0]


def some_words(run_id: str) -> list[str]:
    """A piece of each text of a run that stands in no name."""
    results = open_results(run_id)
    return [pair.chosen.reply[:40] for pair in results.dataset.pairs(results.row_ids)]


def test_rewards_of_a_comparison_without_a_text(data_dir: Path) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=40))
    found = publish_run(run_id, ASKED)
    (part,) = found.parts
    table, results = pq.read_table(part.path).to_pandas(), open_results(run_id)
    assert len(table) == part.rows == 80
    for name in ("row_id", "chosen_reward", "rejected_reward", "margin", "chosen_length"):
        assert table[name].tolist() == results.table[name].tolist()
    assert table["model"].tolist() == results.table["model"].tolist()
    pair = results.dataset.pair(int(table["row_id"][3]))
    assert table["chosen_hash"][3] == text_hash(pair.chosen.text)
    assert table["rejected_hash"][3] == text_hash(pair.rejected.text)
    whole = part.path.read_bytes() + found.card.encode()
    assert [text for text in some_words(run_id) if text.encode() in whole] == []
    assert "No text of a pair is here" in found.card and not found.texts
    assert f"ivan publish {run_id} ada/scores" in found.card
    assert "license:" not in found.card.split("\n---\n")[0]
    assert f"- {MODEL} (revision " in found.card, "what exactly scored"
    assert "(95% interval [" in found.card


def test_pairs_with_margins_are_a_second_table_where_they_are_asked_for(data_dir: Path) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=40))
    found = publish_run(run_id, Asked("ada/scores", texts=True))
    scores, pairs = found.parts
    assert (scores.name, pairs.name, pairs.rows) == ("scores", "pairs", 40)
    table = pq.read_table(pairs.path).to_pylist()
    assert f"margin ({MODEL})" in table[0] and table[0]["chosen"][0]["role"] == "user"
    assert "license: mit" in found.card and "--texts" in found.card and found.texts
    named = Asked("ada/scores", texts=True, form="dpo")
    line = json.loads(publish_run(run_id, named).parts[1].path.read_text("utf-8").splitlines()[0])
    assert line["prompt"][-1]["role"] == "user"


def test_models_and_data_that_are_paths_go_by_their_names(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "secret"
    folder.mkdir()
    rows = [{"chosen": f"\n\nHuman: {n}\n\nAssistant: a", "rejected": "b"} for n in range(20)]
    path = made_runs.write_rows(folder / "mine.jsonl", rows)
    models = (str(folder / "my-model"), "http://10.1.2.3:8000")
    run_id = made_runs.finished(data_dir, made_runs.spec_of_file(path, models))
    found = publish_run(run_id, ASKED)
    assert "secret" not in found.card and "10.1.2.3" not in found.card
    told = set(pq.read_table(found.parts[0].path).to_pandas()["model"])
    assert "my-model" in told and not any("secret" in one for one in told)


def test_labels_of_texts(first: str) -> None:
    results = open_labels(first)
    (part,) = publish_run(first, ASKED).parts
    table = pq.read_table(part.path).to_pandas()
    assert len(table) == len(results.table) and part.name == "labels"
    assert set(results.keys) <= set(table.columns) and "raw" not in table
    for row in (0, 1):
        pair = results.dataset.pair(int(table["row_id"][row]))
        side = pair.chosen if table["preference"][row] == "chosen" else pair.rejected
        assert table["hash"][row] == text_hash(side.text)
        for key in results.keys:
            own = results.table[key][row]
            assert isinstance(own, str | tuple) or bool(table[key][row]) is bool(own)


def test_what_is_not_finished_or_gives_no_scores_is_refused(data_dir: Path) -> None:
    stopped = made_runs.stopped(data_dir, made_runs.spec_of_sample(), RunState.FAILED)
    with pytest.raises(BadInput, match="so its numbers are not published yet"):
        publish_run(stopped, ASKED)
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=40))
    with pytest.raises(BadInput, match="Without --texts no pairs are written"):
        publish_run(run_id, Asked("ada/scores", form="dpo"))


def test_a_run_of_another_kind_is_refused(analysing: Analysing) -> None:
    with pytest.raises(BadInput, match="a rewording, which gives replies no scores"):
        publish_run(analysing.reworded(), ASKED)
