"""Request files: every request once, in parts within the limits, all of them or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from ivan_core.domain.labels import TextKey
from ivan_core.labels.check_requests import file_sha256
from ivan_core.labels.request_files import Request, write_request_files

SLUG = "2026-03-01-09-00"


def body(text: str = "hello") -> dict[str, Any]:
    return {"model": "gpt-6-luna", "messages": [{"role": "user", "content": text}]}


def pairs(rows: int, text: str = "hello", tokens: int = 10) -> Iterator[Request]:
    for row_id in range(rows):
        for side in ("chosen", "rejected"):
            yield TextKey(row_id, side), body(text), tokens


def ids(path: Path) -> list[str]:
    return [json.loads(line)["custom_id"] for line in path.read_bytes().splitlines()]


def test_a_line_is_a_request_of_the_batch_api(tmp_path: Path) -> None:
    (part,) = write_request_files(pairs(1), tmp_path, SLUG)
    first, second = part.path.read_text("utf-8").splitlines()
    assert json.loads(first) == {
        "custom_id": "0.chosen",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body(),
    }
    assert json.loads(second)["custom_id"] == "0.rejected"
    assert part.path == tmp_path / "2026-03-01-09-00-1-input.jsonl"
    content = part.path.read_bytes()
    assert (part.requests, part.bytes, part.tokens) == (2, len(content), 20)
    assert part.sha256 == sha256(content).hexdigest() == file_sha256(part.path)
    assert (part.first, part.last) == (TextKey(0, "chosen"), TextKey(0, "rejected"))
