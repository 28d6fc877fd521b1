"""What a text of a labelling, or a pair of such texts, may have to be.

`label` names the key that a condition speaks of; `value` is the word of a list or a sentiment.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import (
    AfterValidator,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES
from ivan_core.engine.opened import Stamp, stamp_of
from ivan_core.experiments.columns.conditions import OFFERS as SEARCHES, TextHas, UserColumnIn
from ivan_core.experiments.labels.results import LabelResults, named_runs, open_labels
from ivan_core.labels.reconcile import State
from ivan_core.labels.schema import feature
from ivan_core.lists.conditions import (
    Bools,
    Choice,
    Condition,
    Ints,
    Language,
    Listing,
    Name,
    Names,
    Offer,
    Picks,
    fixed,
)
from ivan_core.lists.others import Elsewhere, RunId
from ivan_core.lists.pairs import OF_PAIRS, OFFERS
from ivan_core.metrics.labels.answers import (
    LIST_KEYS,
    NO,
    SENTIMENT,
    SENTIMENTS,
    YES,
    answers,
    join_labelers,
)
from ivan_core.metrics.labels.shares import ON_PAIRS, pairs_with
from ivan_core.models.names import plain_name

_ON_PAIRS = {
    "both": "on both sides",
    "chosen_only": "only the chosen reply",
    "rejected_only": "only the rejected reply",
    "neither": "on neither side",
}


def _feature(key: str) -> str:
    if key not in FEATURES:
        raise ValueError("no such label")
    return key


def _key_and_value(text: str) -> tuple[str, str]:
    key, _, value = text.partition(":")
    return _feature(key), value or YES


Key = Annotated[Name, AfterValidator(_feature)]
Word = Annotated[Name, StringConstraints(max_length=200)]


LABELS = "labels"
"""The measure of conditions on what labelers answered."""


class StateIs(Condition):
    """What came of the text: valid, repaired, invalid ..."""

    query: ClassVar[str] = "state"
    parameters: ClassVar[tuple[str, ...]] = ("state",)
    state: State

    def words(self, names: Names) -> str:
        return f"State: {self.state}"

    def holds(self, listing: Listing) -> Bools:
        results: LabelResults = listing.results
        return np.asarray(results.table["status"].eq(self.state).to_numpy(bool))


class SideIs(Condition):
    """Which side the text is."""

    query: ClassVar[str] = "side"
    parameters: ClassVar[tuple[str, ...]] = ("side",)
    side: Literal["chosen", "rejected"]

    def words(self, names: Names) -> str:
        return f"Only {self.side} replies"

    def holds(self, listing: Listing) -> Bools:
        return _of_side(listing, self.side)


class _OfLabel(Condition):
    """A condition that speaks of one label, and of one of its values where it has several."""

    measure: ClassVar[str] = LABELS
    label: Key
    value: Word = ""

    @field_validator("value")
    @classmethod
    def _of_its_label(cls, value: str, info: ValidationInfo) -> str:
        key = info.data.get("label", "")
        if value and not (value in SENTIMENTS if key == SENTIMENT else key in LIST_KEYS):
            raise ValueError("no value of this label")
        return value

    @property
    def name(self) -> str:
        """The label in words."""
        return label_name(self.label, self.value)

    def check(self, listing: Listing) -> None:
        _check_label(listing, self.label)

    def holds(self, listing: Listing) -> Bools:
        return _judged(listing, self)[0]

    def known(self, listing: Listing) -> Bools:
        return _judged(listing, self)[1]

    def judged(self, listing: Listing) -> tuple[Bools, Bools]:
        """At which texts it holds, and at which that is known; remembered by run."""
        raise NotImplementedError


class _Whole(_OfLabel):
    """A label with the value that it needs."""

    @model_validator(mode="after")
    def _with_value(self) -> Self:
        if feature(self.label).kind != "boolean" and not self.value:
            raise ValueError("needs a value")
        return self


class LabelIs(_Whole):
    """The labeler gave the label, or answered otherwise."""

    query: ClassVar[str] = "label"
    chip: ClassVar[str] = "label"
    identity: ClassVar[tuple[str, ...]] = ("label", "value", "side")
    parameters: ClassVar[tuple[str, ...]] = ("label", "value", "answer")
    answer: Literal["", "yes", "no"] = ""
    side: Literal["", "chosen", "rejected"] = ""

    @classmethod
    def given(cls, query: Mapping[str, str]) -> dict[str, str] | None:
        return None if query.get("pair") in ON_PAIRS else super().given(query)

    def words(self, names: Names) -> str:
        where = f" in the {self.side} reply" if self.side else ""
        if self.value:
            return f"{'Not ' if self.answer == NO else ''}{self.name}{where}"
        return f"{self.name}: {self.answer or YES}{where}"

    def judged(self, listing: Listing) -> tuple[Bools, Bools]:
        """Of a text of the other side than asked for it is known that it is not meant."""
        answered, given = _given(listing, self.label, self.value or YES)
        holds = answered & ~given if self.answer == NO else given
        if not self.side:
            return holds, answered
        own = _of_side(listing, self.side)
        return holds & own, answered | ~own


class OnPairs(_Whole):
    """How the label stands on the two sides of the pair."""

    query: ClassVar[str] = "pair"
    chip: ClassVar[str] = "label"
    identity: ClassVar[tuple[str, ...]] = ("label", "value")
    parameters: ClassVar[tuple[str, ...]] = ("label", "value", "pair")
    pair: Literal["both", "chosen_only", "rejected_only", "neither"]

    def words(self, names: Names) -> str:
        return f"{self.name}: {_ON_PAIRS[self.pair]}"

    def judged(self, listing: Listing) -> tuple[Bools, Bools]:
        results: LabelResults = listing.results
        rows = pairs_with(results.table, self.label, self.value or YES, self.pair)
        answered, _ = _given(listing, self.label, self.value or YES)
        return np.isin(listing.rows, rows), np.isin(listing.rows, _on_both(listing, answered)[0])


class AlsoIs(Condition):
    """A second label that the text has, as KEY:VALUE."""

    query: ClassVar[str] = "also"
    measure: ClassVar[str] = LABELS
    parameters: ClassVar[tuple[str, ...]] = ("also",)
    also: Word

    @field_validator("also")
    @classmethod
    def _of_a_label(cls, text: str) -> str:
        _key_and_value(text)
        return text

    @classmethod
    def given(cls, query: Mapping[str, str]) -> dict[str, str] | None:
        return super().given(query) if _names_label(query) else None

    def words(self, names: Names) -> str:
        return f"Also {label_name(*_key_and_value(self.also))}"

    def check(self, listing: Listing) -> None:
        _check_label(listing, _key_and_value(self.also)[0])

    def holds(self, listing: Listing) -> Bools:
        return _given(listing, *_key_and_value(self.also))[1]

    def known(self, listing: Listing) -> Bools:
        return _given(listing, *_key_and_value(self.also))[0]


class TheySay(_OfLabel):
    """What the labeler of another run says of the label: a sentiment, or yes or no."""

    query: ClassVar[str] = "theirs"
    chip: ClassVar[str] = "theirs"
    identity: ClassVar[tuple[str, ...]] = ("label", "value", "other")
    parameters: ClassVar[tuple[str, ...]] = ("label", "value", "other", "theirs")
    other: RunId
    theirs: Literal["negative", "neutral", "positive", "yes", "no"]

    @field_validator("theirs")
    @classmethod
    def _answer(cls, theirs: str, info: ValidationInfo) -> str:
        key = info.data.get("label", "")
        if theirs not in (SENTIMENTS if key == SENTIMENT else (YES, NO)):
            raise ValueError("no answer to this label")
        return theirs

    @model_validator(mode="after")
    def _with_value(self) -> Self:
        if self.label in LIST_KEYS and not self.value:
            raise ValueError("needs a value")
        return self

    @classmethod
    def given(cls, query: Mapping[str, str]) -> dict[str, str] | None:
        found = super().given(query)
        if found is None or query.get("pair") in ON_PAIRS or not _names_label(query):
            return None
        if found["label"] == SENTIMENT:
            del found["value"]  # it is what the labeler of the page's run says
        return found

    def words(self, names: Names) -> str:
        return f"{_labeler(self.other)} says {self.theirs}"

    def check(self, listing: Listing) -> None:
        self._elsewhere.check(listing)

    def judged(self, listing: Listing) -> tuple[Bools, Bools]:
        return self._elsewhere.holds(listing), self._elsewhere.known(listing)

    @property
    def _elsewhere(self) -> Elsewhere:
        sentiment = self.label == SENTIMENT
        asked = LabelIs(
            label=self.label,
            value=self.theirs if sentiment else self.value,
            answer="no" if self.theirs == NO else "",
        )
        return Elsewhere(run=self.other, of=LANGUAGE.name, asked=asked)


class SidesDiffer(_OfLabel):
    """The two replies have the label answered, and not alike."""

    query: ClassVar[str] = "sides"
    identity: ClassVar[tuple[str, ...]] = ("label",)

    def words(self, names: Names) -> str:
        return f"{self.name}: differs between the replies"

    def judged(self, listing: Listing) -> tuple[Bools, Bools]:
        results: LabelResults = listing.results
        given = answers(results.table, self.label)
        rows, chosen, rejected = _on_both(listing, given.answered)
        apart = (given.holds[chosen] != given.holds[rejected]).any(axis=1)
        return np.isin(listing.rows, rows[apart]), np.isin(listing.rows, rows)


class LabelersDiffer(_OfLabel):
    """The labeler of another run answers otherwise."""

    query: ClassVar[str] = "labelers"
    identity: ClassVar[tuple[str, ...]] = ("label", "other")
    other: RunId

    def words(self, names: Names) -> str:
        return f"{self.name}: {_labeler(self.other)} says otherwise"

    def check(self, listing: Listing) -> None:
        super().check(listing)
        asked = SidesDiffer(label=self.label)
        Elsewhere(run=self.other, of=LANGUAGE.name, asked=asked).check(listing)

    def judged(self, listing: Listing) -> tuple[Bools, Bools]:
        results: LabelResults = listing.results
        texts = join_labelers({"ours": results.table, "theirs": open_labels(self.other).table})
        ours, theirs = texts.answers(self.label)
        known = ours.answered & theirs.answered
        apart = known & (ours.holds != theirs.holds).any(axis=1)
        return np.isin(listing.texts, texts.ids[apart]), np.isin(listing.texts, texts.ids[known])


def listing(results: LabelResults) -> Listing:
    """The texts of a labelling, in the order of its table."""
    rejected = results.table["preference"].eq("rejected").to_numpy(bool)
    rows = results.table["row_id"].to_numpy(np.int64)
    return Listing(results.run.id, results.dataset, rows, results, rejected)


def _keys(listing: Listing, _: Picks) -> dict[str, str]:
    results: LabelResults = listing.results
    return {key: label_name(key) for key in results.keys}


def _values(_: Listing, picks: Picks) -> dict[str, str]:
    values = feature(str(picks["label"])).values if picks.get("label") else ()
    return {value: value for value in values}


def _others(listing: Listing, _: Picks) -> dict[str, str]:
    found = named_runs(str(listing.dataset.about["content"]))
    return {run: name for run, name in found.items() if run != listing.run_id}


_LABEL, _VALUE = Choice("label", "Label", _keys), Choice("value", "Which", _values)
_ANSWER = Choice("answer", "Answer", fixed({"yes": "yes", "no": "no"}))
_SIDE = Choice(
    "side",
    "Of which reply",
    fixed({"": "either", "chosen": "the chosen one", "rejected": "the rejected one"}),
)
_STANDING = Choice("pair", "Where", fixed(_ON_PAIRS))
_OTHER = Choice("other", "Other labeler", _others)
LANGUAGE = Language(
    "labels",
    (
        StateIs,
        SideIs,
        LabelIs,
        OnPairs,
        AlsoIs,
        TheySay,
        SidesDiffer,
        LabelersDiffer,
        *OF_PAIRS,
        TextHas,
        UserColumnIn,
    ),
    None,
    lambda run_id: listing(open_labels(run_id)),
    named_runs,
    (
        Offer("Label", LabelIs, (_LABEL, _VALUE, _ANSWER, _SIDE)),
        Offer("Label on both replies", OnPairs, (_LABEL, _VALUE, _STANDING)),
        Offer("Label that differs between the replies", SidesDiffer, (_LABEL,)),
        Offer("Two labelers differ", LabelersDiffer, (_LABEL, _OTHER), least=2),
        *OFFERS,
        *SEARCHES,
    ),
)


def label_name(key: str, value: str = "") -> str:
    """A label as a person reads it: its title, with its value where there are several."""
    title = feature(key).title
    return title if value in ("", YES) else f"{title}: {value}"


def _labeler(run_id: str) -> str:
    try:
        return plain_name(open_labels(run_id).labeler)
    except BadInput:
        return run_id


def _names_label(query: Mapping[str, str]) -> bool:
    """Whether a URL names a label, with the value that it needs."""
    key, value = query.get("label", ""), query.get("value", "")
    if key == SENTIMENT:
        return value in SENTIMENTS
    return bool(value) if key in LIST_KEYS else key in FEATURES


def _check_label(listing: Listing, key: str) -> None:
    results: LabelResults = listing.results
    if key not in results.keys:
        raise BadInput(f"Run {listing.run_id} was not asked for the label {label_name(key)}.")


def _judged(listing: Listing, condition: _OfLabel) -> tuple[Bools, Bools]:
    results: LabelResults = listing.results
    other = getattr(condition, "other", "")
    theirs = stamp_of(open_labels(other).run) if other else None
    return _remembered(stamp_of(results.run), theirs, condition)


@lru_cache(maxsize=32)
def _remembered(stamp: Stamp, theirs: Stamp | None, condition: _OfLabel) -> tuple[Bools, Bools]:
    return condition.judged(listing(open_labels(stamp[1])))


def _of_side(listing: Listing, side: str) -> Bools:
    assert listing.rejected is not None
    return listing.rejected if side == "rejected" else ~listing.rejected


def _given(listing: Listing, key: str, value: str) -> tuple[Bools, Bools]:
    """Which texts have an answer to a key, and which of them that value."""
    results: LabelResults = listing.results
    given = answers(results.table, key, [value] if key in LIST_KEYS else ())
    if value not in given.values:
        return given.answered, np.zeros(len(results.table), dtype=np.bool_)
    return given.answered, given.holds[:, given.values.index(value)]


def _on_both(listing: Listing, answered: Bools) -> tuple[Ints, Ints, Ints]:
    """The rows with an answer on both sides, and the places of their chosen and rejected texts."""
    chosen, rejected = (
        np.flatnonzero(answered & _of_side(listing, side)) for side in ("chosen", "rejected")
    )
    rows, ours, theirs = np.intersect1d(
        listing.rows[chosen], listing.rows[rejected], return_indices=True
    )
    return rows, chosen[ours], rejected[theirs]
