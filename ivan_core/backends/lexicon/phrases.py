"""Word lists and how their phrases are found in a text: one pass, whatever the number of phrases.

A phrase is words in lower case. `a/b` is either word, `word*` any word that begins so, `_` any one
word, `..` up to three words, `(word)` a word that may be missing. Phrases are separated by commas
or line ends, and never reach over the end of a sentence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

WORD_FILES = ("words.toml", "people.toml", "topics.toml")
LONGEST_GAP = 3
ANY, GAP = "_", ".."


@dataclass(slots=True)
class _Node:
    """One step into the phrases: what may come next, and the lists whose phrase ends here."""

    words: dict[str, _Node] = field(default_factory=dict)
    stems: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    gap: _Node | None = None
    ends: tuple[str, ...] = ()
    stem_lengths: tuple[int, ...] = ()

    def step(self, piece: str) -> _Node:
        """The node after one piece of a phrase, made where it is new."""
        if piece == ANY:
            self.any = self.any or _Node()
            return self.any
        if piece == GAP:
            self.gap = self.gap or _Node()
            return self.gap
        if piece.endswith("*"):
            stem = piece[:-1]
            self.stem_lengths = tuple(sorted({*self.stem_lengths, len(stem)}))
            return self.stems.setdefault(stem, _Node())
        return self.words.setdefault(piece, _Node())

    def after(self, word: str) -> Iterator[_Node]:
        """The nodes that a word of the text leads to."""
        if (node := self.words.get(word)) is not None:
            yield node
        for length in self.stem_lengths:
            if (node := self.stems.get(word[:length])) is not None:
                yield node
        if self.any is not None:
            yield self.any


class Lexicon:
    """The compiled word lists: phrases to be found, and plain `words` to be looked up."""

    def __init__(self, lists: dict[str, str], words: dict[str, str]) -> None:
        self.names = frozenset(lists)
        self.words = {name: frozenset(given.split()) for name, given in words.items()}
        self._root = _Node()
        for name, phrases in lists.items():
            for phrase in phrases.replace("\n", ",").split(","):
                if phrase.strip():
                    self._add(name, [piece.split("/") for piece in phrase.split()])

    def _add(self, name: str, pieces: list[list[str]]) -> None:
        nodes = [self._root]
        for choices in pieces:
            optional = choices[0].startswith("(")
            plain = [choice.strip("()") for choice in choices]
            nodes = [node.step(choice) for node in nodes for choice in plain] + (
                nodes if optional else []
            )
        for node in nodes:
            node.ends = (*node.ends, name)

    def find(
        self, words: Sequence[str], sentences: Sequence[int]
    ) -> Iterator[tuple[str, int, int]]:
        """Every phrase in the text: (list, first word, last word), by the place of its first word.

        `sentences` says for each word the number of its sentence.
        """
        starting: dict[str, tuple[_Node, ...]] = {}
        for first, word in enumerate(words):
            nodes = starting.get(word)
            if nodes is None:
                nodes = starting[word] = tuple(self._root.after(word))
            if nodes:
                for name, last in _longest(nodes, first, words, sentences).items():
                    yield name, first, last


def _longest(
    nodes: tuple[_Node, ...], first: int, words: Sequence[str], sentences: Sequence[int]
) -> dict[str, int]:
    """For each list the last word of its longest phrase that begins at `first`."""
    longest: dict[str, int] = {}
    sentence = sentences[first]
    reached = [(node, first) for node in nodes]
    while reached:
        node, at = reached.pop()
        for name in node.ends:
            longest[name] = max(longest.get(name, at), at)
        tries = [(node, at + 1)] if node.words or node.stems or node.any else []
        if node.gap is not None:
            tries.extend((node.gap, at + 1 + skipped) for skipped in range(LONGEST_GAP + 1))
        for following, place in tries:
            if place < len(words) and sentences[place] == sentence:
                reached.extend((one, place) for one in following.after(words[place]))
    return longest


def word_files() -> dict[str, bytes]:
    """The word lists as they stand on disk, by file name."""
    return {name: (files(__package__) / name).read_bytes() for name in WORD_FILES}


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The project's word lists, read once."""
    lists: dict[str, str] = {}
    words: dict[str, str] = {}
    for content in word_files().values():
        read = tomllib.loads(content.decode("utf-8"))
        lists.update(read["lists"])
        words.update(read.get("words", {}))
    return Lexicon(lists, words)


def words_hash() -> str:
    """Twelve hex digits of the word lists."""
    digest = sha256()
    for content in word_files().values():
        digest.update(content)
    return digest.hexdigest()[:12]
