"""One run of each kind, and all that it gives, as texts: `python tests/given/golden_runs.py`.

Run so, it writes them down anew under `tests/golden/`, for a change that is meant to change them;
`test_golden.py` tells whether they are as they were. Times, versions, folders and run ids have
names in their place, and numbers eleven digits at the most: the last ones are the machine's.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import re
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fakes import rewriting as fake_rewriting
from fakes.reward_models import Fakes

from given.made_labellings import ARTS, PLACES, REFUSAL, SENTIMENT, TOPICS, Labellings, says
from given.made_reviews import Said
from given.made_runs import finished, spec_of_file, spec_of_sample
from given.support import write_annotated_pairs
from given.taxonomy_runs import account_of, be_worker, say_yes, spec_of as taxonomy_spec
from ivan_core.demo.server import DemoServer
from ivan_core.domain.labels import AUTHOR, LabelPrompt
from ivan_core.domain.specs import LEXICON, LabelSpec
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.engine import figures, handling as runs
from ivan_core.experiments.analysis.plan import spec_of_runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.compare.conditions import LANGUAGE, listing
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels import conditions as label_filters
from ivan_core.experiments.labels.results import open_labels
from ivan_core.experiments.rewrite import conditions as rewrite_filters
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.results import open_rewrite, read_gate
from ivan_core.lists.conditions import matching, matching_rows
from ivan_core.lists.url import read_filter
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

FOLDER = Path(__file__).parents[1] / "golden"
ROWS, SAMPLED = 60, 160
HARMLESS, CONTROL = "ivan/minilm-harmless", "ivan/minilm-control"
_DIGITS = 11
_NOT_HERE = ("sentences",)
"""Charts that ask the warm worker first."""
ROW_LINKS = (
    "",
    f"verdict={HARMLESS}~disagree",
    f"verdict={CONTROL}~tie~~{HARMLESS}~agree",
    "differ=yes",
    f"verdicts={HARMLESS}~agree~{CONTROL}~disagree",
    "subset=harmless&sort=length~1",
    "subset=nowhere",
    "is=annotator~a1",
    f"truncated={HARMLESS}",
    f"failed={CONTROL}",
    f"seen={HARMLESS}~0",
    f"rated={CONTROL}",
    f"margin={CONTROL}~0~0.25&sort=margin~1~{CONTROL}",
    f"sure={HARMLESS}~0.5&sort=sharpest",
    "longer=chosen&sort=row~1",
    f"rewards=0~0.5~0.25~1~{HARMLESS}",
    f"margins=-1~0~0~1~{HARMLESS}~{CONTROL}",
    "find=answer~reply",
    f"find=answer~reply~chosen&differ=yes&sort=size~0~{HARMLESS}",
    "column=COLUMN~1",
    "column=COLUMN~0~3&sort=column~1~COLUMN",
    "starred=yes",
    "noted=yes",
    "seen=x",
    "verdict=~",
    "sort=size~",
)
_ALL = "meaning=0&shortest=0.1&longest=5"
_ONE = f"model=fake/one&{_ALL}"
REWRITE_LINKS = (
    "",
    "state=kept",
    f"state=kept&{_ALL}",
    "state=left",
    "state=failed&order=unlike",
    "state=unrated",
    f"{_ONE}&flip=any",
    f"{_ONE}&flip=misaligned&of=surface",
    f"{_ONE}&order=change",
    f"{_ONE}&order=reward&side=chosen",
    f"{_ONE}&cell=0.0_1.0_0.0_0.5",
    f"{_ALL}&label=last_response_is_helpful&move=flipped",
    f"{_ALL}&label=last_response_is_helpful&move=same&side=rejected",
    "flip=any",
    "reason=The answer is the same text as the original.",
    "state=odd",
)
LABEL_LINKS = (
    "",
    "state=valid",
    "side=chosen",
    f"label={REFUSAL}",
    f"label={REFUSAL}&answer=no&side=rejected",
    f"label={REFUSAL}&pair=chosen_only",
    f"label={REFUSAL}&pair=both&also={SENTIMENT}:negative",
    f"label=topics&value={ARTS}",
    f"label={REFUSAL}&other=OTHER&theirs=no",
    "label=odd",
    "theirs=no",
)
"""Links to rows as people have them: their parameters are a contract."""


def _says(prompt: LabelPrompt) -> Any:
    number = prompt.key.row_id + (prompt.key.preference == "rejected")
    mood = ("neutral", "positive", "negative")[number % 3]
    return says(number % 4 == 0, mood, (ARTS, PLACES)[: number % 3])


def _says_otherwise(prompt: LabelPrompt) -> Any:
    odd = prompt.key.row_id % 5 == 0
    return {**_says(prompt), TOPICS: [ARTS], **({REFUSAL: True} if odd else {})}


def golden(folder: Path, data_dir: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    """What can be taken from one run of each kind, by a name each. `data_dir` is in force."""
    own = write_annotated_pairs(folder / "pairs.jsonl", ROWS, 3)
    compared = finished(data_dir, spec_of_file(own), Fakes(failing="0", truncated="1"))
    results = open_results(compared)
    fingerprint = results.dataset.fingerprint
    column = ColumnSpec(dataset=fingerprint, form="search", expression="answer")
    queued = Registry(data_dir).add(column.kind, column.model_dump_json(), column.fingerprint)[0]
    work(Registry(data_dir), queued)
    sample, before = dict[str, str](), _wanted(data_dir)
    analysis = _analysis(data_dir, sample)  # before a fake stands in place of the rules
    joined = {path for path in _wanted(data_dir) - before if [*sample][3] not in path.parts}
    source = Labellings(data_dir, own, patch)
    labelled = source.made("first:1b", _says)
    other = source.made("second:1b", _says_otherwise, seed=1)
    said = Said(data_dir, fingerprint)
    pairs = said.queue([(row, "both") for row in range(12)])
    texts = said.queue([(row, "chosen") for row in range(6)], keys=(REFUSAL,))
    for person in range(3):
        for row in range(12):
            side = ("chosen", "rejected", "none")[(row + person * (row % 5)) % 3]
            said.say(pairs, f"P{person}", row, "both", {"better": side}, seconds=9.0)
        for row in range(6):
            answer = (row + person // 2) % 2 == 0
            said.say(texts, f"P{person}", row, "chosen", {REFUSAL: answer}, seconds=9.0)
    reworded = fake_rewriting.added(data_dir, fake_rewriting.spec_of(own))
    fake_rewriting.work_here(data_dir, reworded, fake_rewriting.fake_tools())
    batches = _batches(folder, patch)
    six_pairs = open_labels(batches).dataset.fingerprint
    named = {
        compared: "RUN-COMPARE",
        labelled: "RUN-LABELS",
        other: "RUN-OTHER",
        reworded: "RUN-REWRITE",
        batches: "RUN-BATCHES",
        queued: "RUN-COLUMN",
        fingerprint: "PAIRS",
        six_pairs: "SIX-PAIRS",
        column.id: "COLUMN",
        **sample,
    }
    found = {
        "analysis": analysis,
        "compare": _taken(
            compared,
            [{"model": CONTROL}, {"column": column.id}, {"column": "annotator"}, {"row": "8"}],
        ),
        "labels": _taken(
            labelled, [{"label": REFUSAL}, {"other": other}, {"label": REFUSAL, "other": other}]
        ),
        "batches": _taken(batches, [{"label": REFUSAL}]),
        "rewrite": _taken(
            reworded, [{"gate": "0:0.1:5"}, {"gate": "0:0.1:5", "model": "fake/two"}]
        ),
        "reviews": _taken(f"reviews-{fingerprint}", []),
        "links": "\n".join(_links(compared, reworded, labelled, other, column.id)),
    }
    folders = (data_dir, folder)
    files = sorted(_plain(text, named, folders) for text in _files(data_dir, joined))
    plain = {name: _plain(text, named, folders) for name, text in found.items()}
    return {"files": "\n".join(files), **plain}


def _analysis(data_dir: Path, named: dict[str, str]) -> str:
    """An analysis of the first pairs of the sample, by rule labels and by authored ones: its charts
    in numbers, how they were computed, and how each table begins."""
    compared = finished(data_dir, spec_of_sample(limit=SAMPLED))
    labelled = [done(LabelSpec(labeler=one, limit=SAMPLED)) for one in (LEXICON, AUTHOR)]
    asked = spec_of_runs([compared, *labelled], before=CONTROL, after=HARMLESS)
    analysed = done(asked)
    names = ("SAMPLE-COMPARE", "RUN-RULES", "RUN-AUTHORED", "RUN-ANALYSIS")
    named |= dict(zip((compared, *labelled, analysed), names, strict=True))
    heads = [
        f"## {path.name}\n" + "\n".join(path.read_text("utf-8").splitlines()[:3])
        for path in sorted((data_dir / "analysis").glob("*.csv"))
    ]
    charts = [
        f"# {one.name}: {one.title} {one.options}\n{figures.file_name(analysed, one.name, 'csv')}\n"
        f"{figures.figure(analysed, one.name, 'csv').decode()}{figures.methods(analysed, one.name)}"
        for one in figures.figures(analysed)
    ]
    return "\n".join([*charts, f"# {figures.source_line(analysed)}", *heads])


def done(spec: Any) -> str:
    """A run that needs no fake, done to its end."""
    asked = runs.located(spec)
    run_id, _ = runs.registry().add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    work(runs.registry(), run_id)
    return run_id


def _batches(folder: Path, patch: pytest.MonkeyPatch) -> str:
    (folder / "batches").mkdir()
    with DemoServer(port=0) as server:
        account_of(patch, server)
        patch.setattr(runs, "spawn", lambda run_id: None)
        run_id, _ = taxonomy.start(taxonomy_spec(folder / "batches"))
        be_worker(run_id)
        say_yes(run_id)
        be_worker(run_id)
    return run_id


def _wanted(data_dir: Path) -> set[Path]:
    wanted = {*data_dir.glob("runs/*/manifest.json")}
    for name in ("compare", "taxonomy", "taxonomy-control", "rewrite"):
        wanted |= {*(data_dir / name).rglob("*.csv")}
    return wanted


def _files(data_dir: Path, without: set[Path]) -> list[str]:
    """Manifests and CSVs of runs, but for those of the sample that an analysis joined."""
    kept = _wanted(data_dir) - without
    return [f"## {path}\n{path.read_text('utf-8')}" for path in kept]


def _taken(run_id: str, wishes: Sequence[dict[str, Any]]) -> str:
    """Every chart with every wish that it takes, and all sentences."""
    lines = []
    for chart in figures.figures(run_id):
        if chart.name in _NOT_HERE:
            continue
        lines.append(f"# {chart.name}: {chart.title} {chart.options}")
        for wish in [{}, *wishes]:
            try:
                data = figures.figure(run_id, chart.name, "csv", **wish)
            except Exception as error:
                lines.append(f"{wish}: {type(error).__name__} {error}")
                continue
            name = figures.file_name(run_id, chart.name, "csv", **wish)
            lines += [f"{wish}: {name}", data.decode().replace("\r\n", "\n")]
            lines += [figures.caption(run_id, chart.name, **wish)]
            lines += [figures.methods(run_id, chart.name, **wish)]
    lines.append(f"# {figures.source_line(run_id)}")
    for quote in figures.quotes(run_id):
        lines += [f"{quote.question} | {quote.sentence} | {quote.command}"]
    return "\n".join(lines)


def _links(compared: str, reworded: str, labelled: str, other: str, column: str) -> Iterator[str]:
    results = open_results(compared)
    for link in ROW_LINKS:
        asked, ignored = read_filter(LANGUAGE, _query(link.replace("COLUMN", column)))
        yield f"compare?{link} | {ignored} | {matching_rows(listing(results), asked)}"
    rewordings = open_rewrite(reworded)
    for link in REWRITE_LINKS:
        wanted, odd = read_filter(rewrite_filters.LANGUAGE, _query(link))
        past = numbers(rewordings, read_gate(_query(link)))
        rows = matching_rows(rewrite_filters.listing(rewordings, past), wanted)
        yield f"rewrite?{link} | {[*odd]} | {rows}"
    labels = open_labels(labelled)
    for link in LABEL_LINKS:
        one, not_read = read_filter(label_filters.LANGUAGE, _query(link.replace("OTHER", other)))
        places = matching(label_filters.listing(labels), one).tolist()
        yield f"taxonomy?{link} | {[*not_read]} | {places}"


def _query(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split("&") if part)


def _plain(text: str, runs_named: dict[str, str], folders: Sequence[Path]) -> str:
    for run_id in sorted(runs_named, key=len, reverse=True):
        text = text.replace(run_id, runs_named[run_id])
    for folder in folders:
        text = text.replace(str(folder), "FOLDER")
    text = re.sub(r'"(written|seconds|owner|base_url)": [^,\n]*', r'"\1": 0', text)
    text = re.sub(r'"versions": \{[^}]*\}', '"versions": {}', text)
    text = re.sub(r"(batch|file)[-_][0-9a-f]{16,}", r"\1-ID", text)
    return re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda number: _short(number[0]), text)


def _short(number: str) -> str:
    return number if len(number) <= _DIGITS else f"{float(number):.{_DIGITS - 3}g}"


def write_down() -> None:
    """Make the golden files anew."""
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        data_dir = Path(name) / "data"
        data_dir.mkdir()
        patch.setenv("IVAN_DATA_DIR", str(data_dir))
        patch.setenv("IVAN_SLOT_FILE", str(Path(name) / "slot"))
        for file, text in golden(Path(name), data_dir, patch).items():
            (FOLDER / f"{file}.txt").write_text(text, "utf-8")


if __name__ == "__main__":
    write_down()
