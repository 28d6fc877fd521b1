"""Importing the original's CSV of rewordings: texts, rewards and labels made elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import REWRITE_FEATURES, Label
from ivan_core.domain.models import ModelCard
from ivan_core.domain.pairs import SIDES, Pair, Side
from ivan_core.domain.rewriting import PieceKey
from ivan_core.domain.specs import RewriteSpec
from ivan_core.domain.words import number_of
from ivan_core.engine.csvs.files import (
    CsvFiles,
    FromCsv,
    Given,
    Line,
    Part,
    each,
    lines_of,
    name_of,
    of_others,
    rows_note,
    same_text,
    with_beside,
)
from ivan_core.engine.work import versions
from ivan_core.engine.zips import CARD
from ivan_core.experiments.rewrite.archive import rewording
from ivan_core.experiments.rewrite.files import CSV_COLUMNS, FAILED_COLUMNS
from ivan_core.experiments.rewrite.model_names import model_names
from ivan_core.experiments.rewrite.rows import KeptRewording
from ivan_core.experiments.rewrite.run import ORDER
from ivan_core.experiments.rewrite.steps import CARDS
from ivan_core.experiments.rewrite.tables import SCORE_TYPES, SCORES, Measured, Tables, labels_frame
from ivan_core.experiments.rewrite.units import LABELLED, Unit, plan_units, variants_of
from ivan_core.labels.table import read_cell
from ivan_core.rewording.accept import LEFT_OUT, Refused, Rewording

if TYPE_CHECKING:
    import pandas as pd

IMPORTED = "the imported file"
"""Who compared and labelled the texts of a file, which does not say so."""
RM = ("rm_aligned", "rm_control")
"""What the two reward models are called, as in the file's columns."""
_UNTOLD = "Rewards imported; the file does not say which model this is."
_TOLD_BY_REWARDS = "Rewards imported; of the originals they are those of this model."
_WORDS = {"original": "original", "reworded": "rewritten"}
_ENDING = "-rewrite"
_CHUNK = 64
_LONGEST_NUMBER = 40
_MOST_NAMED = 5
_WHOLE = (False, False, None)
"""That nothing is known to be truncated or to have failed."""
_LEFT_OUT = Rewording(None, 0, (Refused("left_out", LEFT_OUT),))
_NEEDED = CSV_COLUMNS[:5]
_Place = tuple[int, str, Side]
"""Row, variant and side of a text."""


@dataclass
class _File:
    """What a file holds of the pairs of a dataset, and what was left aside."""

    pieces: dict[int, dict[PieceKey, Rewording]] = field(default_factory=dict)
    rewards: dict[tuple[_Place, str], float] = field(default_factory=dict)
    similar: dict[tuple[int, Side], float] = field(default_factory=dict)
    labels: dict[_Place, list[Label]] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    called: dict[str, str] = field(default_factory=dict)
    """The models' own names, by those of the file's columns."""
    others: list[int] = field(default_factory=list)
    """The lines whose texts are not the dataset's."""
    wrong: list[str] = field(default_factory=list)
    """Labels that are not allowed, each with its line."""
    otherwise: int = 0
    """Agreements that the file gives otherwise than its scores do."""


def _part(header: list[str]) -> Part | None:
    if header == list(FAILED_COLUMNS):
        return "beside"
    return "results" if set(_NEEDED) <= set(header) else None


def _read(given: Given) -> list[FromCsv]:
    """Each file of rewordings as a finished run, with what failed from the file beside it."""
    pairs = with_beside(given.paths, _part, "rewordings")
    return each(pairs, lambda pair: _run(given, pair[0], pair[1]))


def _run(given: Given, path: Path, failed: Path | None) -> FromCsv:
    dataset, name = given.dataset, given.names.get(path) or name_of(path, _ENDING)
    found = _rewordings(path, dataset)
    if failed is not None:
        _add_failed(found, failed, dataset)
    if found.others and not given.force:
        raise of_others(path, found.others, dataset)
    if not found.pieces:
        raise BadInput(f"{path.name} rewords no pair of {dataset.about['label']}.")
    if not found.models:
        raise BadInput(f"{path.name} holds no reward.", "Give a file with what a model scored.")
    _call_models(found, given)
    row_ids = sorted(found.pieces)
    models = tuple(found.called[name] for name in RM if name in found.models)
    spec = RewriteSpec(
        dataset=given.request,
        rewriter=name,
        models=models,
        scope="whole",
        second=False,
        similarity=IMPORTED,
        labeler=IMPORTED if found.labels else "",
        row_ids=None if len(row_ids) == dataset.rows else tuple(row_ids),
    )
    units = plan_units(spec, row_ids, _CHUNK, together=True)
    cards = [ModelCard(id=one, note=_UNTOLD if one in RM else _TOLD_BY_REWARDS) for one in models]
    workers = {kind: {"id": IMPORTED, "revision": ""} for kind in CARDS}
    workers[CARDS[0]] = {"id": name, "revision": "", "kind": "import"}
    if not spec.labeler:
        del workers[CARDS[2]]
    parts: dict[str, list[Any]] = {
        ORDER: [True],
        **{f"{CARD}{card.id}": [card.model_dump(mode="json")] for card in cards},
        **{kind: [worker] for kind, worker in workers.items()},
        **_kept(found, spec, units),
    }
    came = rewording(
        spec,
        dataset,
        units,
        parts,
        partial(_measured, found, spec),
        chunk=_CHUNK,
        notes=tuple(_notes(found, len(row_ids), dataset.rows)),
    )
    manifest = {
        "models": [card.model_dump(mode="json", exclude={"seen_hashes"}) for card in cards],
        **{kind: workers.get(kind) for kind in CARDS},
        "styles": {},
        "label_prompt": None,
        "spend_usd": 0,
        "versions": versions(),
    }
    files = [one for one in (path, failed) if one is not None]
    return FromCsv(files, [name], spec, came, manifest)


def _call_models(found: _File, given: Given) -> None:
    """Call the models as the comparison does that has the same rewards of the originals."""
    originals = {
        name: {
            (row_id, side): value
            for ((row_id, variant, side), model), value in found.rewards.items()
            if model == name and variant == LABELLED[0]
        }
        for name in RM
        if name in found.models
    }
    found.called = model_names(originals, given.dataset, given.before)
    found.rewards = {
        (place, found.called[model]): value for (place, model), value in found.rewards.items()
    }


def _rewordings(path: Path, dataset: PreparedDataset) -> _File:
    """The rows of a file whose originals are the dataset's; the other lines are counted."""
    found = _File()
    for line in lines_of(path):
        row_id = line.row_id
        if row_id in found.pieces:
            raise line.wrong(f"row {row_id} comes twice.")
        pair = dataset.pair(row_id) if row_id < dataset.rows else None
        if pair is None or not _is_of(pair, line):
            found.others.append(line.number)
            continue
        found.pieces[row_id] = {}
        for side in SIDES:
            _add_side(found, line, pair, side)
        _count_agreements(found, line)
    return found


def _is_of(pair: Pair, line: Line) -> bool:
    texts = {side: getattr(pair, side).printed for side in SIDES}
    return all(same_text(line.cells[f"original_{side}_text"], texts[side]) for side in SIDES)


def _add_side(found: _File, line: Line, pair: Pair, side: Side) -> None:
    key = PieceKey(pair.row_id, side, "dialogue")
    text = line.cells[f"rewritten_{side}_text"]
    original = pair.chosen if side == "chosen" else pair.rejected
    if text.strip():
        found.pieces[pair.row_id][key] = Rewording(original.read_again(text).text, 1)
    else:
        found.pieces[pair.row_id][key] = _LEFT_OUT
    column = f"original_to_rewritten_{side}_vector_cos_sim"
    similar = _number(line, column)
    if similar is not None and not -1.001 <= similar <= 1.001:
        raise line.wrong(f"{line.cell(column)[:40]!r} is no cosine.")
    if similar is not None:
        found.similar[pair.row_id, side] = similar
    for variant in LABELLED:
        word, place = _WORDS[variant], (pair.row_id, variant, side)
        for model in RM:
            reward = _number(line, f"{word}_{side}_score_{model}")
            if reward is not None:
                found.models.add(model)
                found.rewards[place, model] = reward
        if any(line.cell(f"{word}_{side}_{name}") for name in REWRITE_FEATURES):
            found.labels[place] = _labels(found, line, f"{word}_{side}")


def _labels(found: _File, line: Line, of: str) -> list[Label]:
    """Five labels; one that is not allowed is None, and its line is kept."""
    labels: list[Label] = []
    for name in REWRITE_FEATURES:
        label, problem = read_cell(name, line.cells.get(f"{of}_{name}", ""))
        if problem is not None:
            found.wrong.append(f"line {line.number}, {of}_{name}")
        labels.append(None if problem else label)
    return labels


def _count_agreements(found: _File, line: Line) -> None:
    """Count agreements that the file tells otherwise than its scores."""
    for variant in LABELLED:
        for model in RM:
            said = line.yes(f"{_WORDS[variant]}_agreement_dataset_and_{model}")
            rewards = [found.rewards.get(((line.row_id, variant, side), model)) for side in SIDES]
            if said is not None and None not in rewards:
                found.otherwise += said != (rewards[0] > rewards[1])  # type: ignore[operator]


def _number(line: Line, column: str) -> float | None:
    """A number of a cell; None where it is empty."""
    text = line.cell(column)
    if text.lower() in ("", "none", "nan"):
        return None
    try:
        value = float(text) if len(text) <= _LONGEST_NUMBER else math.inf
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise line.wrong(f"{text[:40]!r} is no number.")
    return value


def _add_failed(found: _File, path: Path, dataset: PreparedDataset) -> None:
    """Add what has no rewording, as IVAN lists it beside what has one."""
    whole = set(found.pieces)
    for line in lines_of(path):
        row_id, side = line.row_id, line.cell("side")
        if row_id >= dataset.rows or row_id in whole or side not in SIDES:
            found.others.append(line.number)
            continue
        key = PieceKey.from_text(line.cell("part"))
        own = found.pieces.setdefault(row_id, {})
        if key is None or key.row_id != row_id or key.side not in ("both", side):
            key = PieceKey(row_id, "chosen" if side == "chosen" else "rejected", "dialogue")
        if not dataset.pair(row_id).unrated:
            tries = line.cells["tries"]
            reason = Refused("left_out", line.cells["reason"] or LEFT_OUT, line.cells["raw"])
            number = int(tries) if tries.isdecimal() and len(tries) < 6 else 1
            own[key] = Rewording(None, number, (reason,))

    for row_id in set(found.pieces) - whole:
        own = found.pieces[row_id]
        for side in SIDES:  # the side that did not fail is in neither file
            if own and not any(key.side in ("both", side) for key in own):
                own[PieceKey(row_id, side, "dialogue")] = _LEFT_OUT


def _kept(found: _File, spec: RewriteSpec, units: list[Unit]) -> dict[str, list[Any]]:
    """The rewordings as the parts of a run hold them; of a surface change the file knows none."""
    kept: dict[str, list[Any]] = {}
    for unit in units:
        if unit.stage != "rewordings":
            continue
        rows = []
        for row_id in unit.row_ids:
            for key, piece in found.pieces[row_id].items():
                rows.append(KeptRewording(key, "published", piece).as_list())
            for side in SIDES:
                surface = KeptRewording(PieceKey(row_id, side, "dialogue"), "surface", _LEFT_OUT)
                rows.append(surface.as_list())
        kept[unit.key] = rows
    return kept


def _measured(found: _File, spec: RewriteSpec, tables: Tables) -> Measured:
    """The tables of a file's rewordings: what it measured, where there is a text."""
    import pandas as pd

    similarities = tables.similarities()
    there: set[_Place] = set(product(tables.row_ids, LABELLED[:1], SIDES))
    for side in SIDES:
        own = similarities[similarities[f"{side}_reason"].isna()]
        there |= {(*row, side) for row in zip(own["row_id"], own["variant"], strict=True)}
    for side in SIDES:
        similarities[f"{side}_similarity"] = [
            found.similar.get((row, side), math.nan) if (row, variant, side) in there else math.nan
            for row, variant in zip(similarities["row_id"], similarities["variant"], strict=True)
        ]
    unrated = {row_id for row_id in tables.row_ids if tables.is_unrated(row_id)}

    def reward(place: _Place, model: str) -> float:
        is_known = place in there and place[0] not in unrated
        return found.rewards.get((place, model), math.nan) if is_known else math.nan

    scores = [
        (row, model, variant, *(reward((row, variant, side), model) for side in SIDES), *_WHOLE)
        for row, model, variant in product(tables.row_ids, spec.models, variants_of(spec))
    ]
    labels = [
        (row, side, variant, False, *five, "invalid" if None in five else "valid", None)
        for row, side, variant in product(tables.row_ids, SIDES, LABELLED)
        if (row, variant, side) in there and (five := found.labels.get((row, variant, side)))
    ]
    table: pd.DataFrame = pd.DataFrame.from_records(scores, columns=list(SCORES))
    table = table.astype({"row_id": "int64", **SCORE_TYPES})
    return Measured(table, similarities, labels_frame(labels))


def _notes(found: _File, rows: int, of: int) -> Iterator[str]:
    yield "Rewordings imported from CSV; nothing was reworded or measured here."
    yield from rows_note(rows, of)
    if found.others:
        yield f"{number_of(len(found.others), 'line')} with other texts left aside."
    if found.wrong:
        named = "; ".join(found.wrong[:_MOST_NAMED])
        more = "; …" if len(found.wrong) > _MOST_NAMED else ""
        yield f"{number_of(len(found.wrong), 'label')} not allowed ({named}{more})."
    if found.otherwise:
        yield (
            f"{number_of(found.otherwise, 'agreement')} told otherwise than the scores do; the "
            "scores count."
        )


CSVS = CsvFiles(begins=",".join(CSV_COLUMNS[:3]) + ",…", part=_part, read=_read)
