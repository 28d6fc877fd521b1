"""How fast a model scores here, each way it can, and whether every way says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

from ivan_core.backends.reward_models.batching import IN_BATCHES, ONE_AT_A_TIME, PACKED, quickest
from ivan_core.backends.reward_models.peak_memory import forget_peak, peak_bytes
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.models import Reward, RewardModel, verdict
from ivan_core.domain.pairs import Pair
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.models import reward_models
from ivan_core.settings import data_dir, machine_load

LOOP = "one text at a time"
IN_ORDER = "32 texts at a time, as they come"
_TEXTS_IN_ORDER = 32
_NO_LIMIT = 1 << 40
_PROBES = 8


@runtime_checkable
class Measurable(RewardModel, Protocol):
    """A model on this machine that can score in several ways."""

    def ways(self) -> Mapping[str, Sequence[int]]:
        """The ways beside one text at a time, by name, each with the token budgets to choose of."""
        ...

    def count_tokens(self, dialogues: Sequence[Dialogue]) -> int:
        """Tokens of the texts as the model reads them, without padding."""
        ...

    def products_seconds(self, tokens: int) -> float | None:
        """Seconds that the model's matrix products alone take for so many tokens."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """One way of scoring: under a budget of tokens, of so many texts at a time if not of all."""

    name: str
    model: RewardModel
    budget: int
    at_once: int | None = None

    def score(self, texts: Sequence[Dialogue]) -> list[Reward]:
        self.model.tune(texts[:_PROBES], self.budget)
        step = self.at_once or len(texts)
        return [
            reward
            for start in range(0, len(texts), step)
            for reward in self.model.score(texts[start : start + step])
        ]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way took and gave; seconds are the median of the rounds.

    `ratio` is how many times faster than one text at a time. `largest_difference` is of a score
    from that text's alone, `verdicts_changed` of the `verdicts` of pairs with both rewards.
    `share_of_products` is the time of the model's matrix products alone, on each text by itself, in
    the time taken: above 1 where prompts are read once. `peak_memory` is in bytes.
    """

    way: str
    tokens_a_batch: int
    seconds: float
    pairs_per_second: float
    tokens_per_second: float | None
    ratio: float
    largest_difference: float
    verdicts: int
    verdicts_changed: int
    share_of_products: float | None
    peak_memory: int


def bench_scoring(
    model: str, request: DatasetRequest, rows: int, rounds: int, limits: bool = False
) -> dict[str, Any]:
    """Score the first `rows` pairs each way, in alternating rounds; nothing is cached.

    With `limits` also batches in the data's order, padded and packed, and the products alone.

    Raises:
        IvanError: the model or the data cannot be had.
    """
    dataset = prepare(data_dir(), request)
    pairs = list(dataset.pairs(range(min(rows, dataset.rows))))
    texts = list(
        {side.hash: side for pair in pairs for side in (pair.chosen, pair.rejected)}.values()
    )
    loaded: RewardModel = reward_models.make(model)
    ways = _ways(model, loaded, texts[:_PROBES], limits)
    on_gpu = loaded.card.device.startswith("cuda")
    seconds: dict[str, list[float]] = {way.name: [] for way in ways}
    peaks = dict.fromkeys(seconds, 0)
    found: dict[str, list[Reward]] = {}
    for _ in range(rounds):
        for way in ways:
            forget_peak(on_gpu)
            start = perf_counter()
            found[way.name] = way.score(texts)
            seconds[way.name].append(perf_counter() - start)
            peaks[way.name] = max(peaks[way.name], peak_bytes(on_gpu))
    measurable = loaded if isinstance(loaded, Measurable) else None
    tokens = measurable.count_tokens(texts) if measurable else None
    products = measurable.products_seconds(tokens) if limits and measurable and tokens else None
    rewards = {
        name: {text.hash: reward for text, reward in zip(texts, given, strict=True)}
        for name, given in found.items()
    }
    measured = [
        _measured(way, pairs, seconds, rewards, tokens, products, peaks[way.name]) for way in ways
    ]
    return {
        "model": loaded.card.id,
        "revision": loaded.card.revision,
        "device": loaded.card.device,
        "dtype": loaded.card.dtype,
        "dataset": request.label,
        "pairs": len(pairs),
        "texts": len(texts),
        "tokens": tokens,
        "rounds": rounds,
        "machine_load": round(machine_load(), 2),
        "products_seconds": products,
        "ways": [asdict(one) for one in measured],
    }


def _ways(model: str, loaded: RewardModel, probes: Sequence[Dialogue], limits: bool) -> list[Way]:
    """The ways to measure, each under the budget that is fastest on the probes."""
    found = _ways_of(loaded, probes)
    plain = loaded
    if any(way.name == PACKED for way in found):
        plain = reward_models.make(model, plain=True)
        found = [*_ways_of(plain, probes), *found]
    ways = [Way(LOOP, plain, ONE_AT_A_TIME)]
    if limits and isinstance(plain, Measurable):
        ways.append(Way(IN_ORDER, plain, _NO_LIMIT, _TEXTS_IN_ORDER))
    return [*ways, *found]


def _ways_of(model: RewardModel, probes: Sequence[Dialogue]) -> list[Way]:
    if not isinstance(model, Measurable):
        return [Way(IN_BATCHES, model, model.tune(probes))]
    return [_best(name, model, budgets, probes) for name, budgets in model.ways().items()]


def _best(name: str, model: RewardModel, budgets: Sequence[int], probes: Sequence[Dialogue]) -> Way:
    tried = {budget: Way(name, model, budget) for budget in budgets}
    return tried[quickest(lambda budget: tried[budget].score(probes), budgets)]


def _measured(
    way: Way,
    pairs: Sequence[Pair],
    seconds: Mapping[str, Sequence[float]],
    rewards: Mapping[str, Mapping[str, Reward]],
    tokens: int | None,
    products: float | None,
    peak: int,
) -> Measured:
    took = median(seconds[way.name])
    alone, here = rewards[LOOP], rewards[way.name]
    values = ((alone[text].value, here[text].value) for text in alone)
    apart = [abs(a - b) for a, b in values if a is not None and b is not None]
    verdicts = [
        (before, after)
        for pair in pairs
        if (before := verdict(alone[pair.chosen.hash], alone[pair.rejected.hash]))
        and (after := verdict(here[pair.chosen.hash], here[pair.rejected.hash]))
    ]
    return Measured(
        way=way.name,
        tokens_a_batch=0 if way.at_once else abs(way.budget),
        seconds=round(took, 3),
        pairs_per_second=round(len(pairs) / took, 2),
        tokens_per_second=None if tokens is None else round(tokens / took, 1),
        ratio=round(median(seconds[LOOP]) / took, 3),
        largest_difference=max(apart, default=0.0),
        verdicts=len(verdicts),
        verdicts_changed=sum(before != after for before, after in verdicts),
        share_of_products=None if products is None else round(products / took, 3),
        peak_memory=peak,
    )
