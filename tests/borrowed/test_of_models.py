"""What scoring uses from inside transformers, torch and Ray."""

from __future__ import annotations

import inspect
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from given.borrowed import borrowed


@pytest.fixture(scope="module")
def encoder() -> Any:
    """A DeBERTa of two layers, random."""
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    small: dict[str, Any] = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
    config = DebertaV2Config(vocab_size=20, num_hidden_layers=2, pooler_hidden_size=8, **small)
    return DebertaV2ForSequenceClassification(config).eval()


@pytest.fixture(scope="module")
def decoder() -> Any:
    """A Qwen 3 of one layer, random."""
    from transformers import Qwen3Config, Qwen3ForSequenceClassification

    small: dict[str, Any] = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
    more: dict[str, Any] = {"num_key_value_heads": 2, "head_dim": 4, "num_labels": 1}
    config = Qwen3Config(vocab_size=20, num_hidden_layers=1, pad_token_id=0, **small, **more)
    return Qwen3ForSequenceClassification(config).eval()


MODELS = "ivan_core/backends/reward_models/"


@borrowed(
    "transformers",
    "_attn_implementation",
    "set_attn_implementation",
    by=f"{MODELS}checked_attention.py {MODELS}sharing_rules.py",
)
def test_a_models_attention_is_told_and_changed_by_name(decoder: Any) -> None:
    assert decoder.config._attn_implementation == "sdpa"
    decoder.set_attn_implementation("eager")
    assert decoder.config._attn_implementation == "eager"
    decoder.set_attn_implementation("sdpa")


@borrowed("transformers", "model.score", "model.base_model", by=f"{MODELS}tree_forward.py")
def test_a_decoder_takes_a_mask_of_its_own_and_has_a_bare_score(decoder: Any) -> None:
    import torch

    ids = torch.tensor([[3, 4, 5]])
    alone = decoder(input_ids=ids[:, [0, 2]]).logits
    lowest = torch.finfo(torch.float32).min
    # The last token sees the first and itself, as if the second were not there.
    mask = torch.tensor([[0, lowest, lowest], [0, 0, lowest], [0, lowest, 0]])[None, None]
    hidden = decoder.base_model(
        input_ids=ids, attention_mask=mask, position_ids=torch.tensor([[0, 1, 1]]), use_cache=False
    ).last_hidden_state
    assert torch.allclose(decoder.score(hidden[:, -1]), alone, atol=1e-6)


@borrowed("transformers", "ATTENTIVE", by=f"{MODELS}sharing_rules.py")
def test_each_type_of_model_that_was_tried_is_known_by_that_name() -> None:
    from transformers import CONFIG_MAPPING

    from ivan_core.backends.reward_models.sharing_rules import ATTENTIVE

    assert sorted(name for name in ATTENTIVE if name not in CONFIG_MAPPING) == []


@borrowed(
    "transformers",
    "layer_types",
    "rope_parameters",
    "rope_type",
    "get_text_config",
    by=f"{MODELS}sharing_rules.py",
)
def test_a_config_tells_how_layers_look_back_and_positions_turn(decoder: Any) -> None:
    config = decoder.config.get_text_config()
    assert config.layer_types == ["full_attention"]
    assert config.rope_parameters["rope_type"] == "default"


@borrowed(
    "transformers",
    "deberta.encoder",
    "attention.self",
    "model.classifier",
    "model.dropout",
    "model.pooler",
    by=f"{MODELS}packed_deberta.py",
)
def test_a_debertas_parts_have_the_names_that_are_swapped(encoder: Any) -> None:
    import torch

    layer = encoder.deberta.encoder.layer[0]
    assert all(callable(part) for part in (layer.attention.self, layer.intermediate, layer.output))
    ids = torch.tensor([[3, 4, 5]])
    positions, types = torch.arange(3)[None], torch.zeros((1, 3), dtype=torch.long)
    embedded = encoder.deberta.embeddings(
        input_ids=ids, token_type_ids=types, position_ids=positions
    )
    first = encoder.deberta.encoder(embedded, torch.ones_like(ids)).last_hidden_state[:, :1]
    assert torch.allclose(
        encoder.classifier(encoder.dropout(encoder.pooler(first))), encoder(input_ids=ids).logits
    )


@borrowed("transformers", "layer.intermediate", "layer.output", by=f"{MODELS}compiled_layers.py")
def test_a_layers_feed_forward_part_can_be_replaced(encoder: Any) -> None:
    layer = encoder.deberta.encoder.layer[1]
    before = layer.intermediate, layer.output
    layer.intermediate, layer.output = before
    assert (layer.intermediate, layer.output) == before


@borrowed("transformers", "pytorch_utils", "Conv1D", by=f"{MODELS}products.py")
def test_a_conv1d_has_its_weights_the_other_way_round() -> None:
    from transformers.pytorch_utils import Conv1D

    assert tuple(Conv1D(3, 5).weight.shape) == (5, 3)


@borrowed("transformers", "transformers.utils", "is_progress_bar_enabled", by=f"{MODELS}loading.py")
def test_transformers_reports_can_be_switched_off_and_on() -> None:
    from transformers.utils import logging

    assert logging.is_progress_bar_enabled() in (True, False)
    assert callable(logging.disable_progress_bar) and callable(logging.enable_progress_bar)


@borrowed("torch", "torch.utils._pytree", by=f"{MODELS}large.py")
def test_torch_reports_under_a_name_that_is_made_quiet() -> None:
    assert find_spec("torch.utils._pytree") is not None


@borrowed(
    "ray",
    "_temp_dir",
    "ray.scripts.scripts",
    "ray_remote_args_fn",
    "initial_size",
    "enable_progress_bars",
    "RAY_USAGE_STATS_ENABLED",
    "RAY_DATA_USAGE_DISABLED",
    by="ivan_core/backends/pools/ray_cluster.py",
)
def test_ray_takes_what_its_documentation_does_not_tell() -> None:
    import ray.data

    # `ray.init` takes any name and complains of those that it does not know when it is called.
    assert "_temp_dir" in inspect.getsource(ray.init)
    assert "ray_remote_args_fn" in inspect.signature(ray.data.Dataset.map_batches).parameters
    assert "initial_size" in inspect.signature(ray.data.ActorPoolStrategy).parameters
    assert "enable_progress_bars" in ray.data.DataContext.__dataclass_fields__
    assert find_spec("ray.scripts.scripts") is not None
    usage = "\n".join(
        (Path(ray.__file__).parent / path).read_text("utf-8")
        for path in ("_common/usage/usage_constants.py", "data/_internal/usage/collector.py")
    )
    assert "RAY_USAGE_STATS_ENABLED" in usage and "RAY_DATA_USAGE_DISABLED" in usage
