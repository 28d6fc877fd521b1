"""Every fault of the demo server that concerns batches: what a run of six pairs becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from given import taxonomy_runs
from given.taxonomy_runs import creations, say_yes, spec_of
from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy

CREATE = {"method": "POST", "path": "/v1/batches", "times": 1}
UPLOAD = {"method": "POST", "path": "/v1/files", "times": 1}
POLL = {"method": "GET", "path": "/v1/batches/batch_", "times": 1}
FETCH = {"method": "GET", "path": "/v1/files/", "times": 1}
ALWAYS = {"times": None}


@dataclass(frozen=True)
class Case:
    """A fault where it strikes, and what must come of it.

    `sees` are pieces of what the user reads, in the run's notes, its problem or while it waits;
    `kept` is the number of texts with usable labels out of 12; `state` is how the run is left.
    """

    fault: str
    where: str
    settings: Mapping[str, Any]
    sees: tuple[str, ...]
    kept: int = 12
    state: str = "done"
    created: int = 1
    more: tuple[tuple[str, Mapping[str, Any]], ...] = field(default=())

    @property
    def name(self) -> str:
        return f"{self.fault} ({self.where})" if self.where else self.fault


@dataclass(frozen=True)
class Seen:
    """What came of a case."""

    state: str
    meanwhile: tuple[str, ...]
    sentences: tuple[str, ...]
    kept: int
    created: int

    @property
    def text(self) -> str:
        """All that can be read, first what stands there while the run waits."""
        waited = f"*Meanwhile:* {' '.join(self.meanwhile)} *Then:* " if self.meanwhile else ""
        return f"{waited}{' '.join(self.sentences)}"


def play(case: Case, server: DemoServer, folder: Any) -> Seen:
    """Label six pairs, confirmed once, with the fault on."""
    for fault, settings in ((case.fault, case.settings), *case.more):
        server.faults.set(fault, **settings)
    run_id, _ = taxonomy.start(spec_of(folder))
    meanwhile: list[str] = []

    def look(_: float) -> None:
        doing = runs.get(run_id).doing
        if doing and doing not in meanwhile:
            meanwhile.append(doing)

    taxonomy_runs.pass_time = look
    patience = taxonomy_runs.patience
    if case.fault in (names.TIMEOUT, names.COMMIT_THEN_TIMEOUT):
        taxonomy_runs.patience = taxonomy_runs.HASTY
    try:
        say_yes(run_id)
    finally:
        taxonomy_runs.patience = patience
        taxonomy_runs.pass_time = taxonomy_runs.no_sleep
    run = runs.get(run_id)
    summary = taxonomy.counts(run_id)
    counts = summary["counts"] if summary else {"valid": 0, "repaired": 0}
    notes = tuple(note for note in run.notes if "pairs" not in note)
    ended = tuple(one for one in (run.problem, run.hint) if one)
    waited = tuple(one for one in meanwhile if not one.startswith(("Waiting for", "Fetching")))
    return Seen(
        str(run.state),
        waited,
        (*notes, *ended),
        counts["valid"] + counts["repaired"],
        creations(server),
    )


CASES = (
    Case(
        names.RATE_LIMITED,
        "create",
        {**CREATE, "times": 2, "amount": 1},
        ("too many requests", "12 submitted = 12 valid"),
        created=3,
    ),
    Case(
        names.INSUFFICIENT_QUOTA,
        "create",
        CREATE,
        ("has no credit left", "Add credit"),
        kept=0,
        state="failed",
    ),
    Case(
        names.SERVER_ERROR,
        "create",
        CREATE,
        ("may be charged twice",),
        kept=0,
        state="waiting for a confirmation",
    ),
    Case(
        names.TIMEOUT,
        "create",
        CREATE,
        ("may be charged twice",),
        kept=0,
        state="waiting for a confirmation",
    ),
    Case(
        names.RESET,
        "create",
        CREATE,
        ("may be charged twice",),
        kept=0,
        state="waiting for a confirmation",
    ),
    Case(names.COMMIT_THEN_TIMEOUT, "create", CREATE, ("12 submitted = 12 valid",)),
    Case(names.COMMIT_THEN_RESET, "create", CREATE, ("12 submitted = 12 valid",)),
    Case(names.TRUNCATED_BODY, "create", CREATE, ("12 submitted = 12 valid",)),
    Case(
        names.LAGGING_LIST,
        "lost answer",
        {"times": 1, "amount": 3},
        ("looking for the batch", "12 submitted = 12 valid"),
        more=((names.COMMIT_THEN_RESET, CREATE),),
    ),
    Case(names.RATE_LIMITED, "upload", {**UPLOAD, "amount": 1}, ("too many requests",)),
    Case(names.SERVER_ERROR, "upload", UPLOAD, ("has trouble of its own",)),
    Case(names.RESET, "upload", UPLOAD, ("broke off",)),
    Case(names.COMMIT_THEN_RESET, "upload", UPLOAD, ("broke off",)),
    Case(names.TIMEOUT, "poll", POLL, ("did not answer in time",)),
    Case(names.SERVER_ERROR, "poll", POLL, ("has trouble of its own",)),
    Case(names.RATE_LIMITED, "poll", {**POLL, "amount": 1}, ("too many requests",)),
    Case(names.TRUNCATED_BODY, "download", FETCH, ("broke off",)),
    Case(names.RESET, "download", FETCH, ("broke off",)),
    Case(
        names.EXPIRED,
        "",
        {"times": 1, "amount": 0.5},
        ("Part 1 expired", "6 valid", "6 failed"),
        kept=6,
    ),
    Case(names.NO_OUTPUT_FILE, "", {"times": 1}, ("12 failed",), kept=0),
    Case(names.EMPTY_FILE_IDS, "", {"times": 1}, ("12 submitted = 12 valid",)),
    Case(
        names.VALIDATION_FAILURE,
        "",
        {"times": 1},
        ("limit of enqueued tokens", "12 missing"),
        kept=0,
    ),
    Case(
        names.DROPPED_LINES,
        "",
        {"times": 1},
        ("tells of 12 finished requests, the file held 11; IVAN looks again", "1 missing"),
        kept=11,
        state="interrupted",
    ),
    Case(names.DUPLICATED_LINES, "", {"times": 1}, ("1 duplicate line",)),
    Case(names.DIFFERING_DUPLICATES, "", {"times": 1}, ("1 text with differing answers",)),
    Case(names.REORDERED, "", {"times": 1}, ("12 submitted = 12 valid",)),
    Case(
        names.GARBLED_LINE,
        "",
        {"times": 1},
        ("the file held 11 (line ", "is not valid JSON)", "1 missing", "1 damaged line"),
        kept=11,
        state="interrupted",
    ),
    Case(
        names.CUT_LAST_LINE,
        "",
        {"times": 1},
        ("the file held 11 (it ends in the middle of a line)", "1 missing", "1 damaged line"),
        kept=11,
        state="interrupted",
    ),
    Case(names.BOM_AND_CRLF, "", {"times": 1}, ("12 submitted = 12 valid",)),
    Case(
        names.UNKNOWN_ID,
        "",
        {"times": 1},
        ("the file held 11; IVAN", "1 missing", "1 line of texts that were not submitted"),
        kept=11,
        state="interrupted",
    ),
    Case(names.ERROR_STATUS, "", {"times": 1}, ("1 failed",), kept=11),
    Case(names.ERROR_NULL, "", {"times": 1}, ("1 failed",), kept=11),
    Case(
        names.ERRORS_IN_OUTPUT,
        "",
        {"times": 1},
        ("1 failed",),
        kept=11,
        more=((names.ERROR_NULL, {"times": 1}),),
    ),
    Case(names.REFUSAL, "one line", {"times": 1}, ("1 refused",), kept=11),
    Case(names.LENGTH, "one line", {"times": 1}, ("1 invalid",), kept=11),
    Case(names.CONTENT_FILTER, "one line", {"times": 1}, ("1 refused",), kept=11),
    Case(names.CODE_FENCE, "one line", {"times": 1}, ("1 repaired",)),
    Case(names.TRAILING_COMMA, "one line", {"times": 1}, ("1 repaired",)),
    Case(names.BOOLEAN_STRINGS, "one line", {"times": 1}, ("1 repaired",)),
    Case(names.NEAR_TOPICS, "one line", {"times": 1}, ("1 repaired",)),
    Case(names.INVENTED_TOPICS, "one line", {"times": 1}, ("1 invalid",), kept=11),
    Case(names.MISSING_KEY, "one line", {"times": 1}, ("1 invalid",), kept=11),
    Case(names.FORMAT_IGNORED, "one line", {"times": 1}, ("1 invalid",), kept=11),
    Case(names.THINKING, "one line", {"times": 1}, ("1 repaired",)),
    Case(names.CHATTY, "one line", {"times": 1}, ("1 repaired",)),
    Case(names.EMPTY_REPLY, "one line", {"times": 1}, ("1 invalid",), kept=11),
    Case(names.IDENTICAL_REPLY, "one line", {"times": 1}, ("1 invalid",), kept=11),
)
