"""Every number of finished labels as a sentence to copy, with the command that gives it again."""

from __future__ import annotations

from ivan_core.domain.errors import BadInput
from ivan_core.engine import handling as runs, opened
from ivan_core.experiments.labels import numbers as label_views
from ivan_core.experiments.labels.conditions import LABELS, label_name
from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.experiments.labels.words import both_sentence
from ivan_core.figures.choices import Wish
from ivan_core.figures.sentences import Quote, source_line
from ivan_core.labels.reconcile import USABLE
from ivan_core.metrics.intervals import design_effect, rate_of_row, units_in, wilson
from ivan_core.metrics.labels.answers import LIST_KEYS
from ivan_core.metrics.labels.sentences import (
    co_occurrence_sentence,
    coefficient_sentence,
    prevalence_sentence,
)
from ivan_core.metrics.sentences import PROMPTS_SHARED, rate_sentence

MOST_WORDS = 12
MOST_TOGETHER = 5
MOST_OTHERS = 3


def source(results: LabelResults) -> str:
    """What every sentence of the run rests on."""
    by = f"labelled by {label_views.named(results)}"
    return source_line(results, int(results.manifest["rows"]), runs.command(results.run), by=by)


def quotes(results: LabelResults) -> list[Quote]:
    """All sentences of a finished labelling, by question in the order of its page."""
    return [
        *_accounted(results),
        *_more_common(results),
        *_about(results),
        *_together(results),
        *_agreement(results),
    ]


def _accounted(results: LabelResults) -> list[Quote]:
    counts, name = results.counts, label_views.named(results)
    usable = results.table["status"].isin(USABLE).to_numpy(float)
    design = design_effect(usable, units_in(results.table))
    rate = wilson(counts["valid"] + counts["repaired"], counts["submitted"], design=design)
    told = [f"{name}: {results.line} texts."]
    told.append(rate_sentence(rate, f"{name} gives usable labels", "texts", PROMPTS_SHARED))
    command = f"ivan runs show {results.run.id}"
    question = "Is every text accounted for?"
    return [Quote(question, sentence, command=command) for sentence in told]


def _more_common(results: LabelResults) -> list[Quote]:
    differences = label_views.shares(results)[1]
    name = label_views.named(results)
    return [
        Quote(
            "What is more common in chosen replies?",
            f"{name}: {prevalence_sentence(row, _called(row['key'], row['value']))}",
            "prevalence",
            measure=LABELS,
        )
        for row in differences.to_dict("records")
    ]


def _about(results: LabelResults) -> list[Quote]:
    """The words of lists that are named most, on either side."""
    found = []
    for key in (key for key in reversed(LIST_KEYS) if key in results.keys):
        counts = label_views.word_shares(results, key)
        kept = list(dict.fromkeys(counts["value"]))[:MOST_WORDS]
        for row in counts[counts["value"].isin(kept)].to_dict("records"):
            predicate = f"{label_views.named(results)} names {_called(key, row['value'])}"
            told = (row[name] for name in ("count", "n", "low", "high", "effective_n"))
            rate = rate_of_row(*told)
            sentence = rate_sentence(rate, predicate, f"{row['side']} replies")
            asked, shown = "What are they about?", Wish(label=key)
            found.append(Quote(asked, sentence, "topics", shown, measure=LABELS))
    return found


def _together(results: LabelResults) -> list[Quote]:
    """The labels that change each other's share most, of those with enough texts."""
    if len(label_views.single_keys(results.keys)) < 2:
        return []
    table = label_views.together(results)
    known = table[~table["too_few"].astype(bool) & table["share"].notna()]
    order = (known["share"] - known["overall"]).abs().sort_values(ascending=False, kind="stable")
    found = []
    for row in known.loc[order.index[:MOST_TOGETHER]].to_dict("records"):
        first = _called(row["first_key"], row["first_value"])
        second = _called(row["second_key"], row["second_value"])
        sentence = f"{label_views.named(results)}: {co_occurrence_sentence(row, first, second)}"
        found.append(Quote("Which labels go together?", sentence, "together", measure=LABELS))
    return found


def _agreement(results: LabelResults) -> list[Quote]:
    """Each label by this labeler and another one, for the newest others."""
    found = []
    for other in label_views.others(results)[:MOST_OTHERS]:
        who = " and ".join(label_views.names_of([results, other]).values())
        if not label_views.shared_keys([results, other]):
            continue
        shown: Wish = {"other": other.run.id}
        table = label_views.agreement([results, other])
        for row in table.to_dict("records"):
            told = f"{both_sentence(row)} {coefficient_sentence(row)}"
            said = f"{who}: {told}"
            asked, chart = "Do labelers agree?", "labeler-agreement"
            found.append(Quote(asked, said, chart, shown, measure=LABELS))
    return found


def beside(first: str, second: str) -> str:
    """Two labellings on the texts that both labelled, a line a label.

    Raises:
        BadInput: there is no such run or it is not finished, or they share no text or no label.
    """
    ours, theirs = open_labels(first), open_labels(second)
    rows = opened.shared_rows(ours, theirs)
    keys = label_views.shared_keys([ours, theirs])
    if not keys:
        raise BadInput(f"Runs {first} and {second} were asked for no label alike.")
    named = label_views.names_of([ours, theirs])
    who = " and ".join(f"{run_id}, labelled by {named[run_id]}," for run_id in (first, second))
    told = [f"{who} share {rows}."]
    for row in label_views.agreement([ours, theirs]).to_dict("records"):
        called = label_name(str(row["key"]), "")
        told.append(f"{called}: {coefficient_sentence(row)}")
    return "\n".join(told)


def _called(key: str, value: str = "") -> str:
    return f"“{label_name(key, value)}”"
