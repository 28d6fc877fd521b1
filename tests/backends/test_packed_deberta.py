"""DeBERTa without padding: used where it gives the plain model's verdicts, else left alone.

The package needs CUDA. Here a small one of the same shape runs on the CPU in its place: it swaps
the encoder for one whose `forward_packed` reads a flat row of tokens, sequence by sequence.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from given.tiny_models import ask, load, tiny_deberta

from ivan_core.backends.reward_models import packed_deberta
from ivan_core.backends.reward_models.scoring import TransformersRewardModel

torch.set_num_threads(1)

KNEAD = "knead the dough well and wait an hour "
TEXTS = [ask("no"), ask(""), ask("yes of course"), ask(KNEAD * 3), ask(KNEAD * 9)]


class PackedEncoder(torch.nn.Module):
    """An encoder as the package leaves it: sequences lie end to end, and none sees another."""

    def __init__(self, encoder: Any, spoil: Callable[[Any, int], Any]) -> None:
        super().__init__()
        self.plain, self.spoil = encoder, spoil

    @property
    def layer(self) -> Any:
        return self.plain.layer

    def forward_packed(
        self, hidden: Any, cu_seqlens: Any, max_seqlen: int, *, packed_info: Any, **_: Any
    ) -> Any:
        bounds = cu_seqlens.tolist()
        assert packed_info.offsets == tuple(bounds) and packed_info.longest == max_seqlen
        parts = [hidden[a:b][None] for a, b in pairwise(bounds)]
        outs = [
            self.plain(part, torch.ones(part.shape[:2], dtype=torch.long)).last_hidden_state[0]
            for part in parts
        ]
        spoiled = [self.spoil(out, i) for i, out in enumerate(outs)]
        return SimpleNamespace(last_hidden_state=torch.cat(spoiled))


class Attention(torch.nn.Module):
    """The package also swaps each layer's attention, which has to be undone with the encoder."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.plain = plain

    def forward(self, *args: Any, **options: Any) -> Any:
        return self.plain(*args, **options)


def install(monkeypatch: pytest.MonkeyPatch, optimize: Callable[[Any], None]) -> None:
    """Put a package of that name in place, and let a model on the CPU have it."""
    package, packed = ModuleType("disentangled_flash"), ModuleType("disentangled_flash.packed")
    package.optimize_deberta = optimize  # type: ignore[attr-defined]
    packed.PackedSequenceInfo = lambda offsets, lengths, longest: SimpleNamespace(  # type: ignore[attr-defined]
        offsets=offsets, lengths=lengths, longest=longest
    )
    monkeypatch.setitem(sys.modules, "disentangled_flash", package)
    monkeypatch.setitem(sys.modules, "disentangled_flash.packed", packed)
    monkeypatch.setattr(
        packed_deberta, "available", lambda model: model.config.model_type == "deberta-v2"
    )


def swap(spoil: Callable[[Any, int], Any]) -> Callable[[Any], None]:
    def optimize(deberta: Any) -> None:
        for layer in deberta.encoder.layer:
            layer.attention.self = Attention(layer.attention.self)
        deberta.encoder = PackedEncoder(deberta.encoder, spoil)

    return optimize


def values(model: TransformersRewardModel) -> list[float]:
    found = [reward.value for reward in model.score(TEXTS)]
    assert None not in found
    return [value for value in found if value is not None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_deberta(tmp_path_factory.mktemp("deberta"))


@pytest.fixture(scope="module")
def plain(folder: Path) -> list[float]:
    return values(load(folder))


def test_packed_texts_get_the_plain_model_s_scores(
    folder: Path, plain: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, swap(lambda hidden, _: hidden))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load(folder)
    assert isinstance(model._model.deberta.encoder, PackedEncoder)
    assert "without padding" in model.card.way
    assert values(model) == pytest.approx(plain, abs=1e-5)


def breaks(_: Any) -> None:
    raise RuntimeError("no kernel for this card")


def refuses(_: Any) -> None:
    """The package leaves a shape that it does not know as it is."""


@pytest.mark.parametrize(
    ("optimize", "says"),
    [
        (swap(lambda hidden, place: -hidden if place % 2 else hidden), "verdicts differ"),
        (swap(lambda hidden, _: hidden * float("nan")), "verdicts differ"),
        (swap(lambda hidden, _: hidden[:, :5]), "failed with RuntimeError"),
        (breaks, "failed with RuntimeError"),
    ],
    ids=["other-verdicts", "no-numbers", "other-shape", "raises"],
)
def test_what_cannot_be_trusted_is_undone_and_said(
    folder: Path,
    plain: list[float],
    monkeypatch: pytest.MonkeyPatch,
    optimize: Callable[[Any], None],
    says: str,
) -> None:
    install(monkeypatch, optimize)
    with pytest.warns(UserWarning, match=f"disentangled-flash is not used: .*{says}"):
        model = load(folder)
    assert not isinstance(model._model.deberta.encoder, PackedEncoder)
    assert not any(isinstance(module, Attention) for module in model._model.modules())
    assert "without padding" not in model.card.way
    assert values(model) == plain


def test_a_model_that_the_package_leaves_alone_is_scored_plainly_without_a_word(
    folder: Path, plain: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, refuses)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert values(load(folder)) == plain


def test_without_the_package_or_a_card_nothing_is_tried(folder: Path) -> None:
    assert not packed_deberta.available(load(folder)._model)
