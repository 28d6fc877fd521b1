"""What a chat is answered: labels by rule or a slight rewording, spoiled where a fault says so.

Requests and completions are those of OpenAI's API.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

from ivan_core.demo import fault_names as names
from ivan_core.demo.faults import Setting
from ivan_core.domain.labels import DEMO_FINGERPRINT, FEATURES

AnswerText = Callable[[str, str, Mapping[str, object]], str]
"""System message, user message and JSON schema (empty if none was asked for) to a reply's text."""

_FENCE = re.compile(r"^<([\w-]+)>\n(.*)\n</\1>\s*$", re.DOTALL | re.MULTILINE)
_REWORDINGS = (
    (r"\bI'm\b", "I am"),
    (r"\bdon't\b", "do not"),
    (r"\bcan't\b", "cannot"),
    (r"\bit's\b", "it is"),
    (r"\bIt's\b", "It is"),
    (r"\byou're\b", "you are"),
    (r"\bmaybe\b", "perhaps"),
    (r"\bbig\b", "large"),
    (r"\bbuy\b", "purchase"),
    (r"\bhelp\b", "assist"),
    (r"\bI think\b", "I believe"),
    (r"\ba lot of\b", "many"),
    (r"\bget\b", "obtain"),
    (r"\bshow\b", "display"),
)
_LAST_TURN = re.compile(r"((?:.*\b(?:Human|Assistant): ?)?\s*)(?=\S)", re.DOTALL)
_ONCE_MORE = "two independent rewordings"
"""Words of a request that there is a first rewording, from which this one should differ."""
CHARACTERS_A_TOKEN = 4
_ROLE = re.compile(r"^(Human|Assistant):", re.MULTILINE)


def answer(system: str, user: str, schema: Mapping[str, object]) -> str:
    """Labels of the dialogue where label keys are asked for, else the dialogue reworded."""
    dialogue = dialogue_in(user)
    properties = schema.get("properties")
    keys = tuple(k for k in FEATURES if isinstance(properties, dict) and k in properties)
    return label(keys, dialogue) if keys else reword(dialogue, again=_ONCE_MORE in system)


def dialogue_in(user: str) -> str:
    """The text inside the message's fence; the whole message where there is none."""
    found = _FENCE.search(user)
    return found[2] if found else user


def label(keys: tuple[str, ...], dialogue: str) -> str:
    """The labels of `ivan/lexicon` as JSON."""
    from ivan_core.backends.lexicon.labeler import label_text

    return json.dumps(label_text(dialogue, keys))


def reword(dialogue: str, again: bool = False) -> str:
    """A few words exchanged; if none of them occurs, the last turn starts with "Well".

    Once more, the last turn starts with "So" in any case.
    """
    reworded = dialogue
    for pattern, words in _REWORDINGS:
        reworded = re.sub(pattern, words, reworded)
    if reworded != dialogue and not again:
        return reworded
    word = "So" if again else "Well"
    return _LAST_TURN.sub(lambda m: f"{m[1]}{word}, ", reworded, count=1)


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of a reply, a refusal in its place, and the provider's word for how it ended."""

    text: str
    refusal: str | None = None
    finish: str = "stop"

    @property
    def tokens(self) -> int:
        return tokens_of(self.text or self.refusal or "")


def tokens_of(text: str) -> int:
    """Tokens, roughly: four characters each."""
    return -(-len(text) // CHARACTERS_A_TOKEN)


def spoil(name: str, reply: Reply, dialogue: str) -> Reply:
    """The reply with one fault of the kind "reply" in it."""
    if name == names.REFUSAL:
        return Reply("", refusal="I'm sorry, but I can't help with that.")
    if name == names.LENGTH:
        return replace(reply, text=reply.text[: len(reply.text) // 2], finish="length")
    if name == names.CONTENT_FILTER:
        return Reply("", finish="content_filter")
    if name == names.IDENTICAL_REPLY:
        return replace(reply, text=dialogue)
    return replace(reply, text=_SPOILERS[name](reply.text))


def _as_object(change: Callable[[dict[str, object]], object]) -> Callable[[str], str]:
    """A spoiler of a JSON object; text that is none stays as it is."""

    def spoiler(text: str) -> str:
        try:
            found = json.loads(text)
        except ValueError:
            return text
        if not isinstance(found, dict):
            return text
        change(found)
        return json.dumps(found, ensure_ascii=False)

    return spoiler


def _boolean_strings(found: dict[str, object]) -> None:
    found.update({k: str(v) for k, v in found.items() if isinstance(v, bool)})


def _near_topics(found: dict[str, object]) -> None:
    topics = found.get("topics")
    listed = topics if isinstance(topics, list) and topics else ["Human activities"]
    found["topics"] = [str(topic).lower().replace(" and ", " & ") for topic in listed]


def _invented_topics(found: dict[str, object]) -> None:
    topics = found.get("topics")
    found["topics"] = [*(topics if isinstance(topics, list) else []), "Cooking"]


def _swap(text: str) -> str:
    return _ROLE.sub(lambda m: "Assistant:" if m[1] == "Human" else "Human:", text)


_SPOILERS: dict[str, Callable[[str], str]] = {
    names.CODE_FENCE: lambda text: f"```json\n{text}\n```",
    names.TRAILING_COMMA: lambda text: re.sub(r"\}\s*$", ",}", text),
    names.BOOLEAN_STRINGS: _as_object(_boolean_strings),
    names.NEAR_TOPICS: _as_object(_near_topics),
    names.INVENTED_TOPICS: _as_object(_invented_topics),
    names.MISSING_KEY: _as_object(lambda found: found.popitem() if found else None),
    names.FORMAT_IGNORED: lambda text: "The assistant is mostly helpful here, and rather polite.",
    names.THINKING: lambda text: f"<think>\nLet me look at it closely.\n</think>\n\n{text}",
    names.CHATTY: lambda text: f"Sure! Here it is:\n\n{text}\n\nLet me know what you think!",
    names.SWAPPED_ROLES: _swap,
    names.DROPPED_ROLES: lambda text: re.sub(r"^(Human|Assistant): ?", "", text, flags=re.M),
    names.EMPTY_REPLY: lambda text: "",
}


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
    if fault is None or fault.name not in names.REPLY_FAULTS:
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
