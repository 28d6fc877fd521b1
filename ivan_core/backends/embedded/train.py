"""Train the two embedded heads: `python -m ivan_core.backends.embedded.train ROWS.jsonl.gz`.

The rows are hh-rlhf pairs (`chosen`, `rejected`); only the trained numbers and the hashes of the
pairs are kept.
The control head comes first: it is made from statements written for this project, before any
agreement is looked at. Needs the `dev` extra (scikit-learn, scipy).
"""

from __future__ import annotations

import argparse
import gzip
import json
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ivan_core.backends.embedded.encoder_files import WEIGHTS_SHA256
from ivan_core.backends.embedded.fitting import (
    PENALTIES,
    SEED,
    Rows,
    agreement,
    fit_rows,
    out_of_fold,
)
from ivan_core.backends.embedded.model import Encoder
from ivan_core.backends.embedded.nested import PULLS, best, nested
from ivan_core.datasets.prepared import pair_hash
from ivan_core.domain.transcripts import Dialogue
from ivan_core.metrics.sentences import interval_ends, percent

ACCEPT_FROM = 0.60
"""The nested rate under which no head is accepted."""


def embed_rows(path: Path, encoder: Encoder) -> Rows:
    """Read and embed hh-rlhf rows."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    chosen = [Dialogue(row["chosen"]) for row in rows]
    rejected = [Dialogue(row["rejected"]) for row in rows]
    vectors = [
        encoder.embed([side.reply or "" for side in sides])[0] for sides in (chosen, rejected)
    ]
    lengths = [np.array([len(side.reply or "") for side in sides]) for sides in (chosen, rejected)]
    turns = [dialogue.first_human_turn for dialogue in chosen]
    numbers = {turn: i for i, turn in enumerate(dict.fromkeys(turns))}
    return Rows(
        vectors[0] - vectors[1],
        np.sign(lengths[0] - lengths[1]),
        np.array([numbers[turn] for turn in turns]),
        [pair_hash(c.hash, r.hash) for c, r in zip(chosen, rejected, strict=True)],
    )


def embed_statements(encoder: Encoder) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of the good and of the bad replies written for the control head, each (n, 384)."""
    text = (files(__package__) / "statements.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    good, bad = ([row["text"] for row in rows if row["side"] == side] for side in ("good", "bad"))
    return encoder.embed(good)[0], encoder.embed(bad)[0]


def control_direction(good: np.ndarray, bad: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Mean good minus mean bad reply, scaled to a root-mean-square margin of 1 on the rows."""
    direction = good.mean(0) - bad.mean(0)
    return np.asarray(direction / np.sqrt(np.mean((difference @ direction) ** 2)))


def interval(values: list[float]) -> list[float]:
    return [round(float(v), 3) for v in np.percentile(values, (2.5, 97.5))]


def train_control(
    rows: Rows, good: np.ndarray, bad: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """The control head and what its card says: its agreement on the real rows, with intervals.

    One interval is over rows, the other over resampled statements.
    """
    rng = np.random.default_rng(SEED)
    head = control_direction(good, bad, rows.difference)
    margins = rows.difference @ head
    over_rows, over_statements = [], []
    for _ in range(1000):
        over_rows.append(agreement(margins, rng.integers(0, len(margins), len(margins))))
        some_good = good[rng.integers(0, len(good), len(good))]
        some_bad = bad[rng.integers(0, len(bad), len(bad))]
        some = control_direction(some_good, some_bad, rows.difference)
        over_statements.append(agreement(rows.difference @ some))
    return head, {
        "rows": len(margins),
        "statements": [len(good), len(bad)],
        "agreement_on_real_rows": round(agreement(margins), 4),
        "interval_over_rows": interval(over_rows),
        "interval_over_statements": interval(over_statements),
        "longer_chosen": round(agreement(margins, rows.longer > 0), 4),
        "shorter_chosen": round(agreement(margins, rows.longer < 0), 4),
    }


def train_harmless(rows: Rows, control: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """The head fitted on the real rows; pull and C are chosen by pooled out-of-fold agreement.

    What the chosen ones reach flatters them; `nested` measures the way of training with its choice.

    Raises:
        SystemExit: nested agreement stays under 60%.
    """
    measured = nested(rows, control)
    rate = measured["ways"]["chosen"]["rate"]
    if rate < ACCEPT_FROM:
        raise SystemExit(f"nested agreement {rate:.3f} is under {ACCEPT_FROM:.2f}: not accepted")
    found = {(p, c): out_of_fold(rows, p * control, c) for p in PULLS for c in PENALTIES}
    rates = {key: agreement(margins) for key, margins in found.items()}
    pull, c = best(rates, PULLS)
    margins, head = found[pull, c], fit_rows(rows, pull * control, c)
    return head, {
        "rows": len(margins),
        "pull": pull,
        "c": c,
        "seed": SEED,
        "nested": measured,
        "out_of_fold": round(rates[pull, c], 4),
        "out_of_fold_by_pull": {
            str(p): {str(c): round(rates[p, c], 4) for c in PENALTIES} for p in PULLS
        },
        "out_of_fold_longer_chosen": round(agreement(margins, rows.longer > 0), 4),
        "out_of_fold_shorter_chosen": round(agreement(margins, rows.longer < 0), 4),
        "on_training_rows": round(agreement(rows.difference @ head), 4),
        "correlation_with_control": round(
            float(np.corrcoef(margins, rows.difference @ control)[0, 1]), 3
        ),
    }


def control_words(measured: dict[str, Any]) -> dict[str, str]:
    """What the control head is, for people who choose a model, and what it learned from."""
    n, (low, high) = measured["rows"], measured["interval_over_rows"]
    share = f"{percent(measured['agreement_on_real_rows'], n)} {interval_ends(low, high, n)}"
    return {
        "note": "It never saw people's choices: good replies minus bad replies, both written for"
        " this project. It likes helpful, polite, substantial answers. On people's choices it is no"
        f" better than chance: {share} of {n:,} red-teaming pairs of hh-rlhf.",
        "learned_from": f"never saw people's choices: on {n:,} of them it is no better than chance,"
        f" {share}",
    }


def harmless_words(measured: dict[str, Any]) -> dict[str, str]:
    """The same of the trained head."""
    n, found = measured["rows"], measured["nested"]["ways"]["chosen"]
    low, high = found["interval"]
    share = f"{percent(found['rate'], n)} {interval_ends(low, high, n)}"
    return {
        "note": f"Trained on {n:,} red-teaming pairs of hh-rlhf (harmless-base, test). It reads"
        " only the last reply, likes short and evasive ones, and does badly on helpful pairs. Of"
        f" those {n:,} it sides with people in {share} where neither fitting nor choosing had seen"
        " the pair.",
        "learned_from": f"learned from people's choices in {n:,} red-teaming pairs: it meets"
        f" {share} of those held back from it",
    }


def save(folder: Path, name: str, head: np.ndarray, measured: dict[str, Any], **facts: Any) -> None:
    """Write one head as JSON: weights to float32, their hash as revision, the card."""
    weights = [float(w) for w in head.astype(np.float32)]
    revision = sha256((WEIGHTS_SHA256 + json.dumps(weights)).encode()).hexdigest()[:12]
    content = {
        "id": f"ivan/{name}",
        "revision": revision,
        **facts,
        "measured": measured,
        "weights": weights,
    }
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(content, indent=0) + "\n", "utf-8")
    print(name, revision, json.dumps(measured, indent=2))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("rows", type=Path, help="hh-rlhf rows, JSONL.GZ with chosen and rejected")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "heads")
    args = parser.parse_args()
    encoder = Encoder()
    rows = embed_rows(args.rows, encoder)
    control, control_facts = train_control(rows, *embed_statements(encoder))
    harmless, harmless_facts = train_harmless(rows, control)
    save(
        args.out,
        "minilm-control",
        control,
        control_facts,
        trained_on_hh=False,
        training_pairs=[],
        **control_words(control_facts),
    )
    save(
        args.out,
        "minilm-harmless",
        harmless,
        harmless_facts,
        trained_on_hh=True,
        training_pairs=rows.hashes,
        **harmless_words(harmless_facts),
    )


if __name__ == "__main__":
    main()
