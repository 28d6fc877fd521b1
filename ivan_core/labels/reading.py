"""The one JSON object in a labeler's answer, read strictly first, else by a few lenient rules.

The lenient reader knows JSON, trailing commas, single quotes, Python's True, False and None, and
words around the object. It runs no code, stops at the first thing it does not know, at a depth of
four and after 100,000 characters. What it had to overlook is told as a rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

LONGEST_ANSWER = 100_000
"""Characters; 19 labels take about a thousand."""
_DEEPEST = 4
_LONGEST_INTEGER = 15

FENCE = "code fence removed"
AROUND = "words around the answer removed"
COMMA = "trailing comma removed"
QUOTES = "single quotes read as double"
PYTHON = "Python words read as JSON"
LOOSE = "loose text read as JSON"


@dataclass(frozen=True, slots=True)
class Odd:
    """A number that stands for no label: not a short whole one. Kept as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Members:
    """A JSON object: its keys and values as they came, repeated keys included."""

    pairs: tuple[tuple[str, Value], ...]


Value = bool | int | str | None | Odd | Members | list["Value"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read, and the rules that it took, each with the text taken away, if any."""

    members: Members
    rules: tuple[tuple[str, str], ...] = ()


class Unreadable(Exception):
    """There is no single object to be read; the message says why, as a sentence."""


def read_object(text: str) -> Answer:
    """The one object of an answer.

    Raises:
        Unreadable: there is none, there are two, or one is damaged.
    """
    if len(text) > LONGEST_ANSWER:
        raise Unreadable(f"The answer has {len(text):,} characters: too long to be labels.")
    if not text.strip():
        raise Unreadable("The answer is empty.")
    try:
        strict = json.loads(
            text, object_pairs_hook=_members, parse_int=_whole, parse_float=Odd, parse_constant=Odd
        )
    except RecursionError:
        raise Unreadable("The answer is nested too deeply to be labels.") from None
    except ValueError:  # a JSONDecodeError is one
        return _lenient(text)
    return Answer(strict) if isinstance(strict, Members) else _lenient(text)


def _members(pairs: list[tuple[str, Value]]) -> Members:
    return Members(tuple(pairs))


def _whole(digits: str) -> int | Odd:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else Odd(digits)


def _lenient(text: str) -> Answer:
    start = text.find("{")
    if start < 0:
        raise Unreadable("The answer holds no JSON object.")
    reader = _Reader(text, start)
    members = reader.object(1)
    before, after = text[:start].strip(), text[reader.at :].strip()
    if "{" in after:
        raise Unreadable("The answer holds more than one JSON object, or part of one.")
    rules = dict.fromkeys(reader.rules, "")
    if around := f"{before} … {after}" if before and after else before or after:
        fenced = before.casefold() in ("", "```", "```json", "```python") and after in ("", "```")
        rules[FENCE if fenced else AROUND] = around
    return Answer(members, tuple((rules or {LOOSE: ""}).items()))


_SPACE = re.compile(r"\s*+")
_TOKEN = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\.)*+")"""
    r"""|(?P<single>'(?:[^'\\]|\\.)*+')"""
    r"""|(?P<mark>[{}\[\]:,])"""
    r"""|(?P<other>[-+\w.]++)""",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?\d++(\.\d++)?([eE][-+]?\d++)?|NaN|-?Infinity", re.ASCII)
_WHOLE = re.compile(r"-?\d++", re.ASCII)
_ESCAPE = re.compile(r"""\\.|\"""", re.DOTALL)
_JSON_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_PYTHON_WORDS: dict[str, bool | None] = {"True": True, "False": False, "None": None}


class _Reader:
    """Reads one object from a place in a text; `at` is where it ended."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self.rules: list[str] = []

    def object(self, depth: int) -> Members:
        pairs: list[tuple[str, Value]] = []

        def member() -> None:
            key = self.value(depth) if self.peek() in ("'", '"') else None
            if not isinstance(key, str):
                self.stop()
            self.take(":")
            pairs.append((key, self.value(depth)))

        self.several("{", "}", depth, member)
        return Members(tuple(pairs))

    def array(self, depth: int) -> list[Value]:
        items: list[Value] = []
        self.several("[", "]", depth, lambda: items.append(self.value(depth)))
        return items

    def several(self, opening: str, closing: str, depth: int, read: Callable[[], None]) -> None:
        """Reads between two marks what commas part; one comma too many at the end is let pass."""
        if depth > _DEEPEST:
            self.stop()
        self.take(opening)
        count = 0
        while self.peek() != closing:
            if count:
                self.take(",")
                if self.peek() == closing:
                    self.rules.append(COMMA)
                    break
            read()
            count += 1
        self.take(closing)

    def value(self, depth: int) -> Value:
        mark = self.peek()
        if mark == "{":
            return self.object(depth + 1)
        if mark == "[":
            return self.array(depth + 1)
        found = _TOKEN.match(self.text, self.at)
        if found is None or found["mark"]:
            self.at = len(self.text) if mark in "\"'" else self.at  # a text without an end
            self.stop()
        self.at = found.end()
        if found["other"]:
            return self.word(found["other"])
        if found["single"]:
            self.rules.append(QUOTES)
        return self.string(found[0])

    def word(self, word: str) -> Value:
        if word in _JSON_WORDS:
            return _JSON_WORDS[word]
        if word in _PYTHON_WORDS:
            self.rules.append(PYTHON)
            return _PYTHON_WORDS[word]
        if not _NUMBER.fullmatch(word):
            self.stop()
        return _whole(word) if _WHOLE.fullmatch(word) else Odd(word)

    def string(self, quoted: str) -> str:
        escapes = {"\\'": "'", '"': '\\"'}
        inner = _ESCAPE.sub(lambda found: escapes.get(found[0], found[0]), quoted[1:-1])
        try:
            return str(json.loads(f'"{inner}"', strict=False))
        except ValueError:
            self.stop()

    def peek(self) -> str:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.text[self.at : self.at + 1]

    def take(self, mark: str) -> None:
        if self.peek() != mark:
            self.stop()
        self.at += 1

    def stop(self) -> NoReturn:
        if not self.text[self.at :].strip():
            raise Unreadable("The answer breaks off before its JSON object ends.")
        raise Unreadable(f"The JSON of the answer is damaged at character {self.at + 1:,}.")
