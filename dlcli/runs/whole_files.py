"""Files that are there whole or not at all, whatever dies: temporary name, fsync, rename, fsync of the folder."""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlcli.problems import DlcliError, Problem

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.ENOTDIR: "a part of the path is a file",
    errno.ENAMETOOLONG: "the name is too long",
}
_ELSEWHERE = "make room or choose another folder with --runs"


@contextmanager
def writing(path: Path, suggestion: str = _ELSEWHERE) -> Iterator[None]:
    """Turns a failure to write below `path` into one clear error with a suggestion.

    Raises:
        DlcliError: the disk is full, the folder read-only, ...
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
        raise DlcliError(Problem("cannot-write", f"cannot write {path}: {reason}", suggestion)) from error


@contextmanager
def whole(path: Path, suggestion: str = _ELSEWHERE) -> Iterator[Path]:
    """Yields a temporary path beside `path`, with its suffix, that becomes `path` when the block ends well.

    Raises:
        DlcliError: it cannot be written; nothing is left behind and an older file stays as it was.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}-{path.name}")
    with writing(path, suggestion):
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a whole file.

    Raises:
        DlcliError: it cannot be written.
    """
    with whole(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Writes a whole file in UTF-8, line ends as they are.

    Raises:
        DlcliError: it cannot be written.
    """
    write_bytes(path, text.encode())


def write_json(path: Path, data: Any) -> None:
    """Writes plain data as JSON; NaN and infinity are no JSON and a mistake of the caller's.

    Raises:
        DlcliError: it cannot be written.
    """
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def remove_leftovers(folder: Path) -> None:
    """Removes what processes that died while they wrote have left behind; nobody else may write there now."""
    for path in folder.rglob(f".{'[0-9a-f]' * 32}-*"):
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a loss of power, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems cannot
            raise
    finally:
        os.close(handle)
