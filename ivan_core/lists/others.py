"""Conditions that speak of another run on the same pairs, or of what nobody's run says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import StringConstraints

from ivan_core.domain.errors import BadInput
from ivan_core.experiments import EXPERIMENTS
from ivan_core.lists.conditions import (
    Bools,
    Condition,
    Filter,
    Floats,
    Ints,
    Language,
    Listing,
    Names,
    Offer,
    Picks,
    matching,
)
from ivan_core.lists.parts import parts, plain_parts, read, written

RunId = Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9-]{1,60}\z")]
THIS_RUN = "this run"
_PEOPLE, _OF_PEOPLE = "people", "ivan_core.review.conditions"
"""Who has conditions beside the experiments, and where: what people said belongs to no run."""
_LEADING = 2
"""Parts of the text of such a condition that stand before the fields: the run, and the kind."""


def language(name: str) -> Language:
    """The conditions of one of `having_conditions`."""
    found: Language = _given_by(name)()
    return found


def having_conditions() -> tuple[str, ...]:
    """Who has conditions on rows: experiments by their names, and people."""
    return (*(name for name in EXPERIMENTS if _given_by(name) is not None), _PEOPLE)


def _given_by(name: str) -> Any:
    """The field `conditions` of the record of a kind, which is asked for by its module's name."""
    if name == _PEOPLE:
        return lambda: import_module(_OF_PEOPLE).LANGUAGE
    return import_module(EXPERIMENTS[name]).KIND.conditions


class Elsewhere(Condition):
    """A condition that another run judges (or none, where what it asks belongs to no run)."""

    query: ClassVar[str] = "and"
    run: RunId | Literal[""]
    of: str
    asked: Condition

    @property
    def key(self) -> str:
        return parts([self.query, self.run, self.of, self.asked.key])

    def words(self, names: Names) -> str:
        asked = self.asked.words(names)
        return f"{asked} ({names.get(self.run, f'run {self.run}')})" if self.run else asked

    def check(self, listing: Listing) -> None:
        other = self._other(listing)
        if self.run and str(other.dataset.about["content"]) != str(
            listing.dataset.about["content"]
        ):
            raise BadInput(
                f"Run {self.run} is not of the same pairs.", "Choose a run on the same pairs."
            )
        self.asked.check(other)

    def holds(self, listing: Listing) -> Bools:
        other = self._other(listing)
        return _spread(other, self.asked.holds(other), listing, every=False)

    def known(self, listing: Listing) -> Bools:
        other = self._other(listing)
        known = self.asked.known(other)
        if known is None:
            known = np.ones(len(other.rows), dtype=bool)
        told = _spread(other, known, listing, every=True)
        return told | _spread(other, self.asked.holds(other), listing, every=False)

    @property
    def ranked(self) -> str:
        return self.asked.ranked

    def ranks(self, listing: Listing) -> Floats | None:
        other = self._other(listing)
        found = self.asked.ranks(other)
        if found is None or other is listing:
            return found
        if other.rejected is not None:
            return None
        order = np.argsort(other.rows, kind="stable")
        rows, found = other.rows[order], found[order]
        place = np.minimum(np.searchsorted(rows, listing.rows), len(rows) - 1)
        return np.where(rows[place] == listing.rows, found[place], np.nan)

    def _other(self, listing: Listing) -> Listing:
        """What is asked; the listing itself where its own run is, which may be past a gate."""
        opened = language(self.of).listing
        if opened is None:
            return listing
        other = opened(self.run)  # which refuses a run of another kind, the page's own one too
        return listing if other.run_id == listing.run_id else other


class AllOf(Condition):
    """Conditions of one experiment that hold together: of a pair's texts, for one and the same."""

    query: ClassVar[str] = "all"
    asked: tuple[Condition, ...]

    @property
    def key(self) -> str:
        return parts([self.query, *(one.key for one in self.asked)])

    def words(self, names: Names) -> str:
        return "; ".join(one.words(names) for one in self.asked)

    def check(self, listing: Listing) -> None:
        for one in self.asked:
            one.check(listing)

    def holds(self, listing: Listing) -> Bools:
        return np.asarray(np.all([one.holds(listing) for one in self.asked], axis=0))

    def known(self, listing: Listing) -> Bools:
        """Where each of them is known, or one is known not to hold."""
        every = np.ones(len(listing.rows), dtype=bool)
        known = [(one.known(listing), one.holds(listing)) for one in self.asked]
        told = [(every if there is None else there, held) for there, held in known]
        refused = np.any([there & ~held for there, held in told], axis=0)
        return np.asarray(np.all([there for there, _ in told], axis=0) | refused)

    @property
    def ranked(self) -> str:
        return next((one.ranked for one in self.asked if one.ranked), "")

    def ranks(self, listing: Listing) -> Floats | None:
        found = (one.ranks(listing) for one in self.asked)
        return next((by for by in found if by is not None), None)


def measures_of(conditions: Iterable[Condition]) -> set[str]:
    """What conditions ask that a chart may draw: the rates of that follow from them."""
    found: set[str] = set()
    for condition in conditions:
        asked = condition.asked if isinstance(condition, Elsewhere) else condition
        for one in asked.asked if isinstance(asked, AllOf) else (asked,):
            found |= {one.measure, one.needs}
    return found


def on_pairs(listing: Listing, wanted: Filter, other: Listing, own: Language) -> Filter | None:
    """The filter of a listing as another listing of the same pairs can be asked for it.

    None where no filter of the other listing, whose language is `own`, lists those very pairs: what
    a page narrows beside its filter stands in no condition. An order is lost.

    Raises:
        BadInput: a condition cannot be judged (yet).
    """
    if wanted.language.name == own.name:
        return wanted
    theirs = tuple(one for one in wanted.conditions if type(one) not in _shared(own))
    kept = tuple(one for one in wanted.conditions if type(one) in _shared(own))
    if theirs:
        asked = theirs[0] if len(theirs) == 1 else AllOf(asked=theirs)
        kept = (*kept, Elsewhere(run=listing.run_id, of=wanted.language.name, asked=asked))
    found = Filter(own, kept)
    here = np.intersect1d(listing.rows[matching(listing, wanted)], other.rows)
    return found if np.array_equal(np.unique(other.rows[matching(other, found)]), here) else None


def _shared(own: Language) -> tuple[type[Condition], ...]:
    """What two languages can ask for alike."""
    return (*own.conditions, Elsewhere)


def asked_elsewhere(wanted: Filter) -> tuple[str, Filter] | None:
    """The run that judges all of a filter's own conditions, if one does, and its filter there.

    The inverse of `on_pairs`; None where the filter speaks of its page's run, too, or of several.
    """
    others = [one for one in wanted.conditions if isinstance(one, Elsewhere) and one.run]
    if len(others) != 1:
        return None
    there = language(others[0].of)
    asked = others[0].asked
    own = asked.asked if isinstance(asked, AllOf) else (asked,)
    rest = tuple(one for one in wanted.conditions if one is not others[0])
    if any(type(one) not in _shared(there) for one in rest):
        return None
    return others[0].run, Filter(there, (*own, *rest))


@dataclass(frozen=True, slots=True)
class Offered:
    """What can be asked for at a listing: of the runs named, the first of which is the likeliest.

    No run is named where what is asked belongs to none. `of` is whose conditions it is.
    """

    offer: Offer
    of: str
    runs: Mapping[str, str]

    def asked_of(self, listing: Listing, run: str) -> Listing:
        """The listing of the run that is asked; that of the page where it is none, or its own."""
        opened = language(self.of).listing
        return listing if opened is None or run in ("", listing.run_id) else opened(run)

    def condition(self, listing: Listing, own: Language, run: str, picks: Picks) -> Condition:
        """The condition of what was chosen. Raises BadInput as `Offer.made`."""
        asked = self.offer.made(picks)
        plain = self.of == own.name and run in ("", listing.run_id)
        return asked if plain else Elsewhere(run=run, of=self.of, asked=asked)


def offered(listing: Listing, own: Language) -> dict[str, Offered]:
    """What can be asked for at a listing, by its title: only of what exists on these pairs.

    First what a run judges, that of the page before others, then what the pairs are themselves.
    """
    content = str(listing.dataset.about["content"])
    found: dict[str, Offered] = {}
    of_pairs: dict[str, Offered] = {}
    for name in (own.name, *(name for name in having_conditions() if name != own.name)):
        known = language(name)
        runs = dict(known.runs(content))
        if name == own.name:
            runs.pop(listing.run_id, None)
            runs = {listing.run_id: THIS_RUN, **runs}
        for offer in known.offers:
            if not offer.of_run and (name == own.name or known.listing is None):
                if offer.there(listing):
                    of_pairs[offer.title] = Offered(offer, name, {})
            elif offer.of_run and len(runs) >= offer.least:
                found[offer.title] = Offered(offer, name, runs)
    return found | of_pairs


def called(listing: Listing, wanted: Filter) -> dict[str, str]:
    """What the other runs are called that a filter asks."""
    content = str(listing.dataset.about["content"])
    asked = [one for one in wanted.conditions if isinstance(one, Elsewhere)]
    known = {of: language(of).runs(content) for of in {one.of for one in asked}}
    return {one.run: known[one.of][one.run] for one in asked if one.run in known[one.of]}


def _spread(other: Listing, held: Bools, listing: Listing, *, every: bool) -> Bools:
    """What holds at the places of one listing, at the places of another; False where it has none.

    A text takes what holds for its pair. A pair takes what holds for any of its texts, or for
    `every` one.
    """
    if other is listing:
        return held
    if other.rejected is not None and listing.rejected is None:
        rows, inverse = np.unique(other.rows, return_inverse=True)
        texts = np.bincount(inverse, minlength=len(rows))
        holding = np.bincount(inverse, weights=held, minlength=len(rows))
        return _at(rows, holding == texts if every else holding > 0, listing.rows)
    if other.rejected is not None:
        return _at(other.texts, held, listing.texts)
    return _at(other.rows, held, listing.rows)


def _at(ids: Ints, held: Bools, wanted: Ints) -> Bools:
    if not len(ids):
        return np.zeros(len(wanted), dtype=bool)
    order = np.argsort(ids, kind="stable")
    ids, held = ids[order], held[order]
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.asarray(held[place] & (ids[place] == wanted), dtype=np.bool_)


def elsewhere_written(condition: Condition, own: Language) -> str:
    """The text of such a condition, or of an own one that fits in no parameter of its own."""
    run, of, asked = "", own.name, condition
    if isinstance(condition, Elsewhere):
        run, of, asked = condition.run, condition.of, condition.asked
    lead = parts([run, f"{of}.{asked.query}"])
    if isinstance(asked, AllOf):
        return f"{lead}~{parts([f'{one.query}~{written(one)}' for one in asked.asked])}"
    return f"{lead}~{written(asked)}"


def elsewhere_read(text: str, own: Language) -> Condition:
    """The inverse of `elsewhere_written`.

    Raises:
        ValueError: it is none.
    """
    lead = text.split("~", _LEADING)
    if len(lead) <= _LEADING:
        raise ValueError("too few parts")
    run, named = plain_parts("~".join(lead[:_LEADING]))
    of, _, query = (named or "").partition(".")
    if of not in having_conditions():
        raise ValueError("no such conditions")
    kinds = {kind.query: kind for kind in language(of).conditions}
    if query == AllOf.query:
        told = [text or "" for text in plain_parts(lead[_LEADING])]
        single = tuple(_one_of(kinds, *text.partition("~")[::2]) for text in told)
        asked: Condition = AllOf(asked=single)
    else:
        single = (_one_of(kinds, query, lead[_LEADING]),)
        asked = single[0]
    if of == own.name and not run:
        return asked
    if bool(run) != (language(of).listing is not None):
        raise ValueError("names no run that judges it, or one that cannot")
    if run and any(one.waits for one in single):
        raise ValueError("asks another run for a search, which pages make of their own run's texts")
    return Elsewhere(run=run or "", of=of, asked=asked)


def _one_of(kinds: Mapping[str, type[Condition]], query: str, text: str) -> Condition:
    if query not in kinds:
        raise ValueError("no such condition")
    return read(kinds[query], text)
