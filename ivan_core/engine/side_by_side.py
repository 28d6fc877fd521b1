"""Two runs of one kind set beside each other."""

from __future__ import annotations

from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import with_article
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import alike, kind_of


def beside(first: str, second: str) -> str:
    """Two runs of one kind on the pairs they share, in words, a sentence a line.

    Raises:
        BadInput: there is no such run or nothing is finished, it is the same run twice, the runs
            have no pair in common, or runs of their kinds are not set beside each other.
    """
    if first == second:
        raise BadInput(f"{first} was named twice.", "Name two runs.")
    one, other = kind_of(runs.get(first)), kind_of(runs.get(second))
    named = runs.names_apart(first, second)
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
    return one.beside(first, second)
