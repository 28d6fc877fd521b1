"""Rules about how it is said: vocabulary, coherence, tone, invention, eloquence, and topics."""

from __future__ import annotations

import re

from ivan_core.backends.lexicon.decision import Decision, decide
from ivan_core.backends.lexicon.phrases import lexicon
from ivan_core.backends.lexicon.reading import Hit, Passage, Reading

POOR_FROM = 3
"""More marks than these in one human turn make poor vocabulary: two for a slip, one for a small
first letter, one for a missing full stop."""
MOST_TOPICS = 3
RAISED_EVERY = 30
"""A raised register has a literary word at least every so many words."""
LONG_REPLY = 40
LONG_WORDS = 4.6
"""Words, and letters a word, from which a reply without plain words counts as well built."""
PLAIN_EVERY = 25
TOPICS = {
    "topic_culture": "Culture and the arts",
    "topic_geography": "Geography and places",
    "topic_health": "Health and fitness",
    "topic_history": "History and events",
    "topic_activities": "Human activities",
    "topic_mathematics": "Mathematics and logic",
    "topic_natural": "Natural and physical sciences",
    "topic_people": "People and self",
    "topic_philosophy": "Philosophy and thinking",
    "topic_religion": "Religion and belief systems",
    "topic_society": "Society and social sciences",
    "topic_technology": "Technology and applied sciences",
}
_MASHED = re.compile(r"([^\W\d_])\1{3}|,{3}|[bcdfghjklmnpqrstvwxz]{7}", re.IGNORECASE)
_SEMICOLON = re.compile(r"\w;(?= )")
_CONTRACTION = re.compile(r"\w['’](?:s|t|re|ve|ll|d|m)\b", re.IGNORECASE)


def vocabulary(reading: Reading) -> Decision:
    """Does every human turn come without a heap of misspellings, chat spellings and slips?"""
    if not reading.human.spans:
        return decide(True, "there is no human turn to read", reading.text)
    human = reading.human
    slips: dict[tuple[int, int], list[Hit]] = {}
    for hit in human.found("text_speak", "misspelt", "crude") + _joined(human, "bad_grammar"):
        slips.setdefault(human.span_of(hit), []).append(hit)
    for (start, end), found in slips.items():
        said = reading.text[start:end].strip()
        if len(found) * 2 + said[:1].islower() + said[-1:].isalnum() > POOR_FROM:
            rule = "misspelt, crude or chat words, or broken grammar"
            return decide(False, rule, reading.text, found)
    return decide(True, "few or no slips found", reading.text)


def coherent(reading: Reading, said: Passage | None) -> Decision:
    """No joins that English does not make, no mashed keys, no end in the middle of a sentence."""
    if said is None:
        return decide(True, "there is no reply to read", reading.text)
    mashed = said.matches(_MASHED)
    if mashed:
        return decide(False, "letters or marks without sense", reading.text, mashed)
    joins = _joined(said, "broken_join")
    if joins:
        return decide(False, "words joined as English does not join them", reading.text, joins)
    last = [hit for hit in map(reading.last_word, said.spans) if hit is not None]
    last = [hit for hit in last if reading.words[hit.first] in lexicon().words["dangling"]]
    if last:
        return decide(False, "breaks off in the middle of a sentence", reading.text, last)
    return decide(True, "no broken sentence found", reading.text)


def _joined(said: Passage, name: str) -> list[Hit]:
    """Phrases of a list with nothing but blanks between their words."""
    text = said.reading.text
    between = str.maketrans("", "", "'’-")
    return [
        hit
        for hit in said.found(name)
        if all(word.translate(between).isalpha() for word in text[hit.start : hit.end].split())
    ]


def sentiment(reading: Reading, reply: Passage) -> Decision:
    """Warm words against harsh ones; a negated one counts for neither."""
    warm, harsh = reply.asserted("positive"), reply.asserted("negative")
    cheer = 1 if "!" in reply.text else 0
    balance = len(warm) + cheer - len(harsh)
    if balance >= 2:
        return decide("positive", "warm words outweigh harsh ones", reading.text, warm)
    if balance <= -2:
        return decide("negative", "harsh words outweigh warm ones", reading.text, harsh)
    return decide("neutral", "neither warm nor harsh words prevail", reading.text, warm + harsh)


def creative(reading: Reading, reply: Passage, refused: Decision) -> Decision:
    """Comparisons and images, more of them unless something invented was asked for."""
    literal = {hit.sentence for hit in reply.found("simile_literal")}
    images = reply.found("imagery") + [
        hit for hit in reply.found("simile") if hit.sentence not in literal
    ]
    asked = bool(reading.question.found("asks_for_creation")) and not refused.label
    if len(images) >= (1 if asked else 2):
        return decide(True, "comparisons and images", reading.text, images)
    return decide(False, "few or no comparisons and images found", reading.text)


def eloquent(reading: Reading, reply: Passage) -> Decision:
    """A raised register: literary words and built sentences, more of them than plain ones."""
    raised = reply.found("literary") + reply.matches(_SEMICOLON)
    plain = reply.found("plain_style") + reply.matches(_CONTRACTION)
    words = reply.words
    if len(raised) >= 2 and len(raised) > len(plain) and len(raised) * RAISED_EVERY >= len(words):
        return decide(True, "literary words and built sentences", reading.text, raised)
    letters = sum(map(len, words)) / max(1, len(words))
    if len(words) >= LONG_REPLY and letters >= LONG_WORDS and len(plain) * PLAIN_EVERY < len(words):
        return decide(True, "a long reply of long words, hardly any plain ones", reading.text)
    return decide(False, "a plain register", reading.text)


def topics(reading: Reading) -> Decision:
    """The categories with most words in the whole dialogue."""
    hits = {value: reading.whole.found(name) for name, value in TOPICS.items()}
    order = sorted((value for value in hits if hits[value]), key=lambda value: -len(hits[value]))
    if not order:
        return decide((), "no word of a topic found", reading.text)
    enough = [value for value in order if 2 * len(hits[value]) >= len(hits[order[0]])]
    kept = tuple(sorted(enough[:MOST_TOPICS], key=list(hits).index))
    return decide(
        kept,
        "the categories with most of their words in the dialogue",
        reading.text,
        [hit for value in kept for hit in hits[value]],
    )
