"""The rules of words: phrases that may stand for each other, and where.

A rule is a line `left > right`, or `left <> right` for both directions; `right` may offer several
phrases, parted by `|`. After `?` stand conditions, parted by spaces, that all must hold:

`next=` and `prev=` name the words of which one must come next or before, `next!=` and `prev!=`
those that must not, parted by commas. `@name` is a class of words, `*ing` any word that ends so,
`.` the end of a clause (for `prev`: its beginning), `#` a number. `start` and `inside` say where in
a sentence the phrase stands, `statement` that the sentence asks nothing. For `<>` the conditions
hold both ways. Held words match no condition except `!=`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from ivan_core.backends.rules_rewriter.reading import ENDS, Reading

WORDS = "words.toml"
_PLACES = ("start", "inside", "statement")


@dataclass(frozen=True, slots=True)
class Words:
    """A set of words as a condition names it."""

    words: frozenset[str]
    endings: tuple[str, ...]
    clause_end: bool
    number: bool

    def __contains__(self, key: str) -> bool:
        if key in self.words or (self.clause_end and key in ENDS):
            return True
        if self.number and key[:1].isdigit():
            return True
        return bool(self.endings) and key.endswith(self.endings)


@dataclass(frozen=True, slots=True)
class Condition:
    """A place in the sentence, or a neighbour that must or must not be one of `words`."""

    kind: str
    words: Words | None = None

    def holds(self, reading: Reading, first: int, last: int) -> bool:
        """Whether it holds for the phrase of the tokens `first` to `last` (not included)."""
        if self.kind == "start":
            return reading.tokens[first].first
        if self.kind == "inside":
            return not reading.tokens[first].first
        if self.kind == "statement":
            return _is_statement(reading, first, self.words)
        at = last if self.kind.startswith("next") else first - 1
        words = self.words or Words(frozenset(), (), False, False)
        opening = self.kind.startswith("prev") and reading.tokens[first].first
        key = "\n" if opening else reading.key(at)
        found = key in words
        if self.kind.endswith("!="):
            return not found
        held = 0 <= at < len(reading.tokens) and reading.tokens[at].held
        return found and (not held or key in ENDS)


@dataclass(frozen=True, slots=True)
class Rule:
    """One phrase, what may stand for it, the family it belongs to, and its conditions."""

    family: str
    left: tuple[str, ...]
    rights: tuple[str, ...]
    conditions: tuple[Condition, ...]

    def applies(self, reading: Reading, first: int) -> bool:
        """Whether it may be applied to the phrase that begins at this token."""
        last = first + len(self.left)
        return all(condition.holds(reading, first, last) for condition in self.conditions)


@dataclass(slots=True)
class Rules:
    """All rules of words by the first word of their phrase, the longest phrase first."""

    by_first: dict[str, tuple[Rule, ...]]
    classes: Mapping[str, frozenset[str]]
    date: str = ""
    moves: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def found_at(self, reading: Reading, at: int) -> Iterator[Rule]:
        """The rules whose phrase begins at this token and whose conditions hold, longest first."""
        for rule in self.by_first.get(reading.tokens[at].key, ()):
            if _stands(rule.left, reading, at) and rule.applies(reading, at):
                yield rule


def _stands(left: tuple[str, ...], reading: Reading, at: int) -> bool:
    tokens = reading.tokens
    if at + len(left) > len(tokens) or tokens[at].held:
        return False
    end = tokens[at + len(left) - 1].end
    if left[-1] == "," and not reading.text[end : end + 1].isspace():
        return False
    return all(
        tokens[at + i].key == left[i] and not tokens[at + i].held and _follows(reading, at + i)
        for i in range(1, len(left))
    )


def _follows(reading: Reading, at: int) -> bool:
    """Whether a token stands where it belongs: a word after one space, a comma after none."""
    if reading.key(at) == ",":
        return reading.tokens[at - 1].end == reading.tokens[at].start
    return reading.spaced(at)


def _is_statement(reading: Reading, at: int, opening: Words | None) -> bool:
    sentence = reading.sentence_of(at)
    if sentence.mark == "?":
        return False
    # "Don't open it." is no question, "why don't they know" may be one, whatever its mark.
    return at == sentence.first or opening is None or reading.key(sentence.first) not in opening


def _parse(family: str, line: str, classes: Mapping[str, frozenset[str]]) -> Iterator[Rule]:
    phrases, _, conditions = line.partition(" ? ")
    both = "<>" in phrases
    left, _, right = phrases.partition("<>" if both else ">")
    told = tuple(_condition(piece, classes) for piece in conditions.split())
    yield Rule(family, _keys(left), tuple(_written(piece) for piece in right.split("|")), told)
    if both:
        yield Rule(family, _keys(right), (_written(left),), told)


def _keys(phrase: str) -> tuple[str, ...]:
    """A phrase as a text's tokens have it: a comma stands for itself."""
    return tuple(phrase.replace(",", " , ").split())


def _written(phrase: str) -> str:
    """A phrase as it is written: a comma at the end of its word."""
    return " ".join(phrase.split()).replace(" ,", ",")


def _condition(piece: str, classes: Mapping[str, frozenset[str]]) -> Condition:
    if piece in _PLACES:
        asking = Words(classes["questions"], (), False, False) if piece == "statement" else None
        return Condition(piece, asking)
    kind, sign, named = piece.partition("!=" if "!=" in piece else "=")
    if kind not in ("next", "prev") or not sign:
        raise ValueError(f"A condition of a rule is not understood: {piece}")
    words: set[str] = set()
    for name in named.split(","):
        words |= classes[name[1:]] if name.startswith("@") else {name}
    endings = tuple(word[1:] for word in words if word.startswith("*"))
    plain = frozenset(word for word in words if not word.startswith("*") and word not in ".#")
    return Condition(kind + sign, Words(plain, endings, "." in words, "#" in words))


def read_rules(content: str) -> Rules:
    """The rules that a file holds.

    Raises:
        ValueError: a condition is not understood.
        KeyError: a condition names a class that the file does not have.
    """
    read = tomllib.loads(content)
    classes = {name: frozenset(words.split()) for name, words in read["classes"].items()}
    by_first: dict[str, list[Rule]] = {}
    for family, lines in read["rules"].items():
        for line in lines.splitlines():
            if line.strip():
                for rule in _parse(family, line.strip(), classes):
                    by_first.setdefault(rule.left[0], []).append(rule)
    ordered = {
        word: tuple(sorted(rules, key=lambda rule: -len(rule.left)))
        for word, rules in by_first.items()
    }
    moves = {
        name: frozenset(
            line.strip() for line in words.replace("\n", ",").split(",") if line.strip()
        )
        for name, words in read["moves"].items()
    }
    return Rules(ordered, classes, str(read["date"]), moves)


def words_file() -> bytes:
    """The rules as they stand on disk."""
    return (files(__package__) / WORDS).read_bytes()


@lru_cache(maxsize=1)
def rules() -> Rules:
    """The project's rules, read once."""
    return read_rules(words_file().decode("utf-8"))
