"""Saving what a reviewer says on a screen, with what it means for the rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Label, Labels
from ivan_core.domain.reviews import BETTER, Opinion
from ivan_core.labels.schema import feature, is_label
from ivan_core.review import rights as review_rights
from ivan_core.review.flow import Screen


def save_better(screen: Screen, answer: Label, note: str = "", seconds: float = 0.0) -> Opinion:
    """Say which reply is better, as a press on this screen does.

    An answer that is changed once the choice was told is kept, but is not blind any more.

    Raises:
        OpinionConflict: another window said something else meanwhile; nothing is changed.
        BadInput: that is no answer, or as `Opinions.save`.
    """
    return _save(screen, {BETTER: answer}, note, seconds)


def save_described(
    screen: Screen, answers: Mapping[str, Label], note: str = "", seconds: float = 0.0
) -> Opinion:
    """Answer the questions of this screen; None is "can't tell". Raises as `save_better`."""
    missing = [key for key in screen.keys if key not in answers]
    if missing:
        raise BadInput(
            f"Still open: {feature(missing[0]).question}", "Answer it, or press can't tell."
        )
    for key in screen.keys:
        if answers[key] is not None and not is_label(feature(key), answers[key]):
            raise BadInput(
                f"That is no answer to: {feature(key).question}", "Pick one of those shown."
            )
    return _save(screen, {key: answers[key] for key in screen.keys}, note, seconds)


def skip(screen: Screen, note: str = "", seconds: float = 0.0) -> Opinion:
    """Put the item aside without an answer. Raises as `save_better`."""
    before = screen.opinion
    return review_rights.say(
        replace(
            before,
            answers={},
            skipped=True,
            note=note,
            left=screen.left,
            blind=_blind(screen) and not (screen.told and BETTER in before.answers),
            prefill=screen.queue.prefill,
            seconds=before.seconds + seconds,
        )
    )


def _save(screen: Screen, answers: Labels, note: str, seconds: float) -> Opinion:
    before = screen.opinion
    changed = BETTER in before.answers and before.answers[BETTER] != answers.get(BETTER)
    return review_rights.say(
        replace(
            before,
            answers={**before.answers, **answers},
            skipped=False,
            note=note,
            left=screen.left,
            blind=_blind(screen) and not (screen.told and changed),
            prefill=screen.queue.prefill,
            seconds=before.seconds + seconds,
        )
    )


def _blind(screen: Screen) -> bool:
    """Whether nothing that others said of the item was shown so far."""
    return not screen.queue.prefill and (screen.opinion.blind or not screen.opinion.version)
