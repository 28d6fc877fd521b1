"""What a zip of a run of batches holds: its labels and what was paid, nothing that could send."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, FiniteFloat, TypeAdapter

from ivan_core.domain.estimates import usd
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.engine.imports import SLUG
from ivan_core.engine.zips import Archive, Came, Unpacked
from ivan_core.experiments.batches.job import OUTPUT
from ivan_core.experiments.batches.results import summary_of, write_summary
from ivan_core.experiments.labels.archive import pack, reconciled, write_labelling
from ivan_core.experiments.labels.files import TABLE
from ivan_core.labels.reconcile import Reconciled


class _Estimate(BaseModel):
    reused: dict[str, Any] | None = None


class _Attempt(BaseModel):
    """What is read of an attempt again where the run leaves as a zip once more."""

    estimate: _Estimate | None = None


_DOLLARS = TypeAdapter(FiniteFloat)
_ATTEMPTS = TypeAdapter(list[_Attempt])


def _without_account(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest without whose account paid: what stands there is made of its key."""
    attempts = []
    for attempt in manifest.get("attempts", []):
        estimate = dict(attempt.get("estimate") or {})
        if reused := estimate.get("reused"):
            estimate["reused"] = {**reused, "owner": ""}
        attempts.append({**attempt, "estimate": estimate or None})
    return {**manifest, "attempts": attempts}


def _read(zipped: Unpacked) -> Came:
    spec, manifest = zipped.spec, zipped.manifest
    if not isinstance(spec, TaxonomySpec):
        raise zipped.damaged("it is no labelling in batches")
    found = reconciled(zipped, spec)
    _ATTEMPTS.validate_python(manifest.get("attempts", []))
    paid = _DOLLARS.validate_python(manifest.get("spend_usd", 0))
    note = f"It cost {usd(paid)} where it was made. Nothing was sent or paid from here."
    return Came(
        who=(str(manifest["labeler"]["id"]),),
        rows=len({key.row_id for key in found.submitted}),
        done=found.counts.valid + found.counts.repaired,
        total=len(found.submitted),
        chunk=1,
        notes=(note,),
        write=partial(
            write_labelling, folder=OUTPUT, stem=SLUG, found=found, dataset=zipped.dataset
        ),
        last=partial(_write_summary, found=found, notes=(note,)),
    )


def _write_summary(
    folder: Path, files: list[str], *, found: Reconciled, notes: tuple[str, ...]
) -> None:
    write_summary(folder, summary_of(found, files, notes))


ARCHIVE = Archive(
    facts=lambda _: False,
    pack=pack,
    files=(TABLE,),
    folders_hold_texts=True,
    read=_read,
    told=_without_account,
)
