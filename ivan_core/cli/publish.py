"""`ivan publish`: a dataset or scores of a run on the Hugging Face hub, shown before it is sent."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any

from ivan_core.cli import options as made
from ivan_core.cli.export import IS_RUN
from ivan_core.cli.hand_over import SETTLED
from ivan_core.domain.specs import DatasetRequest

if TYPE_CHECKING:
    from ivan_core.publish.publication import Publication


def add(commands: Any) -> None:
    about = "put a dataset, or the scores of a run, on the Hugging Face hub with a card"
    parser = commands.add_parser(
        "publish",
        help=about,
        description=f"{about.capitalize()}. Without --yes nothing is sent: the files and the "
        "whole card are shown.",
    )
    parser.add_argument(
        "source", metavar="RUN|DATASET", help="a run's id, or a dataset as other commands name it"
    )
    parser.add_argument("name", metavar="OWNER/NAME", help="the dataset's name on the hub")
    parser.add_argument("--yes", action="store_true", help="Send it.")
    parser.add_argument("--public", action="store_true", help="For everybody. Default: private.")
    parser.add_argument(
        "--format",
        default="",
        metavar="FORMAT",
        help="How pairs are written, as in `ivan export`; of its formats those that are tables. "
        "Default: dpo (TRL's preference rows), or parquet beside the scores of a run.",
    )
    parser.add_argument(
        "--texts", action="store_true", help="Of a run: its pairs with their texts too."
    )
    parser.add_argument(
        "--settled",
        choices=SETTLED,
        help="What becomes of a preference against which people settled in Review: keep, flip or "
        "drop it; how it stands is beside each pair then.",
    )
    made.SpecOptions(DatasetRequest).add(
        parser.add_argument_group("of a dataset"),
        *(name for name in DatasetRequest.model_fields if name != "source"),
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.domain.errors import BadInput
    from ivan_core.engine.exports import contents
    from ivan_core.publish import hub
    from ivan_core.publish.of_dataset import publish_dataset
    from ivan_core.publish.of_run import publish_run
    from ivan_core.publish.publication import Asked

    asked = Asked(options.name, options.public, options.format, options.texts, options.settled)
    asked.check()
    if options.yes:
        hub.check_token()
    if IS_RUN.fullmatch(options.source):
        found = publish_run(options.source, asked)
    elif options.texts:
        raise BadInput("--texts is for a run.", "A dataset is published with its texts anyway.")
    else:
        dataset = contents.prepared(made.dataset_from(options, options.source))
        found = publish_dataset(dataset, asked)
    return _send(found) if options.yes else _show(found)


def _show(found: Publication) -> int:
    """The repository, its files with their sizes, the card whole, and what would be done."""
    from ivan_core.engine.archive import size
    from ivan_core.figures.html.frame import plain
    from ivan_core.publish import hub

    print(
        f"{hub.address(found.asked.repository)} ({'public' if found.asked.public else 'private'})"
    )
    for name, path in found.files.items():
        print(f"  {name:<24}{size(path.stat().st_size):>10}  {path}")
    print(f"\n{plain(found.card)}")
    for sentence in (*_state(found), found.warning):
        print(sentence)
    print(f"Nothing was sent. To send it: {shlex.join([*found.command, '--yes'])}")
    return 0


def _state(found: Publication) -> list[str]:
    """What is there under the name, and what a commit would change."""
    from ivan_core.domain.errors import IvanError
    from ivan_core.publish import hub

    if not hub.has_token():
        return ["There is no token for the hub here, so it was not asked what is there already."]
    try:
        there = hub.find(found.asked.repository)
        if there is not None:
            hub.check_visible(found.asked.repository, there, public=found.asked.public)
    except IvanError as error:
        return [f"{error.message} {error.hint}"]
    return [*hub.told(there, found.files, public=found.asked.public)]


def _send(found: Publication) -> int:
    from ivan_core.engine.archive import size
    from ivan_core.publish import hub

    there = hub.find(found.asked.repository)
    for sentence in hub.told(there, found.files, public=found.asked.public):
        print(sentence, flush=True)
    lacking = list(found.files) if there is None else there.lacks(found.files)
    if lacking:
        files = {place: found.files[place] for place in lacking}
        amount = size(sum(path.stat().st_size for path in files.values()))
        print(f"Sending {amount} …", flush=True)
        commit = hub.send(
            found.asked.repository, files, there, public=found.asked.public, message=found.message
        )
        print(f"Sent {', '.join(lacking)}{f' (commit {commit})' if commit else ''}.")
    print(hub.address(found.asked.repository))
    return 0
