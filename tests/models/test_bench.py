"""The benchmark of scoring: which ways it takes, and what it says of them; no time is expected."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from given.tiny.decoders import tiny_decoder
from given.tiny_models import load, tiny_deberta, tiny_qwen3

from ivan_core.backends.reward_models.peak_memory import forget_peak, peak_bytes
from ivan_core.backends.reward_models.products import products_seconds
from ivan_core.backends.reward_models.scoring import TransformersRewardModel
from ivan_core.cli.main import run
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.models import reward_models
from ivan_core.models.bench import bench_scoring

torch.set_num_threads(1)

PROMPT = "\n\nHuman: how do i bake bread and knead the dough well?\n\nAssistant: "
PAIRS = [(f"{reply} one", f"{reply} two") for reply in ("no", "yes", "hello", "sorry")]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetRequest:
    monkeypatch.setenv("IVAN_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "pairs.jsonl"
    lines = (json.dumps({"chosen": PROMPT + a, "rejected": PROMPT + b}) for a, b in PAIRS)
    path.write_text("\n".join(lines))
    return DatasetRequest(source=str(path))


@pytest.fixture(scope="module")
def qwen3(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_qwen3(tmp_path_factory.mktemp("qwen3")))


def test_each_way_of_a_decoder_is_measured_against_one_text_at_a_time(
    data: DatasetRequest, qwen3: str
) -> None:
    found = bench_scoring(qwen3, data, 3, 1, limits=True)
    ways = {way["way"]: way for way in found["ways"]}
    assert list(ways) == [
        "one text at a time",
        "32 texts at a time, as they come",
        "batches of like length",
        "prompts read once",
    ]
    assert (found["pairs"], found["texts"], found["dtype"]) == (3, 6, "float32")
    loop = ways["one text at a time"]
    assert (loop["ratio"], loop["largest_difference"], loop["tokens_a_batch"]) == (1.0, 0.0, 0)
    for way in found["ways"]:
        assert way["largest_difference"] < 1e-4
        assert (way["verdicts"], way["verdicts_changed"]) == (3, 0)
        assert way["peak_memory"] > 1_000_000


def test_tokens_are_those_that_the_model_reads(qwen3: str) -> None:
    # One token a byte of "user\n…" and "assistant\n…", and of each turn two marks and a line feed.
    text = Dialogue("\n\nHuman: hello\n\nAssistant: no")
    assert load(qwen3).count_tokens([text]) == len("user\nhello") + len("assistant\nno") + 6


def test_a_verdict_that_a_way_changes_is_counted(
    data: DatasetRequest, qwen3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = TransformersRewardModel.score

    def turned(model: TransformersRewardModel, texts: Sequence[Dialogue], *_: Any) -> list[Reward]:
        rewards = score(model, texts)
        if model._budget >= 0 or len(texts) < 8:
            return rewards
        return [Reward(-reward.value) for reward in rewards if reward.value is not None]

    monkeypatch.setattr(TransformersRewardModel, "score", turned)
    once = bench_scoring(qwen3, data, 4, 1)["ways"][-1]
    assert (once["way"], once["verdicts"], once["verdicts_changed"]) == ("prompts read once", 4, 4)
    assert once["largest_difference"] > 0


def test_an_encoder_has_no_prompts_to_read_once(data: DatasetRequest, tmp_path: Path) -> None:
    found = bench_scoring(str(tiny_deberta(tmp_path / "deberta")), data, 2, 1)
    assert [way["way"] for way in found["ways"]] == ["one text at a time", "batches of like length"]


class Elsewhere:
    """A model that is asked over a network: of its ways nothing is known here."""

    card = ModelCard(id="elsewhere", device="a server")

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        return 7 if known is None else known

    def score(
        self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        return [Reward(float(len(dialogue.printed))) for dialogue in dialogues]


def test_of_a_model_elsewhere_only_its_own_batches_are_measured(
    data: DatasetRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reward_models, "make", lambda name: Elsewhere())
    found = bench_scoring("elsewhere", data, 2, 1, limits=True)
    assert [way["way"] for way in found["ways"]] == ["one text at a time", "batches of like length"]
    assert (found["tokens"], found["products_seconds"]) == (None, None)
    assert found["ways"][1]["tokens_a_batch"] == 7


def test_the_command_prints_a_row_a_way(
    data: DatasetRequest, qwen3: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bench", "scoring", "--model", qwen3, "--dataset", data.source, "--rounds", "1"]
    assert run([*command, "--limit", "2", "--limits"]) == 0
    _, heads, *rows, products = capsys.readouterr().out.splitlines()
    assert heads.split()[:4] == ["way", "pairs/s", "ratio", "difference"]
    assert [row.split("  ")[0].split(" (")[0] for row in rows] == [
        "one text at a time",
        "32 texts at a time, as they come",
        "batches of like length",
        "prompts read once",
    ]
    assert all("0 of 2" in row and "GiB" in row for row in rows)
    assert products.startswith("The matrix products of all texts alone: ")
    assert run([*command, "--limit", "2", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["ways"]) == 3


def test_every_linear_layer_is_multiplied_and_the_head_is_not(qwen3: str) -> None:
    model = load(qwen3)._model
    seen: list[str] = []
    for name, layer in model.named_modules():
        if isinstance(layer, torch.nn.Linear):
            layer.register_forward_hook(lambda *_, name=name: seen.append(name))
    assert products_seconds(model, 100) > 0
    # Two layers of q, k, v, o, gate, up and down; three passes.
    assert len(seen) == 3 * 14 and "score" not in seen


def test_products_of_experts_are_not_guessed() -> None:
    assert products_seconds(tiny_decoder("mixtral"), 100) is None
    assert (products_seconds(tiny_decoder("gpt2"), 100) or 0) > 0


def test_the_peak_is_that_since_it_was_forgotten() -> None:
    block = torch.ones(64 << 20, dtype=torch.uint8)
    high = peak_bytes(on_gpu=False)
    del block
    forget_peak(on_gpu=False)
    assert 1_000_000 < peak_bytes(on_gpu=False) <= high
