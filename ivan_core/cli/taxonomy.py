"""`ivan taxonomy`: label with a paid model in batches, or text by text; collect, repair, import."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from ivan_core import catalog
from ivan_core.cli import options as made
from ivan_core.cli.follow import follow_started, print_problem, print_step
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.estimates import usd
from ivan_core.domain.specs import DatasetRequest, LabelSpec, TaxonomySpec
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.settings import preset_name

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
    _add_control(actions)
    _add_files(actions)


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


def _add_control(actions: Any) -> None:
    parser = actions.add_parser(
        "run-control-batch",
        help="label with a second labeler: a model on Ollama, or rules",
        description="Label random rows with a second labeler: a model on Ollama, or the rules that "
        "ship with IVAN. Results are saved as CSV under data/taxonomy-control.",
    )
    parser.set_defaults(run=control)
    fields = made.SpecOptions(LabelSpec)
    fields.add_rows(parser)
    fields.add(parser, "seed")
    made.add_preset(parser)
    fields.add(parser, "labeler", "keys", "num_ctx")
    fields.add(parser)
    parser.add_argument(
        "--pull", action="store_true", help="Download the model first if the server lacks it."
    )


def _add_files(actions: Any) -> None:
    parser = actions.add_parser(
        "import-file",
        help="enter result files of any engine as a finished run",
        description="Read result files of any engine that reads OpenAI batch files, check every "
        "label, and enter them as a finished run.",
    )
    parser.set_defaults(run=import_file)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="A result file.")
    made.SpecOptions(DatasetRequest).add(parser)
    parser.add_argument("--model", default="", metavar="M", help="Who labelled, if not named.")
    parser.add_argument(
        "--force", action="store_true", help="Leave lines about other texts aside, do not refuse."
    )
    parser = actions.add_parser(
        "run-file",
        help="answer a prepared request file at any OpenAI-compatible server",
        description="Send the requests of a file that create-batch wrote to any OpenAI-compatible "
        "server, one by one. Answers are kept line by line; the same command goes on after a stop, "
        "and asks again for what failed.",
    )
    parser.set_defaults(run=run_file)
    parser.add_argument("file", type=Path, metavar="FILE", help="A file of data/taxonomy-input.")
    parser.add_argument("--base-url", default="", metavar="URL", help="Where the API answers.")
    parser.add_argument(
        "--model", default="", metavar="M", help="The name under which the server has the model."
    )
    parser.add_argument(
        "--concurrency", type=int, default=4, metavar="N", help="Requests at a time. Default: 4."
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="Where the answers are kept.")
    parser.add_argument(
        "--input-usd", type=float, metavar="X", help="Price of a million input tokens."
    )
    parser.add_argument(
        "--output-usd", type=float, metavar="X", help="Price of a million output tokens."
    )
    parser.add_argument("--free", action="store_true", help="The server costs nothing.")
    parser.add_argument("--max-usd", type=float, metavar="X", help="Send nothing above this.")
    parser.add_argument("--yes", action="store_true", help="Confirm the cost without being asked.")


def spec_from(options: argparse.Namespace) -> TaxonomySpec:
    """The spec that the options ask for.

    Raises:
        BadInput: an option makes no sense.
    """
    from ivan_core.backends.openai.models import default_model

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
        return ask.print_batches(run_id)
    if not new:
        taxonomy.choose_all(run_id, options.again)
    if not ask.wait_for_estimate(run_id):
        return ask.print_free(run_id)
    if options.examples:
        ask.print_examples(run_id)
    confirmed = ask.confirm(run_id, BY, options.yes, options.again)
    if confirmed is None:
        return 1
    if confirmed.sentence:
        print(confirmed.sentence)
    return ask.print_batches(confirmed.run_id)


def process(options: argparse.Namespace) -> int:
    """Collect, print what came, and repair where that is asked for."""
    from ivan_core.cli import taxonomy_ask as ask
    from ivan_core.experiments.batches import adopt, handling as taxonomy

    dataset = made.dataset_from(options, catalog.preset(preset_name()).dataset)
    ids = adopt.batch_ids(options.batch_ids)
    run_id, new = adopt.adopt(ids, dataset, BY, options.base_url)
    if new:
        print(f"Run {run_id} takes in {number_of(len(ids), 'batch', 'batches')}.")
    still: tuple[str, ...] = ()
    try:
        still = adopt.collect(run_id)
    except BackendUnavailable as error:
        # Giving up takes no answer of the provider.
        if not (options.close_as_is and taxonomy.undelivered(run_id)):
            raise
        print_problem(error.message)
    if ask.is_writing(run_id):
        ask.wait_until_idle(run_id)
    if options.close_as_is and taxonomy.undelivered(run_id):
        ask.print_given_up(run_id)
        taxonomy.close_parts(run_id, BY)
        still = adopt.collect(run_id, look=False)
    code = ask.print_outcome(run_id, still)
    summary = taxonomy.counts(run_id)
    if still or code or summary is None or not summary["unfinished"]:
        return code
    if not options.repair:
        print(f"Texts without usable labels: {summary['unfinished']:,}. --repair asks for them.")
        return code
    taxonomy.estimate_again(run_id, "batch" if options.as_batch else "now")
    if not ask.wait_for_estimate(run_id):
        return ask.print_free(run_id)
    if ask.confirm(run_id, BY, options.yes, False) is None:
        return 1
    if options.as_batch:
        return ask.print_batches(run_id)
    ask.wait_until_idle(run_id)
    return ask.print_outcome(run_id, ())


def label_spec_from(options: argparse.Namespace) -> LabelSpec:
    """The spec that the options ask for.

    Raises:
        BadInput: an option makes no sense.
    """

    preset = catalog.preset(options.preset or preset_name())
    usual = LabelSpec(dataset=DatasetRequest(source=preset.dataset), labeler=preset.second_labeler)
    return made.spec_from(LabelSpec, options, usual)


def control(options: argparse.Namespace) -> int:
    """Start it, follow it, and print what came of it."""
    from ivan_core.engine import machine
    from ivan_core.experiments.labels import plan as labels

    spec = label_spec_from(options)
    if options.pull:
        machine.pull(spec.labeler, print_step)
    plan = labels.plan(spec)
    print(plan.sentence)
    run_id, new = runs.start(spec)
    return follow_started(run_id, new)


def import_file(options: argparse.Namespace) -> int:
    from ivan_core.experiments.batches.import_files import import_files
    from ivan_core.experiments.labels.report import print_labels

    dataset = made.dataset_from(options, catalog.preset(preset_name()).dataset)
    entered = import_files(options.files, dataset, options.force, options.model)
    print(f"Imported run {entered.run_id}: labels of {entered.model}.")
    print_labels(entered.run_id, sys.stdout)
    return 0


def run_file(options: argparse.Namespace) -> int:
    """Say what it would take, ask, answer what is left, and say how to import it."""
    from ivan_core.experiments.batches import answers as files

    plan = files.plan_file(
        options.file, options.base_url, options.model, options.out, _prices(options)
    )
    print(
        f"{plan.left:,} of {plan.requests:,} requests to {plan.host} for {plan.model}"
        + (" (a demo: its answers are made up)" if plan.demo else "")
    )
    if plan.dollars is not None:
        print(
            f"  {plan.input_tokens:,} input tokens; {usd(plan.dollars.typical)} typical, "
            f"{usd(plan.dollars.bound)} at the most ({plan.price_from})"
        )
    if plan.left and not _confirmed(options, plan.dollars is not None):
        print("Nothing was sent.")
        return 1
    if plan.left:
        answers = files.run_file(
            plan, options.base_url, options.concurrency, options.max_usd, _progress
        )
        failed = plan.requests - len(answers.answered)
        told = f"; {failed:,} without an answer, asked again next time" if failed else ""
        print(f"{len(answers.answered):,} of {plan.requests:,} answered{told}.")
    words = ["ivan", "taxonomy", "import-file", str(plan.out)]
    print(f"Answers: {plan.out}\nImport with: {shlex.join(words)} --dataset D")
    return 0


def _prices(options: argparse.Namespace) -> tuple[float, float] | None:
    if options.free:
        return (0.0, 0.0)
    if (options.input_usd is None) != (options.output_usd is None):
        raise BadInput("One of two prices is missing.", "Give --input-usd and --output-usd.")
    return None if options.input_usd is None else (options.input_usd, options.output_usd)


def _confirmed(options: argparse.Namespace, priced: bool) -> bool:
    """Whether somebody says yes to the cost; what has no price is refused later, by name."""
    from ivan_core.cli import taxonomy_ask as ask

    if options.yes or options.free or not priced:
        return True
    return ask.said_yes()


def _progress(answered: int) -> None:
    if answered % 100 == 0:
        print(f"{answered:,} answered", flush=True)
