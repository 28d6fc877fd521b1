"""Print the tables of the handbook's chapter on scale: measured figures, formulas, what follows.

`python tests/bench/scale_tables.py` prints what `docs/scale.md` holds, table by table. After a new
measurement, change the figures here and paste; a test holds both equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

PAIRS = (160_800, 10_000_000, 1_000_000_000)
MODELS = 4


@dataclass(frozen=True)
class Figure:
    """A measured number: its letter in the formulas and, for a reader, its unit and origin."""

    letter: str
    value: float
    unit: str
    what: str
    how: str


CPU = Figure(
    "v (CPU)", 0.42, "pairs/s", "DeBERTa-v3-large shape on two cores, float32", "16 real pairs"
)
GPU = Figure(
    "v (GPU)",
    1_300,
    "pairs/s",
    "the same on one H100, float16, packed, mean of 159 tokens a text",
    "2,312 real pairs, 1,120 to 1,430",
)
TOKENISE = Figure(
    "t", 0.34, "ms a pair", "tokenising, in a thread beside the model", "sentence pairs; chats .41"
)
PREPARE = Figure("p", 0.026, "ms a pair", "reading the data, once", "`bench_bookkeeping.py 160800`")
KEEP = Figure(
    "k",
    0.039,
    "ms a pair and model",
    "cache, parts, progress, tables, in one process",
    "`bench_bookkeeping.py 160800`",
)
DATA = Figure("d", 1_356, "bytes a pair", "the data as it is kept on disk", "160,800 pairs")
SCORE = Figure("s", 36, "bytes a text and model", "a row of the score cache", "600,000 scores")
KEPT = Figure(
    "r", 138, "bytes a pair and model", "parts 62, table 31, CSV file 45", "160,800 pairs"
)
READING = Figure(
    "m", 330, "bytes a pair", "memory while the data is read", "160,800 pairs less 30,000"
)
DRIVING = Figure(
    "c", 540, "bytes a pair", "memory of the process that feeds Ray", "160,800 pairs less 30,000"
)
OPENED = Figure(
    "o",
    180,
    "bytes a pair and model",
    "memory of the server once a page shows the run",
    "1,608,000 pairs, 2 models",
)
FIGURES = (CPU, GPU, TOKENISE, PREPARE, KEEP, DATA, SCORE, KEPT, READING, DRIVING, OPENED)


@dataclass(frozen=True)
class Machine:
    """What scores: so many cards (or processors), each with its speed and price an hour."""

    name: str
    cards: int
    pairs_a_second: float
    dollars_an_hour: float


MACHINES = (
    Machine("1 CPU, two cores", 1, CPU.value, 0.10),
    Machine("1 GPU", 1, GPU.value, 3.00),
    Machine("8 GPUs", 8, GPU.value, 3.00),
    Machine("a cluster of 64 GPUs", 64, GPU.value, 3.00),
)


def seconds(pairs: int, machine: Machine) -> float:
    """P × p + P × M × max(1 / (g × v), t / g, k): what is slowest sets the pace."""
    cards = machine.cards
    slowest = max(
        1 / (cards * machine.pairs_a_second), TOKENISE.value / 1e3 / cards, KEEP.value / 1e3
    )
    return pairs * (PREPARE.value / 1e3 + MODELS * slowest)


def dollars(pairs: int, machine: Machine) -> float:
    """g × price × seconds / 3,600."""
    return machine.cards * machine.dollars_an_hour * seconds(pairs, machine) / 3_600


SIZES: Sequence[tuple[str, str, Callable[[int], float]]] = (
    (
        "on disk",
        "P × (d + M × (2 × s + r))",
        lambda pairs: pairs * (DATA.value + MODELS * (2 * SCORE.value + KEPT.value)),
    ),
    ("memory, reading the data", "P × m", lambda pairs: pairs * READING.value),
    ("memory, feeding Ray", "P × c", lambda pairs: pairs * DRIVING.value),
    (
        "memory of the server, the run opened",
        "P × M × o",
        lambda pairs: pairs * MODELS * OPENED.value,
    ),
)


def told(amount: float) -> str:
    """Seconds in the unit that people would say them in."""
    for unit, size in (("years", 31_557_600), ("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if amount >= 2 * size:
            return f"{_round(amount / size)} {unit}"
    return f"{_round(amount)} seconds"


def bytes_told(amount: float) -> str:
    """Bytes in decimal gigabytes or terabytes."""
    return f"{_round(amount / 1e12)} TB" if amount >= 1e12 else f"{_round(amount / 1e9)} GB"


def _round(value: float) -> str:
    """Two digits that mean something."""
    return f"{float(f'{value:.2g}'):,.{0 if value >= 9.5 else 1 if value >= 0.95 else 2}f}"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def tables() -> Iterator[str]:
    """Time and money, then space, then the figures behind them."""
    sizes = [f"{pairs:,} pairs" for pairs in PAIRS]
    yield _table(
        ["", *sizes],
        (
            [
                machine.name,
                *(
                    f"{told(seconds(pairs, machine))}, {_round(dollars(pairs, machine))} USD"
                    for pairs in PAIRS
                ),
            ]
            for machine in MACHINES
        ),
    )
    yield _table(
        ["", "Formula", *sizes],
        (
            [name, text, *(bytes_told(amount(pairs)) for pairs in PAIRS)]
            for name, text, amount in SIZES
        ),
    )
    yield _table(
        ["", "Value", "What", "Measured with"],
        ([one.letter, f"{one.value:,} {one.unit}", one.what, one.how] for one in FIGURES),
    )


if __name__ == "__main__":
    print("\n\n".join(tables()))
