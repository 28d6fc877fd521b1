"""Make random reward models of real shapes, to measure scoring with: `make_models.py OUT TEXTS`.

Their scores mean nothing, and their speed is that of trained ones. The tokenizers are trained on
TEXTS, JSON Lines with `chosen` and `rejected` (may be gzipped), so that texts have real lengths.
Then: `ivan bench scoring --limits --model OUT/qwen3-6 --dataset TEXTS`.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForSequenceClassification,
    DebertaV2Config,
    ElectraConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
)

VOCABULARY = 16_000
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
)
_QWEN3 = {
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40_960,
}
_TINY = _QWEN3 | {"hidden_size": 128, "intermediate_size": 384, "head_dim": 16}
_LARGE = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
}
_DEBERTA_V3 = _LARGE | {
    "relative_attention": True,
    "position_buckets": 256,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
    "max_position_embeddings": 512,
    "pooler_hidden_size": 1024,
}
SHAPES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "qwen3-tiny": (Qwen3Config, _TINY | {"num_hidden_layers": 2}),
    "qwen3-6": (Qwen3Config, _QWEN3 | {"num_hidden_layers": 6}),
    "qwen3-0.6b": (Qwen3Config, _QWEN3 | {"num_hidden_layers": 28}),
    "deberta-6": (DebertaV2Config, _DEBERTA_V3 | {"num_hidden_layers": 6}),
    "deberta-v3-large": (DebertaV2Config, _DEBERTA_V3),
    "electra-large": (ElectraConfig, _LARGE | {"embedding_size": 1024}),
}


def texts(path: Path) -> Iterator[str]:
    """Both sides of every pair of the file."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for line in file:
            pair = json.loads(line)
            yield from (pair["chosen"], pair["rejected"])


def tokenizer(chat: bool, path: Path) -> PreTrainedTokenizerFast:
    """Byte-level BPE; for pairs with the separators of an encoder."""
    specials = ["<|pad|>", "<|im_start|>", "<|im_end|>", "[CLS]", "[SEP]"]
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    pieces.train_from_iterator(
        texts(path),
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=specials,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    if chat:
        made = PreTrainedTokenizerFast(
            tokenizer_object=pieces, eos_token="<|im_end|>", pad_token="<|pad|>"
        )
        made.chat_template = CHATML
        return made
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(name, pieces.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        pad_token="<|pad|>",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=512,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def make(name: str, out: Path, path: Path) -> None:
    """Write one of the shapes into a folder of its name."""
    kind, size = SHAPES[name]
    read_by = tokenizer(kind is Qwen3Config, path)
    torch.manual_seed(7)
    config = kind(
        vocab_size=len(read_by),
        pad_token_id=read_by.pad_token_id,
        id2label={0: "reward"},
        label2id={"reward": 0},
        **size,
    )
    model = AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(out / name)
    read_by.save_pretrained(out / name)
    print(f"{out / name}: {model.num_parameters():,} parameters")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SHAPES)}; the first two if none")
    asked = parser.parse_args()
    for one in asked.names or list(SHAPES)[:2]:
        make(one, asked.out, asked.texts)
