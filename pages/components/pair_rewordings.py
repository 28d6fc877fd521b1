"""A row before and after it was reworded: texts with their differences, rewards and labels."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from ivan_core.domain.labels import REWRITE_FEATURES, Label, Preference
from ivan_core.domain.pairs import prompt_turns
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.rewrite import RULES_AND_LEXICON
from ivan_core.experiments.rewrite_labels import SIDES
from ivan_core.experiments.rewrite_units import Variant
from ivan_core.metrics.differences import Piece, word_differences
from ivan_core.workspace.label_filters import label_name
from ivan_core.workspace.label_views import in_words
from ivan_core.workspace.rewrite_views import VARIANTS, RowView, row_sentence
from ivan_core.workspace.rewrite_words import RULES_NOTE, labeler_words, rewriter_words
from pages.components.label_steps import facts
from pages.components.text import say, short_names

_TEXT = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.55;margin:0"
_NOTE = "opacity:.7;font-size:.85rem;overflow-wrap:anywhere"
_TINTS = (
    "background:rgba(88,132,214,.20);text-decoration:underline 1.5px;text-underline-offset:3px;"
    "border-radius:2px;color:inherit",
    "background:rgba(190,146,58,.20);text-decoration:underline dotted 2px;"
    "text-underline-offset:3px;border-radius:2px;color:inherit",
)
_CELL = "padding:.3rem .7rem;text-align:left;border-bottom:1px solid rgba(128,128,128,.25)"
_MOVED = "font-weight:650;background:rgba(88,132,214,.14)"
_LONG = 1_200
"""From so many characters on a text is scrolled."""


def show_rewordings(row: RowView) -> None:
    """Draw one row of a run, from what rewording did to it to the texts behind that."""
    say(row_sentence(row), "lead")
    told = [f"Reworded by {rewriter_words(row.spec)}."]
    told += [RULES_NOTE] if row.spec.is_rules else []
    say(" ".join(told), "small", quiet=True)
    _rewards(row, ("reworded",))
    _prompt(row, "reworded")
    for side in SIDES:
        _texts(row, side, "reworded")
    _labels(row)
    others = row.changes[1:]
    names = " and the ".join(VARIANTS[variant] for variant in others)
    folded = st.expander(f"The {names}", key=f"others-{row.run_id}-{row.row_id}", on_change="rerun")
    if folded.open:
        with folded:
            _rewards(row, others)
            for variant in others:
                say(f"The {VARIANTS[variant]}", "lead")
                for side in SIDES:
                    _texts(row, side, variant)


def _rewards(row: RowView, variants: Sequence[Variant]) -> None:
    """Rewards and verdicts before and after, a line a model and change."""
    names = short_names(row.models)
    rows = []
    for model in row.models:
        for variant in variants:
            before, after = (row.rewards.get((model, one)) for one in ("original", variant))
            if before is None or after is None:
                continue
            first, last = row.verdict(model, "original"), row.verdict(model, variant)
            rows.append([
                names[model] if len(variants) == 1 else f"{names[model]}, {VARIANTS[variant]}",
                *(_change(one, other) for one, other in zip(before, after, strict=True)),
                _change(_margin(*before), _margin(*after)),
                f"{first or 'not rated'} → {last or 'not rated'}",
            ])  # fmt: skip
    if rows:
        facts(rows, ("Reward", "chosen", "rejected", "margin", "verdict"))


def _change(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return " → ".join("none" if one is None else f"{one:+.3g}" for one in (before, after))
    return f"{before:+.3g} → {after:+.3g} ({after - before:+.2g})"


def _margin(chosen: float | None, rejected: float | None) -> float | None:
    return None if chosen is None or rejected is None else chosen - rejected


def _prompt(row: RowView, variant: Variant) -> None:
    """What stands before the replies, as it was and reworded, folded away."""
    one = row.texts.sides["original"][0]
    other = next((text for text in row.texts.sides[variant] if text is not None), None)
    if one is None or other is None or not prompt_turns(one):
        return
    with st.expander("The prompt, before and after"):
        before = [f"{turn.role}: {turn.words}" for turn in prompt_turns(one)]
        after = [f"{turn.role}: {turn.words}" for turn in prompt_turns(other)]
        _side_by_side("\n\n".join(before), "\n\n".join(after), VARIANTS[variant], "", "prompt")


def _texts(row: RowView, side: Preference, variant: Variant) -> None:
    """One side's reply before and after; where there is none, why and what came instead."""
    place = SIDES.index(side)
    before, after = (row.texts.sides[one][place] for one in ("original", variant))
    missing = row.missing(variant, side)
    if before is None:
        return
    if after is None:
        why = missing.sentence if missing else "There is no text."
        say(f"{side} reply: no {VARIANTS[variant]}. {why}", "body")
        with st.container(height=_height(before.text), key=f"alone-{variant}-{side}"):
            st.html(f'<div dir="auto" style="{_TEXT}">{escape(_reply(before))}</div>')
        if missing and missing.raw:
            say("What the rewriter answered:", "small", quiet=True)
            st.code(missing.raw, language=None, wrap_lines=True)
        return
    alike, ratio = row.similarity.get(variant), row.ratio.get(variant)
    notes = []
    if alike and alike[place] is not None:
        notes.append(f"similarity {alike[place]:.3f}")
    if ratio and ratio[place] is not None:
        notes.append(f"{ratio[place]:.0%} of the length")
    say(f"The {side} reply", "body")
    _side_by_side(
        _reply(before), _reply(after), VARIANTS[variant], ", ".join(notes), f"{variant}-{side}"
    )


def _side_by_side(before: str, after: str, name: str, note: str, key: str) -> None:
    """Two texts with the words that differ marked; same on both sides means no mark."""
    pieces = word_differences(before, after)
    if before == after:
        note = "the same words" if not note else f"the same words, {note}"
    heads = (("original", ""), (name, note))
    for place, column in enumerate(st.columns(2)):
        head, told = heads[place]
        with column, st.container(border=True, height="stretch", key=f"{key}-{place}"):
            st.html(
                f'<p style="margin:0"><b>{head}</b> <span style="{_NOTE}">{escape(told)}</span></p>'
            )
            with st.container(height=_height(before), key=f"{key}-{place}-text"):
                st.html(_marked(pieces[place], _TINTS[place]))


def _height(text: str) -> int | str:
    return 320 if len(text) > _LONG else "content"


def _marked(pieces: Sequence[Piece], mark: str) -> str:
    parts = [
        f'<ins style="{mark}">{escape(text)}</ins>' if own and text.strip() else escape(text)
        for text, own in pieces
    ]
    return f'<div dir="auto" style="{_TEXT}">{"".join(parts)}</div>'


def _reply(dialogue: Dialogue) -> str:
    """What a side says last; the whole text where it ends in no reply."""
    return dialogue.text.strip() if dialogue.reply is None else dialogue.reply


def _labels(row: RowView) -> None:
    """The five labels of both sides before and after; what moved is bold and tinted."""
    if not row.labels:
        return
    say(f"Labels by {labeler_words(row.spec)}, before → after", "body")
    if row.spec.is_rules and "rule-based" in labeler_words(row.spec):
        say(RULES_AND_LEXICON, "small", quiet=True)
    heads = "".join(f'<th scope="col" style="{_CELL}">{side}</th>' for side in SIDES)
    lines = "".join(
        f'<tr><th scope="row" style="{_CELL};font-weight:400">{escape(label_name(key))}</th>'
        + "".join(_label_cell(row, side, key) for side in SIDES)
        + "</tr>"
        for key in REWRITE_FEATURES
    )
    st.html(
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:.9rem">'
        f'<thead><tr><td style="{_CELL}"></td>{heads}</tr></thead><tbody>{lines}</tbody></table></div>'
    )


def _label_cell(row: RowView, side: Preference, key: str) -> str:
    before = row.labels.get((side, "original"), {}).get(key)
    after = row.labels.get((side, "reworded"), {}).get(key)
    move = row.moved(side, key)
    words = f"{_words(before)} → {_words(after)}"
    style = f"{_CELL};{_MOVED}" if move in ("lost", "gained") else _CELL
    told = f" ({move})" if move in ("lost", "gained") else ""
    return f'<td style="{style}" dir="auto">{escape(words + told)}</td>'


def _words(label: Label) -> str:
    return in_words(label) or "no label"
