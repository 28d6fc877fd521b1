"""`ivan runs`: list, show, follow, name, star, move or delete runs; and `ivan cache`."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from ivan_core.cli import options as made
from ivan_core.cli.follow import follow, wait_for_end
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import handling as runs
from ivan_core.figures.choices import WHERE

_ID = "the run's id, as in `ivan runs list`"


def add(commands: Any) -> None:
    parser = commands.add_parser("runs", help="list, show, name, star, move or delete runs")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all runs, newest first")
    listing.set_defaults(run=list_runs)
    about = "one run with its spec and, once finished, its manifest (JSON)"
    _action(actions, "show", show, about, "id")
    about = "every number of a finished run as a sentence to copy"
    sub = _action(actions, "sentences", sentences, about, "id")
    sub.add_argument("--where", metavar=WHERE.metavar, help=WHERE.help)
    for name, action, about in (
        ("follow", follow_run, "watch a run until it ends"),
        ("cancel", cancel, "stop a run; what is finished is kept"),
    ):
        _action(actions, name, action, about, "id")
    made.add_engine(_action(actions, "resume", resume, "go on with a stopped run", "id"))
    sub = _action(actions, "rename", rename, "give a run a name beside its id", "id")
    sub.add_argument("name", help="the name; an empty one takes it away")
    about = "give a run a star, so that it stands first on the page Runs"
    sub = _action(actions, "star", star, about, "id")
    sub.add_argument("--off", action="store_true", help="Take its star away.")
    sub = _action(actions, "delete", delete, "delete a run and the files it wrote", "id")
    sub.add_argument("--yes", action="store_true", help="Do not ask.")
    sub = _action(actions, "export", export, "write a finished run as a zip", "id")
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
    fields = made.SpecOptions(DatasetRequest)
    fields.add(sub, "source", before="The dataset that they are about; CSV files need it named.")
    fields.add(sub)
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
    about = "do the same once more: what is paid for asks first, as its command does"
    _action(actions, "duplicate", duplicate, about, "id")
    about = "set two runs beside each other on shared rows, or several in one table"
    sub = _action(actions, "compare", compare, about, "first", "second")
    sub.add_argument("more", nargs="*", help="more comparisons, on the same pairs as the others")
    sub.add_argument(
        "--out", metavar="FILE", help="Write the table of all their models to a CSV file."
    )


def _action(actions: Any, name: str, run: Any, about: str, *ids: str) -> Any:
    """Add one action, with the ids of the runs that it is about."""
    sub = actions.add_parser(name, help=about, description=about)
    for one in ids:
        sub.add_argument(one, help=_ID)
    sub.set_defaults(run=run)
    return sub


def add_cache(commands: Any) -> None:
    """Add `ivan cache`."""
    parser = commands.add_parser(
        "cache",
        help="size of the score cache, or clear it",
        description="The score cache keeps what a model gave a text, so that no run computes it "
        "twice. Prints its size.",
    )
    parser.add_argument("--clear", action="store_true", help="Empty it; no run is deleted.")
    parser.set_defaults(run=cache)


def list_runs(_: argparse.Namespace) -> int:
    found = runs.experiments()
    if not found:
        print("No runs yet. Start one with `ivan compare`.")
    for run in found:
        done = f"{run.done:,}/{run.total:,}" if run.total else "-"
        what = f"{run.kind}: {runs.about(run)}"
        what += f" | {run.name}" if run.name else ""
        what += " | ★" if run.starred else ""
        print(f"{run.id:<20} {run.state:<12} {done:>15}  {what}")
    return 0


def show(options: argparse.Namespace) -> int:
    run = runs.get(options.id)
    content: dict[str, Any] = {
        "run": run.id,
        "name": run.name,
        "state": str(run.state),
        "done": run.done,
        "total": run.total,
        "doing": run.doing,
        "problem": run.problem,
        "hint": run.hint,
        "notes": list(run.notes),
        "spec": runs.any_spec_of(run).model_dump(mode="json"),
        "manifest": runs.manifest(run.id),
    }
    print(json.dumps(content, indent=1, ensure_ascii=False))
    return 0


def sentences(options: argparse.Namespace) -> int:
    from ivan_core.engine.figures import quotes, source_line
    from ivan_core.figures.words import listed

    told = quotes(options.id, options.where)
    print(listed(source_line(options.id, options.where), told))
    return 0


def follow_run(options: argparse.Namespace) -> int:
    return follow(options.id, sys.stdout)


def resume(options: argparse.Namespace) -> int:
    runs.resume(options.id, made.engine_from(options))
    return follow_run(options)


def cancel(options: argparse.Namespace) -> int:
    runs.stop(options.id)
    run = wait_for_end(options.id)
    if run.state.live:
        print(f"Run {run.id} is being cancelled; `ivan runs follow {run.id}` shows how far it is.")
    else:
        print(f"Run {run.id} is {run.state} at {run.done:,} of {run.total:,}.")
    return 0


def rename(options: argparse.Namespace) -> int:
    from ivan_core.engine import archive

    run = archive.rename(options.id, options.name)
    print(f"Run {run.id} is called {run.name!r}." if run.name else f"Run {run.id} has no name.")
    return 0


def star(options: argparse.Namespace) -> int:
    from ivan_core.engine import archive

    run = archive.star(options.id, not options.off)
    print(f"Run {run.label} has {'a' if run.starred else 'no'} star.")
    return 0


def delete(options: argparse.Namespace) -> int:
    from ivan_core.engine import archive

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
    from ivan_core.engine.import_files import import_files
    from ivan_core.engine.imports import read_dataset

    paths = [Path(name) for name in options.files]
    dataset = None
    if options.source:
        dataset = read_dataset(made.dataset_from(options, options.source))
    for sentence in import_files(paths, dataset, options.model, options.force):
        print(sentence)
    return 0


def duplicate(options: argparse.Namespace) -> int:
    command = runs.command(runs.get(options.id))
    print(command, flush=True)
    words = shlex.split(command)[1:]
    return subprocess.run([sys.executable, "-m", "ivan_core", *words], check=False).returncode


def compare(options: argparse.Namespace) -> int:
    from ivan_core.engine.set_beside import beside, together

    if not options.more and not options.out:
        print(beside(options.first, options.second))
        return 0
    found = together((options.first, options.second, *options.more))
    print(found.table.to_string(index=False, float_format="{:.4f}".format))
    print("", *found.sentences, sep="\n")
    if options.out:
        from ivan_core.figures.files import save

        save(Path(options.out), found.table.to_csv(index=False, lineterminator="\n").encode())
        print(options.out)
    return 0


def cache(options: argparse.Namespace) -> int:
    from ivan_core.engine import archive, machine

    if options.clear:
        before = machine.clear_cache()
        print(f"Cleared {before.entries:,} rewards, {archive.size(before.bytes)}.")
    else:
        print(machine.cache_size().sentence)
    return 0
