"""Comparisons before they run: a preset's spec, the checks at the door, what it would take."""

from __future__ import annotations

from contextlib import closing
from functools import lru_cache

from ivan_core import catalog
from ivan_core.datasets.chosen_rows import choose_rows
from ivan_core.datasets.prepared import HASHES, PreparedDataset
from ivan_core.domain.runs import Plan
from ivan_core.domain.specs import CompareSpec, DatasetRequest, RowsSpec
from ivan_core.domain.words import number_of
from ivan_core.engine import access, datasets
from ivan_core.engine.plan import Proposal, Speed, overhead, rows_of, scoring_time, speed_of, the
from ivan_core.models import reward_models
from ivan_core.runs.cache import ScoreCache
from ivan_core.settings import data_dir, preset_name

ALL_KNOWN = "all is known already"
"""What an estimate is from where nothing is left to compute."""
_LOOKED_UP = 1_000
"""Texts looked up in the cache for a plan; beyond that the share is extrapolated."""


def preset_spec(name: str | None = None) -> CompareSpec:
    """The comparison of a preset, the one in force by default.

    Raises:
        BadInput: there is no such preset.
    """
    preset = catalog.preset(name or preset_name())
    return CompareSpec(dataset=DatasetRequest(source=preset.dataset), models=preset.models)


def check(spec: CompareSpec) -> None:
    """Refuse what cannot work before anything is started.

    Raises:
        BadInput: the dataset or a model cannot be what was meant, or rows do not exist.
        NotAllowed: one of them is not known here, and the visitor may not name files outside.
    """
    for name in spec.models:
        access.check_name(name, reward_models.offered)
        reward_models.check(name)
    reward_models.remarks(spec.models)
    dataset = datasets.find(spec.dataset)
    if dataset is not None:
        choose_rows(spec, dataset)


def plan(spec: CompareSpec) -> Plan:
    """What a comparison would take: pairs, what is known already, the time at this machine's speed.

    Raises:
        BadInput: as `check`.
    """
    check(spec)
    remarks = tuple(reward_models.remarks(spec.models))
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        unread = "the dataset has not been read on this machine yet"
        return Plan(None, len(spec.models), 0, None, unread, remarks)
    choice = choose_rows(spec, dataset)
    with closing(ScoreCache(data_dir() / "cache" / "scores", makes=False)) as cache:
        speeds = {name: speed_of(cache, name) for name in spec.models}
        hashes = _sampled_hashes(dataset, choice.row_ids) if any(speeds.values()) else []
        known = {name: _known_share(cache, speed, hashes) for name, speed in speeds.items()}
    pairs = len(choice.row_ids)
    wanted = {name: round(2 * pairs * (1 - share)) for name, share in known.items()}
    takes, source = scoring_time(speeds, wanted)
    return Plan(
        pairs,
        len(spec.models),
        round(sum(known.values()) * pairs),
        takes + overhead() if takes else None,
        ALL_KNOWN if not any(wanted.values()) else source,
        (*choice.notes, *remarks),
    )


def propose(rows: RowsSpec) -> Proposal:
    """Judging some rows with the models of the preset in force.

    Raises:
        BadInput: as `check`.
        NotAllowed: as `check`.
    """
    spec = preset_spec().model_copy(update=rows_of(rows))
    known = plan(spec)
    return Proposal(
        spec.kind,
        f"Judge {the(known.pairs, 'pair')}",
        "Do reward models side with what was chosen?",
        number_of(known.models, "model"),
        spec,
        known.pairs,
        known.takes,
        starts=known.takes is not None or reward_models.fit_together(spec.models),
    )


def _sampled_hashes(dataset: PreparedDataset, row_ids: list[int]) -> list[str]:
    """The hashes of the rows' texts, those of some rows where there are many."""
    step = max(1, 2 * len(row_ids) // _LOOKED_UP)
    return _hashes(dataset, tuple(row_ids[::step]))


@lru_cache(maxsize=16)
def _hashes(dataset: PreparedDataset, row_ids: tuple[int, ...]) -> list[str]:
    numbers = dataset.some_numbers(HASHES, row_ids)
    return sorted({*numbers["chosen_hash"], *numbers["rejected_hash"]})


def _known_share(cache: ScoreCache, speed: Speed | None, hashes: list[str]) -> float:
    """Share of these texts that a model has scored before."""
    if speed is None or not hashes:
        return 0.0
    return len(cache.get_many(speed.identity, hashes)) / len(hashes)
