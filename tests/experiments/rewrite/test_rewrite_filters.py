"""Which rows of a rewording are listed: the ones a number counted, in the order asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.reward_models import Fakes
from fakes.rewriting import FakeRewriter, added, fake_tools, sometimes, spec_of, work_here
from given.support import write_pairs

from ivan_core.experiments.rewrite.conditions import (
    LANGUAGE,
    STATES,
    CellIs,
    FlipIs,
    LabelMoves,
    RowOrder,
    StateIs,
    cell_of,
    in_state,
    listing,
)
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults, open_rewrite, read_gate
from ivan_core.lists.conditions import Condition, Filter, fitting, matching_rows
from ivan_core.lists.url import query_of, read_filter

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


def matching(
    results: RewriteResults, past: Numbers, *asked: Condition, sort: RowOrder | None = None
) -> list[int]:
    return matching_rows(listing(results, past), Filter(LANGUAGE, asked, sort))


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
        wanted = CellIs(model=ONE, cell=cell_of(cell.x0, cell.x1, cell.y0, cell.y1))
        assert len(matching(results, found, wanted)) == cell.count


def test_flips_and_labels_list_as_many_rows_as_they_count(
    results: RewriteResults, found: Numbers
) -> None:
    for variant in ("", "second", "surface"):
        one = found.of(ONE, variant or "reworded")
        assert one is not None and one.flips is not None
        for flip, rate in (
            ("misaligned", one.flips.became_misaligned),
            ("aligned", one.flips.became_aligned),
            ("any", one.flips.either),
        ):
            wanted = FlipIs(model=ONE, flip=flip, of=variant)
            assert len(matching(results, found, wanted)) == rate.count
    for row in found.flip_rates.to_dict("records"):
        sides = [
            matching(results, found, LabelMoves(label=row["feature"], move="lost", side=side))
            for side in ("chosen", "rejected")
        ]
        assert sum(map(len, sides)) == row["lost"]


def test_the_largest_change_comes_first_and_what_has_none_last(
    results: RewriteResults, found: Numbers
) -> None:
    moved = found.changes(ONE).set_index("row_id")
    size = (moved["margin_after"] - moved["margin_before"]).abs()
    ordered = matching(results, found, sort=RowOrder(model=ONE, order="change"))
    assert ordered[0] == size.idxmax()
    assert len(ordered) == 60
    assert set(ordered[-13:]) == set(range(60)) - set(moved.index)
    chosen = matching(results, found, sort=RowOrder(model=ONE, side="chosen", order="reward"))
    assert chosen[0] == moved["chosen_change"].abs().idxmax()


def test_a_head_sorts_all_rows_and_puts_them_back_when_clicked_again() -> None:
    start = Filter(LANGUAGE, (StateIs(state="kept"),))
    change = start.by_head(ONE, MODELS)
    assert change.sort == RowOrder(model=ONE, order="change")
    assert change.by_head(ONE, MODELS) == start
    assert change.by_head("similarity", MODELS) == start.sorted_by(RowOrder(order="unlike"))
    assert change.by_head("row_id", MODELS) == start
    assert change.by_head("chosen", MODELS) == change


def test_a_filter_goes_into_a_link_and_comes_back() -> None:
    for query in (
        {},
        {"state": "failed", "reason": "identical"},
        {"model": ONE, "flip": "any", "of": "surface", "order": "change"},
        {"model": ONE, "cell": cell_of(0.1, 0.2, 0.0, 1 / 3)},
        {"label": "last_response_is_helpful", "move": "lost", "side": "chosen"},
    ):
        wanted, ignored = read_filter(LANGUAGE, query)
        assert (query_of(wanted), ignored) == (query, [])
        for chip in wanted.chips():
            assert chip.name not in [held.name for held in wanted.without(chip.key).chips()]


def test_conditions_that_would_share_a_parameter_stand_beside_it_in_the_link() -> None:
    both = Filter(
        LANGUAGE,
        (FlipIs(model=ONE, flip="any"), FlipIs(model="fake/two", flip="aligned")),
        RowOrder(model="fake/two", order="change"),
    )
    query = query_of(both)
    beside = f"!0~rewrite.flip~{ONE}~any"
    assert query == {"model": "fake/two", "order": "change", "flip": "aligned", "and": beside}
    read, ignored = read_filter(LANGUAGE, query)
    assert ({*read.conditions}, read.sort, ignored) == ({*both.conditions}, both.sort, [])
    assert len({chip.name for chip in both.chips()}) == 2
    surface = Filter(
        LANGUAGE,
        (FlipIs(model=ONE, flip="any", of="surface"),),
        RowOrder(model=ONE, order="change"),
    )
    assert read_filter(LANGUAGE, query_of(surface)) == (surface, [])


def test_what_makes_no_sense_in_a_link_is_left_out_and_named(
    results: RewriteResults, found: Numbers
) -> None:
    odd = {"model": ONE, "cell": "1_2_3", "state": "<b>", "move": "lost"}
    nothing = Filter(LANGUAGE)
    assert read_filter(LANGUAGE, odd) == (nothing, ["state", "model", "cell", "move"])
    nobody, ignored = read_filter(LANGUAGE, {"model": "nobody", "flip": "any"})
    assert (fitting(listing(results, found), nobody), ignored) == (
        (nothing, [f"Run {results.run.id} has no model nobody."]),
        [],
    )
    assert read_gate({"meaning": "2", "shortest": "x", "longest": "inf"}) == Gate()
    assert read_gate({"meaning": "nan"}) == Gate()
    assert read_gate(Gate(0.9, 0.4, 3.0).query) == Gate(0.9, 0.4, 3.0)  # type: ignore[arg-type]
    assert Gate().query == {"meaning": None, "shortest": None, "longest": None}
