"""Units of work, one after the other in this process or side by side in several.

On Linux the processes are forked from a server that has imported TensorFlow, which takes milliseconds instead of
seconds; this process needs no TensorFlow then. Elsewhere they are started afresh.
"""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe, connection, get_context
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from dlcli import backend
from dlcli.events import Event
from dlcli.problems import ConfigError, DataError, DlcliError, Problem, RefusedError
from dlcli.training.checkpoint import State
from dlcli.training.reuse import Bench
from dlcli.workflows import worker_process
from dlcli.workflows.interruption import interruption
from dlcli.workflows.worker_process import CHOOSE, STOP, Broken, Done, Failed, Kept, Ready, Said, Tools

Task = TypeVar("Task")
Result = TypeVar("Result")
_POLL_SECONDS = 0.1
_STOP_SECONDS = 5.0
"""How long workers may take to keep their states once they are told to stop."""
_END_SECONDS = 1.0


class WorkerError(RuntimeError):
    """Something that nobody expected, in another process; its text is the traceback there."""


def threads_per_job(wanted: int | None, jobs: int) -> int | None:
    """The threads of each process: as wanted, else an equal share of the cores; None leaves it to TensorFlow."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return wanted or (max(1, cores // jobs) if jobs > 1 else None)


class Crew(AbstractContextManager["Crew"]):
    """The processes that units run in, for the length of a `with` block.

    Args:
        jobs: how many work side by side. 1: this process, alone. More: others, which begin to import TensorFlow at
            once, while this one may still read data.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._origin: _Origin | None = None
        if jobs > 1:
            self._origin = _ForkServer() if sys.platform == "linux" else _Afresh()

    def __exit__(self, *exc: object) -> None:
        """Ends all processes."""
        if self._origin is not None:
            self._origin.close()

    def run(
        self,
        unit: Callable[[Task, Tools], Result],
        tasks: Iterable[Task],
        *,
        threads: int | None,
        emit: Callable[[int, Event], None],
        keep: Callable[[int, State], None],
    ) -> Generator[tuple[int, Result | Failed], None, None]:
        """Runs a unit for every task.

        Args:
            unit: does the work; for several jobs it is pickled once per process, tasks and results are too.
            tasks: asked for the next one whenever a process is free.
            threads: that TensorFlow may use in each process.
            emit: hears the events of task n.
            keep: gets the state that task n could go on from.

        Yields:
            number and result of each task, in the order in which they end. One whose training failed or whose process
            died leaves the others alone.

        Raises:
            KeyboardInterrupt: Ctrl-C or SIGTERM came; all units have kept their states.
            DlcliError: config or data do not fit, in any unit.
            WorkerError: anything else, in another process.
        """
        if self._origin is None:
            backend.use_threads(threads)
            backend.load()
            yield from _here(unit, tasks, emit, keep)
        else:
            backend.collect_garbage()  # this process may never import TensorFlow
            shift = _Shift(partial(self._origin.start, threads or CHOOSE), unit, tasks, emit, keep)
            yield from shift.run(min(self.jobs, len(tasks)) if isinstance(tasks, Sized) else self.jobs)


def _here(
    unit: Callable[[Task, Tools], Result],
    tasks: Iterable[Task],
    emit: Callable[[int, Event], None],
    keep: Callable[[int, State], None],
) -> Generator[tuple[int, Result | Failed], None, None]:
    bench = Bench()
    with interruption() as interrupted:
        for number, task in enumerate(tasks):
            if interrupted():
                raise KeyboardInterrupt
            tools = Tools(bench, partial(emit, number), partial(keep, number), interrupted)
            yield number, worker_process.attempt(unit, task, tools)


@dataclass(slots=True, eq=False)
class _Worker:
    """This end of a worker's pipe, and the number of the task that it has."""

    pipe: Connection
    ready: bool = False
    number: int | None = None

    def send(self, data: bytes) -> None:
        # A worker that is gone is noticed where its messages are read.
        try:
            self.pipe.send_bytes(data)
        except OSError:
            return


class _Shift(Generic[Task, Result]):
    """The workers of one `run`, from the first task to the last."""

    def __init__(
        self,
        start: Callable[[], Connection],
        unit: Callable[[Task, Tools], Result],
        tasks: Iterable[Task],
        emit: Callable[[int, Event], None],
        keep: Callable[[int, State], None],
    ) -> None:
        self._start = start
        self._unit = pickle.dumps(unit, protocol=pickle.HIGHEST_PROTOCOL)
        self._tasks = enumerate(tasks)
        self._emit, self._keep = emit, keep
        self._workers: list[_Worker] = []
        self._deadline: float | None = None
        """Until when workers may stop, once they were told."""

    def run(self, jobs: int) -> Generator[tuple[int, Result | Failed], None, None]:
        """Every task, in `jobs` processes."""
        try:
            with interruption() as interrupted:
                self._workers = [_Worker(self._start()) for _ in range(jobs)]
                while self._workers:
                    if self._deadline is None and interrupted():
                        self._stop()
                    pipes = {worker.pipe: worker for worker in self._workers}
                    speaking = connection.wait(list(pipes), _POLL_SECONDS)
                    for pipe in speaking:
                        yield from self._hear(pipes[pipe])  # type: ignore[index]
                    if self._deadline is not None and not speaking and time.monotonic() > self._deadline:
                        break
                if self._deadline is not None:
                    raise KeyboardInterrupt
            for number, _ in self._tasks:
                yield number, Failed((Problem("lost-process", "no process could be started"),), lost=True)
        finally:
            for worker in self._workers:
                worker.pipe.close()

    def _hear(self, worker: _Worker) -> Generator[tuple[int, Result | Failed], None, None]:
        """Takes in one message of a worker."""
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._lose(worker)
            return
        match message:
            case Ready():
                backend.add_log(message.log)
                worker.ready = True
                worker.send(self._unit)
                self._employ(worker)
            case Said():
                self._emit(_number(worker), message.event)
            case Kept():
                self._keep(_number(worker), message.state)
            case Done():
                number = _number(worker)
                self._employ(worker)
                yield number, message.result
            case Broken():
                raise _error(message)

    def _employ(self, worker: _Worker) -> None:
        """Gives a worker the next task, or sends it home."""
        for number, task in self._tasks if self._deadline is None else ():
            worker.number = number
            worker.send(pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL))
            return
        self._dismiss(worker)

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.pipe.close()

    def _lose(self, worker: _Worker) -> Iterator[tuple[int, Failed]]:
        """A worker has closed its pipe: it has stopped as it was told, or died; then another takes its place."""
        self._dismiss(worker)
        if self._deadline is not None or not worker.ready:
            return
        with suppress(OSError):  # if the server died too, the workers that are left do what they can
            self._workers.append(_Worker(self._start()))
        message = "its process died, perhaps for want of memory"
        yield _number(worker), Failed((Problem("lost-process", message),), lost=True)

    def _stop(self) -> None:
        """Tells all workers to keep their states and stop; nobody gets a task any more."""
        self._deadline = time.monotonic() + _STOP_SECONDS
        for worker in tuple(self._workers):
            if worker.number is None:
                self._dismiss(worker)
            else:
                worker.send(STOP)


def _number(worker: _Worker) -> int:
    assert worker.number is not None
    return worker.number


def _error(message: Broken) -> Exception:
    if message.traceback:
        return WorkerError(message.traceback)
    kinds = {kind.exit_code: kind for kind in (DlcliError, ConfigError, DataError, RefusedError)}
    return kinds[message.exit_code](message.problems)


class _Origin(Protocol):
    """Where workers come from."""

    def start(self, threads: int) -> Connection:
        """Starts one; returns this end of its pipe."""

    def close(self) -> None:
        """Ends all."""


class _ForkServer:
    """A process of its own, beyond the reach of this one's Ctrl-C, that has imported TensorFlow and forks workers."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        code = f"import sys; sys.path[:] = {sys.path!r}; "
        code += f"from dlcli.workflows.worker_process import serve; serve({theirs.fileno()})"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(self, threads: int) -> Connection:
        ours, theirs = Pipe()
        with theirs:
            socket.send_fds(self._control, [str(threads).encode()], [theirs.fileno()])
        return ours

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:  # it is still importing
            self._process.kill()
            self._process.wait()


class _Afresh:
    """Each worker imports TensorFlow itself."""

    def __init__(self) -> None:
        self._processes: list[Any] = []

    def start(self, threads: int) -> Connection:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        with theirs, _without_main():
            process = context.Process(target=worker_process.work, args=(theirs, threads))
            process.start()
        self._processes.append(process)
        return ours

    def close(self) -> None:
        for process in self._processes:
            process.join(_END_SECONDS)
            process.kill()
            process.join()


@contextmanager
def _without_main() -> Iterator[None]:
    """Hides the main module: multiprocessing would run a script again in each worker, which would start more."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
