"""What the demo server answers by itself: labels by rule, or a slight rewording."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from ivan_core.domain.labels import FEATURES

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
