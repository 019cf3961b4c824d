"""The cache: what was decoded or preprocessed once and is too large for memory, by what it was made of.

Each entry is a folder of array files, made under another name and renamed when it is whole. The entries that were
used least recently make room for new ones. What else lies in the folder of the cache is never touched.
"""

from __future__ import annotations

import errno
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcli import __version__
from dlcli.numbers import size
from dlcli.problems import DataError, Problem
from dlcli.storage import OnDisk, load, removed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dlcli.part import Shape
    from dlcli.storage import Filling

VARIABLE = "DLCLI_CACHE"
MOST_BYTES = 50 * 10**9
"""What the entries may take together, but for those in use."""
_PREFIX = "dlcli-"
_UNFINISHED = f"{_PREFIX}unfinished-"
_ABANDONED_SECONDS = 24 * 3600.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_THERE = (errno.EEXIST, errno.ENOTEMPTY)
_FORMAT = "1"
"""Changes with what is written; entries of another version of dlcli are not read either."""


def place() -> Path:
    """The folder of the cache: DLCLI_CACHE, else where the system keeps such files."""
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("dlcli", appauthor=False)


def key_of(*parts: str) -> str:
    """A name for an entry that follows from all that it depends on."""
    digest = blake2b(f"{_FORMAT} {__version__}".encode(), digest_size=16)
    for part in parts:
        text = part.encode("utf-8", "surrogatepass")
        digest.update(len(text).to_bytes(8, "little") + text)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Cache:
    """The entries in one folder.

    Attributes:
        folder: where they lie.
        used: keys of the entries that were asked for; these do not make room for others.
    """

    folder: Path
    used: set[str] = field(default_factory=set, compare=False)

    @staticmethod
    @functools.cache
    def of(folder: Path) -> Cache:
        """The one that this process has for a folder: only it knows all that is in use."""
        return Cache(folder)

    def entry(self, key: str) -> Path | None:
        """The folder of an entry, where it is there; it counts as used now."""
        found = self.at(key)
        try:
            os.utime(found)
        except OSError:
            return None
        self.used.add(key)
        return found

    def at(self, key: str) -> Path:
        """Where an entry lies, if it is there."""
        return self.folder / f"{_PREFIX}{key}"

    def remove(self, key: str) -> None:
        """Removes an entry that cannot be read."""
        shutil.rmtree(self.at(key), ignore_errors=True)

    @contextmanager
    def making(self, key: str, nbytes: int) -> Iterator[OnDisk]:
        """A folder for arrays, which becomes the entry at the end of the block.

        Args:
            key: of the entry.
            nbytes: about how large it will be.

        Raises:
            DataError: the disk has no room for it, or cannot be written, or the folder is removed meanwhile.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make_room(nbytes)
            unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self.folder))
        except OSError as error:
            raise self._unwritable(error, nbytes) from error
        try:
            with OnDisk(unfinished) as storage:
                yield storage
            unfinished.rename(self.at(key))
            self.used.add(key)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise self._unwritable(error, nbytes) from error
            if not unfinished.is_dir():
                raise self.emptied() from error
            if error.errno not in _THERE:  # else another process has made the same entry meanwhile
                raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def clear(self) -> int:
        """Removes every entry; returns how many bytes they took."""
        before = self.nbytes
        for folder in self._folders():
            shutil.rmtree(folder, ignore_errors=True)
        return before - self.nbytes

    @property
    def nbytes(self) -> int:
        """Bytes of all entries."""
        return sum(_bytes_of(folder) for folder in self._folders())

    def emptied(self) -> DataError:
        """What to raise where something else has removed what was written."""
        return DataError(removed(self.folder))

    def _folders(self) -> list[Path]:
        return [path for path in self.folder.glob(f"{_PREFIX}*") if path.is_dir()] if self.folder.is_dir() else []

    def _make_room(self, nbytes: int) -> None:
        """Removes what was used least recently until an entry of so many bytes has room.

        Raises:
            DataError: it has none even so.
        """
        now = time.time()
        entries: list[tuple[float, Path, int]] = []
        for folder in self._folders():
            with suppress(OSError):  # gone meanwhile
                used = folder.stat().st_mtime
                if not folder.name.startswith(_UNFINISHED):
                    entries.append((used, folder, _bytes_of(folder)))
                elif now - used > _ABANDONED_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
        held, free = sum(taken for _, _, taken in entries), shutil.disk_usage(self.folder).free
        kept = {self.at(key) for key in self.used}
        for _, folder, taken in sorted(entries):
            if held + nbytes <= MOST_BYTES and nbytes <= free:
                return
            if folder in kept:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            held, free = held - taken, shutil.disk_usage(self.folder).free
        if nbytes > free:
            raise DataError(_full(self.folder, nbytes, free))

    def _unwritable(self, error: OSError, nbytes: int) -> DataError:
        if error.errno in _NO_ROOM:
            return DataError(_full(self.folder, nbytes, shutil.disk_usage(self.folder).free))
        message = f"data that are kept on disk cannot be written to {self.folder}: {error.strerror}"
        suggestion = f"let {VARIABLE} name a folder that can be written, or write `in_memory: true`"
        return DataError(Problem("cannot-write", message, suggestion))


@dataclass(frozen=True, slots=True)
class DataShelf:
    """The arrays that follow from one set of data, in the cache.

    Attributes:
        cache: where they lie.
        data: a hash of the data and of how they are laid out.
        everything: see `Shelf.everything`.
    """

    cache: Cache
    data: str
    everything: bool

    def kept(self, what: str, shape: Shape, dtype: Any, fill: Callable[[Filling], None]) -> NDArray[Any]:
        """See `Shelf.kept`."""
        import numpy as np

        key = key_of(self.data, what, repr(shape), str(dtype))
        found = self.cache.entry(key)
        if found is not None:
            try:
                return load(found / "0001.npy")
            except (OSError, ValueError):  # removed meanwhile, or damaged
                self.cache.remove(key)
        with self.cache.making(key, int(np.prod(shape)) * np.dtype(dtype).itemsize) as storage:
            filling = storage.begin(shape, dtype)
            fill(filling)
            made = filling.end()
        # Reopened where it lies now; what another process removed at once is still open.
        final = self.cache.at(key) / "0001.npy"
        return load(final) if final.exists() else made


def _bytes_of(folder: Path) -> int:
    total = 0
    for file in folder.glob("*"):
        with suppress(OSError):
            total += file.stat().st_size
    return total


def _full(folder: Path, needed: int, free: int) -> Problem:
    message = f"data that are kept on disk need {size(needed)}, but {folder} has {size(free)} free"
    suggestion = (
        f"free that much, let {VARIABLE} name a folder on a larger disk, take fewer rows or columns, "
        "or write `in_memory: true` where memory has room"
    )
    return Problem("disk-full", message, suggestion, ("data", "source"))
