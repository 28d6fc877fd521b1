"""A text as the rules read it: its words, its sentences, and what no rule may touch.

Held are quoted text, code, addresses, placeholders, words joined by hyphens, words in capitals, and
capitalised words within a sentence, which may be names.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

STOPS = frozenset(".!?…\n")
ENDS = frozenset({*STOPS, ",", ";", ":", ")", "(", "—", "–", "-", '"', "”"})
_TOKEN = re.compile(r"\n+|[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,:]\d+)*|[^\w\s]|_")
# Each stretch ends at its own mark, at the paragraph's end or at a limit, and what it took is not
# read again: the time grows with the length of the text and no faster.
_HELD = re.compile(
    r"""```.*?(?:```|\Z)
    | `[^`\n]{0,400}`
    | "(?:[^"\n]|\n(?!\n))*"?
    | “(?:[^”\n]|\n(?!\n))*”?
    | «(?:[^»\n]|\n(?!\n))*»?
    | (?<!\w)'[^'\n]{0,400}(?:(?<=\w)'(?=\w)[^'\n]{0,400}){0,20}'(?!\w)
    | (?<!\w)‘[^’\n]{0,400}(?:(?<=\w)’(?=\w)[^’\n]{0,400}){0,20}’(?!\w)
    | \[[^\]\n]{0,200}\] | \{[^}\n]{0,200}\} | <[^>\n]{0,200}>
    """,
    re.VERBOSE | re.DOTALL,
)
_LINE = re.compile(r"[^\n]+")
_CODE_LINE = re.compile(r"    |\t|>|\$ ")
_CODE_MARKS = ("==", "&&", "||", "()", "=>", "->", ":=")
_RUN = re.compile(r"\S+")
_ADDRESS = frozenset("@#/\\_$=<>|~^*%&+{}[]")
_ROLES = ("human", "assistant")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or mark and where it stands; `key` is the word in lower case, `'` for `’`.

    `held` tokens stay as they are; `first` says that a sentence begins here.
    """

    start: int
    end: int
    key: str
    held: bool
    first: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens `first` to `last` (not included) and the mark that ends them, "" if none does."""

    first: int
    last: int
    mark: str


class Reading:
    """A text with its tokens and sentences, found in one pass."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tuple(_tokens(text))
        self.sentences = tuple(_sentences(self.tokens))
        self._firsts = [sentence.first for sentence in self.sentences]

    def sentence_of(self, at: int) -> Sentence:
        """The sentence that a token stands in."""
        return self.sentences[bisect_right(self._firsts, at) - 1]

    def key(self, at: int) -> str:
        """The key of a token, or a line end beyond the text."""
        return self.tokens[at].key if 0 <= at < len(self.tokens) else "\n"

    def spaced(self, at: int) -> bool:
        """Whether exactly one space stands between a token and the one before it."""
        end, start = self.tokens[at - 1].end, self.tokens[at].start
        return start - end == 1 and self.text[end] == " "


def held_spans(text: str) -> list[tuple[int, int]]:
    """Where quotations, code, placeholders and addresses stand, in order."""
    spans = [found.span() for found in _HELD.finditer(text)]
    spans += [found.span() for found in _LINE.finditer(text) if _is_code(found.group())]
    spans += [found.span() for found in _RUN.finditer(text) if _is_address(found.group())]
    return sorted(spans)


def _is_code(line: str) -> bool:
    if _CODE_LINE.match(line) or line.rstrip()[-1:] in (";", "{"):
        return True
    return any(mark in line for mark in _CODE_MARKS)


def _is_address(run: str) -> bool:
    bare = run.strip("*_.,;:!?()\"'")
    return not _ADDRESS.isdisjoint(bare) or "." in bare.rstrip("…")


def _tokens(text: str) -> Iterator[Token]:
    spans = held_spans(text)
    span, reach = 0, 0
    first, before = True, ""
    for found in _TOKEN.finditer(text):
        start, end = found.span()
        while span < len(spans) and spans[span][0] < end:
            reach = max(reach, spans[span][1])
            span += 1
        word = found.group()
        key = "\n" if word[0] == "\n" else word.lower().replace("’", "'")
        is_word = word[0].isalpha()
        held = start < reach or (is_word and (_is_name(word, first) or "-" in word))
        if is_word and end < len(text) and (text[end].isdigit() or text[end] == "_"):
            held = True
        yield Token(start, end, key, held, first)
        # After a role's colon a turn begins, and with it a sentence.
        opened = key == ":" and before in _ROLES
        first = key in STOPS or opened or (first and not is_word and not key[0].isdigit())
        before = key


def _is_name(word: str, first: bool) -> bool:
    """Whether a word may be a name or is shouted; "I" and its contractions are neither."""
    if word[0] == "I" and (len(word) == 1 or word[1] in "'’"):
        return word[2:].isupper()
    return (len(word) > 1 and word[1].isupper()) or (word[0].isupper() and not first)


def _sentences(tokens: tuple[Token, ...]) -> Iterator[Sentence]:
    first = 0
    for at, token in enumerate(tokens):
        if at > first and token.first and tokens[at - 1].key in {*STOPS, ":"}:
            yield Sentence(first, at, _mark(tokens, first, at))
            first = at
    if first < len(tokens):
        yield Sentence(first, len(tokens), _mark(tokens, first, len(tokens)))


def _mark(tokens: tuple[Token, ...], first: int, last: int) -> str:
    for at in range(last - 1, first - 1, -1):
        if tokens[at].key != "\n":
            return tokens[at].key if tokens[at].key in STOPS else ""
    return ""
