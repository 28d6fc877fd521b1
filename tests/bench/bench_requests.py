"""Times the preparation of the requests for a dataset as large as hh-rlhf: 160,800 pairs.

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
        source = Path(folder) / "pairs.jsonl"
        write_dataset(source, pairs)
        from ivan_core.domain.label_specs import TaxonomySpec
        from ivan_core.domain.specs import DatasetRequest
        from ivan_core.runs.registry import Registry
        from ivan_core.settings import data_dir
        from ivan_core.workspace.batch_job import KIND, open_job
        from ivan_core.workspace.imported import read_dataset
        from ivan_core.workspace.taxonomy_work import work_taxonomy

        request = read_dataset(DatasetRequest(source=str(source)))
        spec = TaxonomySpec(dataset=request, model="gpt-6-luna")
        registry = Registry(data_dir())
        run_id, _ = registry.add(KIND, spec.model_dump_json(), spec.fingerprint)
        registry.begin(run_id)
        started = time.monotonic()
        work_taxonomy(registry, run_id)
        seconds = time.monotonic() - started
        estimate = open_job(registry, run_id).estimate()
        assert estimate is not None
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        size = sum(file.bytes for file in estimate.files) / 1e9
        print(f"{estimate.requests:,} requests in {seconds:.0f} s, {peak:.2f} GiB at the most")
        print(f"{len(estimate.files)} files, {size:.2f} GB, {estimate.input_tokens:,} input tokens")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
