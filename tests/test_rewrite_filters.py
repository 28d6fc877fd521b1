"""Which rows of a rewording are listed: the ones a number counted, in the order asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_rewriting import FakeRewriter, added, fake_tools, sometimes, spec_of, work_here
from fakes import Fakes
from support import write_pairs

from ivan_core.experiments.rewrite.conditions import (
    STATES,
    PairFilter,
    cell_of,
    chips,
    in_state,
    matching,
    read_filter,
)
from ivan_core.experiments.rewrite.numbers import Gate, Numbers, numbers, read_gate
from ivan_core.experiments.rewrite.results import RewriteResults, open_rewrite

ONE, MODELS = "fake/one", ("fake/one", "fake/two")
OPEN = Gate(0.0, 0.0, 5.0)


@pytest.fixture
def results(data_dir: Path, tmp_path: Path) -> RewriteResults:
    """Sixty pairs; row 7 has the same text twice, and rows ending in 2 and 3 fail."""
    run_id = added(data_dir, spec_of(write_pairs(tmp_path / "pairs.jsonl", 60)))
    work_here(data_dir, run_id, fake_tools(FakeRewriter(sometimes), Fakes(silent=True)))
    return open_rewrite(run_id)


@pytest.fixture
def found(results: RewriteResults) -> Numbers:
    return numbers(results, OPEN)


def test_every_row_is_in_one_state(results: RewriteResults) -> None:
    for gate in (OPEN, Gate(0.2), Gate(0.99)):
        past = numbers(results, gate)
        rows = [int(row) for state in STATES for row in in_state(results, past, state)]
        assert sorted(rows) == list(range(60))
        assert past.kept is not None
        assert len(in_state(results, past, "kept")) == past.kept.count
    assert list(in_state(results, past, "failed"))[:3] == [2, 3, 7]


def test_the_row_that_is_read_is_put_together_once(results: RewriteResults) -> None:
    first = results.pair(4)
    assert results.pair(4) is first and results.pair(5) is not first
    results.pair(4)
    results.pair(6)  # two are kept, those read last
    assert results.pair(4) is first
    results.pair(5)
    results.pair(6)
    assert results.pair(4) is not first
    assert results.pair(4) == first


def test_a_cell_lists_as_many_rows_as_it_counts(results: RewriteResults, found: Numbers) -> None:
    cells = found.cells(ONE)
    assert cells["count"].sum() == 47
    for cell in cells.itertuples():
        wanted = PairFilter(model=ONE, cell=cell_of(cell.x0, cell.x1, cell.y0, cell.y1))
        assert len(matching(results, found, wanted)) == cell.count


def test_flips_and_labels_list_as_many_rows_as_they_count(
    results: RewriteResults, found: Numbers
) -> None:
    for variant in ("", "second", "surface"):
        one = found.of(ONE, variant or "reworded")
        assert one is not None and one.flips is not None
        for flip, rate in (
            ("misaligned", one.flips.became_misaligned), ("aligned", one.flips.became_aligned),
            ("any", one.flips.either),
        ):  # fmt: skip
            wanted = PairFilter(model=ONE, flip=flip, of=variant)
            assert len(matching(results, found, wanted)) == rate.count
    for row in found.flip_rates.to_dict("records"):
        sides = [
            matching(results, found, PairFilter(label=row["feature"], move="lost", side=side))
            for side in ("chosen", "rejected")
        ]
        assert sum(map(len, sides)) == row["lost"]


def test_the_largest_change_comes_first_and_what_has_none_last(
    results: RewriteResults, found: Numbers
) -> None:
    moved = found.changes(ONE).set_index("row_id")
    size = (moved["margin_after"] - moved["margin_before"]).abs()
    ordered = matching(results, found, PairFilter(model=ONE, order="change"))
    assert ordered[0] == size.idxmax()
    assert len(ordered) == 60
    assert set(ordered[-13:]) == set(range(60)) - set(moved.index)
    chosen = matching(results, found, PairFilter(model=ONE, side="chosen", order="reward"))
    assert chosen[0] == moved["chosen_change"].abs().idxmax()


def test_a_head_sorts_all_rows_and_puts_them_back_when_clicked_again() -> None:
    start = PairFilter(state="kept")
    change = start.by_head(ONE, MODELS)
    assert (change.model, change.order) == (ONE, "change")
    assert change.by_head(ONE, MODELS) == start
    assert change.by_head("similarity", MODELS) == PairFilter(state="kept", order="unlike")
    assert change.by_head("row_id", MODELS) == start
    assert change.by_head("chosen", MODELS) == change
    flips = PairFilter(model=ONE, flip="any")
    assert flips.by_head("fake/two", MODELS) == flips  # its flips are those of the other model


def test_a_filter_goes_into_a_link_and_comes_back() -> None:
    for wanted in (
        PairFilter(),
        PairFilter(state="failed", reason="identical"),
        PairFilter(model=ONE, flip="any", of="surface", order="change"),
        PairFilter(model=ONE, cell=cell_of(0.1, 0.2, 0.0, 1 / 3)),
        PairFilter(label="last_response_is_helpful", move="lost", side="chosen"),
    ):
        assert read_filter(wanted.query, MODELS) == (wanted, ())
        for name, _ in chips(wanted):
            assert name not in [held for held, _ in chips(wanted.without(name))]


def test_what_makes_no_sense_in_a_link_is_left_out_and_named() -> None:
    odd = {"model": "nobody", "flip": "any", "cell": "1_2_3", "state": "<b>", "move": "lost"}
    assert read_filter(odd, MODELS) == (PairFilter(), ("state", "model", "flip", "cell", "move"))
    assert read_gate({"meaning": "2", "shortest": "x", "longest": "inf"}) == Gate()
    assert read_gate({"meaning": "nan"}) == Gate()
    assert read_gate(Gate(0.9, 0.4, 3.0).query) == Gate(0.9, 0.4, 3.0)  # type: ignore[arg-type]
    assert Gate().query == {"meaning": None, "shortest": None, "longest": None}
