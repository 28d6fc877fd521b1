"""A newcomer's test of the shape: an experiment in one small folder, and one line in the registry.

`given/word_counts` counts the words of each side. All that runs of any kind have it has too, and
no line outside its folder was written for it but the one that `words_known` registers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
from given.made_runs import finished, spec_of_file
from given.word_counts.kind import KIND, WordsSpec
from given.word_counts.results import open_words

from ivan_core.cli.main import run as command_line
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.options import command_of
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import archive, figures, handling as runs, studies, zips
from ivan_core.experiments import EXPERIMENTS
from ivan_core.experiments.compare.conditions import LANGUAGE as OF_COMPARISONS
from ivan_core.lists.conditions import Filter, matching_rows
from ivan_core.lists.others import Elsewhere, language, offered
from ivan_core.lists.url import query_of, read_filter
from ivan_core.runs.context import RunContext
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

FOLDER = Path(__file__).parent / "given" / "word_counts"
PAIRS = (("a b c", "a"), ("a", "a b"), ("a b", "a b c d"))
"""Chosen and rejected replies: with the three words before each, 3 + 1 + 2 = 6 more than 9 words,
and 1 + 2 + 4 = 7 more than 9."""


@pytest.fixture(autouse=True)
def words_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The line that a new experiment is registered with."""
    monkeypatch.setitem(EXPERIMENTS, "words", "given.word_counts.kind")
    yield


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "replies.jsonl"
    lines = (
        {
            "chosen": f"\n\nHuman: Hi\n\nAssistant: {chosen}",
            "rejected": f"\n\nHuman: Hi\n\nAssistant: {rejected}",
        }
        for chosen, rejected in PAIRS
    )
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def spec_of(path: Path, **more: int) -> WordsSpec:
    return WordsSpec(dataset=DatasetRequest(source=str(path)), **more)


def counted(data_dir: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A word count that was started as people start runs, and done."""
    monkeypatch.setattr(runs, "spawn", lambda run_id: work(Registry(data_dir), run_id))
    return runs.start(spec_of(path))[0]


def test_the_newcomer_is_small() -> None:
    files = list(FOLDER.glob("*.py"))
    assert len(files) <= 5
    assert sum(len(path.read_text("utf-8").splitlines()) for path in files) <= 150


def test_it_is_planned_started_and_its_manifest_and_table_written(
    data_dir: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = counted(data_dir, pairs, monkeypatch)
    run = runs.get(run_id)
    assert (run.state, run.done, run.total) == (RunState.DONE, 3, 3)
    assert runs.about(run) == f"{pairs.name} | words of 1 letters"
    manifest = runs.manifest(run_id)
    assert manifest is not None
    assert (manifest["rows"], manifest["random_sample"]) == (3, True)
    assert manifest["files"] == [f"words/{run_id}.csv"]
    assert runs.start(spec_of(pairs))[0] != run_id, "it is done, so it may be done again"


def test_its_results_open_once_and_on_the_same_pairs(
    data_dir: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = counted(data_dir, pairs, monkeypatch)
    assert KIND.open is not None
    own = KIND.open(run_id)
    rejected_longer = [row for row, (chosen, rejected) in enumerate(PAIRS) if chosen < rejected]
    assert rejected_longer == [1, 2]
    assert [*own.table["row_id"][own.table["chosen"] < own.table["rejected"]]] == rejected_longer
    content = str(own.dataset.about["content"])
    assert [one.run.id for one in open_words.on_pairs(content)] == [run_id]
    other = finished(data_dir, spec_of_file(pairs))
    with pytest.raises(BadInput, match="is no word count: it is a comparison") as told:
        KIND.open(other)
    assert told.value.hint == "Open it on the page Compare."


def test_a_run_that_stopped_goes_on_and_counts_nothing_twice(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "many.jsonl"
    line = {"chosen": "\n\nHuman: Hi\n\nAssistant: a", "rejected": "\n\nHuman: Hi\n\nAssistant: b"}
    path.write_text("".join(f"{json.dumps(line)}\n" for _ in range(25)))
    kept: list[int] = []
    real = RunContext.finished

    def stops(context: RunContext, done: int, computed: int, points: list[object]) -> None:
        real(context, done, computed, [])
        kept.append(done)
        if kept == [10, 20]:
            raise BackendUnavailable("It stopped.", "Go on.")

    monkeypatch.setattr(RunContext, "finished", stops)
    run_id = counted(data_dir, path, monkeypatch)
    assert (runs.get(run_id).state, runs.get(run_id).done) == (RunState.FAILED, 20)
    assert KIND.open is not None
    assert len(KIND.open(run_id).table) == 20, "what is finished can be read"
    runs.resume(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert [*KIND.open(run_id).table["row_id"]] == list(range(25))


def test_its_chart_and_sentence_are_for_papers_as_those_of_others(
    data_dir: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = counted(data_dir, pairs, monkeypatch)
    assert [chart.name for chart in figures.figures(run_id)] == ["words"]
    data = figures.figure(run_id, "words", "csv").decode().replace("\r\n", "\n")
    assert data == "side,words\nchosen,15\nrejected,16\n"
    told = "Chosen replies have 15 words, rejected ones 16, n = 3."
    assert figures.caption(run_id, "words").startswith(told)
    (quote,) = figures.quotes(run_id)
    assert quote.sentence == told
    assert "ivan wordiness" in figures.source_line(run_id)
    assert "ivan wordiness" in figures.methods(run_id, "words")


def test_its_condition_filters_rows_and_those_of_a_comparison_on_the_same_pairs(
    data_dir: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = counted(data_dir, pairs, monkeypatch)
    own = language("words")
    assert own.listing is not None
    wanted, ignored = read_filter(own, {"longer": "rejected"})
    assert not ignored and matching_rows(own.listing(run_id), wanted) == [1, 2]
    (condition,) = wanted.conditions
    compared = finished(data_dir, spec_of_file(pairs))
    assert OF_COMPARISONS.listing is not None
    beside = Filter(OF_COMPARISONS, (Elsewhere(run=run_id, of="words", asked=condition),))
    back, _ = read_filter(OF_COMPARISONS, query_of(beside))
    assert back.conditions == beside.conditions, "it lives in a URL"
    assert matching_rows(OF_COMPARISONS.listing(compared), back) == [1, 2]


def test_its_condition_is_offered_where_rows_of_others_on_the_same_pairs_are_listed(
    data_dir: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = finished(data_dir, spec_of_file(pairs))
    assert OF_COMPARISONS.listing is not None
    listing = OF_COMPARISONS.listing(compared)
    assert "More words" not in offered(listing, OF_COMPARISONS), "nobody counted words yet"
    run_id = counted(data_dir, pairs, monkeypatch)
    offer = offered(listing, OF_COMPARISONS)["More words"]
    assert offer.runs == {run_id: f"run {run_id}"}
    chosen = offer.condition(listing, OF_COMPARISONS, run_id, {"side": "chosen"})
    assert matching_rows(listing, Filter(OF_COMPARISONS, (chosen,))) == [0]


def test_the_command_line_lists_shows_tells_and_deletes_it(
    data_dir: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = counted(data_dir, pairs, monkeypatch)
    assert command_of(spec_of(pairs, least=3)) == f"ivan wordiness --dataset {pairs} --least 3"
    assert command_line(["runs", "list"]) == 0 and "words: " in capsys.readouterr().out
    assert command_line(["runs", "follow", run_id]) == 0
    assert "Chosen replies have 15 words" in capsys.readouterr().out
    assert command_line(["runs", "sentences", run_id]) == 0
    assert "Which side has more words?" in capsys.readouterr().out
    assert command_line(["runs", "compare", run_id, finished(data_dir, spec_of_file(pairs))]) == 1
    assert "Name two runs of one kind." in capsys.readouterr().err
    assert archive.delete(run_id).files >= 3
    assert not (data_dir / "words" / f"{run_id}.csv").exists()


def test_its_command_is_made_of_its_spec(
    data_dir: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["wordiness", "--dataset", str(pairs), "--limit", "2"]
    assert command_line([*asked, "--plan"]) == 0
    assert f"{pairs.name}: 3 pairs in all." in capsys.readouterr().out and not runs.every()
    monkeypatch.setattr(runs, "spawn", lambda run_id: work(Registry(data_dir), run_id))
    assert command_line(asked) == 0
    # Three words before each of the first two replies, and 3 + 1, or 1 + 2 of their own.
    assert "Chosen replies have 10 words, rejected ones 9, n = 2." in capsys.readouterr().out
    assert command_line([*asked, "--plan"]) == 0
    assert f"{pairs.name}: 2 pairs.\nThe first 2 of 3 pairs" in capsys.readouterr().out
    (run,) = runs.every()
    assert runs.any_spec_of(run) == spec_of(pairs, limit=2)
    with pytest.raises(SystemExit):
        command_line(["wordiness", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "Make a word count of the pairs of a preference dataset." in told
    assert "--least N Letters of a word." in told


def test_it_is_a_stage_of_its_study_and_exported(
    data_dir: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = counted(data_dir, pairs, monkeypatch)
    zips.export(run_id, tmp_path / "words.zip")
    with ZipFile(tmp_path / "words.zip") as packed:
        assert {"manifest.json", "words.parquet", f"words/{run_id}.csv"} <= set(packed.namelist())
    study = studies.study_of(run_id)
    assert study is not None
    assert [(stage.name, stage.done) for stage in study.stages] == [
        ("Compare", None),
        ("Labels", None),
        ("Rewording", None),
        ("Analysis", None),
        ("Words", 3),
        ("Review", None),
    ]


def test_its_zip_is_imported_and_a_changed_one_refused(
    data_dir: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, path = counted(data_dir, pairs, monkeypatch), tmp_path / "words.zip"
    zips.export(run_id, path)
    found = zips.import_zip(path)
    assert (found.rows, found.models) == (3, ("words",)) and found.run_id != run_id
    before, after = open_words(run_id), open_words(found.run_id)
    pd.testing.assert_frame_equal(after.table, before.table)
    assert after.spec == before.spec and runs.get(found.run_id).state is RunState.DONE
    assert (data_dir / "runs" / found.run_id / "words.parquet").exists()
    with ZipFile(path) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    files["facts.jsonl"] = files["facts.jsonl"].replace(b"[0, ", b"[5, ")
    with ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    with pytest.raises(BadInput, match="or of other rows"):
        zips.import_zip(path)
