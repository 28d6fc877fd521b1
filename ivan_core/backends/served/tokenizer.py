"""The tokenizer of a served model: in a folder, on the hub or in its cache, without the weights."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ivan_core.backends.reward_models.loading import load_tokenizer, quiet, rewarded_logit
from ivan_core.backends.served.address import Address
from ivan_core.backends.served.engine import Told
from ivan_core.datasets.hub_client import guard_hub, hub_problem
from ivan_core.domain.errors import ODD_DATA, BackendUnavailable, IvanError

_FILES = ("*.json", "*.txt", "*.model", "*.jinja")
_HUB_ID = re.compile(r"\w+(?:[.-]\w+)*/\w+(?:[.-]\w+)*", re.ASCII)
"""What the hub allows: nothing that begins with a dot or holds two of them, as paths do."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Found:
    """A tokenizer, the name or folder that it was found under, and what the config says."""

    tokenizer: Any
    source: str
    folder: Path

    def rewarded(self, logits: int, labels: tuple[str, ...]) -> int:
        """Which of the logits is the reward, by the labels of the server or of the config.

        Raises:
            BackendUnavailable: they do not say, or there are more than two.
        """
        names = dict(enumerate(labels)) or self._labels()
        return rewarded_logit(self.source, SimpleNamespace(num_labels=logits, id2label=names))

    def _labels(self) -> dict[int, str]:
        try:
            told = json.loads((self.folder / "config.json").read_text("utf-8"))["id2label"]
            return {int(number): str(label) for number, label in told.items()}
        except (OSError, *ODD_DATA):
            return {}


def find(address: Address, told: Told) -> Found:
    """The tokenizer of the model that is meant, else of the one that the server tells.

    A folder of this machine is read where the person named it alone: a server may tell any.

    Raises:
        BackendUnavailable: there is none here and none on the hub.
    """
    problem: IvanError | None = None
    for source in dict.fromkeys((address.model, *told.tokenizer)):
        folder, by_person = Path(source), source == address.model
        is_here = by_person and folder.is_absolute() and folder.is_dir()
        # What is called like a name of the hub may be a folder beside the one that IVAN works in.
        if not is_here and (not _HUB_ID.fullmatch(source) or (folder.exists() and not by_person)):
            continue
        try:
            with quiet():
                files = folder if is_here else _from_hub(source, told.revision)
                return Found(load_tokenizer(source, files), source, files)
        except IvanError as error:
            problem = problem or error
    why = f" {problem.message}" if problem else ""
    if problem is None and any("/" in name for name in told.tokenizer):
        why = f" {address.host} tells no name of the hub, and a folder that it tells is not read."
    raise BackendUnavailable(
        f"Texts are tokenised here, and the tokenizer of {told.model} was not found.{why}",
        f"Name it behind a #: {address.url}#owner/name for one on the hub, or the whole path of a "
        "folder.",
    )


def _from_hub(name: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download

    guard_hub()
    commit = revision if _COMMIT.fullmatch(revision) else None
    try:
        return Path(
            snapshot_download(
                name, revision=commit, allow_patterns=list(_FILES), ignore_patterns=["*/*"]
            )
        )
    except Exception as error:
        raise hub_problem(error, "model", name, commit or "") from error
