"""Images that a file or a table names by their paths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlcli.problems import ConfigPath, DataError, Problem

_MISSING_SHOWN = 5


def listed(path: Path, field: ConfigPath) -> tuple[Path, ...]:
    """The images that a text file names, one path a line, relative to its folder.

    Raises:
        DataError: it names none, or cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read {path}: {error}"
        raise DataError(
            Problem("cannot-read", message, "write one path of an image a line, in UTF-8", field)
        ) from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise DataError(Problem("no-rows", f"{path} names no images", "write one path of an image a line", field))
    return located(names, path.parent, field)


def located(names: Sequence[str], root: Path, field: ConfigPath) -> tuple[Path, ...]:
    """Paths of images, relative ones from `root`.

    Raises:
        DataError: files that are not there, all counted in one problem.
    """
    paths = tuple(root / name for name in names)
    if absent := [path for path in paths if not path.is_file()]:
        shown = ", ".join(str(path) for path in absent[:_MISSING_SHOWN])
        more = ", ..." if len(absent) > _MISSING_SHOWN else ""
        message = f"{len(absent):,} of {len(paths):,} images are not there: {shown}{more}"
        suggestion = f"relative paths are looked for in {root}; `path` names another folder"
        raise DataError(Problem("file-not-found", message, suggestion, field))
    return paths
