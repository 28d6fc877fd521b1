"""Mending an answer by fixed rules, each use with a receipt: which rule, before, after.

What is not plainly meant is not mended: a missing label, an invented topic, a word that is near to
two of the list. Such a key is invalid and can be asked again.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ivan_core.domain.labels import Label
from ivan_core.labels.reading import Members, Odd, Value
from ivan_core.labels.schema import SENTIMENTS, Feature

NUMBER = "number read as yes or no"
WORD = "word read as yes or no"
SPELLING = "near spelling of an allowed value"
SYNONYM = "synonym of a sentiment"
SINGLE = "single word read as a list"
NOTHING = "nothing named read as an empty list"
TWICE = "word named twice kept once"
EXTRA = "label that nobody asked for dropped"
SAME_KEY = "label given twice alike kept once"
NEAR = 0.9
"""The least share of letters in common, in order, that makes two spellings near (difflib)."""

_LONGEST_LIST = 50
_LONGEST_SHOWN = 200
_YES = frozenset({"true", "yes", "1"})
_NO = frozenset({"false", "no", "0"})
_NONE_NAMED = frozenset({"", "none", "null", "n/a", "[]"})
_SYNONYMS = {
    "pos": "positive",
    "favorable": "positive",
    "favourable": "positive",
    "neg": "negative",
    "unfavorable": "negative",
    "unfavourable": "negative",
    "neut": "neutral",
    "neither": "neutral",
}


@dataclass(frozen=True, slots=True)
class Fix:
    """The receipt of one repair. `key` is a feature's, or empty for the answer as a whole.

    `before` and `after` are JSON, cut where long; they hold what a model wrote: never markup.
    """

    key: str
    rule: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a label, or with an empty `key` the whole answer, is not valid.

    `found` is what stood there, as a model or provider wrote it, cut where long.
    """

    key: str
    message: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class Mended:
    """A label and what it took to get it; or why there is none."""

    label: Label = None
    fixes: tuple[Fix, ...] = ()
    problem: Problem | None = None


def mend(asked: Feature, value: Value) -> Mended:
    """The label that a value stands for; without fixes if it was right as it came."""
    if asked.kind == "boolean":
        return _yes_or_no(asked, value)
    if asked.kind == "word":
        return _one_word(asked, value)
    return _words(asked, value)


def nearest(word: str, values: Sequence[str], least: float = NEAR) -> str | None:
    """The one value that a word misspells; None if none is near or several are.

    The same letters and digits, whatever the case and the marks between them, come first; then
    a share of letters in common of `least` or more.
    """
    letters = _letters(word)
    if not letters or len(word) > 2 * max(map(len, values), default=0):
        return None
    near = [value for value in values if _letters(value) == letters]
    if not near:
        near = [
            value
            for value in values
            if SequenceMatcher(None, _letters(value), letters, autojunk=False).ratio() >= least
        ]
    return near[0] if len(near) == 1 else None


def shown(value: Value | tuple[str, ...]) -> str:
    """A value as JSON on one line, cut where long; objects and lists in lists as an ellipsis."""
    if isinstance(value, Odd):
        text = value.text
    elif isinstance(value, Members):
        text = "{…}"
    elif isinstance(value, list | tuple):
        inner = ("…" if isinstance(item, list | Members) else shown(item) for item in value[:99])
        text = f"[{', '.join(inner)}{', …' if len(value) > 99 else ''}]"
    else:
        text = json.dumps(value, ensure_ascii=False)
    return cut(text)


def cut(text: str) -> str:
    """A text short enough for a receipt, without half surrogate pairs, which no file takes."""
    text = text[: _LONGEST_SHOWN + 1].encode("utf-8", "replace").decode()
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _yes_or_no(asked: Feature, value: Value) -> Mended:
    if isinstance(value, bool):
        return Mended(value)
    if isinstance(value, int) and value in (0, 1):
        return Mended(value == 1, (Fix(asked.key, NUMBER, shown(value), shown(value == 1)),))
    if isinstance(value, str):
        word = value.strip().rstrip(".!").casefold()
        if word in _YES or word in _NO:
            label = word in _YES
            return Mended(label, (Fix(asked.key, WORD, shown(value), shown(label)),))
    return _invalid(asked, "is neither true nor false", value)


def _one_word(asked: Feature, value: Value) -> Mended:
    if not isinstance(value, str):
        return _invalid(asked, "is not one word of the list", value)
    if value in asked.values:
        return Mended(value)
    synonyms = _SYNONYMS if asked.values == SENTIMENTS else {}
    meant, rule = nearest(value, asked.values), SPELLING
    if meant is None:
        meant, rule = synonyms.get(_letters(value)), SYNONYM
    if meant is None:
        return _invalid(asked, "is not in the list", value)
    return Mended(meant, (Fix(asked.key, rule, shown(value), shown(meant)),))


def _words(asked: Feature, value: Value) -> Mended:
    fixes: list[Fix] = []
    only = value[0] if isinstance(value, list) and len(value) == 1 else value
    if only is None or (isinstance(only, str) and only.strip().casefold() in _NONE_NAMED):
        return Mended((), (Fix(asked.key, NOTHING, shown(value), "[]"),))
    if isinstance(value, str):
        fixes.append(Fix(asked.key, SINGLE, shown(value), shown([value])))
        value = [value]
    if not isinstance(value, list):
        return _invalid(asked, "is not a list of words", value)
    if len(value) > _LONGEST_LIST:
        return _invalid(asked, f"names more than {_LONGEST_LIST} words", value)
    words: list[str] = []
    for item in value:
        meant = item if isinstance(item, str) else None
        if meant is not None and meant not in asked.values:
            meant = nearest(meant, asked.values)
            if meant is not None:
                fixes.append(Fix(asked.key, SPELLING, shown(item), shown(meant)))
        if meant is None:
            return _invalid(asked, "names what is not in the list", item)
        words.append(meant)
    label = tuple(dict.fromkeys(words))
    if len(label) < len(words):
        fixes.append(Fix(asked.key, TWICE, shown(tuple(words)), shown(label)))
    return Mended(label, tuple(fixes))


def _invalid(asked: Feature, what: str, value: Value) -> Mended:
    return Mended(problem=Problem(asked.key, f"The answer {what}.", shown(value)))


def _letters(text: str) -> str:
    """A text's letters and digits, without case; compatibility forms (ﬁ, Ａ) as plain ones."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST_SHOWN]).casefold()
    return "".join(mark for mark in plain if mark.isalnum())
