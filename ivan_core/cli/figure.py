"""`ivan figure`: one chart of a run as a file for a paper, with its caption."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, cast

from ivan_core.figures.choices import OPTIONS, Wish
from ivan_core.figures.files import KINDS, WIDTHS, save


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
        "--format", choices=KINDS, default="svg", help="Kind of file. Default: svg."
    )
    parser.add_argument(
        "--width",
        type=int,
        choices=WIDTHS,
        default=85,
        help="Width in mm: one or two columns. Default: 85.",
    )
    parser.add_argument(
        "--list", action="store_true", help="List what CHART can show, in place of making it."
    )
    for option in OPTIONS:
        parser.add_argument(
            f"--{option.name}",
            metavar=option.metavar or None,
            choices=option.among or None,
            action="append" if option.several else "store",
            help=option.help,
        )
    parser.add_argument(
        "--out", metavar="FILE", help="Where to write; by default a name of its own."
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.engine import figures

    if options.chart is None:
        for chart in figures.figures(options.id):
            choice = f" ({', '.join(chart.options)})" if chart.options else ""
            print(f"{chart.name:<16} {chart.title}{choice}")
        for name, value, words in figures.offered(options.id):
            print(f"{name} {value}: {words}")
        return 0
    if options.list:
        offered = figures.offered(options.id, options.chart)
        for name, value, words in offered:
            print(f"--{name} {value}{f': {words}' if words else ''}")
        if not offered:
            print(f"The chart {options.chart} leaves nothing to choose.")
        return 0
    chosen = cast("Wish", {option.name: getattr(options, option.name) for option in OPTIONS})
    content = figures.figure(options.id, options.chart, options.format, options.width, **chosen)
    path = Path(
        options.out
        or figures.file_name(options.id, options.chart, options.format, options.width, **chosen)
    )
    save(path, content)
    print(f"{path}\n\n{figures.caption(options.id, options.chart, **chosen)}\n")
    print(figures.methods(options.id, options.chart, **chosen))
    return 0
