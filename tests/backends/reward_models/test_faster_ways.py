"""Fused attention and compiled layers are kept where they are as good, and undone where not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from given.tiny_models import ask, load, tiny_deberta, tiny_electra, tiny_qwen3
from transformers import ElectraForSequenceClassification
from transformers.integrations import sdpa_attention
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from ivan_core.backends.reward_models.compiled_layers import ROUNDS, compile_where_faster

torch.set_num_threads(1)

TEXTS = [ask("no"), ask("yes of course"), ask("knead the dough well and wait an hour " * 5)]


@pytest.fixture(scope="module")
def electra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_electra(tmp_path_factory.mktemp("electra"))


def attention(model: Any) -> str:
    return str(model._model.config._attn_implementation)


def scores(model: Any) -> list[float]:
    return [reward.value for reward in model.score(TEXTS)]


def test_an_encoder_with_fused_attention_keeps_it_where_it_gives_the_plain_scores(
    electra: Path,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert attention(load(electra)) == "sdpa"


def spoiled(*args: Any, **options: Any) -> Any:
    """Fused attention with a wrong sign."""
    out, weights = sdpa_attention.sdpa_attention_forward(*args, **options)
    return -out, weights


def fails(*_: Any, **__: Any) -> Any:
    raise RuntimeError("no kernel for this card")


@pytest.mark.parametrize(
    ("fault", "says"), [(spoiled, "with it its .* differed"), (fails, "failed with RuntimeError")]
)
def test_attention_that_gives_other_scores_is_replaced_by_the_plain_one_with_a_word(
    electra: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., Any], says: str
) -> None:
    expected = scores(load(electra))
    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS._global_mapping, "sdpa", fault)
    with pytest.warns(UserWarning, match=f"Fused attention is not used: .*{says}"):
        model = load(electra)
    assert attention(model) == "eager"
    assert scores(model) == pytest.approx(expected, abs=1e-5)


def test_a_model_that_fails_with_any_attention_is_not_blamed_on_the_fused_one(
    electra: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ElectraForSequenceClassification, "forward", fails)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load(electra)
    assert attention(model) == "sdpa"
    assert model.score(TEXTS)[0].failure == "the model failed on the text: no kernel for this card"


def test_a_model_without_fused_attention_and_a_decoder_on_a_cpu_are_left_alone(
    tmp_path: Path,
) -> None:
    assert attention(load(tiny_deberta(tmp_path / "deberta"))) == "eager"
    assert attention(load(tiny_qwen3(tmp_path / "qwen3"))) == "sdpa"


# Compiled feed-forward layers: a clock by which plain parts take 5 and compiled ones what is told.


class Part:
    def __init__(self, clock: list[float], seconds: float, score: float) -> None:
        self.clock, self.seconds, self.score = clock, seconds, score

    def __call__(self) -> float:
        self.clock[0] += self.seconds
        return self.score


def tried(seconds: float, score: float, broken: bool = False) -> tuple[bool, bool]:
    """Whether layers stay compiled that take so long and score so; and whether they now are."""
    clock = [0.0]
    plain = Part(clock, 5.0, 1.0)
    layers = [SimpleNamespace(intermediate=plain, output=plain) for _ in range(2)]

    def compiled(part: Part) -> Part:
        if broken:
            raise RuntimeError("no compiler on this machine")
        return Part(clock, seconds, score)

    def run() -> list[float]:
        return [sum(layer.intermediate() + layer.output() for layer in layers), 3.0]

    stays = compile_where_faster(layers, run, 0.002, compiled, lambda: clock[0])
    return stays, all(layer.intermediate is not plain for layer in layers)


def test_layers_stay_compiled_where_that_is_faster_and_verdicts_are_the_same() -> None:
    assert tried(seconds=4.0, score=1.0) == (True, True)


@pytest.mark.parametrize(
    ("seconds", "score", "broken"),
    [
        (5.0, 1.0, False),
        (4.9, 1.0, False),  # 2% faster: noise.
        (1.0, 0.5, False),  # 4 parts of 0.5 are less than 3, and 4 parts of 1 are more.
        (1.0, float("nan"), False),
        (1.0, 1.0, True),
    ],
)
def test_layers_are_as_they_were_where_compiling_does_not_pay(
    seconds: float, score: float, broken: bool
) -> None:
    assert tried(seconds, score, broken) == (False, False)


def test_layers_of_a_real_encoder_go_on_scoring_when_swapped(tmp_path: Path) -> None:
    model = load(tiny_deberta(tmp_path))
    expected = scores(model)
    calls: list[int] = []

    def compiled(module: Any) -> Any:
        wrapped = torch.nn.Module()
        wrapped.add_module("plain", module)
        wrapped.forward = lambda *given: calls.append(1) or module(*given)
        return wrapped

    layers = model._model.deberta.encoder.layer
    # The rounds before take two seconds each, those after one.
    clock = iter([0.0, 2.0] * ROUNDS + [0.0, 1.0] * ROUNDS)
    assert compile_where_faster(layers, lambda: scores(model), 0.002, compiled, lambda: next(clock))
    assert scores(model) == pytest.approx(expected, abs=1e-6)
    assert calls
