"""The demo's OpenAI API, reached by the real client over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from given.demo_requests import (
    LABELS,
    as_file,
    batch_file,
    batch_line,
    client,
    finished,
    labelled,
    replies,
    rows,
    send,
)
from given.support import wait_for

from ivan_core.demo.server import DemoServer


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(answer=labelled) as running:
        yield running


@pytest.fixture
def api(server: DemoServer, request: pytest.FixtureRequest) -> openai.OpenAI:
    """A client whose account no other test has."""
    return client(server, key=request.node.name)


def test_an_uploaded_file_comes_back_byte_for_byte(api: openai.OpenAI, tmp_path: Path) -> None:
    content = b"--x\r\n\r\n{}\r\n\x00\xff--\n" * 3
    path = tmp_path / "part 1.jsonl"
    path.write_bytes(content)
    with path.open("rb") as opened:
        uploaded = api.files.create(file=opened, purpose="batch")
    assert api.files.content(uploaded.id).content == content
    told = api.files.retrieve(uploaded.id)
    assert (told.filename, told.bytes, told.purpose) == ("part 1.jsonl", len(content), "batch")
    assert api.files.delete(uploaded.id).deleted
    with pytest.raises(openai.NotFoundError):
        api.files.retrieve(uploaded.id)


def test_a_batch_goes_from_creation_to_its_output_file(api: openai.OpenAI) -> None:
    created = send(api, batch_file(3), run="r1", part="0")
    assert created.status == "validating"
    assert created.metadata == {"run": "r1", "part": "0"}
    assert created.request_counts is not None
    assert created.request_counts.total == 0

    batch = api.batches.retrieve(created.id)
    assert (batch.status, batch.error_file_id, batch.model) == ("completed", None, "gpt-6-luna")
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed) == (3, 3)
    # "Label 0.chosen" has 14 characters: 4 tokens; the reply's 68 are 17.
    assert batch.usage is not None
    assert (batch.usage.input_tokens, batch.usage.output_tokens) == (12, 51)
    found = replies(rows(api, batch.output_file_id))
    assert found == {"0.chosen": LABELS, "1.chosen": LABELS, "2.chosen": LABELS}


def test_results_come_in_another_order_each_time_the_same(api: openai.OpenAI) -> None:
    asked = [f"{row}.chosen" for row in range(20)]
    orders = []
    for _ in range(2):
        batch = finished(api, batch_file(20))
        orders.append([line["custom_id"] for line in rows(api, batch.output_file_id)])
    assert orders[0] == orders[1] != asked
    assert sorted(orders[0]) == sorted(asked)


def test_batches_are_listed_newest_first_page_by_page(api: openai.OpenAI) -> None:
    ids = [send(api, batch_file(1)).id for _ in range(5)]
    page = api.batches.list(limit=2)
    assert ([batch.id for batch in page.data], page.has_more) == (ids[:2:-1], True)
    assert [batch.id for batch in api.batches.list(limit=2)] == ids[::-1]


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ([batch_line("0.chosen"), batch_line("0.chosen")], "duplicate_custom_id", 2),
        ([batch_line("0.chosen", url="/v1/embeddings")], "mismatched_url", 1),
        ([batch_line("0.chosen", body={"messages": []})], "missing_required_parameter", 1),
        ([batch_line("")], "missing_required_parameter", 1),
        (
            [batch_line("0.chosen"), batch_line("1.chosen", body={"model": "x"})],
            "mismatched_model",
            2,
        ),
        ([], "empty_file", None),
    ],
)
def test_a_bad_file_fails_at_a_later_look_not_at_creation(
    api: openai.OpenAI, lines: list[dict[str, object]], code: str, line: int | None
) -> None:
    created = send(api, as_file(lines))
    assert created.status == "validating"
    batch = api.batches.retrieve(created.id)
    assert (batch.status, batch.output_file_id, batch.usage) == ("failed", None, None)
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [(problem.code, problem.line) for problem in batch.errors.data] == [(code, line)]


def test_half_a_line_is_told_by_its_number(api: openai.OpenAI) -> None:
    batch = finished(api, batch_file(2)[:-20])
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [(e.code, e.line) for e in batch.errors.data] == [("invalid_json_line", 2)]


def test_more_than_fifty_thousand_lines_are_refused(api: openai.OpenAI) -> None:
    batch = finished(api, b"{}\n" * 50_001)
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [e.code for e in batch.errors.data] == ["too_many_requests"]


def test_a_cancelled_batch_keeps_the_half_that_was_done(api: openai.OpenAI) -> None:
    created = send(api, batch_file(4))
    assert api.batches.cancel(created.id).status == "cancelling"
    batch = api.batches.retrieve(created.id)
    assert batch.status == "cancelled"
    assert set(replies(rows(api, batch.output_file_id))) == {"0.chosen", "1.chosen"}
    with pytest.raises(openai.ConflictError):
        api.batches.cancel(created.id)


def test_a_batch_with_a_length_passes_every_state_and_its_counts_grow() -> None:
    seen: list[tuple[str, int]] = []

    def look() -> openai.types.Batch:
        (batch,) = api.batches.list()
        assert batch.request_counts is not None
        seen.append((batch.status, batch.request_counts.completed))
        return batch

    def labelled_and_looked_at(*asked: Any) -> str:
        look()
        return labelled(*asked)

    with DemoServer(answer=labelled_and_looked_at, batch_seconds=0.1) as server:
        api = client(server)
        sent = send(api, batch_file(4))
        wait_for(lambda: api.batches.retrieve(sent.id).status == "completed")
        batch = look()
    assert seen == [
        ("in_progress", 0),
        ("in_progress", 1),
        ("in_progress", 2),
        ("in_progress", 3),
        ("completed", 4),
    ]
    assert batch.in_progress_at and batch.finalizing_at and batch.completed_at


def test_a_running_batch_can_be_cancelled() -> None:
    with DemoServer(answer=labelled, batch_seconds=3600) as server:
        api = client(server)
        batch_id = send(api, batch_file(50)).id
        api.batches.cancel(batch_id)
        while (batch := api.batches.retrieve(batch_id)).status == "cancelling":
            continue
        assert (batch.status, batch.output_file_id) == ("cancelled", None)


def test_accounts_do_not_see_each_other(server: DemoServer) -> None:
    mine = client(server, key="mine")
    batch = finished(mine, batch_file(1))
    for other in (client(server, key="other"), client(server, key="mine", organization="org")):
        assert list(other.batches.list()) == []
        with pytest.raises(openai.NotFoundError):
            other.batches.retrieve(batch.id)
        with pytest.raises(openai.NotFoundError):
            other.files.content(batch.output_file_id or "")
        with pytest.raises(openai.BadRequestError):
            other.batches.create(
                input_file_id=batch.input_file_id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
            )


def test_without_a_key_nothing_is_done(server: DemoServer) -> None:
    api = client(server, default_headers={"Authorization": "Bearer"})
    with pytest.raises(openai.AuthenticationError) as refused:
        api.models.list()
    assert refused.value.code == "invalid_api_key"


def test_the_server_says_that_it_is_a_demo(api: openai.OpenAI) -> None:
    assert [model.id for model in api.models.list()] == ["gpt-6-luna", "ivan-demo"]
    assert api.models.with_raw_response.list().headers["x-ivan-demo"] == "1"


def test_a_chat_is_answered_and_a_missing_message_refused(api: openai.OpenAI) -> None:
    said = api.chat.completions.create(
        model="gpt-6-luna", messages=[{"role": "user", "content": "Hi"}]
    )
    assert said.choices[0].message.content == LABELS
    assert said.choices[0].finish_reason == "stop"
    with pytest.raises(openai.BadRequestError) as refused:
        api.chat.completions.create(model="gpt-6-luna", messages=[])
    assert refused.value.param == "messages"


def test_requests_are_logged_without_the_key(server: DemoServer) -> None:
    before = server.requests.count("POST", "/v1/batches", status=200)
    send(client(server, key="sk-very-secret"), batch_file(1))
    assert server.requests.count("POST", "/v1/batches", status=200) == before + 1
    assert "very-secret" not in json.dumps(server.requests.as_json())
