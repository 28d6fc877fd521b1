"""What a chat completion or an error says, in whatever shape an engine sends it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ivan_core.domain.labels import DEMO_FINGERPRINT
from ivan_core.domain.models import ModelReply

_MOST_CHARACTERS = 300
_DEEPEST = 3
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def reply_of(body: object) -> ModelReply:
    """The reply in the body of a chat completion. Never raises, whatever the body holds."""
    if not isinstance(body, Mapping):
        return ModelReply(problem=f"The body is no JSON object: {shortened(body)}")
    usage = body.get("usage")
    tokens = usage if isinstance(usage, Mapping) else {}
    counts = (
        _count(tokens, "prompt_tokens", "input_tokens"),
        _count(tokens, "completion_tokens", "output_tokens"),
    )
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping):
        said = error_text(body.get("error"))
        return ModelReply("", "", "", said or "The body holds no answer.", *counts)
    message = choice.get("message")
    parts = message if isinstance(message, Mapping) else {"content": choice.get("text")}
    finish = choice.get("finish_reason")
    return ModelReply(
        _text(parts.get("content"), "text"),
        _text(parts.get("refusal"), "text") or _text(parts.get("content"), "refusal"),
        whole_text(finish[:_MOST_CHARACTERS]) if isinstance(finish, str) else "",
        "",
        *counts,
        body.get("system_fingerprint") == DEMO_FINGERPRINT,
    )


def reply_of_response(response: object, error: object) -> ModelReply:
    """The reply of a result line, by its `response` and its `error`.

    An answer counts even where an error stands beside it: it was given and paid for.
    """
    said = error_text(error)
    if not isinstance(response, Mapping):
        if response:
            return ModelReply(problem=said or f"The response is odd: {shortened(response)}")
        return ModelReply(problem=said or "The line holds neither an answer nor an error.")
    status = _status(response.get("status_code"))
    body = response if "choices" in response else response.get("body")
    if status is not None and status >= 300:
        told = error_text(body.get("error")) if isinstance(body, Mapping) else ""
        told = told or said or (shortened(body) if body else "")
        return ModelReply(problem=f"HTTP status {status}" + (f": {told}" if told else ""))
    reply = reply_of(body)
    return ModelReply(problem=said) if reply.problem and said else reply


def error_text(error: object, depth: int = 0) -> str:
    """What an error says, cut where long: an object with code and message, text, or nested."""
    if not isinstance(error, Mapping):
        return shortened(error) if error and error is not True else ""
    if isinstance(error.get("error"), Mapping) and depth < _DEEPEST:
        return error_text(error["error"], depth + 1)
    code, message = error.get("code"), error.get("message")
    told = [shortened(part) for part in (code, message) if part not in (None, "")]
    if told:
        return ": ".join(told)
    return shortened(error) if any(value not in (None, "") for value in error.values()) else ""


def shortened(value: object) -> str:
    """A value from outside in one line, cut where long, without characters that steer a screen."""
    if isinstance(value, str):
        text = value[: 4 * _MOST_CHARACTERS]
    else:
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            text = type(value).__name__
    text = " ".join(_STEERING.sub(" ", whole_text(text)).split())
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} …"


def _text(content: object, kind: str) -> str:
    """A message's content of one kind: plain, or the parts of that kind joined."""
    if isinstance(content, str):
        return whole_text(content) if kind == "text" else ""
    if not isinstance(content, list):
        return ""
    parts = (part.get(kind) for part in content if isinstance(part, Mapping))
    return whole_text("".join(part for part in parts if isinstance(part, str)))


def whole_text(text: str) -> str:
    """The text with "?" for lone surrogates, which no file takes."""
    return text.encode("utf-8", "replace").decode()


def _count(usage: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        if (value := counted(usage.get(name))) is not None:
            return value
    return None


def counted(value: object, most: int = 10**12) -> int | None:
    """A number of tokens, requests or bytes; None where there is none, or an absurd one.

    A batch holds 50,000 requests. What is kept has to fit into a database.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < most:
        return value
    return None


def _status(code: object) -> int | None:
    if isinstance(code, int) and not isinstance(code, bool):
        return code
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        return int(code)
    return None
