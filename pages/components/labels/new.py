"""A new labelling: its three steps, what was labelled elsewhere, and earlier labellings."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from ivan_core.domain.runs import Run
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches.adopt import adopt, batch_ids
from ivan_core.experiments.batches.import_files import import_files
from ivan_core.experiments.labels.results import labellings
from pages.components.kit.form import known_dataset, other_texts_aside
from pages.components.kit.frame import list_of_runs, problems_shown
from pages.components.kit.state import TAXONOMY, choose_run, keep_news
from pages.components.kit.text import say
from pages.components.labels.form import label_form
from pages.components.labels.steps import CHOOSE, COST, FOLLOW, closed_step, demo_banner, open_step
from pages.components.public.reading import only_reads

_RECENT = 8


def new_labelling() -> None:
    """What the page offers where no labelling is looked at."""
    say(
        "What do the texts of a preference dataset say and do? A labeler answers 19 questions "
        "about each: is the reply helpful, harmless, honest, a refusal, what is it about?",
        "lead",
    )
    demo_banner()
    with open_step(CHOOSE):
        label_form()
    closed_step(COST)
    closed_step(FOLLOW)
    from_elsewhere()
    list_of_runs("Earlier labellings", labellings()[:_RECENT], runs.about, _below)


def _below(run: Run) -> str:
    counted = f", {run.done:,} of {run.total:,} texts" if run.total else ""
    return f"{run.label}: {run.state}{counted}"


def from_elsewhere() -> None:
    """Take in what was sent from another machine, or answered by another engine; not in a demo."""
    if only_reads():
        return
    with st.expander("Batches from elsewhere"):
        say(
            "Sent from another machine, or answered by another engine? Say which dataset the "
            "texts are from; it must have been read here before. Nothing is sent or paid.",
            quiet=True,
        )
        request = known_dataset("elsewhere")
        left, right = st.columns(2, gap="large")
        with left:
            _by_id(request)
        with right:
            _by_file(request)


def _by_id(request: DatasetRequest) -> None:
    ids = st.text_input(
        "Batch ids, separated by commas",
        key="elsewhere-ids",
        placeholder="batch_…, batch_…",
        help="The provider's own page lists them. The key must be of the account that sent them.",
    )
    if st.button("Collect these batches", key="elsewhere-collect", disabled=not ids.strip()):
        # A problem is told here, where the button is, and not at the top of the page.
        with problems_shown():
            collect_batches(ids, request)
            st.rerun()


def _by_file(request: DatasetRequest) -> None:
    files = st.file_uploader(
        "Result files (JSON lines)",
        accept_multiple_files=True,
        type=["jsonl"],
        key="elsewhere-files",
        max_upload_size=20,
        help="Larger ones: ivan taxonomy import-file, on the command line.",
    )
    if not files:
        return
    model = st.text_input(
        "Who labelled",
        key="elsewhere-model",
        placeholder="as the files say",
        help="The model's name, where the files do not tell.",
    )
    force = other_texts_aside("elsewhere")
    if st.button("Import these files", key="elsewhere-import", type="primary"):
        contents = [(file.name, file.getvalue()) for file in files]
        with problems_shown():
            import_results(contents, request, force=force, model=model.strip())
            st.rerun()


def collect_batches(ids: str, request: DatasetRequest) -> None:
    """Find the run that some batches belong to, or make one that follows and collects them.

    Raises:
        IvanError: they are not known, or not of this dataset; nothing has changed.
    """
    run_id, new = adopt(batch_ids(ids), request, "page")
    if new:
        runs.spawn(run_id)
    else:
        keep_news(f"These batches belong to run {run_id}, which is here.")
    choose_run(run_id, TAXONOMY)


def import_results(
    files: Sequence[tuple[str, bytes]], request: DatasetRequest, force: bool, model: str
) -> None:
    """Enter result files, each a name and its content, as one finished labelling.

    Raises:
        IvanError: they are no results, or not of this dataset; nothing has changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, (name, content) in enumerate(files):
            path = Path(folder) / str(number) / (Path(name).name or "results.jsonl")
            path.parent.mkdir()
            path.write_bytes(content)
            paths.append(path)
        entered = import_files(paths, request, force, model)
    keep_news(f"Imported as run {entered.run_id}, labelled by {entered.model}.", entered.sentence)
    choose_run(entered.run_id, TAXONOMY)
