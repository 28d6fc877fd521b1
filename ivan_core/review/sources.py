"""Where the items of a queue come from: what may be asked for, what can be drawn, and the drawing.

Every draw is seeded and in random order, so that who stops early has judged a random part of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from ivan_core.datasets.chosen_rows import choose_rows
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import TextKey
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.reviews import BETTER, ItemSide, Source, Task
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.labels import numbers as label_numbers
from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.labels.schema import check_keys
from ivan_core.metrics.labels.answers import CHOICE_KEYS, LIST_KEYS
from ivan_core.review.marks import reviews
from ivan_core.review.runs_on_pairs import (
    analyses,
    called_so,
    comparisons,
    differ,
    labeler_choices,
    labellings,
    newest_labellings,
    open_comparison,
    open_labelling,
    rows_of,
    texts_where,
)
from ivan_core.review.second_look import halves
from ivan_core.review.whole_pairs import both_of_each, named_analysis, rows_to_ask

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

LOWEST = 5
"""So many features a queue of low agreement asks."""
MOST_ITEMS = 5_000
LONGEST_TITLE = 200
Sides = Literal["one", "both"]
Chosen = list[tuple[int, ItemSide]]


class QueueRequest(BaseModel):
    """A queue that somebody wants."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(description="The fingerprint of a dataset that was read here.")
    task: Task = Field("better", description="better: which reply is better; describe: one reply.")
    source: Source = Field("random", description="Where the items come from.")
    keys: tuple[str, ...] = Field((), description="The labels asked for; by group if none.")
    groups: tuple[str, ...] = Field((), description="The screens asked for; three if none.")
    sides: Sides = Field(
        "one",
        description="One reply of a pair, drawn by chance, or both. Where pairs are drawn both are"
        " in the queue, never side by side.",
    )
    count: int = Field(60, ge=1, le=MOST_ITEMS, description="How many items at most.")
    runs: tuple[str, ...] = Field((), description="The runs drawn on; the newest that fit if none.")
    row_ids: tuple[int, ...] = Field(
        (), description="The pairs of the source that names them, by number."
    )
    prefill: str = Field(
        "", description="A labelling shown beforehand; such answers are kept out of rates."
    )
    assigned: str = Field("", description="The one person who is asked; everybody if empty.")
    opinions: int = Field(2, ge=1, le=50, description="How many opinions an item needs.")
    seed: int = Field(0, description="Seed of the draw.")
    tells: bool = Field(
        False,
        description="Tell what was chosen after each pair, not at the end. It teaches people the"
        " taste of the data.",
    )
    title: str = Field(
        "", max_length=LONGEST_TITLE, description="What the list and the invitation call it."
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """The items of a queue in their order, what is asked of them, and how they were drawn.

    `listed` are the rows that come from a list, where random ones stand beside them.
    """

    items: Chosen
    keys: tuple[str, ...]
    sentence: str
    listed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Pool:
    """What may be drawn: texts, or pairs, and what they are in words."""

    rows: list[int]
    words: str
    texts: list[TextKey] | None = None
    keys: tuple[str, ...] | None = None
    listed: frozenset[int] = frozenset()


def draw(dataset: PreparedDataset, request: QueueRequest) -> Drawn:
    """The items of a queue.

    Raises:
        BadInput: the source has nothing to give here; the sentence says why.
    """
    pool = {
        "random": _random,
        "disagreements": _disagreements,
        "against": _against,
        "second-look": _second_look,
        "low-agreement": _low_agreement,
        "starred": _starred,
        "rows": _named_rows,
    }[request.source](dataset, request)
    keys = () if request.task == BETTER else check_keys(pool.keys or request.keys)
    generator = random.Random(f"queue|{dataset.fingerprint}|{request.source}|{request.seed}")
    if request.task == BETTER:
        rows = _judgeable(dataset, pool.rows)
        if not rows:
            raise BadInput(
                "Both replies of every such pair are the same: there is nothing to compare.",
                "Choose another source.",
            )
        taken = generator.sample(rows, min(request.count, len(rows)))
        pairs: Chosen = [(row, "both") for row in taken]
        told = _told(len(pairs), len(rows), f"pairs {pool.words}", request.seed)
        return Drawn(pairs, (), told, pool.listed)
    if pool.texts is None and request.sides == "both":
        return _whole(pool, request, keys, generator)
    texts = pool.texts or [TextKey(row, side) for row in pool.rows for side in SIDES]
    if request.sides == "one":
        texts = _one_a_row(texts, generator)
    taken_texts = generator.sample(texts, min(request.count, len(texts)))
    items: Chosen = [(one.row_id, one.preference) for one in taken_texts]
    each = "one reply a pair, drawn by chance" if request.sides == "one" else "either reply"
    return Drawn(
        items, keys, _told(len(items), len(texts), f"replies {pool.words} ({each})", request.seed)
    )


def _whole(
    pool: _Pool, request: QueueRequest, keys: tuple[str, ...], generator: random.Random
) -> Drawn:
    """Both replies of pairs: of an odd number of items one is left."""
    taken = generator.sample(pool.rows, min(max(1, request.count // 2), len(pool.rows)))
    what = f"pairs {pool.words}, both replies of each"
    told = _told(len(taken), len(pool.rows), what, request.seed)
    apart = " The two replies of a pair are never side by side." if len(taken) > 1 else ""
    return Drawn(both_of_each(taken, generator), keys, told + apart)


def _told(taken: int, of: int, what: str, seed: int) -> str:
    if taken == of:
        return f"All {of:,} {what}, in random order, seed {seed}."
    return f"{taken:,} of {of:,} {what}, drawn at random, seed {seed}."


def _one_a_row(texts: Sequence[TextKey], generator: random.Random) -> list[TextKey]:
    by_row: dict[int, list[TextKey]] = {}
    for one in texts:
        by_row.setdefault(one.row_id, []).append(one)
    return [generator.choice(own) for own in by_row.values()]


def _judgeable(dataset: PreparedDataset, rows: list[int]) -> list[int]:
    """The rows whose sides are not the same text, and one of which was chosen."""
    left_out = dataset.identical_rows | dataset.tied_rows
    return [row for row in rows if row not in left_out]


def _random(dataset: PreparedDataset, request: QueueRequest) -> _Pool:
    """All rows, or those of one run if they were drawn at random themselves; of an analysis, those
    that its models and a labeler know and of which nobody was asked to describe both replies, by
    the labeler's features."""
    if not request.runs:
        return _Pool(list(range(dataset.rows)), "of the dataset")
    if runs.of_kind("analysis", request.runs):
        analysed, labeler = named_analysis(request.runs, dataset)
        words = f"of run {analysed.run.id} with labels of {analysed.labeler(labeler).named}"
        rows, own = rows_to_ask(analysed, labeler), analysed.features_of(labeler)
        return _Pool(rows, words, keys=tuple(key for key in request.keys if key in own) or None)
    run = runs.get(request.runs[0])
    known = {one.id for one in (*comparisons(dataset), *labellings(dataset))}
    spec = runs.any_spec_of(run)
    if run.id not in known or not isinstance(spec, RowsSpec):
        raise BadInput(
            f"Run {run.id} is no finished run on {dataset.about['label']}.",
            "Choose a finished run on the same pairs, or draw from the whole dataset.",
        )
    choice = choose_rows(spec, dataset)
    if not choice.random:
        raise BadInput(
            f"The pairs of run {run.id} are not a random sample of the dataset.",
            "Draw from the whole dataset, or from a run on all pairs or on a random sample.",
        )
    return _Pool(choice.row_ids, f"of run {run.id}")


def _starred(dataset: PreparedDataset, request: QueueRequest) -> _Pool:
    rows = [r for r in reviews().starred_rows(dataset.fingerprint) if r < dataset.rows]
    if not rows:
        raise BadInput("Nothing is starred in this dataset.", "Star pairs on the page Pairs first.")
    return _Pool(rows, "of the starred pairs")


def _named_rows(dataset: PreparedDataset, request: QueueRequest) -> _Pool:
    if not request.row_ids:
        raise BadInput("No pair numbers were given.", "Name at least one; the first pair is 0.")
    dataset.check_row_ids(request.row_ids)
    return _Pool(sorted(set(request.row_ids)), "of the pairs that were named")


def _without_author(given: list[LabelResults]) -> list[LabelResults]:
    """Labellings without those of the sample's author, which stand for no labeler unless named."""
    return [one for one in given if not one.authored]


def _two_labellings(
    dataset: PreparedDataset, request: QueueRequest
) -> tuple[LabelResults, LabelResults]:
    if request.runs:
        given = [open_labelling(run_id, dataset) for run_id in dict.fromkeys(request.runs)]
    else:
        given = _without_author(newest_labellings(dataset))
        if len(given) < 2:  # the same labeler twice will do
            given = _without_author([open_labels(run.id) for run in labellings(dataset)])
        given = given[:2]
    if len(given) != 2:
        raise BadInput(
            f"Two labellings are needed, and {len(given)} "
            + ("is" if len(given) == 1 else "are")
            + (" named." if request.runs else " there."),
            "Label these pairs with two labelers first, on the page Taxonomy; then choose the two.",
        )
    return given[0], given[1]


def _disagreements(dataset: PreparedDataset, request: QueueRequest) -> _Pool:
    """Texts on which two labellings differ; of pairs, those on which models differ."""
    if request.task == BETTER:
        results = _comparison(dataset, request)
        if not results.sharpest:
            raise BadInput(
                f"The models of run {results.run.id} disagree on no pair.",
                "Choose a comparison of two models or more that disagree somewhere.",
            )
        rows = sorted(results.sharpest)
        return _Pool(rows, f"on which the models of run {results.run.id} disagree")
    first, second = _two_labellings(dataset, request)
    keys = tuple(key for key in label_numbers.shared_keys([first, second]) if key in request.keys)
    if not keys:
        raise BadInput(
            "The two labellings share none of the labels that are asked for.",
            "Choose other labels, or other labellings.",
        )
    texts = texts_where(first, second, keys, differ)
    if not texts:
        raise BadInput(
            "The two labellings give the same labels everywhere they both answer.",
            "Choose other labels, or other labellings.",
        )
    who = f"{label_numbers.named(first)} and {label_numbers.named(second)}"
    return _Pool(rows_of(texts), f"on which {who} differ", texts)


def _low_agreement(dataset: PreparedDataset, request: QueueRequest) -> _Pool:
    """Texts that either labelling calls so, on the features on which the two agree least."""
    if request.task == BETTER:
        raise BadInput(
            "Features with low agreement are asked of single replies.",
            "Choose the task that describes a reply.",
        )
    first, second = _two_labellings(dataset, request)
    table = label_numbers.agreement([first, second])
    table = table[~table["key"].isin(LIST_KEYS) & table["coefficient"].notna()]
    lowest = table.sort_values("coefficient", kind="stable")["key"].head(LOWEST)
    keys = tuple(str(key) for key in lowest)
    texts = texts_where(first, second, keys, called_so) if keys else []
    if not texts:
        raise BadInput(
            "No label that the two labellings share has a measured agreement.",
            "Label more texts, or choose other labellings.",
        )
    who = f"{label_numbers.named(first)} or {label_numbers.named(second)}"
    words = f"that {who} gives one of the {len(keys)} least agreed labels"
    return _Pool(rows_of(texts), words, texts, check_keys(keys))


def _against(dataset: PreparedDataset, request: QueueRequest) -> _Pool:
    """Pairs on which every model, and the labeler where it tells, goes against the choice."""
    results = _comparison(dataset, request)
    against = results.table.assign(against=results.table["verdict"] == "disagree")
    every = against.groupby("row_id")["against"].all()
    rows = [int(row) for row in every.index[every.to_numpy(bool)]]
    named = [run_id for run_id in request.runs if run_id != results.run.id]
    labeler = next(
        (
            one
            for one in (
                [open_labelling(run_id, dataset) for run_id in named]
                if named
                else _without_author(newest_labellings(dataset))
            )
            if set(CHOICE_KEYS) <= set(one.keys)
        ),
        None,
    )
    who = f"every model of run {results.run.id}"
    if labeler is not None:
        prefers = labeler_choices(labeler, rows)
        rows = [row for row in rows if prefers.get(row, "rejected") == "rejected"]
        who += f" and, where its labels tell, {label_numbers.named(labeler)}"
    if not rows:
        raise BadInput(
            f"On no pair {who} go against the choice.", "Choose another comparison or source."
        )
    return _Pool(rows, f"on which {who} go against the choice")


def _second_look(dataset: PreparedDataset, request: QueueRequest) -> _Pool:
    """The first pairs of an analysis' list of which people were not asked yet, and as many random
    ones; of the newest analysis if none is named."""
    if request.task != BETTER:
        raise BadInput(
            "A second look at a list asks which of two replies is better.", "Choose that task."
        )
    run_ids = request.runs or tuple(run.id for run in analyses(dataset)[:1])
    if not run_ids:
        raise BadInput(
            "No analysis of these pairs is finished yet.", "Analyse them first, on Analysis."
        )
    found, _ = named_analysis(run_ids, dataset)
    both = halves(found, request.count, request.seed)
    words = f"half first on the list of run {found.run.id}, half random"
    return _Pool([*both.listed, *both.random], words, listed=frozenset(both.listed))


def _comparison(dataset: PreparedDataset, request: QueueRequest) -> Results:
    """The comparison that is named, else the newest."""
    known = comparisons(dataset)
    named = runs.of_kind("compare", request.runs)
    if named:
        return open_comparison(named[0], dataset)
    if not known:
        raise BadInput(
            "No comparison of these pairs is finished yet.",
            "Judge them with reward models first, on the page Compare.",
        )
    return open_comparison(known[0].id, dataset)
