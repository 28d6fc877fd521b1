"""A dialogue as the rules read it: words, sentences, turns, and where each list's phrases stand."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from ivan_core.backends.lexicon.phrases import lexicon
from ivan_core.domain.transcripts import Dialogue

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_SENTENCE_END = frozenset(".!?\n")
RECENT = 2
"""How many of the person's turns count as recent."""
MOST_HITS = 1000
"""Hits of one list that are kept: the last ones of the text, as the last reply ends it. Of a
pattern the first ones of each turn are kept."""
NEGATION_REACH = 3
"""How many words before a word are searched for a negation."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase of a list in the text: character span, word span, sentence, inside quotes or not."""

    start: int
    end: int
    first: int
    last: int
    sentence: int
    quoted: bool


@dataclass(frozen=True)
class Passage:
    """Some of a dialogue's turns: spans of characters, in order."""

    reading: Reading
    spans: tuple[tuple[int, int], ...]

    @cached_property
    def text(self) -> str:
        return "\n".join(self.reading.text[start:end] for start, end in self.spans)

    @cached_property
    def words(self) -> list[str]:
        """The words in lower case, apostrophes straight."""
        return [word for a, b in self.word_ranges for word in self.reading.words[a:b]]

    @cached_property
    def word_ranges(self) -> list[tuple[int, int]]:
        starts = self.reading.starts
        return [(bisect_left(starts, a), bisect_left(starts, b)) for a, b in self.spans]

    def found(self, *names: str, quoted: bool = True) -> list[Hit]:
        """The phrases of these lists; with `quoted=False` those outside double quotes."""
        hits = [hit for name in names for hit in self.reading.hits.get(name, ()) if self.holds(hit)]
        return sorted(
            (hit for hit in hits if quoted or not hit.quoted), key=lambda hit: (hit.start, hit.end)
        )

    def asserted(self, *names: str, quoted: bool = True) -> list[Hit]:
        """Like `found`, without the phrases that a negation stands shortly before."""
        return [hit for hit in self.found(*names, quoted=quoted) if not self.reading.negated(hit)]

    def holds(self, hit: Hit) -> bool:
        at = bisect_right(self._begins, hit.start) - 1
        return at >= 0 and hit.end <= self.spans[at][1]

    def span_of(self, hit: Hit) -> tuple[int, int]:
        """The span that holds one of the passage's hits."""
        return self.spans[bisect_right(self._begins, hit.start) - 1]

    def matches(self, pattern: re.Pattern[str]) -> list[Hit]:
        """Where a regular expression matches, as hits."""
        return [
            self.reading.hit_of(start, end)
            for a, b in self.spans
            for start, end in (
                found.span()
                for found in islice(pattern.finditer(self.reading.text, a, b), MOST_HITS)
            )
        ]

    @cached_property
    def _begins(self) -> list[int]:
        return [start for start, _ in self.spans]


class Reading:
    """A dialogue taken apart once, for all rules."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self.text = text = dialogue.printed
        self.words: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.sentences: list[int] = []
        self._split_words()
        self._quotes = [found.span() for found in re.finditer(r'"[^"\n]*"|“[^”\n]*”', text)]
        self._quote_starts = [start for start, _ in self._quotes]
        places: dict[str, deque[tuple[int, int]]] = {}
        for name, first, last in lexicon().find(self.words, self.sentences):
            places.setdefault(name, deque(maxlen=MOST_HITS)).append((first, last))
        self.hits = {
            name: [self._hit(first, last) for first, last in found]
            for name, found in places.items()
        }

    def _split_words(self) -> None:
        sentence, before = 0, 0
        for found in _WORD.finditer(self.text):
            start, end = found.span()
            gap = self.text[before:start]
            if gap != " " and not _SENTENCE_END.isdisjoint(gap):
                sentence += 1
            self.words.append(found[0].lower().replace("’", "'"))
            self.starts.append(start)
            self.ends.append(end)
            self.sentences.append(sentence)
            before = end

    def _hit(self, first: int, last: int) -> Hit:
        start, end = self.starts[first], self.ends[last]
        return Hit(start, end, first, last, self.sentences[first], self.in_quotes(start))

    def hit_of(self, start: int, end: int) -> Hit:
        """A character span as a hit; its words are those that begin in it."""
        first = bisect_left(self.starts, start)
        last = max(first, bisect_left(self.starts, end) - 1)
        sentence = self.sentences[first] if first < len(self.sentences) else -1
        return Hit(start, end, first, last, sentence, self.in_quotes(start))

    def last_word(self, span: tuple[int, int]) -> Hit | None:
        """The word that ends a span, if nothing but blanks follow it there."""
        at = bisect_left(self.starts, span[1]) - 1
        if at < 0 or self.starts[at] < span[0] or self.text[self.ends[at] : span[1]].strip():
            return None
        return self._hit(at, at)

    def in_quotes(self, at: int) -> bool:
        quote = bisect_right(self._quote_starts, at) - 1
        return quote >= 0 and at < self._quotes[quote][1]

    def negated(self, hit: Hit) -> bool:
        """Is there a negation in the few words before, in the same clause?"""
        for at in range(hit.first - 1, max(-1, hit.first - 1 - NEGATION_REACH), -1):
            if not self.text[self.ends[at] : self.starts[at + 1]].isspace():
                return False
            if self.words[at] in lexicon().words["negations"] or self.words[at].endswith("n't"):
                return True
        return False

    def opens_clause(self, hit: Hit) -> bool:
        """Does it stand at the start of a clause: nothing but marks or a joining word before?"""
        if hit.first == 0 or self.sentences[hit.first - 1] != hit.sentence:
            return True
        before = self.text[self.ends[hit.first - 1] : hit.start]
        return self.words[hit.first - 1] in lexicon().words["joining"] or not before.isspace()

    @cached_property
    def reply(self) -> Passage | None:
        """The last reply, by the transcript rules; None if there is none or it is empty."""
        answer = self.dialogue.reply
        if not answer:
            return None
        end = len(self.text.rstrip())
        return Passage(self, ((end - len(answer), end),))

    @cached_property
    def human(self) -> Passage:
        """What the person says, all turns."""
        return self._turns("Human")

    @cached_property
    def assistant(self) -> Passage:
        """What the assistant says, all turns."""
        return self._turns("Assistant")

    @cached_property
    def question(self) -> Passage:
        """The person's last turn before the last reply, or the last one at all."""
        return Passage(self, self._asked[-1:])

    @cached_property
    def _asked(self) -> tuple[tuple[int, int], ...]:
        limit = self.reply.spans[0][0] if self.reply else len(self.text)
        return tuple(span for span in self.human.spans if span[1] <= limit)

    @cached_property
    def recent(self) -> Passage:
        """The person's last two turns before the last reply."""
        return Passage(self, self._asked[-RECENT:])

    @cached_property
    def whole(self) -> Passage:
        return Passage(self, ((0, len(self.text)),))

    def _turns(self, role: str) -> Passage:
        at = len(self.dialogue.preamble)
        spans = []
        for turn in self.dialogue.turns:
            at += len(f"\n\n{turn.role}:")
            if turn.role == role:
                spans.append((at, at + len(turn.content)))
            at += len(turn.content)
        return Passage(self, tuple(spans))
