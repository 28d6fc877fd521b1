"""Times word differences, as the pages mark them.

    python tests/bench/bench_differences.py

Prints processor seconds for replies of 1,600 words and for the worst texts that are compared.
"""

from __future__ import annotations

import random
import time

from ivan_core.metrics.differences import word_differences

WORDS = [f"word{number}" for number in range(3_000)]


def reworded(words: list[str], draw: random.Random) -> list[str]:
    """A tenth of the words left out, a tenth replaced."""
    kept = [word for word in words if draw.random() > 0.1]
    return [draw.choice(WORDS) if draw.random() < 0.1 else word for word in kept]


def cases() -> dict[str, tuple[str, str]]:
    """Texts as people write them, where few words make up the most, and texts that repeat."""
    draw = random.Random(0)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    long, other = (draw.choices(WORDS, weights, k=1_600) for _ in range(2))
    found = {
        "1,600 words, reworded": (" ".join(long), " ".join(reworded(long, draw))),
        "1,600 words, two replies": (" ".join(long), " ".join(other)),
    }
    for times in (60, 100, 150, 250, 600, 1_300):
        found[f"a a b, {times} times"] = "a a b " * times, "a b b " * times
        found[f"a b, {times} times"] = "a b " * times, "b a " * times
        found[f"a…j, {times} times"] = (
            "a b c d e f g h i j " * times,
            "j i h g f e d c b a " * times,
        )
    return found


def main() -> None:
    for name, (left, right) in cases().items():
        start = time.process_time()
        told = word_differences(left, right)
        seconds = time.process_time() - start
        print(f"{name:<26} {seconds:7.3f} s{'' if told else '   not compared'}")


if __name__ == "__main__":
    main()
