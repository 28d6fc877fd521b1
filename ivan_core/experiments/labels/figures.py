"""Figures of finished labels: what a chart shows of which runs, and what is said of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core import __version__
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES
from ivan_core.domain.models import ModelCard
from ivan_core.experiments.labels import numbers as label_views
from ivan_core.experiments.labels.command import label_command
from ivan_core.experiments.labels.figure_list import CHARTS, Asked, Label, LabelChart, label_id
from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.figures.chart import Drawn, first_upper
from ivan_core.figures.picks import Picked, Wish, is_sample, only, others_of, rows_words

_MOST_NAMED = 20


def charts(run_id: str) -> list[LabelChart]:
    """The charts that a finished labelling can give, in the order of the page.

    Raises:
        BadInput: there is no such run, or it is not finished.
    """
    results = open_labels(run_id)
    return [chart for chart in CHARTS if not _lacking(results, chart)]


def pick(run_id: str, name: str, wish: Wish) -> Picked:
    """One chart of a finished labelling.

    Raises:
        BadInput: there is no such run, chart, label or other run.
    """
    results = open_labels(run_id)
    chart = next((chart for chart in CHARTS if chart.name == name), None)
    if chart is None:
        known = ", ".join(chart.name for chart in CHARTS)
        raise BadInput(f"There is no chart {name!r} of labels.", f"Choose one of {known}.")
    only(name, wish, "other", "label")
    lacking = _lacking(results, chart)
    if lacking:
        raise BadInput(f"Run {run_id} has no chart {name}.", lacking)
    others = _others(results, chart, others_of(wish))
    asked = Asked(results, others, _label(chart, [results, *others], wish.get("label")))
    return Picked(
        lambda: chart.draw(asked),
        tuple(asked.names.values()),
        _slugs(name, asked),
        rows(results),
        is_sample(results.dataset),
        lambda drawn: _methods(asked, drawn),
    )


def rows(results: LabelResults) -> str:
    """Which pairs were labelled, of what, in what revision."""
    n = int(results.manifest["rows"])
    aside = "those in the imported files" if "imported" in results.manifest else ""
    return rows_words(results.spec, results.dataset, n, aside)


def _lacking(results: LabelResults, chart: LabelChart) -> str:
    """What a run lacks for a chart, as a hint; empty where it lacks nothing."""
    if len(label_views.single_keys(results.keys)) < chart.fewest:
        return "It was asked for too few labels with one answer a text."
    if chart.others and not label_views.others(results):
        return "Label the same pairs with a second labeler first."
    if chart.labels and not chart.others and not chart.labels([results]):
        return "It was asked for no label that this chart shows."
    return ""


def _others(
    results: LabelResults, chart: LabelChart, asked: Sequence[str]
) -> tuple[LabelResults, ...]:
    """The labelings to set beside a run: those asked for, or the newest other one."""
    if not chart.others:
        if asked:
            raise BadInput(f"The chart {chart.name} shows one run.", "Leave out the others.")
        return ()
    known = {one.run.id: one for one in label_views.others(results)}
    if len(asked) > chart.others or len(set(asked)) < len(asked):
        most = "one other run" if chart.others == 1 else "one or two other runs"
        raise BadInput(f"The chart {chart.name} sets {most} beside this one.", "Name each once.")
    for run_id in asked:
        if run_id not in known:
            raise BadInput(
                f"Run {run_id!r} cannot be set beside run {results.run.id}.",
                f"Others with labels of the same pairs are {', '.join(known)}.",
            )
    found = tuple(known[run_id] for run_id in asked or list(known)[:1])
    if not label_views.shared_keys([results, *found]):
        raise BadInput(
            "They were asked for different labels: there is nothing to compare.",
            "Choose another run.",
        )
    return found


def _label(chart: LabelChart, found: Sequence[LabelResults], asked: str | None) -> Label:
    """The label to draw: the one asked for, or the only one there is, or the first list."""
    if chart.labels is None:
        if asked is not None:
            raise BadInput(f"The chart {chart.name} shows all labels.", "Leave out the label.")
        return "", ""
    known = {label_id(label): label for label in chart.labels(found)}
    if asked is None and (len(known) == 1 or chart.first_is_usual):
        return next(iter(known.values()))
    if asked not in known:
        said = (
            "Which label?" if asked is None else f"The chart {chart.name} has no label {asked!r}."
        )
        told = ", ".join(list(known)[:_MOST_NAMED])
        more = f", and {len(known) - _MOST_NAMED:,} more" if len(known) > _MOST_NAMED else ""
        raise BadInput(said, f"Choose one of {told}{more}.")
    return known[asked]


def _slugs(chart: str, asked: Asked) -> tuple[str, ...]:
    label = label_id(asked.label)
    named = (ModelCard(id=label).slug,) if label not in ("", chart) else ()
    return (*named, *(one.run.id for one in asked.others))


def _methods(asked: Asked, drawn: Drawn) -> str:
    results = asked.results
    beside = "".join(
        f" Beside them stand the labels by {_labeler(one)} of {rows(one)}. {_texts(one)} Run"
        f" {one.run.id}: `{label_command(one.run)}`."
        for one in asked.others
    )
    version = results.manifest.get("versions", {}).get("ivan", __version__)
    return (
        f"{first_upper(rows(results))} were labelled by {_labeler(results)}; both replies of each"
        f" pair, {len(results.keys)} of {len(FEATURES)} labels. {_texts(results)}"
        f"{beside} {drawn.methods} Seed {results.spec.seed}. Computed with IVAN {version}, run"
        f" {results.run.id}: `{label_command(results.run)}`."
    )


def _texts(results: LabelResults) -> str:
    usable = results.counts["valid"] + results.counts["repaired"]
    return f"Texts: {results.line}; labels of the {usable:,} valid or repaired ones are used."


def _labeler(results: LabelResults) -> str:
    """Who labelled: what exactly it is, and what it was asked."""
    card, prompt = results.manifest["labeler"], results.manifest["prompt"]
    facts = [f"revision {card['revision'] or 'unknown'}"]
    facts += [f"{name} {value}" for name, value in card["settings"].items()]
    asked = f"prompt {prompt['version']}, hash {prompt['hash']}"
    if results.rule_based:
        # Rules read no prompt; it defines what they are to tell.
        facts, asked = ["rule-based", *facts], f"labels as in {asked}"
    facts.append(asked if prompt["version"] else "prompt unknown")
    return f"{results.labeler} ({', '.join(facts)})"
