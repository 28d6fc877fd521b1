"""Words put to the warm worker: answered once and kept, for owners alone where nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.reward_models import Fakes, fake_reward
from fakes.warm import ONE, asked_model, loader, serving
from given import made_runs
from given.support import wait_for
from given.words.scored_words import LIST, asked, keep

import ivan_core.warm as warm_worker
from ivan_core.domain.errors import BadInput
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine import access
from ivan_core.engine.access import NotAllowed, Visitor
from ivan_core.engine.warm import answers
from ivan_core.engine.warm.answers import Pending, Stopped
from ivan_core.runs.questions import Questions
from ivan_core.words import asking
from ivan_core.words.asking import Asked, Scored, kept, kept_as, score, score_word

TWO = asked_model("fake/two")
QUESTION = Asked(models=(ONE, TWO), prompt="Best?", own=LIST)


@pytest.fixture(autouse=True)
def spawned(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Questions]]:
    """Times a worker would have been started, in place of workers; the local user asks."""
    calls: list[Questions] = []
    monkeypatch.setattr(answers, "_spawn", calls.append)
    monkeypatch.setattr(warm_worker, "GIVE_WAY_SECONDS", 0.0)
    monkeypatch.setattr(access, "_provider", lambda: access.LOCAL)
    yield calls


def answer() -> Scored | None:
    found = score(QUESTION)
    return found if isinstance(found, Scored) else None


def test_each_word_is_a_reply_to_the_question_and_is_scored_once(
    data_dir: Path, spawned: list[Questions], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    first = score(QUESTION)
    assert isinstance(first, Pending) and first.total == len(LIST)
    with serving(Questions(data_dir), loader(Fakes(log=str(log)))):
        found = wait_for(answer)
    for name, rewards in zip(("fake/one", "fake/two"), found.rewards, strict=True):
        texts = [Dialogue(f"\n\nHuman: Best?\n\nAssistant: {word}") for word in LIST]
        assert rewards.tolist() == [fake_reward(name, text.hash) for text in texts]
    assert log.read_text().splitlines() == ["fake/one 5", "fake/two 5"]
    started = len(spawned)
    again = kept(QUESTION)
    assert again is not None and (again.rewards == found.rewards).all()
    assert isinstance(score(QUESTION), Scored) and len(spawned) == started


def test_a_stopped_question_is_put_again_when_asked_for(data_dir: Path) -> None:
    pending = score(QUESTION)
    assert isinstance(pending, Pending) and answers.cancel(pending.request)
    with pytest.raises(Stopped):
        score(QUESTION)
    assert isinstance(score(QUESTION, again=True), Pending)


def test_models_with_one_encoder_read_the_words_in_one_pass(data_dir: Path) -> None:
    assert isinstance(score(asked()), Pending)
    found = Questions(data_dir).next()
    assert found is not None
    _, model, texts = found
    assert model.name == "ivan/minilm-harmless"
    assert [other.name for other in model.also] == ["ivan/minilm-control"]
    # They never read the question, so it is not there.
    assert [text.text for text in texts] == [f"\n\nAssistant: {word}" for word in LIST]


def test_a_question_that_neither_model_reads_changes_no_answer(data_dir: Path) -> None:
    keep(asked(prompt="Best?"), [1, 2, 3, 4, 5], [5, 4, 3, 2, 1])
    other = kept(asked(prompt="Worst?"))
    assert other is not None and other.asked.prompt == "Worst?"
    assert other.rewards.tolist() == [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]]
    assert not asked().prompt_counts and QUESTION.prompt_counts


def test_another_question_list_or_model_has_another_answer(data_dir: Path) -> None:
    keep(QUESTION, [1, 2, 3, 4, 5], [5, 4, 3, 2, 1])
    others = ({"prompt": "Worst?"}, {"own": LIST[:4]}, {"own": ()}, {"models": (TWO, ONE)})
    for other in others:
        assert kept(QUESTION.model_copy(update=other)) is None


def test_visitors_see_what_is_kept_and_start_nothing(
    data_dir: Path, spawned: list[Questions]
) -> None:
    keep(asking.demo(), [0.0] * len(asking.demo().words), [1.0] * len(asking.demo().words))
    access.set_provider(lambda: Visitor(local=False))
    assert isinstance(score(asking.demo()), Scored)
    with pytest.raises(NotAllowed) as refused:
        score(QUESTION)
    assert refused.value.message.startswith("Scoring a list of words from another machine")
    assert spawned == [] and not (data_dir / "warm.sqlite").exists()


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"asked": 1}'])
def test_a_damaged_answer_is_none(data_dir: Path, damage: str) -> None:
    keep(QUESTION, [1, 2, 3, 4, 5], [5, 4, 3, 2, 1])
    (data_dir / "words" / f"{QUESTION.key}.json").write_text(damage)
    assert kept(QUESTION) is None
    assert isinstance(score(QUESTION), Pending)


def test_an_answer_under_another_name_is_none(data_dir: Path) -> None:
    keep(QUESTION, [1, 2, 3, 4, 5], [5, 4, 3, 2, 1])
    folder = data_dir / "words"
    (folder / f"{QUESTION.key}.json").rename(folder / f"{'0' * 16}.json")
    assert kept_as("0" * 16) is None
    assert kept_as("../../secret") is None


def test_the_oldest_answers_are_forgotten(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_MOST_KEPT", 2)
    for prompt in ("a", "b", "c"):
        keep(QUESTION.model_copy(update={"prompt": prompt}), [1, 2, 3, 4, 5], [5, 4, 3, 2, 1])
    assert len(list((data_dir / "words").glob("*.json"))) == 2


def test_what_is_no_word_is_not_asked(data_dir: Path, spawned: list[Questions]) -> None:
    for odd in ("", "x" * 61, "w\u202ear"):
        with pytest.raises(BadInput):
            score_word(QUESTION, odd)
    access.set_provider(lambda: Visitor(local=False))
    with pytest.raises(NotAllowed):
        score_word(QUESTION, "joy")
    assert spawned == []


@pytest.mark.parametrize(
    ("prompt", "said"),
    [(" ", "There is no question yet."), ("x" * 1001, "The question has 1,001 characters.")],
)
def test_a_question_has_some_words_and_not_too_many(prompt: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        score(QUESTION.model_copy(update={"prompt": prompt}))
    assert refused.value.message == said


def test_models_that_judged_pairs_here_can_be_asked_as_the_run_had_them(data_dir: Path) -> None:
    made_runs.finished(data_dir, made_runs.spec_of_sample(("fake/one@abc",), limit=1))
    known = asking.models_here()
    assert list(known) == ["ivan/minilm-harmless", "ivan/minilm-control", "fake/one@abc"]
    assert known["fake/one@abc"].identity == ONE.identity
    first, second = asking.pair_named(["fake/one@abc", "ivan/minilm-control"])
    assert (first.name, second.name) == ("fake/one@abc", "ivan/minilm-control")


@pytest.mark.parametrize(
    "manifest",
    ['{"models": [1]}', "{", '{"imported": {}, "models": []}', '{"imported": {"from": "a file"}}'],
)
def test_a_damaged_run_and_an_imported_one_offer_no_model(data_dir: Path, manifest: str) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(("fake/one@abc",), limit=1))
    (data_dir / "runs" / run_id / "manifest.json").write_text(manifest)
    assert list(asking.models_here()) == ["ivan/minilm-harmless", "ivan/minilm-control"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["ivan/minilm-control"], "Words are scored by two different models."),
        (["ivan/minilm-control"] * 2, "Words are scored by two different models."),
        (["ivan/minilm-control", "x/y"], "x/y has judged no pairs here"),
    ],
)
def test_other_models_are_refused(data_dir: Path, names: list[str], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        asking.pair_named(names)
    assert refused.value.message.startswith(said)
