"""What a comparison costs beside its model: `bench_bookkeeping.py [PAIRS] [MODEL] [TOKENIZER]`.

Made-up pairs in chunks as on a graphics card, and a model that takes a constant time a text: so
many microseconds in the MODEL and in the TOKENIZER, by default none. Prints JSON: CPU seconds of
the process in all and in each part (some parts are within another), each also for 100,000 pairs,
and the wall time against the longer of model and tokenizer. CPU seconds of a part count its own
thread alone.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter, process_time, sleep, thread_time
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pandas  # noqa: F401 - loaded here, so that the time it takes is not counted
import pyarrow.parquet  # noqa: F401

from ivan_core.backends.pools.here import PoolHere
from ivan_core.datasets import prepare as preparing
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.compare import steps, work as compare_work
from ivan_core.experiments.compare.scoring import Models
from ivan_core.experiments.compare.units import GPU_CHUNK
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.context import Parts, RunContext
from ivan_core.runs.registry import Registry
from ivan_core.worker import work
from tests.bench.big.make import make_pairs

PAIRS = 160_800
"""As many as hh-rlhf has to train with."""


class Constant:
    """A model whose rewards are digits of the texts' hashes, after a constant time a text."""

    def __init__(self, name: str, model: float, tokenizer: float) -> None:
        self.card = ModelCard(
            id=name, revision="made up", input_format="reply", max_tokens=512, trained_on_hh=False
        )
        self._model, self._tokenizer = model, tokenizer

    def read(self, dialogues: Sequence[Dialogue]) -> list[str]:
        """The hashes of the texts."""
        sleep(self._tokenizer * len(dialogues))
        return [dialogue.hash for dialogue in dialogues]

    def score_read(
        self, read: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """Numbers below 1 that a float32 holds."""
        sleep(self._model * len(read))
        return [Reward(int(one[:6], 16) / 2**24) for one in read]

    def score(
        self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """Both, one after the other."""
        return self.score_read(self.read(dialogues), progress)

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        """Nothing is measured."""
        return known or 4_096


class Parted:
    """CPU seconds by part, of the thread that does it."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def watch(self, owner: Any, name: str, part: str) -> None:
        """Time every call of a function or method; of a generator, every step."""
        done = getattr(owner, name)

        def timed(*given: Any, **named: Any) -> Any:
            began = thread_time()
            answer = done(*given, **named)
            self.seconds[part] += thread_time() - began
            return self._steps(answer, part) if hasattr(answer, "__next__") else answer

        setattr(owner, name, timed)

    def _steps(self, steps: Any, part: str) -> Any:
        while True:
            began = thread_time()
            with suppress(StopIteration):
                step = next(steps)
                self.seconds[part] += thread_time() - began
                yield step
                continue
            self.seconds[part] += thread_time() - began
            return


def watch_all() -> Parted:
    """The parts of the bookkeeping."""
    parted = Parted()
    for owner, name, part in (
        (preparing, "_write", "preparing the dataset"),
        (steps._Comparing, "wanted", "reading pairs"),
        (PreparedDataset, "hashed_texts", "reading pairs"),
        (ScoreCache, "get_many", "cache: reading"),
        (ScoreCache, "put_many", "cache: writing"),
        (ScoreCache, "remember", "cache: speeds"),
        (Parts, "append", "parts: writing"),
        (Parts, "all", "parts: reading"),
        (RunContext, "finished", "registry: progress and live points"),
        (RunContext, "working", "registry: inside chunks"),
        (RunContext, "doing", "registry: what is going on"),
        (compare_work, "scores_table", "table"),
        (compare_work, "summarise", "summary"),
        (compare_work, "write_csvs", "CSV files"),
        (compare_work, "write_results", "Parquet file and manifest"),
        (compare_work, "trust_strips", "trust strips"),
        (Constant, "score_read", "the made-up model itself"),
    ):
        parted.watch(owner, name, part)
    return parted


def measure(rows: int, model: float, tokenizer: float) -> dict[str, Any]:
    """Compare in a folder of its own; seconds by part."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"IVAN_DATA_DIR": folder, "IVAN_SLOT_FILE": f"{folder}/slot"}
        source = Path(folder) / "pairs.jsonl"
        with source.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(pair)}\n" for pair in make_pairs(rows, 0))
        parted, registry = watch_all(), Registry(Path(folder))
        spec = CompareSpec(dataset=DatasetRequest(source=str(source)), models=("made/up",))
        run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)

        def provide(*_: object) -> Models:
            pool = PoolHere(lambda name, _: Constant(name, model, tokenizer))
            return Models(lambda: None, pool, together=True, chunk=GPU_CHUNK)

        kinds = {"compare": lambda job: compare_work.work_compare(job, provide)}
        wall, cpu, main = perf_counter(), process_time(), thread_time()
        work(registry, run_id, kinds)
        wall, cpu = perf_counter() - wall, process_time() - cpu
        main = thread_time() - main
        run, parts = registry.get(run_id), dict(parted.seconds)
        other = spec.model_copy(update={"seed": 1})
        other_id, _ = registry.add(other.kind, other.model_dump_json(), other.fingerprint)
        again = process_time()
        work(registry, other_id, kinds)
        again = process_time() - again
    longer = max(model, tokenizer) * 2 * rows
    return {
        "pairs": rows,
        "state": str(run.state),
        "wall seconds": round(wall, 2),
        "model or tokenizer, the longer": round(longer, 2),
        "wall by that": round(wall / longer, 3) if longer else None,
        "CPU seconds": round(cpu, 2),
        "CPU seconds for 100,000 pairs": round(cpu / rows * 1e5, 2),
        "of them without preparing the dataset, which is done once": round(
            (cpu - parts["preparing the dataset"]) / rows * 1e5, 2
        ),
        "of them in the main thread, which the model waits for": round(main / rows * 1e5, 2),
        "parts, for 100,000 pairs": {
            part: round(seconds / rows * 1e5, 2)
            for part, seconds in sorted(parts.items(), key=lambda one: -one[1])
        },
        "CPU seconds for 100,000 pairs once more, in another order: all scores are known": round(
            again / rows * 1e5, 2
        ),
    }


if __name__ == "__main__":
    asked = [float(text) for text in sys.argv[1:]]
    asked += [PAIRS, 0, 0][len(asked) :]
    print(json.dumps(measure(int(asked[0]), asked[1] / 1e6, asked[2] / 1e6), indent=1))
