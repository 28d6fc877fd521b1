"""The charts of two labelers or more on the same texts, and what is said of each."""

from __future__ import annotations

from ivan_core.experiments.labels import numbers as label_numbers, sentences
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.labels.results import LabelResults
from ivan_core.figures.chart import Drawn
from ivan_core.figures.words import GROUPS, wilson_words, with_ends
from ivan_core.metrics.intervals import TIMES
from ivan_core.metrics.labels.agreement import SHARES
from ivan_core.metrics.labels.sentences import same_sentence

Label = tuple[str, str]
"""A key and a value; the value is empty for the whole key."""
Others = tuple[LabelResults, ...]
"""The labellings that stand beside the run's own."""


def same_answers(results: LabelResults, others: Others) -> Drawn:
    from ivan_core.charts.same_answers import same_answer_dots

    names = label_numbers.names_of([results, *others])
    table = label_numbers.agreement([results, *others])
    told = [sentences.agreement_sentence(table, list(names.values()))]
    if table["few"].any():
        told.append("Hollow marks: the rarer answer was given to few texts.")
    return Drawn(
        lambda: same_answer_dots(table, label_numbers.TITLES, dark=False),
        table[SHARES].assign(labelers="; ".join(names.values())),
        f"How often labelers give the same answer{with_ends(results)}. {' '.join(told)}",
        _shares(results),
    )


def agreement(results: LabelResults, others: Others) -> Drawn:
    from ivan_core.charts.annotators import agreement_dots

    names = label_numbers.names_of([results, *others])
    table = label_numbers.agreement([results, *others])
    told = [sentences.agreement_sentence(table, list(names.values()), in_full=True)]
    if table["few"].any():
        told.append("Hollow marks: the rarer answer was given to few texts.")
    return Drawn(
        lambda: agreement_dots(table, label_numbers.TITLES, dark=False),
        table.assign(labelers="; ".join(names.values())),
        f"How far labelers agree beyond chance{with_ends(results)}. {' '.join(told)}",
        _coefficients(results, others),
    )


def answers(results: LabelResults, label: Label, others: Others) -> Drawn:
    from ivan_core.charts.annotators import answer_cells

    first, second = label_numbers.names_of([results, *others]).values()
    key, value = label
    cells = label_numbers.crossed(results, others[0], key, value)
    called = label_name(key, value)
    n, left_out = int(cells["n"].iloc[0]), int(cells["left_out"].iloc[0])
    out = f"; {left_out:,} more {'was' if left_out == 1 else 'were'} not" if left_out else ""
    table = label_numbers.agreement([results, *others], key if value else "")
    own = table[(table["key"] == key) & (table["value"] == value)]
    told = [f"{n:,} texts were answered by both{out}."]
    for row in own.to_dict("records"):
        told += [sentences.both_sentence(row), same_sentence(row)]
    return Drawn(
        lambda: answer_cells(cells, first, second, title=f"Texts by “{called}”", dark=False),
        cells.rename(columns={"left": "first", "right": "second"}).assign(
            first_labeler=first, second_labeler=second
        ),
        f"The answers of {first} (across) and {second} (down) to “{called}”: texts counted by both."
        f" {' '.join(told)}",
        _shares(results),
    )


def _shares(results: LabelResults) -> str:
    """How the shares of same answers were counted."""
    return (
        "Shares are of the texts that two labelers or more answered; lists count as the same if"
        f" they name the same words.{wilson_words(results)}"
    )


def _coefficients(results: LabelResults, others: Others) -> str:
    """How agreement was measured."""
    more = len(others) > 1
    measure = "Krippendorff's alpha" if more else "Cohen's kappa"
    ordered = "ordinal alpha" if more else "linear weights"
    told = (
        f"Agreement is {measure} (sentiment: {ordered}; lists of words: mean overlap, Jaccard's"
        " index) beside Gwet's AC1, over the texts that two labelers or more answered."
    )
    return told + (
        ""
        if results.bare
        else " Intervals"
        f" are 95% BCa intervals of {TIMES:,} bootstrap draws by prompt, all texts that share their"
        f" first human turn together (seed {results.spec.seed}), and of shares Wilson score"
        f" intervals; {GROUPS} None is corrected for multiple comparisons."
    )
