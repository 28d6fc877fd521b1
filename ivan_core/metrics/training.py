"""How many of the pairs that a model judges it was trained on, and what may be said of it then.

Agreement on training pairs says how well a model learned them, not how it does on others. Where
some pairs are known to be new to a model, its figures rest on those. Model ids are other people's
text: a page escapes the sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from ivan_core.domain.words import number_of
from ivan_core.metrics.agreement import by_model, flags


@dataclass(frozen=True, slots=True)
class Training:
    """Of `rated` pairs a model was trained on `seen` and not on `unseen`; of others nobody knows.

    `card_says` is what its card says of the whole dataset, None if nothing.
    """

    model: str
    rated: int
    seen: int
    unseen: int
    card_says: bool | None = None

    @property
    def on_all(self) -> bool:
        """Whether it was trained on every pair it rated."""
        return 0 < self.seen == self.rated

    @property
    def on_some(self) -> bool:
        """Whether it was trained on some of the pairs, and its figures rest on others."""
        return self.seen > 0 and self.unseen > 0

    @property
    def noun(self) -> str:
        """What the pairs of its figures are to be called."""
        if self.on_all:
            return "pairs it was trained on"
        return "pairs it was not trained on" if self.on_some else "pairs"

    @property
    def sentence(self) -> str:
        """How many of the pairs the model was trained on, to stand beside each figure."""
        n = number_of(self.rated, "pair")
        if not self.rated:
            return f"{self.model} rated no pair."
        if self.on_all:
            return (
                f"{self.model} was trained on all {n}: no figure here is about pairs it has not"
                " seen."
            )
        if self.on_some:
            others = "other one" if self.unseen == 1 else f"{self.unseen:,} others"
            return (
                f"{self.model} was trained on {self.seen:,} of {n}; its figures are about the"
                f" {others}."
            )
        if self.seen:
            return f"{self.model} was trained on {self.seen:,} of {n}; of others nobody says."
        if self.unseen:
            return f"{self.model} was trained on none of {n}."
        if self.card_says:
            return (
                f"The card of {self.model} says that it was trained on this dataset, not on how"
                f" many of the {n}: its figures may be about pairs it has seen."
            )
        return f"Nobody says on how many of {n} {self.model} was trained."

    @property
    def caveat(self) -> str:
        """What a number of the model must carry; empty where nothing is known against it."""
        return self.sentence if self.seen or (self.card_says and not self.unseen) else ""


def training_of(table: pd.DataFrame, card_says: dict[str, bool | None]) -> dict[str, Training]:
    """What is known of each model of the scores table, in order of first appearance."""
    found = {}
    for name, own in by_model(table):
        rated = own["verdict"].notna().to_numpy(bool)
        known = own["seen"].notna().to_numpy(bool)[rated]
        seen = flags(own["seen"])[rated]
        found[name] = Training(
            name, int(rated.sum()), int(seen.sum()), int((known & ~seen).sum()), card_says.get(name)
        )
    return found


def unseen_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The rows on which figures rest: without those a model was trained on, if it has others."""
    seen = flags(table["seen"])
    if not seen.any():
        return table
    new = table["verdict"].notna().to_numpy(bool) & table["seen"].notna().to_numpy(bool) & ~seen
    others = table["model"].isin(table["model"][new].unique()).to_numpy(bool)
    return table if not (seen & others).any() else table[~(seen & others)]


def fair_pairs(shared: pd.DataFrame) -> pd.DataFrame:
    """Of the pairs that two models rated, those that neither was trained on; all if none is."""
    new = ~shared["seen"].to_numpy(bool)
    return shared if new.all() or not new.any() else shared[new]


def never_clear(shared: pd.DataFrame, first: Training, second: Training) -> str:
    """Why no difference of two models is clear on these pairs; empty where nothing is against it.

    `shared` are the pairs that the difference rests on: what each model has seen of others does not
    count.
    """
    models = (first.model, second.model)
    columns = [shared[name].astype("boolean") for name in ("first_seen", "second_seen")]
    trained = [model for model, seen in zip(models, columns, strict=True) if seen.any()]
    if len(trained) == 2:
        who = " and ".join(trained)
        return f"{who} were trained on pairs among these, so no difference here is called clear."
    if trained:
        at = models.index(trained[0])
        other, known = models[1 - at], bool(columns[1 - at].notna().all())
        was_not = f"{other} was not" if known else f"nobody says it of {other}"
        return (
            f"{trained[0]} was trained on these very pairs and {was_not}, so no difference here is"
            " called clear."
        )
    doubtful = [
        one.model
        for one, seen in zip((first, second), columns, strict=True)
        if one.card_says and not seen.notna().any()
    ]
    return trained_somewhere(doubtful)


def trained_somewhere(models: Sequence[str]) -> str:
    """Why no difference is clear of models whose cards name the dataset; empty without one."""
    if not models:
        return ""
    *first, last = models
    who = f"{', '.join(first)} and {last}" if first else last
    return (
        f"{who} {'were' if first else 'was'} trained on this dataset, nobody says on which pairs,"
        " so no difference here is called clear."
    )


def trainings_told(trainings: Iterable[Training]) -> str:
    """The sentences of several models, in one where none was trained on any of the same pairs."""
    told = list(trainings)
    same = len({(one.rated, one.unseen) for one in told}) == 1
    if len(told) > 1 and same and told[0].rated == told[0].unseen > 0:
        who = "Neither model" if len(told) == 2 else "No model"
        return f"{who} was trained on any of {told[0].rated:,} pairs."
    return " ".join(one.sentence for one in told)


def trained_on(model: str, seen: int | None, n: int) -> str:
    """On how many of n pairs a model was trained, where numbers rest on all of them."""
    pairs = number_of(n, "pair")
    if seen is None:
        return f"Nobody says on how many of {pairs} {model} was trained."
    share = "none of" if not seen else "all" if seen == n else f"{seen:,} of"
    return f"{model} was trained on {share} {pairs}."


def trained_on_pair(model: str, seen: int) -> str:
    """Whether a model was trained on the one pair that is shown: 1, 0, or -1 where nobody knows."""
    if seen < 0:
        return f"Nobody says whether {model} was trained on this pair."
    return f"{model} was {'' if seen else 'not '}trained on this pair."
