"""How far two colours stand apart, as WCAG 2.2 counts it."""

from __future__ import annotations

Colour = tuple[float, ...]


def rgb(colour: str) -> Colour:
    """A colour as #RRGGBB in parts from 0 to 1."""
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def mixed(above: Colour, below: Colour, opacity: float) -> Colour:
    """What is seen where one colour lies over another."""
    return tuple(a * opacity + b * (1 - opacity) for a, b in zip(above, below, strict=True))


def contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21."""
    light, dark = sorted([_luminance(one), _luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
