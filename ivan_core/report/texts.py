"""A few pairs of a run to read in its report, where texts are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core.domain.runs import Run
from ivan_core.engine.kind import kind_of
from ivan_core.figures.finding import Finding
from ivan_core.figures.html.frame import paragraph
from ivan_core.figures.html.texts import pair

_MOST = 20


def pairs_to_read(run: Run, findings: Sequence[Finding]) -> list[str]:
    """Pairs behind what stands out, then the first ones, as HTML; twenty at the most."""
    opened = kind_of(run).open
    if opened is None:
        return [paragraph("This run has no pairs.")]
    results = opened(run.id)
    behind = [finding.row for finding in findings if finding.row is not None]
    rows = list(dict.fromkeys([*behind, *map(int, results.row_ids[:_MOST])]))[:_MOST]
    first = "those behind what stands out, then the first" if behind else "the first"
    told = f"{len(rows)} of {len(results.row_ids):,} pairs, {first}: examples, not a random sample."
    return [paragraph(told, "small"), *(pair(results.dataset, row) for row in rows)]
