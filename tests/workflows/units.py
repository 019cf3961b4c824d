"""Units of work that processes of their own can import."""

from __future__ import annotations

import os
import signal
import sys
import time

from dlcli.events import Note
from dlcli.problems import DataError, Problem, TrainingError
from dlcli.workflows.worker_process import Tools


def double(task: int, tools: Tools) -> tuple[int, int]:
    """Says what it does, and returns twice the task beside the number of its process."""
    for step in ("begin", "end"):
        tools.emit(Note(f"{task} {step}"))
    return 2 * task, os.getpid()


def report(task: str, tools: Tools) -> object:  # noqa: ARG001 - every unit has tools
    """What a process looks like from inside."""
    import tensorflow as tf

    return {
        "threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "modules": set(sys.modules),
        "sum": float(tf.reduce_sum(tf.range(10.0))),
    }[task]


def fragile(task: str, tools: Tools) -> str:  # noqa: ARG001 - every unit has tools
    """Ends as the task says."""
    match task:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "diverged":
            raise TrainingError(Problem("diverged", "the loss is not finite", path=("optimizer",)))
        case "data":
            raise DataError(Problem("gap", "a gap is left"))
        case "bug":
            raise ZeroDivisionError
    return task


def patient(task: int, tools: Tools) -> None:
    """Waits to be interrupted; then it keeps its state and stops, as a training does."""
    tools.emit(Note("waiting"))
    while not tools.interrupted():
        time.sleep(0.01)
    tools.keep({"task": task})
    raise KeyboardInterrupt


def deaf(task: int, tools: Tools) -> None:  # noqa: ARG001 - every unit has a task
    """Says who it is, and hears of nothing."""
    tools.emit(Note(str(os.getpid())))
    while True:
        time.sleep(1)
