"""What a run would take, and what it would refuse, before it is started.

The time comes from what earlier runs measured on this machine, and from what is usual before the
first. A first look reads the first rows and the files that are here: nothing is prepared, loaded,
downloaded or written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ivan_core.datasets.first_row import FirstRow, first_row, first_row_of
from ivan_core.datasets.layouts.chosen_rejected import PAIRS
from ivan_core.datasets.lines import Line
from ivan_core.datasets.reading import PairReader
from ivan_core.datasets.sources import Source, open_here
from ivan_core.datasets.told import odd_among, replies_told, rows_told, told_of
from ivan_core.domain.errors import BadInput, IvanError, StorageProblem
from ivan_core.domain.estimates import roughly
from ivan_core.domain.models import Quantization
from ivan_core.domain.pairs import Pair
from ivan_core.domain.runs import Span, time_under_load
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import datasets
from ivan_core.models import reward_models
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.storage import can_only_be_read
from ivan_core.settings import data_dir, has_gpu, machine_load

HERE = "measured on this machine"
USUAL = "not measured on this machine yet"
_OVERHEAD = Span(0.5, 3.0)
"""Seconds of an idle machine to start a worker, to read its pairs and to write the results."""
_USUAL_STARTUP = Span(1.5, 6.0)
_USUAL_RATE = Span(25.0, 120.0)
"""Seconds to load the embedded models, and the texts they read a second on each of two to eight
cores: the slow and the fast ones of common machines."""
_RULES_RATE, _LEXICON_RATE = Span(500.0, 4_000.0), Span(400.0, 2_000.0)
"""Pieces that rules reword and texts that rules label a second, on slow and on fast machines."""
_CHECKED = 64
"""Texts read once a model to see whether its scores depend on the batch."""


@dataclass(frozen=True, slots=True)
class Speed:
    """A model's speed as a run measured it, and the load of the machine then, if that was kept.

    `startup` is what passes before the first text is read, of which `loading` passes too where all
    is known already; `checked` says that it was read alone and in batches before.
    """

    texts_per_second: float
    startup: float
    loading: float
    identity: str
    load: float | None
    checked: bool


def speed_of(cache: ScoreCache, name: str) -> Speed | None:
    """The speed of a model on this machine; None where it never ran here."""
    facts = cache.recall(f"model|{name}")
    if not facts:
        return None
    identity = facts["cache_identity"]
    return Speed(
        facts["texts_per_second"],
        facts["startup"],
        facts.get("loading", facts["startup"]),
        identity,
        facts.get("load"),
        cache.recall(f"batch|{identity}") is not None,
    )


def now(seconds: float, load_then: float | None = 0.0) -> Span:
    """What took so many seconds of this machine under some load, at its load of now."""
    cores = os.cpu_count() or 1
    threads = 1 if has_gpu() else cores
    return time_under_load(seconds, load_then, machine_load(), threads, cores)


def between(idle: Span) -> Span:
    """A range of seconds of an idle machine, at the load of now."""
    return Span(now(idle.low).low, now(idle.high).high)


def overhead() -> Span:
    """What a run takes beside its models."""
    return between(_OVERHEAD)


def scoring_time(
    speeds: Mapping[str, Speed | None], texts: Mapping[str, int]
) -> tuple[Span | None, str]:
    """The time to load models and to read so many texts with each, and where it comes from.

    The embedded models share one encoder, which reads each text once; so the slowest of their
    speeds is taken, the others having found the work done.
    """
    embedded = [name for name in speeds if reward_models.is_embedded(name)]
    others = [name for name in speeds if name not in embedded]
    unknown = next((name for name in others if speeds[name] is None), None)
    if unknown:
        if reward_models.is_served(unknown):
            return None, "how fast a server is shows with its first run"
        return None, f"{unknown} has not been run on this machine yet"
    told, source = Span(0.0, 0.0), HERE
    for name in others:
        if speed := speeds[name]:
            told += _reading(speed, texts[name])
    if embedded:
        most = max(texts[name] for name in embedded)
        known = [speed for name in embedded if (speed := speeds[name])]
        if known:
            told += _reading(min(known, key=lambda one: one.texts_per_second), most)
        else:
            told, source = told + usual_scoring(most), USUAL
    return told, source


def usual_scoring(texts: int) -> Span:
    """The time of the embedded models before this machine has measured them."""
    cores = min(max(os.cpu_count() or 1, 2), 8)
    return between(
        Span(
            _USUAL_STARTUP.low + texts / (_USUAL_RATE.high * cores),
            _USUAL_STARTUP.high + texts / (_USUAL_RATE.low * cores),
        )
    )


def rules_time(pieces: int) -> Span:
    """The time in which `ivan/rules` rewords so many pieces."""
    return between(Span(pieces / _RULES_RATE.high, pieces / _RULES_RATE.low))


def lexicon_time(texts: int) -> Span:
    """The time in which `ivan/lexicon` labels so many texts."""
    return between(Span(texts / _LEXICON_RATE.high, texts / _LEXICON_RATE.low))


def _reading(speed: Speed, texts: int) -> Span:
    wanted = texts + (0 if speed.checked else _CHECKED)
    before = speed.startup if wanted else speed.loading
    return now(before + wanted / speed.texts_per_second, speed.load)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A run that could come next on the rows of a study, and what it would take.

    `does` says what it does as a sentence begins, `why` what one learns of it, `by` who would be
    asked. `spec` is what would be started. `pairs` is None while the dataset was never read here,
    `takes` where nobody knows. `dollars` are 0 for what costs nothing, None where no price is
    known; what a provider charges is a rough figure, and its form tells the estimate to accept.
    `starts` says that one press may start it: nothing is paid, downloaded, or asked of a server.
    `second` is what one learns of it where its stage was done by somebody else; empty if nothing.
    `after` are runs that must be done before it can begin.
    """

    kind: str
    does: str
    why: str
    by: str
    spec: RowsSpec
    pairs: int | None
    takes: Span | None = None
    dollars: float | None = 0.0
    starts: bool = False
    second: str = ""
    after: tuple[str, ...] = ()

    @property
    def terms(self) -> str:
        """Who, for what, how long: "rules, free, about 4 s" or "gpt-6-luna, about $0.02"."""
        price = "price not known" if self.dollars is None else roughly(self.dollars)
        return ", ".join([self.by, price, *([self.takes.words] if self.takes else [])])


def rows_of(spec: RowsSpec) -> dict[str, Any]:
    """The fields of a spec that say which rows of which dataset it is about."""
    return {name: getattr(spec, name) for name in RowsSpec.model_fields}


def the(count: int | None, one: str) -> str:
    """As in "the 120 texts", "the text"; "the texts" where nobody knows how many."""
    if count is None:
        return f"the {one}s"
    return f"the {one}" if count == 1 else f"the {count:,} {one}s"


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
    first: FirstRow | None = None
    """How the first row was read."""
    told: list[str] = field(default_factory=list)
    """What was made of the rows that were read, and what is odd in their pairs, in sentences."""


@dataclass(frozen=True, slots=True)
class ModelsAsked:
    """The reward models of a run, and how it has them read texts."""

    names: tuple[str, ...] = ()
    max_tokens: int | None = None
    quantization: Quantization = "none"


def first_look(spec: RowsSpec, models: ModelsAsked) -> FirstLook:
    """Look at a spec's data folder, models and first rows."""
    look = FirstLook()
    if can_only_be_read(data_dir()):
        look.refusals.append(
            StorageProblem(
                f"The folder {data_dir()} cannot be written.",
                "Make it writable, or name another data folder with IVAN_DATA_DIR.",
            )
        )
    for name in models.names:
        try:
            _look_at_model(look, name, models.quantization)
        except IvanError as error:
            look.refusals.append(error)
    if (dataset := datasets.find(spec.dataset)) is not None:
        look.first = first_row_of(dataset)
        look.remarks += _said_of_bad(dataset.about["bad_lines"], dataset.about["bad_lines_named"])
        look.told = told_of(dataset)
    else:
        try:
            _look_at_rows(look, spec, models)
        except IvanError as error:
            look.refusals.append(error)
    return look


def _look_at_model(look: FirstLook, name: str, quantization: Quantization) -> None:
    """Refuse a model whose files are here and tell that it gives no reward, or a server that does
    not answer as one.
    """
    if reward_models.is_embedded(name):
        look.remarks += reward_models.unchanged([name], quantization)
        return
    if reward_models.is_served(name):
        look.remarks.append(reward_models.who_answers(name))
        return
    from ivan_core.backends.reward_models.loading import check_files
    from ivan_core.backends.reward_models.model_files import on_disk

    model_id, revision = reward_models.split_revision(name)
    folder = on_disk(model_id, revision or None)
    if folder is None:
        look.remarks.append(f"{name} is not on this machine yet: it would be downloaded.")
        return
    check_files(name, folder)
    fit = reward_models.fit(reward_models.card(name), quantization)
    if fit.runs is False:
        look.remarks.append(f"{name}: {fit.reason}.")


def _look_at_rows(look: FirstLook, spec: RowsSpec, models: ModelsAsked) -> None:
    """Read the first pairs of what was not prepared yet."""
    source = open_here(spec.dataset)
    if source is None:
        look.remarks.append(f"No pair was read: {spec.dataset.label} would be fetched first.")
        return
    reader, lines = PairReader(spec.dataset.columns, spec.dataset.layout), _Lines(source)
    read = reader.read(lines)
    pairs, labels, characters = [], [], 0
    try:
        for pair, own in islice(read, _ROWS):
            pairs.append(pair)
            labels.append(own)
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
    look.first = first_row(reader.layout, zip(pairs, labels, strict=True))
    # Lines may have come to their end before the pairs that were made of them.
    if lines.ended and next(read, None) is None:
        look.pairs = len(pairs)
        beyond = [row for row in spec.row_ids or () if row >= len(pairs)]
        if beyond:
            told = ", ".join(str(row) for row in beyond[:_NAMED])
            raise BadInput(
                f"No such pair in this dataset: {told}.",
                f"It has {len(pairs):,} pairs, numbered from 0.",
            )
    else:
        look.remarks.append(f"Only the first {len(pairs):,} pairs were read.")
    look.remarks += _said_of_bad(len(reader.bad), [(one.line, one.reason) for one in reader.bad])
    replies = [(one.line, one.reason) for one in reader.replies_left_out]
    layout = reader.layout or PAIRS
    look.told = [
        rows_told(layout, reader.rows, len(pairs), reader.tied_rows) if look.pairs else "",
        replies_told(len(replies), replies),
        *odd_among(zip(pairs, labels, strict=True)),
    ]
    look.told = [sentence for sentence in look.told if sentence]
    look.remarks += [_too_long(pairs, name, models.max_tokens) for name in models.names]
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


def _said_of_bad(count: int, bad: Sequence[Sequence[Any]]) -> list[str]:
    if not count:
        return []
    named = "; ".join(f"line {line}: {reason}" for line, reason in bad[:_NAMED])
    lines = "1 line is no pair" if count == 1 else f"{count:,} lines are no pairs"
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
