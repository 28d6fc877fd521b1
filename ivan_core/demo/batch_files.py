"""The files of a batch: requests as the provider checks them, results with the damage planned."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from ivan_core.demo import fault_names as names
from ivan_core.demo.faults import Faults, Setting

MAX_REQUESTS = 50_000
BATCHES = "/v1/batches"
_LINE_FAULTS = (
    names.DROPPED_LINES,
    names.DUPLICATED_LINES,
    names.DIFFERING_DUPLICATES,
    names.GARBLED_LINE,
    names.UNKNOWN_ID,
    names.ERROR_STATUS,
    names.ERROR_NULL,
)
_FILE_FAULTS = (
    names.REORDERED,
    names.CUT_LAST_LINE,
    names.BOM_AND_CRLF,
    names.ERRORS_IN_OUTPUT,
    names.NO_OUTPUT_FILE,
    names.EMPTY_FILE_IDS,
)


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


@dataclass(frozen=True, slots=True)
class Damage:
    """What will be wrong with a batch's results: a fault a line, and faults of whole files."""

    lines: dict[str, Setting] = field(default_factory=dict)
    files: frozenset[str] = frozenset()


def plan_damage(lines: Sequence[BatchLine], faults: Faults, seed: bytes) -> Damage:
    """Give each fault lines of its own: those it names, else ones drawn by the seed."""
    order = [line.custom_id for line in lines]
    known = frozenset(order)
    random.Random(seed).shuffle(order)
    struck: dict[str, Setting] = {}
    for name in (*_LINE_FAULTS, *names.REPLY_FAULTS):
        setting = faults.take(name, "POST", BATCHES)
        if setting is not None:
            free = [custom_id for custom_id in order if custom_id not in struck]
            chosen = setting.ids or free[: int(setting.amount)]
            struck.update((custom_id, setting) for custom_id in chosen if custom_id in known)
    whole = frozenset(name for name in _FILE_FAULTS if faults.take(name, "POST", BATCHES))
    return Damage(struck, whole)


def result_line(custom_id: str, body: dict[str, object]) -> dict[str, object]:
    """A line of the output file."""
    return _line(custom_id, {"status_code": 200, "request_id": _id("req"), "body": body}, None)


def error_status(custom_id: str) -> dict[str, object]:
    """A line that failed with a status code of its own."""
    error = {
        "message": "The demo server was told to fail this line.",
        "type": "invalid_request_error",
        "param": None,
        "code": "demo_fault",
    }
    response = {"status_code": 400, "request_id": _id("req"), "body": {"error": error}}
    return _line(custom_id, response, None)


def error_null(custom_id: str, code: str, message: str) -> dict[str, object]:
    """A line that never got a response."""
    return _line(custom_id, None, {"code": code, "message": message})


def _line(custom_id: str, response: object, error: object) -> dict[str, object]:
    return {"id": _id("batch_req"), "custom_id": custom_id, "response": response, "error": error}


def _id(prefix: str) -> str:
    return f"{prefix}_{uuid4().hex[:24]}"


def file_bytes(
    rows: Sequence[dict[str, object]], damage: Damage, order: Sequence[str], output: bool
) -> bytes:
    """The lines of one result file in shuffled order, as bytes, with the planned damage.

    `order` are the custom_ids as they were asked for.
    """
    written: list[bytes] = []
    for row in _ordered(rows, damage, order):
        setting = damage.lines.get(str(row["custom_id"]))
        written.extend(_damaged(row, setting.name if setting else ""))
    end = b"\r\n" if names.BOM_AND_CRLF in damage.files else b"\n"
    content = b"".join(line + end for line in written)
    if output and names.CUT_LAST_LINE in damage.files and written:
        content = content[: len(content) - len(end) - len(written[-1]) // 2]
    return b"\xef\xbb\xbf" + content if names.BOM_AND_CRLF in damage.files else content


def _ordered(
    rows: Sequence[dict[str, object]], damage: Damage, order: Sequence[str]
) -> list[dict[str, object]]:
    place = {custom_id: n for n, custom_id in enumerate(order)}
    asked = sorted(rows, key=lambda row: place[str(row["custom_id"])])
    if names.REORDERED in damage.files:
        return asked[::-1]
    random.Random(len(asked)).shuffle(asked)
    return asked


def _damaged(row: dict[str, object], fault: str) -> list[bytes]:
    """The line as it stands in the file: once, twice, half or not at all."""
    line = _encoded(row)
    if fault == names.DROPPED_LINES:
        return []
    if fault == names.DUPLICATED_LINES:
        return [line, line]
    if fault == names.DIFFERING_DUPLICATES:
        other = line.replace(b": true", b": \x00").replace(b": false", b": true")
        return [line, other.replace(b": \x00", b": false")]
    if fault == names.GARBLED_LINE:
        return [line[: len(line) // 2]]
    if fault == names.UNKNOWN_ID:
        return [_encoded({**row, "custom_id": "999999999.chosen"})]
    return [line]


def _encoded(row: dict[str, object]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")
