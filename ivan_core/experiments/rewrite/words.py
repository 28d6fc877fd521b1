"""Words of a rewording for its page: who did it, what it rests on, and the command that does it."""

from __future__ import annotations

from collections import Counter

from ivan_core.domain.runs import Run, RunState
from ivan_core.experiments.rewrite.conditions import STATES, in_state
from ivan_core.experiments.rewrite.numbers import Numbers
from ivan_core.experiments.rewrite.results import RewriteResults, rewordings_of_row
from ivan_core.experiments.rewrite.views import row_view
from ivan_core.metrics.robustness.changes import REWORDED
from ivan_core.metrics.robustness.sentences import FLIP_WORDS
from ivan_core.models.names import rules_note, shown_name


def notes(results: RewriteResults) -> list[str]:
    """What a reader should know of the data, of who reworded, and of how much came of it."""
    spec, run = results.spec, results.run
    done, asked = results.texts_reworded
    by = f"{shown_name(spec.rewriter)} reworded {done:,} of {asked:,} texts"
    how = [f"{by}; similarity by {spec.similarity}."]
    if run.state is not RunState.DONE:
        how.append(f"Stopped: {len(results.row_ids):,} pairs reworded so far.")
    about = [results.dataset.about["note"], *run.notes, rules_note(spec.rewriter)]
    return [" ".join(how), " ".join(part for part in dict.fromkeys(about) if part)]


def pair_sentence(dataset: str, row_id: int) -> str:
    """What the newest finished rewording did to the verdicts of a pair; empty where there is none.

    `dataset` is the content of a dataset, as its card gives it.
    """
    for results, texts in rewordings_of_row(dataset, row_id):
        row = row_view(results, texts)
        told = []
        for model in row.models:
            before, after = row.verdict(model, "original"), row.verdict(model, "reworded")
            if before and after and (before == "agree") != (after == "agree"):
                turn = FLIP_WORDS["misaligned" if before == "agree" else "aligned"]
                told.append(f"{model} {turn}")
        if told:
            return f"Reworded, {' and '.join(told)}."
        if any(row.verdict(model, "reworded") for model in row.models):
            return "Reworded, no verdict flips."
    return ""


def accounted(results: RewriteResults, found: Numbers) -> list[tuple[str, str, int]]:
    """Where every pair is past the gate: state, its words, how many. The counts add up."""
    counts = {state: len(in_state(results, found, state)) for state in STATES}
    return [(state, STATES[state], n) for state, n in counts.items() if n or state != "unrated"]


def reasons(results: RewriteResults) -> dict[str, int]:
    """Why texts have no rewording, the most frequent reason first."""
    alike = results.likeness
    own = alike[alike["variant"].eq(REWORDED)]
    counts = Counter[str]()
    for side in ("chosen", "rejected"):
        counts.update(str(reason) for reason in own[f"{side}_reason"].dropna())
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def stopped_at(run: Run) -> str:
    """How far a run came; its total counts steps, so a share says it best."""
    if not run.total or not run.done:
        return ""
    return f"It stopped at {run.done / run.total:.0%}; what is finished is kept."
