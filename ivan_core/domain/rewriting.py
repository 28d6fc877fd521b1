"""Rewordings of a pair's texts: what a rewriter is asked, what it answers, and its protocol."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from ivan_core.domain.models import AnswererCard, ModelReply

Style = Literal["published", "second", "surface"]
"""The rewording as published, a second one of the same text, or punctuation and space only."""
Scope = Literal["shared", "whole"]
"""The shared prompt once and each last reply once, or whole dialogues, each side apart."""
PieceRole = Literal["prompt", "reply", "dialogue"]
PieceSide = Literal["both", "chosen", "rejected"]

STYLES: tuple[Style, ...] = ("published", "second", "surface")
TEMPERATURES: dict[Style, float] = {"published": 0.1, "second": 0.7}
"""How freely a model picks its words, by style: 0.1 as in the SEAL paper; a second, independent
rewording would be the first one over again with so little."""

_KEY = re.compile(
    r"(?P<row>0|[1-9]\d{0,11})\.(?P<side>both|chosen|rejected)\.(?P<role>prompt|reply|dialogue)"
)
_SIDES: tuple[PieceSide, ...] = ("both", "chosen", "rejected")
_ROLES: tuple[PieceRole, ...] = ("prompt", "reply", "dialogue")


@dataclass(frozen=True, slots=True)
class PieceKey:
    """Which piece of which row: rewordings are joined by it, never by position."""

    row_id: int
    side: PieceSide
    role: PieceRole

    @property
    def text(self) -> str:
        """The key as it stands in files: `12.both.prompt`."""
        return f"{self.row_id}.{self.side}.{self.role}"

    @classmethod
    def from_text(cls, text: str) -> PieceKey | None:
        """The key that a file names; None if it is none of ours."""
        found = _KEY.fullmatch(text)
        if found is None:
            return None
        side = next(side for side in _SIDES if side == found["side"])
        role = next(role for role in _ROLES if role == found["role"])
        return cls(int(found["row"]), side, role)


@dataclass(frozen=True, slots=True)
class RewriteRequest:
    """What a rewriter is given for one piece of a pair.

    `text` is the piece as it is printed, each turn after its `\\n\\nHuman:` or `\\n\\nAssistant:`;
    rewriters that read no prompt work from it alone. `system` and `user` are the instructions and
    the fenced text for those that do. `attempt` counts from 1; from the second on, `reason` says
    in our words why the last answer could not be used, and `user` repeats it.
    """

    key: PieceKey
    style: Style
    scope: Scope
    text: str
    attempt: int = 1
    reason: str = ""
    system: str = ""
    user: str = ""


class Rewriter(Protocol):
    """A rewriter that answers one piece at a time."""

    @property
    def card(self) -> AnswererCard: ...

    def rewrite(self, request: RewriteRequest) -> ModelReply:
        """The raw answer. A piece that cannot be reworded gets a reply with its problem.

        Raises:
            BackendUnavailable: the rewriter itself is away; the run stops and can be resumed.
        """
        ...
