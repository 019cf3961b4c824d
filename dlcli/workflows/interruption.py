"""Ctrl-C and SIGTERM as a question that work asks where it can save and stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


def never() -> bool:
    """Nothing interrupts."""
    return False


@contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Yields `interrupted() -> bool`: whether Ctrl-C or SIGTERM came while the block runs.

    Until it is asked for the first time there is nothing to save, and a signal raises KeyboardInterrupt as
    it would outside; so does a second one, and one that nobody has asked about when the block ends. A signal
    that is ignored stays ignored. Only the main thread of the main interpreter hears of signals: elsewhere
    nothing changes.
    """
    asked = came = False

    def hear(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        nonlocal came
        if came or not asked:
            raise KeyboardInterrupt
        came = True

    def interrupted() -> bool:
        nonlocal asked
        asked = True
        return came

    previous = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            # None: a handler that is no Python function, which could not be put back.
            if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None):
                signal.signal(number, hear)
                previous[number] = handler
    except ValueError:
        yield never
        return
    try:
        yield interrupted
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
