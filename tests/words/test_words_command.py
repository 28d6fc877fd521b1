"""`ivan words`: from the question to the lists, a word's place and a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.reward_models import Fakes, fake_reward
from fakes.warm import ONE, asked_model, loader, serving

import ivan_core.warm as warm_worker
from ivan_core.cli import words as command
from ivan_core.cli.main import run
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.warm import answers
from ivan_core.runs.questions import Questions
from ivan_core.words import asking

WORDS = ("love", "peace", "cheese", "mud")
MODELS = ["--model", "fake/one", "--model", "fake/two"]


@pytest.fixture(autouse=True)
def two_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models are here, and no worker is started."""
    known = {"fake/one": ONE, "fake/two": asked_model("fake/two")}
    monkeypatch.setattr(asking, "models_here", lambda: known)
    monkeypatch.setattr(answers, "_spawn", lambda questions: None)
    monkeypatch.setattr(warm_worker, "GIVE_WAY_SECONDS", 0.0)
    monkeypatch.setattr(command, "_POLL_SECONDS", 0.01)


@pytest.fixture
def own_list(tmp_path: Path) -> str:
    (tmp_path / "own.txt").write_text("\n".join(WORDS))
    return str(tmp_path / "own.txt")


def test_words_of_ones_own_are_ranked_by_two_models(
    data_dir: Path, own_list: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["words", *MODELS, "--words", own_list, "--prompt", "Best?"]
    more = ["--top", "1", "--word", "CHEESE", "--csv", str(tmp_path / "all.csv")]
    with serving(Questions(data_dir), loader(Fakes())):
        assert run([*asked, *more]) == 0
    told = capsys.readouterr()
    rewards = {
        word: fake_reward("fake/one", Dialogue(f"\n\nHuman: Best?\n\nAssistant: {word}").hash)
        for word in WORDS
    }
    best, *between, worst = sorted(WORDS, key=lambda word: -rewards[word])
    assert f"Of 4 words, fake/one likes “{best}” best and “{worst}” least." in told.out
    assert f"  best:  {best}\n  worst: {worst}\n" in told.out
    place = [best, *between, worst].index("cheese") + 1
    assert f"“cheese” is no. {place} of 4 with fake/one and no. " in told.out
    assert "n = 4 words" in told.out and "crude" not in told.out and "MiniLM" not in told.out
    table = (tmp_path / "all.csv").read_text().splitlines()
    assert len(table) == 5 and table[1].startswith(f"{best},{rewards[best]},1,")
    assert run(asked) == 0, "the second time without a worker"
    assert "Of 4 words" in capsys.readouterr().out


def test_a_word_that_is_not_in_the_list_is_scored_too(
    data_dir: Path, own_list: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["words", *MODELS, "--words", own_list, "--prompt", "Best?", "--word", " ice  cream "]
    with serving(Questions(data_dir), loader(Fakes())):
        assert run(asked) == 0
    rewards = {
        word: fake_reward("fake/one", Dialogue(f"\n\nHuman: Best?\n\nAssistant: {word}").hash)
        for word in (*WORDS, "ice cream")
    }
    place = sorted(rewards.values(), reverse=True).index(rewards["ice cream"]) + 1
    told = capsys.readouterr().out
    assert f"“ice cream” is not in the list. It would be no. {place} of 5 with fake/one" in told


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--top", "0"], "--top is at least 1."),
        (["--words", "nowhere.txt"], "nowhere.txt cannot be read as a list of words."),
        (["--model", "fake/one"], "Words are scored by two different models."),
        (["--prompt", " "], "There is no question yet."),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    data_dir: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    models = [] if "--model" in more else MODELS
    assert run(["words", *models, *more]) == 1
    assert said in capsys.readouterr().err
