"""What a run keeps in its folder of where its models work; a later worker reads it there."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from ivan_core.domain.engine_choice import EngineChoice
from ivan_core.runs.storage import replacing, storage_errors

_FILE = "engine.json"


def keep_choice(folder: Path, choice: EngineChoice) -> None:
    """Keep where the models of a run work, in place of what was kept before.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / _FILE) as temporary:
            temporary.write_text(choice.model_dump_json(), "utf-8")


def kept_choice(folder: Path) -> EngineChoice:
    """Where the models of a run work; on this machine where nothing else is kept."""
    try:
        return EngineChoice.model_validate_json((folder / _FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return EngineChoice()
