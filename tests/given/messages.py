"""Messages of a chat, as files of datasets hold them."""

from __future__ import annotations

from typing import Any


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def said(text: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text}
