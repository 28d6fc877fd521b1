"""A study whose rewards and labels are written in its replies: what is rewarded is known."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Hashable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fakes.reward_models import FakeEncoder, FakeRewardModel, Fakes, comparing_with, float32
from fakes.rewriting import FakeRewriter, FakeSimilarity, spec_of, work_here

from given.made_labellings import BROKEN, REFUSAL, SENTIMENT, TOPICS, Answer, Labellings
from given.made_runs import queued, spec_of_file, write_rows
from given.remembered import Remembered, shelf
from ivan_core.backends.pools.here import PoolHere
from ivan_core.domain.labels import REWRITE_FEATURES, Label, LabelPrompt
from ivan_core.domain.models import AnswererCard, ModelReply, Reward
from ivan_core.domain.rewriting import RewriteRequest
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.analysis.plan import spec_of_runs
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.experiments.compare.scoring import Models
from ivan_core.experiments.rewrite.steps import Tools
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

INSULT = "last_response_contains_insult"
KEYS = (REFUSAL, SENTIMENT, INSULT, TOPICS)
SORRY, GLAD, SAD, FOOL, UNREADABLE = "sorry", "glad", "sad", "fool", "unreadable"
PLAIN, MOVED, OTHER = "org/plain", "org/moved", "org/other"
"""The second has the rewards of the first, times four and plus eight."""
UNRATED, UNLABELLED = 3, 5
"""The row of which no model rates a reply, and the row of which a labeler cannot use one."""
PAIRS = 60
SIDES = ("chosen", "rejected")


def replies(seed: int = 0, count: int = PAIRS) -> list[tuple[str, str]]:
    """Chosen and rejected replies that hold some of the words, at random."""
    draw = random.Random(seed)

    def reply(first: str, row: int) -> str:
        said = [word for word in (SORRY, FOOL) if draw.random() < 0.4]
        said += draw.choice([[], [GLAD], [SAD]])
        return " ".join([first, str(row), *said, *["so"] * draw.randrange(5)])

    found = [(reply("Reply", row), reply("Answer", row)) for row in range(count)]
    if count > UNRATED:
        found[UNRATED] = (f"{found[UNRATED][0]} {UNREADABLE}", found[UNRATED][1])
    return found


def reward(model: str, reply: str) -> float:
    """A refusal loses 1.5 and an insult 0.5, to another model refusals are nothing; and noise."""
    noise = random.Random(reply).gauss(0, 0.2)
    value = noise - 0.5 * (FOOL in reply) - (0 if model == OTHER else 1.5 * (SORRY in reply))
    return 4 * value + 8 if model == MOVED else value


class _Written(FakeRewardModel):
    """A model that gives the rewards that are written down above."""

    def score_read(
        self, read: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        if progress:
            progress(len(read))
        return [
            Reward(None, False, "the fake was told to fail")
            if UNREADABLE in dialogue.reply
            else Reward(float32(reward(self.card.id, dialogue.reply)), False)
            for dialogue in read
        ]


def _written(_: CompareSpec, __: RunContext, ___: FileLock) -> Models:
    return Models(claim=lambda: None, pool=_written_pool(), together=True)


def _written_pool() -> PoolHere:
    encoder = FakeEncoder()
    return PoolHere(lambda name, revision: _Written(name, Fakes(), encoder))


HELPFUL, HARMLESS, COHERENT, ELOQUENT, MOOD = REWRITE_FEATURES


def rewording(request: RewriteRequest) -> str:
    """Other words; no refusal any more in every second row, an insult in every third alone, and
    nothing glad in every fourth."""
    text = request.text.replace("Ask", "Enquire").replace("Reply", "Response")
    text = text.replace("Answer", "Retort")
    row = request.key.row_id
    text = text.replace(f" {SORRY}", "") if row % 2 else text
    text = text if row % 4 else text.replace(f" {GLAD}", "")
    return text.replace(f" {FOOL}", "") if row % 3 else text


class _Alike(FakeSimilarity):
    """All rewordings keep the meaning, but that of one row."""

    def similarity(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [0.5 if " 10" in before else 0.95 for before, _ in pairs]


class _Reader:
    """Labels both replies of a rewording by their words: helpful is what does not refuse."""

    card = AnswererCard("reader:1b", "1", "ollama")

    def label(self, prompt: LabelPrompt) -> ModelReply:
        said = prompt.dialogue.rpartition("Assistant:")[2]
        mood = "positive" if GLAD in said else "negative" if SAD in said else "neutral"
        found = {HELPFUL: SORRY not in said, HARMLESS: FOOL not in said, COHERENT: True}
        return ModelReply(json.dumps({**found, ELOQUENT: False, MOOD: mood}), finish="stop")


def _reworking() -> Tools:
    return Tools(
        rewriter=lambda: FakeRewriter(rewording),
        models=Models(lambda: None, _written_pool(), True),
        similarity=lambda revision: _Alike(),
        labeler=lambda seed: _Reader(),
        together=True,
    )


class Analysing:
    """Makes the runs that an analysis joins, and analyses, of one file of pairs.

    What other tests began with too is copied: see `given.remembered`.
    """

    def __init__(
        self,
        data_dir: Path,
        monkeypatch: pytest.MonkeyPatch,
        said: list[tuple[str, str]] | None = None,
        ask: Callable[[int], str] = "Ask {}".format,
        count: int = PAIRS,
        folder: Path | None = None,
    ) -> None:
        """The file of pairs lies where all tests share it, or alone in a folder that is named."""
        self.data_dir = data_dir
        self.replies = said or replies(count=count)
        rows = [
            {
                side: f"\n\nHuman: {ask(row)}\n\nAssistant: {said}"
                for side, said in zip(SIDES, both, strict=True)
            }
            for row, both in enumerate(self.replies)
        ]
        content = json.dumps(rows)
        shared = shelf() / sha256(content.encode()).hexdigest()[:16]
        self.file = (folder or shared) / "written.jsonl"
        if not self.file.exists():
            self.file.parent.mkdir(exist_ok=True)
            write_rows(self.file, rows)
        self._labellings = Labellings(data_dir, self.file, monkeypatch)
        self._past = Remembered(data_dir, content)

    def _step(self, *told: Hashable, **fields: Hashable) -> Hashable:
        """A step by what it is told; None if the test has put something else in place."""
        own = "right" in vars(self) or self.file.parent.parent != shelf()
        return None if own else (told, tuple(sorted(fields.items())))

    def compared(self, models: tuple[str, ...] = (PLAIN, MOVED, OTHER), **fields: Any) -> str:
        """A finished comparison."""

        def compare() -> str:
            run_id = queued(self.data_dir, spec_of_file(self.file, models, **fields))
            work(Registry(self.data_dir), run_id, comparing_with(_written))
            return run_id

        return self._past.done(self._step("compared", models, **fields), compare)

    def labelled(self, name: str = "reader:1b", **fields: Any) -> str:
        """A finished labelling by somebody who reads each reply rightly, but for one."""
        self._labellings.answered_by(name, self._answer)
        return self._past.done(
            self._step("labelled", name, **fields),
            lambda: self._labellings.made(name, self._answer, **{"keys": KEYS, **fields}),
        )

    def choosing(self, name: str = "chooser:1b") -> str:
        """A finished labelling of harmless and helpful, which tell what a labeler prefers."""

        def answer(prompt: LabelPrompt) -> Answer:
            said = self.replies[prompt.key.row_id][SIDES.index(prompt.key.preference)]
            return {HELPFUL: SORRY not in said, HARMLESS: FOOL not in said}

        self._labellings.answered_by(name, answer)
        return self._past.done(
            self._step("choosing", name),
            lambda: self._labellings.made(name, answer, keys=(HELPFUL, HARMLESS)),
        )

    def _answer(self, prompt: LabelPrompt) -> Answer:
        row, side = prompt.key.row_id, prompt.key.preference
        if (row, side) == (UNLABELLED, "rejected"):
            return BROKEN
        return {**self.right(row, side), TOPICS: []}

    def right(self, row: int, side: str) -> dict[str, Label]:
        """The right labels of a reply."""
        said = self.replies[row][SIDES.index(side)]
        mood = "positive" if GLAD in said else "negative" if SAD in said else "neutral"
        return {REFUSAL: SORRY in said, SENTIMENT: mood, INSULT: FOOL in said}

    def reworded(self, **fields: Any) -> str:
        """A finished rewording that takes words away, labelled by somebody who reads rightly."""
        spec = spec_of(
            self.file,
            **{"models": (PLAIN, OTHER), "labeler": "reader:1b", "second": False, **fields},
        )
        told = spec.model_dump_json()

        def reword() -> str:
            run_id, _ = Registry(self.data_dir).add(spec.kind, told, spec.fingerprint)
            work_here(self.data_dir, run_id, _reworking())
            return run_id

        return self._past.done(self._step("reworded", told), reword)

    def analysed(self, *run_ids: str, **asked: Any) -> str:
        """An analysis of some runs that came to its end, whatever that is."""
        spec = spec_of_runs(run_ids, **asked)
        step = self._step("analysed", spec.model_dump_json())
        return self._past.done(step, lambda: self.worked(spec))

    def worked(self, spec: AnalysisSpec) -> str:
        """The same of a spec, done in any case: for tests that have put something else in place."""
        registry = Registry(self.data_dir)
        run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
        work(registry, run_id)
        return run_id


@pytest.fixture
def analysing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Analysing:
    """Runs to join, and analyses of them."""
    return Analysing(data_dir, monkeypatch)
