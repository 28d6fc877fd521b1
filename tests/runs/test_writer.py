"""Writes happen in order beside the work, none after one that failed, and none is left out."""

from __future__ import annotations

import threading

import pytest

from ivan_core.domain.errors import StorageProblem
from ivan_core.runs.writer import Writer

FULL = StorageProblem("The disk is full.", "Free some space.")


def fail() -> None:
    raise FULL


def test_writes_happen_in_order_in_one_other_thread() -> None:
    done: list[tuple[int, int]] = []

    def write(number: int) -> None:
        done.append((number, threading.get_ident()))

    with Writer() as writer:
        for number in range(20):
            writer.write(lambda number=number: write(number))
    assert [number for number, _ in done] == list(range(20))
    threads = {thread for _, thread in done}
    assert len(threads) == 1 and threading.get_ident() not in threads


def test_one_write_at_most_is_under_way() -> None:
    begun, go_on = threading.Event(), threading.Event()
    given: list[int] = []

    def slow() -> None:
        begun.set()
        assert go_on.wait(300)

    def work() -> None:
        with Writer() as writer:
            writer.write(slow)
            writer.write(lambda: given.append(1))
            given.append(2)

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(300) and given == []
    go_on.set()
    worker.join(300)
    assert sorted(given) == [1, 2]


def test_nothing_is_written_after_a_failure_which_the_next_call_raises() -> None:
    done: list[int] = []
    with pytest.raises(StorageProblem) as raised, Writer() as writer:
        writer.write(fail)
        writer.write(lambda: done.append(1))
    assert (raised.value, done) == (FULL, [])


def test_the_failure_of_the_last_write_is_raised_at_the_end() -> None:
    with pytest.raises(StorageProblem), Writer() as writer:
        writer.write(fail)


def test_what_was_given_is_written_though_the_work_fails() -> None:
    done: list[int] = []
    with pytest.raises(ZeroDivisionError), Writer() as writer:
        writer.write(lambda: done.append(1))
        raise ZeroDivisionError
    assert done == [1]
