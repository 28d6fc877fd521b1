"""Fakes that reword, compare and label, and a worker that has them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from fakes.reward_models import FakeEncoder, FakeRewardModel, Fakes, Steps
from ivan_core.backends.pools.here import PoolHere
from ivan_core.domain.labels import REWRITE_FEATURES, LabelPrompt
from ivan_core.domain.models import AnswererCard, ModelReply, SimilarityCard
from ivan_core.domain.rewriting import RewriteRequest
from ivan_core.domain.specs import DatasetRequest, RewriteSpec
from ivan_core.domain.transcripts import text_hash
from ivan_core.experiments.compare.scoring import Models
from ivan_core.experiments.rewrite import work as rewrite_work
from ivan_core.experiments.rewrite.steps import Tools
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

MODELS = ("fake/one", "fake/two")
WORDS = {"published": ("Enquiry", "Reply"), "second": ("Query", "Response")}
Answer = Callable[[RewriteRequest], str | ModelReply]


def reworded(request: RewriteRequest) -> str:
    """Question and Answer in other words, by the style."""
    question, answer = WORDS[request.style]
    return request.text.replace("Question", question).replace("Answer", answer)


def sometimes(request: RewriteRequest) -> str | ModelReply:
    """As `reworded`, but with every kind of trouble in some rows, always the same."""
    trouble = request.key.row_id % 10
    if trouble == 1 and request.attempt == 1:
        return f"Sure! Here it is:\n\n{reworded(request)}"
    if trouble == 2 and request.key.side == "chosen":
        return request.text
    if trouble == 3 and request.key.role == "prompt":
        return ModelReply(problem="The answer took too long.")
    if trouble == 4 and request.style == "second":
        return ""
    return reworded(request)


class FakeRewriter:
    """A rewriter that answers what it is told to."""

    def __init__(self, answer: Answer = reworded, revision: str = "1") -> None:
        self.card = AnswererCard("fake:7b", revision, "ollama", (("seed", "0"),))
        self.asked: list[RewriteRequest] = []
        self._answer = answer

    def rewrite(self, request: RewriteRequest) -> ModelReply:
        self.asked.append(request)
        answer = self._answer(request)
        return answer if isinstance(answer, ModelReply) else ModelReply(answer, finish="stop")


class FakeSimilarity:
    """Texts are the more alike the more characters stand in the same place."""

    card = SimilarityCard("fake/similarity", "r1", 256)

    def similarity(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [
            sum(a == b for a, b in zip(*pair, strict=False)) / max(len(text) for text in pair)
            for pair in pairs
        ]


class FakeLabeler:
    """A labeler whose answers follow from the text and, for some texts, from the seed."""

    def __init__(self, seed: int) -> None:
        self.card = AnswererCard("fake:1b", "1", "ollama")
        self._seed = seed

    def label(self, prompt: LabelPrompt) -> ModelReply:
        digits = text_hash(prompt.dialogue)
        if digits[0] == "0":
            return ModelReply(problem="the answer took too long")
        seed = self._seed if digits[1] in "01234" else 0
        yes = {
            key: (int(digits[place + 2], 16) + seed) % 2 == 0
            for place, key in enumerate(REWRITE_FEATURES)
        }
        mood = "positive" if yes[REWRITE_FEATURES[-1]] else "neutral"
        return ModelReply(json.dumps({**yes, REWRITE_FEATURES[-1]: mood}), finish="stop")


def fake_tools(
    rewriter: FakeRewriter | None = None, fakes: Fakes | None = None, together: bool = True
) -> Tools:
    """Tools that need nothing."""
    own, told = rewriter or FakeRewriter(sometimes), fakes or Fakes(failing="0", silent=True)
    encoder = FakeEncoder()

    def load(name: str, revision: str) -> FakeRewardModel:
        return FakeRewardModel(name, told, encoder if together else None)

    return Tools(
        rewriter=lambda: own,
        models=Models(lambda: None, PoolHere(load), together),
        similarity=lambda revision: FakeSimilarity(),
        labeler=FakeLabeler,
        together=together,
    )


def spec_of(path: Path, **fields: object) -> RewriteSpec:
    """A rewording of a file by the fakes."""
    spec = RewriteSpec(
        dataset=DatasetRequest(source=str(path)),
        rewriter="fake:7b",
        models=MODELS,
        similarity="ivan/minilm",
        labeler="fake:1b",
    )
    return spec.model_copy(update=fields)


def added(data_dir: Path, spec: RewriteSpec) -> str:
    """A run that waits for a worker."""
    run_id, new = Registry(data_dir).add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    assert new
    return run_id


def work_here(data_dir: Path, run_id: str, tools: Tools) -> None:
    """Be the worker of a run, with fakes."""
    before = rewrite_work.make_tools
    rewrite_work.make_tools = lambda *_: tools
    try:
        work(Registry(data_dir), run_id)
    finally:
        rewrite_work.make_tools = before


def run_worker(data_dir: Path, run_id: str, together: bool, kill_at: int | None = None) -> None:
    """Be a worker process with fakes, killed at a step; writes down how many steps it took."""
    os.environ |= {"IVAN_DATA_DIR": str(data_dir), "IVAN_SLOT_FILE": str(data_dir.parent / "slot")}
    steps = Steps(kill_at)
    steps.watch()
    rewriter = FakeRewriter(sometimes)
    work_here(data_dir, run_id, fake_tools(rewriter, together=together))
    (data_dir.parent / "steps").write_text(str(steps.count))
