"""Judging a labeler's reply: is it an answer, is it JSON, are the labels and their values right?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ivan_core.domain.labels import FEATURES, Label
from ivan_core.domain.models import ModelReply
from ivan_core.labels.reading import Answer, Members, Unreadable, Value, read_object
from ivan_core.labels.repair import EXTRA, SAME_KEY, Fix, Problem, cut, mend, shown
from ivan_core.labels.schema import check_keys, features

Status = Literal["valid", "repaired", "refused", "failed", "invalid"]
_MOST_EXTRAS = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one reply.

    valid: right as it came. repaired: right after the fixes named. refused: the labeler declined.
    failed: there is no answer. invalid: some labels are wrong or missing, each named in
    `problems`. `labels` holds the asked keys that are right, in the order of the schema; lists as
    tuples in the order given. `raw` is the reply's text, or its refusal, as it came.
    """

    status: Status
    labels: dict[str, Label]
    fixes: tuple[Fix, ...] = ()
    problems: tuple[Problem, ...] = ()
    raw: str = ""


def read_reply(reply: ModelReply, keys: Sequence[str] = FEATURES) -> Outcome:
    """Judge a reply, mending by fixed rules what is plainly meant. Never raises for any reply.

    An answer that the provider cut off is not used, even if it can be read: nobody knows what
    would have followed.

    Raises:
        BadInput: one of the keys is unknown.
    """
    asked = check_keys(keys)
    if reply.problem:
        return _without("failed", reply, "The labeler gave no answer.", reply.problem)
    if reply.refusal or reply.finish == "content_filter":
        return _without("refused", reply, "The labeler declined to answer.", reply.refusal)
    if reply.finish == "length":
        return _without("invalid", reply, "The answer was cut off at its longest allowed length.")
    try:
        answer = read_object(reply.text)
    except Unreadable as why:
        return _without("invalid", reply, str(why), reply.text)
    return _judged(answer, asked, reply.text)


def _without(status: Status, reply: ModelReply, message: str, found: str = "") -> Outcome:
    problem = Problem("", message, cut(found))
    return Outcome(status, {}, problems=(problem,), raw=reply.text or reply.refusal)


def _judged(answer: Answer, asked: tuple[str, ...], raw: str) -> Outcome:
    fixes = [Fix("", rule, cut(taken), "") for rule, taken in answer.rules]
    problems: list[Problem] = []
    labels: dict[str, Label] = {}
    given = _by_key(answer.members)
    for one in features(asked):
        values = given.pop(one.key, [])
        if not values:
            problems.append(Problem(one.key, "The label is missing."))
            continue
        if len(values) > 1:
            if not all(_same(values[0], other) for other in values[1:]):
                told = " / ".join(shown(value) for value in values[:9])
                problems.append(
                    Problem(one.key, "The label is given twice, differently.", cut(told))
                )
                continue
            fixes.append(Fix(one.key, SAME_KEY, shown(values), shown(values[0])))
        mended = mend(one, values[0])
        fixes.extend(mended.fixes)
        if mended.problem:
            problems.append(mended.problem)
        else:
            labels[one.key] = mended.label
    fixes.extend(_dropped(given))
    status: Status = "invalid" if problems else "repaired" if fixes else "valid"
    return Outcome(status, labels, tuple(fixes), tuple(problems), raw)


def _by_key(members: Members) -> dict[str, list[Value]]:
    given: dict[str, list[Value]] = {}
    for key, value in members.pairs:
        given.setdefault(key, []).append(value)
    return given


def _dropped(given: dict[str, list[Value]]) -> list[Fix]:
    """Receipts of the labels nobody asked for: the first few by name, the rest as a number."""
    named = list(given.items())[:_MOST_EXTRAS]
    fixes = [Fix("", EXTRA, cut(f"{shown(key)}: {shown(values[0])}"), "") for key, values in named]
    if len(given) > _MOST_EXTRAS:
        fixes.append(Fix("", EXTRA, f"{len(given) - _MOST_EXTRAS:,} more", ""))
    return fixes


def _same(one: Value, other: Value) -> bool:
    """Whether two values are plainly alike: what holds lists or objects never is; 1 is not true."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return _alike(one, other)


def _alike(one: Value, other: Value) -> bool:
    return type(one) is type(other) and not isinstance(one, list | Members) and one == other
