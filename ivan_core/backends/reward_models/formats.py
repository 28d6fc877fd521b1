"""Input formats: what of a dialogue a reward model's tokenizer gets. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ivan_core.domain.models import InputFormat
from ivan_core.domain.transcripts import Dialogue, Role

_CHAT_ROLES: dict[Role, Literal["system", "user", "assistant"]] = {
    "System": "system",
    "Human": "user",
    "Assistant": "assistant",
}
NO_SEPARATOR = " . "
"""What OpenAssistant's training code joins turns with where a tokenizer has no separator."""


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """The two texts of a sentence-pair model: `tokenizer(question, answer)`."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat template."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Chat:
    """The messages of a chat model, oldest first, with no system prompt but the dialogue's own."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class NoInput:
    """Why a dialogue cannot be put before the model."""

    reason: str


def guess_format(has_chat_template: bool) -> InputFormat:
    """The format of a model nobody has described: chat if there is a template, else last-turn."""
    return "chat" if has_chat_template else "last-turn"


def format_dialogue(
    dialogue: Dialogue, input_format: InputFormat, separator: str | None = None
) -> QuestionAnswer | Chat | NoInput:
    """What the tokenizer gets of one dialogue; a dialogue that does not fit the format says why.

    `separator` is the tokenizer's separator token; only `openassistant` uses it.
    Raises ValueError for `reply`, which embedding models use and no tokenizer pair stands for.
    """
    match input_format:
        case "last-turn":
            return last_turn(dialogue)
        case "openassistant":
            return openassistant(dialogue, NO_SEPARATOR if separator is None else separator)
        case "as-published":
            return as_published(dialogue)
        case "chat":
            return chat(dialogue)
    raise ValueError(f"{input_format!r} is not a format of sequence classification models")


def last_turn(dialogue: Dialogue) -> QuestionAnswer | NoInput:
    """What is printed before the last reply, with its role prefixes, and the reply; stripped."""
    split = dialogue.split_last_reply()
    return NoInput("the text has no Assistant turn") if split is None else QuestionAnswer(*split)


def as_published(dialogue: Dialogue) -> QuestionAnswer | NoInput:
    """The split of the paper's code: at the last "Assistant:", which stays with the answer.

    Nothing is stripped, and a reply that mentions the word is cut inside: kept, to reproduce the
    published numbers.
    Source: harvard-lil/SEAL, compare/__init__.py.
    """
    question, marker, answer = dialogue.printed.rpartition("Assistant:")
    if not marker:
        # There the published code cuts off the last character and scores it as the answer.
        return NoInput('the text has no "Assistant:"')
    return QuestionAnswer(question, marker + answer)


def openassistant(dialogue: Dialogue, separator: str) -> QuestionAnswer | NoInput:
    """The last two Human turns on, split at the first reply; later turns joined with the separator.

    Source: LAION-AI/Open-Assistant, rank_datasets.py, class AnthropicRLHF, at the markers of the
    transcript instead of the words "Human:" and "Assistant:" wherever they stand. A system turn is
    read like any other: it is older than the second last Human turn, where there is one.
    """
    human = [i for i, turn in enumerate(dialogue.turns) if turn.role == "Human"]
    recent = dialogue.turns[human[-2] if len(human) >= 2 else 0 :]
    first_reply = next((i for i, turn in enumerate(recent) if turn.role == "Assistant"), None)
    if first_reply is None:
        reason = "no Assistant turn follows the last two Human turns"
        return NoInput(reason if recent else "the text has no Assistant turn")
    opening = [turn.words for turn in recent[:first_reply]]
    if len(human) < 2:
        opening.insert(0, dialogue.preamble.strip())
    question = "\n\n".join(text for text in opening if text)
    return QuestionAnswer(question, separator.join(turn.words for turn in recent[first_reply:]))


def chat(dialogue: Dialogue) -> Chat | NoInput:
    """Every turn as a message; text before a transcript's first marker becomes a user message.

    Messages go to the template as they were given; the turns of a transcript are stripped.
    """
    if all(turn.role != "Assistant" for turn in dialogue.turns):
        return NoInput("the text has no Assistant turn")
    messages = [Message(_CHAT_ROLES[role], text) for role, text in dialogue.messages]
    if preamble := dialogue.preamble.strip():
        messages.insert(0, Message("user", preamble))
    return Chat(tuple(messages))
