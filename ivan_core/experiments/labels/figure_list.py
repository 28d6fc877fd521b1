"""The charts of finished labels that can be had as figures: to add one, write it into `CHARTS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ivan_core.experiments.labels import numbers as label_views
from ivan_core.experiments.labels import words as label_words
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.labels.results import LabelResults
from ivan_core.figures.chart import GROUPS, WILSON, Drawn
from ivan_core.metrics.co_occurrence import LEAST
from ivan_core.metrics.label_answers import LIST_KEYS, SENTIMENT
from ivan_core.metrics.resampling import TIMES

_NEWCOMBE = "Newcombe's 95% interval for paired proportions (1998, method 10)"
Label = tuple[str, str]
"""A key and a value; the value is empty for the whole key."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one chart shows: a labelling, those beside it, and a label (empty if it needs none)."""

    results: LabelResults
    others: tuple[LabelResults, ...]
    label: Label

    @property
    def names(self) -> dict[str, str]:
        """The labelers by run id, the run's own first."""
        return label_views.names_of([self.results, *self.others])


@dataclass(frozen=True, slots=True)
class LabelChart:
    """One chart of finished labels: its name on the command line, and what it leaves to choose.

    `others` is the most labelings that stand beside the run's own: at least one must where it is
    not 0. `labels` lists those of which one is shown, None where the chart shows all; it must be
    named unless `first_is_usual`. `fewest` is how many labels with one answer a text the run must
    have been asked for.
    """

    name: str
    title: str
    draw: Callable[[Asked], Drawn]
    others: int = 0
    labels: Callable[[Sequence[LabelResults]], list[Label]] | None = None
    first_is_usual: bool = False
    fewest: int = 0

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `ivan figure` that choose what it shows."""
        return (*(("--label",) if self.labels else ()), *(("--other",) if self.others else ()))


def _prevalence(asked: Asked) -> Drawn:
    from ivan_core.charts.labels import prevalence_dots

    run_id, name = asked.results.run.id, label_views.named(asked.results)
    shares, differences = label_views.shares(run_id)
    apart = differences.rename(
        columns={"n": "pairs", "low": "difference_low", "high": "difference_high",
                 "effective_n": "effective_pairs"}
    )  # fmt: skip
    beside = ["key", "value", "pairs", "difference", "difference_low", "difference_high", "mid_p",
              "holm_p", "clear", "effective_pairs"]  # fmt: skip
    return Drawn(
        lambda: prevalence_dots(shares, differences, label_views.TITLES, dark=False),
        shares.merge(apart[beside], on=["key", "value"], how="left"),
        f"How often {name} gives each label to chosen and to rejected replies, with 95% intervals."
        f" {label_words.differences_sentence(differences)}",
        "Shares are of the texts of a side with an answer, with 95% Wilson score intervals;"
        f" {GROUPS}"
        f" Differences are of pairs with an answer on both sides, with {_NEWCOMBE}; one"
        f" {_clear(len(differences))}.",
    )


def _sides(asked: Asked) -> Drawn:
    from ivan_core.charts.annotators import answer_cells

    run_id, (key, value) = asked.results.run.id, asked.label
    cells = label_views.on_pairs(run_id, key, value)
    called, n = label_name(key, value), int(cells["n"].iloc[0])
    if key in LIST_KEYS:
        told, how = f"n = {n:,} pairs.", "Pairs without an answer on both sides are left out."
    else:
        differences = label_views.shares(run_id)[1]
        told = label_words.label_sentence(differences, key, value)
        how = f"The difference has {_NEWCOMBE}; it {_clear(len(differences))}."
    return Drawn(
        lambda: answer_cells(cells, "chosen", "rejected", title=f"Pairs by “{called}”", dark=False),
        cells.rename(columns={"left": "chosen", "right": "rejected"}).drop(columns="left_out"),
        f"Pairs by whether {label_views.named(asked.results)} gives “{called}” to the chosen reply"
        f" (across) and to the rejected one (down). {told}",
        how,
    )


def _clear(labels: int) -> str:
    return (
        "is called clear if that interval leaves out 0 and McNemar's mid-p, corrected by Holm over"
        f" the family of {labels:,} labels of this run, is below 5%"
    )


def _topics(asked: Asked) -> Drawn:
    from ivan_core.charts.labels import word_bars

    key = asked.label[0]
    counts, title = label_views.word_shares(asked.results.run.id, key), label_name(key)
    return Drawn(
        lambda: word_bars(counts, title=title, dark=False),
        counts,
        f"{title}: how often {label_views.named(asked.results)} names each for chosen and for"
        f" rejected replies, with 95% intervals. {label_words.words_sentence(counts, title)}",
        "A text can have several of these words or none. Shares are of the texts of a side with"
        f" an answer. {WILSON}",
    )


def _together(asked: Asked) -> Drawn:
    from ivan_core.charts.together import together_squares

    table = label_views.together(asked.results.run.id)
    return Drawn(
        lambda: together_squares(table, label_views.TITLES, dark=False),
        table,
        f"Which labels of {label_views.named(asked.results)} go together: of the texts with the"
        " label of the row, the share that also has that of the column, the stronger the further"
        f" from its share of all texts. {label_words.together_sentence(table)}",
        "Counted are texts that answer both labels, chosen and rejected replies together; squares"
        f" of labels that fewer than {LEAST} texts have are dashed. {WILSON}"
        " Both texts of a pair are one group.",
    )


def _agreement(asked: Asked) -> Drawn:
    from ivan_core.charts.annotators import agreement_dots

    names = asked.names
    table = label_views.agreement(list(names))
    told = [label_words.agreement_sentence(table, list(names.values()))]
    if table["few"].any():
        told.append("Hollow marks: the rarer answer was given to few texts.")
    return Drawn(
        lambda: agreement_dots(table, label_views.TITLES, dark=False),
        table.assign(labelers="; ".join(names.values())),
        f"How far labelers agree on each label, with 95% intervals. {' '.join(told)}",
        _coefficients(asked),
    )


def _answers(asked: Asked) -> Drawn:
    from ivan_core.charts.annotators import answer_cells

    (run_id, first), (other, second) = asked.names.items()
    key, value = asked.label
    cells = label_views.crossed(run_id, other, key, value)
    called = label_name(key, value)
    n, left_out = int(cells["n"].iloc[0]), int(cells["left_out"].iloc[0])
    out = f"; {left_out:,} more {'was' if left_out == 1 else 'were'} not" if left_out else ""
    table = label_views.agreement([run_id, other], key if value else "")
    own = table[(table["key"] == key) & (table["value"] == value)]
    told = [f"{n:,} texts were answered by both{out}."]
    for row in own.to_dict("records"):
        told += [label_words.both_sentence(row, [first, second])]
        told += [label_words.coefficients_sentence(row)]
    return Drawn(
        lambda: answer_cells(cells, first, second, title=f"Texts by “{called}”", dark=False),
        cells.rename(columns={"left": "first", "right": "second"}).assign(
            first_labeler=first, second_labeler=second
        ),
        f"The answers of {first} (across) and {second} (down) to “{called}”: texts counted by both."
        f" {' '.join(told)}",
        _coefficients(asked),
    )


def _coefficients(asked: Asked) -> str:
    """How agreement was measured."""
    more = len(asked.others) > 1
    measure = "Krippendorff's alpha" if more else "Cohen's kappa"
    ordered = "ordinal alpha" if more else "linear weights"
    return (
        f"Agreement is {measure} (sentiment: {ordered}; lists of words: mean overlap, Jaccard's"
        " index) beside Gwet's AC1, over the texts that two labelers or more answered. Intervals"
        f" are 95% BCa intervals of {TIMES:,} bootstrap draws by prompt, all texts that share their"
        f" first human turn together (seed {asked.results.spec.seed}), and of shares Wilson score"
        f" intervals; {GROUPS} None is corrected for multiple comparisons."
    )


def _list_keys(found: Sequence[LabelResults]) -> list[Label]:
    return [(key, "") for key in reversed(LIST_KEYS) if key in label_views.shared_keys(found)]


def _values(found: Sequence[LabelResults]) -> list[Label]:
    """Every label as the shares list it, then the words of lists."""
    results = found[0]
    rows = label_views.shares(results.run.id)[1][["key", "value"]].itertuples(index=False)
    return [(str(row.key), str(row.value)) for row in rows] + _words(found)


def _questions(found: Sequence[LabelResults]) -> list[Label]:
    """Every key with one answer a text that all were asked for, then the words of lists.

    A word counts if anybody named it for these pairs: that neither labeler did is an answer too.
    """
    keys = label_views.shared_keys(found)
    named = _words([found[0], *label_views.others(found[0])])
    singles = [(key, "") for key in label_views.single_keys(keys)]
    return singles + [label for label in named if label[0] in keys]


def _words(found: Sequence[LabelResults]) -> list[Label]:
    named = [
        (key, str(word))
        for key in reversed(LIST_KEYS)
        for one in found
        if key in one.keys
        for word in label_views.word_shares(one.run.id, key)["value"]
    ]
    return list(dict.fromkeys(named))


def label_id(label: Label) -> str:
    """A label as it is named on the command line: KEY, or KEY:VALUE where there are several."""
    key, value = label
    several = key in (SENTIMENT, *LIST_KEYS)
    return f"{key}:{value}" if value and several else key


CHARTS: tuple[LabelChart, ...] = (
    LabelChart(
        "prevalence", "How often each label is given to chosen and rejected replies", _prevalence,
        fewest=1,
    ),
    LabelChart("sides", "One label on the two sides of a pair", _sides, labels=_values),
    LabelChart(
        "topics", "What the texts are about, or another list", _topics, labels=_list_keys,
        first_is_usual=True,
    ),
    LabelChart("together", "Which labels go together", _together, fewest=2),
    LabelChart("labeler-agreement", "How far labelers agree on each label", _agreement, others=2),
    LabelChart(
        "answers", "The answers of two labelers to one label", _answers, others=1,
        labels=_questions,
    ),
)  # fmt: skip
