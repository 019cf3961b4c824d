"""Finding and reading files: globs, packed files, and one clear problem for each way that it can fail."""

from __future__ import annotations

import difflib
import glob
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Annotated

from pydantic import AfterValidator

from dlcli.data.sources import remote
from dlcli.part import Source
from dlcli.problems import ConfigPath, DataError, Problem

UNPACKING_MEMORY_BYTES = 512 * 1024**2
PACKED = (".gz", ".xz")
"""Endings of files that are unpacked while they are read."""
_WILDCARDS = frozenset("*?[")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def _known_encoding(text: str) -> str:
    try:
        b"".decode(text)
    except (LookupError, ValueError):
        message = "must be an encoding that Python knows, such as utf-8, latin-1 or utf-16"
        raise ValueError(message) from None
    return text


Encoding = Annotated[str, AfterValidator(_known_encoding)]


def expand(paths: tuple[str, ...], field: ConfigPath) -> tuple[Path, ...]:
    """The files that paths and globs name; those of a glob sorted by name. Remote ones are brought here.

    Raises:
        DataError: a path is absent or a folder, or a glob matches nothing.
    """
    files: list[Path] = []
    for path in paths:
        _require_variables(path, field)
        if remote.is_remote(path):
            files += remote.fetch(path, field)
        elif _WILDCARDS & set(path) and not Path(path).exists():
            names = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
            found = [Path(name) for name in names if Path(name).is_file()]
            if not found:
                message = f"no file matches {path}"
                raise DataError(Problem("file-not-found", message, "check the folder and the pattern", field))
            files += found
        else:
            files.append(_existing(Path(path), field))
    return tuple(files)


def here(path: Path | str) -> Path:
    """A file or folder as a command line names it; what lies at an address is brought here.

    Raises:
        DataError: an address cannot be read, or names several files.
    """
    address = str(path)
    if not remote.is_remote(address):
        return Path(path)
    if not remote.names_a_file(address):
        return remote.fetch_folder(address, ())
    files = remote.fetch(address, ())
    if len(files) > 1:
        raise DataError(Problem("several-files", f"{len(files):,} files match {address}", "name one of them"))
    return files[0]


def folder(path: str, field: ConfigPath) -> Path:
    """The folder that a path names.

    Raises:
        DataError: it is absent, or a file.
    """
    _require_variables(path, field)
    if remote.is_remote(path):
        return remote.fetch_folder(path, field)
    place = Path(path)
    if place.is_file():
        raise DataError(Problem("not-a-folder", f"{path} is a file, not a folder", "name the folder it lies in", field))
    if not place.is_dir():
        raise DataError(Problem("file-not-found", f"folder not found: {path}", _nearest_file(place), field))
    return place


def _require_variables(path: str, field: ConfigPath) -> None:
    if unset := _VARIABLE.search(path):
        message = f"the environment variable {unset.group(1)} is not set: {path}"
        hint = f"set it to the folder that holds the data: export {unset.group(1)}=/path/to/folder"
        raise DataError(Problem("variable-not-set", message, hint, field))


def _existing(path: Path, field: ConfigPath) -> Path:
    if path.is_dir():
        suggestion = f'name the file in it, or write a pattern: "{path}/*{_usual_suffix(path)}"'
        raise DataError(Problem("not-a-file", f"{path} is a folder, not a file", suggestion, field))
    if not path.exists():
        raise DataError(Problem("file-not-found", f"file not found: {path}", _nearest_file(path), field))
    return path


def _usual_suffix(folder: Path) -> str:
    try:
        return next((entry.suffix for entry in sorted(folder.iterdir()) if entry.is_file()), ".csv")
    except OSError:
        return ".csv"


def _nearest_file(path: Path) -> str:
    """What to do about an absent file: the nearest name, or the nearest folder that does exist."""
    if path.parent.is_dir():
        try:
            names = [entry.name for entry in path.parent.iterdir()]
        except OSError:
            names = []
        near = difflib.get_close_matches(path.name, names, n=1)
        return f"did you mean {path.parent / near[0]}?" if near else f"the folder {path.parent} has no such file"
    known = next((parent for parent in path.parents if parent.is_dir()), Path("/"))
    return f"the folder {path.parent} does not exist ({known} does); a path is relative to the file that names it"


def blocks(path: Path, field: ConfigPath, size: int, heard: Callable[[int], None]) -> Iterator[bytes]:
    """The content of a file, at most `size` bytes at a time, unpacked if its name ends in .gz or .xz.

    Args:
        path: the file.
        field: the config path that named it.
        size: of a block, in bytes.
        heard: hears how many bytes of the file itself have been read.

    Raises:
        DataError: it cannot be read, or what is packed is damaged.
    """
    packed = path.suffix in PACKED
    try:
        with path.open("rb") as file:
            for block in _unpacked(file, path.suffix, size):
                yield block
                heard(file.tell() if file.seekable() else 0)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        if not packed or isinstance(error, PermissionError | IsADirectoryError):
            reason = error.strerror if isinstance(error, OSError) else error
            message = f"cannot read {path}: {reason}"
            raise DataError(Problem("cannot-read", message, "check its permissions", field)) from error
        message = f"{path} cannot be unpacked: {error}"
        suggestion = "the file is damaged or not what its ending says; copy it again"
        raise DataError(Problem("damaged-file", message, suggestion, field)) from error


def _unpacked(file: IO[bytes], suffix: str, size: int) -> Iterator[bytes]:
    if suffix == ".xz":
        yield from _unpacked_xz(file, size)
        return
    stream = gzip.GzipFile(fileobj=file) if suffix == ".gz" else file
    while block := stream.read(size):
        yield block


def _unpacked_xz(file: IO[bytes], size: int) -> Iterator[bytes]:
    """As `lzma.open`, which has no limit to the memory that a file may ask for."""
    decoder = lzma.LZMADecompressor(memlimit=UNPACKING_MEMORY_BYTES)
    while True:
        if decoder.eof:  # streams may follow each other, with zeros between
            more = decoder.unused_data.lstrip(b"\0")
            while not more:
                if not (block := file.read(size)):
                    return
                more = block.lstrip(b"\0")
            decoder = lzma.LZMADecompressor(memlimit=UNPACKING_MEMORY_BYTES)
        else:
            more = file.read(size) if decoder.needs_input else b""
            if decoder.needs_input and not more:
                message = "it ends too early"
                raise EOFError(message)
        if block := decoder.decompress(more, size):
            yield block


def source_for(path: str, *, strip: bool = False) -> Source:
    """The source that reads a file of rows, chosen by its ending, with every field at its default.

    Args:
        path: the file.
        strip: drop blanks around the cells of delimited text; by default they stay, as in files of any other kind.
    """
    if Path(path).suffix == ".npz":
        from dlcli.data.sources.npz import Npz

        return Npz(path=path)
    if Path(path).suffix in (".parquet", ".pq"):
        from dlcli.data.sources.parquet import Parquet

        return Parquet(path=(path,))
    from dlcli.data.sources.delimited import Csv

    return Csv(path=(path,), strip=strip)
