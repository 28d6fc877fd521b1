"""What is told of a dataset on a card: its faults, whose choice it is, its licence, how it came."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from ivan_core import __version__
from ivan_core.datasets.first_row import layout_of
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.words import number_of
from ivan_core.engine.opinions import ceiling_sentence, used_opinions
from ivan_core.engine.own_pairs import found_in
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


def whose_choice(dataset: PreparedDataset) -> list[str]:
    """Whose preferences these are, and how often second people met them."""
    ceiling = ceiling_sentence(used_opinions(dataset))
    unknown = (
        "How often a second person meets these preferences was not measured, so there is no ceiling"
        " for what agreement a model could reach."
    )
    return [words(_WHO.get(dataset.chosen_by, _NOT_RECORDED)), words(ceiling or unknown)]


def faults(dataset: PreparedDataset, names: Mapping[str, str]) -> list[str]:
    """What is odd in a dataset, as Markdown: counted, and bad rows by their lines."""
    found = found_in(dataset)
    told = [words(one) for one in (*found.odd, *_of_prompts(dataset))]
    if found.bad_lines:
        count = number_of(found.bad_lines, "row was", "rows were")
        told.append(f"{count} damaged or incomplete in the source, and left out:")
    blocks = [bullets(told)] if told else []
    if found.bad_lines:
        lines = [words(named(one, names)) for one in found.bad[:_MOST_LINES]]
        more = found.bad_lines - len(lines)
        blocks.append(bullets([*lines, *([f"and {more:,} more."] if more else [])]))
    return blocks or ["None that IVAN counts was found."]


def _of_prompts(dataset: PreparedDataset) -> Iterator[str]:
    sanity = dataset.about["sanity"]
    differ, ends, pairs = sanity["prompts_differ"], sanity["ends_in_human"], sanity["pairs"]
    if differ:
        yield f"In {differ:,} of {pairs:,} pairs the two sides differ before their last reply."
    if ends:
        yield f"In {ends:,} of {pairs:,} pairs a side ends in a person's words, without a reply."


def source_facts(dataset: PreparedDataset, names: Mapping[str, str]) -> list[str]:
    """Where the pairs are from, exactly, as Markdown."""
    about, layout = dataset.about, layout_of(dataset)
    facts = [
        f"Source: {code(named(str(about['label']), names))}, {int(about['rows']):,} pairs.",
        f"Revision: {code(about['revision'])}." if about["revision"] else "",
        f"Read as: {words(layout.title)}. {words(layout.said)}".strip(),
        f"Fingerprint of the pairs: {code(dataset.fingerprint)}.",
        words(about["note"]) if about["note"] else "",
        f"Written by IVAN {__version__}.",
    ]
    return [bullets(one for one in facts if one)]


def licence(dataset: PreparedDataset) -> list[str]:
    return [words(licence_sentence(str(dataset.about["licence"])))]


def how(command: list[str], names: Mapping[str, str]) -> list[str]:
    """The command that makes the repository anew; files by their names alone."""
    return [block(str(named(shlex.join(command), names)), "bash")]
