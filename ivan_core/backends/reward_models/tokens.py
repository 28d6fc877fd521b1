"""From dialogues to rows of token ids: put into a format, tokenised, shortened at the old end.

A format says what of a dialogue a reward model's tokenizer gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ivan_core.domain.models import InputFormat, SystemTurns
from ivan_core.domain.transcripts import Dialogue, Role

_CHAT_ROLES: dict[Role, Literal["system", "user", "assistant"]] = {
    "System": "system",
    "Human": "user",
    "Assistant": "assistant",
}
NO_SEPARATOR = " . "
"""What OpenAssistant's training code joins turns with where a tokenizer has no separator."""
NO_SYSTEM = (
    "the model's chat template takes no system turn: compare once more with system turns dropped"
)


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


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One text as the model reads it, without padding; `types` are its token type ids, if any."""

    ids: list[int]
    types: list[int] | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a model can read: texts are shortened to `max_tokens`; the tables end where they end.

    An id past `vocabulary` or a position past `positions` raises on a CPU and leaves a GPU unusable
    for every later text, so such rows are turned away before they reach the model.
    """

    input_format: InputFormat
    max_tokens: int | None
    positions: int | None
    vocabulary: int
    pad_id: int
    system: SystemTurns = "keep"


def token_rows(
    dialogues: Sequence[Dialogue], tokenizer: Any, rules: TokenRules
) -> list[TokenRow | NoInput]:
    """One row a dialogue, same order, tokenised at once; what cannot be read says why."""
    separator = tokenizer.sep_token
    inputs = [readable(dialogue, rules, separator) for dialogue in dialogues]
    rows: dict[int, TokenRow | NoInput] = {
        i: given for i, given in enumerate(inputs) if isinstance(given, NoInput)
    }
    pairs = {i: given for i, given in enumerate(inputs) if isinstance(given, QuestionAnswer)}
    chats = {i: given for i, given in enumerate(inputs) if isinstance(given, Chat)}
    rows |= zip(pairs, _pair_rows(list(pairs.values()), tokenizer, rules.max_tokens), strict=True)
    rows |= zip(chats, _chat_rows(list(chats.values()), tokenizer, rules.max_tokens), strict=True)
    return [_checked(rows[i], rules) for i in range(len(dialogues))]


def readable(
    dialogue: Dialogue, rules: TokenRules, separator: str | None
) -> QuestionAnswer | Chat | NoInput:
    """What a tokenizer gets of a dialogue by these rules, or why it cannot be read."""
    try:
        dialogue.text.encode()
    except UnicodeEncodeError:
        # The tokenizer would refuse the whole chunk for it.
        return NoInput("the text holds half a character (a lone surrogate): no tokenizer reads it")
    if rules.system == "drop":
        dialogue = dialogue.without_system
    return format_dialogue(dialogue, rules.input_format, separator)


def _pair_rows(
    pairs: Sequence[QuestionAnswer], tokenizer: Any, limit: int | None
) -> list[TokenRow]:
    # Called with one text and an empty answer, transformers reads the question alone, with one
    # separator; in a batch it would add a second. A text's score is that of the single call.
    single = [i for i, pair in enumerate(pairs) if not pair.answer]
    double = [i for i, pair in enumerate(pairs) if pair.answer]
    rows: dict[int, TokenRow] = {}
    if single:
        encoded = tokenizer([pairs[i].question for i in single], verbose=False)
        rows |= zip(single, _shortened(encoded, limit), strict=True)
    if double:
        encoded = tokenizer(
            [pairs[i].question for i in double], [pairs[i].answer for i in double], verbose=False
        )
        rows |= zip(double, _shortened(encoded, limit), strict=True)
    return [rows[i] for i in range(len(pairs))]


def _shortened(encoded: Any, limit: int | None) -> list[TokenRow]:
    types = encoded.get("token_type_ids")
    rows = []
    for i, ids in enumerate(encoded["input_ids"]):
        row = TokenRow(ids, None if types is None else types[i])
        if limit is not None and len(ids) > limit:
            row = shorten_pair(row, encoded.sequence_ids(i), limit)
        rows.append(row)
    return rows


def shorten_pair(row: TokenRow, sides: Sequence[int | None], limit: int) -> TokenRow:
    """The row cut to `limit` tokens: the reply keeps its head, the question its newest tokens.

    `sides` says of each token whether it is of the question (0), the answer (1) or added (None).
    Where the reply fits, this is the tokenizer's own `truncation="only_first"` from the left, which
    raises where it does not: there the reply is capped and no question is left.
    """
    added = [i for i, side in enumerate(sides) if side is None]
    question = [i for i, side in enumerate(sides) if side == 0]
    answer = [i for i, side in enumerate(sides) if side == 1]
    room = max(limit - len(added), 0)
    answer = answer[:room]
    question = question[max(len(question) - (room - len(answer)), 0) :]
    kept = sorted(added + question + answer)
    types = None if row.types is None else [row.types[i] for i in kept]
    return TokenRow([row.ids[i] for i in kept], types, truncated=True)


def _chat_rows(
    chats: Sequence[Chat], tokenizer: Any, limit: int | None
) -> list[TokenRow | NoInput]:
    rendered = [_render(chat, tokenizer) for chat in chats]
    rows: dict[int, TokenRow | NoInput] = {
        i: text for i, text in enumerate(rendered) if isinstance(text, NoInput)
    }
    texts = {i: text for i, text in enumerate(rendered) if isinstance(text, str)}
    if texts:
        bos = tokenizer.bos_token or ""
        # The tokenizer adds its own BOS to the template's, and the model was trained with one.
        encoded = tokenizer([text.removeprefix(bos) for text in texts.values()], verbose=False)
        for (i, text), ids in zip(texts.items(), encoded["input_ids"], strict=True):
            opened = bool(bos) and text.startswith(bos)
            rows[i] = _chat_row(ids, tokenizer.bos_token_id, opened, limit)
    return [rows[i] for i in range(len(chats))]


def _render(chat: Chat, tokenizer: Any) -> str | NoInput:
    """The chat as the model's template writes it.

    Some refuse two Human turns in a row; some refuse a system turn, or leave it out in silence.
    """
    from jinja2.exceptions import TemplateError

    messages = [{"role": message.role, "content": message.content} for message in chat.messages]
    others = tuple(message for message in chat.messages if message.role != "system")
    try:
        text = str(tokenizer.apply_chat_template(messages, tokenize=False))
    except (TemplateError, TypeError, ValueError) as error:
        if len(others) < len(messages) and isinstance(_render(Chat(others), tokenizer), str):
            return NoInput(NO_SYSTEM)
        return NoInput(f"the model's chat template refuses the dialogue: {first_line(error)}")
    left_out = (one for one in chat.messages if one.role == "system" and one.content.strip())
    return NoInput(NO_SYSTEM) if any(one.content.strip() not in text for one in left_out) else text


def _chat_row(ids: list[int], bos: int | None, opened: bool, limit: int | None) -> TokenRow:
    """Exactly one BOS where the template writes one, and the oldest tokens dropped past the limit.

    The cut is on the left, after the BOS: a chat reward model gives its score at the last token, so
    the closing tokens of the last turn have to stay, and with them stays the newest context. The
    oldest turn left may begin in its middle; dropping whole turns would lose more than is asked.
    """
    if opened and bos is not None and ids[:1] != [bos]:
        ids = [bos, *ids]
    if limit is None or len(ids) <= limit:
        return TokenRow(ids)
    head = ids[:1] if bos is not None and ids[0] == bos else []
    return TokenRow(head + ids[len(ids) - limit + len(head) :], truncated=True)


def _checked(row: TokenRow | NoInput, rules: TokenRules) -> TokenRow | NoInput:
    if isinstance(row, NoInput):
        return row
    if not row.ids:
        return NoInput("the text has no tokens")
    if rules.positions is not None and len(row.ids) > rules.positions:
        return NoInput(
            f"the text has {len(row.ids)} tokens, the model reads at most {rules.positions}, "
            f"and the format {rules.input_format} does not shorten texts"
        )
    if max(row.ids) >= rules.vocabulary:
        return NoInput("the tokenizer gives a token that the model does not know")
    if rules.pad_id in row.ids:
        # A padding token inside a text would be taken for the end of it.
        return NoInput("the text itself holds the model's padding token")
    return row


def first_line(error: BaseException) -> str:
    """The first line of an error's words, at most 200 characters; its type where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
