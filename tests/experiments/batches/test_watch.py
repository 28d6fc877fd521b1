"""When batches were sent and are looked at, in words."""

from __future__ import annotations

import time

import pytest

from ivan_core.experiments.batches.watch import Watch

NOW = 1_795_000_000.0
AT = time.strftime("%H:%M", time.localtime(NOW - 720))


@pytest.mark.parametrize(
    ("watch", "told"),
    [
        (Watch(None), ""),
        (Watch(None, NOW - 3, NOW + 5), ""),
        (Watch(NOW - 720), f"Sent 12 min ago, at {AT}."),
        (Watch(NOW - 720, NOW - 8), f"Sent 12 min ago, at {AT}. Last look 8 s ago."),
        (
            Watch(NOW - 720, NOW - 8, NOW + 30),
            f"Sent 12 min ago, at {AT}. Last look 8 s ago, the next in 30 s.",
        ),
        (
            Watch(NOW - 720, NOW - 600, NOW - 540),
            f"Sent 12 min ago, at {AT}. Last look 10 min ago; the next was due 9 min ago, as after"
            " a sleep.",
        ),
    ],
)
def test_a_watch_in_words(watch, told):
    assert watch.sentence(NOW) == told


def test_what_was_sent_on_another_day_has_its_day():
    sent = NOW - 30 * 3600
    day = time.strftime("on %d %b at %H:%M", time.localtime(sent))
    assert Watch(sent).sentence(NOW) == f"Sent 30.0 h ago, {day}."
