"""Files of runs that were made elsewhere, from the command line or the browser: a zip, or CSVs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.words import number_of
from ivan_core.engine import studies
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.imports import Imported
from ivan_core.engine.zips import import_zip

_ZIP = ".zip"


def are_zips(paths: Sequence[Path]) -> bool:
    """Whether one of the files is a zip, which says itself which dataset it is about."""
    return any(path.suffix.lower() == _ZIP for path in paths)


def import_files(
    paths: Sequence[Path],
    dataset: DatasetRequest | None,
    names: Sequence[str] = (),
    force: bool = False,
) -> list[str]:
    """Enter one zip, or the CSV files of one study, as finished runs; says what was entered.

    `names` and `force` are those of `import_csvs`. A zip needs no dataset to be named.

    Raises:
        BadInput: a zip is not alone, CSV files come without a dataset, or a file does not fit.
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    if are_zips(paths):
        if len(paths) > 1 or names:
            raise BadInput(
                "A zip is imported alone, and names its models itself.",
                "Import each zip by itself, and CSV files together. Nothing was imported.",
            )
        return [import_zip(paths[0], dataset).sentence]
    if dataset is None:
        raise BadInput("CSV files do not say which dataset they judge.", "Name it with --dataset.")
    entered = import_csvs(paths, dataset, names, force)
    return [*(one.sentence for one in entered), *_study(entered)]


def _study(entered: Sequence[Imported]) -> list[str]:
    """Which study several runs are; nothing of a single one."""
    about = studies.about_run(entered[0].run_id)
    if len(entered) < 2 or about is None:
        return []
    return [f"{number_of(len(entered), 'run')} of one study: {about.name}."]
