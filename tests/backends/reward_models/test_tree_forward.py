"""One forward for texts that begin alike gives the scores of the texts by themselves."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from given.tiny.decoders import PAD, VOCABULARY, tiny_decoder

from ivan_core.backends.reward_models.shared_prompts import Tree, plan_trees
from ivan_core.backends.reward_models.sharing_rules import ATTENTIVE, why_not_shared, window
from ivan_core.backends.reward_models.tree_forward import tree_logits

torch.set_num_threads(1)


def texts_of(prefix: int, *tails: int, seed: int = 1) -> list[list[int]]:
    """Texts that share `prefix` tokens and then go on for so many tokens each."""
    rng = random.Random(f"{seed} {prefix} {tails}")
    shared = [rng.randrange(1, VOCABULARY) for _ in range(prefix)]
    # The first tokens of the tails differ, so that nothing more is shared.
    return [
        [*shared, 1 + i, *(rng.randrange(1, VOCABULARY) for _ in range(tail - 1))]
        for i, tail in enumerate(tails)
    ]


GROUPS = [texts_of(20, 9, 4), texts_of(35, 1, 30, 12, 3), texts_of(0, 7, 5), texts_of(90, 8, 25)]


def alone(model: Any, text: list[int]) -> float:
    with torch.inference_mode():
        return float(model(input_ids=torch.tensor([text]), use_cache=False).logits[0, 0])


def as_trees(model: Any, groups: list[list[list[int]]]) -> list[float]:
    """The scores of all groups' texts, each group a tree, all trees in one batch."""
    texts, trees = [], []
    for group in groups:
        places = tuple(range(len(texts), len(texts) + len(group)))
        prefix = next(
            (i for i, ids in enumerate(zip(*group, strict=False)) if len(set(ids)) > 1), 0
        )
        trees.append(Tree(prefix, places, sum(map(len, group)) - (len(group) - 1) * prefix))
        texts += group
    with torch.inference_mode():
        return [float(score) for score in tree_logits(model, trees, texts, PAD)[:, 0]]


def furthest(model: Any, groups: list[list[list[int]]]) -> float:
    """How far a score is off at most, as a share of the scores' spread."""
    expected = [alone(model, text) for group in groups for text in group]
    found = as_trees(model, groups)
    off = max(abs(a - b) for a, b in zip(expected, found, strict=True))
    return off / (max(expected) - min(expected))


@pytest.mark.parametrize("kind", sorted(ATTENTIVE))
def test_every_type_that_may_share_gives_the_scores_of_single_texts(kind: str) -> None:
    model = tiny_decoder(kind)
    assert why_not_shared(model) == ""
    assert furthest(model, GROUPS) < 1e-5


@pytest.mark.parametrize("kind", ["qwen3", "llama", "gpt2"])
def test_with_eager_attention_too(kind: str) -> None:
    model = tiny_decoder(kind, attn_implementation="eager")
    assert (model.config._attn_implementation, why_not_shared(model)) == ("eager", "")
    assert furthest(model, GROUPS) < 1e-5


def test_a_row_may_be_longer_than_the_table_of_positions() -> None:
    # 100 + 4 * 60 = 340 tokens in a row, where GPT-2 here has 256 positions and no text has 170.
    assert furthest(tiny_decoder("gpt2"), [texts_of(100, 60, 60, 60, 60)]) < 1e-5


@pytest.mark.parametrize(
    ("kind", "config", "width"),
    [
        ("mistral", {"sliding_window": None}, None),
        ("mistral", {"sliding_window": 16}, 16),
        ("qwen2", {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1}, 16),
        ("qwen2", {"use_sliding_window": False, "sliding_window": 16}, None),
        ("gemma2", {"sliding_window": 16}, 16),
        ("gemma3_text", {"sliding_window": 16}, 16),
        ("mixtral", {"sliding_window": 16}, 16),
        ("phi3", {"sliding_window": 16}, 16),
        ("llama", {}, None),
    ],
)
def test_the_window_is_what_the_config_says(
    kind: str, config: dict[str, Any], width: int | None
) -> None:
    assert window(tiny_decoder(kind, **config)) == width


WINDOWED = [
    ("mistral", {}),
    ("mixtral", {}),
    ("phi3", {}),
    ("qwen2", {"use_sliding_window": True, "max_window_layers": 1}),
    ("gemma2", {}),
    ("gemma3_text", {}),
]


@pytest.mark.parametrize(("kind", "config"), WINDOWED)
def test_up_to_the_window_texts_may_share_and_past_it_they_would_be_wrong(
    kind: str, config: dict[str, Any]
) -> None:
    group = texts_of(30, 10, 6)  # The longest has 40 tokens.
    assert furthest(tiny_decoder(kind, sliding_window=40, **config), [group]) < 1e-5
    narrow = tiny_decoder(kind, sliding_window=16, **config)
    assert furthest(narrow, [group]) > 0.01
    plan = plan_trees(group, 32, window(narrow))
    assert (plan.trees, plan.alone) == ([], [0, 1])


@pytest.mark.parametrize(
    ("kind", "config", "says"),
    [
        ("qwen3_next", {}, "qwen3_next were not tried"),
        ("bloom", {"n_head": 2, "n_layer": 2}, "bloom were not tried"),
        ("gemma3_text", {"use_bidirectional_attention": True}, "what comes after"),
        ("llama", {"is_causal": False}, "what comes after"),
        (
            "llama",
            {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}},
            "depend on the longest text",
        ),
    ],
)
def test_other_models_never_share(kind: str, config: dict[str, Any], says: str) -> None:
    assert says in why_not_shared(tiny_decoder(kind, **config))


def test_a_model_with_recurrent_layers_would_be_wrong_without_a_word() -> None:
    assert furthest(tiny_decoder("qwen3_next"), GROUPS) > 0.01


def test_an_attention_that_takes_no_mask_is_not_used() -> None:
    model = tiny_decoder("qwen3")
    model.config._attn_implementation = "flash_attention_2"
    assert "flash_attention_2" in why_not_shared(model)
