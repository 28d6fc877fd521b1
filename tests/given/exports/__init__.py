"""Pairs as the formats for other tools are handed them, each an odd case with a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue
from ivan_core.interchange.content import Beside, Content, Row, reward_model
from ivan_core.interchange.formats import FORMATS
from ivan_core.interchange.write import Summary, write

Said = list[tuple[Any, str]]
MARKED = "a\n\nHuman: b\n\nAssistant: c"
ASK = ("Human", "Hi")


def pair(chosen: Said, rejected: Said, tied: bool = False, row_id: int = 0) -> Pair:
    sides = (Dialogue.of_messages(side) for side in (chosen, rejected))
    return Pair(row_id, *sides, subset="s", tied=tied)


PLAIN = pair([ASK, ("Assistant", "Hello.")], [ASK, ("Assistant", "Go.")])
CASES = {
    "plain": PLAIN,
    "system": pair(
        [("System", "Be kind."), ASK, ("Assistant", "Hello.")],
        [("System", "Be kind."), ASK, ("Assistant", "Go.")],
    ),
    "marker": pair([ASK, ("Assistant", MARKED)], [ASK, ("Assistant", "Go.")]),
    "two prompts": pair([ASK, ("Assistant", "Hello.")], [("Human", "x"), ("Assistant", "Go.")]),
    "tie": pair([ASK, ("Assistant", "Hello.")], [ASK, ("Assistant", "Go.")], tied=True),
    "same": pair([ASK, ("Assistant", "Go.")], [ASK, ("Assistant", "Go.")]),
    "empty": pair([ASK, ("Assistant", "")], [ASK, ("Assistant", "Go.")]),
    "no reply": pair([ASK], [ASK, ("Assistant", "Go.")]),
}


def content(*made: Pair, margins: tuple[float | None, ...] = ()) -> Content:
    """Such pairs; with margins, one a pair, of a model whose typical margin is 2."""
    types = {"row_id": int, "subset": str}
    rows = [
        Row(
            one,
            {"row_id": one.row_id, "subset": one.subset},
            Beside((margins[place],) if margins else ()),
        )
        for place, one in enumerate(made)
    ]
    return Content(
        "made",
        "Made pairs.",
        0.0,
        "people's choice",
        len(made),
        types,
        lambda: iter(rows),
        (reward_model("org/m", 2.0),) if margins else (),
    )


def written(
    name: str, folder: Path, *made: Pair, margins: tuple[float | None, ...] = ()
) -> tuple[Path, Summary]:
    """A file of such pairs, and what it came to."""
    path = folder / f"out{FORMATS[name].ending}"
    return path, write(path, FORMATS[name], content(*made, margins=margins))
