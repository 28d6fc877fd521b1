"""What can stand beside the features of a regression: light, since specs name it."""

from __future__ import annotations

from typing import Literal

Control = Literal["length", "none", "chosen"]
"""What stands beside the features: the difference in log length, nothing, or length and a constant
("being chosen, beyond the labels")."""
CONTROLS: tuple[Control, ...] = ("length", "none", "chosen")


def control_named(name: str) -> Control:
    """The control of this name, which must be one."""
    return next(one for one in CONTROLS if one == name)
