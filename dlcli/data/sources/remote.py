"""Files at an address (s3://, gs://, https://): brought here through fsspec, and gone when the process ends."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from dlcli.problems import ConfigPath, DataError, Problem

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_WILDCARDS = frozenset("*?[")
_WEB = ("http", "https")
INSTALL = "pip install 'dlcli[remote]'"


def is_remote(path: str) -> bool:
    """Whether a path is an address, of which a path on this machine is no part."""
    return _ADDRESS.match(path) is not None


def names_a_file(address: str) -> bool:
    """Whether the last part of an address ends like a file: `.csv`."""
    return bool(PurePosixPath(urlsplit(address).path).suffix)


def fetch(address: str, field: ConfigPath) -> tuple[Path, ...]:
    """Copies of the files that an address or, but on the web, a glob names; those of a glob sorted by name.

    What one process asks for twice is brought here once.

    Raises:
        DataError: what reads such addresses is not installed, or nothing is there or can be read.
    """
    if address not in _copies():
        _copies()[address] = _fetched(address, field)
    return _copies()[address]


def fetch_folder(address: str, field: ConfigPath) -> Path:
    """A copy of a folder with all that lies in it, brought here once as well.

    Raises:
        DataError: as `fetch`.
    """
    if (kept := f"{address}/") not in _copies():
        _copies()[kept] = (_fetched_folder(address, field),)
    return _copies()[kept][0]


def lasting_name(path: Path) -> str:
    """What a file is called in every process: its place, of a copy the part that its address gives."""
    if not _copies() or not path.is_relative_to(below := Path(_folder().name)):
        return str(path.absolute())
    return str(Path(*path.relative_to(below).parts[1:]))


def _fetched(address: str, field: ConfigPath) -> tuple[Path, ...]:
    system, place = _opened(address, field)
    web = urlsplit(address).scheme in _WEB  # where `?` begins a query
    try:
        places = sorted(system.glob(place)) if not web and _WILDCARDS & set(place) else [place]
        if not places:
            raise DataError(
                Problem("file-not-found", f"no file matches {address}", "check the folder and the pattern", field)
            )
        copies = []
        for each in places:
            copy = Path(tempfile.mkdtemp(dir=_folder().name)) / _name(each, web=web)
            system.get_file(each, str(copy))
            copies.append(copy)
    except DataError:
        raise
    except Exception as error:  # every kind of storage has errors of its own
        raise _unread(address, field, error) from error
    return tuple(copies)


def _fetched_folder(address: str, field: ConfigPath) -> Path:
    system, place = _opened(address, field)
    copy = Path(tempfile.mkdtemp(dir=_folder().name)) / _name(place.rstrip("/"), web=False)
    try:
        system.get(place, str(copy), recursive=True)
    except Exception as error:  # as above
        raise _unread(address, field, error) from error
    if not copy.is_dir():
        message = f"{address} is no folder with files in it"
        raise DataError(Problem("file-not-found", message, "check the address", field))
    return copy


@cache
def _copies() -> dict[str, tuple[Path, ...]]:
    """By address, that of a folder with a slash at its end."""
    return {}


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Where copies lie until the process ends: it is deleted with its last reference, which the cache holds."""
    return tempfile.TemporaryDirectory(prefix="dlcli-")


def _opened(address: str, field: ConfigPath) -> tuple[Any, str]:
    """The storage that an address names, and the place in it."""
    try:
        from fsspec.core import url_to_fs

        system, place = url_to_fs(address)
    except ImportError as error:
        message = f"{address} cannot be read: a package for such addresses is not installed ({error})"
        raise DataError(Problem("not-installed", message, INSTALL, field)) from error
    except ValueError as error:
        message = f"{address} cannot be read: {error}"
        raise DataError(Problem("file-not-found", message, "s3://, gs:// and https:// are known", field)) from error
    except Exception as error:  # credentials are looked for here by some
        raise _unread(address, field, error) from error
    return system, str(place)


def _name(place: str, *, web: bool) -> str:
    return PurePosixPath(urlsplit(place).path if web else place).name or "data"


def _unread(address: str, field: ConfigPath, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(Problem("file-not-found", f"file not found: {address}", "check the address", field))
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    message = f"cannot read {address}: {reason}"
    suggestion = "check the address, the network, and your credentials for that storage"
    return DataError(Problem("cannot-read", message, suggestion, field))
