"""Finished runs set beside each other on shared rows, or several of one kind in one table."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import with_article
from ivan_core.engine.handling import get, names_apart
from ivan_core.engine.kind import SetTogether, alike, kind_of


def beside(first: str, second: str) -> str:
    """Two runs of one kind on the pairs they share, in words, a sentence a line.

    Raises:
        BadInput: there is no such run or nothing is finished, it is the same run twice, the runs
            have no pair in common, or runs of their kinds are not set beside each other.
    """
    if first == second:
        raise BadInput(f"{first} was named twice.", "Name two runs.")
    one, other = kind_of(get(first)), kind_of(get(second))
    named = names_apart(first, second)
    if other.name not in alike(one.name):
        raise BadInput(
            f"{named[0]} is {with_article(one.noun)}, {named[1]} is {with_article(other.noun)}.",
            "Name two runs of one kind.",
        )
    if one.beside is None:
        raise BadInput(
            f"{named[0]} is {with_article(one.noun)}, which is set beside no other in words.",
            f"Open both on the page {one.page.capitalize()}." if one.page else "Name other runs.",
        )
    return one.beside.two(first, second)


def together(run_ids: Sequence[str]) -> SetTogether:
    """Several runs of one kind on the same pairs, in one table.

    Raises:
        BadInput: there is no such run or nothing is finished, one is named twice, they are of
            several kinds or of one that stands in no table, or they are not about the same pairs
            in the same way.
    """
    if len(set(run_ids)) < max(2, len(run_ids)):
        raise BadInput("A run was named twice, or only one.", "Name two runs or more, each once.")
    first, *others = [get(run_id) for run_id in run_ids]
    one = kind_of(first)
    for run in others:
        if run.kind not in alike(one.name):
            raise BadInput(
                f"{first.label} is {with_article(one.noun)}, {run.label} is"
                f" {with_article(kind_of(run).noun)}.",
                "Name runs of one kind.",
            )
    several = one.beside.several if one.beside else None
    if several is None:
        raise BadInput(
            f"{first.label} is {with_article(one.noun)}, which stands in no table with others.",
            "Name two of them, to set these beside each other.",
        )
    return several(run_ids)
