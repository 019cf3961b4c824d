"""Locks that die with their process: the system lets go of them, so that a dead one is never mistaken for held."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dlcli.problems import DlcliError, Problem, RefusedError
from dlcli.runs.whole_files import writing

PATIENCE_SECONDS = 0.5
"""How long `hold` waits by default, since someone who only asks holds a lock for a moment."""
_RETRY_SECONDS = 0.02
_FAR = 1 << 40
"""Windows locks bytes against reading too, so a byte is locked that no file reaches."""

if sys.platform == "win32":
    import msvcrt

    def _try(handle: int) -> bool:
        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return _taken(error)
        return True

else:
    import fcntl

    def _try(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return _taken(error)
        return True


def _taken(error: OSError) -> bool:
    """False if another holds the lock.

    Raises:
        DlcliError: this file system has no locks.
    """
    if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
        return False
    message = f"this file system cannot lock files: {error.strerror}"
    raise DlcliError(Problem("cannot-lock", message, "choose a folder on a local disk with --runs")) from error


def wait(handle: int) -> None:
    """Locks an open file for this process until it is closed, however long that takes."""
    while not _try(handle):
        time.sleep(_RETRY_SECONDS)


@contextmanager
def hold(path: Path, what: str, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Holds a lock file while the block runs.

    Args:
        path: the lock file; it says who holds it, and is gone afterwards.
        what: what is locked, for the message.
        patience: how many seconds to wait for it.

    Raises:
        RefusedError: another process holds it.
        DlcliError: it cannot be written.
    """
    with writing(path):
        handle = _acquire(path, what, patience)
    try:
        owner = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        with writing(path):
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, json.dumps(owner).encode())
        yield
    finally:
        if os.name != "nt":  # where an open file cannot be removed it stays, unlocked
            path.unlink(missing_ok=True)
        os.close(handle)


def is_held(path: Path) -> bool:
    """Whether a living process holds a lock file."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _try(handle)
    finally:
        os.close(handle)


def _acquire(path: Path, what: str, patience: float) -> int:
    """An open, locked handle of the file that bears the name."""
    deadline = time.monotonic() + patience
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        # Whoever held it before may have removed the file between our opening and our locking it.
        if _try(handle) and _is_the_file(handle, path):
            return handle
        os.close(handle)
        if time.monotonic() > deadline:
            message = f"{what} is in use by another process{_owner(path)}"
            raise RefusedError(Problem("locked-run", message, "wait until it ends, or end it"))
        time.sleep(_RETRY_SECONDS)


def _is_the_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text())
        return f" (number {owner['pid']}, since {owner['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
