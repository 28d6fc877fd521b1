"""The form of a kind of run, filled with what one was asked to do; nothing is started or sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ivan_core.domain.labels import FEATURES
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import handling as runs, studies
from ivan_core.experiments.analysis.here import IMPORT_THEM, left_behind
from ivan_core.experiments.analysis.units import two_labels
from pages.components.analysis.form import LABELERS, OF, REWORDING, TOGETHER
from pages.components.kit.form import ALL, BY_ID, DRAWN, FIRST, with_dataset
from pages.components.kit.state import choose_run, page_of
from pages.components.kit.study import STUDY
from pages.components.public.reading import only_reads

_Filled = dict[str, Any]
_LACKS: dict[str, Callable[[Any], str]] = {"analysis": left_behind}
"""By kind, the run that what was asked joins and that is not here; empty if all are."""


def can_duplicate(run: Run) -> bool:
    """Whether there is a form for runs of this kind."""
    return run.kind in _FORMS


def why_not(run: Run) -> str:
    """Why a run cannot be done once more from a form; empty if it can."""
    if "files" in runs.imported_from(run):
        return "It was read from files: nobody knows what made them. Import the files again."
    lacks = _LACKS.get(run.kind)
    gone = lacks(runs.any_spec_of(run)) if lacks else ""
    return f"It joins run {gone}, which is not here. {IMPORT_THEM}" if gone else ""


def duplicate(run: Run) -> None:
    """Fill the form of a run's page with what it was asked to do, and go there."""
    for key, value in filled(run).items():
        st.session_state[key] = value
    choose_run(None, page_of(run))
    st.switch_page(page_of(run))


def change_button(run: Run) -> None:
    """Offer to ask otherwise what a run was asked to do: what was asked wrongly is not resumed."""
    told = "Opens the form with this run's settings; nothing starts by itself."
    if (
        not only_reads()
        and can_duplicate(run)
        and not why_not(run)
        and st.button("Change the settings", key="change", help=told)
    ):
        duplicate(run)


def filled(run: Run) -> _Filled:
    """The values of the form's widgets, by their keys."""
    return _FORMS[run.kind](runs.any_spec_of(run))


def _compare(spec: Any) -> _Filled:
    wanted = {**with_dataset(spec.dataset, "form"), **_rows("form", spec)}
    wanted |= {"form-models": list(spec.models), "form-seed": spec.seed}
    wanted |= {"form-tokens": spec.max_tokens, "form-system": spec.system}
    wanted["form-weights"] = spec.quantization
    if spec.input_format:
        wanted["form-format"] = spec.input_format
    return wanted


def _labels(spec: Any) -> _Filled:
    wanted = {**_labelled(spec), "label-labeler": spec.labeler, "label-way": "ollama"}
    return wanted | {"label-temperature": spec.temperature, "label-context": spec.num_ctx}


def _batches(spec: Any) -> _Filled:
    """Of a labelling that is paid for: its cost is estimated anew, and accepted anew."""
    return {
        **_labelled(spec),
        "label-labeler": spec.model,
        "label-way": "batch",
        "label-cap": spec.max_usd,
        "label-answer": spec.max_completion_tokens,
        "label-queue": spec.queue_tokens,
        "label-input-usd": spec.input_usd,
        "label-output-usd": spec.output_usd,
        "label-base-url": spec.base_url,
    }


def _labelled(spec: Any) -> _Filled:
    keys = [] if spec.keys == FEATURES else list(spec.keys)
    asked = {**with_dataset(spec.dataset, "label"), **_rows("label", spec)}
    return asked | {"label-keys": keys, "label-seed": spec.seed}


def _rewrite(spec: Any) -> _Filled:
    return {
        **with_dataset(spec.dataset, "rewrite"),
        **_rows("rewrite", spec, first=False),
        "rewrite-rewriter": spec.rewriter,
        "rewrite-models": list(spec.models),
        "rewrite-scope": spec.scope,
        "rewrite-labeler": spec.labeler,
        "rewrite-similarity": spec.similarity,
        "rewrite-seed": spec.seed,
        "rewrite-temperature": spec.temperature,
        "rewrite-context": spec.num_ctx,
        "rewrite-ask-again": spec.ask_again,
        "rewrite-second": spec.second,
    }


def _rows(keys: str, spec: RowsSpec, first: bool = True) -> _Filled:
    """Which rows; where a form has no word for the `first` ones, they are named."""
    if spec.limit and first:
        return {f"{keys}-rows": FIRST, f"{keys}-n": spec.limit}
    if spec.sample:
        return {f"{keys}-rows": DRAWN, f"{keys}-n": spec.sample}
    row_ids = spec.row_ids if spec.limit is None else range(spec.limit)
    if row_ids is not None:
        named = ", ".join(str(row_id) for row_id in row_ids)
        return {f"{keys}-rows": BY_ID, f"{keys}-row-ids": named}
    return {f"{keys}-rows": ALL}


def _analysis(spec: Any) -> _Filled:
    about = studies.about_run(spec.comparison)
    return {
        **({STUDY: about.id} if about else {}),
        OF: spec.comparison,
        LABELERS: list(spec.labelers),
        "analysis-models": list(spec.models),
        "analysis-control": spec.control,
        "analysis-first-try": spec.first_try,
        "analysis-before": spec.before,
        "analysis-after": spec.after,
        **dict(zip(TOGETHER, two_labels(spec.interaction), strict=False)),
        REWORDING: spec.rewording,
    }


_FORMS: dict[str, Callable[[Any], _Filled]] = {
    "compare": _compare,
    "labels": _labels,
    "taxonomy": _batches,
    "rewrite": _rewrite,
    "analysis": _analysis,
}
"""What fills the form of each kind of run."""
