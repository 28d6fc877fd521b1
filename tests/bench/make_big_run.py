"""Write a finished run of 160,800 pairs by two made-up models: `python make_big_run.py FOLDER`.

The texts have the lengths of real ones (about 900 characters a side); dataset, parts, score cache,
CSV files and manifest are written by the very code that writes them for real models. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

ROWS = 160_800
MODELS = ("ivan/minilm-harmless", "ivan/minilm-control")
"""Names the catalog knows, so that plans and pages treat the run as any other."""
SUBSETS = ("harmless-base", "helpful-base", "helpful-online", "helpful-rejection-sampled")
_WORDS = [
    "I",
    "you",
    "we",
    "they",
    "can",
    "could",
    "would",
    "should",
    "help",
    "think",
    "know",
    "want",
    "need",
    "find",
    "make",
    "take",
    "give",
    "a",
    "the",
    "this",
    "that",
    "some",
    "more",
    "less",
    "good",
    "bad",
    "safe",
    "harm",
    "people",
    "person",
    "friend",
    "family",
    "water",
    "house",
    "money",
    "work",
    "school",
    "law",
    "police",
    "doctor",
    "music",
    "game",
    "recipe",
    "bread",
    "garden",
    "river",
    "because",
    "although",
    "when",
    "while",
    "after",
    "before",
    "never",
    "always",
    "perhaps",
    "probably",
    "really",
    "quite",
    "very",
    "please",
    "thanks",
    "sorry",
]
_WARM = ("please", "sorry", "safe", "help")


def make_sentences(rng: random.Random, count: int = 2_000) -> list[str]:
    """Sentences of 4 to 18 words."""
    return [
        " ".join(rng.choices(_WORDS, k=rng.randint(4, 18))).capitalize() + "." for _ in range(count)
    ]


def make_pairs(rows: int, seed: int) -> Iterator[dict[str, str]]:
    """Transcripts with one to three questions, shared but for the last reply."""
    rng = random.Random(seed)
    sentences = make_sentences(rng)
    for row in range(rows):
        asked = []
        for _ in range(rng.randint(1, 3)):
            asked.append(f"\n\nHuman: {' '.join(rng.choices(sentences, k=rng.randint(1, 3)))}")
            asked.append(f"\n\nAssistant: {' '.join(rng.choices(sentences, k=rng.randint(2, 6)))}")
        shared = "".join(asked[:-1])
        replies = [
            " ".join(rng.choices(sentences, k=max(1, round(rng.lognormvariate(1.6, 0.6)))))
            for _ in range(2)
        ]
        chosen, rejected = (f"{shared}\n\nAssistant: {reply}" for reply in replies)
        yield {
            "chosen": chosen,
            "rejected": chosen if row % 2_000 == 999 else rejected,
            "subset": SUBSETS[row % len(SUBSETS)],
            "annotator": f"annotator {row * 7 % 31}",
        }


def _reward(name: str, text: str, text_hash: str) -> float:
    """Likes warm words in the reply, one model more than the other; the rest is noise."""
    reply = text[text.rfind("\n\nAssistant:") :]
    warmth = sum(reply.count(word) for word in _WARM) / max(len(reply), 1) * 100
    taste, start = (2.0, 0) if name.endswith("harmless") else (-0.5, 8)
    noise = int(text_hash[start : start + 8], 16) / 2**31 - 1
    return float(struct.unpack("f", struct.pack("f", taste * warmth + noise))[0])


def _made_up_models() -> Callable[..., Any]:
    """What a worker takes its models from, with models that are made up here."""
    from ivan_core.backends.pools.here import PoolHere
    from ivan_core.domain.models import ModelCard, Reward
    from ivan_core.domain.transcripts import Dialogue
    from ivan_core.experiments.compare.scoring import Models

    class MadeUp:
        def __init__(self, name: str) -> None:
            self.card = ModelCard(
                id=name,
                revision="made up",
                input_format="reply",
                max_tokens=512,
                trained_on_hh=False,
            )

        def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
            return known or 4_096

        def read(self, dialogues: Sequence[Dialogue]) -> Sequence[Dialogue]:
            return dialogues

        def score_read(
            self, read: Sequence[Dialogue], progress: Callable[[int], None] | None = None
        ) -> list[Reward]:
            return [
                Reward(None, False, "made to fail")
                if side.hash.startswith("ffff")
                else Reward(_reward(self.card.id, side.text, side.hash), len(side.text) > 2_400)
                for side in read
            ]

        def score(
            self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
        ) -> list[Reward]:
            return self.score_read(self.read(dialogues), progress)

    def provide(*_: object) -> Models:
        pool = PoolHere(lambda name, _: MadeUp(name))
        return Models(lambda: None, pool, together=True, slow=False)

    return provide


def _size(folder: Path) -> float:
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20, 1)


def make_big_run(folder: Path, rows: int = ROWS, seed: int = 0) -> dict[str, Any]:
    """Write the run into a data folder; returns its id, the seconds it took and the sizes."""
    os.environ["IVAN_DATA_DIR"] = str(folder)
    os.environ["IVAN_SLOT_FILE"] = str(folder / "slot")
    from ivan_core.datasets.prepare import prepare
    from ivan_core.domain.specs import CompareSpec, DatasetRequest
    from ivan_core.experiments.compare.work import work_compare
    from ivan_core.runs.registry import Registry
    from ivan_core.worker import work

    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "made-up-pairs.jsonl"
    seconds: dict[str, float] = {}
    start = perf_counter()
    characters = 0
    with source.open("w", encoding="utf-8") as file:
        for pair in make_pairs(rows, seed):
            characters += len(pair["chosen"]) + len(pair["rejected"])
            file.write(json.dumps(pair) + "\n")
    seconds["texts"] = perf_counter() - start
    start = perf_counter()
    request = DatasetRequest(source=str(source))
    dataset = prepare(folder, request)
    seconds["prepare"] = perf_counter() - start
    start = perf_counter()
    spec = CompareSpec(dataset=request, models=MODELS)
    registry = Registry(folder)
    run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    made_up = _made_up_models()
    work(registry, run_id, {"compare": lambda job: work_compare(job, made_up)})
    seconds["run"] = perf_counter() - start
    return {
        "run": run_id,
        "state": registry.get(run_id).state,
        "problem": registry.get(run_id).problem,
        "dataset": dataset.fingerprint,
        "rows": rows,
        "models": len(MODELS),
        "characters_a_side": round(characters / rows / 2),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "mib": {name: _size(folder / name) for name in ("datasets", "runs", "cache", "compare")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the data folder to write into")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(json.dumps(make_big_run(given.folder.absolute(), given.rows, given.seed), indent=1))


if __name__ == "__main__":
    main()
