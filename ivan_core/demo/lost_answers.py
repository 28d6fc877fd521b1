"""Faults of any endpoint: requests that are refused or lost, answers that never arrive whole."""

from __future__ import annotations

from dataclasses import replace

from ivan_core.demo import fault_names as names
from ivan_core.demo.faults import Setting
from ivan_core.demo.wire import Answer, json_answer

BEFORE = (
    names.RATE_LIMITED,
    names.INSUFFICIENT_QUOTA,
    names.SERVER_ERROR,
    names.TIMEOUT,
    names.RESET,
)
"""These strike before anything is done."""
AFTER = (names.COMMIT_THEN_TIMEOUT, names.COMMIT_THEN_RESET, names.TRUNCATED_BODY)
"""These strike when what was asked is done."""

_REFUSALS = {
    names.RATE_LIMITED: (429, "rate_limit_exceeded", "Too many requests: slow down."),
    names.INSUFFICIENT_QUOTA: (429, "insufficient_quota", "You exceeded your current quota."),
    names.SERVER_ERROR: (500, None, "The demo server was told to fail."),
}


def refusal(fault: Setting, path: str) -> Answer:
    """What comes instead of the answer, in the error shape of the API that was asked."""
    if fault.name == names.TIMEOUT:
        return Answer(ending="held")
    if fault.name == names.RESET:
        return Answer(ending="dropped")
    status, code, message = _REFUSALS[fault.name]
    headers = {"Retry-After": f"{fault.amount:g}"} if fault.name == names.RATE_LIMITED else {}
    if path.startswith("/api/"):
        return json_answer({"error": message}, status, headers)
    kind = "server_error" if code is None else code
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json_answer({"error": error}, status, headers)


def broken(fault: Setting, answer: Answer) -> Answer:
    """The answer as it arrives, or does not."""
    if fault.name == names.COMMIT_THEN_TIMEOUT:
        return Answer(ending="held")
    if fault.name == names.COMMIT_THEN_RESET:
        return Answer(ending="dropped")
    return replace(answer, ending="cut")
