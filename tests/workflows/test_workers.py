"""Units of work, in this process and in several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dlcli.config.document import load
from dlcli.events import Event, Note, silent
from dlcli.problems import DataError
from dlcli.workflows.preparation import prepare
from dlcli.workflows.worker_process import Failed
from dlcli.workflows.workers import Crew, WorkerError, threads_per_job
from tests.commands.configs import write_small
from tests.workflows import units

REPOSITORY = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair() -> Iterator[Crew]:
    """Two processes; to start them takes as long as TensorFlow."""
    with Crew(2) as crew:
        yield crew


def run(crew: Crew, unit: Any, tasks: Any, threads: int | None = 1) -> dict[int, Any]:
    """The result of each task by its number."""
    return dict(crew.run(unit, tasks, threads=threads, emit=lambda *_: None, keep=lambda *_: None))


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_one_job_is_this_process() -> None:
    with Crew(1) as crew:
        assert run(crew, units.double, [3, 4]) == {0: (6, os.getpid()), 1: (8, os.getpid())}


def test_several_jobs_are_other_processes_that_take_one_task_after_the_other(pair: Crew) -> None:
    done = run(pair, units.double, range(6))
    assert {number: double for number, (double, _) in done.items()} == {n: 2 * n for n in range(6)}
    pids = {pid for _, pid in done.values()}
    assert len(pids) <= 2
    assert os.getpid() not in pids


def test_events_come_in_order_with_the_number_of_their_task(pair: Crew) -> None:
    heard: dict[int, list[Event]] = {}
    done = pair.run(
        units.double,
        [7, 8, 9],
        threads=1,
        emit=lambda number, event: heard.setdefault(number, []).append(event),
        keep=lambda *_: None,
    )
    for number, _ in done:
        assert heard[number] == [Note(f"{7 + number} begin"), Note(f"{7 + number} end")]


def test_a_worker_has_the_threads_that_it_was_given_and_tensorflow_works(pair: Crew) -> None:
    assert run(pair, units.report, ["threads", "sum"], threads=3) == {0: 3, 1: 45.0}


def test_a_unit_that_dies_leaves_the_others_alone(pair: Crew) -> None:
    done = run(pair, units.fragile, ["fine", "killed", "killed", "killed", "fine", "fine"])
    assert {number for number, result in done.items() if result == "fine"} == {0, 4, 5}
    lost = done[2]
    assert isinstance(lost, Failed)
    assert lost.lost
    assert "died" in lost.problems[0].message


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_unit_whose_training_fails_leaves_the_others_alone(jobs: int, pair: Crew) -> None:
    done = run(Crew(1) if jobs == 1 else pair, units.fragile, ["diverged", "fine"])
    assert done[1] == "fine"
    assert not done[0].lost
    assert done[0].problems[0].path == ("optimizer",)


@pytest.mark.parametrize("jobs", [1, 2])
def test_data_that_do_not_fit_one_unit_end_them_all(jobs: int, pair: Crew) -> None:
    with pytest.raises(DataError, match="a gap is left"):
        run(Crew(1) if jobs == 1 else pair, units.fragile, ["data", "fine"])


def test_what_nobody_expected_shows_the_traceback_of_the_other_process(pair: Crew) -> None:
    with pytest.raises(WorkerError, match="raise ZeroDivisionError"):
        run(pair, units.fragile, ["bug"])


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_lets_every_unit_keep_its_state(jobs: int, number: int, pair: Crew) -> None:
    kept: dict[int, Any] = {}
    begun: set[int] = set()

    def interrupt(index: int, event: Event) -> None:  # noqa: ARG001 - a listener's signature
        begun.add(index)
        if len(begun) == jobs:
            signal.raise_signal(number)

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    crew = Crew(1) if jobs == 1 else pair
    with pytest.raises(KeyboardInterrupt):
        list(crew.run(units.patient, range(5), threads=1, emit=interrupt, keep=kept.__setitem__))
    signal.signal(signal.SIGTERM, before)
    assert kept == {index: {"task": index} for index in range(jobs)}


def test_a_unit_that_does_not_stop_is_ended(pair: Crew) -> None:
    pids: list[int] = []

    def interrupt(index: int, event: Event) -> None:  # noqa: ARG001 - a listener's signature
        assert isinstance(event, Note)
        pids.append(int(event.text))
        if len(pids) == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        list(pair.run(units.deaf, range(2), threads=1, emit=interrupt, keep=lambda *_: None))
    wait_until_gone(pids)


def test_whoever_leaves_early_leaves_no_process_behind(pair: Crew) -> None:
    pids = []
    with closing(pair.run(units.double, range(100), threads=1, emit=lambda *_: None, keep=lambda *_: None)) as done:
        _, result = next(done)
        assert not isinstance(result, Failed)
        pids.append(result[1])
    wait_until_gone(pids)


def test_workers_end_when_the_process_that_they_work_for_is_killed() -> None:
    code = (
        "from dlcli.workflows.workers import Crew; from tests.workflows import units\n"
        "with Crew(2) as crew:\n"
        "    say = lambda number, event: print(event.text, flush=True)\n"
        "    list(crew.run(units.deaf, range(2), threads=1, emit=say, keep=print))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as lines:
        pids = [int(lines.readline()) for _ in range(2)]
        process.kill()
        process.wait()
    wait_until_gone(pids)


def test_without_fork_every_worker_starts_afresh_but_not_the_script_that_called(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; sys.platform = 'darwin'\n"
        "from dlcli.workflows.workers import Crew; from tests.workflows import units\n"
        "with Crew(2) as crew:\n"
        "    done = crew.run(units.double, range(4), threads=1, emit=lambda *_: None, keep=print)\n"
        "    print(sorted(result[0] for _, result in done))"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 2, 4, 6]\n"


def test_cores_are_shared_out_unless_threads_are_written() -> None:
    cores = len(os.sched_getaffinity(0))
    assert threads_per_job(None, 1) is None
    assert threads_per_job(None, cores) == 1
    assert threads_per_job(None, 1000) == 1
    assert threads_per_job(3, 2) == 3


def wait_until_gone(pids: list[int], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still there: {pids}"
        time.sleep(0.05)


def test_what_travels_to_other_processes_holds_no_test_targets(tmp_path: Path) -> None:
    _, dataset = prepare(load(write_small(tmp_path)), "kfold", silent)
    travels = dataset.for_training()
    test = dataset.subsets["test"]
    assert set(travels.answer.values[test]) == {-1}
    assert travels.facts.labels is None
    assert travels.facts.column is None
    assert len(travels.sealed.open(lambda _: None)) == 0
