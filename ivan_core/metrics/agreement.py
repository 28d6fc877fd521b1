"""How often a model sides with the choice, beside the rules that only see length.

Every function takes the scores table (SCORES in `compare/tables.py`). A row is rated if it has
a verdict; identical and failed pairs have none, so they are counted beside and never enter a rate.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.domain.pairs import TIED
from ivan_core.metrics.intervals import (
    PROMPT,
    Rate,
    design_among,
    design_in,
    prompts_in,
    rate_in,
    wilson,
    without_ends,
)

VERDICTS = ("agree", "tie", "disagree")
ALL_SUBSETS = "all"
NO_SUBSET = "(no subset)"
BARS = ["model", "subset", "verdict", "count", "share", "n", "rate", "low", "high"]
BARS += ["rule", "rule_rate", "effective_n"]
"""The columns of a table of bars; a row is a part of one."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pairs of one model had which verdict, and why the others had none.

    `truncated` counts rated pairs of which the model did not read the whole of a side;
    `undecided` those in which the data prefers no reply.
    """

    agree: int
    tie: int
    disagree: int
    identical: int
    failed: int
    truncated: int
    total: int
    undecided: int = 0

    @property
    def rated(self) -> int:
        """Pairs with a verdict."""
        return self.agree + self.tie + self.disagree


@dataclass(frozen=True, slots=True)
class LengthRule:
    """What always picking the longer, or always the shorter, reply would reach on the same pairs.

    Pairs of `equal` length are ties of both rules: part of n, agreeing with neither.
    """

    longer: Rate
    shorter: Rate
    equal: int

    @property
    def better(self) -> Literal["longer", "shorter"]:
        """The rule that agrees more often; longer if both agree equally often."""
        return "shorter" if self.shorter.count > self.longer.count else "longer"

    @property
    def best(self) -> Rate:
        """The rate of the better rule."""
        return self.shorter if self.better == "shorter" else self.longer


@dataclass(frozen=True, slots=True)
class LengthBalanced:
    """Agreement where the longer reply was chosen, where the shorter was, and the mean of the two.

    The mean and its interval (`low` to `high`) are None if either kind of pair is missing.
    """

    longer_chosen: Rate | None
    shorter_chosen: Rate | None
    rate: float | None
    low: float | None
    high: float | None

    @property
    def n(self) -> int:
        """The pairs whose lengths differ."""
        return sum(one.n for one in (self.longer_chosen, self.shorter_chosen) if one is not None)

    def without_ends(self) -> LengthBalanced:
        """The same rates without intervals."""
        one, other = without_ends(self.longer_chosen), without_ends(self.shorter_chosen)
        return LengthBalanced(one, other, self.rate, None, None)


@dataclass(frozen=True, slots=True)
class SeenUnseen:
    """Agreement on pairs the model was trained on and on others; `unknown` counts the rest."""

    seen: Rate | None
    unseen: Rate | None
    unknown: int


def rated(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a verdict; the table itself where all have one."""
    return where(table, says(table["verdict"], *VERDICTS))


def where(table: pd.DataFrame, holds: NDArray[np.bool_]) -> pd.DataFrame:
    """The rows for which something holds; the table itself where it does for all."""
    return table if holds.all() else table[holds]


def says(verdicts: pd.Series, *words: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each of many verdicts is one of some words; an absent one is not."""
    if not isinstance(verdicts.dtype, pd.CategoricalDtype):
        return np.asarray(verdicts.isin(words), dtype=bool)
    # By the code of each row: looking a million rows up in a set takes ten times as long.
    asked = np.append(verdicts.cat.categories.isin(words), False)
    return np.asarray(asked[verdicts.cat.codes.to_numpy()], dtype=bool)


def reasons(failures: pd.Series) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each row has a reason why it is not rated, and whether that is a tie in the data."""
    there = failures.notna().to_numpy(bool)
    has, tied = there.copy(), np.zeros_like(there)
    given = failures[there]  # few: comparing a million empty cells takes longest
    has[there] = given.ne("").to_numpy(bool)
    tied[there] = given.eq(TIED).to_numpy(bool)
    return has, tied


def narrow(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Those of the columns that there are: what rows are taken from should hold no others."""
    return table[[name for name in columns if name in table.columns]]


def by_model(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each model, in order of first appearance, as of `rows_of`."""
    yield from ((str(model), rows_of(table, model)) for model in table["model"].dropna().unique())


def rows_of(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """The rows of one model.

    Where they lie together, as in a scores table, they are a part of the table and not a copy.
    """
    own = table["model"].eq(model).to_numpy(bool, na_value=False)
    start = int(own.argmax()) if len(own) else 0
    end = start + int(np.count_nonzero(own))
    return table.iloc[start:end] if own[start:end].all() else table[own]


def count_verdicts(table: pd.DataFrame) -> Counts:
    """Count the verdicts of one model, and the pairs it has none for."""
    verdicts = table["verdict"]
    is_rated = says(verdicts, *VERDICTS)
    identical = flags(table["identical"]) & ~is_rated
    failure, tied = reasons(table["failure"])
    undecided = tied & ~is_rated & ~identical
    truncated = flags(table["chosen_truncated"]) | flags(table["rejected_truncated"])
    return Counts(
        agree=int(says(verdicts, "agree").sum()),
        tie=int(says(verdicts, "tie").sum()),
        disagree=int(says(verdicts, "disagree").sum()),
        identical=int(identical.sum()),
        failed=int((failure & ~is_rated & ~identical & ~undecided).sum()),
        truncated=int((truncated & is_rated).sum()),
        total=len(table),
        undecided=int(undecided.sum()),
    )


def agreement(counts: Counts) -> Rate | None:
    """Share of rated pairs where the model sides with the choice; None if none were rated."""
    return wilson(counts.agree, counts.rated)


def typical_margin(margins: pd.Series) -> float | None:
    """The root-mean-square margin of one model, its unit when models are compared; None if empty.

    Rewards are identified only up to a constant per prompt and a scale, so margins in this unit can
    be set beside those of another model. Give the margins of rated pairs: identical pairs would
    shrink it.
    """
    values = margins.dropna().to_numpy(float)
    if values.size == 0:
        return None
    largest = float(np.abs(values).max())
    if largest == 0:
        return 0.0
    # Dividing first keeps the squares of extreme rewards within range.
    return largest * float(np.sqrt(np.mean((values / largest) ** 2)))


def by_subset(table: pd.DataFrame) -> pd.DataFrame:
    """One row per model, subset and verdict, for bars; all pairs of a model come first.

    Columns: model, subset, verdict, count, share, n, rate, low, high (the agreement of model and
    subset), rule ("longer" or "shorter"), rule_rate (what the better length rule reaches on these
    pairs), effective_n (how many pairs without shared prompts give so wide an interval). Shares and
    rates are missing where nothing was rated. Subsets are listed only if there are several.
    """
    rows: list[dict[str, object]] = []
    for model, own in by_model(table):
        labels = own["subset"].map(subset_label, na_action=None)
        named = sorted(labels.unique())
        rows += bars_by(model, own, pd.Categorical(labels, named).codes, list(map(str, named)))
    return pd.DataFrame(rows, columns=BARS)


def rows_in_bar(table: pd.DataFrame, model: str, subset: str, verdict: str) -> pd.DataFrame:
    """The rows behind one part of one bar, named as `by_subset` names it."""
    own = table[table["model"].isin([model]) & table["verdict"].isin([verdict])]
    if subset == ALL_SUBSETS:
        return own
    return own[own["subset"].map(subset_label, na_action=None) == subset]


def length_rule(table: pd.DataFrame) -> LengthRule | None:
    """What the two length rules reach on the rated pairs of one model; None if none were rated."""
    own = rated(narrow(table, "verdict", "chosen_length", "rejected_length", PROMPT))
    longer = (own["chosen_length"] > own["rejected_length"]).to_numpy(bool)
    shorter = (own["chosen_length"] < own["rejected_length"]).to_numpy(bool)
    always_longer, always_shorter = rate_in(own, longer), rate_in(own, shorter)
    if always_longer is None or always_shorter is None:
        return None
    return LengthRule(always_longer, always_shorter, int((~longer & ~shorter).sum()))


def length_balanced(table: pd.DataFrame) -> LengthBalanced:
    """Agreement of one model as if the longer reply were chosen in exactly half of the pairs.

    Any rule that only sees length scores 50%. Pairs of equal length are left out. The interval
    joins the two Wilson intervals by MOVER (Zou and Donner 2008, Statistics in Medicine
    27:1693-1702), both as wide as repeated prompts ask for the mean of the two.
    """
    own = rated(narrow(table, "verdict", "chosen_length", "rejected_length", PROMPT))
    apart = (own["chosen_length"] - own["rejected_length"]).to_numpy(np.int64)
    own = narrow(own, "verdict", PROMPT)
    longer, shorter = (agreement_of(where(own, one)) for one in (apart > 0, apart < 0))
    if longer is None or shorter is None:
        return LengthBalanced(longer, shorter, None, None, None)
    agrees = says(own["verdict"], "agree")
    # What each pair adds to the mean: those of one prompt may stand on both sides of it.
    adds = np.where(
        apart > 0, (agrees - longer.rate) / longer.n, (agrees - shorter.rate) / shorter.n
    )
    design = design_in(where(own, apart != 0), adds[apart != 0])
    one, other = (wilson(rate.count, rate.n, design=design) for rate in (longer, shorter))
    if one is None or other is None:
        return LengthBalanced(longer, shorter, None, None, None)
    mean = (longer.rate + shorter.rate) / 2
    below = sqrt((one.rate - one.low) ** 2 + (other.rate - other.low) ** 2) / 2
    above = sqrt((one.high - one.rate) ** 2 + (other.high - other.rate) ** 2) / 2
    return LengthBalanced(longer, shorter, mean, mean - below, mean + above)


def seen_unseen(table: pd.DataFrame) -> SeenUnseen | None:
    """Agreement of one model on pairs it was trained on and on others; None if unknown."""
    own = rated(table)
    known = own["seen"].notna().to_numpy(bool)
    if not known.any():
        return None
    seen, needed = flags(own["seen"]), narrow(own, "verdict", PROMPT)
    return SeenUnseen(
        seen=agreement_of(where(needed, known & seen)),
        unseen=agreement_of(where(needed, known & ~seen)),
        unknown=int((~known).sum()),
    )


def agreement_of(rows: pd.DataFrame) -> Rate | None:
    """Share of these rated rows where the model sides with the choice; None without a row."""
    return rate_in(rows, says(rows["verdict"], "agree"))


def flags(column: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """A column of yes, no and unknown as plain booleans, unknown as no."""
    return np.asarray(column.astype("boolean").fillna(False), dtype=bool)


def subset_label(value: Hashable) -> str:
    """How bars, filters and tables name a subset."""
    if pd.isna(value) or value == "":
        return NO_SUBSET
    # A subset that is itself called "all" must not be drawn as the bar of all pairs.
    return "all (subset)" if value == ALL_SUBSETS else str(value)


def bars_by(
    model: str, own: pd.DataFrame, group: NDArray[np.integer], names: Sequence[str]
) -> list[dict[str, object]]:
    """The bars of the rows of one model (BARS): of all, then of each group, if there are several.

    `group` is the place of each row's group in `names`, below 0 for those of none of them.
    """
    codes = np.asarray(pd.Categorical(own["verdict"], VERDICTS).codes, dtype=np.int64)
    judged = where(narrow(own, "chosen_length", "rejected_length", PROMPT), codes >= 0)
    verdict, group = (part[codes >= 0] for part in (codes, np.asarray(group, dtype=np.int64)))
    lengths = (judged[name].to_numpy(np.int64) for name in ("chosen_length", "rejected_length"))
    longer = np.sign(np.subtract(*lengths))
    # Every row in one cell of group, verdict and which reply is longer; those of no group last.
    shape = (len(names) + 1, len(VERDICTS), 3)
    places = (np.where(group < 0, len(names), group), verdict, longer + 1)
    cell = np.ravel_multi_index(places, shape)
    cells = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    prompts, agrees = prompts_in(judged), verdict == VERDICTS.index("agree")
    rows = _bar(model, ALL_SUBSETS, cells.sum(axis=0), design_among(prompts, agrees))
    for at, name in enumerate(names if len(names) > 1 else ()):
        inside = group == at
        own_prompts = None if prompts is None else prompts[inside]
        rows += _bar(model, name, cells[at], design_among(own_prompts, agrees[inside]))
    return rows


def _bar(
    model: str, subset: str, cells: NDArray[np.int64], design: float
) -> list[dict[str, object]]:
    """The three parts of one bar from counts by verdict and by which reply is longer."""
    counts, (shorter, _, longer) = cells.sum(axis=1).tolist(), cells.sum(axis=0).tolist()
    n = sum(counts)
    rule = "shorter" if shorter > longer else "longer"
    rate = wilson(counts[VERDICTS.index("agree")], n, design=design)
    return [
        {
            "model": model,
            "subset": subset,
            "verdict": verdict,
            "count": count,
            "share": count / n if n else None,
            "n": n,
            "rate": rate.rate if rate else None,
            "low": rate.low if rate else None,
            "high": rate.high if rate else None,
            "rule": rule if n else None,
            "rule_rate": max(shorter, longer) / n if n else None,
            "effective_n": rate.effective_n if rate else None,
        }
        for verdict, count in zip(VERDICTS, counts, strict=True)
    ]


MOST_POINTS = 500
BY_PAIR = "intervals go by pair until the end"
"""What curves say that cannot know of repeated prompts."""


def running_agreement(chunks: pd.DataFrame) -> pd.DataFrame:
    """Agreement after each chunk, of all pairs rated until then: step, n, rate, low, high.

    Pairs are scored in chunks of a seeded random order, so the pairs finished at the end of a chunk
    are a random sample of all. Inside a chunk they are sorted by length, hence only chunk
    boundaries are shown.

    `chunks` holds step, agree, tie and disagree of each finished chunk; with a column model, each
    model runs on its own and the result has that column too. Chunks that rated nothing before the
    first rated pair give no point. At most 500 points a model are kept, the first and the last
    among them. The interval at a point is that of a 95% Wilson interval looked at once: watched
    over a whole run it misses more often, so call it "so far". Chunks do not tell which pairs share
    a prompt: it goes by pair (`BY_PAIR`).
    """
    if "model" not in chunks.columns:
        return _running(chunks)
    parts = [
        _running(own).assign(model=str(model)) for model, own in chunks.groupby("model", sort=False)
    ]
    columns = ["model", "step", "n", "rate", "low", "high"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _running(chunks: pd.DataFrame) -> pd.DataFrame:
    total = chunks.groupby("step")[list(VERDICTS)].sum().sort_index().cumsum()
    n = total.sum(axis=1).astype("int64")
    total, n = total[n > 0], n[n > 0]
    if len(n) > MOST_POINTS:
        kept = np.unique(np.linspace(0, len(n) - 1, MOST_POINTS).round().astype(int))
        total, n = total.iloc[kept], n.iloc[kept]
    points = []
    for step, agree, rated_so_far in zip(total.index, total["agree"], n, strict=True):
        rate = wilson(int(agree), int(rated_so_far))
        if rate is not None:
            points.append((int(step), rate.n, rate.rate, rate.low, rate.high))
    return pd.DataFrame(points, columns=["step", "n", "rate", "low", "high"])
