"""The demo server's switchboard: what each fault does to answers, batches and result files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from given.demo_requests import (
    LABELS,
    batch_file,
    client,
    finished,
    labelled,
    raw,
    replies,
    rows,
    send,
)
from given.support import wait_for

from ivan_core.demo import fault_names as names
from ivan_core.demo.faults import Faults
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BadInput


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(answer=labelled) as running:
        yield running


@pytest.fixture
def api(server: DemoServer) -> openai.OpenAI:
    return client(server, timeout=300)


def create(api: openai.OpenAI, file_id: str) -> openai.types.Batch:
    return api.batches.create(
        input_file_id=file_id, endpoint="/v1/chat/completions", completion_window="24h"
    )


@pytest.mark.parametrize(
    ("fault", "error", "batches"),
    [
        (names.RATE_LIMITED, openai.RateLimitError, 0),
        (names.INSUFFICIENT_QUOTA, openai.RateLimitError, 0),
        (names.SERVER_ERROR, openai.InternalServerError, 0),
        (names.TIMEOUT, openai.APITimeoutError, 0),
        (names.RESET, openai.APIConnectionError, 0),
        (names.COMMIT_THEN_TIMEOUT, openai.APITimeoutError, 1),
        (names.COMMIT_THEN_RESET, openai.APIConnectionError, 1),
        (names.TRUNCATED_BODY, openai.APIConnectionError, 1),
    ],
)
def test_a_lost_answer_leaves_a_batch_behind_or_does_not(
    server: DemoServer, fault: str, error: type[Exception], batches: int
) -> None:
    api = client(server, timeout=300)
    hasty = client(server, timeout=0.5 if error is openai.APITimeoutError else 300)
    file_id = api.files.create(file=("a.jsonl", batch_file(1)), purpose="batch").id
    server.faults.set(fault, times=1, method="POST", path="/v1/batches")
    with pytest.raises(error):
        create(hasty, file_id)
    wait_for(lambda: server.requests.count("POST", "/v1/batches") == 1)
    wait_for(lambda: len(server.state.batches) == batches)
    assert len(list(api.batches.list())) == batches
    assert create(api, file_id).status == "validating"


def test_a_refusal_for_its_rate_says_when_to_come_back(
    server: DemoServer, api: openai.OpenAI
) -> None:
    server.faults.set(names.RATE_LIMITED, times=1, amount=7)
    server.faults.set(names.INSUFFICIENT_QUOTA, times=1)
    with pytest.raises(openai.RateLimitError) as first:
        api.models.list()
    assert (first.value.code, first.value.response.headers["retry-after"]) == (
        "rate_limit_exceeded",
        "7",
    )
    with pytest.raises(openai.RateLimitError) as second:
        api.models.list()
    assert second.value.code == "insufficient_quota"
    assert server.requests.count("GET", "/v1/models", status=429) == 2


def test_the_client_by_itself_would_pay_twice_for_one_lost_answer(server: DemoServer) -> None:
    api = client(server)
    file_id = api.files.create(file=("a.jsonl", batch_file(1)), purpose="batch").id
    server.faults.set(names.COMMIT_THEN_RESET, times=1, path="/v1/batches")
    create(api.with_options(max_retries=1), file_id)
    assert len(server.state.batches) == 2


def test_a_new_batch_can_be_missing_from_lists(server: DemoServer, api: openai.OpenAI) -> None:
    server.faults.set(names.LAGGING_LIST, times=1, amount=2)
    lagging, plain = send(api, batch_file(1)), send(api, batch_file(1))
    seen = [[batch.id for batch in api.batches.list()] for _ in range(3)]
    assert seen == [[plain.id], [plain.id], [plain.id, lagging.id]]
    assert api.batches.retrieve(lagging.id).status == "completed"


def test_an_expired_batch_keeps_what_was_finished(server: DemoServer, api: openai.OpenAI) -> None:
    server.faults.set(names.EXPIRED, times=1)
    batch = finished(api, batch_file(4))
    assert batch.status == "expired"
    assert set(replies(rows(api, batch.output_file_id))) == {"0.chosen", "1.chosen"}
    late = {line["custom_id"]: line["error"]["code"] for line in rows(api, batch.error_file_id)}
    assert late == {"2.chosen": "batch_expired", "3.chosen": "batch_expired"}
    assert finished(api, batch_file(4)).status == "completed"


@pytest.mark.parametrize(("empty", "no_file"), [(False, None), (True, "")])
def test_a_completed_batch_can_lack_its_output_file(
    server: DemoServer, api: openai.OpenAI, empty: bool, no_file: str | None
) -> None:
    server.faults.set(names.NO_OUTPUT_FILE)
    if empty:
        server.faults.set(names.EMPTY_FILE_IDS)
    batch = finished(api, batch_file(2))
    assert (batch.status, batch.output_file_id) == ("completed", no_file)
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (0, 2)
    assert len(rows(api, batch.error_file_id)) == 2


def test_a_provider_can_refuse_a_good_file(server: DemoServer, api: openai.OpenAI) -> None:
    server.faults.set(names.VALIDATION_FAILURE, times=1)
    batch = finished(api, batch_file(2))
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [problem.code for problem in batch.errors.data] == ["token_limit_exceeded"]
    assert batch.status == "failed"


def parsed(content: bytes) -> tuple[list[str], list[bytes]]:
    """The ids of the lines that can be read, and the lines that cannot."""
    ids: list[str] = []
    broken: list[bytes] = []
    for line in content.splitlines():
        try:
            ids.append(json.loads(line)["custom_id"])
        except ValueError:
            broken.append(line)
    return ids, broken


@pytest.mark.parametrize(
    ("fault", "readable", "distinct", "broken"),
    [
        (names.DROPPED_LINES, 3, 3, 0),
        (names.DUPLICATED_LINES, 5, 4, 0),
        (names.DIFFERING_DUPLICATES, 5, 4, 0),
        (names.GARBLED_LINE, 3, 3, 1),
        (names.CUT_LAST_LINE, 3, 3, 1),
        (names.UNKNOWN_ID, 4, 4, 0),
    ],
)
def test_lines_of_a_result_file_can_be_damaged(
    server: DemoServer, api: openai.OpenAI, fault: str, readable: int, distinct: int, broken: int
) -> None:
    server.faults.set(fault)
    content = raw(api, finished(api, batch_file(4)).output_file_id)
    ids, bad = parsed(content)
    assert (len(ids), len(set(ids)), len(bad)) == (readable, distinct, broken)
    assert ("999999999.chosen" in ids) == (fault == names.UNKNOWN_ID)
    assert content.endswith(b"\n") == (fault != names.CUT_LAST_LINE)


def test_duplicates_are_equal_or_differ(server: DemoServer, api: openai.OpenAI) -> None:
    server.faults.set(names.DUPLICATED_LINES, ids=["0.chosen"])
    server.faults.set(names.DIFFERING_DUPLICATES, ids=["1.chosen"])
    lines = rows(api, finished(api, batch_file(2)).output_file_id)
    texts = {row: [replies([x])[row] for x in lines if x["custom_id"] == row] for row in ids(lines)}
    assert texts["0.chosen"] == [LABELS, LABELS]
    assert texts["1.chosen"] == [LABELS, LABELS.replace("true", "false")]


def ids(lines: list[dict[str, Any]]) -> list[str]:
    return [line["custom_id"] for line in lines]


def test_results_can_come_in_reverse(server: DemoServer, api: openai.OpenAI) -> None:
    server.faults.set(names.REORDERED)
    lines = rows(api, finished(api, batch_file(3)).output_file_id)
    assert ids(lines) == ["2.chosen", "1.chosen", "0.chosen"]


def test_files_can_have_a_mark_and_line_ends_of_windows(
    server: DemoServer, api: openai.OpenAI
) -> None:
    server.faults.set(names.BOM_AND_CRLF)
    content = raw(api, finished(api, batch_file(2)).output_file_id)
    assert content.startswith(b"\xef\xbb\xbf{")
    assert content.count(b"\r\n") == content.count(b"\n") == 2


def test_error_lines_come_in_both_shapes(server: DemoServer, api: openai.OpenAI) -> None:
    server.faults.set(names.ERROR_STATUS, ids=["0.chosen"])
    server.faults.set(names.ERROR_NULL, ids=["1.chosen"])
    batch = finished(api, batch_file(3))
    assert ids(rows(api, batch.output_file_id)) == ["2.chosen"]
    failed = {line["custom_id"]: line for line in rows(api, batch.error_file_id)}
    assert failed["0.chosen"]["response"]["status_code"] == 400
    assert failed["0.chosen"]["response"]["body"]["error"]["code"] == "demo_fault"
    assert failed["1.chosen"]["response"] is None
    assert failed["1.chosen"]["error"]["code"] == "server_error"


def test_errors_can_stand_among_the_results_as_strings(
    server: DemoServer, api: openai.OpenAI
) -> None:
    server.faults.set(names.ERROR_NULL)
    server.faults.set(names.ERRORS_IN_OUTPUT)
    batch = finished(api, batch_file(2))
    assert batch.error_file_id is None
    errors = [line["error"] for line in rows(api, batch.output_file_id)]
    assert sorted(errors, key=str) == [None, "failed"]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (names.CODE_FENCE, f"```json\n{LABELS}\n```"),
        (names.TRAILING_COMMA, LABELS[:-1] + ",}"),
        (names.BOOLEAN_STRINGS, LABELS.replace("true", '"True"')),
        (names.NEAR_TOPICS, LABELS.replace("Health and fitness", "health & fitness")),
        (names.INVENTED_TOPICS, LABELS.replace("]", ', "Cooking"]')),
        (names.MISSING_KEY, '{"last_response_is_helpful": true}'),
        (names.EMPTY_REPLY, ""),
    ],
)
def test_a_reply_can_be_almost_valid_in_a_batch_and_in_a_chat(
    server: DemoServer, api: openai.OpenAI, fault: str, text: str
) -> None:
    server.faults.set(fault, times=1, path="/v1/batches", ids=["1.chosen"])
    found = replies(rows(api, finished(api, batch_file(2)).output_file_id))
    assert found == {"0.chosen": LABELS, "1.chosen": text}
    server.faults.set(fault, times=1)
    assert [said(api).message.content for _ in range(2)] == [text, LABELS]


def said(api: openai.OpenAI) -> Any:
    messages: Any = [{"role": "user", "content": "Hi"}]
    return api.chat.completions.create(model="gpt-6-luna", messages=messages).choices[0]


def test_a_model_can_refuse_run_out_or_be_filtered(api: openai.OpenAI, server: DemoServer) -> None:
    for fault in (names.REFUSAL, names.LENGTH, names.CONTENT_FILTER):
        server.faults.set(fault, times=1)
    refused, short, filtered = said(api), said(api), said(api)
    assert (refused.message.content, refused.finish_reason) == (None, "stop")
    assert refused.message.refusal == "I'm sorry, but I can't help with that."
    assert (short.message.content, short.finish_reason) == (LABELS[: len(LABELS) // 2], "length")
    assert (filtered.message.content, filtered.finish_reason) == ("", "content_filter")


def test_several_faults_strike_lines_of_their_own(server: DemoServer, api: openai.OpenAI) -> None:
    server.faults.set(names.DROPPED_LINES, amount=2)
    server.faults.set(names.CODE_FENCE, amount=3)
    found = replies(rows(api, finished(api, batch_file(10)).output_file_id))
    assert len(found) == 8
    assert sum(text.startswith("```") for text in found.values()) == 3


def test_a_fault_strikes_so_often_after_so_many_chances_and_only_there() -> None:
    faults = Faults()
    faults.set(names.RESET, times=2, skip=1, method="POST", path="/v1/b")
    assert faults.take(names.RESET, "GET", "/v1/batches") is None
    assert faults.take(names.RESET, "POST", "/v1/files") is None
    struck = [faults.take(names.RESET, "POST", "/v1/batches") is not None for _ in range(4)]
    assert struck == [False, True, True, False]
    with pytest.raises(BadInput, match="no fault called 'rest'"):
        faults.set("rest")


def test_the_switchboard_can_be_set_over_http(server: DemoServer, api: openai.OpenAI) -> None:
    asked = {"name": "server-error", "times": 1, "path": "/v1/models"}
    assert httpx.post(f"{server.url}/faults", json=asked).json()["faults"][0]["times"] == 1
    with pytest.raises(openai.InternalServerError):
        api.models.list()
    api.models.list()
    for bad in ({"name": "nonsense"}, {"name": "reset", "times": "often"}):
        assert httpx.post(f"{server.url}/faults", json=bad).status_code == 400
    assert httpx.post(f"{server.url}/faults", json={"clear": True}).json() == {"faults": []}
    logged = httpx.get(f"{server.url}/requests").json()["requests"]
    assert [entry["status"] for entry in logged if entry["path"] == "/v1/models"] == [500, 200]
