"""`ivan taxonomy`: label a dataset with a paid model in batches, collect, repair, import."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ivan_core.cli import control_batch, options as made, taxonomy_files
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.specs import DatasetRequest, TaxonomySpec

BY = "command line"


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "taxonomy",
        help="label every text with a language model",
        description="Label every text of a preference dataset with 19 features: with a paid model "
        "through OpenAI's Batch API, or with a second labeler.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_create(actions)
    _add_process(actions)
    control_batch.add_action(actions)
    taxonomy_files.add_actions(actions)


def _add_create(actions: Any) -> None:
    parser = actions.add_parser(
        "create-batch",
        help="estimate what labels cost, and send the requests once you confirm",
        description="Write the requests to data/taxonomy-input, say what they would cost, and send "
        "them as batches once that is confirmed. The same command again finds what was sent.",
    )
    parser.set_defaults(run=create)
    fields = made.SpecOptions(TaxonomySpec)
    fields.add_rows(parser)
    fields.add(parser, "seed")
    made.add_preset(parser)
    fields.add(parser, "model", "keys")
    parser.add_argument("--yes", action="store_true", help="Confirm the cost without being asked.")
    fields.add(parser, "max_usd")
    fields.add(parser)
    parser.add_argument(
        "--examples", action="store_true", help="Print the requests of three rows before asking."
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="Ask for all texts, also for those that have labels of this account already, and send "
        "although the same requests were, or may have been, sent before: paid twice.",
    )


def _add_process(actions: Any) -> None:
    parser = actions.add_parser(
        "process-batch",
        help="collect batches, check every label, repair what is missing",
        description="Collect what has ended of some batches, check every label, and write one CSV "
        "under data/taxonomy-output. Batches that have not ended are named, which is no "
        "failure (exit code 0); the same command collects them later. Nothing is bought unless "
        "--repair asks for it.",
    )
    parser.set_defaults(run=process)
    parser.add_argument(
        "--batch-ids", required=True, metavar="IDS", help='Ids of batches: "batch_a, batch_b".'
    )
    fields = made.SpecOptions(DatasetRequest)
    fields.add(parser, "source", before="For ids from elsewhere.")
    fields.add(parser)
    parser.add_argument("--preset", help=argparse.SUPPRESS)
    parser.add_argument(
        "--repair",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="Label what has no usable labels again, once its cost is confirmed.",
    )
    parser.add_argument(
        "--as-batch",
        action="store_true",
        help="Repair as a new batch, at its price; by default at once, at the standard price.",
    )
    parser.add_argument(
        "--close-as-is",
        action="store_true",
        help="Give up answers that the provider counts as finished and does not deliver.",
    )
    parser.add_argument("--yes", action="store_true", help="Confirm the cost without being asked.")
    parser.add_argument("--base-url", default="", metavar="URL", help="Where the API answers.")


def spec_from(options: argparse.Namespace) -> TaxonomySpec:
    """The spec that the options ask for.

    Raises:
        BadInput: an option makes no sense.
    """
    from ivan_core import catalog
    from ivan_core.backends.openai.models import default_model
    from ivan_core.settings import preset_name

    preset = catalog.preset(options.preset or preset_name())
    usual = TaxonomySpec(dataset=DatasetRequest(source=preset.dataset), model=default_model())
    return made.spec_from(TaxonomySpec, options, usual)


def create(options: argparse.Namespace) -> int:
    """Prepare, show the estimate, ask, send; say how to collect."""
    from ivan_core.cli import taxonomy_ask as ask
    from ivan_core.experiments.batches import handling as taxonomy

    spec = spec_from(options)
    run_id, new = taxonomy.start(spec, options.again)
    if not new and taxonomy.is_sent(run_id) and not taxonomy.awaits_yes(run_id):
        print(f"Run {run_id} was confirmed for exactly this: nothing is sent again.")
        taxonomy.follow(run_id)
        return ask.print_batches(run_id, sys.stdout)
    if not new:
        taxonomy.choose_all(run_id, options.again)
    if not ask.wait_for_estimate(run_id, sys.stdout):
        return ask.print_free(run_id, sys.stdout)
    if options.examples:
        ask.print_examples(run_id, sys.stdout)
    confirmed = ask.confirm(run_id, BY, options.yes, options.again)
    if confirmed is None:
        return 1
    if confirmed.sentence:
        print(confirmed.sentence)
    return ask.print_batches(confirmed.run_id, sys.stdout)


def process(options: argparse.Namespace) -> int:
    """Collect, print what came, and repair where that is asked for."""
    from ivan_core import catalog
    from ivan_core.cli import taxonomy_ask as ask
    from ivan_core.experiments.batches import adopt as batch_adopt, handling as taxonomy
    from ivan_core.settings import preset_name

    dataset = made.dataset_from(options, catalog.preset(preset_name()).dataset)
    ids = batch_adopt.batch_ids(options.batch_ids)
    run_id, new = batch_adopt.adopt(ids, dataset, BY, options.base_url)
    if new:
        print(f"Run {run_id} takes in {len(ids)} {'batch' if len(ids) == 1 else 'batches'}.")
    still: tuple[str, ...] = ()
    try:
        still = batch_adopt.collect(run_id)
    except BackendUnavailable as error:
        # Giving up takes no answer of the provider.
        if not (options.close_as_is and taxonomy.undelivered(run_id)):
            raise
        print(f"ivan: {error.message}", file=sys.stderr)
    if ask.is_writing(run_id):
        ask.wait_until_idle(run_id, sys.stdout)
    if options.close_as_is and taxonomy.undelivered(run_id):
        ask.print_given_up(run_id, sys.stdout)
        taxonomy.close_parts(run_id, BY)
        still = batch_adopt.collect(run_id, look=False)
    code = ask.print_outcome(run_id, still, sys.stdout)
    summary = taxonomy.counts(run_id)
    if still or code or summary is None or not summary["unfinished"]:
        return code
    if not options.repair:
        print(f"Texts without usable labels: {summary['unfinished']:,}. --repair asks for them.")
        return code
    taxonomy.estimate_again(run_id, "batch" if options.as_batch else "now")
    if not ask.wait_for_estimate(run_id, sys.stdout):
        return ask.print_free(run_id, sys.stdout)
    if ask.confirm(run_id, BY, options.yes, False) is None:
        return 1
    if options.as_batch:
        return ask.print_batches(run_id, sys.stdout)
    ask.wait_until_idle(run_id, sys.stdout)
    return ask.print_outcome(run_id, (), sys.stdout)
