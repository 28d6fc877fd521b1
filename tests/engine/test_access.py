"""What each may do who asks: at this machine all, from elsewhere only listed owners."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from given.made_runs import at_work, finished, spec_of_file, spec_of_sample, stopped
from given.support import write_pairs

from ivan_core.annotations.database import FILE
from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, Decision, Opinion, Queue
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest, LabelSpec, RowsSpec
from ivan_core.engine import access, archive, datasets, handling as runs, machine, studies, zips
from ivan_core.engine.access import Action, NotAllowed, Visitor
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.own_files import keep_file
from ivan_core.engine.warm import answers
from ivan_core.experiments.batches import confirm
from ivan_core.experiments.columns import work as columns
from ivan_core.experiments.columns.work import column_spec
from ivan_core.experiments.compare import ablation, plan as compare
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels import plan as labels
from ivan_core.publish.publication import Asked
from ivan_core.review import rights as review_rights
from ivan_core.review.sheets.sheets import import_sheet
from ivan_core.runs.questions import AskedModel
from ivan_core.runs.registry import Registry
from ivan_core.settings import setting
from ivan_core.words import asking

ELSEWHERE = Visitor(local=False)
STRANGER = Visitor(local=False, stranger="one")
MODEL = "ivan/minilm-harmless"
WORDS = AskedModel(
    name=MODEL, revision="", input_format="reply", max_tokens=256, identity="made for a test"
)


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The local user asks, whoever registered before, until a test says otherwise."""
    monkeypatch.setattr(access, "_provider", lambda: access.LOCAL)
    yield


def comes(visitor: Visitor) -> None:
    access.set_provider(lambda: visitor)


def told(act: Callable[[], object]) -> str:
    with pytest.raises(NotAllowed) as refused:
        act()
    assert "SSH tunnel" in refused.value.hint
    return refused.value.message


def refusal(act: Callable[[], object]) -> str:
    """What a stranger is told."""
    with pytest.raises(NotAllowed) as refused:
        act()
    assert "machine of your own" in refused.value.hint
    return refused.value.message


def everything(data_dir: Path) -> tuple[object, ...]:
    """All files with their content, and all runs; the notebooks of SQLite come and go.

    Of a cache its rows count: to open it is to write when that was.
    """
    files: dict[str, object] = {
        str(path): path.read_bytes()
        for path in sorted(data_dir.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm", "cache.db"))
    }
    for path in data_dir.rglob("cache.db"):
        with closing(sqlite3.connect(path)) as db:
            files[str(path)] = db.execute("SELECT key, value FROM Cache ORDER BY rowid").fetchall()
    return files, tuple(Registry(data_dir).all())


PROTECTED: dict[str, Callable[[str, Path], object]] = {
    "Reading a dataset": lambda run, _: keep_file("mine.jsonl", b"{}"),
    "Reading a dataset from": lambda run, path: studies.take(RowsSpec()),
    "Starting a run": lambda run, _: runs.start(spec_of_sample()),
    "Resuming a run": lambda run, _: runs.resume(run),
    "Cancelling a run": lambda run, _: runs.cancel(run),
    "Renaming a run": lambda run, _: archive.rename(run, "another name"),
    "Deleting a run": lambda run, _: archive.delete(run),
    "Importing a run": lambda run, path: zips.import_zip(path),
    "Importing a run from": lambda run, path: import_csvs([path], DatasetRequest()),
    "Clearing the cache": lambda run, _: machine.clear_cache(),
    "Pulling a model": lambda run, _: machine.pull("gemma4:e4b", lambda *_: None),
    "Making or closing a queue of reviews": lambda run, _: review_rights.close_queue(1),
    "Settling a difference between reviewers": lambda run, _: review_rights.settle(
        Decision(1, 0, "both", "better", "chosen", "Ada")
    ),
    "Taking a copy of all reviews": lambda run, path: review_rights.back_up(path),
    "Scoring a list of words": lambda run, _: asking.score(asking.Asked(models=(WORDS, WORDS))),
    "Restoring reviews": lambda run, path: review_rights.restore(path),
    "Starring a run": lambda run, _: archive.star(run),
    "Deciding on a cost": lambda run, _: confirm.decline(run),
    "Naming the address of a server": lambda run, _: access.check_address("http://127.0.0.1:9"),
    "Publishing to the hub": lambda run, _: Asked("ada/pairs").check(),
    "Importing a sheet of reviews": lambda run, path: import_sheet(path.read_bytes()),
}
OPEN = (Action.SEARCH, Action.ASK)
"""What all who reach a server may do, and only strangers may not."""


def test_every_action_is_tried() -> None:
    tried = {action.removesuffix(" from") for action in PROTECTED}
    assert tried | set(OPEN) == set(Action)


@pytest.mark.parametrize("action", PROTECTED)
@pytest.mark.parametrize(
    "visitor", [ELSEWHERE, Visitor(False, "stranger@example.org"), Visitor(False, "")]
)
def test_who_only_reads_is_refused_and_nothing_changes(
    action: str,
    visitor: Visitor,
    data_dir: Path,
    pairs_file: Path,
    spawned: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IVAN_OWNERS", "owner@example.org,,")
    with at_work(data_dir, spec_of_file(pairs_file)) as run_id:
        before = everything(data_dir)
        comes(visitor)
        said = told(lambda: PROTECTED[action](run_id, pairs_file))
        assert said == (
            f"{action.removesuffix(' from')} from another machine needs a login that is listed in "
            "IVAN_OWNERS."
        )
        assert everything(data_dir) == before
    assert spawned == []


@pytest.mark.parametrize("action", PROTECTED)
def test_a_stranger_is_refused_and_nothing_changes(
    action: str, data_dir: Path, pairs_file: Path, spawned: list[str]
) -> None:
    with at_work(data_dir, spec_of_file(pairs_file)) as run_id:
        before = everything(data_dir)
        comes(STRANGER)
        said = refusal(lambda: PROTECTED[action](run_id, pairs_file))
        assert said == (
            f"{action.removesuffix(' from')} is not part of this demo, which is only to be read."
        )
        assert everything(data_dir) == before
    assert spawned == []


def test_a_stranger_starts_no_search_and_asks_no_model(
    data_dir: Path, pairs_file: Path, spawned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file))
    results = open_results(run_id)
    started: list[object] = []
    monkeypatch.setattr(answers, "start_worker", lambda *command: started.append(command))
    before = everything(data_dir)
    comes(STRANGER)
    search = column_spec(results.dataset.fingerprint, "search", "sorry", "text")
    asked = [
        lambda: columns.start(search),
        lambda: ablation.own_reply(results, 0, "A reply."),
        lambda: ablation.sentence_effects(results, 0, MODEL, "chosen"),
        lambda: ablation.word_effects(results, 0, MODEL),
    ]
    for ask in asked:
        assert "is not part of this demo" in refusal(ask)
    assert everything(data_dir) == before and (spawned, started) == ([], [])


def test_a_demo_may_let_strangers_put_small_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    comes(STRANGER)
    monkeypatch.setenv("IVAN_PUBLIC_QUESTIONS", "1")
    access.require_bounded(access.MOST_TEXTS, access.MOST_CHARACTERS)
    for texts, characters in ((access.MOST_TEXTS + 1, 1), (1, access.MOST_CHARACTERS + 1)):
        with pytest.raises(NotAllowed, match="puts at most 80 texts of 60,000 characters"):
            access.require_bounded(texts, characters)
    comes(ELSEWHERE)
    access.require_bounded(access.MOST_TEXTS + 1, access.MOST_CHARACTERS + 1)


def test_a_stranger_names_no_file_and_no_unknown_dataset(data_dir: Path, pairs_file: Path) -> None:
    inside = write_pairs(data_dir / "inside.jsonl", 3)
    comes(STRANGER)
    for source in (str(inside), str(pairs_file), "someone/else", "../x.jsonl"):
        for plan in plans(source):
            assert refusal(plan) == "This demo reads only what it was started with."
    assert datasets.find(DatasetRequest(source="sample")) is not None


def test_a_demo_knows_no_key_no_server_and_no_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("IVAN_OWNERS", "owner@example.org")
    monkeypatch.setenv("IVAN_DATABASE_URL", "postgresql://user:password@host/database")
    assert setting("OPENAI_API_KEY") == "sk-secret"
    assert Visitor(False, "owner@example.org").trusted
    monkeypatch.setenv("IVAN_PUBLIC", "1")
    assert (setting("OPENAI_API_KEY"), setting("IVAN_DATABASE_URL")) == ("", "")
    assert not Visitor(False, "owner@example.org").trusted
    assert not Visitor(True, "owner@example.org", stranger="a").trusted


def test_what_strangers_say_is_kept_apart_under_no_name(data_dir: Path) -> None:
    asked = Queue(0, "", "d" * 16, "Pairs", "better", "random")
    queue = Queues(data_dir).make(asked, [(0, "both"), (1, "both")])
    comes(ELSEWHERE)
    review_rights.say(Opinion(queue.id, 0, "both", "Ada", {BETTER: "none"}))
    before = (data_dir / FILE).read_bytes()
    comes(STRANGER)
    mine = review_rights.say(Opinion(queue.id, 0, "both", "Eve", {BETTER: "chosen"}))
    assert (mine.reviewer, mine.verified) == ("Visitor", False)
    assert [one.reviewer for one in Opinions(data_dir).all(queue.id)] == ["Ada", "Visitor"]
    comes(Visitor(False, stranger="another"))
    assert [one.reviewer for one in Opinions(data_dir).all(queue.id)] == ["Ada"]
    assert (data_dir / FILE).read_bytes() == before
    comes(access.LOCAL)
    assert [one.reviewer for one in Opinions(data_dir).all(queue.id)] == ["Ada"]


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs for which a worker was started, in place of the workers."""
    started: list[str] = []
    monkeypatch.setattr(runs, "spawn", started.append)
    return started


@pytest.mark.parametrize(
    "visitor",
    [Visitor(True), Visitor(False, "owner@example.org"), Visitor(False, " OWNER@Example.org")],
)
def test_the_local_user_and_listed_owners_may_act(
    visitor: Visitor, data_dir: Path, spawned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVAN_OWNERS", "second@example.org, Owner@Example.org")
    comes(visitor)
    for action in Action:
        access.require(action)
    run_id, new = runs.start(spec_of_sample())
    assert new and spawned == [run_id]
    runs.cancel(run_id)
    assert archive.rename(run_id, "mine").name == "mine"
    archive.delete(run_id)
    assert runs.every() == []


def test_without_pages_it_is_the_local_user_who_asks() -> None:
    code = "from ivan_core.engine import access; access.require(access.Action.DELETE)"
    environment = os.environ | {"IVAN_BEHIND_PROXY": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=300)


def test_nobody_is_an_owner_where_none_is_listed(data_dir: Path) -> None:
    assert not Visitor(False, "").trusted
    assert not Visitor(False, "a@example.org").trusted


def test_a_search_may_be_cancelled_by_who_reads(
    data_dir: Path, pairs_file: Path, spawned: list[str]
) -> None:
    from ivan_core.experiments.columns import work as column_work

    run_id = finished(data_dir, spec_of_file(pairs_file))
    fingerprint = runs.manifest(run_id)["dataset"]["fingerprint"]  # type: ignore[index]
    comes(ELSEWHERE)
    search = column_work.start(column_work.column_spec(fingerprint, "search", "sorry", "text"))
    assert search is not None
    comes(STRANGER)
    assert "Cancelling a run is not part of this demo" in refusal(lambda: runs.cancel(search))
    comes(ELSEWHERE)
    runs.cancel(search)
    assert runs.get(search).state is RunState.CANCELLED


def plans(source: str, model: str = MODEL) -> list[Callable[[], object]]:
    asked = DatasetRequest(source=source)
    return [
        lambda: compare.plan(CompareSpec(dataset=asked, models=(model,))),
        lambda: compare.check(CompareSpec(dataset=asked, models=(model,))),
        lambda: labels.plan(LabelSpec(dataset=asked)),
        lambda: datasets.find(asked),
    ]


@pytest.mark.parametrize("form", ["whole", "dots", "link", "relative", "home", "two parts"])
def test_a_path_outside_is_refused_whether_or_not_there_is_a_file(
    form: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    link = data_dir / "inside"
    link.symlink_to(outside)
    said = set()
    comes(ELSEWHERE)
    for name in ("there.jsonl", "missing.jsonl", "there", "missing", "locked/there.jsonl"):
        if name.startswith("there"):
            write_pairs(outside / name, 2)
        source = {
            "whole": f"{outside}/{name}",
            "dots": f"{data_dir}/../outside/{name}",
            "link": f"{link}/{name}",
            "relative": f"./outside/{name}",
            "home": f"~/outside/{name}",
            "two parts": f"outside/{name}",
        }[form]
        said |= {told(plan) for plan in plans(source)}
        said |= {told(lambda named=source: access.check_path(Path(named)))}
        said |= {told(plan) for plan in plans("sample", model=source)[:2]}
    assert len(said) == 1
    assert said.pop().startswith(
        "From another machine only the datasets and models that IVAN knows"
    )


@pytest.mark.parametrize(
    "source", ["~nobody-of-this-name/x.jsonl", "\0", "", "..", "/", "sample/..", "loop/x.jsonl"]
)
def test_odd_names_are_refused_alike(
    source: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    comes(ELSEWHERE)
    assert "IVAN_DATA_PATHS" in told(lambda: datasets.find(DatasetRequest(source=source)))


def test_files_in_the_data_folder_and_listed_directories_may_be_named(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, other = tmp_path / "shared", tmp_path / "shared-not"
    for folder in (data_dir / "own", shared / "deep", other):
        folder.mkdir(parents=True)
        write_pairs(folder / "pairs.jsonl", 3)
    (tmp_path / "alias").symlink_to(shared)
    monkeypatch.setenv("IVAN_DATA_PATHS", f": relative:{tmp_path / 'alias'}:/nowhere:")
    comes(ELSEWHERE)
    for folder in (data_dir / "own", shared / "deep", tmp_path / "alias" / "deep"):
        for plan in plans(str(folder / "pairs.jsonl")):
            plan()
    told(plans(str(other / "pairs.jsonl"))[0])


def test_what_was_read_here_before_and_what_ships_may_be_named(
    data_dir: Path, pairs_file: Path
) -> None:
    comes(ELSEWHERE)
    told(plans(str(pairs_file))[0])
    comes(access.LOCAL)
    finished(data_dir, spec_of_file(pairs_file))
    comes(ELSEWHERE)
    for source in (str(pairs_file), "sample", "Anthropic/hh-rlhf"):
        for plan in plans(source):
            plan()
    told(plans("someone/else")[0])


def test_an_export_to_a_path_outside_is_refused(
    data_dir: Path, tmp_path: Path, pairs_file: Path
) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file))
    comes(ELSEWHERE)
    told(lambda: zips.export(run_id, tmp_path / "run.zip"))
    assert not (tmp_path / "run.zip").exists()
    zips.export(run_id, data_dir / "run.zip")
    assert (data_dir / "run.zip").exists()


def test_a_typed_address_needs_trust_and_an_empty_one_does_not() -> None:
    comes(ELSEWHERE)
    access.check_address("")
    said = told(lambda: access.check_address("http://127.0.0.1:9"))
    assert said.startswith("Naming the address of a server from another machine needs a login")
    comes(access.LOCAL)
    access.check_address("http://127.0.0.1:9")


def test_a_provider_that_fails_lets_nobody_through(data_dir: Path, pairs_file: Path) -> None:
    run_id = stopped(data_dir, spec_of_file(pairs_file), RunState.FAILED)

    def breaks() -> Visitor:
        raise LookupError("no session")

    access.set_provider(breaks)
    with pytest.raises(LookupError):
        archive.delete(run_id)
    assert runs.get(run_id).id == run_id


def test_who_only_reads_may_review_under_the_name_of_their_login(data_dir: Path) -> None:
    asked = Queue(0, "", "d" * 16, "Pairs", "better", "random")
    queue = Queues(data_dir).make(asked, [(0, "both"), (1, "both")])
    comes(ELSEWHERE)
    typed = review_rights.say(Opinion(queue.id, 0, "both", "Ada", {BETTER: "none"}, verified=True))
    assert (typed.reviewer, typed.verified) == ("Ada", False)
    comes(Visitor(False, "ada@example.org"))
    known = review_rights.say(Opinion(queue.id, 0, "both", "Bob", {BETTER: "none"}))
    assert (known.reviewer, known.verified) == ("ada@example.org", True)
    comes(ELSEWHERE)
    with pytest.raises(BadInput, match="belongs to a person who logged in"):
        review_rights.say(Opinion(queue.id, 1, "both", "ada@example.org", {BETTER: "chosen"}))


def test_an_owner_settles_under_the_name_of_their_login(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVAN_OWNERS", "owner@example.org")
    asked = Queue(0, "", "d" * 16, "Pairs", "better", "random")
    queue = Queues(data_dir).make(asked, [(0, "both")])
    comes(Visitor(False, "owner@example.org"))
    made = review_rights.settle(Decision(queue.id, 0, "both", BETTER, "none", "somebody"))
    assert made.by == "owner@example.org"
    review_rights.close_queue(queue.id)
    assert Queues(data_dir).get(queue.id).closed


def test_who_has_not_shown_the_token_is_told_of_the_link(data_dir: Path, pairs_file: Path) -> None:
    comes(Visitor(local=False, unproven=True))
    for act, said in (
        (lambda: runs.start(spec_of_sample()), "Starting a run is for the owner of this server."),
        (lambda: access.check_path(pairs_file), "Without the link of this server only"),
    ):
        with pytest.raises(NotAllowed, match=said) as refused:
            act()
        assert "printed in its terminal" in refused.value.hint
