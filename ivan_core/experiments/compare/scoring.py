"""Bring a run the rewards of its texts: from the score cache, else from a pool of reward models.

Only here a run reads the cache while models work, and only its writer writes: the cache before the
parts, the parts before what is told of them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, field
from functools import partial

from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.scoring import ScoredTask, ScoringPool, ScoringTask
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.compare.units import CHUNK, Wanted, batch_fact, batch_key, keep_alone
from ivan_core.metrics.trust import difference_of
from ivan_core.models.served_before import check_served_as_before
from ivan_core.runs.context import RunContext
from ivan_core.runs.writer import Writer
from ivan_core.settings import machine_load

_PROBE_TEXTS = 24
_TELLS_SECONDS = 2.0
"""How often the speed of a model is kept while it scores."""


@dataclass(frozen=True)
class Models:
    """How the steps get at reward models, without knowing where they work."""

    claim: Callable[[], None]
    """Wait for the right to load models; called before each load."""
    pool: ScoringPool
    together: bool
    """Whether all fit in memory at once, so that they can take turns on each chunk.

    They then share one token budget too, because they may share the encoder that it is for.
    """
    chunk: int = CHUNK
    """The most pairs in a chunk."""
    compare: Callable[[str, Sequence[Dialogue]], ModelCard] | None = None
    """Checks the scores of a model that was loaded for the first time in a run, by some texts."""
    notes: tuple[str, ...] = ()
    """What a reader of the run should know of where they work."""


Keep = Callable[[str, Mapping[str, Reward], int], None]
"""Keeps what was wanted, by its key: all its rewards, and how many texts the model read for them.

Called in the writer's thread, after the rewards are in the cache.
"""


@dataclass(slots=True, eq=False)
class _Promise:
    """That a task scores its texts, and their rewards once it has."""

    rewards: Mapping[str, Reward] | None = None


@dataclass(slots=True)
class _Open:
    """What was wanted and is not whole: texts it `waits` for are promised by its task or others.

    No texts are held here: a pool may be given those of a whole run at once.
    """

    key: str
    weight: int
    rewards: dict[str, Reward] = field(default_factory=dict)
    waits: dict[_Promise, list[str]] = field(default_factory=dict)
    computed: int = 0

    @property
    def is_whole(self) -> bool:
        return all(promise.rewards is not None for promise in self.waits)


@dataclass(slots=True)
class _Given:
    """What the pool was given of a model, by the hashes of its texts; a check promises none."""

    model: str
    hashes: Sequence[str] = ()
    promise: _Promise | None = None


@dataclass(slots=True)
class _Model:
    """A loaded model in a run: revision and token budget are those the run began with."""

    name: str
    card: ModelCard
    startup: float
    loading: float
    budget: int | None = None
    texts: int = 0
    seconds: float = 0.0
    told: float = 0.0
    """When its speed was kept, in monotonic time."""
    load: float = field(default_factory=machine_load)
    promised: dict[str, _Promise] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        return self.card.cache_identity


class Scoring:
    """Reward models at work for a run. Each text is scored once, whatever wants it.

    Which texts a task holds follows from the cache and the order of what is wanted, never from how
    quickly anything is done: so runs that go on, or in several processes, batch texts as any other.
    """

    def __init__(
        self, context: RunContext, models: Models, probes: Sequence[Dialogue] = ()
    ) -> None:
        """`probes` are texts that a model behind a server is checked by before its first task."""
        self.context, self._models, self._probes = context, models, probes
        self._loaded: dict[str, _Model] = {}
        self._said = ""

    def load(self, name: str) -> None:
        """Load a model, the one that the run began with; the right to do so is the caller's.

        Raises:
            BadInput: it is not the same any more.
        """
        parts, began = self.context.parts, time.perf_counter()
        key = f"card|{name}"
        kept = ModelCard.model_validate(parts.rows(key)[0]) if key in parts else None
        card = self._models.pool.load(name, kept.revision if kept else "")
        if kept is None and self._probes and self._models.compare:
            card = self._models.compare(name, self._probes)
        # In a run a model is called what the person called it: `id@revision` may stand beside `id`.
        mine = card.model_copy(update={"id": name})
        if kept is None:
            parts.append(key, [mine.model_dump(mode="json")])
        elif kept.cache_identity != mine.cache_identity:
            raise BadInput(
                f"{name} is not the same as when this run began (its revision, input format, "
                "length or precision differs).",
                "Start a new run: scores of both in one table would not be comparable.",
            )
        check_served_as_before(mine, self.context.cache)
        took = time.perf_counter() - began
        self._loaded[name] = _Model(name, card, startup=took, loading=took)

    def release(self) -> None:
        """Let go of all models."""
        self._loaded.clear()
        self._models.pool.release()

    def do(
        self,
        wanted: Iterable[Wanted],
        keep: Keep,
        done: int,
        failed: Mapping[str, dict[str, Reward]] | None = None,
        probes: Mapping[str, Sequence[Dialogue]] | None = None,
    ) -> None:
        """Have all that is wanted scored, by models that are loaded, and kept.

        `done` is the progress before, `failed` what each model could not score before, by text.
        `probes` are texts, both sides of a pair by turns, that a model scores in a batch and
        alone, to keep whether the batch shows.

        Raises:
            IvanError: a model failed, or nothing can be written. All that was scored before is
                kept.
        """
        with Writer() as writer:
            flow = _Flow(self, writer, keep, done, failed or {}, probes or {})
            with closing(self._models.pool.score(flow.tasks(wanted), flow.progress)) as scored:
                for task in scored:
                    flow.arrived(task)
            writer.write(flow.remember_speeds)
        flow.check_nothing_missing()

    def ready(self, name: str) -> None:
        """Load a model as soon as that is allowed, unless it is loaded.

        Raises:
            IvanError: it cannot be had, or is not the same any more.
        """
        if name not in self._loaded:
            self._models.claim()
            self.say(f"Loading {name}")
            self.load(name)

    @property
    def models(self) -> list[_Model]:
        """All that are loaded."""
        return list(self._loaded.values())

    def model(self, name: str) -> _Model:
        """A model that is loaded."""
        return self._loaded[name]

    def say(self, what: str) -> None:
        """Say what is going on, unless it was said last."""
        if what != self._said:
            self._said = what
            self.context.doing(what)

    def budget(self, model: _Model, texts: Sequence[Dialogue]) -> int:
        """The token budget for the whole run, by the measurement that its first worker made."""
        if model.budget is None:
            parts = self.context.parts
            own, shared = f"tokens|{model.name}", "tokens"
            key = shared if self._models.together else own
            # One that began elsewhere may have measured its models apart, or together.
            if kept := next((one for one in (key, own, shared) if one in parts), ""):
                model.budget = int(parts.rows(kept)[0])
            else:
                began = time.perf_counter()
                model.budget = self._models.pool.tune(model.name, texts[:_PROBE_TEXTS])
                model.startup += time.perf_counter() - began
                parts.append(key, [model.budget])
        self.context.start_clock()
        return model.budget


class _Flow:
    """One stream of tasks to the pool and of rewards back."""

    def __init__(
        self,
        scoring: Scoring,
        writer: Writer,
        keep: Keep,
        done: int,
        failed: Mapping[str, dict[str, Reward]],
        probes: Mapping[str, Sequence[Dialogue]],
    ) -> None:
        self._scoring, self._writer, self._keep = scoring, writer, keep
        self._context = scoring.context
        self._done, self._probes = done, probes
        self._failed = defaultdict[str, dict[str, Reward]](dict, failed)
        self._given: dict[str, _Given] = {}
        """What it has not given back yet."""
        self._open: dict[str, _Open] = {}
        self._read: dict[str, int] = {}
        self._problem: IvanError | None = None
        self._all_asked = False
        self._unkept: set[str] = set()
        """Keys of what was wanted and is not kept yet."""

    def tasks(self, wanted: Iterable[Wanted]) -> Iterator[ScoringTask]:
        """The texts that nobody has scored yet, in the order in which they are wanted."""
        for one in wanted:
            if self._problem:
                return
            self._unkept.add(one.key)
            model = self._scoring.model(one.model)
            if not self._given:
                self._scoring.say(f"Scoring with {one.model}")
            opened, missing = self._look_up(model, one)
            if missing:
                new = one.read(missing)
                budget = self._scoring.budget(model, new)
                given = _Given(one.model, missing, model.promised[missing[0]])
                yield self._give(ScoringTask(one.key, one.model, new, budget, one.label), given)
            elif one.key not in self._open:
                self._close(opened)
                self._writer.write(partial(self._keep_all, [opened]))
        for name, texts in self._probes.items():
            if self._problem:
                return
            yield from self._check(name, texts)
        self._all_asked = True

    def progress(self, key: str, texts: int) -> None:
        """Tell how far the tasks under way are."""
        self._read[key] = self._read.get(key, 0) + texts
        under_way = sum(
            self._open[one].weight * read // len(self._given[one].hashes)
            for one, read in self._read.items()
            if one in self._open
        )
        self._context.working(self._done + under_way)

    def arrived(self, scored: ScoredTask) -> None:
        """Keep what a task gave, and whatever is whole with it.

        Raises:
            BadInput: a model that scored is not the one that was loaded.
        """
        given = self._given.pop(scored.key)
        self._read.pop(scored.key, None)
        self._say()
        model = self._scoring.model(given.model)
        if scored.problem is not None:
            self._problem = self._problem or scored.problem
            return
        if scored.identity != model.identity:
            raise BadInput(
                f"{model.name} is not the same wherever it scores (its revision, input format, "
                "length or precision differs).",
                "See that all machines have the same files and settings, then resume the run.",
            )
        if given.promise is None:
            self._checked(model, scored.rewards)
            return
        kept = [reward.kept() for reward in scored.rewards]
        rewards = given.promise.rewards = dict(zip(given.hashes, kept, strict=True))
        failed = {text: reward for text, reward in rewards.items() if reward.value is None}
        self._failed[model.name].update(failed)
        model.texts, model.seconds = model.texts + len(rewards), model.seconds + scored.seconds
        if model.card.reads_once(model.budget or 0):
            self._writer.write(partial(keep_alone, self._context, scored))
        whole = [one for one in self._open.values() if one.is_whole]
        for one in whole:
            self._close(one)
        self._writer.write(partial(self._write, model, rewards, whole))

    def check_nothing_missing(self) -> None:
        """Never trust a pool to have given back all.

        Raises:
            IvanError: what a task said why it cannot be done.
        """
        if self._problem:
            raise self._problem
        if self._open or self._given or not self._all_asked:
            raise RuntimeError(f"the pool left out tasks: {[*self._given] or [*self._open]}")
        if self._unkept:
            raise RuntimeError(f"nothing was kept of {sorted(self._unkept)}")

    def _look_up(self, model: _Model, one: Wanted) -> tuple[_Open, list[str]]:
        """What is known or promised of what is wanted, and the texts that are neither."""
        opened, unknown = _Open(one.key, one.weight), []
        failures, promised = self._failed[model.name], model.promised
        for text_hash in one.hashes:
            if failed := failures.get(text_hash):
                opened.rewards[text_hash] = failed
            # Before the cache: a promise is only forgotten once the cache has it.
            elif promise := promised.get(text_hash):
                opened.waits.setdefault(promise, []).append(text_hash)
            else:
                unknown.append(text_hash)
        if model.card.lasts:
            opened.rewards |= self._context.cache.get_many(model.identity, unknown)
        missing = [text_hash for text_hash in unknown if text_hash not in opened.rewards]
        opened.computed = len(missing)
        if missing:
            own = _Promise()
            opened.waits[own] = missing
            promised |= dict.fromkeys(missing, own)
        if not opened.is_whole:
            self._open[one.key] = opened
        return opened, missing

    def _give(self, task: ScoringTask, given: _Given) -> ScoringTask:
        self._given[task.key] = given
        self._say()
        return task

    def _say(self) -> None:
        """Say which model is at work: that of the first task which is not done yet."""
        if given := next(iter(self._given.values()), None):
            self._scoring.say(
                f"Scoring with {given.model}"
                if given.promise
                else f"Checking {given.model} alone against in a batch"
            )

    def _close(self, opened: _Open) -> None:
        """Take the rewards that were waited for."""
        for promise, hashes in opened.waits.items():
            if promise.rewards is not None:
                opened.rewards |= {text_hash: promise.rewards[text_hash] for text_hash in hashes}
        opened.waits.clear()
        self._open.pop(opened.key, None)
        self._done += opened.weight

    def _write(self, model: _Model, rewards: Mapping[str, Reward], whole: list[_Open]) -> None:
        cache = self._context.cache
        if model.card.lasts:
            cache.put_many(model.identity, rewards)
            for text_hash in rewards:
                del model.promised[text_hash]
        if time.monotonic() - model.told > _TELLS_SECONDS:
            self._remember_speed(model)
        self._keep_all(whole)

    def remember_speeds(self) -> None:
        """Keep the speeds of the models on this machine, for the estimates of later plans."""
        for model in self._scoring.models:
            if model.texts:
                self._remember_speed(model)

    def _remember_speed(self, model: _Model) -> None:
        model.told = time.monotonic()
        facts = {
            "texts_per_second": model.texts / max(model.seconds, 1e-6),
            "startup": model.startup,
            "loading": model.loading,
            "load": (model.load + machine_load()) / 2,
            "cache_identity": model.identity,
        }
        self._context.cache.remember(f"model|{model.name}", facts)

    def _keep_all(self, whole: Sequence[_Open]) -> None:
        for one in whole:
            self._keep(one.key, one.rewards, one.computed)
            self._unkept.discard(one.key)

    def _check(self, name: str, texts: Sequence[Dialogue]) -> Iterator[ScoringTask]:
        model = self._scoring.model(name)
        # A server may be another one each time, so each run asks anew.
        seen = bool(texts) and model.card.server is None
        fact = batch_fact(model.identity, model.budget)
        known = self._context.cache.recall(fact) if seen else None
        if known is None and texts:
            budget = self._scoring.budget(model, texts)
            label = f"the check of batches with {name}"
            task = ScoringTask(batch_key(name), name, texts, budget, label, both_ways=True)
            yield self._give(task, _Given(name))
        else:
            self._writer.write(partial(self._context.parts.append, batch_key(name), [known]))

    def _checked(self, model: _Model, rewards: Sequence[Reward]) -> None:
        found = difference_of(rewards)
        known = astuple(found) if found else None

        def write() -> None:
            fact = batch_fact(model.identity, model.budget)
            self._context.cache.remember(fact, known)
            self._context.parts.append(batch_key(model.name), [known])

        self._writer.write(write)
