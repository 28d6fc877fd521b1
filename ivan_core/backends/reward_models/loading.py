"""Load a reward model and its tokenizer with transformers; refuse what is no reward model.

Is there a score head, and which of its numbers is the reward?
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ivan_core.backends.reward_models import large
from ivan_core.backends.reward_models.model_files import find_model, parameters_in, weight_names
from ivan_core.backends.reward_models.tokens import TokenRules, guess_format
from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError
from ivan_core.domain.models import InputFormat, ModelCard, Quantization, SystemTurns

HEADS = ("score.", "classifier.", "classification_head.", "pre_classifier.", "logits_proj.")
LABELS = (
    ("chosen", "rejected"),
    ("accepted", "rejected"),
    ("preferred", "dispreferred"),
    ("good", "bad"),
    ("better", "worse"),
    ("positive", "negative"),
    ("pos", "neg"),
    ("helpful", "unhelpful"),
    ("harmless", "harmful"),
    ("correct", "incorrect"),
    ("yes", "no"),
    ("true", "false"),
)
"""Labels of two-way heads whose first name is the rewarded one."""
ENDLESS = 1_000_000
"""A tokenizer's maximum from here on means that nobody set one (transformers says 10^30)."""
PAD = "<|ivan-pad|>"
FEWEST_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to score: module in inference state, fast tokenizer, completed card.

    `rewarded` is the index of the logit that is the reward; of two, the other is subtracted.
    """

    model: Any
    tokenizer: Any
    rules: TokenRules
    card: ModelCard
    rewarded: int


def load_model(
    model_id: str,
    *,
    revision: str | None = None,
    input_format: InputFormat | None = None,
    max_tokens: int | None = None,
    system: SystemTurns = "keep",
    quantization: Quantization = "none",
    device: str | None = None,
    memory: Mapping[large.Device, int] | None = None,
    card: ModelCard | None = None,
) -> Loaded:
    """Find, load and check a reward model of the hub (owner/name) or a local directory.

    `input_format` is guessed where it is not given; `max_tokens` can only shorten what the model
    allows; `system` says whether system turns are put before it; `quantization` in how many bits
    the weights are held; `device` is cuda where there is one; `memory` is what each device has free
    in bytes, by default each graphics card of the machine where no device is named: a model that
    the first cannot hold is spread over all. `card` holds what is known of the model beforehand.
    Raises BadInput for options that do not fit the model and BackendUnavailable for a model that
    cannot be had or is no reward model.
    """
    check_options(input_format, max_tokens)
    if memory is None:
        memory = {} if device else large.free_memory()
    device = device or _best_device()
    with quiet():
        files = find_model(model_id, revision)
        tokenizer = load_tokenizer(model_id, files.folder)
        model = _load_weights(model_id, files.folder, device, quantization, memory)
    rewarded = rewarded_logit(model_id, model.config)
    chosen = choose_format(model_id, tokenizer, input_format)
    rules = _token_rules(tokenizer, model, chosen, max_tokens, system)
    devices = large.devices_of(model)
    spread = f"Spread over {devices} devices." if devices > 1 else ""
    if spread:
        large.check_spread(model_id, model)
    known = (card or ModelCard(id=model_id)).model_copy(
        update={"revision": files.revision, "input_format_guessed": input_format is None}
    )
    note = " ".join(part for part in (known.note, files.note, spread) if part)
    completed = _complete(known.model_copy(update={"note": note}), model, tokenizer, rules)
    return Loaded(model, tokenizer, rules, completed, rewarded)


def ensure_pad_token(tokenizer: Any, model: Any) -> int:
    """The padding token's id: a new unused token where there is none, or one that texts use.

    Where padding is the end-of-text token, or one that the chat template ends a turn with, the
    model's head takes a text's last token for padding and silently reads the score at another one.
    Sets it on the tokenizer and the config.
    """
    taken = {
        tokenizer.eos_token_id,
        tokenizer.bos_token_id,
        tokenizer.unk_token_id,
        tokenizer.cls_token_id,
        tokenizer.sep_token_id,
        None,
    }
    if tokenizer.pad_token_id in taken or _written_by_template(tokenizer):
        tokenizer.add_special_tokens({"pad_token": PAD})
        if tokenizer.pad_token_id >= model.get_input_embeddings().num_embeddings:
            model.resize_token_embeddings(tokenizer.pad_token_id + 1, mean_resizing=False)
    pad = int(tokenizer.pad_token_id)
    model.config.pad_token_id = pad
    model.config.get_text_config().pad_token_id = pad
    return pad


def _written_by_template(tokenizer: Any) -> bool:
    """Whether the chat template itself writes the padding token."""
    if not tokenizer.chat_template:
        return False
    turn = [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]
    try:
        written = str(tokenizer.apply_chat_template(turn, tokenize=False))
    except Exception:  # A template may raise what it likes; it is told of each dialogue.
        written = str(tokenizer.chat_template)
    return str(tokenizer.pad_token) in written


def position_limit(model: Any) -> int | None:
    """How many positions the model has a table for; None for relative and rotary positions."""
    for name, module in model.named_modules():
        if name.endswith(("position_embeddings", "embed_positions", ".wpe")) and hasattr(
            module, "num_embeddings"
        ):
            # RoBERTa counts positions from its padding token on, OPT from an offset on.
            padding = getattr(module, "padding_idx", None)
            skipped = getattr(module, "offset", 0) if padding is None else padding + 1
            return int(module.num_embeddings) - int(skipped)
    return None


def check_options(input_format: InputFormat | None, max_tokens: int | None) -> None:
    """Refuse a format for other models, or a length that leaves no room.

    Raises:
        BadInput: one of them cannot be.
    """
    if input_format == "reply":
        raise BadInput(
            "The format 'reply' is for embedding models.",
            "Choose last-turn, openassistant, as-published or chat (--input-format).",
        )
    if max_tokens is None:
        return
    if input_format == "as-published":
        raise BadInput(
            "The format as-published never shortens texts, so it takes no maximum length.",
            "Leave out --max-tokens, or choose last-turn (--input-format).",
        )
    if max_tokens < FEWEST_TOKENS:
        raise BadInput(
            f"A maximum length of {max_tokens} tokens leaves no room for a text.",
            f"Give at least {FEWEST_TOKENS}.",
        )


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def load_tokenizer(model_id: str, folder: Path) -> Any:
    """The fast tokenizer in a folder.

    Raises:
        BackendUnavailable: there is none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        raise _unreadable(model_id, "tokenizer", error) from error
    if not tokenizer.is_fast:
        raise BackendUnavailable(
            f"{model_id} has no fast tokenizer.", "Choose a model with a tokenizer.json."
        )
    return tokenizer


def _load_weights(
    model_id: str,
    folder: Path,
    device: str,
    quantization: Quantization,
    memory: Mapping[large.Device, int],
) -> Any:
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        dtype = _dtype(config, device)
        numbers = parameters_in(folder)
        bits = 8 if quantization == large.INT8 else 8 * dtype.itemsize
        spread = large.shares(model_id, numbers and numbers * bits // 8, memory)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            **large.loading_options(model_id, spread, quantization),
        )
        check_head(model_id, sorted(info["missing_keys"]))
        model = model.eval().requires_grad_(False)
        return model if spread is not None else model.to(device)
    except IvanError:
        raise
    except torch.OutOfMemoryError as error:
        raise BackendUnavailable(
            f"{model_id} does not fit in the graphics card's memory.",
            "Free the card, or choose a smaller model.",
        ) from error
    except Exception as error:
        raise _unreadable(model_id, "model", error) from error


def _dtype(config: Any, device: str) -> Any:
    """fp32 on a CPU; on CUDA fp16 for encoders and, as their authors ship them, bf16 for decoders.

    Against fp32, bf16 changed 4.8% of an untrained DeBERTa's verdicts, fp16 0.6%.
    """
    import torch
    from transformers import AutoModelForSequenceClassification

    if not device.startswith("cuda"):
        return torch.float32
    with torch.device("meta"):
        empty = AutoModelForSequenceClassification.from_config(config)
    # Decoders have a bare linear `score` read at the last token; encoders have a `classifier`.
    return torch.bfloat16 if hasattr(empty, "score") else torch.float16


def _unreadable(model_id: str, part: str, error: Exception) -> IvanError:
    if isinstance(error, ValueError) and "trust_remote_code" in str(error):
        return BackendUnavailable(
            f"{model_id} comes with code of its own, which IVAN does not run.",
            "Choose a model of an architecture that transformers knows.",
        )
    if isinstance(error, ImportError):
        return BackendUnavailable(
            f"The {part} of {model_id} needs a Python package that is not installed.",
            "Its model card names it; install it beside IVAN.",
        )
    return BackendUnavailable(
        f"The {part} of {model_id} cannot be read ({type(error).__name__}): its files are damaged, "
        "incomplete or of a kind that transformers does not know.",
        "Download or copy the model again, or choose another.",
    )


def choose_format(model_id: str, tokenizer: Any, asked: InputFormat | None) -> InputFormat:
    """The format that is asked for, else the one that fits the tokenizer.

    Raises:
        BadInput: chat, where there is no chat template.
    """
    has_template = bool(tokenizer.chat_template)
    if asked == "chat" and not has_template:
        raise BadInput(
            f"{model_id} has no chat template, so the format chat cannot be used.",
            "Choose last-turn (--input-format), or none: the one that fits is taken.",
        )
    return asked or guess_format(has_template)


def _token_rules(
    tokenizer: Any, model: Any, input_format: InputFormat, asked: int | None, system: SystemTurns
) -> TokenRules:
    pad = ensure_pad_token(tokenizer, model)
    positions = position_limit(model)
    trained = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    said = tokenizer.model_max_length
    limits = (said if said < ENDLESS else None, trained, positions, asked)
    shortest = min((int(limit) for limit in limits if limit and limit > 0), default=None)
    return TokenRules(
        input_format=input_format,
        max_tokens=None if input_format == "as-published" else shortest,
        positions=positions,
        vocabulary=int(model.get_input_embeddings().num_embeddings),
        pad_id=pad,
        system=system,
    )


def _complete(card: ModelCard, model: Any, tokenizer: Any, rules: TokenRules) -> ModelCard:
    import torch

    name = f" ({torch.cuda.get_device_name(model.device)})" if model.device.type == "cuda" else ""
    computes_in = str(model.dtype).removeprefix("torch.")
    return card.model_copy(
        update={
            "input_format": rules.input_format,
            "system": rules.system,
            "max_tokens": rules.max_tokens,
            "dtype": f"int8 ({computes_in})" if large.is_int8(model) else computes_in,
            "template_hash": template_hash(tokenizer, rules.input_format),
            "parameters": model.num_parameters(),
            "device": model.device.type + name,
            "head_label": head_label(model.config),
        }
    )


def template_hash(tokenizer: Any, input_format: InputFormat) -> str:
    """32 hex digits of the chat template's SHA-256 for the format chat; empty for others."""
    template = tokenizer.get_chat_template() if input_format == "chat" else ""
    return sha256(template.encode()).hexdigest()[:32] if template else ""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' reports and addresses off the screen: what matters is raised here."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    large.quiet_torchao()
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    hub_level = hub_logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    hub_logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        hub_logging.set_verbosity(hub_level)
        if bars:
            logging.enable_progress_bar()


def check_head(model_id: str, missing: list[str]) -> None:
    """Raise BackendUnavailable if weights the model needs are `missing` from its files.

    transformers fills them with random numbers and a warning, and random scores look like scores.
    """
    head = [name for name in missing if name.startswith(HEADS)]
    if head:
        raise BackendUnavailable(
            f"{model_id} has no score head (its files lack {head[0]}): its scores would be random.",
            "Choose a model that was trained as a reward model.",
        )
    if missing:
        raise BackendUnavailable(
            f"{model_id} is incomplete: its files lack {len(missing)} weights, {missing[0]} first.",
            "Download or copy the model again.",
        )


def check_files(model_id: str, folder: Path) -> None:
    """Refuse a model whose files already tell that it gives no reward; nothing is loaded.

    Raises:
        BackendUnavailable: its weights have no score head, or its config tells of several scores.
    """
    names = weight_names(folder)
    if names is not None and not any(name.startswith(HEADS) for name in names):
        check_head(model_id, ["score.weight"])
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        labels = {int(number): label for number, label in (config.get("id2label") or {}).items()}
        count = len(labels) or int(config.get("num_labels", 2))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise BackendUnavailable(
            f"{model_id} is damaged: its config.json cannot be read.",
            "Download or copy the model again.",
        ) from error
    known = {number: labels.get(number, f"LABEL_{number}") for number in range(count)}
    rewarded_logit(model_id, SimpleNamespace(num_labels=count, id2label=known))


def rewarded_logit(model_id: str, config: Any) -> int:
    """Which logit is the reward: the only one, or the one of two whose label says so.

    Raises BackendUnavailable for unclear labels and for more than two logits.
    """
    count = int(config.num_labels)
    if count == 1:
        return 0
    labels = [str(config.id2label.get(i, "")) for i in range(count)]
    if count == 2:
        names = [label.strip().lower() for label in labels]
        for rewarded in (0, 1):
            if (names[rewarded], names[1 - rewarded]) in LABELS:
                return rewarded
        raise BackendUnavailable(
            f"{model_id} gives two scores labelled {labels[0]!r} and {labels[1]!r}, "
            "and which of them is the reward is not clear.",
            "Set id2label in its config.json, for example to 'rejected' and 'chosen'.",
        )
    raise BackendUnavailable(
        f"{model_id} gives {count} scores a text, so it is not a plain reward model.",
        "Choose a model with one score; multi-objective models need an adapter of their own.",
    )


def head_label(config: Any) -> str:
    """What the config calls the score; empty for the library's own LABEL_0 and the like."""
    labels = [str(label) for label in (config.id2label or {}).values()]
    return ", ".join(label for label in labels if not label.upper().startswith("LABEL_"))
