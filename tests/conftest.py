"""What several tests share: real data, and commands run in children of one warm process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from dlcli.__main__ import main

REPOSITORY = Path(__file__).parents[1]

# A busy machine is no reason to fail: speed is measured in benchmarks.
settings.register_profile("dlcli", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dlcli")

# A shell lets what it starts in the background inherit that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is left in the cache of whoever runs the tests."""
    os.environ["DLCLI_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets: DLCLI_DATA, or `shared/data` beside the repository."""
    folder = Path(os.environ.get("DLCLI_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (folder / "churn" / "Churn_Modelling.csv").exists():
        pytest.skip(f"real data sets are not at {folder}; set DLCLI_DATA to their folder")
    return folder


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Everything that it printed."""
        return self.stdout + self.stderr


class Running:
    """A command in a child process of its own."""

    def __init__(self, process: Any, folder: Path) -> None:
        self.process = process
        self._folder = folder

    def wait(self, seconds: float = 300) -> Finished:
        """Waits for its end."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            pytest.fail(f"still running after {seconds} s")
        return Finished(self.process.exitcode, *(self._read(name) for name in ("stdout", "stderr")))

    def has_printed(self, text: str) -> bool:
        """Whether stdout holds a text by now."""
        return (self._folder / "stdout").exists() and text in self._read("stdout")

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text(errors="replace")


PRELOADED = [
    "keras",
    "tensorflow",
    "polars",
    "sklearn.linear_model",
    "rich.console",
    "dlcli.cli",
    "dlcli.workflows.train",
    "dlcli.workflows.kfold",
]
"""What each command would import anew."""


class Dlcli:
    """Runs command lines as `dlcli ...` would, in children of a process that has imported TensorFlow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        # Only imported, never run: after one operation the children of a fork would hang.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)

    def start(self, *arguments: str | Path, **environment: str | Path) -> Running:
        """Starts a command in `folder`."""
        self._count += 1
        output = self.folder / f".output-{self._count}"
        output.mkdir()
        words = [str(argument) for argument in arguments]
        settings = {"DLCLI_CACHE": str(self.folder / "cache")}
        settings |= {name: str(value) for name, value in environment.items()}
        process = self._context.Process(target=_command, args=(words, settings, self.folder, output))
        process.start()
        return Running(process, output)

    def __call__(self, *arguments: str | Path, **environment: str | Path) -> Finished:
        """Runs a command in `folder` to its end."""
        return self.start(*arguments, **environment).wait()


def _command(arguments: list[str], environment: dict[str, str], folder: Path, output: Path) -> None:
    for name in ("DLCLI_RUNS", "DLCLI_DATA"):
        os.environ.pop(name, None)
    os.environ.update(environment)
    if limit := os.environ.get("DLCLI_TEST_FILE_SIZE_LIMIT"):
        _limit_file_size(int(limit))
    os.chdir(folder)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(output / name, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["dlcli", *arguments]
    main()


def _limit_file_size(limit: int) -> None:
    """Writing beyond the limit fails as on a full disk: with an OSError."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


@pytest.fixture
def dlcli(tmp_path: Path) -> Dlcli:
    """Commands in an empty folder, where their runs lie too."""
    return Dlcli(tmp_path)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="Write what is printed now as what is expected.")
