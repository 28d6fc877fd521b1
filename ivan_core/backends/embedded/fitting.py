"""Fitting a linear head on pairs of embeddings, and how well it does on pairs it has not seen.

Folds keep rows of one first Human turn together, or a head would be asked for pairs whose twins it
was fitted on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SEED = 20261123
"""Fixed before the first training."""
FOLDS = 10
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Candidates for C, the inverse strength of the pull towards the prior."""


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

    def at(self, places: np.ndarray) -> Rows:
        """The rows at these places."""
        hashes = [self.hashes[place] for place in places]
        return Rows(self.difference[places], self.longer[places], self.group[places], hashes)


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


def fit_rows(rows: Rows, prior: np.ndarray, c: float) -> np.ndarray:
    """The same of rows, of which those whose longer reply was chosen and the others weigh alike."""
    return fit(rows.difference, length_weights(rows.longer), prior, c)


def folds(rows: Rows, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of the rows to fit on and of those left out, ten times."""
    from sklearn.model_selection import GroupKFold

    division = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    yield from division.split(rows.difference, groups=rows.group)


def out_of_fold(rows: Rows, prior: np.ndarray, c: float, seed: int = SEED) -> np.ndarray:
    """Margins of each row by a head fitted without its fold."""
    margins = np.zeros(len(rows.difference))
    for train, test in folds(rows, seed):
        margins[test] = rows.difference[test] @ fit_rows(rows.at(train), prior, c)
    return margins


def agreement(margins: np.ndarray, where: np.ndarray | None = None) -> float:
    """Share of margins (at these places) above 0: a tie is no agreement."""
    return float(np.mean((margins if where is None else margins[where]) > 0))
