"""Reading a source: into memory, or into the cache where the data are too large for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from dlcli.data import cache, stored
from dlcli.data.row_filter import chosen, filtered
from dlcli.events import Listener, Note
from dlcli.numbers import size
from dlcli.part import Source
from dlcli.problems import DataError, Problem
from dlcli.samples import Found, Samples
from dlcli.storage import InMemory, OnDisk

IN_MEMORY_BYTES = 512 * 1024 * 1024
"""`in_memory: auto`: what a source reads lies on disk from this size on."""
_BLOCK_BYTES = 4 * 1024 * 1024

Wanted = Literal["auto"] | bool


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What a source holds.

    Attributes:
        found: the rows, those that `where` lets pass.
        cache: where arrays made of them lie too; None where all of them are in memory.
    """

    found: Found
    cache: cache.Cache | None


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
    extent = None if in_memory is True else source.extent()
    if in_memory is True or (in_memory == "auto" and (extent is None or extent.nbytes <= IN_MEMORY_BYTES)):
        return Read(filtered(source.read_into(InMemory(), emit), where), None)
    shelf = cache.Cache(cache.place())
    if extent is None:  # what is made of the rows lies on disk all the same
        return Read(filtered(source.read_into(InMemory(), emit), where), shelf)
    key = cache.key_of(repr(source), _content(extent.files))
    found = _kept(shelf, key)
    if found is None:
        emit(Note(f"kept on disk, read only once: {size(extent.nbytes)} in {shelf.folder}"))
        with shelf.making(key, extent.nbytes) as folder:
            storage = OnDisk(folder)
            stored.write(source.read_into(storage, emit), storage)
        found = _made(shelf, key)
    if where is None:
        return Read(found, shelf)
    rows, note = chosen(found, where)
    nbytes = found.samples.nbytes * len(rows) // found.samples.rows
    if in_memory == "auto" and nbytes <= IN_MEMORY_BYTES:
        return Read(filtered(found, where), None)
    key = cache.key_of(key, where)
    passing = _kept(shelf, key)
    if passing is None:
        with shelf.making(key, nbytes) as folder:
            rest = replace(found, samples=Samples({}, found.samples.rows)).take(rows, note)
            columns = ((name, found.samples.select((name,)).take(rows)[name]) for name in found.samples)
            stored.write(rest, OnDisk(folder), columns)
        passing = _made(shelf, key)
    return Read(passing, shelf)


def _kept(shelf: cache.Cache, key: str) -> Found | None:
    entry = shelf.entry(key)
    if entry is not None:
        with suppress(OSError, ValueError, KeyError):  # damaged: then it is made anew
            return stored.read(entry)
    return None


def _made(shelf: cache.Cache, key: str) -> Found:
    """What was written just now."""
    found = _kept(shelf, key)
    if found is None:
        message = f"what was written to {shelf.folder} a moment ago is no longer there"
        raise DataError(Problem("cache-removed", message, "run it again, and nothing that empties that folder beside"))
    return found


def _content(files: Sequence[Path]) -> str:
    """A hash of what files hold."""
    digest = blake2b(digest_size=16)
    for file in files:
        try:
            with file.open("rb") as stream:
                while block := stream.read(_BLOCK_BYTES):
                    digest.update(block)
        except OSError as error:
            message = f"cannot read {file}: {error.strerror}"
            raise DataError(Problem("cannot-read", message, "check its permissions", ("data", "source"))) from error
        digest.update(str(file.absolute()).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
