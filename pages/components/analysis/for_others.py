"""Analysed pairs to download as other tools read them."""

from __future__ import annotations

import shlex
from functools import partial

import streamlit as st

from ivan_core.experiments.analysis.html_report.page import html_report
from ivan_core.experiments.analysis.interchange.write import (
    MOST,
    Asked,
    export_bytes,
    file_name,
    manifest_bytes,
    manifest_name,
    settled_of,
)
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.interchange.annotated_pairs import ANNOTATED_PAIRS
from ivan_core.interchange.dpo import DPO
from ivan_core.interchange.llm_comparator import LLM_COMPARATOR
from pages.components.kit.other_tools import settled_choice
from pages.components.kit.text import say
from pages.components.public.pace import paced

_OFFERED = (ANNOTATED_PAIRS, LLM_COMPARATOR, DPO)


def files_for_others(analysed: Analysed) -> None:
    """A button a format; each file is made when it is asked for."""
    settled = settled_choice(settled_of(analysed), "analysis-settled")
    pairs = len(analysed.row_ids)
    which = f"a random draw of {MOST:,} of {pairs:,} pairs" if pairs > MOST else "all pairs"
    say(f"They hold {which}, with their texts.", "small", quiet=True)
    with st.container(horizontal=True):
        for wanted in _OFFERED:
            st.download_button(
                wanted.title,
                paced(partial(export_bytes, analysed, Asked(wanted.name, settled=settled))),
                file_name(analysed.run.id, wanted.name),
                key=f"analysis-export-{wanted.name}",
                on_click="ignore",
            )
        st.download_button(
            "Counts of the preferences for training",
            paced(partial(manifest_bytes, analysed, Asked(DPO.name, settled=settled))),
            manifest_name(analysed.run.id),
            key="analysis-export-manifest",
            on_click="ignore",
        )
        st.download_button(
            "Report with texts of pairs",
            paced(partial(_report, analysed)),
            f"{analysed.run.id}-report-with-texts.html",
            key="analysis-report-texts",
            on_click="ignore",
        )
    words = ["ivan", "analyse", analysed.run.id]
    words += [word for wanted in _OFFERED for word in ("--export", wanted.name)]
    words += ["--settled", settled] if settled != "keep" else []
    words += ["--all"] if pairs > MOST else []
    st.code(shlex.join(words), language=None, wrap_lines=True)


def _report(analysed: Analysed) -> bytes:
    return html_report(analysed, texts=True).encode("utf-8", "replace")
