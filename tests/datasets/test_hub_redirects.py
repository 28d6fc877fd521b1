"""The hub's token stays with the hub, although files come from other hosts."""

from __future__ import annotations

import gzip
import re
import shutil
import threading
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import httpx2
import pytest
from fakes.hub import FreshProcess, StandinHub, hub_environment
from fakes.listening import Listening, Told
from given.hub_places import jsonl, opened, pairs
from given.tiny_models import tiny_deberta
from huggingface_hub import constants

from ivan_core.datasets import hub_client
from ivan_core.datasets.hub_client import MOST_FACTS, keep_token_home

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
    from ivan_core.backends.reward_models.model_files import find_model

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


BOMB = gzip.compress(b" " * (MOST_FACTS + 1))


def drip() -> Iterator[bytes]:
    pause = threading.Event()
    while True:
        pause.wait(0.02)
        yield b" "


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Told(200, BOMB, {"Content-Encoding": "gzip"}), "sends more than 64 MB"),
        (Told(200, pieces=repeat(b" " * 2**16)), "sends more than 64 MB"),
        (Told(200, pieces=drip()), "(The connection to the hub broke off|cannot be reached)"),
        (Told(200, b"[" * 100_000), "could not be loaded from the hub"),
        (Told(200, b'{"sha": ' + b"9" * 5_000 + b"}"), "could not be loaded from the hub"),
    ],
    ids=["packed", "plain", "drip", "deep", "digits"],
)
def test_what_a_hub_answers_ends_in_a_sentence(tmp_path, answer, says):
    with Listening(lambda came: answer) as sick:
        environment = hub_environment(sick.url, tmp_path, IVAN_REQUEST_SECONDS="2")
        with FreshProcess(environment, tmp_path / "errors.txt") as process:
            for found in (
                process.call(opened, source="lab/pairs"),
                process.call(refused, model=MODEL),
            ):
                assert re.search(says, found["says"])
                assert found["hint"].endswith(".")


def refused(model: str) -> dict[str, str]:
    """Called in the fresh process: why a model cannot be had."""
    from ivan_core.backends.reward_models.model_files import find_model
    from ivan_core.domain.errors import IvanError

    try:
        find_model(model)
    except IvanError as error:
        return {"says": error.message, "hint": error.hint}
    return {}


@pytest.mark.parametrize(
    ("endpoint", "url", "kept"),
    [
        ("https://huggingface.co", "https://huggingface.co/api/models/a", True),
        ("https://huggingface.co", "https://datasets-server.huggingface.co/parquet", True),
        ("https://huggingface.co", "http://huggingface.co/api/models/a", False),
        ("https://huggingface.co", "https://huggingface.co:444/api/models/a", False),
        ("https://huggingface.co", "https://nothuggingface.co/", False),
        ("https://mirror.example", "https://huggingface.co/api/models/a", False),
        ("http://mirror.example", "https://mirror.example/api/models/a", False),
        ("http://mirror.example", "http://cdn.mirror.example/file", False),
    ],
)
def test_the_token_is_for_the_hub_s_own_address(monkeypatch, endpoint, url, kept):
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    request = httpx2.Request("GET", url, headers={"Authorization": f"Bearer {TOKEN}"})
    keep_token_home(request)
    assert ("Authorization" in request.headers) is kept


def forget(home: Path) -> None:
    for folder in ("hub", "datasets"):
        shutil.rmtree(home / folder, ignore_errors=True)


@pytest.mark.parametrize(("own", "used"), [("", TOKEN), ("hf_another", "hf_another")])
def test_a_token_of_the_settings_files_is_the_librarys_where_it_has_no_other(
    monkeypatch: pytest.MonkeyPatch, own: str, used: str
) -> None:
    from huggingface_hub import get_token

    monkeypatch.setenv("HF_TOKEN", own)
    if not own:
        monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(hub_client, "setting", lambda name: {"HF_TOKEN": TOKEN}.get(name, ""))
    hub_client.hand_over_token()
    assert get_token() == used
