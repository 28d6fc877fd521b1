"""The rule-based rewriter `ivan/rules`: the same meaning in other words, changed by curated rules.

Which of the possible changes are made depends only on the text and the style, so a text is always
reworded in the same way. The two styles share out the places of a text where a rule fits: none is
changed by both, so that the second rewording is not the first one over again. A text with one such
place has no second rewording. Rewording a rewording may undo a change: many rules go both ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

from ivan_core.backends.rules_rewriter.moves import moves
from ivan_core.backends.rules_rewriter.reading import Reading
from ivan_core.backends.rules_rewriter.rules import Rule, rules, words_file
from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.domain.rewriting import RewriteRequest, Style

NAME = "ivan/rules"
RULE_FILES = ("moves.py", "reading.py", "rewriter.py", "rules.py")
OFTEN_MOVED = 0.6
"""How often a sentence that can be turned is turned; else its words may be changed."""
_SMALL_I = re.compile(r"(?<![\w.])i(?=[ '’])")
_LONE_SMALL = re.compile(r"\bi\b")
_ARTICLES = ("a", "an")
_VOWELS = "aeiou"
NO_RULE = "No rule of ivan/rules fits this text."
NO_SECOND = "No rule of ivan/rules fits a second place of this text."
NO_SURFACE = "ivan/rules changes words; a change of punctuation and space needs no rewriter."


@dataclass(frozen=True, slots=True)
class Change:
    """One stretch of the original text, what stands in its place, and the rule that put it there.

    `text[start:end]` is `before`.
    """

    start: int
    end: int
    before: str
    after: str
    rule: str


def reword(text: str, style: Style = "published") -> str:
    """The text in other words; the text itself where no rule applies."""
    pieces: list[str] = []
    reached = 0
    for change in explain(text, style):
        pieces += [text[reached : change.start], change.after]
        reached = change.end
    return "".join([*pieces, text[reached:]])


def explain(text: str, style: Style = "published") -> list[Change]:
    """The changes of a rewording, in the order of the text; they never overlap."""
    if style == "surface":
        return []
    reading, chance = Reading(text), _Chance(text)
    turned = [
        Change(move.start, move.end, text[move.start : move.end], move.after, move.name)
        for move in moves(reading, rules())
    ]
    worded = list(_word_changes(reading, chance))
    kept = [change for change in turned if chance.of(change.start, change.rule) < OFTEN_MOVED]
    places = _apart([*kept, *worded]) or turned
    drawn = sorted(places, key=lambda change: chance.of(change.start, f"whose {change.rule}"))
    half = (len(drawn) + 1) // 2
    own = drawn[:half] if style == "published" else drawn[half:]
    return sorted(own, key=lambda change: change.start)


class _Chance:
    """Numbers between 0 and 1 that look drawn, but follow from text, place and rule."""

    def __init__(self, text: str) -> None:
        self._seed = sha256(text.encode("utf-8", "surrogatepass")).digest()

    def of(self, place: int, name: str) -> float:
        digest = sha256(self._seed + f"{place}\0{name}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a text is written: "i" for "I", and which apostrophe."""

    small: bool
    curly: bool

    @staticmethod
    @lru_cache(maxsize=8)
    def of(text: str) -> _Manner:
        """How this text is written: looked for once, and not at each of its changes."""
        return _Manner(_SMALL_I.search(text) is not None, "’" in text and "'" not in text)

    def written(self, before: str, after: str) -> str:
        """The phrase with the capital, the "i" and the apostrophe of the one it stands for."""
        small = _LONE_SMALL.search(before) is not None or (before[:1].islower() and self.small)
        if not small:
            after = _LONE_SMALL.sub("I", after)
        if before[:1].isupper():
            after = after[:1].upper() + after[1:]
        return after.replace("'", "’") if self.curly else after


def changed_by(reading: Reading, at: int, rule: Rule) -> list[Change]:
    """What a rule makes of the phrase that begins at a token: one change for each phrase it offers.

    A comma that a word takes the place of leaves the space that stands between two words. After
    "a" or "an" nothing is offered that would need the other of them.
    """
    manner = _Manner.of(reading.text)
    start, end = reading.tokens[at].start, reading.tokens[at + len(rule.left) - 1].end
    before = reading.text[start:end]
    found = []
    for right in rule.rights:
        after = manner.written(before, right)
        if before[0] == "," != after[0] and not reading.text[start - 1].isspace():
            after = f" {after}"
        if reading.key(at - 1) in _ARTICLES and _vowel_first(before) != _vowel_first(after):
            continue
        found.append(Change(start, end, before, after, rule.family))
    return found


def _vowel_first(words: str) -> bool:
    return words[:1].lower() in _VOWELS


def _word_changes(reading: Reading, chance: _Chance) -> Iterator[Change]:
    """Every change of words that can be made, from left to right, without overlap."""
    at = 0
    while at < len(reading.tokens):
        fitting = ((rule, changed_by(reading, at, rule)) for rule in rules().found_at(reading, at))
        rule, offered = next(((rule, found) for rule, found in fitting if found), (None, []))
        if rule is None:
            at += 1
            continue
        yield offered[int(chance.of(offered[0].start, "which") * len(offered))]
        at += len(rule.left)


def _apart(changes: list[Change]) -> list[Change]:
    """The changes that overlap none before them in the list."""
    taken: list[Change] = []
    for change in sorted(changes, key=lambda change: (change.start, change.start - change.end)):
        if not taken or change.start >= taken[-1].end:
            taken.append(change)
    return taken


@lru_cache(maxsize=1)
def revision() -> str:
    """Twelve hex digits of the rules and of the code that applies them."""
    digest = sha256(words_file())
    for name in RULE_FILES:
        digest.update((files(__package__) / name).read_bytes())
    return digest.hexdigest()[:12]


class RulesRewriter:
    """`ivan/rules` behind the rewriters' protocol. It reads the piece, never the prompt."""

    def __init__(self) -> None:
        self.card = AnswererCard(NAME, revision(), "rules")

    def rewrite(self, request: RewriteRequest) -> ModelReply:
        """The piece in other words; never fails. A piece that no rule fits has that as problem."""
        if request.style == "surface":
            return ModelReply(problem=NO_SURFACE)
        text = reword(request.text, request.style)
        if text == request.text:
            return ModelReply(problem=NO_SECOND if request.style == "second" else NO_RULE)
        return ModelReply(text, finish="stop")
