"""Messages of a chat as published data holds them, and why a row is no pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivan_core.domain.transcripts import Role

_ROLES: dict[str, Role] = {
    "system": "System",
    "user": "Human",
    "human": "Human",
    "assistant": "Assistant",
    "gpt": "Assistant",
}
_LONGEST_NAMED = 40

Messages = tuple[tuple[Role, str], ...]


class NotAPair(ValueError):
    """Why a row holds no pair."""


def message_of(message: Mapping[str, Any], column: str) -> tuple[Role, str]:
    for call in ("tool_calls", "function_call"):
        if message.get(call):
            raise NotAPair(f"{column} holds a tool call, which is no text")
    role = message.get("role") or message.get("from")
    name = role.strip().lower() if isinstance(role, str) else ""
    if name not in _ROLES:
        raise NotAPair(
            f"{column} holds a message of the role {named(role)}"
            if role is not None
            else f"{column} holds a message without a role"
        )
    content = message.get("content")
    if content is None:
        content = message.get("value")
    if isinstance(content, list):
        content = "".join(_part(part, column) for part in content)
    if not isinstance(content, str):
        raise NotAPair(f"{column} holds a message without text")
    return _ROLES[name], content


def _part(part: object, column: str) -> str:
    """The text of one part of a message's content."""
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else None
    text = part.get("text") if isinstance(part, dict) else None
    if kind == "text" and isinstance(text, str):
        return text
    raise NotAPair(f"{column} holds a part of the type {named(kind)}, which is no text")


def named(value: object) -> str:
    """A value in a sentence, cut if it is long; what is no text or number, by its type."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple | Mapping):
        return "an object" if isinstance(value, Mapping) else "a list"
    words = str(value)
    return repr(words if len(words) <= _LONGEST_NAMED else f"{words[:_LONGEST_NAMED]}…")
