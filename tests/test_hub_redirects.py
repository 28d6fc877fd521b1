"""The hub's token stays with the hub, although files come from other hosts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_places import jsonl, opened, pairs
from standin_hub import FreshProcess, StandinHub
from tiny_models import tiny_deberta

TOKEN = "hf_secret"
MODEL = "lab/model"


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandinHub, StandinHub]]:
    """The hub, and a server elsewhere that has the same files."""
    root = tmp_path_factory.mktemp("hub")
    with StandinHub(root) as hub, StandinHub(root) as elsewhere:
        hub.add("datasets", "lab/pairs", {"train.jsonl": jsonl(pairs("x", 3))})
        hub.add_model(MODEL, tiny_deberta(tmp_path_factory.mktemp("built") / "model"))
        yield hub, elsewhere


def found(model: str) -> list[str]:
    """Called in the fresh process: the files of a model."""
    from ivan_core.backends.model_files import find_model

    return sorted(path.name for path in find_model(model).folder.iterdir())


@pytest.mark.parametrize("call", ["resolve", "api"])
def test_files_come_from_another_host_and_the_token_does_not_go_there(hubs, tmp_path, call):
    hub, elsewhere = hubs
    home = tmp_path / "home"
    home.mkdir()
    with FreshProcess(hub.environment(home, HF_TOKEN=TOKEN), tmp_path / "errors.txt") as process:
        for status in (301, 302, 303, 307, 308):
            for server in hubs:
                server.tokens.clear()
            hub.sends_on = (call, status, elsewhere.url)
            assert len(process.call(opened, source="lab/pairs")["rows"]) == 3, status
            assert "model.safetensors" in process.call(found, model=MODEL), status
            assert set(hub.tokens) == {f"Bearer {TOKEN}"}
            assert elsewhere.tokens and set(elsewhere.tokens) == {""}, status
            forget(home)


def forget(home: Path) -> None:
    for folder in ("hub", "datasets"):
        shutil.rmtree(home / folder, ignore_errors=True)
