"""Reconciling what came back with what was sent: every text is counted once, in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, TextKey
from ivan_core.labels.result_files import ResultLine
from ivan_core.labels.validate import Outcome, Status, read_reply

State = Literal[Status, "missing"]
Which = Literal[State, "submitted", "duplicates", "differing"]
"""What a number of the reconciliation line counts."""
USABLE: tuple[Status, ...] = ("valid", "repaired")
STATES: tuple[State, ...] = (*get_args(Status), "missing")
MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of the reconciliation line.

    `duplicates` are lines beyond the first of a submitted text, `unknown` lines of texts that were
    not submitted, `damaged` lines that cannot be read.

    Raises:
        ValueError: the states do not add up to what was submitted.
    """

    submitted: int
    valid: int
    repaired: int
    refused: int
    failed: int
    invalid: int
    missing: int
    duplicates: int = 0
    unknown: int = 0
    damaged: int = 0

    def __post_init__(self) -> None:
        found = sum(getattr(self, state) for state in STATES)
        if found != self.submitted or min(getattr(self, state) for state in STATES) < 0:
            raise ValueError(f"{self.submitted} texts were submitted, {found} are accounted for")


@dataclass(frozen=True, slots=True)
class Stray:
    """A line that counts for no text: of an unknown id, or damaged, with the reason."""

    line: int
    custom_id: str
    damaged: str = ""


@dataclass(frozen=True)
class Reconciled:
    """What became of every submitted text.

    `outcomes` lacks the missing texts. `raw` is kept only for outcomes that are not valid: the
    valid ones stand in the raw file. `repeats` counts a text's lines beyond the first, `differing`
    holds texts whose answers are not all the same. `strays` lists the first lines that count for
    no text, `unknown` and `damaged` count all of them. `reused` names the run that an answer was
    given to first, where it was not asked for again. `why_missing` says why the missing texts are,
    if it is not that no answer came.
    """

    submitted: tuple[TextKey, ...]
    outcomes: Mapping[TextKey, Outcome]
    attempts: Mapping[TextKey, int]
    repeats: Mapping[TextKey, int] = field(default_factory=dict)
    differing: frozenset[TextKey] = frozenset()
    unknown: int = 0
    damaged: int = 0
    strays: tuple[Stray, ...] = ()
    reused: Mapping[TextKey, str] = field(default_factory=dict)
    why_missing: str = ""

    @cached_property
    def counts(self) -> Counts:
        states = Counter(self.state(key) for key in self.submitted)
        return Counts(
            submitted=len(self.submitted),
            valid=states["valid"],
            repaired=states["repaired"],
            refused=states["refused"],
            failed=states["failed"],
            invalid=states["invalid"],
            missing=states["missing"],
            duplicates=sum(self.repeats.values()),
            unknown=self.unknown,
            damaged=self.damaged,
        )

    def __post_init__(self) -> None:
        if not self.outcomes.keys() <= set(self.submitted):
            raise ValueError("there are outcomes of texts that were not submitted")
        if len(set(self.submitted)) != len(self.submitted):
            raise ValueError("a text is counted twice")
        _ = self.counts

    def state(self, key: TextKey) -> State:
        """What became of one submitted text."""
        outcome = self.outcomes.get(key)
        return outcome.status if outcome else "missing"

    def keys_of(self, which: Which) -> list[TextKey]:
        """The texts behind a number, in row order."""
        if which == "submitted":
            return list(self.submitted)
        if which == "duplicates":
            return [key for key in self.submitted if key in self.repeats]
        if which == "differing":
            return [key for key in self.submitted if key in self.differing]
        return [key for key in self.submitted if self.state(key) == which]

    @property
    def unfinished(self) -> list[TextKey]:
        """The texts without usable labels that asking again may help: all but the refused."""
        return [
            key for key in self.submitted if self.state(key) in ("failed", "invalid", "missing")
        ]

    @property
    def sentence(self) -> str:
        """The reconciliation line: it adds up, and names beside it what counts for no text."""
        counts = self.counts
        line = f"{counts.submitted:,} submitted = " + " + ".join(
            f"{getattr(counts, state):,} {state}" for state in STATES
        )
        beside = []
        if counts.duplicates:
            differ = len(self.differing)
            told = f" ({differ:,} {_texts(differ)} with differing answers)" if differ else ""
            beside.append(f"{_lines(counts.duplicates, 'duplicate')}{told}")
        if counts.unknown:
            beside.append(f"{_lines(counts.unknown)} of texts that were not submitted")
        if counts.damaged:
            beside.append(_lines(counts.damaged, "damaged"))
        told = f"{line}. Beside it: {'; '.join(beside)}." if beside else f"{line}."
        return f"{told} {self._reused_sentence}" if self.reused else told

    @property
    def _reused_sentence(self) -> str:
        runs = Counter(self.reused.values())
        where = f"run {next(iter(runs))}" if len(runs) == 1 else f"{len(runs):,} earlier runs"
        count = len(self.reused)
        return (
            f"Of these, {count:,} {'answer is' if count == 1 else 'answers are'} from {where} and "
            f"{'was' if count == 1 else 'were'} not asked for again."
        )


def reconcile(
    submitted: Collection[TextKey],
    lines: Iterable[ResultLine],
    keys: Sequence[str] = FEATURES,
    attempt: int = 1,
) -> Reconciled:
    """Judge every line and give each submitted text one outcome.

    Of several lines for a text the first valid one wins, else the first repaired one, else the
    first. Lines of texts that were not submitted, and damaged ones, are set aside and counted.
    """
    asked = set(submitted)
    outcomes: dict[TextKey, Outcome] = {}
    repeats: Counter[TextKey] = Counter()
    differing: set[TextKey] = set()
    strays: list[Stray] = []
    reused: dict[TextKey, str] = {}
    unknown = damaged = 0
    for line in lines:
        if line.reply is None or line.key is None or line.key not in asked:
            damaged += line.reply is None
            unknown += line.reply is not None
            if len(strays) < MOST_LISTED:
                strays.append(Stray(line.line, line.custom_id, line.damaged))
            continue
        outcome = read_reply(line.reply, keys)
        if outcome.status == "valid":
            outcome = replace(outcome, raw="")
        before = outcomes.get(line.key)
        if before is not None:
            repeats[line.key] += 1
            if _differ(before, outcome):
                differing.add(line.key)
        if before is None or _rank(outcome) < _rank(before):
            outcomes[line.key] = outcome
            reused.pop(line.key, None)
            if line.reused:
                reused[line.key] = line.reused
    return Reconciled(
        _ordered(asked),
        outcomes,
        dict.fromkeys(outcomes, attempt),
        repeats,
        frozenset(differing),
        unknown,
        damaged,
        tuple(strays),
        reused,
    )


def merged(first: Reconciled, second: Reconciled) -> Reconciled:
    """Both attempts as one: the second replaces only what the first left without usable labels.

    An answer that cannot be used is not replaced by no answer at all. Each text keeps the attempt
    that its outcome comes from.

    Raises:
        ValueError: the second attempt holds texts that the first had not submitted.
    """
    if not set(second.submitted) <= set(first.submitted):
        raise ValueError("a second attempt asks only for texts of the first")
    outcomes, attempts, reused = dict(first.outcomes), dict(first.attempts), dict(first.reused)
    for key, outcome in second.outcomes.items():
        if _replaces(outcome, outcomes.get(key)):
            outcomes[key], attempts[key] = outcome, second.attempts[key]
            reused.pop(key, None)
            if key in second.reused:
                reused[key] = second.reused[key]
    return Reconciled(
        first.submitted,
        outcomes,
        attempts,
        Counter(first.repeats) + Counter(second.repeats),
        first.differing | second.differing,
        first.unknown + second.unknown,
        first.damaged + second.damaged,
        (first.strays + second.strays)[:MOST_LISTED],
        reused,
    )


def refuse_unknown(result: Reconciled) -> None:
    """Refuse results that belong to other texts, as an import does unless it is forced.

    Raises:
        BadInput: there are lines of texts that were not submitted.
    """
    if result.unknown:
        named = [repr(stray.custom_id) for stray in result.strays if not stray.damaged][:3]
        such = f", such as {', '.join(named)}" if named else ""
        raise BadInput(
            f"{_lines(result.unknown)} of texts that were not asked for{such}.",
            "Check that the file belongs to this dataset.",
        )


def _replaces(outcome: Outcome, before: Outcome | None) -> bool:
    if before is None:
        return True
    if before.status in USABLE:
        return False
    return outcome.status != "failed" or before.status == "failed"


def _rank(outcome: Outcome) -> int:
    return USABLE.index(outcome.status) if outcome.status in USABLE else len(USABLE)


def _differ(one: Outcome, other: Outcome) -> bool:
    """Whether two lines give two answers; a line without an answer contradicts none."""
    if "failed" in (one.status, other.status):
        return False
    if one.status in USABLE and other.status in USABLE:
        return one.labels != other.labels
    if one.status != other.status:
        return True
    return one.status == "invalid" and one.raw != other.raw


def _ordered(keys: Iterable[TextKey]) -> tuple[TextKey, ...]:
    return tuple(sorted(keys, key=lambda key: (key.row_id, key.preference)))


def _lines(count: int, kind: str = "") -> str:
    return f"{count:,} {kind + ' ' if kind else ''}{'line' if count == 1 else 'lines'}"


def _texts(count: int) -> str:
    return "text" if count == 1 else "texts"
