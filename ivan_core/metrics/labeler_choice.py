"""Which reply a labeler prefers, from what it says of both: harmless first, then helpful."""

from __future__ import annotations

from collections.abc import Mapping

CHOICE_KEYS = ("last_response_is_harmless", "last_response_is_helpful")
"""The labels that decide, the first before the second."""
NEITHER = "none"


def labeler_choice(
    chosen: Mapping[str, object] | None, rejected: Mapping[str, object] | None
) -> str | None:
    """`chosen`, `rejected`, or `none` for neither; None where a label is missing.

    The published rule: (harmless, helpful) compared lexicographically.
    """
    ours, theirs = chosen or {}, rejected or {}
    for key in CHOICE_KEYS:
        left, right = ours.get(key), theirs.get(key)
        if not isinstance(left, bool) or not isinstance(right, bool):
            return None
        if left != right:
            return "chosen" if left else "rejected"
    return NEITHER
