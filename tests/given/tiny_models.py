"""Tiny random reward models, built in a moment: the shapes of the real ones, nothing to fetch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.domain.transcripts import Dialogue

if TYPE_CHECKING:
    from ivan_core.backends.reward_models.scoring import TransformersRewardModel

LEXICON = (
    "how do i bake bread you knead the dough well and wait an hour no sorry cannot help with that "
    "why not because it is late yes of course thank hello question answer reply old new first "
    "second third one two three four five six seven eight nine ten"
)

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
)
CHATML_WITH_BOS = "{{ bos_token }}" + CHATML


def load(model: Path | str, **options: Any) -> TransformersRewardModel:
    """A model ready to score, on the CPU."""
    from ivan_core.backends.reward_models.loading import load_model
    from ivan_core.backends.reward_models.scoring import TransformersRewardModel

    return TransformersRewardModel(load_model(str(model), **{"device": "cpu"} | options))


def tiny_deberta(folder: Path, *, labels: dict[int, str] | None = None, **config: Any) -> Path:
    """A DebertaV2 pair model as DeBERTa-v3 is set up: relative positions only, trained at 512."""
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    tokenizer = _pair_tokenizer()
    defaults: dict[str, Any] = dict(  # noqa: C408
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
        relative_attention=True,
        position_buckets=16,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        type_vocab_size=0,
        pooler_hidden_size=32,
        pooler_hidden_act="gelu",
        pad_token_id=tokenizer.pad_token_id,
    )
    settings = DebertaV2Config(**(defaults | _labels(labels) | config))
    return _save(folder, DebertaV2ForSequenceClassification, settings, tokenizer)


def tiny_electra(folder: Path, *, labels: dict[int, str] | None = None, **config: Any) -> Path:
    """An Electra pair model: a table of 512 positions, past which it fails."""
    from transformers import ElectraConfig, ElectraForSequenceClassification

    tokenizer = _pair_tokenizer()
    defaults: dict[str, Any] = dict(  # noqa: C408
        vocab_size=len(tokenizer),
        embedding_size=32,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
        pad_token_id=tokenizer.pad_token_id,
    )
    settings = ElectraConfig(**(defaults | _labels(labels) | config))
    return _save(folder, ElectraForSequenceClassification, settings, tokenizer)


def tiny_qwen3(
    folder: Path, *, pad: str | None = "<|im_end|>", template: str | None = CHATML, **config: Any
) -> Path:
    """A Qwen3 chat model. By default its padding token is the one that ends texts: the trap."""
    from transformers import Qwen3Config, Qwen3ForSequenceClassification

    tokenizer = _chat_tokenizer(pad, template)
    defaults: dict[str, Any] = dict(  # noqa: C408
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        intermediate_size=64,
        max_position_embeddings=1024,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
    settings = Qwen3Config(**(defaults | _labels(None) | config))
    return _save(folder, Qwen3ForSequenceClassification, settings, tokenizer)


def without_head(folder: Path) -> Path:
    """The same directory with the score head's weights taken out of its files."""
    from safetensors.torch import load_file, save_file

    weights = folder / "model.safetensors"
    kept = {
        name: tensor
        for name, tensor in load_file(weights).items()
        if not name.startswith(("classifier.", "score."))
    }
    save_file(kept, weights, metadata={"format": "pt"})
    return folder


def as_pickle(folder: Path) -> Path:
    """The same directory with its weights as a pickle only."""
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def ask(reply: str, question: str = "how do i bake bread?") -> Dialogue:
    """A dialogue of one question and one reply, in words the tiny tokenizers know."""
    return Dialogue(f"\n\nHuman: {question}\n\nAssistant: {reply}")


def plain_score(folder: Path, *texts: str) -> float:
    """The model card's way: one text through the tokenizer and the model, first logit."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    plain = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        return float(plain(**tokenizer(*texts, return_tensors="pt")).logits[0, 0])


def _labels(labels: dict[int, str] | None) -> dict[str, Any]:
    names = labels or {0: "LABEL_0"}
    return {"id2label": names, "label2id": {name: i for i, name in names.items()}}


def _save(folder: Path, kind: Any, config: Any, tokenizer: Any) -> Path:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = kind(config).eval()
        for parameter in model.parameters():
            # Untrained weights give almost equal scores; larger ones make texts tell apart.
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _pair_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = sorted(set(LEXICON + "HA:?!,.") - {" "})
    pieces = [*specials, *letters, *(f"##{letter}" for letter in letters), *LEXICON.split()]
    # Written down, not trained: training breaks ties differently in each process.
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    words = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    words.normalizer = normalizers.NFC()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(name, words.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def _chat_tokenizer(pad: str | None, template: str | None) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    specials = ["<|bos|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    pieces.add_special_tokens(specials)
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    has_bos = template is not None and "bos_token" in template
    if has_bos:
        pieces.post_processor = processors.TemplateProcessing(
            single="<|bos|> $A", special_tokens=[("<|bos|>", pieces.token_to_id("<|bos|>"))]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        eos_token="<|im_end|>",
        pad_token=pad,
        bos_token="<|bos|>" if has_bos else None,
    )
    tokenizer.chat_template = template
    return tokenizer
