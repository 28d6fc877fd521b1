"""Analysed pairs to download as other tools read them."""

from __future__ import annotations

import shlex
from functools import partial

import streamlit as st

from ivan_core.experiments.analysis.html_report.page import html_report
from ivan_core.experiments.analysis.interchange.rows import MOST
from ivan_core.experiments.analysis.interchange.write import (
    FORMATS,
    TITLES,
    Asked,
    export_bytes,
    file_name,
)
from ivan_core.experiments.analysis.results import Analysed
from pages.components.kit.text import say


def files_for_others(analysed: Analysed) -> None:
    """A button a format; each file is made when it is asked for."""
    pairs = len(analysed.row_ids)
    which = f"a random draw of {MOST:,} of {pairs:,} pairs" if pairs > MOST else "all pairs"
    say(f"They hold {which}, with their texts.", "small", quiet=True)
    with st.container(horizontal=True):
        for wanted in FORMATS:
            st.download_button(
                TITLES[wanted],
                partial(export_bytes, analysed, Asked(wanted)),
                file_name(analysed.run.id, wanted),
                key=f"analysis-export-{wanted}",
                on_click="ignore",
            )
        st.download_button(
            "Report with texts of pairs",
            partial(_report, analysed),
            f"{analysed.run.id}-report-with-texts.html",
            key="analysis-report-texts",
            on_click="ignore",
        )
    words = ["ivan", "analyse", analysed.run.id]
    words += [word for wanted in FORMATS for word in ("--export", wanted)]
    words += ["--all"] if pairs > MOST else []
    st.code(shlex.join(words), language=None, wrap_lines=True)


def _report(analysed: Analysed) -> bytes:
    return html_report(analysed, texts=True).encode("utf-8", "replace")
