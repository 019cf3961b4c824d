"""Reading a source: into memory, or into the cache where the data are too large for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dlcli.data import cache, stored
from dlcli.data.row_filter import chosen, filtered
from dlcli.data.sources import remote
from dlcli.data.sources.sequence_columns import Sequences
from dlcli.data.sources.text_columns import written
from dlcli.events import Listener, Note, Progress
from dlcli.numbers import MEGABYTE, size
from dlcli.part import Source
from dlcli.problems import DataError, Problem
from dlcli.samples import Coded, Found, Ragged, Samples
from dlcli.storage import IN_MEMORY_BYTES, InMemory, OnDisk, packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK_BYTES = 4 * 1024 * 1024

Wanted = Literal["auto"] | bool


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What a source holds.

    Attributes:
        found: the rows, those that `where` lets pass.
        cache: where arrays made of them may lie; None where all must be in memory.
        on_disk: whether the rows lie there.
    """

    found: Found
    cache: cache.Cache | None
    on_disk: bool = False


def read(source: Source, where: str | None, in_memory: Wanted, emit: Listener) -> Read:
    """Reads a source.

    Args:
        source: what to read.
        where: see `row_filter.filtered`.
        in_memory: whether data may lie in memory; `auto`: if they are small.
        emit: hears how far it is.

    Raises:
        DataError: the source cannot be read, or the disk is too small for it.
    """
    shelf = None if in_memory is True else cache.Cache.of(cache.place())
    extent = None if shelf is None else source.extent()
    if shelf is None or extent is None or (in_memory == "auto" and extent.nbytes <= IN_MEMORY_BYTES):
        return Read(filtered(source.read_into(InMemory(), emit), where), shelf, on_disk=in_memory is False)
    key = cache.key_of(repr(source), _content(extent.files, emit))
    found = _kept(shelf, key)
    if found is None:
        emit(Note(f"kept on disk, read only once: {size(extent.nbytes)} in {shelf.folder}"))
        with shelf.making(key, extent.nbytes + extent.meanwhile_bytes) as storage:
            stored.write(source.read_into(storage, emit), storage)
        found = _made(shelf, key)
    if where is None:
        return Read(found, shelf, on_disk=True)
    rows, note = chosen(found, where)
    nbytes = found.samples.nbytes * len(rows) // found.samples.rows
    if in_memory == "auto" and nbytes <= IN_MEMORY_BYTES:
        return Read(filtered(found, where), shelf)
    key = cache.key_of(key, where)
    passing = _kept(shelf, key)
    if passing is None:
        with shelf.making(key, nbytes) as storage:
            rest = replace(found, samples=Samples({}, found.samples.rows)).take(rows, note)
            columns = ((name, _some(found.samples, name, rows, storage)) for name in found.samples)
            stored.write(rest, storage, columns)
        passing = _made(shelf, key)
    return Read(passing, shelf, on_disk=True)


def _kept(shelf: cache.Cache, key: str) -> Found | None:
    entry = shelf.entry(key)
    if entry is not None:
        try:
            return stored.read(entry)
        except (OSError, ValueError, KeyError, TypeError, EOFError):  # damaged: then it is made anew
            shelf.remove(key)
    return None


def _some(samples: Samples, name: str, rows: NDArray[Any], storage: OnDisk) -> Any:
    """Some rows of a column that lies in other files."""
    column = samples[name]
    if isinstance(column, Ragged):
        rest = Sequences(storage, column.values.dtype)
        rest.append_sizes(column.sizes(rows))
        for block in packed(column.spans(rows), column.values.dtype):
            rest.append_values(block)
        return rest.end()
    column = samples.select((name,)).take(rows)[name]
    return written(column, storage) if isinstance(column, Coded) else column


def _made(shelf: cache.Cache, key: str) -> Found:
    """What was written just now."""
    found = _kept(shelf, key)
    if found is None:
        raise shelf.emptied()
    return found


def _content(files: Sequence[Path], emit: Listener) -> str:
    """A hash of what files hold."""
    digest = blake2b(digest_size=16)
    done, total = 0, sum(file.stat().st_size for file in files)
    for file in files:
        try:
            with file.open("rb") as stream:
                while block := stream.read(_BLOCK_BYTES):
                    digest.update(block)
                    done += len(block)
                    if total > IN_MEMORY_BYTES:
                        emit(Progress("MB looked through for changes", done // MEGABYTE, total // MEGABYTE))
        except OSError as error:
            message = f"cannot read {file}: {error.strerror}"
            raise DataError(Problem("cannot-read", message, "check its permissions", ("data", "source"))) from error
        digest.update(remote.lasting_name(file).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
