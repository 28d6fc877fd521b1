"""Sentences to copy: each number of a run with its n, its interval and its command."""

from __future__ import annotations

import shlex
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from fakes.reward_models import Fakes, provider
from given import made_runs
from given.made_runs import spec_of_file

from ivan_core.cli.main import run as ivan
from ivan_core.engine.figures import quotes
from ivan_core.experiments.columns.work import column_spec
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.sentences import source
from ivan_core.metrics.sentences import interval
from ivan_core.runs.registry import Registry
from ivan_core.worker import work


@pytest.fixture
def run_id(data_dir: Path) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=120))


def test_every_sentence_tells_its_n_and_its_command_works(
    run_id: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    results = open_results(run_id)
    found = quotes(results.run.id)
    assert [quote.question for quote in found if "95% interval" in quote.sentence]
    monkeypatch.chdir(tmp_path)
    for command in dict.fromkeys(quote.command for quote in found):
        program, *arguments = shlex.split(command)
        assert program == "ivan"
        assert ivan(arguments) == 0, capsys.readouterr().err
    assert len(list(tmp_path.glob("*.csv"))) >= 5


def test_the_rate_in_the_sentence_is_that_of_the_table(run_id: str) -> None:
    results = open_results(run_id)
    model = results.models[0]
    own = results.table[(results.table["model"] == model) & results.table["verdict"].notna()]
    agreed = (own["verdict"] == "agree").mean()
    told = next(
        quote.sentence for quote in quotes(results.run.id) if quote.sentence.startswith(model)
    )
    assert f"in {100 * agreed:.0f}% of {len(own)} pairs (95% interval [" in told


def test_a_column_of_the_dataset_and_one_of_yours_have_their_sentences(
    run_id: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = open_results(run_id)
    spec = column_spec(results.dataset.fingerprint, "expression", "len(reply)")
    registry = Registry(data_dir)
    column_run, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    work(registry, column_run, provider(Fakes()))
    found = quotes(results.run.id)
    kinds = set(results.own_column("kind").loc[results.row_ids])
    told = [quote for quote in found if quote.question == "And by the dataset's columns?"]
    for kind in kinds:
        own = [q for q in told if q.sentence.startswith(f"Where kind is {kind}, ")]
        assert len(own) == len(results.models)
    yours = [quote for quote in found if quote.question == "And by your columns?"]
    assert yours[0].sentence.startswith("len(reply): Mean ")
    where = f"Where len(reply) is larger on the chosen side, {results.models[0]} sides with"
    balanced = results.summaries[0].length_balanced.longer_chosen
    assert balanced is not None
    (sentence,) = [q.sentence for q in yours if q.sentence.startswith(where)]
    assert f"of {balanced.n} pairs (95% interval {interval(balanced)})" in sentence
    for command in {quote.command for quote in (*told, *yours)}:
        assert ivan([*shlex.split(command)[1:], "--out", str(data_dir / "out.csv")]) == 0


def test_questions_stand_together_in_the_order_of_the_page(run_id: str) -> None:
    asked = [quote.question for quote in quotes(run_id)]
    assert list(dict.fromkeys(asked)) == sorted(set(asked), key=asked.index)
    changes = sum(one != other for one, other in pairwise(asked))
    assert changes == len(set(asked)) - 1


def test_the_source_says_that_the_sample_is_no_evidence(run_id: str) -> None:
    told = source(open_results(run_id))
    assert "120 of 480 pairs" in told and f"run {run_id}" in told and "ivan compare" in told
    assert "not evidence about people" in told


def test_the_command_line_prints_them(run_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ivan(["runs", "sentences", run_id]) == 0
    told = capsys.readouterr().out
    for quote in quotes(run_id):
        assert quote.sentence in told and quote.command in told


GOLDEN = Path(__file__).parents[1] / "golden"
REPLIES = {"chosen": "yes", "rejected": "no"}
KINDS = ("compare", "labels", "batches", "rewrite", "reviews")


def sentences_of(kind: str) -> dict[str, list[str]]:
    """The sentences of one run of a kind, by the line that they rest on, as they are kept."""
    found: dict[str, list[str]] = {}
    source = ""
    for line in (GOLDEN / f"{kind}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            source = line
        parts = line.split(" | ")
        if len(parts) == 3 and parts[0].endswith("?") and parts[2].startswith("ivan "):
            found.setdefault(source, []).append(parts[1])
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_said_twice_among_the_sentences_of_a_run(kind: str) -> None:
    found = sentences_of(kind)
    assert found
    for told in found.values():
        assert len(set(told)) == len(told)
        for one, other in permutations(told, 2):
            assert one.rstrip(".") not in other


def test_one_subset_is_not_told_again_as_a_part_of_the_whole(data_dir: Path) -> None:
    rows = [
        {side: f"\n\nHuman: Q{n}\n\nAssistant: {n} {words}." for side, words in REPLIES.items()}
        for n in range(80)
    ]
    path = made_runs.write_rows(data_dir / "pairs.jsonl", [row | {"subset": "s"} for row in rows])
    told = [quote.sentence for quote in quotes(made_runs.finished(data_dir, spec_of_file(path)))]
    assert len(set(told)) == len(told)
    assert not [sentence for sentence in told if sentence.startswith("On s,")]
