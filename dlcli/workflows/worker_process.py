"""The other end of the pipe: a process that takes units of work, and the server that such processes are forked from.

They hear of nothing but their pipe, neither of Ctrl-C nor of SIGTERM, and end when it closes, that is also when the
process at its other end was killed.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from dlcli import backend
from dlcli.events import Event, Listener
from dlcli.problems import DlcliError, Problem, TrainingError
from dlcli.training.checkpoint import State
from dlcli.training.reuse import Bench

STOP = b""
"""Tells a worker to keep its state and stop; everything else that it is sent is a pickle, and never empty."""
CHOOSE = 0
"""The number of threads that leaves it to TensorFlow."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a unit of work has beside its task.

    Attributes:
        bench: the engines of its process.
        emit: hears its events.
        keep: keeps the state that it could go on from.
        interrupted: whether it should keep its state and stop, by raising KeyboardInterrupt.
    """

    bench: Bench
    emit: Listener
    keep: Callable[[State], None]
    interrupted: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Failed:
    """A unit without a result. `lost`: its process died, so that another attempt may well succeed."""

    problems: tuple[Problem, ...]
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded TensorFlow, which printed `log`."""

    log: str


@dataclass(frozen=True, slots=True)
class Said:
    """The unit has something to say."""

    event: Event


@dataclass(frozen=True, slots=True)
class Kept:
    """The unit could go on from this state."""

    state: State


@dataclass(frozen=True, slots=True)
class Done:
    """The unit has ended, with a result or `Failed`."""

    result: Any


@dataclass(frozen=True, slots=True)
class Broken:
    """The worker cannot go on: problems and their exit code, or else a traceback."""

    problems: tuple[Problem, ...]
    exit_code: int = 1
    traceback: str = ""


def attempt(unit: Callable[[Any, Tools], Any], task: Any, tools: Tools) -> Any:
    """The result of a unit, or `Failed` where training did."""
    try:
        return unit(task, tools)
    except TrainingError as error:
        return Failed(error.problems)


def work(pipe: Connection, threads: int) -> None:
    """Takes a unit from the pipe, then task after task, until it is told to stop.

    Args:
        pipe: to the process that hands out the work.
        threads: that TensorFlow may use.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    faulthandler.enable()
    # Several processes share a GPU only where none takes all of its memory at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    inbox: SimpleQueue[bytes] = SimpleQueue()
    stopped = threading.Event()
    threading.Thread(target=_listen, args=(pipe, inbox, stopped), daemon=True).start()
    try:
        backend.use_threads(threads or None)
        backend.load()
        pipe.send(Ready(backend.take_log()))
        unit = pickle.loads(inbox.get())
        tools = Tools(
            Bench(), lambda event: pipe.send(Said(event)), lambda state: pipe.send(Kept(state)), stopped.is_set
        )
        while not stopped.is_set():
            result = attempt(unit, pickle.loads(inbox.get()), tools)
            sys.stdout.flush()
            pipe.send(Done(result))
    except (KeyboardInterrupt, BrokenPipeError):
        return
    except DlcliError as error:
        pipe.send(Broken(error.problems, error.exit_code))
    except Exception:
        pipe.send(Broken((), traceback=traceback.format_exc()))


def _listen(pipe: Connection, inbox: SimpleQueue[bytes], stopped: threading.Event) -> None:
    """Takes in what comes down the pipe, also while a unit works; ends the process when it closes."""
    while True:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)
        if message == STOP:
            stopped.set()
        else:
            inbox.put(message)


def serve(control: int) -> None:
    """Forks a worker for every pipe that comes through a socket; ends them all when the socket closes.

    It imports TensorFlow and runs nothing, since after a first operation the children of a fork would hang.

    Args:
        control: the socket's descriptor; with each pipe comes the number of threads, in decimal.
    """
    from dlcli.workflows import unit  # noqa: F401 - so that no worker spends time on importing it

    backend.own_this_process()
    backend.import_quietly()
    children = []
    with socket.socket(fileno=control) as requests:
        while True:
            threads, pipes, _, _ = socket.recv_fds(requests, 16, 1)
            if not threads:
                break
            child = os.fork()
            if not child:
                requests.close()
                _be_worker(pipes[0], int(threads))
            children.append(child)
            os.close(pipes[0])
    for child in children:
        os.kill(child, signal.SIGKILL)  # a child that has ended is still ours: its number cannot be another's
        os.waitpid(child, 0)


def _be_worker(pipe: int, threads: int) -> None:
    """Works, and ends this process, whatever happens."""
    try:
        work(Connection(pipe), threads)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
