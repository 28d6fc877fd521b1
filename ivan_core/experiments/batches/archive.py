"""What a zip of a run of batches holds: its labels and what was paid, nothing that could send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel, FiniteFloat, TypeAdapter

from ivan_core.domain.estimates import usd
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.engine.imports import SLUG, Came
from ivan_core.engine.zips import Archive, Unpacked
from ivan_core.experiments.batches.job import OUTPUT
from ivan_core.experiments.batches.results import summary_of, write_summary
from ivan_core.experiments.labels.archive import labelling, reconciled, without_answers
from ivan_core.experiments.labels.files import TABLE
from ivan_core.models import labelers


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


def _read(zipped: Unpacked[TaxonomySpec]) -> Came:
    manifest, found = zipped.manifest, reconciled(zipped)
    labelers.check_provided(str(manifest["labeler"]["id"]))
    _ATTEMPTS.validate_python(manifest.get("attempts", []))
    paid = _DOLLARS.validate_python(manifest.get("spend_usd", 0))
    note = f"It cost {usd(paid)} where it was made. Nothing was sent or paid from here."
    return replace(
        labelling(str(manifest["labeler"]["id"]), found, zipped.dataset, OUTPUT, SLUG),
        done=found.counts.valid + found.counts.repaired,
        total=len(found.submitted),
        notes=(note,),
        last=lambda folder, files: write_summary(folder, summary_of(found, files, (note,))),
    )


ARCHIVE = Archive(files=(TABLE,), read=_read, pack=without_answers, public=_without_account)
