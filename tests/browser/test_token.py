"""The token of a server on a shared machine: nobody is the owner without its link."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from app_server import ROOT, AppServer
from bench.streamlit_client import StreamlitSession
from fakes.reward_models import Fakes
from given.support import free_port, wait_for
from playwright.sync_api import Page, expect

from ivan_core.runs.registry import Registry

NOTICE = "You may read and review here. The owner of this server does more"
REFUSED = "Starting a run is for the owner of this server."
FIRST = re.compile("Judge the sample with two models")
LINK = re.compile(r"http://127\.0\.0\.1:\d+/#token=(\S+)")


@pytest.fixture(autouse=True)
def asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVAN_TOKEN", "1")


def link_of(server: AppServer) -> str:
    """The newest link in the terminal of a server, which tells it with its first page."""
    return str(list(LINK.finditer(server.log))[-1].group(0))


def notice(page: Page):
    return page.get_by_text(NOTICE)


def test_only_who_opens_the_link_is_the_owner(serve, visitor, data_dir):
    server = serve(Fakes(), anew=True)
    stranger = visitor()
    stranger.goto(server.url())
    expect(notice(stranger)).to_be_visible()
    stranger.get_by_role("button", name=FIRST).click()
    expect(stranger.get_by_text(REFUSED)).to_be_visible()
    assert Registry(data_dir).all() == []

    owner = visitor()
    link = link_of(server)
    token = link.partition("#token=")[2]
    owner.goto(link)
    owner.wait_for_url(server.url())  # it left the address
    owner.get_by_role("button", name=FIRST).click()
    expect(owner.get_by_text("sides with the author's choice in").first).to_be_visible()
    owner.reload()
    expect(owner.get_by_text("sides with the author's choice in").first).to_be_visible()
    tab = owner.context.new_page()
    tab.goto(server.url("/runs"))
    expect(tab.get_by_text("Select a run")).to_be_visible()
    for page in (owner, tab):
        expect(notice(page)).to_have_count(0)
        assert token not in page.content() and token not in page.evaluate("document.cookie")
    written = [path for path in data_dir.rglob("*") if path.is_file()]
    assert not any(token.encode() in path.read_bytes() for path in written)

    server.kill()
    server.start()
    owner.goto(server.url())
    expect(notice(owner)).to_be_visible()
    assert token not in link_of(server)
    wait_for(lambda: owner.evaluate("localStorage.getItem('ivan-token')") is None)
    owner.goto(link_of(server))
    owner.wait_for_url(server.url())
    expect(notice(owner)).to_have_count(0)


def test_a_program_that_knows_no_token_sees_nothing_to_press(serve):
    server = serve(anew=True)

    async def seen(headers: dict[str, str] | None) -> list[str]:
        async with StreamlitSession(server.base, "", headers=headers) as session:
            await session.open()
            return [*session.buttons, *session.texts]

    for headers in (None, {}, {"Cookie": "ivan-token=guess"}):
        with ThreadPoolExecutor(1) as thread:  # the browser's driver has a loop in this one
            assert thread.submit(asyncio.run, seen(headers)).result() == []


def test_ivan_app_tells_the_link_before_any_page_is_asked_for(data_dir):
    with subprocess.Popen(
        [sys.executable, "-m", "ivan_core", "app", "--port", str(free_port())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            assert any(LINK.search(line) for line in server.stdout)
        finally:
            server.kill()
