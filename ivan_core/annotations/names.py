"""Names and notes as people type them: trimmed, bounded, and storable anywhere."""

from __future__ import annotations

from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import LONGEST_NAME, LONGEST_NOTE


def name_of(text: str) -> str:
    """A name with its spaces tidied.

    Raises:
        BadInput: there is none, or it is too long.
    """
    name = storable(" ".join(text.split()))
    if not name:
        raise BadInput("There is no name.", "Type your name first; it is not checked.")
    if len(name) > LONGEST_NAME:
        raise BadInput(f"The name has more than {LONGEST_NAME} characters.", "Use a shorter one.")
    return name


def note_of(text: str) -> str:
    """A note without the space around it.

    Raises:
        BadInput: it is too long.
    """
    note = storable(text.strip())
    if len(note) > LONGEST_NOTE:
        raise BadInput(
            f"The note has {len(note):,} characters.", f"It may have {LONGEST_NOTE:,}: shorten it."
        )
    return note


def storable(text: str) -> str:
    """Half a surrogate pair is no text and a null byte ends one: neither can be stored."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
