"""Changes of order: a clause or a short adverbial that goes to the other end of a sentence.

"If you feel ill, call a doctor." and "Call a doctor if you feel ill." say the same, and so do "At
first I swam." and "I swam at first." Only plain sentences are turned: nothing held in them, no mark
within but the one comma, no word that points back or joins a further clause.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ivan_core.backends.rules_rewriter.reading import STOPS, Reading, Sentence
from ivan_core.backends.rules_rewriter.rules import Rules

LONGEST = 24
_LONGEST_ADVERBIAL = 4
_MARKS = frozenset(".!?")


@dataclass(frozen=True, slots=True)
class Move:
    """The words between two places of the text, and the same words in another order."""

    start: int
    end: int
    after: str
    name: str


def moves(reading: Reading, rules: Rules) -> Iterator[Move]:
    """One turned sentence for each that can be turned, in the order of the text."""
    for sentence in reading.sentences:
        words = _plain_words(reading, sentence)
        if words is not None:
            first, last = words
            move = _clause(reading, rules, first, last) or _adverbial(reading, rules, first, last)
            if move is not None:
                yield move


def _plain_words(reading: Reading, sentence: Sentence) -> tuple[int, int] | None:
    """The first and the last (not included) word of a sentence of words, commas and an end mark."""
    last = sentence.last
    while last > sentence.first and reading.key(last - 1) in STOPS:
        last -= 1
    end = reading.key(last)
    long_enough = 4 <= last - sentence.first <= LONGEST
    if not long_enough or end not in _MARKS or not reading.tokens[sentence.first].first:
        return None
    if reading.key(last + 1) in _MARKS:
        return None
    for at in range(sentence.first, last):
        token = reading.tokens[at]
        if token.held or not (token.key[0].isalpha() or token.key == ","):
            return None
        if at > sentence.first and token.key != "," and not reading.spaced(at):
            return None
    return sentence.first, last


def _clause(reading: Reading, rules: Rules, first: int, last: int) -> Move | None:
    """A clause with "if" or "when" that leads becomes one that follows, or the other way."""
    keys = [reading.key(at) for at in range(first, last)]
    commas = [at for at, key in enumerate(keys) if key == ","]
    joints = rules.moves["joints"]
    if keys[0] in joints and len(commas) == 1:
        comma = commas[0]
        if not _loose(keys[1:comma], rules) or not _loose(keys[comma + 1 :], rules):
            return None
        if comma < 3 or len(keys) - comma < 3 or keys[1] not in rules.moves["movers"]:
            return None
        clause = _words(reading, first, first + comma)
        main = _words(reading, first + comma + 1, last)
        return _moved(reading, first, last, f"{_upper(main)} {_lower(clause)}", "clause to the end")
    if commas:
        return None
    joined = [at for at, key in enumerate(keys) if key in joints]
    if len(joined) != 1 or not 2 <= joined[0] <= len(keys) - 3:
        return None
    at = joined[0]
    if keys[at - 1] in rules.moves["objects"] or keys[at + 1] not in rules.moves["movers"]:
        return None
    if not _loose(keys[:at], rules) or not _loose(keys[at + 1 :], rules):
        return None
    opening = _lowered(reading, rules, first, first + at)
    if opening is None:
        return None
    clause = _words(reading, first + at, last)
    return _moved(reading, first, last, f"{_upper(clause)}, {opening}", "clause to the front")


def _adverbial(reading: Reading, rules: Rules, first: int, last: int) -> Move | None:
    """A short adverbial that leads becomes one that follows, or the other way."""
    if reading.key(last) != ".":
        return None
    keys = [reading.key(at) for at in range(first, last)]
    # With a second verb ("I think you swam last week") the adverbial may belong to that one.
    if not rules.moves["second verbs"].isdisjoint(keys):
        return None
    if sum(key in rules.classes["actor"] for key in keys) > 1:
        return None
    commas = [at for at, key in enumerate(keys) if key == ","]
    for size in range(_LONGEST_ADVERBIAL, 0, -1):
        rest = len(keys) - size
        if rest < 3:
            continue
        leads = " ".join(keys[:size]) in rules.moves["adverbials"]
        if leads and commas in ([], [size]) and keys[-1] not in rules.moves["adverbials"]:
            begins = first + size + len(commas)
            subject = reading.key(begins) in rules.classes["subject"]
            if subject and _loose(keys[size + len(commas) :], rules, pointing=True):
                front = _lower(_words(reading, first, first + size))
                main = _upper(_words(reading, begins, last))
                return _moved(reading, first, last, f"{main} {front}", "adverbial to the end")
        follows = " ".join(keys[rest:]) in rules.moves["adverbials"]
        if follows and not commas and keys[0] in rules.classes["subject"]:
            main_words = _lowered(reading, rules, first, first + rest)
            if main_words is not None and _loose(keys[:rest], rules, pointing=True):
                front = _upper(_words(reading, first + rest, last))
                return _moved(
                    reading, first, last, f"{front}, {main_words}", "adverbial to the front"
                )
    return None


def _loose(keys: list[str], rules: Rules, *, pointing: bool = False) -> bool:
    """Whether no word ties these words to others; `pointing` lets pronouns stand."""
    knots = rules.moves["knots"]
    if pointing:
        knots = knots - rules.classes["pronoun"] - {"this", "that", "these", "those", "it's"}
    return "," not in keys and knots.isdisjoint(keys)


def _lowered(reading: Reading, rules: Rules, first: int, last: int) -> str | None:
    """The words with a small beginning; None if the first word may be a name."""
    key = reading.key(first)
    if key == "i" or key.startswith("i'"):
        return _words(reading, first, last)
    return _lower(_words(reading, first, last)) if key in rules.moves["openers"] else None


def _words(reading: Reading, first: int, last: int) -> str:
    return reading.text[reading.tokens[first].start : reading.tokens[last - 1].end]


def _moved(reading: Reading, first: int, last: int, after: str, name: str) -> Move:
    start, end = reading.tokens[first].start, reading.tokens[last - 1].end
    # A text that is written small stays so.
    if reading.text[start].islower():
        after = after[0].lower() + after[1:] if not after.startswith("I ") else after
    return Move(start, end, after, name)


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]
