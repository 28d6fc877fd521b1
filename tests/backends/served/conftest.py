"""What tests of served models share: tokenizers without weights, short waits, texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.served.server import FakeServed
from fakes.served.sglang import FakeSGLang
from fakes.served.tei import FakeTEI
from fakes.served.vllm import FakeVLLM
from given.support import no_settings_from_files
from given.tiny_models import tiny_deberta, tiny_qwen3

from ivan_core.backends.served.sending import PATIENCE


@pytest.fixture(scope="session")
def chat_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tokenizer and config of a chat model, and no weights."""
    return _without_weights(tiny_qwen3(tmp_path_factory.mktemp("served") / "chat"))


@pytest.fixture(scope="session")
def pair_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tokenizer and config of a model of sentence pairs, and no weights."""
    return _without_weights(tiny_deberta(tmp_path_factory.mktemp("served") / "pairs"))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    no_settings_from_files(monkeypatch)
    monkeypatch.setenv(PATIENCE, "2")


OnHub = Callable[[Path], str]
"""Puts a model into the cache of the hub; its name there."""
COMMIT = "5" * 40


@pytest.fixture
def on_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OnHub:
    """A cache of the hub that holds what a test puts there, while the hub itself is away."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def put(folder: Path) -> str:
        repository = cache / f"models--lab--{folder.name}"
        (repository / "snapshots").mkdir(parents=True)
        (repository / "snapshots" / COMMIT).symlink_to(folder)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(COMMIT)
        return f"lab/{folder.name}"

    return put


@pytest.fixture
def chat_name(on_hub: OnHub, chat_folder: Path) -> str:
    return on_hub(chat_folder)


@pytest.fixture
def pair_name(on_hub: OnHub, pair_folder: Path) -> str:
    return on_hub(pair_folder)


@pytest.fixture
def vllm(chat_name: str) -> Iterator[FakeVLLM]:
    with FakeVLLM() as server:
        server.root = chat_name
        yield server


@pytest.fixture
def sglang(chat_name: str) -> Iterator[FakeSGLang]:
    with FakeSGLang() as server:
        server.root = chat_name
        yield server


@pytest.fixture
def tei(pair_folder: Path, pair_name: str) -> Iterator[FakeTEI]:
    with FakeTEI(counter(pair_folder)) as server:
        server.root = pair_name
        yield server


@pytest.fixture(params=["vllm", "sglang", "tei"])
def served(request: pytest.FixtureRequest) -> FakeServed:
    """Each engine in turn."""
    found: FakeServed = request.getfixturevalue(request.param)
    return found


def counter(folder: Path) -> Callable[[tuple[str, ...]], int]:
    """How many tokens a text, or a question and its answer, have for a tokenizer."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    return lambda texts: len(tokenizer(*texts)["input_ids"])


def _without_weights(folder: Path) -> Path:
    (folder / "model.safetensors").unlink()
    return folder
