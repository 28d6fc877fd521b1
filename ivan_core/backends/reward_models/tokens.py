"""From dialogues to rows of token ids: formatted, tokenised by chunk, shortened at the old end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ivan_core.backends.reward_models.formats import Chat, NoInput, QuestionAnswer, format_dialogue
from ivan_core.domain.models import InputFormat, SystemTurns
from ivan_core.domain.transcripts import Dialogue

NO_SYSTEM = (
    "the model's chat template takes no system turn (`ivan compare --system drop`, or More options "
    "on the page Compare, leaves it out)"
)


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
    inputs = [_readable(dialogue, rules, separator) for dialogue in dialogues]
    rows: dict[int, TokenRow | NoInput] = {
        i: given for i, given in enumerate(inputs) if isinstance(given, NoInput)
    }
    pairs = {i: given for i, given in enumerate(inputs) if isinstance(given, QuestionAnswer)}
    chats = {i: given for i, given in enumerate(inputs) if isinstance(given, Chat)}
    rows |= zip(pairs, _pair_rows(list(pairs.values()), tokenizer, rules.max_tokens), strict=True)
    rows |= zip(chats, _chat_rows(list(chats.values()), tokenizer, rules.max_tokens), strict=True)
    return [_checked(rows[i], rules) for i in range(len(dialogues))]


def _readable(
    dialogue: Dialogue, rules: TokenRules, separator: str | None
) -> QuestionAnswer | Chat | NoInput:
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
