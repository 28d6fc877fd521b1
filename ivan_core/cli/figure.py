"""`ivan figure`: one chart of a run as a file for a paper, with its caption."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ivan_core.figures.picks import Wish

# As in `ivan_core.figures.figure`, which would load pandas before `--help` can answer.
_FORMATS = ("svg", "pdf", "png", "csv")


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "figure",
        help="make a figure of a run",
        description="Make one chart of a run as SVG, PDF or PNG for print, or its data as CSV; "
        "prints a caption and a methods paragraph ready to paste. Without CHART: list the charts.",
    )
    parser.add_argument("id", metavar="RUN", help="the run's id, as in `ivan runs list`")
    parser.add_argument("chart", metavar="CHART", nargs="?", help="a chart's name")
    parser.add_argument(
        "--format", choices=_FORMATS, default="svg", help="Kind of file. Default: svg."
    )
    parser.add_argument(
        "--width", type=int, choices=(85, 170), default=85,
        help="Width in mm: one or two columns. Default: 85.",
    )  # fmt: skip
    parser.add_argument("--model", metavar="M", help="The model; by default the run's first.")
    parser.add_argument(
        "--other", metavar="M", action="append",
        help="The second model of charts that show two. Of labels: another run with labels of the "
        "same pairs; may be given twice.",
    )  # fmt: skip
    parser.add_argument(
        "--column",
        metavar="ID",
        help="The user column of charts that show one: an id as listed. Of agreement-by: a column "
        "of the dataset.",
    )
    parser.add_argument(
        "--label", metavar="KEY[:VALUE]",
        help="The label of charts that show one, such as topics:Education.",
    )  # fmt: skip
    parser.add_argument(
        "--gate", metavar="S[:SHORTEST:LONGEST]",
        help="Of a rewording: from which similarity on the meaning counts as kept, and between "
        "which shares of the original's length.",
    )  # fmt: skip
    parser.add_argument("--row", metavar="N", help="The row of charts that show one pair.")
    parser.add_argument(
        "--side", choices=("chosen", "rejected"),
        help="Of sentences: which reply of the row. Default: chosen.",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="FILE", help="Where to write; by default a name of its own."
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.figures import figure as figures

    if options.chart is None:
        for chart in figures.figures(options.id):
            choice = f" ({', '.join(chart.options)})" if chart.options else ""
            print(f"{chart.name:<16} {chart.title}{choice}")
        for spec in figures.figure_columns(options.id):
            print(f"column {spec.id}: {spec.label}")
        for name in figures.own_columns(options.id):
            print(f"column {name}: of the dataset")
        return 0
    chosen: Wish = {
        "model": options.model, "other": options.other, "column": options.column,
        "label": options.label, "gate": options.gate, "row": options.row, "side": options.side,
    }  # fmt: skip
    content = figures.figure(options.id, options.chart, options.format, options.width, **chosen)
    path = Path(
        options.out
        or figures.file_name(options.id, options.chart, options.format, options.width, **chosen)
    )
    figures.save(path, content)
    print(f"{path}\n\n{figures.caption(options.id, options.chart, **chosen)}\n")
    print(figures.methods(options.id, options.chart, **chosen))
    return 0
