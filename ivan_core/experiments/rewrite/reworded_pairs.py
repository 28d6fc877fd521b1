"""How many pairs of a rewording came to have both sides reworded; the others cannot be measured."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ivan_core.experiments.rewrite.tables import LIKENESS_FILE
from ivan_core.metrics.robustness.changes import REWORDED
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd

_READ = ("variant", "chosen_reason", "rejected_reason")


def pairs_reworded(likeness: pd.DataFrame) -> int:
    """Pairs of a table of similarity of which no side lacks its rewording."""
    own = likeness[likeness["variant"].eq(REWORDED)]
    return int(own[["chosen_reason", "rejected_reason"]].isna().all(axis=1).sum())


def pairs_reworded_by(run_id: str) -> int | None:
    """The same of a finished run; None where its table is gone or cannot be read."""
    path = data_dir() / "runs" / run_id / LIKENESS_FILE
    try:
        return _counted(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):  # what pyarrow says of a damaged file is a ValueError
        return None


@lru_cache(maxsize=1024)
def _counted(path: Path, _: int) -> int:
    import pandas as pd

    return pairs_reworded(pd.read_parquet(path, columns=list(_READ)))
