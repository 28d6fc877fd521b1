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
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ivan_core.backends.embedded.model import WEIGHTS_SHA256, Encoder
from ivan_core.datasets.prepared import pair_hash
from ivan_core.domain.transcripts import Dialogue

SEED = 20261123
"""Fixed before the first training."""
FOLDS = 10
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Candidates for C, the inverse strength of the pull towards a quarter of the control head."""
PULL = 0.25
ACCEPT_FROM = 0.60


@dataclass(frozen=True)
class Rows:
    """Embedded real pairs."""

    difference: np.ndarray
    """Embedding of the chosen minus that of the rejected reply, shape (n, 384)."""
    longer: np.ndarray
    """Which reply is longer: 1 the chosen, -1 the rejected, 0 neither."""
    group: np.ndarray
    """A number for each first Human turn."""
    hashes: list[str]


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


def length_weights(longer: np.ndarray) -> np.ndarray:
    """Weights under which pairs whose longer reply was chosen and the others count alike."""
    weights = np.ones(len(longer))
    for sign in (1, -1):
        weights[longer == sign] = np.mean(longer != 0) / 2 / max(np.mean(longer == sign), 1e-9)
    return weights


def fit(difference: np.ndarray, weights: np.ndarray, prior: np.ndarray, c: float) -> np.ndarray:
    """Bradley-Terry by weighted logistic regression without intercept, pulled towards `prior`.

    Minimises c * sum(weights * log(1 + exp(-difference @ w))) + |w - prior|^2 / 2.
    """
    from scipy.optimize import minimize

    def loss(head: np.ndarray) -> tuple[float, np.ndarray]:
        margins = difference @ head
        value = c * np.sum(weights * np.logaddexp(0, -margins)) + np.sum((head - prior) ** 2) / 2
        slope = -c * (weights / (1 + np.exp(margins))) @ difference + head - prior
        return float(value), slope

    found = minimize(loss, prior, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(found.x)


def out_of_fold(rows: Rows, prior: np.ndarray, c: float) -> np.ndarray:
    """Margins of each row by a head fitted without its fold.

    Folds keep rows of one first Human turn together.
    """
    from sklearn.model_selection import GroupKFold

    margins = np.zeros(len(rows.difference))
    folds = GroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for train, test in folds.split(rows.difference, groups=rows.group):
        head = fit(rows.difference[train], length_weights(rows.longer[train]), prior, c)
        margins[test] = rows.difference[test] @ head
    return margins


def agreement(margins: np.ndarray, where: np.ndarray | None = None) -> float:
    return float(np.mean((margins if where is None else margins[where]) > 0))


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
        "statements": [len(good), len(bad)],
        "agreement_on_real_rows": round(agreement(margins), 4),
        "interval_over_rows": interval(over_rows),
        "interval_over_statements": interval(over_statements),
        "longer_chosen": round(agreement(margins, rows.longer > 0), 4),
        "shorter_chosen": round(agreement(margins, rows.longer < 0), 4),
    }


def train_harmless(rows: Rows, control: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """The head fitted on the real rows; C is chosen by pooled out-of-fold agreement.

    Raises:
        SystemExit: out-of-fold agreement stays under 60%.
    """
    prior = PULL * control
    by_c = {c: out_of_fold(rows, prior, c) for c in PENALTIES}
    best = max(PENALTIES, key=lambda c: agreement(by_c[c]))
    margins, rate = by_c[best], agreement(by_c[best])
    if rate < ACCEPT_FROM:
        raise SystemExit(
            f"out-of-fold agreement {rate:.3f} is under {ACCEPT_FROM:.2f}: not accepted"
        )
    head = fit(rows.difference, length_weights(rows.longer), prior, best)
    fitted = rows.difference @ head
    return head, {
        "rows": len(margins),
        "c": best,
        "seed": SEED,
        "out_of_fold": round(rate, 4),
        "out_of_fold_by_c": {str(c): round(agreement(m), 4) for c, m in by_c.items()},
        "standard_error": round(float(np.sqrt(rate * (1 - rate) / len(margins))), 4),
        "out_of_fold_longer_chosen": round(agreement(margins, rows.longer > 0), 4),
        "out_of_fold_shorter_chosen": round(agreement(margins, rows.longer < 0), 4),
        "on_training_rows": round(agreement(fitted), 4),
        "correlation_with_control": round(
            float(np.corrcoef(fitted, rows.difference @ control)[0, 1]), 3
        ),
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
        note="Good replies minus bad replies, both written for this project: it likes helpful, "
        "polite, substantial answers. It never saw hh-rlhf.",
    )
    save(
        args.out,
        "minilm-harmless",
        harmless,
        harmless_facts,
        trained_on_hh=True,
        training_pairs=rows.hashes,
        note="Trained on 1,500 red-teaming pairs of hh-rlhf (harmless-base, test). It reads only "
        "the last reply, likes short and evasive ones, and does badly on helpful pairs.",
    )


if __name__ == "__main__":
    main()
