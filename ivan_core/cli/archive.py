"""`ivan runs rename|delete|export|import|duplicate|compare` and `ivan cache`."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from ivan_core.domain.errors import BadInput


def add_actions(actions: Any) -> None:
    """Add what `ivan runs` can do with finished runs."""
    about_id = "the run's id, as in `ivan runs list`"
    sub = _action(actions, "rename", rename, "give a run a name beside its id")
    sub.add_argument("id", help=about_id)
    sub.add_argument("name", help="the name; an empty one takes it away")
    sub = _action(actions, "delete", delete, "delete a run and the files it wrote")
    sub.add_argument("id", help=about_id)
    sub.add_argument("--yes", action="store_true", help="Do not ask.")
    sub = _action(actions, "export", export, "write a finished run as a zip")
    sub.add_argument("id", help=about_id)
    sub.add_argument("--out", metavar="FILE", help="Where to write. Default: ID.zip here.")
    sub.add_argument("--texts", action="store_true", help="Put the texts of the pairs in it too.")
    sub = _action(
        actions,
        "import",
        import_run,
        "enter a run from a zip made by export, or from the original's CSV files",
    )
    sub.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="one zip; or the CSV files of one study: scores and stats, labels, rewordings",
    )
    sub.add_argument(
        "--dataset", metavar="D", help="The dataset that they are about; CSV files need it named."
    )
    sub.add_argument("--subset", default="", help="One part of a hub dataset.")
    sub.add_argument("--split", default="train", help="The split of a hub dataset. Default: train.")
    sub.add_argument("--revision", default="", help="Branch, tag or commit of a hub dataset.")
    sub.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="M",
        help="Who judged, labelled or reworded in a CSV file, in the order of the files; by "
        "default from its name.",
    )
    sub.add_argument(
        "--force",
        action="store_true",
        help="Leave lines of other texts aside, not refuse the file.",
    )
    sub = _action(
        actions,
        "duplicate",
        duplicate,
        "do the same once more: what is paid for asks first, as its command does",
    )
    sub.add_argument("id", help=about_id)
    sub = _action(actions, "compare", compare, "set two runs beside each other on shared rows")
    sub.add_argument("first", help=about_id)
    sub.add_argument("second", help=about_id)


def _action(actions: Any, name: str, run: Any, about: str) -> Any:
    sub = actions.add_parser(name, help=about, description=about)
    sub.set_defaults(run=run)
    return sub


def add(commands: Any) -> None:
    """Add `ivan cache`."""
    parser = commands.add_parser(
        "cache",
        help="size of the score cache, or clear it",
        description="The score cache keeps what a model gave a text, so that no run computes it "
        "twice. Prints its size.",
    )
    parser.add_argument("--clear", action="store_true", help="Empty it; no run is deleted.")
    parser.set_defaults(run=cache)


def rename(options: argparse.Namespace) -> int:
    from ivan_core.engine import archive

    run = archive.rename(options.id, options.name)
    print(f"Run {run.id} is called {run.name!r}." if run.name else f"Run {run.id} has no name.")
    return 0


def delete(options: argparse.Namespace) -> int:
    from ivan_core.engine import archive, handling as runs

    run = runs.get(options.id)
    if not options.yes:
        if not sys.stdin.isatty():
            raise BadInput("Deleting asks for confirmation.", "Add --yes where nobody can answer.")
        done = f"{run.done:,} of {run.total:,} done"
        if input(
            f"Delete run {run.label} ({run.kind}, {run.state}, {done})? [y/N] "
        ).strip().lower() not in ("y", "yes"):
            print("Nothing was deleted.")
            return 1
    print(archive.delete(run.id).sentence)
    return 0


def export(options: argparse.Namespace) -> int:
    from ivan_core.engine import archive, zips

    path = Path(options.out or f"{options.id}.zip")
    zips.export(options.id, path, texts=options.texts)
    print(f"{path} ({archive.size(path.stat().st_size)})")
    return 0


def import_run(options: argparse.Namespace) -> int:
    from ivan_core.domain.specs import DatasetRequest
    from ivan_core.engine.csv_files import import_csvs
    from ivan_core.engine.imports import read_dataset
    from ivan_core.engine.zips import import_zip

    paths = [Path(name) for name in options.files]
    dataset = None
    if options.dataset:
        dataset = read_dataset(
            DatasetRequest(
                source=options.dataset,
                subset=options.subset,
                split=options.split,
                revision=options.revision,
            )
        )
    if any(path.suffix.lower() == ".zip" for path in paths):
        if len(paths) > 1 or options.model:
            raise BadInput("A zip is imported alone, and names its models itself.")
        found = [import_zip(paths[0], dataset)]
    else:
        if dataset is None:
            raise BadInput(
                "CSV files do not say which dataset they judge.", "Name it with --dataset."
            )
        found = import_csvs(paths, dataset, options.model, options.force)
    for one in found:
        print(one.sentence)
    return 0


def duplicate(options: argparse.Namespace) -> int:
    from ivan_core.engine import handling as runs

    command = runs.command(runs.get(options.id))
    print(command, flush=True)
    words = shlex.split(command)[1:]
    return subprocess.run([sys.executable, "-m", "ivan_core", *words], check=False).returncode


def compare(options: argparse.Namespace) -> int:
    from ivan_core.engine.studies import beside

    print(beside(options.first, options.second))
    return 0


def cache(options: argparse.Namespace) -> int:
    from ivan_core.engine import archive, machine

    if options.clear:
        before = machine.clear_cache()
        print(f"Cleared {before.entries:,} rewards, {archive.size(before.bytes)}.")
    else:
        print(machine.cache_size().sentence)
    return 0
