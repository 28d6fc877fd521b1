"""What all engines have in common: how one is asked, how its answer is read, what it tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ivan_core.backends.served.client import Answer, OddAnswer
from ivan_core.backends.served.rows import Row, tokens_of
from ivan_core.backends.served.sending import AT_ONCE, BATCH
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.labels.completions import shortened

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Told:
    """What a server says of itself and its model.

    `tokenizer` are places where the tokenizer may be found, the best first; `limit` is the longest
    input in tokens; `labels` are those of its logits, by number. `settings` are those that may
    change a score, be it in its last digits.
    """

    engine: str
    version: str
    model: str
    tokenizer: tuple[str, ...] = ()
    revision: str = ""
    dtype: str = UNKNOWN
    limit: int | None = None
    batch: int = BATCH
    at_once: int = AT_ONCE
    labels: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """One engine at work. All numbers that it gives are logits where `activated` is off."""

    @property
    def told(self) -> Told: ...

    @property
    def takes_text(self) -> bool:
        """Whether it is given texts and no token ids."""
        ...

    @property
    def activates(self) -> bool:
        """Whether it can be asked for a logit with its activation, too."""
        ...

    @property
    def others(self) -> Sequence[Engine]:
        """The same server, asked in other ways that may work where this one does not."""
        return ()

    def question(self, rows: Sequence[Row], *, activated: bool) -> tuple[str, dict[str, Any]]:
        """The path to ask, and what."""
        ...

    def logits(self, answer: Answer, rows: Sequence[Row]) -> list[list[float]]:
        """The numbers of each row, same order.

        Raises:
            OddAnswer: the answer has not one flat list of numbers for each row.
            BackendUnavailable: the server read other tokens than it was sent.
        """
        ...


def text_of(value: object) -> str:
    """A word or a number that a server tells, fit to be shown; empty where it tells none."""
    return shortened(str(value)) if isinstance(value, str | int | float | bool) else ""


def length_of(value: object) -> int | None:
    """A number of tokens or texts that a server tells; None where it makes no sense."""
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9
    return int(value) if sound and isinstance(value, int) else None


def odd(told: Told) -> OddAnswer:
    return OddAnswer(
        f"{told.engine} gave an answer that is not one score for each text.",
        "See its version and how it was started; a proxy may also have changed the answer.",
    )


def per_token(told: Told) -> BackendUnavailable:
    return BackendUnavailable(
        f"{told.engine} gives a score for each token, and not one for each text.",
        "Start it for a sequence classification model; the handbook has the line.",
    )


def in_order(items: object, count: int, told: Told) -> list[dict[str, Any]]:
    """Items with an `index` in its order, each place once."""
    found: dict[int, dict[str, Any]] = {}
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(place := item.get("index"), int):
            found[place] = item
    if sorted(found) != list(range(count)) or not isinstance(items, list) or len(items) != count:
        raise odd(told)
    return [found[place] for place in range(count)]


def numbers(values: object, told: Told) -> list[float]:
    """One flat list of numbers; a null is a number that JSON has no word for.

    Raises:
        OddAnswer: it is something else.
        BackendUnavailable: it holds a list for each token.
    """
    if isinstance(values, int | float):
        values = [values]
    if not isinstance(values, list) or not values:
        raise odd(told)
    if all(isinstance(value, list) for value in values):
        raise per_token(told)
    found = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise odd(told)
        found.append(float("nan") if value is None else float(value))
    return found


def check_count(read: object, rows: Sequence[Row], told: Told) -> None:
    """Refuse a server that read more or fewer tokens than it was sent.

    Raises:
        BackendUnavailable: they differ, or it does not tell.
    """
    count = length_of(read)
    if count is None:
        raise BackendUnavailable(
            f"{told.engine} does not tell how many tokens it read, so a cut could not be seen.",
            "A proxy may take that away: name the server's own address.",
        )
    sent = sum(map(tokens_of, rows))
    if count != sent:
        raise BackendUnavailable(
            f"{told.engine} read {count:,} tokens where {sent:,} were sent: it adds some, such as "
            "a second mark of the beginning, or cuts texts.",
            "Start it without a template or automatic truncation; or the tokenizer is another "
            "one: name the model behind the # of the address.",
        )
