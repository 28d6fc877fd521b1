"""Results of the rows that conditions pick, which stand in an address as a page writes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import numpy as np

from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import number_of, one_line
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import kind_of
from ivan_core.figures.chart import ChartsAndSentences, Narrowing, PickedRows
from ivan_core.lists.conditions import (
    BY_HAND,
    LENGTHS,
    Filter,
    Ints,
    Language,
    Listing,
    fitting,
    matching,
    without_value,
)
from ivan_core.lists.others import called, language, measures_of
from ivan_core.lists.url import parameters, query_of, read_filter
from ivan_core.settings import data_dir

_LONGEST_WORDS = 200
_ELSEWHERE = "Copy the part of the address with the conditions of the page behind the run."


@dataclass(frozen=True, slots=True)
class _Asked:
    """Conditions, what they are asked of, and what else of the address changes results."""

    listing: Listing
    wanted: Filter
    beside: Mapping[str, str]

    @property
    def numbers(self) -> Ints:
        """The ids of the rows that fit; where texts are listed, the numbers of the texts."""
        ids = self.listing.rows if self.listing.rejected is None else self.listing.texts
        return ids[np.sort(matching(self.listing, self.wanted))]

    @property
    def written(self) -> str:
        """Both as a part of an address; an order of rows is none. Empty without a condition."""
        query = query_of(Filter(self.wanted.language, self.wanted.conditions))
        return urlencode({**query, **self.beside}, quote_via=quote, safe="~!:/,") if query else ""


def _by_pairs(given: ChartsAndSentences, run_id: str) -> ChartsAndSentences:
    """The same where pairs can be picked of a run, though its numbers are of the whole run: by the
    conditions of its kind."""
    if given.narrowing is not None:
        return given
    kind = kind_of(runs.get(run_id))
    own: Language | None = kind.conditions() if kind.conditions is not None else None
    listing = own.listing if own is not None else None
    if listing is None:
        return given
    narrowing = Narrowing(kind.name, _never, lambda results, _: listing(run_id))
    return replace(given, narrowing=narrowing)


def _never(*_: object) -> Any:
    raise BadInput("Numbers of this run are of the whole run.", "Leave out --where.")


def where_of_pairs(given: ChartsAndSentences, run_id: str, query: Mapping[str, Any]) -> str:
    """The conditions of a page's address, as `pairs_of` takes them.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    return of_address(_by_pairs(given, run_id), run_id, query)


def of_address(given: ChartsAndSentences, run_id: str, query: Mapping[str, Any]) -> str:
    """The conditions of a page's address that this run can judge, as a figure takes them.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    narrowing = given.narrowing
    if narrowing is None:
        return ""
    wanted, _ = read_filter(language(narrowing.conditions), query)
    if not wanted.conditions:
        return ""
    results = given.open(run_id)
    beside = {name: str(query[name]) for name in narrowing.parameters if name in query}
    try:
        listing = narrowing.listing(results, beside)
    except BadInput:  # a page takes no notice of what makes no sense
        listing, beside = narrowing.listing(results, {}), {}
    return _Asked(listing, fitting(listing, wanted)[0], beside).written


def picked_rows(
    given: ChartsAndSentences, results: Any, run_id: str, measure: str, where: str, stamp: object
) -> PickedRows:
    """The results of the rows that the conditions of `where` pick, for what counts a measure.

    `stamp` changes where the results do.

    Raises:
        BadInput: something in `where` is no condition, or none that this run can judge, or no row
            is left.
    """
    asked = _asked(given, run_id, where)
    listing, wanted, row_ids = asked.listing, asked.wanted, asked.numbers
    if given.narrowing is None or not len(row_ids):
        raise BadInput(
            f"No {_noun(listing)} of run {run_id} is left by these conditions.",
            "Take a condition away.",
        )
    measures = measures_of(wanted.conditions)
    bare = measure in measures or BY_HAND in measures
    key, beside = row_ids.tobytes(), tuple(asked.beside.items())
    only = _only(given.narrowing.only, given.open, data_dir(), run_id, key, bare, beside, stamp)
    n, of = len(row_ids), len(listing.rows)
    what = f"{_noun(listing)}s"
    told = _rows_told(given.narrowing, listing, wanted, n, results)
    return PickedRows(
        only,
        asked.written,
        told + _rates_told(measure, measures, what),
        f"Picked {what}, not a sample: {n:,} of {of:,} {what}.",
        key,
    )


def listed(given: ChartsAndSentences, run_id: str, where: str) -> str:
    """How many rows, or texts, the conditions of `where` pick, as in "4 texts".

    Raises:
        BadInput: as `picked_rows`, but for no row left.
    """
    asked = _asked(given, run_id, where)
    return number_of(len(asked.numbers), _noun(asked.listing))


def rows_of(given: ChartsAndSentences, run_id: str, where: str) -> Ints:
    """The rows, or texts, that the conditions of `where` pick. Raises BadInput as `listed`."""
    return _asked(given, run_id, where).numbers


def pairs_of(given: ChartsAndSentences, run_id: str, where: str) -> list[int]:
    """The row ids of the pairs that the conditions of `where` pick, or a text of which they pick.

    Raises:
        BadInput: as `listed`.
    """
    asked = _asked(_by_pairs(given, run_id), run_id, where)
    places = np.sort(matching(asked.listing, asked.wanted))
    return [int(row_id) for row_id in dict.fromkeys(asked.listing.rows[places].tolist())]


def _noun(listing: Listing) -> str:
    return "pair" if listing.rejected is None else "text"


@lru_cache(maxsize=8)
def _only(
    only: Callable[[Any, Ints, bool, Mapping[str, str]], Any],
    opened: Callable[[str], Any],
    _: Path,
    run_id: str,
    rows: bytes,
    bare: bool,
    beside: tuple[tuple[str, str], ...],
    stamp: object,
) -> Any:
    """Narrowed results are kept: a figure asks for them once a file and once a text."""
    return only(opened(run_id), np.frombuffer(rows, np.int64), bare, dict(beside))


def _asked(given: ChartsAndSentences, run_id: str, where: str) -> _Asked:
    narrowing = given.narrowing
    if narrowing is None:
        raise BadInput(f"Run {run_id} has no pairs to pick.", "Leave out --where.")
    own = language(narrowing.conditions)
    try:
        pairs = parse_qsl(
            where.removeprefix("?"), keep_blank_values=True, strict_parsing=True, errors="strict"
        )
    except ValueError:
        raise BadInput("What --where holds is no part of an address.", _ELSEWHERE) from None
    query = dict(pairs)
    if query.pop("run", run_id) != run_id:
        raise BadInput(f"The address in --where is not that of run {run_id}.", _ELSEWHERE)
    beside = {name: query.pop(name) for name in narrowing.parameters if name in query}
    wanted, ignored = read_filter(own, query)
    odd = [name for name in query if name not in parameters(own)]
    ignored = [*ignored, *odd, *([] if len(pairs) == len(dict(pairs)) else ["a name given twice"])]
    if ignored:
        named = ", ".join(dict.fromkeys(_short(one) for one in ignored))
        raise BadInput(f"Not understood in --where: {named}.", _ELSEWHERE)
    if not wanted.conditions:
        raise BadInput("There is no condition in --where.", _ELSEWHERE)
    listing = narrowing.listing(given.open(run_id), beside)
    wanted = replace(wanted, sort=None)
    _, reasons = fitting(listing, wanted)
    if reasons:
        told = " ".join(dict.fromkeys(_short(one) for one in reasons))
        raise BadInput(f"These cannot be picked. {told}", "Take that condition away.")
    return _Asked(listing, wanted, beside)


def _rows_told(narrowing: Narrowing, listing: Listing, wanted: Filter, n: int, results: Any) -> str:
    """Which rows a figure counts."""
    of, noun = len(listing.rows), _noun(listing)
    names = {**narrowing.called(results), **called(listing, wanted)}
    words = [_short(one.words(names)) for one in wanted.conditions]
    told = [f"Only {n:,} of {of:,} {noun}s count, picked by: {'; '.join(words)}."]
    told += [
        f"{number_of(missing, noun)} {'has' if missing == 1 else 'have'} no value for"
        f" “{_short(one.words(names))}” and {'does' if missing == 1 else 'do'} not count."
        for one, missing in without_value(listing, wanted.conditions)
    ]
    return " ".join(told)


def _rates_told(measure: str, measures: Collection[str], what: str) -> str:
    """What it does to the rates of a figure that its rows were picked."""
    told = f" Picked {what}, not a sample."
    if LENGTHS in measures:
        told += " What length alone would reach follows from the condition on lengths."
    if measure in measures:
        return told + (
            " A condition is on the very thing that is counted, so rates follow from it, in whole"
            " or in part, and tell nothing of others; they have no intervals."
        )
    if BY_HAND in measures:
        return f"{told} Somebody marked the pairs by hand, so rates have no intervals."
    return told + (
        f" Rates are those of such {what} alone; an interval takes them for a random draw of all"
        f" {what} that would be picked so."
    )


def _short(words: str) -> str:
    return one_line(words, _LONGEST_WORDS)
