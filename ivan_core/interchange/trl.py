"""What TRL's preference formats have in common: one prompt, two replies, one of them preferred."""

from __future__ import annotations

from ivan_core.interchange import reasons
from ivan_core.interchange.format import Reason

A_PREFERENCE: tuple[Reason, ...] = (
    reasons.no_preference,
    reasons.no_reply,
    reasons.two_prompts,
    reasons.nobodys_text,
)
OF_MESSAGES: tuple[Reason, ...] = (*A_PREFERENCE, reasons.prompt_ends_oddly)
