"""The scores or labels of a run for the hub, with its pairs if they are asked for, and the card."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from ivan_core.backends.served.address import is_address
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.words import number_of, with_article
from ivan_core.engine import figures, handling as runs
from ivan_core.engine.exports import contents
from ivan_core.engine.kind import OfRows, kind_of
from ivan_core.figures.chart import texts_within
from ivan_core.figures.files import named
from ivan_core.interchange.scores import Scores, write_scores
from ivan_core.publish import facts
from ivan_core.publish.card import Told
from ivan_core.publish.forms import Part, feature
from ivan_core.publish.markdown import bullets, code, table, words
from ivan_core.publish.of_dataset import rows_told
from ivan_core.publish.publication import (
    Asked,
    Publication,
    pairs_part,
    place_of,
    publication,
    to_load,
)
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import data_dir

USUAL_FORM = "parquet"
_MOST_TOLD = 12
"""Sentences to a question."""
_NO_TEXT = (
    "No text of a pair is here: rows are known by their place in the source and by hashes of the "
    "texts."
)


def publish_run(run_id: str, asked: Asked) -> Publication:
    """Write what a finished run says of pairs as a table for the hub, and its card.

    With `texts` asked for, the pairs are a second table.

    Raises:
        BadInput, NotAllowed: as `Asked.check`; or there is no such run, it is not finished, or runs
            of its kind score nothing; or a form is asked for without texts.
        StorageProblem: the data folder cannot be written, or the texts are damaged.
    """
    asked.check()
    if (asked.form or asked.settled) and not asked.texts:
        named_too = "--format" if asked.form else "--settled"
        raise BadInput(
            "Without --texts no pairs are written.", f"Add it, or leave {named_too} out."
        )
    run = _finished(run_id)
    results = contents.opened(run_id)
    found = _scores(run, results)
    dataset, noun = results.dataset, kind_of(run).noun
    parts, sections = [_scores_part(asked, found)], {}
    if asked.texts:
        content = contents.of_run(results, results.row_ids)
        part, summary = pairs_part(asked, dataset, content, asked.form or USUAL_FORM, "train")
        parts.append(part)
        sections["The pairs"] = rows_told(part, summary)
    names, command = _names(run), asked.command(run_id)
    source = code(named(str(dataset.about["label"]), names))
    lead = [
        f"What {words(with_article(noun))} found on "
        f"{number_of(len(results.row_ids), 'pair')} of {source}: "
        f"{number_of(found.rows, 'row')}, one for each {words(found.each)}.",
        *([] if asked.texts else [_NO_TEXT]),
        to_load(asked, *parts),
    ]
    sections = {
        "What it found": _sentences(run_id, names, without=facts.ceiling(dataset)),
        f"Who gave the {found.name}": [bullets(words(named(one, names)) for one in found.by)],
        f"Columns of the {found.name}": [
            table(
                ("Column", "What it is"),
                ((code(name), words(about)) for name, (_, about) in found.columns.items()),
            )
        ],
        **sections,
        **({"Notes of the run": [bullets(_notes(run, names))]} if run.notes else {}),
        "Whose preferences": facts.whose_choice(dataset),
        "Known faults of the source": facts.faults(dataset, names),
        "Licence": facts.licence(dataset),
        "Where it is from": facts.source_facts(dataset, names),
        "The commands": facts.commands([_made_by(run), command], names),
    }
    title = f"{noun[:1].upper()}{noun[1:]}: {named(str(dataset.about['label']), names)}"
    # The scores are the run's own; without its texts the licence of the data is told in words.
    licence = str(dataset.about["licence"]) if asked.texts else ""
    told = Told(title, lead, sections, licence, ("reward-model", "ivan"))
    return publication(asked, tuple(parts), told, texts=asked.texts, command=command)


def _finished(run_id: str) -> Run:
    run = runs.get(run_id)
    if run.state is not RunState.DONE:
        raise BadInput(
            f"Run {run.label} is {run.state}, so its numbers are not published yet.",
            "Wait until it is done.",
        )
    return run


def _scores(run: Run, results: OfRows) -> Scores:
    transfer = kind_of(run).transfer
    if transfer is None or transfer.scores is None:
        raise BadInput(
            f"Run {run.label} is {with_article(kind_of(run).noun)}, which gives replies no scores.",
            "Name a comparison, labels or a dataset.",
        )
    found: Scores = transfer.scores(results)
    return found


def _scores_part(asked: Asked, found: Scores) -> Part:
    with storage_errors(data_dir()):
        path = place_of(asked, f"{found.name}.parquet")
        with replacing(path) as temporary:
            write_scores(temporary, found)
    features = [feature(name, kind) for name, (kind, _) in found.columns.items()]
    return Part(found.name, "train", path, f"data/{path.name}", found.rows, features)


def _names(run: Run) -> dict[str, str]:
    """Names in place of paths, and of addresses of servers and clusters."""
    said = texts_within(runs.any_spec_of(run))
    names = dict.fromkeys(filter(is_address, said), "http://HOST")
    if (cluster := runs.engine_of(run.id).address) not in ("", "auto"):
        names[cluster] = "HOST:PORT"
    return {**figures.shown_names(run.id), **names}


def _sentences(run_id: str, names: Mapping[str, str], *, without: str) -> list[str]:
    """What the run found, by question: each number with its n and interval, as Markdown.

    One sentence is left out, which has a place of its own.
    """
    told: dict[str, list[str]] = {}
    for quote in figures.quotes(run_id):
        if quote.sentence == without:
            continue
        told.setdefault(quote.question, []).append(words(named(quote.sentence, names)))
    blocks = []
    for question, own in told.items():
        more = len(own) - _MOST_TOLD
        rest = [f"{more:,} more sentences are left out here."] if more > 0 else []
        blocks += [f"**{words(question)}**", bullets([*own[:_MOST_TOLD], *rest])]
    return blocks


def _notes(run: Run, names: Mapping[str, str]) -> list[str]:
    return [words(named(note, names)) for note in run.notes]


def _made_by(run: Run) -> list[str]:
    try:
        return shlex.split(runs.command(run))
    except BadInput:  # no command makes it
        return []
