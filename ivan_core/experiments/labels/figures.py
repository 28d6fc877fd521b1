"""The charts of finished labels, what each leaves to choose, and what is said of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES
from ivan_core.engine import handling as runs
from ivan_core.experiments.labels import numbers as label_numbers, sentences
from ivan_core.experiments.labels.agreement_figures import (
    Label,
    Others,
    agreement,
    answers,
    same_answers,
)
from ivan_core.experiments.labels.conditions import LABELS, label_name, listing
from ivan_core.experiments.labels.findings import findings
from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.figures.chart import Chart, ChartsAndSentences, Chosen, Drawn, Narrowing
from ivan_core.figures.choices import LABEL, OTHER, Choice, Wish, asked_for
from ivan_core.figures.words import GROUPS, first_upper, rows_words, wilson_words, with_ends
from ivan_core.metrics.labels.answers import LIST_KEYS, SENTIMENT
from ivan_core.metrics.labels.shares import LEAST
from ivan_core.models.names import AUTHORED

_MOST_NAMED = 20
_NEWCOMBE = "Newcombe's 95% interval for paired proportions (1998, method 10)"
Found = Sequence[LabelResults]
"""All labellings that a chart shows, the run's own first."""


def _prevalence(results: LabelResults) -> Drawn:
    from ivan_core.charts.labels import prevalence_dots

    name = label_numbers.named(results)
    shares, differences = label_numbers.shares(results)
    apart = differences.rename(
        columns={
            "n": "pairs",
            "low": "difference_low",
            "high": "difference_high",
            "effective_n": "effective_pairs",
        }
    )
    beside = [
        "key",
        "value",
        "pairs",
        "difference",
        "difference_low",
        "difference_high",
        "mid_p",
        "holm_p",
        "clear",
        "effective_pairs",
    ]
    told = sentences.differences_sentence(differences)
    if results.whole and not differences["n"].any():
        told = "None of the picked texts make a pair with labels on both sides."
    return Drawn(
        lambda: prevalence_dots(shares, differences, label_numbers.TITLES, dark=False),
        shares.merge(apart[beside], on=["key", "value"], how="left"),
        f"How often {name} gives each label to chosen and to rejected replies{with_ends(results)}."
        f" {told}",
        "Shares are of the texts of a side with an answer, differences of pairs with one on both."
        if results.bare
        else "Shares are of the texts of a side with an answer, with 95% Wilson score intervals;"
        f" {GROUPS} Differences are of pairs with an answer on both sides, with {_NEWCOMBE}; one"
        f" {_clear(results, len(differences))}.",
    )


def _sides(results: LabelResults, label: Label) -> Drawn:
    from ivan_core.charts.annotators import answer_cells

    key, value = label
    cells = label_numbers.on_pairs(results, key, value)
    called, n = label_name(key, value), int(cells["n"].iloc[0])
    if key in LIST_KEYS:
        told, how = f"n = {n:,} pairs.", "Pairs without an answer on both sides are left out."
    else:
        differences = label_numbers.shares(results)[1]
        told = sentences.label_sentence(differences, key, value)
        how = f"The difference has {_NEWCOMBE}; it {_clear(results, len(differences))}."
        if results.bare:
            how = "The difference is of pairs with an answer on both sides."
    return Drawn(
        lambda: answer_cells(cells, "chosen", "rejected", title=f"Pairs by “{called}”", dark=False),
        cells.rename(columns={"left": "chosen", "right": "rejected"}).drop(columns="left_out"),
        f"Pairs by whether {label_numbers.named(results)} gives “{called}” to the chosen reply"
        f" (across) and to the rejected one (down). {told}",
        how,
    )


def _clear(results: LabelResults, labels: int) -> str:
    if results.whole:
        return "is never called clear, for the texts were chosen after looking"
    return (
        "is called clear if that interval leaves out 0 and McNemar's mid-p, corrected by Holm over"
        f" the family of {labels:,} labels of this run, is below 5%"
    )


def _topics(results: LabelResults, label: Label) -> Drawn:
    from ivan_core.charts.labels import word_bars

    key = label[0]
    counts, title = label_numbers.word_shares(results, key), label_name(key)
    return Drawn(
        lambda: word_bars(counts, title=title, dark=False),
        counts,
        f"{title}: how often {label_numbers.named(results)} names each for chosen and for"
        f" rejected replies{with_ends(results)}. {sentences.words_sentence(counts, title)}",
        "A text can have several of these words or none. Shares are of the texts of a side with"
        f" an answer.{wilson_words(results)}",
    )


def _together(results: LabelResults) -> Drawn:
    from ivan_core.charts.labels import together_squares

    table = label_numbers.together(results)
    return Drawn(
        lambda: together_squares(table, label_numbers.TITLES, dark=False),
        table,
        f"Which labels of {label_numbers.named(results)} go together: of the texts with the"
        " label of the row, the share that also has that of the column, the stronger the further"
        f" from its share of all texts. {sentences.together_sentence(table)}",
        "Counted are texts that answer both labels, chosen and rejected replies together; squares"
        f" of labels that fewer than {LEAST} texts have are dashed.{wilson_words(results)}"
        + ("" if results.bare else " Both texts of a pair are one group."),
    )


def _list_keys(found: Found) -> list[Label]:
    return [(key, "") for key in reversed(LIST_KEYS) if key in label_numbers.shared_keys(found)]


def _values(found: Found) -> list[Label]:
    """Every label as the shares list it, then the words of lists."""
    rows = label_numbers.shares(found[0])[1][["key", "value"]].itertuples(index=False)
    return [(str(row.key), str(row.value)) for row in rows] + _words(found)


def _questions(found: Found) -> list[Label]:
    """Every key with one answer a text that all were asked for, then the words of lists.

    A word counts if anybody named it for these pairs: that neither labeler did is an answer too.
    """
    keys = label_numbers.shared_keys(found)
    named = _words([found[0], *label_numbers.others(found[0])])
    singles = [(key, "") for key in label_numbers.single_keys(keys)]
    return singles + [label for label in named if label[0] in keys]


def _words(found: Found) -> list[Label]:
    named = [
        (key, str(word))
        for key in reversed(LIST_KEYS)
        for one in found
        if key in one.keys
        for word in label_numbers.word_shares(one, key)["value"]
    ]
    return list(dict.fromkeys(named))


def label_id(label: Label) -> str:
    """A label as it is named on the command line: KEY, or KEY:VALUE where there are several."""
    key, value = label
    several = key in (SENTIMENT, *LIST_KEYS)
    return f"{key}:{value}" if value and several else key


def _no_chart(chart: str, results: LabelResults, hint: str) -> BadInput:
    return BadInput(f"Run {results.run.id} has no chart {chart}.", hint)


def _needs(fewest: int) -> Callable[[str, LabelResults], BadInput | None]:
    """How many labels with one answer a text a run must have been asked for."""

    def lacks(chart: str, results: LabelResults) -> BadInput | None:
        if len(label_numbers.single_keys(results.keys)) >= fewest:
            return None
        hint = "It was asked for too few labels with one answer a text."
        return _no_chart(chart, results, hint)

    return lacks


def _together_lacks(chart: str, results: LabelResults) -> BadInput | None:
    if results.authored:
        return _no_chart(chart, results, "Each of its texts has one label alone.")
    return _needs(2)(chart, results)


def _beside(most: int) -> Choice:
    """The choice of other labellings, one at least: those asked for, or the newest."""

    def pick(chart: str, results: LabelResults, wish: Wish) -> Others:
        known = {one.run.id: one for one in label_numbers.others(results)}
        asked = asked_for(wish, OTHER)
        if len(asked) > most or len(set(asked)) < len(asked):
            words = "one other run" if most == 1 else "one or two other runs"
            raise BadInput(f"The chart {chart} sets {words} beside this one.", "Name each once.")
        for run_id in asked:
            if run_id not in known:
                raise BadInput(
                    f"Run {run_id!r} cannot be set beside run {results.run.id}.",
                    f"Others with labels of the same pairs are {', '.join(known)}.",
                )
        found = tuple(known[run_id] for run_id in asked or list(known)[:1])
        if not label_numbers.shared_keys([results, *found]):
            raise BadInput(
                "They were asked for different labels: there is nothing to compare.",
                "Choose another run.",
            )
        return found

    def lacks(chart: str, results: LabelResults) -> BadInput | None:
        if label_numbers.others(results):
            return None
        return _no_chart(chart, results, "Label the same pairs with a second labeler first.")

    return Choice(
        OTHER,
        pick,
        as_wish=lambda others: tuple(one.run.id for one in others),
        lacks=lacks,
        offers=lambda results: [
            (one.run.id, label_numbers.named(one)) for one in label_numbers.others(results)
        ],
    )


def _one_of(
    labels: Callable[[Found], list[Label]],
    *,
    first_is_usual: bool = False,
    beside: Choice | None = None,
) -> Choice:
    """The choice of one label; it must be named unless there is only one, or the first is usual.

    `beside` is the choice of the labellings that must have the label too.
    """

    def pick(chart: str, results: LabelResults, wish: Wish) -> Label:
        others: Others = beside.pick(chart, results, wish) if beside else ()
        known = {label_id(label): label for label in labels([results.whole or results, *others])}
        asked = wish.get("label")
        if asked is None and (len(known) == 1 or first_is_usual):
            return next(iter(known.values()))
        if asked not in known:
            there = ", ".join(list(known)[:_MOST_NAMED])
            more = len(known) - _MOST_NAMED
            raise BadInput(
                "Which label?" if asked is None else f"The chart {chart} has no label {asked!r}.",
                f"Choose one of {there}{f', and {more:,} more' if more > 0 else ''}.",
            )
        return known[asked]

    def lacks(chart: str, results: LabelResults) -> BadInput | None:
        if beside or labels([results]):
            return None
        return _no_chart(chart, results, "It was asked for no label that this chart shows.")

    return Choice(
        LABEL,
        pick,
        as_wish=label_id,
        lacks=lacks,
        offers=lambda results: [(label_id(one), label_name(*one)) for one in labels([results])],
    )


_ALL: Mapping[str, str] = {"other": "one run", "label": "all labels"}

CHARTS = (
    Chart(
        "prevalence",
        "How often each label is given to chosen and rejected replies",
        _prevalence,
        instead=_ALL,
        lacks=_needs(1),
        measure=LABELS,
    ),
    Chart(
        "sides",
        "One label on the two sides of a pair",
        _sides,
        (_one_of(_values),),
        instead=_ALL,
        measure=LABELS,
    ),
    Chart(
        "topics",
        "What the texts are about, or another list",
        _topics,
        (_one_of(_list_keys, first_is_usual=True),),
        instead=_ALL,
        measure=LABELS,
    ),
    Chart(
        "together",
        "Which labels go together",
        _together,
        instead=_ALL,
        lacks=_together_lacks,
        measure=LABELS,
    ),
    Chart(
        "same-answers",
        "How often labelers give the same answer to each label",
        same_answers,
        (_beside(2),),
        instead=_ALL,
        measure=LABELS,
    ),
    Chart(
        "labeler-agreement",
        "How far labelers agree on each label beyond chance (kappa or alpha, AC1)",
        agreement,
        (_beside(2),),
        instead=_ALL,
        measure=LABELS,
    ),
    Chart(
        "answers",
        "The answers of two labelers to one label",
        answers,
        (_one_of(_questions, beside=_beside(1)), _beside(1)),
        instead=_ALL,
        measure=LABELS,
    ),
)


def _names(results: LabelResults, chosen: Chosen) -> tuple[str, ...]:
    return tuple(label_numbers.names_of([results, *chosen.get("other", ())]).values())


def _rows(results: LabelResults) -> str:
    """Which pairs were labelled, of what, in what revision."""
    n = int(results.manifest["rows"])
    aside = "those in the imported files" if "files" in results.manifest.get("imported", {}) else ""
    return rows_words(results.spec, results.dataset, n, aside)


def _methods(results: LabelResults, chosen: Chosen) -> str:
    beside = "".join(
        f" Beside them stand the labels by {labeler_words(one)} of {_rows(one)}. {_texts(one)} Run"
        f" {one.run.id}: `{runs.command(one.run)}`."
        for one in chosen.get("other", ())
    )
    return (
        f"{first_upper(_rows(results))} were labelled by {labeler_words(results)}; both replies of"
        f" each pair, {len(results.keys)} of {len(FEATURES)} labels. {_texts(results)}{beside}"
    )


def _texts(results: LabelResults) -> str:
    usable = results.counts["valid"] + results.counts["repaired"]
    return f"Texts: {results.line}; labels of the {usable:,} valid or repaired ones are used."


def labeler_words(results: LabelResults) -> str:
    """Who labelled: what exactly it is, and what it was asked."""
    card, prompt = results.manifest["labeler"], results.manifest["prompt"]
    if results.authored:
        return f"their author ({AUTHORED}, written with the pairs, revision {card['revision']})"
    facts = [f"revision {card['revision'] or 'unknown'}"]
    facts += [f"{name} {value}" for name, value in card["settings"].items()]
    asked = f"prompt {prompt['version']}, hash {prompt['hash']}"
    if results.rule_based:
        # Rules read no prompt; it defines what they are to tell.
        facts, asked = ["rule-based", *facts], f"labels as in {asked}"
    facts.append(asked if prompt["version"] else "prompt unknown")
    return f"{results.labeler} ({', '.join(facts)})"


FIGURES = ChartsAndSentences(
    CHARTS,
    open_labels,
    _rows,
    _methods,
    lambda results: runs.command(results.run),
    sentences.source,
    sentences.quotes,
    of=" of labels",
    names=_names,
    narrowing=Narrowing(
        "labels",
        lambda results, texts, bare, _: results.only(texts, bare),
        lambda results, _: listing(results),
    ),
    findings=findings,
)
