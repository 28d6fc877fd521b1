"""Finished labellings of a file, by labelers whose every answer is written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from given.made_runs import write_rows
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.labels import LabelPrompt
from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest, LabelSpec
from ivan_core.experiments.labels import work as label_work
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

REFUSAL = "last_response_is_refusal"
SENTIMENT = "last_response_sentiment"
TOPICS = "topics"
KEYS = (REFUSAL, SENTIMENT, TOPICS)
ARTS, PLACES = "Culture and the arts", "Geography and places"
Answer = Mapping[str, Any] | ModelReply
Answers = Callable[[LabelPrompt], Answer]


class WrittenDown:
    """A labeler that gives the answers it was told; three unusable ones make a text unusable."""

    def __init__(self, name: str, answers: Answers) -> None:
        self.card = AnswererCard(name, "r1", "ollama")
        self._answers = answers

    def label(self, prompt: LabelPrompt) -> ModelReply:
        answer = self._answers(prompt)
        if isinstance(answer, ModelReply):
            return answer
        return ModelReply(json.dumps(dict(answer)), finish="stop")


def says(refusal: bool, sentiment: str = "neutral", topics: tuple[str, ...] = ()) -> Answer:
    return {REFUSAL: refusal, SENTIMENT: sentiment, TOPICS: list(topics)}


BROKEN = ModelReply("<b>no</b> ![x](http://leak.invalid/x) {")
FIRST: Mapping[str, Answer] = {
    "0.chosen": says(True, topics=(ARTS,)),
    "0.rejected": says(False, "positive", (ARTS, PLACES)),
    "1.chosen": says(True, "negative"),
    "1.rejected": says(True),
    "2.chosen": says(False, topics=(PLACES,)),
    "2.rejected": says(False),
    "3.chosen": says(True),
    "3.rejected": BROKEN,
}
"""Refusals of the chosen and the rejected reply: yes no, yes yes, no no, yes and no answer."""
SECOND: Mapping[str, Answer] = {
    "0.chosen": says(True, topics=(ARTS,)),
    "0.rejected": says(True, "positive", (PLACES,)),
    "1.chosen": says(False, "positive"),
    "1.rejected": says(True),
    "2.chosen": says(False),
    "2.rejected": says(False),
    "3.chosen": ModelReply(refusal="I would rather not."),
    "3.rejected": says(False),
}


def four_pairs(folder: Path) -> Path:
    """A file of four pairs."""
    rows = [
        {
            "chosen": f"\n\nHuman: Ask {row}\n\nAssistant: I can't help with {row}.",
            "rejected": f"\n\nHuman: Ask {row}\n\nAssistant: Sure, {row} it is.",
        }
        for row in range(4)
    ]
    return write_rows(folder / "four.jsonl", rows)


class Labellings:
    """Makes labellings of one file in the data folder that is in force."""

    def __init__(self, data_dir: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data_dir = data_dir
        self.file = file
        self._patch = monkeypatch

    def _add(self, name: str, **fields: Any) -> str:
        dataset = DatasetRequest(source=str(self.file))
        spec = LabelSpec(dataset=dataset, labeler=name, **{"keys": KEYS, **fields})
        registry = Registry(self.data_dir)
        return registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)[0]

    def made(self, name: str, answers: Mapping[str, Answer] | Answers, **fields: Any) -> str:
        """A labelling that came to its end, whatever that is; returns the run's id."""
        self.answered_by(name, answers)
        run_id = self._add(name, **fields)
        work(Registry(self.data_dir), run_id)
        return run_id

    def answered_by(self, name: str, answers: Mapping[str, Answer] | Answers) -> None:
        """From now on, who is asked for labels gives these answers."""
        told = answers if callable(answers) else lambda prompt: answers[prompt.key.custom_id]
        self._patch.setattr(label_work, "make_labeler", lambda _: WrittenDown(name, told))

    def by_rules(self) -> str:
        """A labelling by ivan/lexicon itself, with all 19 labels."""
        from ivan_core.backends.lexicon.labeler import LexiconLabeler
        from ivan_core.domain.labels import FEATURES

        self._patch.setattr(label_work, "make_labeler", lambda _: LexiconLabeler())
        run_id = self._add("ivan/lexicon", keys=FEATURES)
        work(Registry(self.data_dir), run_id)
        return run_id

    @contextmanager
    def at_work(self, name: str, answers: Mapping[str, Answer], texts: int) -> Iterator[str]:
        """A labelling that a worker is at, after some texts, for as long as the block lasts."""
        asked = count()

        def until(prompt: LabelPrompt) -> Answer:
            if next(asked) == texts:
                raise BackendUnavailable("The server went away.")
            return answers[prompt.key.custom_id]

        run_id = self.made(name, until)
        Registry(self.data_dir).finish(run_id, RunState.RUNNING)
        with FileLock(Registry(self.data_dir).lock_path(run_id)) as lock:
            assert lock.acquire()
            yield run_id


@pytest.fixture
def labellings(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Labellings:
    """Labellings of four pairs that a test makes as it wants them."""
    return Labellings(data_dir, four_pairs(tmp_path), monkeypatch)


@pytest.fixture
def first(labellings: Labellings) -> str:
    """A labelling that gave the answers of FIRST."""
    return labellings.made("first", FIRST)


@pytest.fixture
def second(labellings: Labellings) -> str:
    """A labelling that gave the answers of SECOND."""
    return labellings.made("second", SECOND)
