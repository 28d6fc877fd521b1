"""The original's four reward models, by name over real HTTP, and every way the hub refuses one."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.hub import FreshProcess, StandinHub, hub_environment
from fakes.served.server import logit_of
from fakes.served.vllm import FakeVLLM
from given.tiny_models import as_pickle, load, tiny_deberta, tiny_electra, tiny_qwen3

DEBERTA = "OpenAssistant/reward-model-deberta-v3-base"
MODELS = {
    "OpenAssistant/reward-model-deberta-v3-large-v2": tiny_deberta,
    "OpenAssistant/reward-model-deberta-v3-large": tiny_deberta,
    DEBERTA: tiny_deberta,
    "OpenAssistant/reward-model-electra-large-discriminator": tiny_electra,
}
TEXT = "\n\nHuman: how do i bake bread\n\nAssistant: knead the dough"


def scored(model: str, revision: str | None = None) -> dict[str, Any]:
    """Called in the fresh process: a model's revision and its reward, or the sentence and hint."""
    from ivan_core.domain.errors import IvanError
    from ivan_core.domain.transcripts import Dialogue

    try:
        loaded = load(model, revision=revision)
        (reward,) = loaded.score([Dialogue(TEXT)])
    except IvanError as error:
        return {"error": type(error).__name__, "says": error.message, "hint": error.hint}
    return {"revision": loaded.card.revision, "reward": reward.value, "note": loaded.card.note}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandinHub]:
    built = tmp_path_factory.mktemp("built")
    with StandinHub(tmp_path_factory.mktemp("hub")) as hub:
        for model, build in MODELS.items():
            hub.add_model(model, build(built / model.replace("/", "-")))
        for fault in ("gated", "cut", "error"):
            hub.add_model(f"lab/{fault}", built / DEBERTA.replace("/", "-"))
            hub.faults[f"lab/{fault}"] = fault
        hub.add_model("lab/pickle", as_pickle(tiny_deberta(built / "pickle")))
        yield hub


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def process(hub: StandinHub, home: Path) -> Iterator[FreshProcess]:
    with FreshProcess(hub.environment(home), home / "errors.txt") as process:
        yield process


@pytest.mark.parametrize("model", MODELS)
def test_the_four_models_load_by_name_at_a_pinned_commit(
    process: FreshProcess, hub: StandinHub, model: str
) -> None:
    found = process.call(scored, model=model)
    assert isinstance(found["reward"], float)
    assert found["revision"] == hub.add("models", model, {})


def test_a_pinned_model_in_the_cache_is_loaded_without_asking_the_hub(
    process: FreshProcess, hub: StandinHub
) -> None:
    first = process.call(scored, model=DEBERTA)
    asked = len(hub.requests)
    assert process.call(scored, model=DEBERTA, revision=first["revision"]) == first
    assert len(hub.requests) == asked


def scored_by_server(address: str) -> list[Any]:
    """Called in the fresh process: the reward of a text by a served model, and its format."""
    from ivan_core.domain.transcripts import Dialogue
    from ivan_core.models import reward_models

    model = reward_models.make(address)
    (reward,) = model.score([Dialogue(TEXT)])
    return [reward.value, model.card.input_format]


def test_of_a_served_model_the_tokenizer_is_fetched_and_no_weights(
    process: FreshProcess, hub: StandinHub, tmp_path: Path
) -> None:
    hub.add_model("lab/served", tiny_qwen3(tmp_path))
    with FakeVLLM() as server:
        server.root = "lab/served"
        found = process.call(scored_by_server, address=server.url)
        assert found == [logit_of(server.read[-1]), "chat"]
    asked = [request for request in hub.requests if "lab/served" in request]
    assert any("tokenizer.json" in request for request in asked)
    assert not any("safetensors" in request for request in asked)


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("lab/nowhere", {}, "The hub has no model lab/nowhere"),
        (DEBERTA, {"revision": "v9"}, f"{DEBERTA} has no revision v9"),
        ("lab/gated", {}, "lab/gated is gated"),
        ("lab/cut", {}, "The connection to the hub"),
        ("lab/error", {}, "hub"),
        ("lab/pickle", {}, "lab/pickle has its weights as pickle files only"),
    ],
)
def test_each_refusal_is_a_sentence_and_a_next_step(
    process: FreshProcess, model: str, options: dict[str, str], words: str
) -> None:
    found = process.call(scored, model=model, **options)
    assert words in found["says"]
    assert found["hint"].endswith(".")
    assert "http:" not in found["says"] + found["hint"]


def test_a_pickle_is_never_downloaded(process: FreshProcess, hub: StandinHub) -> None:
    process.call(scored, model="lab/pickle")
    assert not [line for line in hub.requests if line.endswith("pytorch_model.bin")]


def test_without_a_network_the_cached_model_scores_the_same(
    process: FreshProcess, home: Path, tmp_path: Path
) -> None:
    online = process.call(scored, model=DEBERTA)
    environment = hub_environment("http://127.0.0.1:1", home)
    with FreshProcess(environment, tmp_path / "errors.txt") as silent:
        cached = silent.call(scored, model=DEBERTA)
        unknown = silent.call(scored, model="lab/never")
    assert (cached["reward"], cached["revision"]) == (online["reward"], online["revision"])
    assert unknown["error"] == "BackendUnavailable"


def test_the_seal_preset_runs_by_name_from_the_command_line(
    hub: StandinHub, home: Path, tmp_path: Path
) -> None:
    pair = {"chosen": TEXT, "rejected": f"{TEXT} well"}
    rows = "".join(json.dumps({**pair, "chosen": f"{TEXT} {i}"}) + "\n" for i in range(4))
    folders = ("harmless-base", "helpful-base", "helpful-online", "helpful-rejection-sampled")
    hub.add(
        "datasets",
        "Anthropic/hh-rlhf",
        {f"{folder}/train.jsonl.gz": gzip.compress(rows.encode()) for folder in folders},
    )
    done = subprocess.run(
        [sys.executable, "-m", "ivan_core", "compare", "--preset", "seal", "--limit", "6"],
        env=hub.environment(home, IVAN_DATA_DIR=str(tmp_path / "data")),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for model in MODELS:
        (file,) = tmp_path.glob(f"data/compare/*-{model.replace('/', '-')}.csv")
        with file.open(newline="", encoding="utf-8") as lines:
            assert [row["row_id"] for row in csv.DictReader(lines)] == list("012345")
    (stats,) = tmp_path.glob("data/compare/*-stats.csv")
    with stats.open(newline="", encoding="utf-8") as lines:
        assert [row["model_name"] for row in csv.DictReader(lines)] == list(MODELS)
