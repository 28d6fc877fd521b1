"""What a ranking of words comes to: its two ends, the place of a word, how far two models agree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.metrics.models.judged import Floats
from ivan_core.metrics.ranks import from_best, places, rank_correlation
from ivan_core.words.asking import Scored
from ivan_core.words.word_list import held_back

if TYPE_CHECKING:
    import pandas as pd

TOP = 50
"""Words at each end of a model's list."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its place by one model (1 is best) and by the other; 0 where it has none."""

    text: str
    place: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Ends:
    """The best words of one model from the first on, and the worst from the last on.

    `skipped` counts the words that would stand in the two lists and are not shown.
    """

    model: str
    ranked: int
    best: tuple[Word, ...]
    worst: tuple[Word, ...]
    skipped: int


@dataclass(frozen=True, eq=False)
class Ranking:
    """Both models' orders of one list of words."""

    scored: Scored

    @cached_property
    def places(self) -> np.ndarray:
        """The place of each word by each model, shape (2, words); 0 where a model gave none."""
        return np.stack([places(rewards) for rewards in self.scored.rewards])

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The words that no list shows: those of the bundled list; one's own is shown whole."""
        return frozenset() if self.scored.asked.own else held_back()

    @cached_property
    def correlation(self) -> tuple[float | None, int]:
        """Spearman's rho of the two orders, and over how many words."""
        return rank_correlation(*self.scored.rewards)

    def ends(self, model: int, top: int = TOP) -> Ends:
        """The two ends of one model's list, `top` words each: of a short list, half of it each."""
        order = from_best(self.scored.rewards[model])
        shown = np.array([self.scored.words[i] not in self.hidden for i in order], dtype=bool)
        at = np.flatnonzero(shown)
        top = min(top, len(at) // 2)
        best, worst = at[:top], at[::-1][:top]
        skipped = int((~shown[: best[-1]]).sum() + (~shown[worst[-1] :]).sum()) if top else 0
        return Ends(
            self.scored.models[model],
            len(order),
            tuple(self._word(order[i], model) for i in best),
            tuple(self._word(order[i], model) for i in worst),
            skipped,
        )

    def shared(self, top: int = TOP) -> tuple[int, int]:
        """How many of the best words of both models are the same, and how many of the worst."""
        first, second = self.ends(0, top), self.ends(1, top)
        return (
            len({word.text for word in first.best} & {word.text for word in second.best}),
            len({word.text for word in first.worst} & {word.text for word in second.worst}),
        )

    def place_of(self, text: str) -> tuple[str, int, int] | None:
        """A word as the list has it, whatever its capitals, and its place by each model; None if it
        is not in the list."""
        at = self._where.get(" ".join(text.split()).casefold())
        if at is None:
            return None
        first, second = (int(place) for place in self.places[:, at])
        return self.scored.words[at], first, second

    def places_for(self, rewards: Floats) -> tuple[int, int]:
        """Where a word of these rewards, shape (2,), would stand by each model; 0 for NaN."""
        both = zip(self.scored.rewards, rewards, strict=True)
        first, second = (
            0 if np.isnan(own) else int((others > own).sum()) + 1 for others, own in both
        )
        return first, second

    @cached_property
    def _where(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for at, word in enumerate(self.scored.words):
            found.setdefault(word.casefold(), at)
        return found

    def table(self) -> pd.DataFrame:
        """Every word, held back or not, with reward and place by each model, the best first."""
        import pandas as pd

        found = pd.DataFrame({"word": self.scored.words})
        for number, model in enumerate(self.scored.models):
            found[f"reward {model}"] = self.scored.rewards[number]
            ranked = pd.Series(self.places[number])
            found[f"place {model}"] = ranked.astype("Int64").mask(ranked == 0)
        return found.sort_values(
            f"place {self.scored.models[0]}", kind="stable", na_position="last"
        )

    def ends_table(self, top: int = TOP) -> pd.DataFrame:
        """The words of both ends of both models, one a row: model, end, line from 0 on, word,
        place, and elsewhere, the place by the other model (0: none)."""
        import pandas as pd

        rows = [
            (ends.model, end, line, word.text, word.place, word.elsewhere)
            for ends in (self.ends(0, top), self.ends(1, top))
            for end, words in (("best", ends.best), ("worst", ends.worst))
            for line, word in enumerate(words)
        ]
        return pd.DataFrame(rows, columns=["model", "end", "line", "word", "place", "elsewhere"])

    def _word(self, at: int, model: int) -> Word:
        return Word(
            self.scored.words[at], int(self.places[model, at]), int(self.places[1 - model, at])
        )
