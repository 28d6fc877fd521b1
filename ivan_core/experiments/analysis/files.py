"""The files of an analysis for people: a CSV of each table, and the joined rows as Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ivan_core.experiments.analysis.tables import JOINED, TABLES
from ivan_core.runs.storage import replacing, storage_errors

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "analysis"
"""Where the files for people lie, in the data folder."""


def write_files(
    data_dir: Path, slug: str, tables: Mapping[str, pd.DataFrame], joined: pd.DataFrame
) -> list[str]:
    """Write them; returns their paths in the data folder.

    Numbers have the digits that give them back, and an empty cell is no number.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    folder = data_dir / FOLDER
    names: list[str] = []
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            path = folder / f"{slug}-{name}.csv"
            with replacing(path) as temporary:
                table[list(TABLES[name])].to_csv(temporary, index=False, lineterminator="\n")
            names.append(f"{FOLDER}/{path.name}")
        path = folder / f"{slug}-{JOINED}"
        with replacing(path) as temporary:
            joined.to_parquet(temporary, index=False)
        names.append(f"{FOLDER}/{path.name}")
    return names
