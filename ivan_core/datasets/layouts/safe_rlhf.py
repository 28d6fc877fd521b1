"""PKU-SafeRLHF: two replies and two verdicts, on which is better and on which is safer."""

from __future__ import annotations

from collections.abc import Callable

from ivan_core.datasets.layouts.shape import Item, Layout, Row, has_texts, preferred, two_replies

_SIDES = ("prompt", "response_0", "response_1")
BETTER, SAFER = "better_response_id", "safer_response_id"


def _by(verdict: str) -> Callable[[Row], Item]:
    def read(row: Row) -> Item:
        better = preferred(row, verdict, {"0": 0, "1": 1})
        return Item(two_replies(row, *_SIDES), better, frozenset(_SIDES))

    return read


LAYOUT = Layout(
    "pku-saferlhf",
    "PKU-SafeRLHF",
    (*_SIDES, BETTER, SAFER),
    has_texts(*_SIDES),
    _by(BETTER),
    said=f"Which reply is better is taken from {BETTER}; {SAFER} may say otherwise: "
    "the layout pku-saferlhf-safer takes that.",
)
BY_SAFETY = Layout(
    "pku-saferlhf-safer",
    "PKU-SafeRLHF by safety",
    (*_SIDES, SAFER),
    has_texts(*_SIDES),
    _by(SAFER),
    said=f"Which reply is better is taken from {SAFER}.",
    asked_only=True,
)
