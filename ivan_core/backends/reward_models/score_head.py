"""Is there a score head, and which of its numbers is the reward?"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ivan_core.backends.reward_models.model_files import weight_names
from ivan_core.domain.errors import BackendUnavailable

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
