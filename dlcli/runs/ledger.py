"""The ledger: a line per look at test targets, written and synced before the score is computed.

Each line holds the hash of the line before, so that an edited, removed or moved line shows; records keep
the hashes of their lines, so that a cut end shows. The row hashes of every set of rows looked at are kept
once in `looks/`: a look counts for each set that it shares a row with.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcli import __version__
from dlcli.problems import Problem, RefusedError
from dlcli.runs import locks, looks, whole_files
from dlcli.runs.directory import list_runs
from dlcli.runs.record import now

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

FILE_NAME = "ledger.jsonl"
_START = "0" * 64
"""What stands for the line before the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A look at the targets of some rows.

    Attributes:
        run: the name of the run whose model is scored.
        command: what looks, e.g. "train --evaluate".
        data_hash: of the data set.
        row_hashes: uint64, one per row whose target is seen.
    """

    run: str
    command: str
    data_hash: str
    row_hashes: Hashes


@dataclass(frozen=True, slots=True)
class Entry:
    """A look that has been written down.

    Attributes:
        line_hash: the hash of its line, to be kept in the run's record.
        looks: how often any of these rows has been looked at, this time included.
        seen_rows: how many of these rows any look before has seen.
        notes: what should be said, e.g. that a torn line was closed.
    """

    line_hash: str
    looks: int
    seen_rows: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the ledger. `tampered`: it was changed after it was written; else a torn line."""

    message: str
    tampered: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """One line as it stands; `data` is None where it is no whole line of a ledger."""

    raw: bytes
    data: dict[str, Any] | None

    @property
    def hash(self) -> str:
        return str(self.data["hash"]) if self.data else hashlib.sha256(self.raw).hexdigest()


def append(root: Path, look: Look) -> Entry:
    """Writes a look down, synced, under a lock.

    Raises:
        RefusedError: the ledger has been tampered with.
        DlcliError: it cannot be written.
    """
    with _locked(root) as handle:
        content = _read_all(handle)
        lines = _parse(content)
        _refuse(_findings(lines) + _missing(root, lines))
        overlap = _overlap(root, lines, look.row_hashes)
        torn = bool(lines) and lines[-1].data is None
        looks.keep(root, look.row_hashes)
        data: dict[str, Any] = {
            "time": now(),
            "run": look.run,
            "command": look.command,
            "data_hash": look.data_hash,
            "rows_hash": looks.fingerprint(look.row_hashes),
            "rows": len(look.row_hashes),
            "version": __version__,
            "previous": lines[-1].hash if lines else _START,
            **({"after_torn_line": True} if torn else {}),
        }
        data["hash"] = _hash(data)
        closing = b"" if content.endswith(b"\n") or not content else b"\n"
        with whole_files.writing(root / FILE_NAME):
            _write_at_end(handle, closing + _encode(data) + b"\n", len(content))
    notes = ("the last line of the ledger was torn and has been closed",) if torn else ()
    return Entry(data["hash"], 1 + overlap.looks, overlap.seen_rows, notes)


def written(root: Path, look: Look, *, known: Sequence[str], since: str) -> Entry | None:
    """The same look where this very run has written it down already, and died before it kept the score.

    Args:
        root: the folder of runs.
        look: what would be written.
        known: the line hashes that the run's record keeps.
        since: when the run started, for a line that its record does not keep yet.

    Raises:
        RefusedError: the ledger has been tampered with.
    """
    with _locked(root) as handle:
        lines = _parse(_read_all(handle))
        _refuse(_findings(lines) + _missing(root, lines))
    same = {"run": look.run, "command": look.command, "rows_hash": looks.fingerprint(look.row_hashes)}
    for number, line in enumerate(lines):
        data = line.data or {}
        if same.items() <= data.items() and (line.hash in known or data.get("time", "") >= since):
            overlap = _overlap(root, lines[:number], look.row_hashes)
            return Entry(line.hash, 1 + overlap.looks, overlap.seen_rows)
    return None


def verify(root: Path) -> tuple[Finding, ...]:
    """What is wrong with the ledger of a folder of runs, in the order of its lines; empty if nothing is."""
    path = root / FILE_NAME
    lines = _parse(path.read_bytes()) if path.exists() else []
    lost = looks.missing(root, set(_sets(lines)))
    return tuple(_findings(lines) + _missing(root, lines) + _lost(lines, lost))


@contextmanager
def _locked(root: Path) -> Iterator[int]:
    """The ledger, open and locked until the block ends."""
    path = root / FILE_NAME
    with whole_files.writing(path):
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        whole_files.sync_folder(root)
    try:
        locks.wait(handle)
        yield handle
    finally:
        os.close(handle)


def _read_all(handle: int) -> bytes:
    os.lseek(handle, 0, os.SEEK_SET)
    with os.fdopen(os.dup(handle), "rb") as file:
        return file.read()


def _write_at_end(handle: int, data: bytes, end: int) -> None:
    """Writes and syncs; on a full disk what was written of it is taken back."""
    os.lseek(handle, end, os.SEEK_SET)
    try:
        written = 0
        while written < len(data):
            count = os.write(handle, data[written:])
            if count == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written += count
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, end)
        raise


def _parse(content: bytes) -> list[_Line]:
    raws = content.split(b"\n")
    return [_Line(raw, _decoded(raw)) for raw in (raws if raws[-1] else raws[:-1])]


def _decoded(raw: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(raw)
    except ValueError:
        return None
    needed = ("hash", "previous", "rows_hash")
    whole = isinstance(data, dict) and all(isinstance(data.get(key), str) for key in needed)
    return data if whole else None


def _encode(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _hash(data: dict[str, Any]) -> str:
    return hashlib.sha256(_encode({key: value for key, value in data.items() if key != "hash"})).hexdigest()


def _findings(lines: list[_Line]) -> list[Finding]:
    """What the lines themselves show: each must hash to what it says and name the hash of the one before."""
    found = []
    previous = _START
    for number, line in enumerate(lines, start=1):
        if line.data is None:
            after = lines[number].data if number < len(lines) else None
            closed = after is not None and after.get("after_torn_line") is True
            if number == len(lines) or closed:
                found.append(Finding(f"line {number} is torn: that look was never scored", tampered=False))
            else:
                found.append(Finding(f"line {number} is not a line of a ledger", tampered=True))
        elif _hash(line.data) != line.hash or _encode(line.data) != line.raw:
            found.append(Finding(f"line {number} has been edited", tampered=True))
        elif line.data["previous"] != previous:
            message = f"line {number} does not follow the line before: one is missing, moved or edited"
            found.append(Finding(message, tampered=True))
        previous = line.hash
    return found


def _missing(root: Path, lines: list[_Line]) -> list[Finding]:
    """Lines that a record of a run here keeps the hash of, and that are not there."""
    there = {line.hash for line in lines}
    return [
        Finding(f"a line about run {listed.directory.name} is missing", tampered=True)
        for listed in list_runs(root)
        if listed.record and not there.issuperset(listed.record.ledger_lines)
    ]


def _sets(lines: list[_Line]) -> Counter[str]:
    """How many looks there were at each set of rows."""
    return Counter(line.data["rows_hash"] for line in lines if line.data)


def _lost(lines: list[_Line], names: frozenset[str]) -> list[Finding]:
    """What says that the rows of looks are not known any more."""
    numbers = [number for number, line in enumerate(lines, start=1) if line.data and line.data["rows_hash"] in names]
    return [
        Finding(f"the rows of line {number}, kept in looks, are missing or changed", tampered=True)
        for number in numbers
    ]


def _overlap(root: Path, lines: list[_Line], row_hashes: Hashes) -> looks.Overlap:
    """How rows overlap with those of the looks in some lines.

    Raises:
        RefusedError: the rows of a look have been changed or removed.
    """
    found = looks.overlap(root, _sets(lines), row_hashes)
    _refuse(_lost(lines, found.missing))
    return found


def _refuse(findings: list[Finding]) -> None:
    tampered = [finding.message for finding in findings if finding.tampered]
    if tampered:
        message = f"the ledger of looks at test sets has been changed: {'; '.join(tampered)}"
        suggestion = "restore ledger.jsonl and looks, or choose another folder with --runs"
        raise RefusedError(Problem("tampered-ledger", message, suggestion))
