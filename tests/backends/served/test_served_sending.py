"""How rows are cut into requests, how many are under way, and how long one waits."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from ivan_core.backends.reward_models.tokens import TokenRow
from ivan_core.backends.served.client import Away, Busy
from ivan_core.backends.served.rows import MOST_BYTES, Row, TextRow, bytes_of, in_requests
from ivan_core.backends.served.sending import PATIENCE, Sender
from ivan_core.domain.models import Reward

ROWS = [TokenRow([number]) for number in range(64)]


def rewards(rows: Sequence[Row]) -> list[Reward]:
    return [Reward(float(row.ids[0])) for row in rows if isinstance(row, TokenRow)]


def test_eight_requests_are_under_way_and_never_more() -> None:
    all_eight = threading.Barrier(8)
    counted = threading.Lock()
    under_way, most = 0, 0

    def ask(rows: Sequence[Row]) -> list[Reward]:
        nonlocal under_way, most
        with counted:
            under_way += 1
            most = max(most, under_way)
        all_eight.wait(60)  # passes once eight are here
        with counted:
            under_way -= 1
        return rewards(rows)

    assert Sender(ask).send(ROWS, 4) == rewards(ROWS)  # sixteen requests
    assert most == 8


def test_requests_end_at_a_number_of_texts_or_of_bytes() -> None:
    assert [len(one) for one in in_requests(ROWS, 30)] == [30, 30, 4]
    long = TextRow(("é" * 30_000,), 1)
    assert bytes_of(long) > len('"' + "\\u00e9" * 30_000 + '"')
    requests = in_requests([long] * 5, 32)
    assert [place for one in requests for place in one] == [0, 1, 2, 3, 4]
    assert all(sum(bytes_of(long) for _ in one) <= MOST_BYTES for one in requests)
    assert in_requests([TextRow(("a" * MOST_BYTES,), 1)] * 2, 32) == [[0], [1]]
    assert in_requests([], 32) == []


def test_waits_grow_until_patience_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE, "0.24")
    tries = 0

    def ask(rows: Sequence[Row]) -> list[Reward]:
        nonlocal tries
        tries += 1
        raise Away("No server answers.")

    with pytest.raises(Away):
        Sender(ask, draw=lambda: 1.0).send(ROWS[:1], 1)
    # 1, 2, 4, 8, 16, 32, 60, 60 of 240 parts of the patience are waited; 60 more would be too many.
    assert tries == 9


def test_what_a_server_asks_to_wait_is_waited_or_the_run_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PATIENCE, "1")
    asked = iter([0.001, 0.002])

    def ask(rows: Sequence[Row]) -> list[Reward]:
        if wait := next(asked, None):
            raise Busy("Busy.", retry_after=wait)
        return rewards(rows)

    sender = Sender(ask)
    assert sender.send(ROWS[:1], 1) == rewards(ROWS[:1])
    asked = iter([1.5])
    with pytest.raises(Busy):
        sender.send(ROWS[:1], 1)


def test_one_failure_ends_all_and_nothing_more_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE, "100")
    sent: list[int] = []

    def ask(rows: Sequence[Row]) -> list[Reward]:
        first = rewards(rows)[0].value
        sent.append(int(first or 0))
        if first == 0:
            raise ValueError("for good")
        raise Away("The others wait for a long time.")

    with pytest.raises(ValueError, match="for good"):
        Sender(ask, at_once=2).send(ROWS, 1)
    assert len(sent) < 64
