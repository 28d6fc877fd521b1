"""What tests of the demo server share: batch files, clients, and a batch from upload to end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import openai
from openai.types import Batch

from ivan_core.demo.server import DemoServer

LABELS = '{"last_response_is_helpful": true, "topics": ["Health and fitness"]}'


def labelled(system: str, user: str, schema: Mapping[str, object]) -> str:
    """A model that gives every text the same two labels."""
    return LABELS


def client(server: DemoServer, key: str = "demo", **options: Any) -> openai.OpenAI:
    """The real client, which asks once."""
    return openai.OpenAI(base_url=server.openai_url, api_key=key, max_retries=0, **options)


def batch_line(custom_id: str, **changes: object) -> dict[str, object]:
    body = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": f"Label {custom_id}"}]}
    line = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return line | changes


def batch_file(lines: int) -> bytes:
    return as_file([batch_line(f"{row}.chosen") for row in range(lines)])


def as_file(lines: Sequence[Mapping[str, object]]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def send(api: openai.OpenAI, content: bytes, **metadata: str) -> Batch:
    """Upload a file and create its batch."""
    uploaded = api.files.create(file=("part.jsonl", content), purpose="batch")
    return api.batches.create(
        input_file_id=uploaded.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata=metadata,
    )


def finished(api: openai.OpenAI, content: bytes) -> Batch:
    """A batch of a server whose batches end at the first retrieve."""
    return api.batches.retrieve(send(api, content).id)


def raw(api: openai.OpenAI, file_id: str | None) -> bytes:
    """A result file as it is; nothing where there is none."""
    return api.files.content(file_id).content if file_id else b""


def rows(api: openai.OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in raw(api, file_id).splitlines()]


def replies(lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The text of every line by its custom_id."""
    return {
        line["custom_id"]: line["response"]["body"]["choices"][0]["message"]["content"]
        for line in lines
    }
