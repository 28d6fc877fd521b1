"""What the worker of a run of batches does: prepare, wait for a yes, send, follow, collect, write.

Every step may be stopped at any moment and is found again by what is in the ledger and the folder.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ivan_core.backends.openai.batches import OpenAIBatches
from ivan_core.backends.openai.chat import OpenAIChat, label_body
from ivan_core.backends.openai.client import account_for, is_demo
from ivan_core.backends.openai.models import TokenCounter
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.estimates import Estimate, EstimatedFile, Mode, Reason
from ivan_core.domain.labels import BatchProvider, LabelPrompt, TextKey
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.engine.work import Begun, Job, Waiting, begin
from ivan_core.experiments.batches.answers import AnswerFile, Send, answer_all, read_requests
from ivan_core.experiments.batches.collect import now_path
from ivan_core.experiments.batches.estimates import (
    keep_estimate,
    make_estimate,
    over_cap,
    prices_of,
    read_lengths,
)
from ivan_core.experiments.batches.follow import Follower, Sleep, lacking_parts
from ivan_core.experiments.batches.job import BatchJob, open_job
from ivan_core.experiments.batches.kept_answers import reuse_for
from ivan_core.experiments.batches.requests import (
    Requests,
    all_texts,
    asked_key,
    asked_texts,
    prepare_requests,
)
from ivan_core.experiments.batches.results import attempts_of, reconcile_attempts, write_reconciled
from ivan_core.ledger.answers import owner_of
from ivan_core.ledger.records import Confirmation, PlanChanged
from ivan_core.runs.context import RunContext

LOOK_AGAIN = (
    "Whoever opens the run looks again, for nothing. If the answers never come, close the part as "
    "it is: then its other texts can be asked for again, which is paid again."
)
NOBODY = "nobody: nothing is paid"
"""Who said yes to an attempt that asks for nothing."""
DOUBT = (
    "Nobody knows whether {parts} sent: no answer came, and the batch is not in the provider's "
    "list. Sending again may be charged twice."
)


_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Providers:
    """Whom the worker of a run asks; both are made when they are needed and not before."""

    batches: Callable[[TaxonomySpec], BatchProvider]
    send: Callable[[TaxonomySpec], Send]


def _batches(spec: TaxonomySpec) -> BatchProvider:
    return OpenAIBatches(account_for(spec.base_url))


def _send(spec: TaxonomySpec) -> Send:
    return OpenAIChat(spec.model, account_for(spec.base_url)).send


OWN = Providers(_batches, _send)


def work_taxonomy(
    work: Job[TaxonomySpec], providers: Providers = OWN, sleep: Sleep = time.sleep
) -> Waiting | None:
    """Take a run as far as it gets: how it waits for a person, or None when it is done.

    Raises:
        IvanError: something is in the way for good; resuming goes on from there.
    """
    context = work.context
    job = open_job(context.id, work.registry)
    begun = begin(context, job.spec, lambda rows: rows)
    context.note(begun.notes)
    wanted = job.asked_again()
    if wanted is not None:
        return _prepare_again(job, context, begun, providers, sleep, *wanted)
    estimate, confirmed = job.estimate(), job.confirmed()
    if estimate is None and not confirmed:
        return _prepare_first(job, context, begun)
    if estimate is not None and estimate.attempt not in confirmed and not job.cancelled:
        return _ready(job, context, begun, estimate)
    return _carry_out(job, context, begun, providers, sleep)


def _prepare_first(job: BatchJob, context: RunContext, begun: Begun) -> Waiting | None:
    wanted = all_texts(begun.choice.row_ids)
    return _prepare(job, context, begun, wanted, 1, "batch", "first")


def _prepare_again(
    job: BatchJob,
    context: RunContext,
    begun: Begun,
    providers: Providers,
    sleep: Sleep,
    attempt: int,
    mode: Mode,
) -> Waiting | None:
    """An estimate for what has no usable labels, after a last look for it at the provider."""
    notes = _look_once_more(job, context, begun, providers, sleep)
    found = reconcile_attempts(attempts_of(job, context), job.spec.keys)
    waiting = undelivered(job)
    if found.unfinished and waiting is None:
        return _prepare(job, context, begun, found.unfinished, attempt, mode, "repair")
    job.ask_no_more()
    if notes:
        context.note([*begun.notes, *notes, found.sentence])
    return waiting


def _look_once_more(
    job: BatchJob, context: RunContext, begun: Begun, providers: Providers, sleep: Sleep
) -> list[str]:
    """Fetch what lacks answers once more, for nothing; what came of it stands in the results."""
    if not lacking_parts(job, context):
        return []
    context.doing("Looking once more at the provider for what has no answer")
    follower = Follower(job, context, providers.batches(job.spec), sleep)
    follower.once_more()
    write_reconciled(job, context, begun, follower.notes)
    return follower.notes


def undelivered(job: BatchJob) -> Waiting | None:
    """How a run waits whose provider has answers that did not come; None if it does not."""
    states = job.undelivered()
    if not states:
        return None
    told = " ".join(f"Part {state.key.part}: {state.problem}" for state in states[:_MOST_NAMED])
    return Waiting(told, LOOK_AGAIN, RunState.AWAITING_PROVIDER)


def _prepare(
    job: BatchJob,
    context: RunContext,
    begun: Begun,
    wanted: list[TextKey],
    attempt: int,
    mode: Mode,
    reason: Reason,
) -> Waiting | None:
    spec, counter = job.spec, TokenCounter(job.spec.model)
    requests = Requests(request_body(spec), counter.request_tokens)
    used = [file.part for one in job.estimates() for file in one.files]
    used += [state.key.part for state in job.parts()]
    prepared = prepare_requests(
        context,
        spec,
        begun.dataset,
        wanted,
        requests,
        attempt,
        max(used, default=0) + 1,
        reuse_for(job, attempt),
    )
    estimate = make_estimate(
        spec,
        prices_of(spec, job.folder),
        prepared.files,
        prepared.lengths,
        attempt=attempt,
        rows=prepared.rows,
        counted=counter.name,
        exact=counter.exact,
        reason=reason,
        mode=mode,
        may_charge_twice=bool(job.in_doubt() and prepared.files),
        reused=prepared.reused,
    )
    keep_estimate(job.folder, estimate, prepared.lengths)
    return _ready(job, context, begun, estimate)


def _ready(job: BatchJob, context: RunContext, begun: Begun, estimate: Estimate) -> Waiting | None:
    """Wait for a yes to an estimate; where nothing is asked there is nothing to say yes to."""
    reused = estimate.reused
    if estimate.requests or reused is None:
        return _waiting(job, estimate)
    account = account_for(job.spec.base_url)
    demo = is_demo(account.base_url)
    if reused.owner != owner_of(account.fingerprint, demo):
        raise PlanChanged(
            "The answers that would be reused belong to another account or server.",
            "Start the labelling once more.",
        )
    job.check_unchanged(estimate)
    free = Confirmation(
        job.run_id, estimate.attempt, estimate.plan_hash, 0.0, time.time(), NOBODY, False
    )
    if demo:
        job.mark_demo()
    job.ledger.confirm(free, [], account.fingerprint)
    found = write_reconciled(job, context, begun)
    context.plan(total=reused.count, done=reused.count)
    context.note([*begun.notes, found.sentence])
    return None


def request_body(spec: TaxonomySpec) -> Callable[[LabelPrompt], dict[str, object]]:
    """How a prompt of this run becomes the body of a request."""

    def body(prompt: LabelPrompt) -> dict[str, object]:
        return label_body(prompt, spec.model, spec.max_completion_tokens)

    return body


def _waiting(job: BatchJob, estimate: Estimate) -> Waiting:
    """The sentence with which a run waits for a yes to its estimate."""
    if estimate.dollars is None:
        return Waiting(
            f"No price is known for {estimate.model}.",
            "Give the prices of a million input and output tokens: nothing is guessed.",
        )
    capped = over_cap(job.spec.max_usd, estimate.dollars)
    if capped:
        return Waiting(capped, "Begin anew with fewer pairs, or with a higher cap (--max-usd).")
    if estimate.reason == "doubt":
        parts = "one part was" if len(estimate.files) == 1 else f"{len(estimate.files)} parts were"
        return Waiting(
            DOUBT.format(parts=parts), "Look at the provider's page, then confirm or cancel."
        )
    return Waiting()


def _carry_out(
    job: BatchJob, context: RunContext, begun: Begun, providers: Providers, sleep: Sleep
) -> Waiting | None:
    notes: list[str] = []
    estimate = job.estimate()
    if estimate and estimate.mode == "now" and estimate.attempt in job.confirmed():
        try:
            _mark_demo(job)
            _answer(job, context, estimate, providers)
        except BackendUnavailable:
            write_reconciled(job, context, begun)
            raise
    if job.parts():
        job.registry.wait(job.run_id, RunState.AWAITING_PROVIDER)
        follower = Follower(job, context, providers.batches(job.spec), sleep)
        problem = follower.follow()
        job.registry.wait(job.run_id, RunState.RUNNING)
        _mark_demo(job)
        notes = follower.notes
        if problem is not None:
            if any(result.files for result in attempts_of(job, context)):
                write_reconciled(job, context, begun, notes)
            raise problem
    newest = max(job.confirmed(), default=0)
    doubt = not job.cancelled and any(one.key.attempt == newest for one in job.in_doubt())
    here = any(result.files for result in attempts_of(job, context))
    waiting = undelivered(job)
    if job.cancelled and not here and waiting is None:
        return Waiting(
            "The batches were cancelled before any text was labelled.",
            "Start it again to send the requests anew.",
            RunState.CANCELLED,
        )
    if not doubt or here:
        found = write_reconciled(job, context, begun, notes)
        context.note([*begun.notes, *notes, found.sentence])
    return _prepare_doubt(job, context) if doubt else waiting


def _mark_demo(job: BatchJob) -> None:
    """Keep who answers, where that is the demo server."""
    sent = any(state.batch_id for state in job.parts())
    if sent and is_demo(account_for(job.spec.base_url).base_url):
        job.mark_demo()


def _answer(job: BatchJob, context: RunContext, estimate: Estimate, providers: Providers) -> None:
    """Label what an attempt asks for at once, text by text."""
    answers = AnswerFile(now_path(job.folder, estimate.attempt))
    context.doing("Labelling the rest at once")
    context.plan(total=estimate.requests, done=len(answers.answered))
    context.start_clock()
    paths = [job.data_dir / file.path for file in estimate.files]
    account = account_for(job.spec.base_url).fingerprint
    job.check_unchanged(estimate, account)
    answer_all(read_requests(paths), answers, providers.send(job.spec), 1, context.working)


def _prepare_doubt(job: BatchJob, context: RunContext) -> Waiting:
    """An estimate for sending again what may be at the provider already: the same files."""
    states = job.in_doubt()
    numbers = {state.key.part for state in states}
    before = [one for one in job.estimates() if any(f.part in numbers for f in one.files)][-1]
    attempt = job.ledger.next_attempt(job.run_id)
    files = tuple(file for file in before.files if file.part in numbers)
    lengths = read_lengths(job.folder, before.attempt)
    if len(files) < len(before.files):
        lengths = _lengths_of(job, files)
    rows = set()
    for file in files:
        keys = asked_texts(context, before.attempt, file.part)
        rows |= {key.row_id for key in keys}
        context.parts.append(asked_key(attempt, file.part), [key.custom_id for key in keys])
    estimate = make_estimate(
        job.spec,
        prices_of(job.spec, job.folder),
        files,
        lengths,
        attempt=attempt,
        rows=len(rows),
        counted=before.counted,
        exact=before.exact,
        reason="doubt",
        may_charge_twice=True,
    )
    keep_estimate(job.folder, estimate, lengths)
    return _waiting(job, estimate)


def _lengths_of(job: BatchJob, files: tuple[EstimatedFile, ...]) -> dict[int, int]:
    """How long the requests of some files are, counted again."""
    counter = TokenCounter(job.spec.model)
    requests = read_requests([job.data_dir / file.path for file in files])
    return Counter(counter.request_tokens(one.body) for one in requests)
