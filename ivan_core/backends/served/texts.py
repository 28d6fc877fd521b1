"""Texts for a server that tokenises by itself: cut here until they fit by our own count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ivan_core.backends.reward_models.tokens import (
    NoInput,
    QuestionAnswer,
    TokenRow,
    TokenRules,
    readable,
    token_rows,
)
from ivan_core.backends.served.rows import TextRow
from ivan_core.domain.transcripts import Dialogue


def text_rows(
    dialogues: Sequence[Dialogue], tokenizer: Any, rules: TokenRules
) -> list[TextRow | NoInput]:
    """One row a dialogue, same order, as the tokens would be; what cannot be read says why."""
    rows = token_rows(dialogues, tokenizer, rules)
    return [
        row if isinstance(row, NoInput) else _text_row(dialogue, row, tokenizer, rules)
        for dialogue, row in zip(dialogues, rows, strict=True)
    ]


def _text_row(
    dialogue: Dialogue, row: TokenRow, tokenizer: Any, rules: TokenRules
) -> TextRow | NoInput:
    given = readable(dialogue, rules, tokenizer.sep_token)
    if not isinstance(given, QuestionAnswer):
        return NoInput("the server puts no chat template around a text")
    texts = (given.question, given.answer) if given.answer else (given.question,)
    if not row.truncated or rules.max_tokens is None:
        return TextRow(texts, len(row.ids))
    return shortened_texts(texts, tokenizer, rules.max_tokens)


def shortened_texts(texts: tuple[str, ...], tokenizer: Any, limit: int) -> TextRow | NoInput:
    """The texts cut to `limit` tokens: the reply keeps its head, the question its newest words.

    A text that begins in the middle of a word may be read as more tokens than that part had, so it
    is counted again and cut further where it has to be.
    """
    room = limit
    while room > 0:
        cut = _cut(texts, tokenizer, room)
        count = len(tokenizer(*cut, verbose=False)["input_ids"])
        if count <= limit:
            return TextRow(cut, count, truncated=True)
        room -= count - limit
    return NoInput(f"the text cannot be cut to {limit} tokens")


def _cut(texts: tuple[str, ...], tokenizer: Any, limit: int) -> tuple[str, ...]:
    encoded = tokenizer(*texts, return_offsets_mapping=True, verbose=False)
    sides, places = encoded.sequence_ids(0), encoded["offset_mapping"]
    question = [place for side, place in zip(sides, places, strict=True) if side == 0]
    answer = [place for side, place in zip(sides, places, strict=True) if side == 1]
    room = max(limit - sum(side is None for side in sides), 0)
    answer = answer[:room]
    question = question[max(len(question) - (room - len(answer)), 0) :]
    newest = texts[0][question[0][0] :] if question else ""
    if len(texts) == 1:
        return (newest,)
    return newest, texts[1][: answer[-1][1]] if answer else ""
