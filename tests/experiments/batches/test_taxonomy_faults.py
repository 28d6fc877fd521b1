"""For each fault of the demo server: what the user sees, the rows that are kept, what was paid."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.taxonomy_faults import CASES, Case, play

from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_is_said_and_costs_no_row_and_no_second_batch(
    case: Case, server: DemoServer, tmp_path: Path
) -> None:
    seen = play(case, server, tmp_path)
    print(f"{case.name} | {seen.state}: {seen.text} | {seen.kept} | {seen.created}")
    assert seen.state == case.state
    for words in case.sees:
        assert words in seen.text
    assert seen.kept == case.kept
    assert len(server.state.batches) <= 1
    assert seen.created == case.created


def test_every_fault_that_concerns_batches_is_in_the_table() -> None:
    kinds = ("answer", "batch", "result", "reply")
    of_batches = {fault.name for fault in names.FAULTS.values() if fault.kind in kinds}
    of_rewordings = {names.SWAPPED_ROLES, names.DROPPED_ROLES}
    assert {case.fault for case in CASES} == of_batches - of_rewordings
