"""Rewordings as they are read: their tables, the texts of a row, and what is known of a pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.datasets.chosen_rows import choose_rows
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.pairs import IDENTICAL, TIED
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import RewriteSpec
from ivan_core.engine import handling as runs, opened
from ivan_core.engine.opened import Found, Opener, nothing_yet
from ivan_core.experiments.compare.tables import pairs_in_training
from ivan_core.experiments.rewrite.rows import RewordedPair, read_pairs, read_replies
from ivan_core.experiments.rewrite.run import ORDER, units_of
from ivan_core.experiments.rewrite.tables import LABELS_FILE, SCORES_FILE, SIMILARITIES_FILE, Tables
from ivan_core.experiments.rewrite.units import units_of_rows
from ivan_core.lists.conditions import Ints
from ivan_core.lists.short import Pieces, beside, snippet
from ivan_core.metrics.training import trained_on
from ivan_core.runs.context import Parts

if TYPE_CHECKING:
    import pandas as pd

_RATIO = {"chosen_length_ratio": "chosen_ratio", "rejected_length_ratio": "rejected_ratio"}


SIMILARITY, SHORTEST, LONGEST = "meaning", "shortest", "longest"
"""The parameters of a URL that hold a gate."""
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Gate:
    """Which rewordings keep the meaning: both sides so similar, and of a length between the two.

    Lengths are shares of the original's characters.
    """

    similarity: float = 0.85
    shortest: float = 0.5
    longest: float = 2.0

    @property
    def query(self) -> dict[str, str | None]:
        """The gate as parameters of a URL; None where it is as by default."""
        usual = Gate()
        return {
            SIMILARITY: _told(self.similarity, usual.similarity),
            SHORTEST: _told(self.shortest, usual.shortest),
            LONGEST: _told(self.longest, usual.longest),
        }


def read_gate(query: Mapping[str, str]) -> Gate:
    """The gate of a URL; what in it is no number, or out of bounds, is as by default."""
    usual = Gate()
    shortest = _number(query.get(SHORTEST), 0.0, 1.0, usual.shortest)
    return Gate(
        _number(query.get(SIMILARITY), 0.0, 1.0, usual.similarity),
        shortest,
        _number(query.get(LONGEST), 1.0, 5.0, usual.longest),
    )


def given_gate(query: Mapping[str, str]) -> Gate:
    """The same, but strict.

    Raises:
        BadInput: something is no number, or out of bounds, or has more than four decimals.
    """
    found = read_gate(query)
    bounds = (found.similarity, found.shortest, found.longest)
    for name, bound in zip((SIMILARITY, SHORTEST, LONGEST), bounds, strict=True):
        if name in query and _number(query[name], bound, bound, -1) != bound:
            raise BadInput(
                f"{query[name]!r} is no gate on meaning.", f"Write it as in {name}={bound:g}."
            )
    return found


def _told(value: float, usual: float) -> str | None:
    return None if value == usual else f"{value:g}"


def _number(text: str | None, low: float, high: float, usual: float) -> float:
    """A number of a URL between two bounds."""
    try:
        value = float(text or "")
    except ValueError:
        return usual
    return round(value, _DIGITS) if low <= value <= high else usual


_READ_AT_ONCE = 5_000
"""Rows held with their texts. A unit's rows lie far apart, so it is read for each of them."""
_KEPT = 2
"""Rows that are kept as they were put together, for the next rerun of their page."""


Replies = tuple[str | None, str | None]
"""The last replies of a pair, the chosen one first."""


@dataclass(frozen=True, slots=True)
class InShort:
    """What a list says of a row: how both replies begin, the words marked that were reworded, why
    it has no whole rewording, and how the last answer begins that was refused for it."""

    replies: tuple[Pieces, Pieces]
    problem: str
    refused: str


@dataclass(frozen=True, eq=False)
class RewriteResults:
    """What a rewording found: all of it once the run is done, the finished units before.

    `scores`, `similarities` and `labels` have the columns of `rewrite.tables`. `whole` is there
    where these are results of some rows alone, picked past `gate`; with `bare` rates of theirs
    mean nothing beyond them and have no intervals.
    """

    run: Run
    spec: RewriteSpec
    dataset: PreparedDataset
    scores: pd.DataFrame
    similarities: pd.DataFrame
    labels: pd.DataFrame
    manifest: Mapping[str, Any] | None
    _parts: Parts
    _unit_of: Mapping[int, str]
    whole: RewriteResults | None = None
    bare: bool = False
    gate: Gate | None = None

    def only(self, row_ids: Ints, bare: bool, gate: Gate) -> RewriteResults:
        """The results of some rows, which were picked past a gate."""
        tables = (self.scores, self.similarities, self.labels)
        scores, similarities, labels = (own[own["row_id"].isin(row_ids)] for own in tables)
        return replace(
            self,
            scores=scores,
            similarities=similarities,
            labels=labels,
            _unit_of={row_id: self._unit_of[row_id] for row_id in row_ids.tolist()},
            whole=self,
            bare=bare,
            gate=gate,
        )

    @property
    def content(self) -> str:
        """Which pairs these are, whatever file they came from."""
        return str(self.dataset.about["content"])

    @cached_property
    def table(self) -> pd.DataFrame:
        """Rewards and similarity together, as `metrics.robustness` reads them."""
        joined = self.scores.merge(self.similarities, on=["row_id", "variant"], how="left")
        names = [
            "row_id",
            "model",
            "variant",
            "chosen_reward",
            "rejected_reward",
            "chosen_similarity",
            "rejected_similarity",
            *_RATIO,
        ]
        return joined[names].rename(columns=_RATIO)

    @cached_property
    def seen(self) -> dict[str, int | None]:
        """On how many of the pairs each reward model was trained; None where nobody says."""
        found: dict[str, int | None] = {}
        for model in self.models:
            key = f"card|{model}"
            found[model] = None
            if key in self._parts:
                card = ModelCard.model_validate(self._parts.rows(key)[0])
                found[model] = pairs_in_training(card, self.dataset, self.row_ids)
        return found

    @property
    def training(self) -> dict[str, str]:
        """The same in words."""
        n = len(self.row_ids)
        return {model: trained_on(model, seen, n) for model, seen in self.seen.items()}

    @property
    def row_ids(self) -> list[int]:
        """Every row that is reworded so far, in the order of the dataset."""
        return sorted(self._unit_of)

    @property
    def models(self) -> tuple[str, ...]:
        return self.spec.models

    @property
    def texts_reworded(self) -> tuple[int, int]:
        """How many texts have a rewording, of how many of pairs that are rated."""
        own = self.similarities[self.similarities["variant"] == "reworded"]
        reasons = own[["chosen_reason", "rejected_reason"]].fillna("").to_numpy(object)
        return int((reasons == "").sum()), int(((reasons != IDENTICAL) & (reasons != TIED)).sum())

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why texts have no rewording, the most frequent reason first, with their number."""
        own = self.similarities[self.similarities["variant"] == "reworded"]
        told = Counter([*own["chosen_reason"].dropna(), *own["rejected_reason"].dropna()])
        return sorted(told.items(), key=lambda item: (-item[1], item[0]))

    def pair(self, row_id: int) -> RewordedPair:
        """One row with its texts in every variant, and why one is missing.

        Raises:
            BadInput: the run did not reword that row.
        """
        if row_id not in self._unit_of:
            raise BadInput(f"Run {self.run.id} did not reword pair {row_id}.", "Pick another pair.")
        found = self._read.pop(row_id, None)
        if found is None:
            found = read_pairs(self._parts, self.spec, self.dataset, self._unit_of, [row_id])[0]
        self._read[row_id] = found
        for older in list(self._read)[:-_KEPT]:
            self._read.pop(older, None)
        return found

    def pairs(self, row_ids: Sequence[int]) -> Iterator[RewordedPair]:
        """Rows of the run with their texts, read by the thousand."""
        for start in range(0, len(row_ids), _READ_AT_ONCE):
            some = row_ids[start : start + _READ_AT_ONCE]
            yield from read_pairs(self._parts, self.spec, self.dataset, self._unit_of, some)

    @cached_property
    def _read(self) -> dict[int, RewordedPair]:
        """The rows read last: a dialogue of 100,000 turns takes a second to put together."""
        return {}

    def in_short(self, row_ids: Sequence[int]) -> list[InShort]:
        """Rows of the run as a list shows them; read once and remembered, for it is little."""
        new = [row_id for row_id in row_ids if row_id not in self._short]
        for one in read_replies(self._parts, self.spec, self.dataset, self._unit_of, new):
            chosen, rejected = map(beside, one.replies, one.before)
            missing = [why for why in one.missing if why is not None]
            refused = next((why.raw for why in missing if why.raw), "")
            self._short[one.row_id] = InShort(
                (chosen, rejected),
                "; ".join(dict.fromkeys(why.sentence for why in missing)),
                snippet(refused) if refused else "",
            )
        return [self._short[row_id] for row_id in row_ids]

    def replies(self, row_ids: Sequence[int]) -> Iterator[tuple[int, Replies, Replies]]:
        """Rows of the run with both last replies, as they were and as reworded, in no order.

        Where a side has no rewording its original stands.
        """
        for one in read_replies(self._parts, self.spec, self.dataset, self._unit_of, row_ids):
            yield one.row_id, one.before, one.replies

    @cached_property
    def _short(self) -> dict[int, InShort]:
        return {}


def _read(found: Found) -> RewriteResults:
    import pandas as pd

    run, spec, manifest = found.run, found.spec, found.manifest
    parts = found.parts
    if ORDER not in parts:
        raise nothing_yet(run)
    dataset = found.dataset
    row_ids = choose_rows(spec, dataset).row_ids
    units = [unit for unit in units_of(parts, spec, row_ids) if unit.key in parts]
    unit_of = units_of_rows(units)
    if not unit_of:
        raise nothing_yet(run)
    if found.whole:
        with runs.whole(run.id, "table"):
            scores, similarities, labels = (
                pd.read_parquet(found.folder / name)
                for name in (SCORES_FILE, SIMILARITIES_FILE, LABELS_FILE)
            )
    else:
        tables = Tables(parts, spec, dataset, units)
        scores, similarities, labels = tables.scores(), tables.similarities(), tables.labels()
    return RewriteResults(
        run, spec, dataset, scores, similarities, labels, manifest, parts, unit_of
    )


open_rewrite = Opener("rewrite", _read, table=LABELS_FILE, keep=8)
"""The results of a rewording by its run's id, however far it is."""


def rewordings_of_row(dataset: str, row_id: int) -> list[tuple[RewriteResults, RewordedPair]]:
    """The finished rewordings of a row, newest run first.

    `dataset` is the content of a dataset, as its card gives it.
    """
    found = list(open_rewrite.on_pairs(dataset))
    return [(results, results.pair(row_id)) for results in found if row_id in results.row_ids]


def files(results: RewriteResults) -> list[Path]:
    """The files of a finished run, the original's CSV first, those that are still there."""
    return opened.files(results.manifest)
