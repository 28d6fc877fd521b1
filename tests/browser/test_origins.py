"""A server gives its rights to its own pages, and what it writes to its user alone."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from bench.streamlit_client import StreamlitSession
from given import made_runs
from websockets.exceptions import InvalidStatus

FIRST = "Judge the sample with two models"
NOTHING = "A page of another address asked for this one, so nothing is shown."


def seen(session: StreamlitSession) -> str:
    """What a page shows to somebody, and its buttons."""

    async def look() -> str:
        async with session:
            await session.open()
            return "\n".join((*session.texts, *session.buttons.values()))

    # In a thread of its own: the browser's driver has a loop that runs in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, look()).result()


def test_a_page_of_another_port_sees_nothing_and_may_do_nothing(serve, data_dir):
    server = serve()
    port = int(server.base.rpartition(":")[2])
    for origin in ("http://localhost:9999", "http://127.0.0.1:9999", f"http://localhost:{port}"):
        found = seen(StreamlitSession(server.base, "", headers={"Origin": origin}))
        assert NOTHING in found
        assert FIRST not in found
    for origin in ("null", "https://example.org"):
        with pytest.raises(InvalidStatus):
            seen(StreamlitSession(server.base, "", headers={"Origin": origin}))
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=8))
    foreign = {"Origin": "http://localhost:9999"}
    for page in ("analysis", "compare", "pairs", "rewrite", "taxonomy", "review", "runs"):
        found = seen(StreamlitSession(server.base, page, f"run={run_id}", foreign))
        assert NOTHING in found
        assert run_id not in found


def test_own_pages_programs_and_tunnels_see_the_page(serve):
    server = serve()
    port = int(server.base.rpartition(":")[2])
    assert FIRST in seen(StreamlitSession(server.base, ""))
    assert FIRST in seen(StreamlitSession(server.base, "", headers={}))
    for near in ("http://127.0.0.1:9000", "http://localhost:9000"):
        assert FIRST in seen(StreamlitSession(near, "", through=("127.0.0.1", port)))


def test_what_a_server_writes_is_for_its_user_alone(serve, data_dir):
    data_dir.chmod(0o755)
    before = os.umask(0)
    try:
        server = serve(anew=True)
    finally:
        os.umask(before)
    assert FIRST in seen(StreamlitSession(server.base, ""))
    written = [data_dir, *data_dir.rglob("*")]
    assert data_dir / "ivan.sqlite" in written
    assert [path for path in written if path.stat().st_mode & 0o077] == []
