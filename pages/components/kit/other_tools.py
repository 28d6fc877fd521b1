"""Pairs that a page lists as files that other tools read, made on a press."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path

import streamlit as st

from ivan_core.domain.words import number_of
from ivan_core.engine.exports.contents import of_run, opened, where_of
from ivan_core.engine.exports.files import for_download
from ivan_core.engine.exports.settled import Wanted, as_settled, settled_in
from ivan_core.engine.kind import kind_of
from ivan_core.interchange.dpo import DPO
from ivan_core.interchange.format import Format
from ivan_core.interchange.formats import FORMATS
from ivan_core.interchange.write import Summary
from pages.components.kit.frame import problems_shown
from pages.components.kit.results import one_of
from pages.components.kit.text import say
from pages.components.public.pace import paced
from pages.components.public.reading import only_reads

_MADE = "other-tools-made"
_Key = tuple[str, str, Wanted, tuple[int, ...]]
"""Which run, format and way to settle a file was made of, and which pairs."""


def other_tools(run_id: str, row_ids: list[int], name: str) -> None:
    """Ask for a format, make the file on a press, and say what is in it; `name` begins its name."""
    results = opened(run_id)
    wanted = st.selectbox(
        "Format",
        list(FORMATS.values()),
        format_func=lambda one: one.title,
        key="other-tools-format",
        width=420,
    )
    settled = settled_choice(settled_in(results.dataset, row_ids, DPO), "other-tools-settled")
    say(wanted.about, "small", quiet=True)
    key: _Key = (run_id, wanted.name, settled, tuple(row_ids))

    def made() -> tuple[Path, Summary]:
        content = of_run(results, row_ids)
        if settled != "keep":
            content = as_settled(content, results.dataset, settled)
        asked = f"{run_id}|{settled}|{hash(key[-1])}"
        return for_download(content, wanted, f"{name}-{wanted.name}{wanted.ending}", asked)

    pressed = st.button("Make the file", key="other-tools-make")
    with problems_shown():
        if pressed:
            with st.spinner(f"Writing {number_of(len(row_ids), 'pair')} …"):
                st.session_state[_MADE] = key, paced(made)()
        made_of, (path, summary) = st.session_state.get(_MADE, (None, (None, None)))
        if made_of == key and path.exists():
            _ready(path, summary, wanted)
    where = where_of(run_id, st.query_params.to_dict())
    words = ["ivan", "export", run_id, wanted.name]
    words += ["--where", where] if where else []
    words += ["--settled", settled] if settled != "keep" else []
    st.code(shlex.join(words), language=None, wrap_lines=True)
    transfer = kind_of(results.run).transfer
    if transfer is not None and transfer.scores is not None and not only_reads():
        say(
            "All scores or labels of this run on the Hugging Face hub, with a card and without "
            "texts. The command shows what it would send, and sends nothing:",
            "small",
            quiet=True,
        )
        st.code(
            shlex.join(["ivan", "publish", run_id, "OWNER/NAME"]), language=None, wrap_lines=True
        )


def _ready(path: Path, summary: Summary, wanted: Format) -> None:
    """What is in a file, and the file."""
    say(" ".join(summary.sentences), "small")
    st.download_button(
        "Download", path.read_bytes, path.name, key="other-tools-file", on_click="ignore"
    )
    if wanted.beside:
        say("The labelling configuration that these tasks need:", "small", quiet=True)
        st.code(wanted.beside, language="xml", wrap_lines=True)


def settled_choice(found: Counter[str], key: str) -> Wanted:
    """What becomes of preferences that people settled; nothing is asked where they settled none.

    `found` counts them by what people prefer: chosen, rejected or none.
    """
    if not found:
        return "keep"
    what = {"chosen": "the chosen reply", "rejected": "the other one", "none": "neither"}
    told = ", ".join(f"in {found[one]:,} {words}" for one, words in what.items() if found[one])
    pairs = number_of(found.total(), "pair")
    how = "by a decision, or two or more who all say the same"
    say(f"People settled {pairs} ({how}): they prefer {told}.", "small")
    other, none = found["rejected"], found["none"]
    words: dict[Wanted, str] = {
        "keep": "For training, keep all as they are",
        "flip": f"Turn {other:,} round",
        "drop": f"Leave {other + none:,} out",
    }
    return one_of("What people settled", list(words), key, named=words.__getitem__)
