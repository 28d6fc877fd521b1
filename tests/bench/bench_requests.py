"""Times the preparation of the requests for a dataset as large as hh-rlhf: 160,800 pairs.

Then all are taken for answered, and the same texts are prepared once more: nothing is left to ask.

    python tests/bench/bench_requests.py [PAIRS]

Prints seconds, the most memory held, and what the files hold. Nothing is sent.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PAIRS = 160_800
TEXT = (
    "I would like to know how people usually plan a long walk through the hills when the weather "
    "may change and nobody has brought a map, because my friends never agree on anything at all"
)
WORDS = TEXT.split()


def write_dataset(path: Path, pairs: int) -> None:
    """Dialogues of two to six turns, about as long as those of hh-rlhf (mean 890 characters)."""
    draw = random.Random(0)

    def turns() -> str:
        said = ""
        for _ in range(draw.randint(1, 3)):
            ask, reply = draw.choices(WORDS, k=25), draw.choices(WORDS, k=draw.randint(20, 110))
            said += f"\n\nHuman: {' '.join(ask)}?\n\nAssistant: {' '.join(reply)}."
        return said

    with path.open("w") as file:
        for number in range(pairs):
            file.write(json.dumps({"chosen": f"{turns()} {number}", "rejected": turns()}) + "\n")


def main(pairs: int) -> None:
    with TemporaryDirectory() as folder:
        os.environ["IVAN_DATA_DIR"] = str(Path(folder) / "data")
        os.environ["OPENAI_API_KEY"] = "sk-nobody"  # nothing is sent
        source = Path(folder) / "pairs.jsonl"
        write_dataset(source, pairs)
        from ivan_core.domain.specs import DatasetRequest, TaxonomySpec
        from ivan_core.engine.imports import read_dataset
        from ivan_core.engine.work import at_work
        from ivan_core.experiments.batches.job import KIND, open_job
        from ivan_core.experiments.batches.work import work_taxonomy
        from ivan_core.runs.registry import Registry
        from ivan_core.settings import data_dir

        request = read_dataset(DatasetRequest(source=str(source)))
        spec = TaxonomySpec(dataset=request, model="gpt-6-luna")
        registry = Registry(data_dir())
        run_id, _ = registry.add(KIND, spec.model_dump_json(), spec.fingerprint)
        registry.begin(run_id)
        started = time.monotonic()
        with at_work(registry, run_id, TaxonomySpec) as job:
            work_taxonomy(job)
        seconds = time.monotonic() - started
        estimate = open_job(run_id, registry).estimate()
        assert estimate is not None
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        size = sum(file.bytes for file in estimate.files) / 1e9
        print(f"{estimate.requests:,} requests in {seconds:.0f} s, {peak:.2f} GiB at the most")
        print(f"{len(estimate.files)} files, {size:.2f} GB, {estimate.input_tokens:,} input tokens")
        prepare_again(registry, run_id)


def prepare_again(registry: Any, first: str) -> None:
    """Answer all requests of a run, and time what a second one takes over from it."""
    from ivan_core.demo.answers import label
    from ivan_core.domain.labels import FEATURES
    from ivan_core.domain.models import ModelReply
    from ivan_core.domain.specs import TaxonomySpec
    from ivan_core.engine.work import at_work
    from ivan_core.experiments.batches.answers import answer_record
    from ivan_core.experiments.batches.collect import result_path
    from ivan_core.experiments.batches.job import open_job
    from ivan_core.experiments.batches.kept_answers import keep_answers, reuse_for
    from ivan_core.experiments.batches.work import work_taxonomy
    from ivan_core.labels.request_files import read_bodies
    from ivan_core.ledger.records import Confirmation, PartKey

    job = open_job(first, registry)
    estimate = job.estimate()
    assert estimate is not None
    reuse = reuse_for(job, 2)
    assert reuse is not None
    given = Confirmation(first, 1, estimate.plan_hash, 0.0, 0.0, "bench", False)
    job.ledger.confirm(given, [], reuse.account)
    said = ModelReply(label(FEATURES, "Hello"), finish="stop")
    for file in estimate.files:
        path = result_path(job.folder, PartKey(first, file.part, 1), "output")
        path.parent.mkdir(parents=True, exist_ok=True)
        with (job.data_dir / file.path).open("rb") as lines, path.open("w") as out:
            for custom_id, _ in read_bodies(lines):
                out.write(json.dumps(answer_record(custom_id, "m", said)) + "\n")
    started = time.monotonic()
    keep_answers(job)
    size = sum(path.stat().st_size for path in job.data_dir.glob("answers.sqlite*")) / 2**20
    print(f"Answers kept in {time.monotonic() - started:.0f} s, {size:.0f} MiB")
    registry.cancel(first)
    second, _ = registry.add("taxonomy", registry.get(first).spec, "second")
    registry.begin(second)
    started = time.monotonic()
    with at_work(registry, second, TaxonomySpec) as at_second:
        work_taxonomy(at_second)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    told = open_job(second, registry).estimate()
    assert told is not None
    print(
        f"{told.reused_sentence} In {time.monotonic() - started:.0f} s, with all results; "
        f"{peak:.2f} GiB at the most"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
