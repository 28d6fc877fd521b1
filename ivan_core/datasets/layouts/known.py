"""The layouts that are read, and which of them some rows have. A new one is a file and a line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ivan_core.datasets.layouts import (
    arena,
    chosen_rejected,
    help_steer,
    judge_bench,
    kto,
    nectar,
    ppe,
    red_team,
    reward_bench_2,
    rm_bench,
    rmb,
    safe_rlhf,
    shp,
    ultrafeedback,
    ultrainteract,
)
from ivan_core.datasets.layouts.shape import Layout, Row, unfolded
from ivan_core.datasets.lines import Cells
from ivan_core.domain.errors import BadInput

LAYOUTS: tuple[Layout, ...] = (
    *chosen_rejected.ALL,
    reward_bench_2.LAYOUT,
    rm_bench.LAYOUT,
    rmb.BEST_OF_N,
    rmb.PAIRWISE,
    arena.ARENA_33K,
    arena.ARENA_140K,
    arena.ARENA_55K,
    ppe.HUMAN,
    ppe.BEST_OF_K,
    help_steer.HELPSTEER3,
    help_steer.HELPSTEER2,
    help_steer.HELPSTEER2_RATINGS,
    safe_rlhf.LAYOUT,
    safe_rlhf.BY_SAFETY,
    shp.LAYOUT,
    nectar.LAYOUT,
    ultrafeedback.LAYOUT,
    ultrainteract.LAYOUT,
    kto.LAYOUT,
    judge_bench.LAYOUT,
    red_team.LAYOUT,
    chosen_rejected.PAIRS,
)
_PRINTED = re.compile(r"\s*(?:\[\s*\{?\s*['\"]|\{\s*'|\[\s*(?:True|False)\b)")
"""A list or an object as Python begins it; of JSON only lists of texts begin so."""
_BY_NAME = {layout.name: layout for layout in LAYOUTS}


def named(name: str) -> Layout:
    """The layout of this name.

    Raises:
        BadInput: there is none.
    """
    if name not in _BY_NAME:
        raise BadInput(f"There is no layout {name}.", f"Known are {', '.join(sorted(_BY_NAME))}.")
    return _BY_NAME[name]


def to_choose_from() -> dict[str, str]:
    """The layouts that a person may ask for: name to title, in the order in which they stand."""
    return {layout.name: layout.title for layout in LAYOUTS if not layout.refused}


def find(row: Row) -> Layout | None:
    """The one layout that a row has; None where it has none.

    Raises:
        BadInput: it has several, or one that holds no pairs.
    """
    fitting = [
        layout
        for layout in LAYOUTS
        if not layout.asked_only and layout.needs_met_by(row) and _fits(layout, row)
    ]
    if isinstance(row, Cells):
        # What is JSON in a cell is a text as well.
        most = max((_lists_in(layout, row) for layout in fitting), default=0)
        fitting = [layout for layout in fitting if _lists_in(layout, row) == most]
        if not most:
            _refuse_lists_of_python(row)
    # Two sides are found in rows of other layouts too, and the last of all is any row with two.
    own = [layout for layout in fitting if layout.read is not chosen_rejected.read_pair]
    found = own or [one for one in fitting if one is not chosen_rejected.PAIRS] or fitting
    if len(found) > 1:
        titles = " or ".join(layout.title for layout in found)
        names = " and ".join(layout.name for layout in found)
        raise BadInput(
            f"The data may be laid out as {titles}.", f"Ask for one of the layouts {names}."
        )
    if found and found[0].refused:
        raise BadInput(
            f"This is the layout of {found[0].title}. {found[0].refused}",
            "Take another part of the data.",
        )
    return found[0] if found else None


def _fits(layout: Layout, row: Row) -> bool:
    return layout.fits(layout.unfolded(row) if isinstance(row, Cells) else row)


def _lists_in(layout: Layout, row: Row) -> int:
    """How many of the columns in which a layout has lists or objects hold one as JSON."""
    return sum(unfolded(row.get(name)) is not row.get(name) for name in layout.nested)


def _refuse_lists_of_python(row: Row) -> None:
    """Refuse a table in whose cells lists stand as Python prints them: they would be texts."""
    for layout in possible(row):
        columns = [name for name in layout.nested if name in layout.needs]
        if columns and all(_is_printed(row[name]) for name in columns):
            raise BadInput(
                f"The cells under {' and '.join(columns)} hold lists as Python prints them, not "
                "as JSON.",
                "Save the rows as JSON lines or Parquet. If these cells are texts, ask for the "
                "layout trl-standard.",
            )


def _is_printed(cell: object) -> bool:
    return isinstance(cell, str) and _PRINTED.match(cell) is not None and unfolded(cell) is cell


def possible(columns: Iterable[str]) -> list[Layout]:
    """The layouts that rows with these columns may have, whatever they hold."""
    there = dict.fromkeys(columns)
    return [layout for layout in LAYOUTS if layout.needs_met_by(there)]


def nearest(columns: Iterable[str]) -> tuple[Layout, tuple[str, ...]] | None:
    """The layout that lacks the fewest columns of those there are, and which it lacks.

    None where every layout lacks more than a third of its columns.
    """
    there = set(columns)
    lacking = {
        layout: tuple(name for name in layout.needs if name not in there)
        for layout in LAYOUTS
        if not (layout.refused or {"prompt", "chosen", "rejected"}.issuperset(layout.needs))
    }
    near = [layout for layout, names in lacking.items() if 3 * len(names) <= len(layout.needs)]
    if not near:
        return None
    layout = min(near, key=lambda one: len(lacking[one]) / len(one.needs))
    return layout, lacking[layout]
