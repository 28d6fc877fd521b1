"""A row before and after it was reworded: texts with their differences, rewards and labels."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from ivan_core.domain.labels import REWRITE_FEATURES, Label
from ivan_core.domain.pairs import SIDES, Side
from ivan_core.domain.transcripts import Dialogue, prompt_turns
from ivan_core.domain.words import short_names
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.labels.numbers import in_words
from ivan_core.experiments.rewrite.results import rewordings_of_row
from ivan_core.experiments.rewrite.rows import Missing
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON, notes_of
from ivan_core.experiments.rewrite.units import Variant
from ivan_core.experiments.rewrite.views import VARIANTS, RowView, row_sentence, row_view
from ivan_core.models.names import reader_note, shown_name
from pages.components.kit.text import cell, md_escape, say, show_part, show_table
from pages.components.pair.replies import MARKS, NOT_COMPARED, differing, plain, show_pieces

_NOTE = "opacity:.7;font-size:.85rem;overflow-wrap:anywhere"
_CELL = (
    "padding:.3rem .45rem;text-align:left;white-space:nowrap;"
    "border-bottom:1px solid rgba(128,128,128,.25);font-variant-numeric:tabular-nums"
)
_MOST_RUNS = 6
_SMALL = 0.0005
"""A change of a reward below it is none for a reader."""
_LONG = 1_200
"""From so many characters on a text is scrolled."""


def pair_rewordings(content: str, row_id: int) -> None:
    """Draw what finished rewordings did to a pair, newest first; nothing where there is none.

    `content` is the content of the dataset, as its card gives it.
    """
    found = rewordings_of_row(content, row_id)
    if not found:
        return
    st.subheader("Rewordings", anchor=False)
    for place, (results, texts) in enumerate(found[:_MOST_RUNS]):
        row = row_view(results, texts)
        told = f"{shown_name(row.spec.rewriter)}, run {results.run.label}"
        if len(found) == 1:
            show_rewordings(row)
            continue
        folded = st.expander(
            md_escape(f"{told}: {row_sentence(row)}"),
            key=f"rewording-{results.run.id}",
            on_change="rerun",
            expanded=place == 0,
        )
        if folded.open:
            with folded:
                show_rewordings(row)


def show_rewordings(row: RowView) -> None:
    """Draw one row of a run, from what rewording did to it to the texts behind that."""
    say(row_sentence(row), "lead")
    told = [f"Reworded by {shown_name(row.spec.rewriter)}.", reader_note(row.spec.rewriter)]
    say(" ".join(filter(None, told)), "small", quiet=True)
    _rewards(row, ("reworded",))
    _variant(row, "reworded")
    _labels(row)
    others = row.changes[1:]
    names = " and the ".join(VARIANTS[variant] for variant in others)
    folded = st.expander(f"The {names}", key=f"others-{row.run_id}-{row.row_id}", on_change="rerun")
    if folded.open:
        with folded:
            _rewards(row, others)
            for variant in others:
                say(f"The {VARIANTS[variant]}", "lead")
                _variant(row, variant)


def _rewards(row: RowView, variants: Sequence[Variant]) -> None:
    """Rewards and verdicts before and after, a line a model and change; none where none is new."""
    names = short_names(row.models)
    lines = []
    for model in row.models:
        for variant in variants:
            before, after = (row.rewards.get((model, one)) for one in ("original", variant))
            if before is None or after is None or after == (None, None):
                continue
            first, last = row.verdict(model, "original"), row.verdict(model, variant)
            flipped = bool(first and last) and first != last
            head = names[model] if len(variants) == 1 else f"{names[model]}, {VARIANTS[variant]}"
            verdict = _two(first or "not rated", last or "not rated")
            changes = [(_margin(*before), _margin(*after)), *zip(before, after, strict=True)]
            told = [
                cell(verdict, flipped, _CELL),
                *(cell(_change(*change), style=_CELL) for change in changes),
            ]
            lines.append(_line(head, told))
    if lines:
        _table(("verdict", "margin", "chosen", "rejected"), lines)


def _table(heads: Sequence[str], lines: Sequence[str]) -> None:
    head = "".join(f'<th scope="col" style="{_CELL}">{escape(name)}</th>' for name in heads)
    show_table([head], lines, _CELL)


def _line(head: str, cells: Sequence[str]) -> str:
    first = f'<th scope="row" style="{_CELL};font-weight:400">{escape(head)}</th>'
    return f"<tr>{first}{''.join(cells)}</tr>"


def _change(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        told = " → ".join("none" if one is None else f"{one:+.3g}" for one in (before, after))
    else:
        told = f"{before:+.3g} → {after:+.3g} ({_difference(after - before)})"
    return told.replace("-", "−")


def _difference(value: float) -> str:
    return f"{value:+.2g}" if abs(value) >= _SMALL else "0"


def _margin(chosen: float | None, rejected: float | None) -> float | None:
    return None if chosen is None or rejected is None else chosen - rejected


def _variant(row: RowView, variant: Variant) -> None:
    """The texts of both sides before and after; what both lack is told once."""
    _prompt(row, variant)
    missing = [row.missing(variant, side) for side in SIDES]
    if missing[0] and missing[0] == missing[1] and missing[0].part:
        say(f"Neither reply has a {VARIANTS[variant]}", "body")
        _refused(row, variant, 0, missing[0])
        return
    for side in SIDES:
        _texts(row, side, variant)


def _refused(row: RowView, variant: Variant, place: int, missing: Missing | None) -> None:
    """The text that has no rewording, why, and what was answered instead."""
    before = row.texts.sides["original"][place]
    if before is None:
        return
    key = f"refused-{row.run_id}-{variant}-{place}"
    of_prompt = missing is not None and missing.part.endswith(".prompt")
    text = _turns(before) if of_prompt else _reply(before)
    with st.container(border=True):
        if of_prompt:
            say("What stands before the reply was refused.", "small", quiet=True)
        say(missing.sentence if missing else "There is no text.", "small", quiet=True)
        with st.container(height=_height(text)):
            show_pieces(plain(text), "", f"{key}-text")
        if missing and missing.raw.strip():
            say("What the rewriter answered:", "small", quiet=True)
            show_part(
                missing.raw.strip("\n"),
                f"{key}-answered",
                lambda part: st.code(part, language=None, wrap_lines=True),
            )


def _prompt(row: RowView, variant: Variant) -> None:
    """What stands before the replies, as it was and reworded, folded away; once where it is one."""
    prompts: dict[tuple[str, str], str] = {}
    for side, before, after in zip(
        SIDES, row.texts.sides["original"], row.texts.sides[variant], strict=True
    ):
        if before is not None and after is not None and prompt_turns(before):
            prompts.setdefault((_turns(before), _turns(after)), side)
    if not prompts:
        return
    with st.expander("The prompt, before and after"):
        for (before, after), side in prompts.items():
            if len(prompts) > 1:
                say(f"Before the {side} reply", "small", quiet=True)
            key = f"{row.run_id}-{variant}-{side}-prompt"
            _side_by_side(before, after, VARIANTS[variant], "", key)


def _turns(dialogue: Dialogue) -> str:
    """What was said before the last reply, with who said it."""
    return "\n\n".join(f"{turn.role}: {turn.words}" for turn in prompt_turns(dialogue))


def _texts(row: RowView, side: Side, variant: Variant) -> None:
    """One side's reply before and after; where there is none, why and what came instead."""
    place = SIDES.index(side)
    before, after = (row.texts.sides[one][place] for one in ("original", variant))
    missing = row.missing(variant, side)
    if before is None:
        return
    if after is None:
        say(f"The {side} reply has no {VARIANTS[variant]}", "body")
        _refused(row, variant, place, missing)
        return
    alike, ratio = row.similarity.get(variant), row.ratio.get(variant)
    notes = []
    if alike and alike[place] is not None:
        notes.append(f"similarity {alike[place]:.3f}")
    if ratio and ratio[place] is not None:
        notes.append(f"{ratio[place]:.0%} of the length")
    say(f"The {side} reply", "body")
    key = f"{row.run_id}-{variant}-{side}"
    _side_by_side(_reply(before), _reply(after), VARIANTS[variant], ", ".join(notes), key)


def _side_by_side(before: str, after: str, name: str, note: str, key: str) -> None:
    """Two texts with the words that differ marked; same on both sides means no mark."""
    compared = differing(before, after)
    pieces = compared or (plain(before), plain(after))
    if compared is None:
        say(NOT_COMPARED, "small", quiet=True)
    if before == after:
        note = "the same words" if not note else f"the same words, {note}"
    heads = (("original", ""), (name, note))
    for place, column in enumerate(st.columns(2)):
        head, told = heads[place]
        with column, st.container(border=True, height="stretch"):
            st.html(
                f'<p style="margin:0"><b>{head}</b> <span style="{_NOTE}">{escape(told)}</span></p>'
            )
            with st.container(height=_height(before)):
                # A change of the surface is often a space: it is marked too.
                show_pieces(pieces[place], MARKS[place], f"{key}-{place}", spaces=True)


def _height(text: str) -> int | str:
    return 320 if len(text) > _LONG else "content"


def _reply(dialogue: Dialogue) -> str:
    """What a side says last; the whole text where it ends in no reply."""
    return dialogue.printed.strip() if dialogue.reply is None else dialogue.reply


def _labels(row: RowView) -> None:
    """The five labels of both sides before and after; nothing where there is no after."""
    if not any(variant == "reworded" and labels for (_, variant), labels in row.labels.items()):
        return
    say(f"Labels by {shown_name(row.spec.labeler)}, before and after", "body")
    for note in notes_of(row.spec):
        if note == RULES_AND_LEXICON:
            say(note, "small", quiet=True)
    _table(
        SIDES,
        [
            _line(label_name(key), [_label_cell(row, side, key) for side in SIDES])
            for key in REWRITE_FEATURES
        ],
    )


def _label_cell(row: RowView, side: Side, key: str) -> str:
    before = row.labels.get((side, "original"), {}).get(key)
    after = row.labels.get((side, "reworded"), {}).get(key)
    move = row.moved(side, key)
    moved = move in ("lost", "gained")
    words = f"{_two(_words(before), _words(after))}{f' ({move})' if moved else ''}"
    return cell(words, moved, _CELL)


def _two(before: str, after: str) -> str:
    """What was said before and after, as in "agree, now disagree"."""
    return f"still {after}" if before == after else f"{before}, now {after}"


def _words(label: Label) -> str:
    return in_words(label) or "no label"
