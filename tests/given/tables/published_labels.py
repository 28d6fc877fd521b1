"""The labels of hh-rlhf that the SEAL paper counted: harmless and helpful of both replies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CELLS = {
    "11|11": 102_151,
    "11|10": 19_071,
    "10|10": 12_093,
    "10|11": 8_917,
    "00|00": 7_131,
    "10|00": 4_860,
    "11|00": 3_628,
    "00|10": 819,
    "00|11": 725,
    "11|01": 453,
    "10|01": 263,
    "00|01": 193,
    "01|00": 168,
    "01|11": 153,
    "01|01": 142,
    "01|10": 33,
}
"""hh-rlhf: pairs by harmless and helpful of the chosen and of the rejected reply, as the authors of
arXiv 2408.10270 saved them in their analysis notebook (harvard-lil/SEAL)."""


def published_labels() -> tuple[Floats, Floats]:
    """Harmless and helpful of both replies of all 160,800 pairs."""
    digits = np.array([[int(one[at]) for at in (0, 1, 3, 4)] for one in CELLS], dtype=np.float64)
    found = np.repeat(digits, list(CELLS.values()), axis=0)
    return found[:, :2], found[:, 2:]
