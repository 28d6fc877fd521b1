"""What reaching the hub, servers and stores uses from inside their libraries."""

from __future__ import annotations

import inspect
import re
import sqlite3
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from given.borrowed import borrowed

MODELS = "ivan_core/backends/reward_models/"


@borrowed("huggingface_hub", "get_session().event_hooks", by="ivan_core/datasets/hub_client.py")
def test_the_hubs_own_client_has_hooks_to_keep() -> None:
    from huggingface_hub import get_session

    assert all(callable(hook) for hook in get_session().event_hooks["request"])


@borrowed("huggingface_hub", "huggingface_hub.utils", by=f"{MODELS}loading.py")
def test_the_hubs_reports_can_be_switched_off() -> None:
    from huggingface_hub.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity(before)
    assert callable(logging.set_verbosity_error)


@borrowed(
    "huggingface_hub",
    "constants.ENDPOINT",
    "is_offline_mode",
    by=f"ivan_core/datasets/hub_client.py {MODELS}model_files.py",
)
def test_the_hubs_address_and_offline_mode_are_told() -> None:
    from huggingface_hub import constants

    assert constants.ENDPOINT.startswith("http") and constants.is_offline_mode() in (True, False)


def _sources(*packages: str) -> Iterator[str]:
    for package in packages:
        spec = find_spec(package)
        assert spec is not None and spec.submodule_search_locations
        for path in Path(spec.submodule_search_locations[0]).rglob("*.py"):
            yield path.read_text("utf-8")


HUB = "ivan_core/datasets/hub_client.py"


@borrowed("huggingface_hub", "_LOST", "_NO_NETWORK", "_NO_DATA", by=HUB)
def test_each_failure_that_is_told_apart_by_name_has_a_class_of_that_name() -> None:
    from ivan_core.datasets import hub_client

    text = Path(hub_client.__file__).read_text("utf-8")
    # Those in quotes, such as "GatedRepoError", and those of the three sets.
    names = {*re.findall(r'"(\w+Error|OfflineModeIsEnabled)"', text), *hub_client._LOST}
    names |= hub_client._NO_NETWORK | hub_client._NO_DATA
    assert len(names) >= 25
    sources = "\n".join(_sources("huggingface_hub", "datasets", "httpx2", "requests"))
    defined = {*re.findall(r"^class (\w+)", sources, re.M), *dir(__import__("builtins"))}
    defined |= {*dir(__import__("socket")), *dir(__import__("http.client").client)}
    assert sorted(names - defined) == []


WORDS = ("is a gated dataset", "revision '", "scripts are no longer supported")


@borrowed("datasets", *WORDS, "not enough disk space", by="ivan_core/datasets/hub_client.py")
def test_the_words_by_which_some_failures_are_known_are_still_said() -> None:
    said = "\n".join(_sources("datasets", "huggingface_hub")).lower()
    assert [word for word in (*WORDS, "not enough disk space") if word not in said] == []


@borrowed(
    "datasets",
    "datasets.naming",
    "datasets.packaged_modules.cache.cache",
    "HF_DATASETS_CACHE",
    by="ivan_core/datasets/sources.py",
)
def test_a_dataset_that_was_fetched_before_is_found_by_its_folders_and_opened() -> None:
    from datasets import config
    from datasets.naming import camelcase_to_snakecase
    from datasets.packaged_modules.cache.cache import Cache

    assert camelcase_to_snakecase("MyPairs") == "my_pairs"
    assert Path(config.HF_DATASETS_CACHE).name == "datasets"
    wanted = {"repo_id", "dataset_name", "config_name", "version", "hash"}
    assert wanted <= inspect.signature(Cache).parameters.keys()


def _carriers() -> list[tuple[ModuleType, ModuleType]]:
    import httpcore
    import httpcore2
    import httpx
    import httpx2

    return [(httpx, httpcore), (httpx2, httpcore2)]


@borrowed(
    "httpx2",
    "SyncByteStream",
    "create_ssl_context",
    "raw_auth",
    "network_backend",
    "SyncBackend",
    by="ivan_core/datasets/guarded_http.py",
)
def test_both_clients_are_made_of_the_same_pieces() -> None:
    for http, core in _carriers():
        proxy = http.Proxy("http://name:secret@127.0.0.1:1")
        assert proxy.raw_auth == (b"name", b"secret") and inspect.isclass(http.SyncByteStream)
        assert "trust_env" in inspect.signature(http.create_ssl_context).parameters
        assert "network_backend" in inspect.signature(core.ConnectionPool).parameters
        assert {"connect_tcp", "sleep"} <= set(dir(core.SyncBackend))


@borrowed("openai", "DefaultHttpxClient", by="ivan_core/backends/openai/client.py")
def test_openais_client_takes_a_transport_and_hooks_of_ours() -> None:
    from ivan_core.backends.openai.client import Account, make_client

    with make_client(Account("http://127.0.0.1:9/v1")) as client:
        assert client.max_retries == 0


@borrowed("ollama", "ollama.Client", "event_hooks", by="ivan_core/backends/ollama/client.py")
def test_ollamas_client_takes_a_transport_and_hooks_of_ours() -> None:
    from ivan_core.backends.ollama.client import OllamaServer

    assert OllamaServer("127.0.0.1:9")._client() is not None


@borrowed("genai_prices", "genai_prices.data", "price_variants", by="ivan_core/backends/prices.py")
def test_prices_lie_in_a_list_of_providers() -> None:
    from genai_prices.data import providers

    (openai,) = [one for one in providers if one.id == "openai"]
    assert openai.models and all(hasattr(model, "price_variants") for model in openai.models)


@borrowed("diskcache", "MODE_RAW", "_directory", "FROM Cache", by="ivan_core/runs/facts.py")
def test_a_fact_lies_as_text_in_a_table_that_is_read_without_the_library(tmp_path: Path) -> None:
    from diskcache.core import MODE_RAW

    from ivan_core.runs.facts import FACTS_FILE, Facts, FactsDisk

    facts = Facts(tmp_path)
    facts.remember("speed", 7)
    facts.close()
    with sqlite3.connect(tmp_path / FACTS_FILE) as database:
        query = "SELECT mode, filename, value FROM Cache WHERE key = ? AND raw = 1"
        assert database.execute(query, ("speed",)).fetchall() == [(MODE_RAW, None, "7")]
    database.close()
    assert FactsDisk(str(tmp_path))._directory == str(tmp_path)


@borrowed("SQLAlchemy", "_mapping", by="ivan_core/annotations/tables.py")
def test_a_row_is_a_mapping_by_column() -> None:
    from sqlalchemy import create_engine, text

    with create_engine("sqlite://").connect() as connection:
        assert dict(connection.execute(text("SELECT 1 AS one")).one()._mapping) == {"one": 1}
