"""How far the rules agree with the sample: `python -m ivan_core.backends.lexicon.agreement`.

Each minimal pair of the sample says how one feature differs between its two sides. The rules were
written while looking at every other pair of a feature (the even ones); the odd ones were kept
unseen and are the honest figure. With `--rows FILE` it prints instead how often each label is
given to chosen and to rejected texts of a JSONL file.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ivan_core.backends.lexicon.labeler import explain
from ivan_core.datasets.sources import sample_file
from ivan_core.domain.labels import FEATURES, Label
from ivan_core.domain.pairs import SIDES

HALVES = ("seen", "unseen")


@dataclass(frozen=True, slots=True)
class Judgement:
    """One side of a minimal pair: what the sample says of it and what the rules say."""

    feature: str
    half: str
    reference: str
    label: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """Texts of one feature and half: how many, how many agree, and who finds the feature in them.

    The feature is found where a label is True, or for the tone where it is positive.
    """

    texts: int
    agree: int
    positive_reference: int
    positive_rules: int


def judgements(path: Path) -> list[Judgement]:
    """Both sides of every minimal pair in a sample file, labelled by the rules."""
    judged = []
    seen: dict[str, int] = {}
    for row in _rows(path):
        feature = str(row.get("feature") or "")
        if not feature:
            continue
        half = HALVES[seen.get(feature, 0) % 2]
        seen[feature] = seen.get(feature, 0) + 1
        for side in SIDES:
            label = explain(str(row[side]))[feature].label
            judged.append(Judgement(feature, half, str(row[f"{side}_value"]), str(label)))
    return judged


def agreement(judged: list[Judgement], feature: str, half: str) -> Agreement:
    """Counts over one feature and half."""
    chosen = [one for one in judged if one.feature == feature and one.half == half]
    return Agreement(
        len(chosen),
        sum(one.reference == one.label for one in chosen),
        sum(one.reference in ("True", "positive") for one in chosen),
        sum(one.label in ("True", "positive") for one in chosen),
    )


def prevalence(path: Path, limit: int) -> dict[str, dict[str, float]]:
    """For each feature and side the share of texts with it, over the first `limit` rows.

    The tone counts as −1, 0 or 1, a list as whether it names anything.
    """
    sums = {key: dict.fromkeys(SIDES, 0.0) for key in FEATURES}
    rows = 0
    for row in islice(_rows(path), limit):
        rows += 1
        for side in SIDES:
            for key, decision in explain(str(row[side])).items():
                sums[key][side] += _number(decision.label)
    return {
        key: {side: total / rows for side, total in by_side.items()}
        for key, by_side in sums.items()
        if rows
    }


def _number(label: Label) -> float:
    if isinstance(label, str):
        return {"negative": -1.0, "positive": 1.0}.get(label, 0.0)
    return float(bool(label))


def _rows(path: Path) -> Iterator[dict[str, object]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    for line in text.split("\n"):
        if line.strip():
            yield json.loads(line)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=Path, help="a JSONL file of chosen and rejected texts")
    parser.add_argument("--limit", type=int, default=200, help="first rows of it, default 200")
    asked = parser.parse_args()
    if asked.rows:
        print(f"{'':42}{'chosen':>10}{'rejected':>10}")
        for key, sides in prevalence(asked.rows, asked.limit).items():
            print(f"{key:42}{sides['chosen']:>10.3f}{sides['rejected']:>10.3f}")
        return
    judged = judgements(sample_file())
    print(f"{'':36}{'half':>8}{'texts':>7}{'agree':>7}{'sample +':>10}{'rules +':>9}")
    for feature in dict.fromkeys(one.feature for one in judged):
        for half in HALVES:
            one = agreement(judged, feature, half)
            print(
                f"{feature:36}{half:>8}{one.texts:>7}{one.agree:>7}"
                f"{one.positive_reference:>10}{one.positive_rules:>9}"
            )


if __name__ == "__main__":
    main()
