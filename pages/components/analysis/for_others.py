"""Analysed pairs to download as other tools read them."""

from __future__ import annotations

import shlex
from functools import partial

import streamlit as st

from ivan_core.domain.words import number_of
from ivan_core.engine.exports.settled import Wanted
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
from pages.components.kit.results import one_of
from pages.components.kit.text import say
from pages.components.public.pace import paced

_OFFERED = (ANNOTATED_PAIRS, LLM_COMPARATOR, DPO)


def files_for_others(analysed: Analysed) -> None:
    """A button a format; each file is made when it is asked for."""
    settled = _settled(analysed)
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


def _settled(analysed: Analysed) -> Wanted:
    """What becomes of preferences that people settled; nothing is asked where they settled none."""
    found = settled_of(analysed)
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
    return one_of("What people settled", list(words), "analysis-settled", named=words.__getitem__)


def _report(analysed: Analysed) -> bytes:
    return html_report(analysed, texts=True).encode("utf-8", "replace")
