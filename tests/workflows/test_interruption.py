"""A signal is a question that work asks where it can stop."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from dlcli.workflows.interruption import interruption

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_heard_when_it_is_asked_for(number: int) -> None:
    heard = []

    def work() -> None:
        with interruption() as interrupted:
            heard.append(interrupted())
            os.kill(os.getpid(), number)
            heard.append(interrupted())

    with pytest.raises(KeyboardInterrupt):  # also where nobody would have asked any more
        work()
    assert heard == [False, True]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_stops_at_once_where_nobody_has_asked_yet(number: int) -> None:
    def work() -> None:
        with interruption():
            os.kill(os.getpid(), number)
            pytest.fail("went on")

    with pytest.raises(KeyboardInterrupt):
        work()


def test_a_second_signal_stops_at_once() -> None:
    def work() -> None:
        with interruption() as interrupted:
            interrupted()
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            pytest.fail("went on")

    with pytest.raises(KeyboardInterrupt):
        work()


def test_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with interruption():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruption() as interrupted:
            os.kill(os.getpid(), signal.SIGINT)
            assert not interrupted()
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_changes() -> None:
    before, found = [signal.getsignal(number) for number in SIGNALS], []

    def work() -> None:
        with interruption() as interrupted:
            found.append(interrupted())
            found.append([signal.getsignal(number) for number in SIGNALS] == before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False, True]
