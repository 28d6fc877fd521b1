"""Chat requests as OpenAI's API has them, and the completions that answer them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from ivan_core.demo.answers import AnswerText, dialogue_in
from ivan_core.demo.fault_names import REPLY_FAULTS
from ivan_core.demo.faults import Setting
from ivan_core.demo.replies import Reply, spoil, tokens_of
from ivan_core.domain.labels import DEMO_FINGERPRINT


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a chat request asks for: the system and the user message, and the schema or {}."""

    model: str
    system: str
    user: str
    schema: Mapping[str, object]

    @property
    def prompt_tokens(self) -> int:
        return tokens_of(self.system) + tokens_of(self.user)

    @property
    def billed_tokens(self) -> int:
        """With the schema, which counts where it is a part of the request."""
        return self.prompt_tokens + (tokens_of(json.dumps(self.schema)) if self.schema else 0)


def read_chat(body: Mapping[str, object], schema: object = None) -> ChatRequest | None:
    """A chat request from its JSON; None if it has no messages.

    `schema` is the JSON schema where the API has it elsewhere than in `response_format`.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return None
    said: dict[str, str] = {}
    for message in messages:
        if isinstance(message, dict):
            said[str(message.get("role", "user"))] = _text(message.get("content"))
    wanted = schema if schema is not None else _response_schema(body.get("response_format"))
    return ChatRequest(
        model=str(body.get("model") or ""),
        system=said.get("system", said.get("developer", "")),
        user=said.get("user", ""),
        schema=wanted if isinstance(wanted, dict) else {},
    )


def reply_to(chat: ChatRequest, answer: AnswerText, fault: Setting | None) -> Reply:
    """The model's reply, with a fault in it if one of the kind "reply" is given."""
    reply = Reply(answer(chat.system, chat.user, chat.schema))
    if fault is None or fault.name not in REPLY_FAULTS:
        return reply
    return spoil(fault.name, reply, dialogue_in(chat.user))


def completion(chat: ChatRequest, reply: Reply) -> dict[str, object]:
    """A chat completion object."""
    return {
        "id": f"chatcmpl-{uuid4().hex[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": chat.model,
        "system_fingerprint": DEMO_FINGERPRINT,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": reply.text if reply.refusal is None else None,
                    "refusal": reply.refusal,
                },
                "logprobs": None,
                "finish_reason": reply.finish,
            }
        ],
        "usage": {
            "prompt_tokens": chat.billed_tokens,
            "completion_tokens": reply.tokens,
            "total_tokens": chat.billed_tokens + reply.tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _text(content: object) -> str:
    """A message's text, which may come as a list of parts."""
    if isinstance(content, list):
        return "".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
    return content if isinstance(content, str) else ""


def _response_schema(wanted: object) -> object:
    named = wanted.get("json_schema") if isinstance(wanted, dict) else None
    return named.get("schema") if isinstance(named, dict) else None
