"""Reports of studies, of reviews, of words and of labels in batches: what is in them, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from given import made_runs
from given.made_reviews import Said
from given.pages.read_html import ReadPage
from given.support import settings_of
from given.taxonomy_runs import account_of, labelled, workers_here
from given.words.scored_words import asked, keep

from ivan_core.cli.main import run as command_line
from ivan_core.demo.finished_study import put_into
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BadInput
from ivan_core.engine import archive, figures, handling as runs, studies
from ivan_core.experiments.compare.results import open_results
from ivan_core.report.page import report, subject
from ivan_core.report.parts import MOST_BYTES, Room
from ivan_core.report.study import study_named

CONTROL = ("ivan/minilm-control",)
ORDER = ("compare", "labels", "rewrite", "analysis")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The study that ships, by what a report of it is asked for as, and that report."""
    with pytest.MonkeyPatch.context() as patch:
        assert put_into(settings_of(patch, tmp_path_factory.mktemp("study")))
        named = study_named(runs.every("analysis")[0].id)
        yield named, report(named)


def words_of(content: str) -> str:
    return "".join(ReadPage(content).words)


def headings(content: str, level: int) -> list[str]:
    return re.findall(rf'<h{level} id="head-[\d-]+">([^<]*)</h{level}>', content)


def test_a_study_tells_each_experiment_in_the_order_of_stages(study: tuple[str, str]) -> None:
    _, content = study
    ids = [runs.every(kind)[0].id for kind in ORDER]
    nouns = ("Comparison", "Labelling", "Rewording", "Analysis")
    named = [f"{noun} {run_id}" for noun, run_id in zip(nouns, ids, strict=True)]
    assert headings(content, 2) == [*named, "What do reviewers say?", "How this page was made"]
    assert headings(content, 3).count("How it was made") == 4
    assert content.count("<summary>The whole manifest</summary>") == 4
    words = words_of(content)
    for run_id in ids:
        for quote in figures.quotes(run_id):
            assert quote.sentence in words
    above = content[: content.index("<nav")]
    for run_id in ids:
        assert ReadPage(above).words and figures.findings(run_id)[0].sentence in words_of(above)
    assert len(content.encode()) < MOST_BYTES


def test_each_chart_of_a_study_has_a_place_of_its_own(study: tuple[str, str]) -> None:
    _, content = study
    places = re.findall(r'data-spec="([^"]*)"', content)
    assert len(places) == len(set(places)) > 30
    ids = re.findall(r' id="([^"]*)"', content)
    assert len(ids) == len(set(ids))
    for name, value in ReadPage(content).attributes:
        if name == "href":
            assert value.removeprefix("#") in ids


def test_what_rules_alone_say_is_no_word_of_people(study: tuple[str, str]) -> None:
    _, content = study
    assert "No person has answered: agreement of rules says nothing about people." in content


def test_a_study_has_no_texts_unless_asked(study: tuple[str, str]) -> None:
    named, content = study
    first = open_results(runs.every("compare")[0].id).dataset.pair(0).chosen.printed.strip()
    assert first not in words_of(content)
    having = subject(named).make(True)
    assert "Pairs to read" in having.sections


def test_the_command_writes_the_study_of_a_run(
    study: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named, content = study
    path = tmp_path / "all.html"
    assert command_line(["report", runs.every("labels")[0].id, str(path), "--study"]) == 0
    assert path.read_text("utf-8") == content
    assert str(path) in capsys.readouterr().out
    assert f"ivan report {named}" in content


def test_of_runs_that_ask_the_same_the_newest_is_told(data_dir: Path) -> None:
    first = made_runs.finished(data_dir, made_runs.spec_of_sample(CONTROL, limit=20))
    again = made_runs.finished(data_dir, made_runs.spec_of_sample(CONTROL, limit=20, seed=3))
    other = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    archive.rename(other, "of two")
    content = report(study_named(first))
    assert first != again
    assert headings(content, 2) == [
        "Comparison of two",
        f"Comparison {again}",
        "How this page was made",
    ]


def test_a_study_without_a_finished_run_has_no_report(data_dir: Path) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(CONTROL, limit=20))
    about = studies.about_run(run_id)
    assert about is not None
    studies.take(about.spec)
    archive.delete(run_id)
    with pytest.raises(BadInput, match="is finished, so there is no report"):
        report(f"study-{about.id}")
    with pytest.raises(BadInput, match="There is no study 'none'"):
        report("study-none")


def test_people_are_numbered_in_what_is_sent_and_agreement_has_n_and_interval(
    data_dir: Path,
) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(CONTROL, limit=20))
    fingerprint = open_results(run_id).dataset.fingerprint
    said = Said(data_dir, fingerprint)
    queue = said.pairs(10)
    said.choose(queue, "Ada Lovelace", dict.fromkeys(range(10), "chosen"), seconds=5.0)
    said.choose(
        queue,
        "Zoë <b>Quine</b>",
        {row: "chosen" if row < 6 else "rejected" for row in range(10)},
        seconds=5.0,
    )
    for content in (report(run_id), report(f"reviews-{fingerprint}"), report(study_named(run_id))):
        words = words_of(content)
        assert "Two people gave the same answer in 6 of 10 pairs (60% [31, 83])" in words
        assert "Person 1 and the other reviewers agree on 6 of 10 pairs" in words
        assert "Ada" not in content and "Quine" not in content
    assert "No person has answered" not in content
    named = " ".join(quote.sentence for quote in figures.quotes(f"reviews-{fingerprint}"))
    assert "Ada Lovelace and the other reviewers" in named, "in the app they have their names"


def test_reviews_that_nobody_gave_have_no_report(data_dir: Path) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(CONTROL, limit=20))
    assert "What do reviewers say?" not in report(run_id)
    with pytest.raises(BadInput, match="Nobody has said anything"):
        report(f"reviews-{open_results(run_id).dataset.fingerprint}")


def test_a_ranking_of_words_has_a_report(data_dir: Path) -> None:
    keep(asked(), [3, 2, 1, 0, -1], [1, 3, 2, 0, None])
    content = report(f"words-{asked().key}")
    for quote in figures.quotes(f"words-{asked().key}"):
        assert quote.sentence in words_of(content)
    assert 'data-spec="words-0"' in content
    assert f"ivan report words-{asked().key}" in content


def test_labels_in_batches_have_a_report(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer() as demo, workers_here(monkeypatch):
        account_of(monkeypatch, demo)
        run_id = labelled(tmp_path)
    content = report(run_id)
    assert f"<h1>Labelling in batches {run_id}</h1>" in content
    assert "Is every text accounted for?" in headings(content, 2)
    assert "sk-demo" not in content and demo.openai_url not in content


def test_a_bundle_takes_studies_and_runs(data_dir: Path, tmp_path: Path) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(CONTROL, limit=20))
    named, folder = study_named(run_id), tmp_path / "site"
    assert command_line(["report", "--bundle", str(folder), run_id, named]) == 0
    index = (folder / "index.html").read_text("utf-8")
    links = [one for one in re.findall(r'href="([^"]*)"', index) if one[0] != "#"]
    assert links == [f"{run_id}.html", f"{named}.html"]


def test_room_is_shared_and_what_is_left_goes_to_those_that_come() -> None:
    room = Room(2)
    room.next_part()
    half = room.left
    room.left -= 100
    room.next_part()
    assert half > 0 and room.left == 2 * half - 100
