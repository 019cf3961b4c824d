"""Run directories: made under the next free number, found by name, path or as the latest one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dlcli.problems import ConfigError, DataError, DlcliError, Problem
from dlcli.runs import locks, record, whole_files
from dlcli.runs.record import Record, Status

LATEST = "latest"
_LOCK = ".lock"
_NUMBERED = re.compile(r"(.*)-(\d{3,})")
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One run on disk."""

    path: Path

    @property
    def name(self) -> str:
        """Its name in the folder of runs."""
        return self.path.name

    @property
    def root(self) -> Path:
        """The folder of runs, where its ledger lies."""
        return self.path.parent

    def lock(self, patience: float = locks.PATIENCE_SECONDS) -> AbstractContextManager[None]:
        """Keeps other processes from this run; a run whose lock is gone but whose record says running has died.

        Args:
            patience: how many seconds to wait for another process that has it.

        Raises:
            RefusedError: another process has it.
        """
        return locks.hold(self.path / _LOCK, f"run {self.name}", patience)

    def record(self) -> Record:
        """What is recorded, with the status interrupted for a run that died.

        Raises:
            DataError: the record is missing or damaged.
        """
        found = record.read(self.path)
        if found.status == "running" and not locks.is_held(self.path / _LOCK):
            # It may have ended between reading the record and asking for the lock.
            found = record.read(self.path)
            return found.changed(status="interrupted") if found.status == "running" else found
        return found

    def write_record(self, entry: Record) -> None:
        """Writes `record.json` whole."""
        record.write(entry, self.path)

    def write_text(self, name: str, text: str) -> Path:
        """Writes a whole file in UTF-8; folders in its name are made."""
        path = self.file(name)
        whole_files.write_text(path, text)
        return path

    def write_bytes(self, name: str, data: bytes) -> Path:
        """Writes a whole file; folders in its name are made."""
        path = self.file(name)
        whole_files.write_bytes(path, data)
        return path

    def write_json(self, name: str, data: Any) -> Path:
        """Writes a whole JSON file; folders in its name are made."""
        path = self.file(name)
        whole_files.write_json(path, data)
        return path

    def file(self, name: str) -> Path:
        """The path of a file to be, its folder made; hand it to `whole_files.whole` to write it."""
        path = self.path / name
        with whole_files.writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def discard(self) -> None:
        """Removes a run that has not got as far as a record."""
        if (self.path / record.FILE_NAME).exists():
            return
        import shutil

        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Listed:
    """A run in a list. `record` is None where it is damaged."""

    directory: RunDirectory
    record: Record | None

    @property
    def status(self) -> Status | Literal["unreadable"]:
        """How it ended."""
        return self.record.status if self.record else "unreadable"


def runs_root(option: Path | str | None = None) -> Path:
    """The folder of runs: the option, else DLCLI_RUNS, else `runs` here."""
    return Path(option or os.environ.get("DLCLI_RUNS") or "runs").expanduser().absolute()


def create(root: Path, name: str) -> RunDirectory:
    """Makes the next free `<name>-001`; two processes never get the same.

    Raises:
        DlcliError: the folder cannot be written.
    """
    stem = re.sub(r"[^\w.-]+", "-", name)[:_LONGEST_NAME].strip("-.") or "run"
    with whole_files.writing(root):
        root.mkdir(parents=True, exist_ok=True)
        number = 1 + max((taken for taken in _numbers(root, stem)), default=0)
        while True:
            path = root / f"{stem}-{number:03d}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            whole_files.sync_folder(root)
            return RunDirectory(path)


def find(root: Path, which: str) -> RunDirectory:
    """The run of a name in `root`, at a path, or the one that started last ("latest").

    Raises:
        ConfigError: there is none.
    """
    if which == LATEST:
        readable = [listed for listed in list_runs(root) if listed.record]
        if not readable:
            raise ConfigError(Problem("no-such-run", f"there are no runs in {root}", "dlcli train makes one"))
        return readable[-1].directory
    for path in (root / which, Path(which).expanduser().absolute()):
        if which and (path / record.FILE_NAME).is_file():
            return RunDirectory(path.resolve())
    raise ConfigError(Problem("no-such-run", f'there is no run "{which}" in {root}', _suggestion(root, which)))


def list_runs(root: Path) -> tuple[Listed, ...]:
    """Every run in `root`, in the order in which they started; damaged ones first."""
    found = []
    for path in _folders(root):
        directory = RunDirectory(path)
        if not (path / record.FILE_NAME).exists():
            continue
        try:
            found.append(Listed(directory, directory.record()))
        except DataError:
            found.append(Listed(directory, None))
    return tuple(sorted(found, key=lambda each: (each.record.started if each.record else "", each.directory.name)))


def _suggestion(root: Path, which: str) -> str:
    from difflib import get_close_matches

    names = [listed.directory.name for listed in list_runs(root)]
    if not names:
        return "there are no runs there yet; choose their folder with --runs"
    near = get_close_matches(which, names, n=3) or names[-3:]
    return f"there is {', '.join(near)}; dlcli runs lists all"


def _numbers(root: Path, stem: str) -> Iterator[int]:
    for path in root.iterdir():
        match = _NUMBERED.fullmatch(path.name)
        if match and match[1] == stem:
            yield int(match[2])


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        problem = Problem("unreadable-runs", f"cannot read {root}: {error.strerror}", "choose another with --runs")
        raise DlcliError(problem) from error
