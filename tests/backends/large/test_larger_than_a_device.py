"""Models larger than one device: spread over several, or their weights held in 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from given.tiny_models import ask, load, tiny_deberta, tiny_electra, tiny_qwen3

from ivan_core import settings
from ivan_core.backends.reward_models import large
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import EightBits, ModelCard, ModelElsewhere
from ivan_core.models import reward_models

GIB = 2**30
TEXTS = [
    ask("you knead the dough well and wait an hour"),
    ask("no sorry i cannot help with that", "why not because it is late?"),
    ask("yes"),
    ask("first second third one two three " * 8),
]


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_qwen3(tmp_path_factory.mktemp("qwen"), num_hidden_layers=4)


def rewards(model: Any) -> list[float]:
    return [float(reward.value) for reward in model.score(TEXTS)]


def test_a_model_that_the_first_device_holds_is_not_spread() -> None:
    # 80% of 10 GiB are 8.
    assert large.shares("m", 8 * GIB, {0: 10 * GIB, 1: 10 * GIB}) is None
    assert large.shares("m", None, {0: 10 * GIB}) is None
    assert large.shares("m", 8 * GIB, {}) is None


def test_a_larger_one_takes_80_per_cent_of_each_device() -> None:
    assert large.shares("m", 9 * GIB, {0: 10 * GIB, 1: 20 * GIB}) == {0: 8 * GIB, 1: 16 * GIB}


def test_one_that_all_devices_cannot_hold_is_refused_with_both_sizes() -> None:
    with pytest.raises(BackendUnavailable) as refused:
        large.shares("own/er", 20 * GIB, {0: 10 * GIB, 1: 10 * GIB})
    assert refused.value.message == (
        "own/er needs about 25 GiB, and the graphics cards of this machine have 20 GiB free."
    )
    assert "8 bits" in refused.value.hint


def test_spread_over_two_devices_it_scores_as_on_one(qwen: Path) -> None:
    whole = load(qwen)
    size = 4 * (whole.card.parameters or 0)
    spread = load(qwen, memory={"cpu": size, "disk": 100 * size})
    assert set(spread._model.hf_device_map.values()) == {"cpu", "disk"}
    assert "Spread over 2 devices." in spread.card.note
    assert "Spread" not in whole.card.note
    assert rewards(spread) == rewards(whole)
    assert spread.card.cache_identity == whole.card.cache_identity


def test_an_architecture_that_reads_weights_past_its_layers_is_refused(tmp_path: Path) -> None:
    folder = tiny_deberta(tmp_path)
    size = 4 * (load(folder).card.parameters or 0)
    with pytest.raises(BackendUnavailable, match="cannot be spread over several devices"):
        load(folder, memory={"cpu": size, "disk": 100 * size})


@pytest.mark.parametrize("make", [tiny_qwen3, tiny_deberta, tiny_electra])
def test_in_8_bits_scores_move_a_little_and_the_card_says_so(make: Any, tmp_path: Path) -> None:
    folder = make(tmp_path)
    full, small = load(folder), load(folder, quantization="int8")
    apart = [abs(a - b) for a, b in zip(rewards(full), rewards(small), strict=True)]
    spread = max(rewards(full)) - min(rewards(full))
    assert 0 < max(apart) < 0.25 * spread
    assert (full.card.dtype, small.card.dtype) == ("float32", "int8 (float32)")
    assert full.card.cache_identity != small.card.cache_identity


def test_in_8_bits_a_text_scores_the_same_in_any_batch(qwen: Path) -> None:
    small = load(qwen, quantization="int8")
    alone = [float(small.score([text])[0].value or 0) for text in TEXTS]
    assert rewards(small) == pytest.approx(alone, abs=1e-4)


def test_layers_lie_in_8_bits_and_the_head_does_not(qwen: Path) -> None:
    model = load(qwen, quantization="int8")._model
    weights = {name: p.data for name, p in model.named_parameters() if p.dim() > 1}
    int8 = {name for name, weight in weights.items() if type(weight).__name__ == "Int8Tensor"}
    assert len(int8) == 4 * 7  # four layers of four projections and three feed-forward matrices
    assert weights.keys() - int8 == {"model.embed_tokens.weight", "score.weight"}
    assert all(weights[name].qdata.element_size() == 1 for name in int8)


@pytest.mark.parametrize(
    ("package", "options"),
    [
        ("accelerate", {"memory": {"cpu": 200_000, "disk": GIB}}),
        ("torchao", {"quantization": "int8"}),
    ],
)
def test_a_missing_package_is_named_with_the_way_to_install_it(
    package: str, options: dict[str, Any], qwen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable, match=f"needs the package {package}") as refused:
        load(qwen, **options)
    assert "ivan[large]" in refused.value.hint


@pytest.mark.parametrize(
    ("gpus", "quantization", "runs", "reason"),
    [
        # 8 billion weights take 16 GB in half precision, 14.9 GiB; 80% of a card may be taken.
        ((24 * GIB,), "none", True, "runs here on the GPU"),
        ((12 * GIB, 12 * GIB), "none", True, "runs here, spread over 2 GPUs"),
        ((12 * GIB,), "int8", True, "runs here on the GPU"),
        ((12 * GIB,), "none", False, "needs about 19 GiB, and there is 1 GPU with 12 GiB; in 8"),
        ((4 * GIB,), "none", False, "needs about 19 GiB, and there is 1 GPU with 4 GiB"),
        ((), "none", True, "runs here on the GPU"),
    ],
)
def test_whether_a_model_fits_is_told_before_it_is_loaded(
    gpus: tuple[int, ...],
    quantization: Any,
    runs: bool,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reward_models, "has_gpu", lambda: True)
    monkeypatch.setattr(reward_models, "gpu_memory", lambda: gpus)
    fit = reward_models.fit(ModelCard(id="own/er", parameters=8_000_000_000), quantization)
    assert fit.runs is runs
    assert fit.reason.startswith(reason)


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The driver's program, as it answers on a machine with two cards."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 81559\necho 24564\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return program


def test_the_memory_of_each_card_is_the_driver_s_word(nvidia_smi: Path) -> None:
    assert settings.gpu_memory.__wrapped__() == (81559 * 2**20, 24564 * 2**20)


def test_cards_that_are_hidden_do_not_count(
    nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert settings.gpu_memory.__wrapped__() == (24564 * 2**20,)


def test_where_the_driver_does_not_answer_no_memory_is_known(nvidia_smi: Path) -> None:
    nvidia_smi.write_text("#!/bin/sh\necho '[N/A]'\n")
    assert settings.gpu_memory.__wrapped__() == ()
    nvidia_smi.unlink()
    assert settings.gpu_memory.__wrapped__() == ()


def in_8_bits(folder: Path) -> Any:
    return reward_models.make(str(folder), quantization="int8")


def test_in_8_bits_a_model_is_compared_with_itself_in_full_precision(qwen: Path) -> None:
    small = in_8_bits(qwen)
    assert isinstance(small, ModelElsewhere)
    small.compare(TEXTS)
    full, own = rewards(load(qwen)), rewards(small)
    largest = max(abs(a - b) for a, b in zip(full, own, strict=True))
    turned = sum((full[i] > full[i + 1]) != (own[i] > own[i + 1]) for i in (0, 2))
    assert small.card.eight_bits == EightBits(pairs=2, verdicts_changed=turned, largest=largest)


def test_where_full_precision_has_no_room_the_card_says_that_nothing_was_compared(
    qwen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reward_models, "memory_bytes", lambda: 1000)
    small = in_8_bits(qwen)
    small.compare(TEXTS)
    assert small.card.eight_bits == EightBits(
        not_compared="this machine has no room for full precision"
    )
