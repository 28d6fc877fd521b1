"""Reports of one thing: a finished run, the reviews of a dataset, or a ranking of words."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core import __version__
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import figures, handling as runs
from ivan_core.engine.figures import REVIEWS, UNNAMED
from ivan_core.engine.kind import kind_of
from ivan_core.engine.opinions import used_opinions
from ivan_core.figures.finding import Finding
from ivan_core.figures.html.frame import Chapter, paragraph
from ivan_core.report.facts import how
from ivan_core.report.parts import Room, questions
from ivan_core.report.subject import Report, Subject
from ivan_core.report.texts import pairs_to_read

PEOPLE = "What do reviewers say?"
_WHOSE_PAIRS = (
    "On items drawn at random from all pairs of this dataset; not each of them need be of this run."
)


def of_run(run_id: str) -> Subject:
    """A finished run.

    Raises:
        BadInput: there is no such run, or it is not finished.
    """
    run = runs.get(run_id)
    if run.state is not RunState.DONE:
        raise BadInput(
            f"Run {run.label} is {run.state}, so there is no report of it yet.",
            "Wait until it is done.",
        )
    return Subject(run.id, title_of(run), lambda texts: _run(run, texts))


def of_no_run(named: str) -> Subject:
    """The reviews of a dataset, in which people have numbers, or a ranking of words.

    Raises:
        BadInput: there is no such thing, or nobody has said anything.
    """
    asked = named
    if named.startswith(REVIEWS) and not named.startswith(UNNAMED):
        asked = named.replace(REVIEWS, UNNAMED, 1)
    title, _ = figures.told_as(asked)
    if not figures.quotes(asked):
        raise BadInput(
            "Nobody has said anything of these pairs that enters rates, so there is no report yet.",
            "Make a queue of a random sample on the page Review, and invite two people or more.",
        )
    return Subject(named, title, lambda _: _no_run(named, asked))


def title_of(run: Run) -> str:
    """As in "Comparison First look"."""
    noun = kind_of(run).noun
    return f"{noun[:1].upper()}{noun[1:]} {run.label}"


def made(run: Run) -> list[str]:
    """How a run came to be."""
    return how(run, runs.manifest(run.id) or {}, figures.shown_names(run.id))


def lead(of: str, findings: Sequence[Finding]) -> list[str]:
    """What stands out, and what all sentences rest on."""
    return [
        *(paragraph(finding.sentence, "lead") for finding in findings),
        paragraph(figures.source_line(of), "small"),
    ]


def people_on(run: Run) -> str:
    """What the reviews of a run's pairs are asked for as; empty where nobody has said anything."""
    opened = kind_of(run).open
    if opened is not None:
        dataset = opened(run.id).dataset
        if used_opinions(dataset).opinions:
            return f"{UNNAMED}{dataset.fingerprint}"
    return ""


def people_chapter(reviews: str, room: Room, key: str = "") -> Chapter:
    """What reviewers say, as a chapter."""
    head = [paragraph(figures.source_line(reviews), "small"), paragraph(_WHOSE_PAIRS, "small")]
    return Chapter(head, questions(reviews, room, key, 3))


def _run(run: Run, texts: bool) -> Report:
    findings = figures.findings(run.id)
    reviews = people_on(run)
    room = Room(2 if reviews else 1)
    sections: dict[str, list[str] | Chapter] = {**questions(run.id, room)}
    if reviews:
        sections[PEOPLE] = people_chapter(reviews, room, "people-")
    if texts:
        sections["Pairs to read"] = pairs_to_read(run, findings)
    sections["How it was made"] = made(run)
    return Report(title_of(run), lead(run.id, findings), sections)


def _no_run(named: str, asked: str) -> Report:
    title, methods = figures.told_as(asked)
    sections = questions(asked, Room())
    sections["How it was made"] = [
        paragraph(methods),
        paragraph(f"Written with IVAN {__version__}: `ivan report {named}`.", "small"),
    ]
    return Report(title, lead(asked, ()), sections)
