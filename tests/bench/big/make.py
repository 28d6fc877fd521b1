"""Makes a big study: texts with the lengths of real ones (about 900 characters a side), read and
prepared; made-up rewards of two models, and labels, as CSV files; and what importing those gives.

No model scores anything. What is imported is written by the very code that enters real files.
"""

from __future__ import annotations

import csv
import json
import os
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

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
_FAILED = 0.001
"""Share of the pairs that a model could not score."""
SLUG = "2026-01-31-12-00"


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


def make_big_study(folder: Path, rows: int, *, labels: bool) -> dict[str, Any]:
    """Write a study into a data folder; returns its runs, and how long each step took.

    With `labels` the study has labels and an analysis too. What the folder has already is left.
    """
    os.environ["IVAN_DATA_DIR"] = str(folder)
    from ivan_core.datasets.prepare import prepare
    from ivan_core.domain.specs import DatasetRequest
    from ivan_core.engine.csvs.files import import_csvs

    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "made.json"
    if made.exists():
        found: dict[str, Any] = json.loads(made.read_text("utf-8"))
        return found
    source = folder / "made-up-pairs.jsonl"
    seconds: dict[str, Any] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began, burnt = perf_counter(), process_time()
        done = work()
        seconds[name] = {
            "seconds": round(perf_counter() - began, 1),
            "processor": round(process_time() - burnt, 1),
        }
        return done

    timed("write the texts", lambda: _write_texts(source, rows))
    request = DatasetRequest(source=str(source))
    dataset = timed("prepare", lambda: prepare(folder, request))
    scores = _write_scores(folder, dataset)
    (compared,) = timed("import the scores of two models", lambda: import_csvs(scores, request))
    timed("keep scores in the cache", lambda: _fill_cache(folder, dataset))
    runs = {"compare": compared.run_id}
    if labels:
        given = _write_labels(folder, dataset)
        (labelled,) = timed("import labels", lambda: import_csvs([given], request))
        runs["labels"] = labelled.run_id
        runs["analysis"] = timed("analyse", lambda: _analysed(folder, list(runs.values())))
    sizes = {name: _size(folder / name) for name in ("datasets", "runs", "cache", "compare")}
    told = {"rows": rows, "runs": runs, "seconds": seconds, "mib": sizes}
    made.write_text(json.dumps(told), "utf-8")
    return told


def _write_texts(path: Path, rows: int) -> None:
    if path.exists() and path.stat().st_size:
        return
    unfinished = path.with_suffix(".new")
    with unfinished.open("w", encoding="utf-8") as file:
        for pair in make_pairs(rows, 0):
            file.write(json.dumps(pair) + "\n")
    unfinished.rename(path)


def _rewards(dataset: Any) -> Iterator[tuple[str, Any]]:
    """Rewards of both sides, float32, that share a part, so that the models often agree."""
    draw = np.random.default_rng(0)
    shared = draw.normal(size=(dataset.rows, 2))
    for name in MODELS:
        rewards = (shared + draw.normal(size=shared.shape)).astype(np.float32)
        rewards[draw.random(dataset.rows) < _FAILED] = np.nan
        yield name, rewards


def _write_scores(folder: Path, dataset: Any) -> list[Path]:
    """A file a model, and one of the pairs that it could not score, as a comparison writes them."""
    from ivan_core.domain.models import ModelCard

    paths = []
    for name, rewards in _rewards(dataset):
        paths.append(folder / f"{SLUG}-{ModelCard(id=name).slug}.csv")
        cells, failed = rewards.astype(float), np.isnan(rewards[:, 0])
        known = np.flatnonzero(~failed)
        agreement = cells[known, 0] > cells[known, 1]
        columns = (known.tolist(), *cells[known].T.tolist(), agreement.tolist())
        head = ("row_id", "chosen_score", "rejected_score", "agreement")
        _write_csv(paths[-1], head, zip(*columns, strict=True))
        paths.append(paths[-1].with_stem(f"{paths[-1].stem}-failed"))
        lines = ((row, "made to fail") for row in np.flatnonzero(failed).tolist())
        _write_csv(paths[-1], ("row_id", "reason"), lines)
    return paths


def _write_csv(path: Path, head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def _fill_cache(folder: Path, dataset: Any) -> None:
    """Keep the rewards as if the models had given them here, and how fast they were."""
    from ivan_core.domain.models import Reward
    from ivan_core.runs.cache import ScoreCache

    hashes = dataset.numbers(["chosen_hash", "rejected_hash"]).to_numpy()
    cache = ScoreCache(folder / "cache" / "scores")
    for name, rewards in _rewards(dataset):
        speed = {"texts_per_second": 500.0, "startup": 2.0, "cache_identity": name}
        cache.remember(f"model|{name}", speed)
        for start in range(0, len(hashes), 10_000):
            part = slice(start, start + 10_000)
            texts = hashes[part].ravel().tolist()
            values = rewards[part].ravel().astype(float).tolist()
            known = zip(texts, values, strict=True)
            cache.put_many(name, {text: Reward(value) for text, value in known if value == value})
    cache.close()


def _write_labels(folder: Path, dataset: Any) -> Path:
    """A file of labels of all replies by one labeler."""
    from ivan_core.domain.labels import REGRESSION_FEATURES
    from ivan_core.labels.schema import feature

    draw = np.random.default_rng(1)
    asked = [one for one in REGRESSION_FEATURES if feature(one).kind == "boolean"]
    path = folder / f"{SLUG}-labeler-control.csv"
    rows = (
        (pair.row_id, side, getattr(pair, side).text, *(draw.random(len(asked)) < 0.2).tolist())
        for pair in dataset.pairs(range(dataset.rows))
        for side in ("chosen", "rejected")
    )
    _write_csv(path, ("row_id", "preference", "text", *asked), rows)
    return path


def _analysed(folder: Path, run_ids: list[str]) -> str:
    from ivan_core.experiments.analysis.plan import spec_of_runs
    from ivan_core.runs.registry import Registry
    from ivan_core.worker import work

    spec = spec_of_runs(run_ids)
    registry = Registry(folder)
    run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    work(registry, run_id)
    if registry.get(run_id).problem:
        raise RuntimeError(registry.get(run_id).problem)
    return run_id


def _size(folder: Path) -> float:
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20, 1)
