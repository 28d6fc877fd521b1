"""What a run would refuse, as far as the first rows and the files that are here tell.

Nothing is prepared, loaded, downloaded or written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from ivan_core.datasets.files import BadLine, Line
from ivan_core.datasets.reading import PairReader
from ivan_core.datasets.sources import Source, open_here
from ivan_core.domain.errors import BadInput, IvanError, StorageProblem
from ivan_core.domain.pairs import Pair
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import datasets
from ivan_core.models import reward_models
from ivan_core.runs.storage import can_only_be_read
from ivan_core.settings import data_dir

_ROWS, _LINES, _CHARACTERS = 1_000, 2_000, 1 << 20
"""So many good rows, lines and characters of texts are read at the most."""
_CHARACTERS_A_TOKEN = 4
_NAMED = 3


@dataclass
class FirstLook:
    """What was found. `pairs` is how many there are, None where they were not all read."""

    refusals: list[IvanError] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    pairs: int | None = None


def first_look(spec: RowsSpec, models: tuple[str, ...], max_tokens: int | None = None) -> FirstLook:
    """Look at a spec's data folder, models and first rows."""
    look = FirstLook()
    if can_only_be_read(data_dir()):
        look.refusals.append(
            StorageProblem(
                f"The folder {data_dir()} cannot be written.",
                "Make it writable, or name another data folder with IVAN_DATA_DIR.",
            )
        )
    for name in models:
        try:
            _look_at_model(look, name)
        except IvanError as error:
            look.refusals.append(error)
    if datasets.find(spec.dataset) is None:
        try:
            _look_at_rows(look, spec, models, max_tokens)
        except IvanError as error:
            look.refusals.append(error)
    return look


def _look_at_model(look: FirstLook, name: str) -> None:
    """Refuse a model whose files are here and tell that it gives no reward."""
    if reward_models.is_embedded(name):
        return
    from ivan_core.backends.reward_models.loading import check_files
    from ivan_core.backends.reward_models.model_files import on_disk

    model_id, revision = reward_models.split_revision(name)
    folder = on_disk(model_id, revision or None)
    if folder is None:
        look.remarks.append(f"{name} is not on this machine yet: it would be downloaded.")
        return
    check_files(name, folder)
    fit = reward_models.fit(reward_models.card(name))
    if fit.runs is False:
        look.remarks.append(f"{name}: {fit.reason}.")


def _look_at_rows(
    look: FirstLook, spec: RowsSpec, models: tuple[str, ...], max_tokens: int | None
) -> None:
    """Read the first rows of what was not prepared yet."""
    source = open_here(spec.dataset)
    if source is None:
        look.remarks.append(f"No row was read: {spec.dataset.label} would be fetched first.")
        return
    reader, lines = PairReader(), _Lines(source)
    pairs, characters = [], 0
    try:
        for pair, _ in islice(reader.read(lines), _ROWS):
            pairs.append(pair)
            characters += len(pair.chosen.text) + len(pair.rejected.text)
            if characters > _CHARACTERS:
                break
    except BadInput as error:
        if not lines.cut:
            raise
        # Pairs may stand further down: a run would find them.
        look.remarks.append(
            f"Only the first {_LINES:,} lines were read; a run would read on. {error.message}"
        )
        return
    if lines.ended:
        look.pairs = len(pairs)
        beyond = [row for row in spec.row_ids or () if row >= len(pairs)]
        if beyond:
            told = ", ".join(str(row) for row in beyond[:_NAMED])
            raise BadInput(
                f"No such row in this dataset: {told}.",
                f"It has {len(pairs):,} rows, numbered from 0.",
            )
    else:
        look.remarks.append(f"Only the first {len(pairs):,} pairs were read.")
    look.remarks += _said_of_bad(reader.bad)
    look.remarks += [_too_long(pairs, name, max_tokens) for name in models]
    look.remarks = [remark for remark in look.remarks if remark]


class _Lines:
    """The first lines of a source; whether there were no more, or more that were not given."""

    def __init__(self, source: Source) -> None:
        self._rows = source.rows
        self.ended = self.cut = False

    def __iter__(self) -> Iterator[Line]:
        yield from islice(self._rows, _LINES)
        self.ended = next(self._rows, None) is None
        self.cut = not self.ended


def _said_of_bad(bad: list[BadLine]) -> list[str]:
    if not bad:
        return []
    named = "; ".join(f"line {line.line}: {line.reason}" for line in bad[:_NAMED])
    lines = "1 line is no pair" if len(bad) == 1 else f"{len(bad):,} lines are no pairs"
    return [f"{lines} and would be left out ({named})."]


def _too_long(pairs: list[Pair], model: str, max_tokens: int | None) -> str:
    """How many texts a model would read only a part of, by their length in characters."""
    most = max_tokens or reward_models.card(model).max_tokens
    if most is None or reward_models.is_embedded(model):
        return ""
    texts = [side for pair in pairs for side in (pair.chosen, pair.rejected)]
    long = sum(len(side.text) > most * _CHARACTERS_A_TOKEN for side in texts)
    if not long:
        return ""
    return (
        f"About {long:,} of the first {len(texts):,} texts are longer than the {most:,} tokens "
        f"that {model} reads: it would judge a part of them."
    )
