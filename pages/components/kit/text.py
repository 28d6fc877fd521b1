"""Showing text that nobody vouches for: it is never rendered as markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import streamlit as st

_SIZES = {"headline": "1.35rem", "lead": "1.1rem", "body": "1rem", "small": "0.85rem"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@/])")
_SHORTHAND = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)|(?<=[-<>~])(?=[-=>])", re.IGNORECASE)
"""Places inside what is replaced even where it is escaped: `:smile:`, `->`, web addresses."""
_JOINER = "\u2060"


def say(text: str, size: str = "body", quiet: bool = False) -> None:
    """Print a sentence as it is, whatever it holds."""
    weight = 560 if size == "headline" else 400
    style = (
        f"font-size:{_SIZES[size]};line-height:1.45;font-weight:{weight};"
        f"opacity:{0.72 if quiet else 1};margin:0;overflow-wrap:anywhere"
    )
    st.html(f'<p style="{style}" dir="auto">{escape(text)}</p>')


def short_names(models: Sequence[str]) -> dict[str, str]:
    """Each model's name without its organisation or folder, where that tells them apart."""
    short = [model.rpartition("/")[2] or model for model in models]
    return {
        model: name if short.count(name) == 1 else model
        for model, name in zip(models, short, strict=True)
    }


def md_escape(text: str) -> str:
    """Text for a label, where Streamlit renders markdown: every character stands for itself."""
    apart = _SHORTHAND.sub(_JOINER, " ".join(text.split()))
    return _MARKDOWN.sub(r"\\\1", apart)
