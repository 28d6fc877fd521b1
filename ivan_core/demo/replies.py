"""What a model says, and the ways in which models say it wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ivan_core.demo import fault_names as names

CHARACTERS_A_TOKEN = 4
_ROLE = re.compile(r"^(Human|Assistant):", re.MULTILINE)


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
