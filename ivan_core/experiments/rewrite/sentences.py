"""Every number of a rewording as a sentence to copy, with the command that gives it again.

Also two rewordings beside each other, and the words of a page: who reworded, on what it rests, and
where each row went.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import handling as runs, opened
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.experiments.labels.conditions import LABELS, label_name
from ivan_core.experiments.rewrite.conditions import MEANING, STATES, in_state
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import (
    Gate,
    RewriteResults,
    open_rewrite,
    rewordings_of_row,
)
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON, notes_of
from ivan_core.experiments.rewrite.views import row_view
from ivan_core.figures.words import Quote, source_line
from ivan_core.metrics.robustness.changes import REWORDED, SURFACE
from ivan_core.metrics.robustness.noise import (
    two_rewordings,
    two_rewordings_sentence,
    two_similarities,
    two_similarities_sentence,
)
from ivan_core.metrics.robustness.sentences import (
    FLIP_WORDS,
    beyond_sentence,
    came_words,
    change_sentence,
    correlation_sentence,
    flips_sentence,
    label_flip_sentence,
    margin_sentence,
    needed_sentence,
    together_sentence,
    twice_sentence,
)
from ivan_core.metrics.sentences import rate_sentence
from ivan_core.models.names import reader_note, shown_name


def source(results: RewriteResults) -> str:
    """What every sentence of the run rests on."""
    return source_line(
        results,
        len(results.row_ids),
        runs.command(results.run),
        by=f"reworded by {shown_name(results.spec.rewriter)}",
        stopped="" if results.run.state is RunState.DONE else "stopped before its end",
        more=f"Rewordings count from a similarity of {Gate().similarity:g} on.",
    )


def quotes(results: RewriteResults) -> list[Quote]:
    """All sentences of a rewording past the usual gate, by question in the order of its page.

    Those of picked rows are past the gate past which they were picked, and say so if it is not the
    usual one.
    """
    gate = results.gate or Gate()
    found = numbers(results, gate)
    quoted = [
        *_kept(results, found),
        *_flips(results, found),
        *_changes(results, found),
        *([] if results.whole else _noise(results, found)),
        *_labels(results, found),
    ]
    if gate == Gate():
        return quoted
    past = (
        f"Rewordings count from a similarity of {gate.similarity:g} on, at {gate.shortest:g} to"
        f" {gate.longest:g} times the length."
    )
    return [replace(one, sentence=f"{one.sentence} {past}") for one in quoted]


def _kept(results: RewriteResults, found: Numbers) -> list[Quote]:
    who = shown_name(results.spec.rewriter)
    pairs = f"measured pairs ({came_words(found.came)})"
    told = rate_sentence(found.kept, f"{who} keeps the meaning", pairs)
    return [Quote("Is the meaning kept?", told, measure=MEANING)]


def _flips(results: RewriteResults, found: Numbers) -> list[Quote]:
    told = []
    for model in found.models:
        one, alone = found.of(model), found.of(model, SURFACE)
        flips = one.flips if one else None
        if flips is not None:
            told.append(rate_sentence(flips.either, f"Rewording flips the verdict of {model}"))
        if alone is not None and alone.flips is not None:
            what = f"Punctuation and space alone flip the verdict of {model}"
            told.append(rate_sentence(alone.flips.either, what))
        needed = "" if results.whole else needed_sentence(flips)
        told.append(f"{flips_sentence(model, flips)} {needed}".strip())
        told.append(results.training[model])
    return [Quote("Do verdicts flip?", sentence, "flips", measure=REWARDS) for sentence in told]


def _changes(results: RewriteResults, found: Numbers) -> list[Quote]:
    quote, quoted = partial(Quote, "How far do rewards move?", measure=REWARDS), []
    for model in found.models:
        one = found.of(model)
        if one is None:
            continue
        quoted.append(quote(change_sentence(one), "changes"))
        quoted.append(quote(margin_sentence(one)))
        sides = (("chosen", one.chosen_correlation), ("rejected", one.rejected_correlation))
        for side, value in sides:
            quoted.append(quote(correlation_sentence(model, side, value)))
    return quoted


def _noise(results: RewriteResults, found: Numbers) -> list[Quote]:
    told = []
    for model in found.models:
        told.append(beyond_sentence(model, found.beyond(model, "surface")))
        if results.spec.second:
            second = found.beyond(model, "second")
            told += [beyond_sentence(model, second)] if second else []
            told.append(twice_sentence(model, found.twice(model)))
    told += [together_sentence(found.tests)] if found.tests else []
    return [Quote("Is it more than noise?", sentence) for sentence in told]


def _labels(results: RewriteResults, found: Numbers) -> list[Quote]:
    """Labels that flip; none where rules reword the very words that rules label by."""
    spec = results.spec
    if not spec.labeler or RULES_AND_LEXICON in notes_of(spec):
        return []
    who = shown_name(spec.labeler)
    return [
        Quote(
            "Do labels flip?",
            f"{who}: {label_flip_sentence(row, label_name(str(row['feature'])))}",
            measure=LABELS,
        )
        for row in found.flip_rates.to_dict("records")
    ]


def beside(first: str, second: str) -> str:
    """Two rewordings on the pairs that both reworded past the usual gate, a line a reward model.

    Raises:
        BadInput: there is no such run or it is not finished, or they share no row or no model.
    """
    ours, theirs = open_rewrite(first), open_rewrite(second)
    named = runs.names_apart(ours.run.id, theirs.run.id)
    pairs = opened.shared_pairs(ours, theirs)
    models = [name for name in ours.models if name in theirs.models]
    if not models:
        raise BadInput(
            f"No reward model judged both {named[0]} and {named[1]}.",
            "Reword again with a model that judged the other one.",
        )
    who = " and ".join(
        f"{name}, reworded by {shown_name(one.spec.rewriter)},"
        for name, one in zip(named, (ours, theirs), strict=True)
    )
    gate = f"Rewordings count from a similarity of {Gate().similarity:g} on."
    tables = numbers(ours, Gate()).table, numbers(theirs, Gate()).table
    told = [f"{who} share {pairs}.", gate]
    for name in models:
        told.append(two_rewordings_sentence(two_rewordings(*tables, name), *named))
    if ours.spec.similarity == theirs.spec.similarity:
        told.append(two_similarities_sentence(two_similarities(*tables), *named))
    else:
        told.append("Similarities are told by two models, so they are not set beside each other.")
    return "\n".join(told)


def notes(results: RewriteResults) -> list[str]:
    """What a reader should know of the data, of who reworded, and of how much came of it."""
    spec, run = results.spec, results.run
    done, asked = results.texts_reworded
    by = f"{shown_name(spec.rewriter)} reworded {done:,} of {asked:,} texts"
    how = [f"{by}; similarity by {spec.similarity}."]
    if run.state is not RunState.DONE:
        how.append(f"Stopped: {len(results.row_ids):,} pairs reworded so far.")
    about = [results.dataset.about["note"], *run.notes, reader_note(spec.rewriter)]
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
    alike = results.similarities
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
