"""What the provider checks of a batch file before it runs a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

MAX_REQUESTS = 50_000


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One request of a batch file."""

    custom_id: str
    body: dict[str, object]


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """The requests of a file, or the complaints for which none of them will run."""

    lines: tuple[BatchLine, ...]
    problems: tuple[dict[str, object], ...]


def check(content: bytes, endpoint: str) -> CheckedBatch:
    """Read a batch file as the provider does: one complaint is enough for nothing to run."""
    raw = [(n, line) for n, line in enumerate(content.split(b"\n"), 1) if line.strip()]
    if not raw:
        return _refused([_problem("empty_file", "The batch file has no requests.")])
    if len(raw) > MAX_REQUESTS:
        said = f"The batch file has {len(raw)} requests; at most {MAX_REQUESTS} are allowed."
        return _refused([_problem("too_many_requests", said)])
    lines: list[BatchLine] = []
    problems: list[dict[str, object]] = []
    seen: set[str] = set()
    models: set[str] = set()
    for number, line in raw:
        found = _read(number, line, endpoint)
        if isinstance(found, dict):
            problems.append(found)
            continue
        if found.custom_id in seen:
            said = f"The custom_id {found.custom_id!r} occurs twice."
            problems.append(_problem("duplicate_custom_id", said, number, "custom_id"))
        seen.add(found.custom_id)
        models.add(str(found.body["model"]))
        if len(models) == 2 and found.body["model"] != lines[0].body["model"]:
            said = "All requests of a batch ask for the same model."
            problems.append(_problem("mismatched_model", said, number, "body.model"))
        lines.append(found)
    return _refused(problems) if problems else CheckedBatch(tuple(lines), ())


def _read(number: int, line: bytes, endpoint: str) -> BatchLine | dict[str, object]:
    """A line's request, or what is wrong with it."""
    try:
        asked = json.loads(line)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        return _problem("invalid_json_line", "This line is not a JSON object.", number)
    if asked.get("url") != endpoint or asked.get("method") != "POST":
        said = f"The line's method and url are not those of the batch, POST {endpoint}."
        return _problem("mismatched_url", said, number, "url")
    custom_id, body = asked.get("custom_id"), asked.get("body")
    if not isinstance(custom_id, str) or not 0 < len(custom_id) <= 64:
        said = "custom_id is missing or longer than 64 characters."
        return _problem("missing_required_parameter", said, number, "custom_id")
    if not isinstance(body, dict) or not body.get("model"):
        said = "The request names no model."
        return _problem("missing_required_parameter", said, number, "body.model")
    return BatchLine(custom_id, body)


def _refused(problems: Iterable[dict[str, object]]) -> CheckedBatch:
    return CheckedBatch((), tuple(problems))


def _problem(
    code: str, message: str, line: int | None = None, param: str | None = None
) -> dict[str, object]:
    return {"code": code, "line": line, "message": message, "param": param}
