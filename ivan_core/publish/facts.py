"""What is told of a dataset on a card: its faults, whose choice it is, its licence, how it came."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from ivan_core import __version__
from ivan_core.datasets.first_row import layout_of
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.words import number_of
from ivan_core.engine import figures
from ivan_core.engine.opened import runs_of
from ivan_core.engine.opinions import ceiling_sentence, used_opinions
from ivan_core.figures.files import named
from ivan_core.publish.licences import licence_sentence
from ivan_core.publish.markdown import block, bullets, code, words

_MOST_LINES = 20
_WHO = {
    "people's choice": "The preferences are people's choices, made where the data comes from.",
    "authored choice": "The preferences were written together with the replies, by one author.",
}
_NOT_RECORDED = (
    "Who preferred, and by what rule, is not recorded in what was read: state it here if you know."
)


def ceiling(dataset: PreparedDataset) -> str:
    """How often a model could side with the choice at best, or why that is not known."""
    return ceiling_sentence(used_opinions(dataset))


def whose_choice(dataset: PreparedDataset) -> list[str]:
    """Whose preferences these are, and how often second people met them."""
    unknown = (
        "How often a second person meets these preferences was not measured, so there is no ceiling"
        " for what agreement a model could reach."
    )
    return [words(_WHO.get(dataset.chosen_by, _NOT_RECORDED)), words(ceiling(dataset) or unknown)]


_OF_AGREEMENT = ("agreement", "best-of-n", "")
"""The charts of sentences on how often models side with a choice; a benchmark's own has none."""
_NEWEST = (
    "By the newest comparison of these pairs where this was made; each number says on how many "
    "pairs it rests."
)
_FAULTS = {
    "identical": "both sides are the same text",
    "empty_reply": "a reply is empty",
    "ends_in_human": "a side ends in a person's words, without a reply",
    "prompts_differ": "the two sides differ before their last reply",
    "equal_scores": "the data prefers neither reply: a tie",
}
"""Columns of the numbers of pairs, and what is odd where they hold."""
_COUNTED = {
    "reversed": "the reply that is called chosen has the lower score",
    "without_prompt": "the replies stand without a prompt",
}
_MOST_ROWS = 10


def faults(dataset: PreparedDataset, names: Mapping[str, str]) -> list[str]:
    """What is odd in a dataset, as Markdown: counted and named by row, and bad lines by number."""
    told = [*_odd_pairs(dataset), *_counted(dataset)]
    about = dataset.about
    bad, lines = int(about["bad_lines"]), about["bad_lines_named"][:_MOST_LINES]
    if bad:
        told.append(
            f"{number_of(bad, 'row')} of the source left out, as damaged or incomplete: "
            + "; ".join(f"line {line}: {words(named(why, names), 200)}" for line, why in lines)
            + (f"; and {bad - len(lines):,} more." if bad > len(lines) else ".")
        )
    return [bullets(told)] if told else ["None that IVAN counts was found."]


def _odd_pairs(dataset: PreparedDataset) -> Iterator[str]:
    for name in _FAULTS:
        rows = _rows_with(dataset, name)
        if rows:
            yield _told(rows, dataset.rows, _FAULTS[name])
    again = dataset.numbers(["row_id", "duplicate_of"])
    if rows := again.loc[again["duplicate_of"] >= 0, "row_id"].tolist():
        yield _told(rows, dataset.rows, "the same two texts stand in an earlier row")


def _rows_with(dataset: PreparedDataset, name: str) -> list[int]:
    if name == "equal_scores":
        return sorted(dataset.tied_rows)
    numbers = dataset.numbers(["row_id", name])
    return [int(row) for row in numbers.loc[numbers[name].astype(bool), "row_id"]]


def _told(rows: Sequence[int], among: int, what: str) -> str:
    shown = ", ".join(str(row) for row in rows[:_MOST_ROWS])
    more = f" and {len(rows) - _MOST_ROWS:,} more" if len(rows) > _MOST_ROWS else ""
    named_rows = f"row {shown}" if len(rows) == 1 else f"rows {shown}{more}"
    return f"{len(rows):,} of {number_of(among, 'pair')}: {what} ({named_rows})."


def _counted(dataset: PreparedDataset) -> Iterator[str]:
    sanity = dataset.about["sanity"]
    for name, what in _COUNTED.items():
        if count := sanity.get(name):
            yield f"{count:,} of {number_of(dataset.rows, 'pair')}: {what}."


def source_facts(dataset: PreparedDataset, names: Mapping[str, str]) -> list[str]:
    """Where the pairs are from, exactly, as Markdown."""
    about, layout = dataset.about, layout_of(dataset)
    facts = [
        f"Source: {code(named(str(about['label']), names))}, {int(about['rows']):,} pairs.",
        _subsets(dataset),
        f"Revision: {code(about['revision'])}." if about["revision"] else "",
        f"Read as: {words(layout.title)}. {words(layout.said)}".strip(),
        f"Fingerprint of the pairs: {code(dataset.fingerprint)}.",
        words(about["note"]) if about["note"] else "",
        f"Written by IVAN {__version__}.",
    ]
    return [bullets(one for one in facts if one)]


def _subsets(dataset: PreparedDataset) -> str:
    """How many pairs are of which part of the source; empty where it has no parts."""
    counts = dataset.numbers(["subset"])["subset"].value_counts()
    if len(counts) < 2:
        return ""
    shown = counts.head(_MOST_LINES)
    named_parts = ", ".join(f"{code(name, 100)} {count:,}" for name, count in shown.items())
    more = f" and {len(counts) - len(shown):,} more" if len(counts) > len(shown) else ""
    return f"Subsets: {named_parts}{more}."


def agreement(dataset: PreparedDataset) -> list[str]:
    """How often reward models side with these preferences, by the newest comparison of them here.

    As Markdown; nothing where no comparison is finished.
    """
    newest = next(iter(runs_of("compare", str(dataset.about["content"]))), None)
    if newest is None:
        return []
    best = ceiling(dataset)  # has a place of its own
    told = [
        one.sentence
        for one in figures.quotes(newest.id)
        if one.chart in _OF_AGREEMENT and one.sentence != best
    ]
    return [_NEWEST, bullets(words(one) for one in told[:_MOST_LINES])]


def licence(dataset: PreparedDataset) -> list[str]:
    return [words(licence_sentence(str(dataset.about["licence"])))]


def commands(made_by: Sequence[Sequence[str]], names: Mapping[str, str]) -> list[str]:
    """The commands that make the repository anew, one a line; files by their names alone."""
    lines = [str(named(shlex.join(one), names)) for one in made_by if one]
    # A line end within a quoted name would begin a line of its own.
    return [block("\n".join(" ".join(line.split()) for line in lines), "bash")]
