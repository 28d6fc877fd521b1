"""Figures of a run: every chart as SVG, PDF, PNG or CSV, with a caption and a methods sentence.

Which charts there are depends on the kind of the run, see `engine/take_away.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Unpack

from ivan_core.backends import vega
from ivan_core.charts.printed import printed
from ivan_core.domain.column_specs import ColumnSpec
from ivan_core.domain.errors import BadInput
from ivan_core.engine import handling as runs
from ivan_core.engine.opinions import second_choices, used_opinions
from ivan_core.engine.take_away import take_away
from ivan_core.experiments.compare.figures import of_run as figure_comparison
from ivan_core.experiments.compare.results import open_results
from ivan_core.figures.picks import Listed, Picked, Wish
from ivan_core.figures.shown_names import named
from ivan_core.review import figures as figure_reviews
from ivan_core.runs.storage import replacing, storage_errors

Kind = Literal["svg", "pdf", "png", "csv"]
KINDS: tuple[Kind, ...] = ("svg", "pdf", "png", "csv")
MIME = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png", "csv": "text/csv"}
WIDTHS = (85, 170)
"""One and two columns of a journal, in millimetres."""
SAMPLE_MARK = "Sample data: written for IVAN, not evidence about people."


def figures(run_id: str) -> Sequence[Listed]:
    """The charts that this run can give, in the order of the page.

    Raises:
        BadInput: there is no such run, it has no figures, or nothing is finished yet.
    """
    return take_away(run_id).charts(run_id)


def figure_columns(run_id: str) -> list[ColumnSpec]:
    """The user columns whose charts a run can give: those of its dataset, if it is a comparison.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    if not _compares(run_id):
        return []
    return figure_comparison.figure_columns(run_id)


def own_columns(run_id: str) -> tuple[str, ...]:
    """The columns by which agreement can be drawn: those that its dataset brings along.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    return figure_comparison.own_columns(run_id) if _compares(run_id) else ()


def figure(
    run_id: str, name: str, kind: Kind = "svg", width_mm: int = 85, **wish: Unpack[Wish]
) -> bytes:
    """One chart of a run as a file: a drawing for print, or its data.

    `wish` is what the chart shows where it leaves a choice. PNG has 300 dots an inch. CSV is UTF-8,
    verbatim.

    Raises:
        BadInput: there is no such run, chart, kind or width, or nothing as in the wish.
        BackendUnavailable: vl-convert is not installed (not for CSV).
    """
    if kind not in KINDS:
        raise BadInput(f"A figure cannot be {kind!r}.", f"Choose one of {', '.join(KINDS)}.")
    if width_mm not in WIDTHS:
        raise BadInput(f"A figure is 85 or 170 mm wide, not {width_mm}.", "Choose one of the two.")
    picked = _picked(run_id, name, wish)
    drawn = picked.draw()
    if kind == "csv":
        return str(drawn.data.to_csv(index=False)).encode("utf-8", "replace")
    notes = (SAMPLE_MARK,) if picked.is_sample else ()
    spec = named(printed(drawn.chart(), width_mm, picked.names, notes), picked.shown)
    return {"svg": vega.svg, "pdf": vega.pdf, "png": vega.png}[kind](spec, width_mm)


def caption(run_id: str, name: str, **wish: Unpack[Wish]) -> str:
    """A caption ready to paste: what is seen, its numbers with n and interval, the rows.

    Raises:
        BadInput: there is no such run or chart, or nothing as in the wish.
    """
    picked = _picked(run_id, name, wish)
    parts = [picked.draw().caption, f"Data: {picked.rows}."]
    if picked.trained:
        parts.append(picked.trained)
    if picked.is_sample:
        parts.append(SAMPLE_MARK)
    return " ".join(parts)


def methods(run_id: str, name: str, **wish: Unpack[Wish]) -> str:
    """A methods paragraph ready to paste: rows, models and revisions, numbers, seed, version.

    Raises:
        BadInput: there is no such run or chart, or nothing as in the wish.
    """
    picked = _picked(run_id, name, wish)
    return picked.methods(picked.draw())


def file_name(run_id: str, name: str, kind: Kind, width_mm: int = 85, **wish: Unpack[Wish]) -> str:
    """A name for the file of a figure, such as `2026-01-31-12-00-rewards-ivan-minilm-85mm.svg`.

    Raises:
        BadInput: there is no such run or chart, or nothing as in the wish.
    """
    size = [] if kind == "csv" else [f"{width_mm}mm"]
    slugs = _picked(run_id, name, wish).slugs
    return "-".join([run_id, name, *slugs, *size])[:200] + f".{kind}"


def save(path: Path, content: bytes) -> None:
    """Write a figure, over an older one of that name.

    Raises:
        BadInput: there is no such folder.
        StorageProblem: it cannot be written, or the disk is full.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Make it, or name another file.")
    with storage_errors(folder), replacing(path) as temporary:
        temporary.write_bytes(content)


def stamp(run_id: str) -> object:
    """What changes where a chart of a run does: what is finished, or what reviewers said.

    Raises:
        BadInput: there is no such run.
    """
    if run_id.startswith(figure_reviews.PREFIX):
        return figure_reviews.stamp(run_id)
    done = runs.get(run_id).done
    if not (_compares(run_id) and done):
        return done
    return done, second_choices(used_opinions(open_results(run_id).dataset))


def _compares(run_id: str) -> bool:
    return not run_id.startswith(figure_reviews.PREFIX) and runs.get(run_id).kind == "compare"


def _picked(run_id: str, name: str, wish: Wish) -> Picked:
    return take_away(run_id).pick(run_id, name, wish)
