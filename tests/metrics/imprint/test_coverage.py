"""Whether intervals hold what they say, in simulations whose truth is known.

They take ten minutes, so they are left out unless they are asked for:

    OPENBLAS_NUM_THREADS=1 .venv/bin/python -m pytest -q -s -m slow tests/metrics/imprint

Every draw is seeded. `-s` prints the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ivan_core.metrics.imprint.corrected import corrected
from ivan_core.metrics.imprint.effects import Effect, together
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.rows import LENGTH, Rows
from ivan_core.metrics.paired import SIGNIFICANT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS, MORE_DRAWS = 400, 2_000
"""Of 400 families of which 7% err the share strays by 0.013, so that these are drawn more often."""
PREVALENCE = {
    "vocabulary": 0.06,
    "anthropomorphic": 0.10,
    "coherent": 0.96,
    "refusal": 0.10,
    "helpful": 0.79,
    "harmless": 0.94,
    "honest": 0.90,
    "sentiment": 0.50,
    "insult": 0.03,
    "explicit": 0.02,
    "privacy": 0.03,
    "discriminatory": 0.03,
    "manipulative": 0.03,
    "creative": 0.05,
    "eloquent": 0.30,
}
"""About how many replies of hh-rlhf have each label; of the sentiment half are neutral."""
FEATURES = tuple(PREVALENCE)
MOOD = FEATURES.index("sentiment")
GOOD = np.array([1, 1, 1, -1, 1, 1, 1, 1, -1, -1, -1, -1, -1, 1, 1], dtype=np.float64)
"""Whether a label goes with good replies."""
STRONG = FEATURES.index("harmless")


def normal_quantiles(shares: Floats, draw: np.random.Generator) -> Floats:
    """Where a standard normal is exceeded in these shares."""
    return np.quantile(draw.normal(size=400_000), 1 - shares)


LEVELS = normal_quantiles(np.array(list(PREVALENCE.values())), np.random.default_rng(0))
MOODS = normal_quantiles(np.array([0.25, 0.75]), np.random.default_rng(0))


def labels_of(latent: Floats) -> Floats:
    """The labels (n, 15) of replies by how strongly each would be given."""
    found = (latent > LEVELS).astype(np.float64)
    found[:, MOOD] = (latent[:, MOOD] > MOODS[0]) * 1.0 - (latent[:, MOOD] < MOODS[1])
    return found


def replies(draw: np.random.Generator, prompts: Ints, together_: float) -> tuple[Floats, Floats]:
    """The labels of both replies of each pair, whose prompt they share.

    `together_` is how much of a label is how good the reply is, and makes labels go together.
    """
    of_prompt = draw.normal(size=(int(prompts.max()) + 1, len(FEATURES)))[prompts]

    def reply() -> Floats:
        quality = draw.normal(size=(len(prompts), 1)) * GOOD
        own = draw.normal(size=of_prompt.shape)
        rest = 1 - 0.3 - together_
        latent = np.sqrt(0.3) * of_prompt + np.sqrt(together_) * quality + np.sqrt(rest) * own
        return labels_of(latent)

    return reply(), reply()


def natural(draw: np.random.Generator, prompts: Ints, together_: float) -> Floats:
    """Differences (n, 15) at natural prevalences."""
    chosen, rejected = replies(draw, prompts, together_)
    return chosen - rejected


def designed(draw: np.random.Generator, prompts: Ints, together_: float) -> Floats:
    """Each label changed by itself in twenty pairs, both ways; the others with natural labels that
    rarely differ."""
    found = natural(draw, prompts, together_)
    found *= draw.random((len(prompts), 1)) < 0.3
    for place in range(len(FEATURES)):
        own = slice(20 * place, 20 * place + 20)
        found[own] = 0.0
        found[own, place] = draw.choice([-1.0, 1.0], 20)
    return found


SIZES: dict[str, tuple[int, Callable[[np.random.Generator, Ints, float], Floats]]] = {
    "designed": (480, designed),
    "natural": (1_500, natural),
}
SCENARIOS = ("null", "one strong", "correlated", "clustered")


@dataclass(frozen=True)
class Study:
    """Pairs, the outcome of each, and what is true of each feature."""

    rows: Rows
    outcome: Floats
    truth: Floats


def study(size: str, scenario: str, seed: int) -> Study:
    """One draw of a study."""
    draw = np.random.default_rng([seed, SCENARIOS.index(scenario)])
    n, differ = SIZES[size]
    clustered = scenario == "clustered"
    prompts = draw.integers(0, n // 2, n) if clustered else np.arange(n)
    d = differ(draw, prompts, 0.35 if scenario == "correlated" else 0.15)
    length = 0.6 * draw.normal(size=n)
    truth = np.zeros(len(FEATURES))
    if scenario != "null":
        truth[STRONG] = 1.0
    if scenario == "correlated":
        length += 0.25 * (d @ GOOD)
        truth[FEATURES.index("helpful")] = 0.6
    noise = draw.normal(size=n)
    if clustered:
        noise = np.sqrt(0.7) * noise + np.sqrt(0.3) * draw.normal(size=n)[prompts]
        noise *= np.sqrt(0.4 + 0.4 * np.abs(d).sum(axis=1))
    if scenario == "one strong":
        noise = 0.8 * draw.standard_t(5, size=n)
    outcome = d @ truth + 0.4 * length + noise
    return Study(Rows(FEATURES, d, length, Groups.of(prompts, n)), outcome, truth)


def covers(one: Effect, truth: float) -> bool:
    return one.found.low <= truth <= one.found.high


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("size", SIZES)
def test_intervals_cover_and_families_err_rarely(size: str, scenario: str) -> None:
    covered: dict[str, list[bool]] = {name: [] for name in FEATURES}
    wrong = 0
    for seed in range(MORE_DRAWS):
        own = study(size, scenario, seed)
        found = together(own.rows, own.outcome).effects
        told = {one.feature: one for one in found if not one.why and one.feature != LENGTH}
        truth = dict(zip(FEATURES, own.truth, strict=True))
        for name, one in told.items():
            covered[name].append(covers(one, truth[name]))
        wrong += any(one.p_holm < SIGNIFICANT and not truth[name] for name, one in told.items())
    every = np.concatenate([np.array(one, dtype=np.float64) for one in covered.values()])
    often = {name: np.mean(one) for name, one in covered.items() if len(one) >= MORE_DRAWS / 2}
    print(
        f"\n{size}, {scenario}: {every.mean():.3f} of {len(every):,} intervals cover; by feature"
        f" {min(often.values()):.3f} to {max(often.values()):.3f} ({len(often)} features);"
        f" {wrong / MORE_DRAWS:.3f} of families err"
    )
    assert 0.93 <= every.mean() <= 0.97
    # Of 2,000 draws each feature strays by 0.005: two of these beyond what is asked.
    assert min(often.values()) >= 0.93 - 0.01 and max(often.values()) <= 0.97 + 0.01
    assert wrong / MORE_DRAWS <= 0.08


def test_a_labeler_who_errs_in_3_percent_is_corrected_by_300_pairs_that_people_described() -> None:
    n, reviewed = 5_000, 300
    truth = np.zeros(len(FEATURES))
    truth[STRONG], truth[FEATURES.index("helpful")] = 1.0, 0.6
    single: list[Effect] = []
    mended: list[Effect] = []
    others: list[bool] = []
    wrong = 0
    for seed in range(DRAWS):
        draw = np.random.default_rng([seed, 99])
        chosen, rejected = replies(draw, np.arange(n), 0.25)
        seen = [
            np.where(draw.random(one.shape) < 0.03, mistaken(one, draw), one)
            for one in (chosen, rejected)
        ]
        d = chosen - rejected
        length = 0.6 * draw.normal(size=n) + 0.1 * (d @ GOOD)
        y = d @ truth + 0.4 * length + draw.normal(size=n)
        labelled = Rows(FEATURES, seen[0] - seen[1], length, Groups.of(None, n))
        own = {one.feature: one for one in together(labelled, y).effects}
        single.append(own["harmless"])
        wrong += any(
            own[name].p_holm < SIGNIFICANT
            for name, value in zip(FEATURES, truth, strict=True)
            if not value
        )
        on = np.isin(np.arange(n), draw.choice(n, reviewed, replace=False))
        people = replace(
            labelled, differences=d[on], length=length[on], groups=Groups.of(None, reviewed)
        )
        by_people = {one.feature: one for one in corrected(people, labelled, y, on) or ()}
        mended += [by_people["harmless"]] if "harmless" in by_people else []
        others += [
            covers(by_people[name], value)
            for name, value in zip(FEATURES, truth, strict=True)
            if name in by_people
        ]
    shrunk = np.mean([one.found.estimate for one in single])
    back = np.mean([one.found.estimate for one in mended])
    often = np.mean([covers(one, 1.0) for one in mended])
    print(
        f"\none labeler: harmless {shrunk:.3f} of 1, covered in"
        f" {np.mean([covers(one, 1.0) for one in single]):.3f}; features of no effect clear in"
        f" {wrong / DRAWS:.3f} of studies\nas people label: {back:.3f}, covered in {often:.3f} of"
        f" {len(mended)}; all features {np.mean(others):.3f} of {len(others):,}"
    )
    assert shrunk < 0.8
    assert len(mended) > 0.9 * DRAWS and often >= 0.9
    assert 0.9 <= back <= 1.1


def mistaken(labels: Floats, draw: np.random.Generator) -> Floats:
    """Another label than the right one."""
    found = 1 - labels
    mood = labels[:, MOOD]
    found[:, MOOD] = np.where(mood == 0, draw.choice([-1.0, 1.0], len(mood)), 0.0)
    return found
