"""The report of a study: the answer of each of its experiments in order, and what reviewers say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.words import number_of
from ivan_core.engine import datasets, figures, handling as runs, studies
from ivan_core.engine.kind import experiments, known
from ivan_core.engine.studies import STUDY, About
from ivan_core.figures.files import file_names, named
from ivan_core.figures.finding import Finding
from ivan_core.figures.html.frame import Chapter, paragraph, text
from ivan_core.report.facts import fact_table
from ivan_core.report.parts import Room, questions
from ivan_core.report.single import PEOPLE, lead, made, people_chapter, people_on, title_of
from ivan_core.report.subject import Report, Subject
from ivan_core.report.texts import pairs_to_read

_MOST_RUNS = 12
"""Of a study that have a chapter of their own."""


def of_study(study_id: str) -> Subject:
    """A study by its id, as the address of Home has it.

    Raises:
        BadInput: there is no such study, or none of its runs is finished.
    """
    about = studies.about(study_id)
    if about is None:
        raise BadInput(
            f"There is no study {study_id!r} here.",
            "`ivan report RUN --study` finds that of a run.",
        )
    found = _told(studies.runs_of(study_id))
    if not found:
        raise BadInput(
            f"No run of the study of {_name(about)} is finished, so there is no report of it yet.",
            "Wait until one is done.",
        )
    return Subject(f"{STUDY}{study_id}", _title(about), lambda texts: _report(about, found, texts))


def study_named(run_id: str) -> str:
    """What the study of a run is asked for as.

    Raises:
        BadInput: there is no such run, or it has read no dataset yet.
    """
    about = studies.about_run(run_id)
    if about is None:
        raise BadInput(f"Run {run_id} belongs to no study.", "It has read no dataset yet.")
    return f"{STUDY}{about.id}"


def _told(own: Sequence[Run]) -> list[Run]:
    """The newest finished run of each that asks something of its own, in the order of stages; one
    about all rows before those about some."""
    newest: dict[tuple[str, str], Run] = {}
    for run in studies.whole_first(run for run in own if run.state is RunState.DONE):
        if known(run).figures is not None:
            newest.setdefault((known(run).stage, runs.about(run)), run)
    stages = list(dict.fromkeys(kind.stage for kind in experiments()))
    return sorted(newest.values(), key=lambda run: stages.index(known(run).stage))


def _report(about: About, found: Sequence[Run], texts: bool) -> Report:
    shown = found[:_MOST_RUNS]
    reviews = next(filter(None, map(people_on, shown)), "")
    room = Room(len(shown) + bool(reviews))
    head: list[str] = []
    sections: dict[str, list[str] | Chapter] = {}
    findings: list[Finding] = []
    for place, run in enumerate(shown):
        try:
            own = figures.findings(run.id)
            chapter = Chapter(
                lead(run.id, own), questions(run.id, room, f"run-{place}-", 3) | {_HOW: made(run)}
            )
        except IvanError as error:  # a damaged run is one run
            chapter = Chapter([paragraph(f"{error.message} {error.hint}".strip(), "note")], {})
        else:
            findings += own
            head += _answer(run, own)
        sections[title_of(run)] = chapter
    if reviews:
        sections[PEOPLE] = people_chapter(reviews, room, "people-")
    if texts:
        sections["Pairs to read"] = pairs_to_read(shown[0], findings)
    sections["How this page was made"] = list(_how(about, found))
    return Report(_title(about), [*head, paragraph(_source(about), "small")], sections)


_HOW = "How it was made"


def _answer(run: Run, findings: Sequence[Finding]) -> Iterator[str]:
    """The stage of a run, and what says most of it."""
    told = [finding.sentence for finding in findings[:1]]
    told = told or [quote.sentence for quote in figures.quotes(run.id)[:1]]
    for sentence in told:
        stage = text(known(run).stage)
        yield f'<p class="lead answer"><span class="small">{stage}</span> {text(sentence)}</p>'


def _source(about: About) -> str:
    """What all of it rests on."""
    facts = datasets.by_fingerprint(about.fingerprint).about
    told = f"{_label(about)}, {about.rows:,} of {number_of(int(facts['rows']), 'pair')}."
    return f"{told} {facts.get('note') or ''}".strip()


def _facts(about: About) -> str:
    facts = datasets.by_fingerprint(about.fingerprint).about
    study = studies.with_runs(about, studies.runs_of(about.id))
    stages = {
        stage.name: f"{stage.done:,} of {stage.total:,}"
        for stage in study.stages
        if stage.done is not None
    }
    return fact_table(
        {
            "Dataset": _label(about),
            "Revision": facts.get("revision") or "",
            "Fingerprint": about.fingerprint,
            "Pairs": f"{about.rows:,} of {int(facts['rows']):,}",
            "Who preferred": facts.get("chosen_by") or "",
            **stages,
        }
    )


def _how(about: About, found: Sequence[Run]) -> Iterator[str]:
    yield _facts(about)
    told = "Of runs that ask the same the newest is told here, one about all pairs before others."
    yield paragraph(f"{told} Each chapter has the command and the manifest of its run.")
    yield f"<pre>{text(f'ivan report {STUDY}{about.id}')}</pre>"
    if rest := found[_MOST_RUNS:]:
        more = ", ".join(run.id for run in rest)
        yield paragraph(
            f"{number_of(len(rest), 'more run')} would make this page too long: {more}."
            " `ivan report RUN` tells of one."
        )


def _title(about: About) -> str:
    return f"Study of {_name(about)}"


def _label(about: About) -> str:
    return str(named(about.dataset, file_names([about.dataset])))


def _name(about: About) -> str:
    """As in "my-prefs.jsonl, 60 pairs"."""
    return f"{_label(about)}, {number_of(about.rows, 'pair')}"
