"""Time an analysis of a big study, in one process: `python bench_analysis.py [PAIRS]`.

Made-up rewards of two models and labels of one labeler, at about hh-rlhf's prevalences, a tenth of
the prompts repeated. Prints JSON: seconds of each table and of all, and the process's largest
memory in MiB.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.experiments.analysis.joined import Joined, Judged, Labelled
from ivan_core.experiments.analysis.steps import against, rewards
from ivan_core.experiments.analysis.steps.outcomes import outcomes
from ivan_core.experiments.analysis.steps.people import People, checked
from ivan_core.experiments.analysis.steps.published import published, who_of

TOPICS, DESCRIBED = 12, 1_000


def made_up(pairs: int) -> Joined:
    draw = np.random.default_rng(0)
    chosen = (draw.random((pairs, len(REGRESSION_FEATURES))) < 0.2).astype(float)
    same = draw.random((pairs, len(REGRESSION_FEATURES))) < 0.8
    rejected = np.where(same, chosen, 1 - chosen)
    length = draw.normal(size=pairs)
    effects = draw.normal(size=len(REGRESSION_FEATURES))
    margins = [
        (chosen - rejected) @ effects * size + 0.3 * length + draw.normal(size=pairs)
        for size in (0.3, 0.1)
    ]
    prompts = np.where(draw.random(pairs) < 0.9, np.arange(pairs), draw.integers(0, pairs, pairs))
    topics = draw.random((pairs, TOPICS)) < 0.08
    names = tuple(f"topic {number}" for number in range(TOPICS))
    labelled = Labelled(
        "run", "made-up", REGRESSION_FEATURES, chosen, rejected, chosen - rejected, names, topics
    )
    models = {
        f"model-{number}": Judged(margin, float(np.sqrt(np.mean(margin**2))))
        for number, margin in enumerate(margins)
    }
    subset = np.array(["harmless", "helpful"], dtype=object)[draw.integers(0, 2, pairs)]
    rows = np.arange(pairs, dtype=np.int64)
    return Joined(rows, prompts, prompts % 10, length, subset, models, {"run": labelled})


def described(joined: Joined) -> People:
    """People who say the same as the labeler of some pairs, and nothing of the others."""
    own = joined.labelers["run"]
    of = (np.arange(len(joined)) < DESCRIBED)[:, None]
    sides = {name: np.where(of, getattr(own, name), np.nan) for name in ("chosen", "rejected")}
    return People(2, replace(own, **sides))


def main(pairs: int) -> None:
    joined = made_up(pairs)
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], object]) -> object:
        began = perf_counter()
        found = work()
        seconds[name] = round(perf_counter() - began, 2)
        return found

    began = perf_counter()
    found, people = outcomes(joined, "run"), described(joined)
    tables: dict[str, Callable[[], object]] = {
        "imprint": lambda: rewards.imprint([found]),
        "imprint with people": lambda: rewards.imprint([found], people),
        "corrected": lambda: rewards.as_people(found, people),
        "checked": lambda: checked(joined, people),
        "explained": lambda: rewards.explains(found),
        "importance": lambda: rewards.matters(found),
        "topics": lambda: rewards.by_topic(found, joined.subset),
        "choice": lambda: rewards.choices(joined, "run"),
        "misaligned": lambda: against.misaligned(joined, "run"),
        "regimes": lambda: against.by_regime(joined, "run", "model-1", "model-0"),
        "why": lambda: against.whys(found),
        "shift": lambda: against.shifts(joined, "run", "model-1", "model-0"),
    }
    tables_of: dict[str, Any] = {name: timed(name, work) for name, work in tables.items()}
    of = who_of(joined, "model-1", "model-0")
    assert of is not None
    judged = {
        name: np.column_stack([one.margin, np.zeros(pairs)]) for name, one in joined.models.items()
    }
    timed("published", lambda: published(joined, judged, of, tables_of, None))
    seconds["all"] = round(perf_counter() - began, 2)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"pairs": pairs, "seconds": seconds, "mib": round(mib)}, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 160_800)
