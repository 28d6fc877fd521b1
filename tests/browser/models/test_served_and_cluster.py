"""Models that work elsewhere: on a server by its address, and on a cluster that does not answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes.served.vllm import FakeVLLM
from given import made_runs
from given.support import free_port
from given.tiny_models import tiny_qwen3
from picking import choose
from playwright.sync_api import Page, expect

from ivan_core.backends.pools.ray_cluster import PATIENCE
from ivan_core.runs.registry import Registry

REFUSED = "from another machine needs a login that is listed in IVAN_OWNERS."
JUDGE = re.compile(r"^Judge .* with \d models?$")


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """The tokenizer and config of a chat model, and no weights."""
    folder = tiny_qwen3(tmp_path / "qwen3")
    (folder / "model.safetensors").unlink()
    return folder


@pytest.fixture(autouse=True)
def few_pairs(data_dir: Path) -> str:
    """A comparison of eight pairs, whose study the form goes on with."""
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=8, seed=1))


def open_form(page: Page, url: str) -> None:
    """Open the form of a study of few pairs, with all options."""
    page.goto(url)
    page.get_by_text("More options").click()


def type_address(page: Page, label: str, address: str) -> None:
    field = page.get_by_role("textbox", name=label)
    field.fill(address)
    field.press("Enter")


def test_a_server_is_named_by_an_owner_alone_and_its_facts_stand_by_its_numbers(
    serve, visitor, tokenizer, few_pairs, data_dir, monkeypatch
):
    with FakeVLLM() as vllm:
        vllm.root, vllm.version = "lab/reward", "0.11.2"
        address = f"{vllm.url}#{tokenizer}"
        monkeypatch.setenv("IVAN_BEHIND_PROXY", "1")
        stranger = visitor()
        open_form(stranger, serve().url("/compare", form=1))
        type_address(stranger, "Reward model behind a server", address)
        expect(stranger.get_by_text(REFUSED).first).to_be_visible()
        assert [run.id for run in Registry(data_dir).all()] == [few_pairs] and vllm.read == []
        stranger.close()

        monkeypatch.delenv("IVAN_BEHIND_PROXY")
        page = visitor()
        open_form(page, serve().url("/compare", form=1))
        page.get_by_role("button", name="Clear all").click()
        type_address(page, "Reward model behind a server", address)
        host = vllm.url.removeprefix("http://")
        expect(page.get_by_text(f"The texts go to {host}.")).to_be_visible()
        page.get_by_role("button", name=JUDGE).click()
        expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()
        page.locator(".st-key-trust").get_by_role("button").click()
        facts = re.compile(r"scored by a server: Scored by vLLM 0\.11\.2 with .*prefix caching")
        expect(page.get_by_text(facts)).to_be_visible()
    assert vllm.read


def test_a_cluster_that_does_not_answer_is_told_and_the_run_may_go_on_here(
    serve, page, monkeypatch
):
    monkeypatch.setenv(PATIENCE, "1")
    open_form(page, serve().url("/compare", form=1))
    choose(page, "Models work on", "a Ray cluster")
    nobody = f"127.0.0.1:{free_port()}"
    type_address(page, "Address of the cluster", nobody)
    expect(page.get_by_text("The texts go to the machines of the cluster")).to_be_visible()
    page.get_by_role("button", name=JUDGE).click()
    expect(page.get_by_text(f"There is no Ray cluster at {nobody}")).to_be_visible()
    expect(page.get_by_text("ray start --head")).to_be_visible()
    expect(page.get_by_role("button", name="Resume on this machine")).to_be_visible()
