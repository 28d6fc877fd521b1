"""A request file is read as a provider would before anything is sent; each fault has a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ivan_core.domain.errors import BadInput
from ivan_core.labels.request_files import Limits, check_request_file


def line(custom_id: object = "0.chosen", **other: Any) -> bytes:
    body = {"model": "m", "messages": []}
    record = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps({**record, **other}).encode() + b"\n"


GOOD = line()


def test_a_sound_file_is_told_by_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "input.jsonl"
    path.write_bytes(GOOD + line("0.rejected"))
    checked = check_request_file(path)
    assert (checked.requests, checked.model) == (2, "m")
    assert checked.url == "/v1/chat/completions"
    assert checked.bytes == len(GOOD) + len(line("0.rejected"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD + b"{cut", "line 2: it is not valid JSON"),
        (GOOD + b"\n" + line("1.chosen"), "line 2: it is blank"),
        (GOOD + b'["a list"]\n', "line 2: it is no JSON object"),
        (b"\xef\xbb\xbf" + GOOD, "line 1: it begins with a byte order mark"),
        (GOOD + b'{"custom_id": "\xff"}\n', "line 2: it is not UTF-8"),
        (b"[" * 100_000 + b"\n", "line 1: it is not valid JSON"),
        (b"1" * 10_000 + b"\n", "line 1: it is not valid JSON"),
        (line(body={"model": "m", "x": float("nan")}), "line 1: it is not valid JSON"),
        (GOOD + line("1.chosen") + GOOD, "line 3: its custom_id stands in line 1 too"),
        (line("x" * 65), "line 1: its custom_id is longer than 64"),
        (line(""), "line 1: it has no custom_id"),
        (line(7), "line 1: it has no custom_id"),
        (line(method="GET"), "line 1: its method is not POST"),
        (line(url=None), "line 1: it has no url"),
        (GOOD + line("1.chosen", url="/v1/embeddings"), "line 2: another url than in line 1"),
        (line(body="text"), "line 1: it has no body"),
        (line(body={}), "line 1: its body names no model"),
        (GOOD + line("1.chosen", body={"model": "n"}), "line 2: another model than in line 1"),
        (b"", "is empty"),
    ],
)
def test_what_a_provider_would_reject_is_named_with_its_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "input.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        check_request_file(path)


def test_an_id_of_64_characters_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "input.jsonl"
    path.write_bytes(line("x" * 64))
    assert check_request_file(path).requests == 1


def test_limits_hold_at_their_edge(tmp_path: Path) -> None:
    path = tmp_path / "input.jsonl"
    path.write_bytes(GOOD + line("0.rejected"))
    size = path.stat().st_size
    assert check_request_file(path, Limits(requests=2, bytes=size)).requests == 2
    with pytest.raises(BadInput, match="holds more than 1 requests"):
        check_request_file(path, Limits(requests=1))
    with pytest.raises(BadInput, match=f"a file may have {size - 1}"):
        check_request_file(path, Limits(bytes=size - 1))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        check_request_file(tmp_path / "none.jsonl")
