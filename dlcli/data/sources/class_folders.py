"""Files in one folder per class, with or without folders of subsets above: images and texts alike."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Coded, Subset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUBSET_FOLDERS: Mapping[str, Subset] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
"""Folders above those of the classes, and the subsets that they hold."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class FileKind:
    """Which files count: `noun` is what one is called ("image"), `suffixes` its endings, in small letters."""

    noun: str
    suffixes: Collection[str]

    def fits(self, path: Path) -> bool:
        """Whether a path is such a file."""
        return path.suffix.lower() in self.suffixes and not _is_hidden(path.name) and not path.is_dir()


@dataclass(frozen=True, slots=True)
class ClassFile:
    """A file, the class that its folder names (None: none), and the subset above that (None: none)."""

    path: Path
    label: str | None = None
    subset: Subset | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a folder, those of training first, and what was left out."""

    files: tuple[ClassFile, ...]
    notes: tuple[str, ...] = ()


def by_class(root: Path, kind: FileKind, field: ConfigPath) -> Listing:
    """The files of one folder per class, at any depth in it, or of `train/`, `validation/`, `test/` with such folders.

    Hidden files are passed over; other files, and those beside the folders, are left out and said.

    Raises:
        DataError: there are no folders with such files, or folders of subsets and others beside each other.
    """
    folders = _folders(root)
    places: dict[Path, Subset | None] = {root: None}
    if any(SUBSET_FOLDERS.get(folder.name) == "train" and _folders(folder) for folder in folders):
        if others := [folder.name for folder in folders if folder.name not in SUBSET_FOLDERS]:
            message = f"{root} holds folders of subsets and, beside them, {', '.join(others[:_SHOWN])}"
            suggestion = "keep train, validation and test alone in it, with a folder per class in each"
            raise DataError(Problem("unknown-subset", message, suggestion, field))
        places = {folder: SUBSET_FOLDERS[folder.name] for folder in folders}
    files: list[ClassFile] = []
    left: Counter[str] = Counter()
    empty: list[str] = []
    beside = 0
    for place, subset in places.items():
        for folder in _folders(place):
            paths = list(_below(folder, kind, left))
            files += [ClassFile(path, folder.name, subset) for path in paths]
            empty += [] if paths else [str(folder.relative_to(root))]
        loose = sum(kind.fits(entry) for entry in place.iterdir())
        left[f"{kind.noun}s that lie in {place.name}/ beside the folders of the classes"] += loose
        beside += loose
    if not files and beside:
        message = f"{root} holds {kind.noun}s, but no folder per class with {kind.noun}s in it"
        suggestion = f"put the {kind.noun}s of each class into a folder that is called like the class"
        raise DataError(Problem("no-classes", message, suggestion, field))
    if not files:
        raise DataError(_nothing(root, kind, field))
    notes = _notes(left) + ((f"no {kind.noun} in {', '.join(empty)}",) if empty else ())
    return Listing(tuple(sorted(files, key=_by_subset)), notes)


def of_new_rows(root: Path, kind: FileKind, field: ConfigPath) -> Listing:
    """The files of a folder, whose classes may be absent: then every file at any depth.

    Raises:
        DataError: there are none.
    """
    if not any(kind.fits(entry) for entry in root.iterdir()):
        return by_class(root, kind, field)
    left: Counter[str] = Counter()
    return Listing(tuple(ClassFile(path) for path in _below(root, kind, left)), _notes(left))


def labels(files: Sequence[ClassFile]) -> Coded | None:
    """The class of each file; None where one has none."""
    names = [file.label for file in files]
    return None if None in names else Coded.of(names)


def subsets(files: Sequence[ClassFile]) -> dict[Subset, NDArray[np.int64]] | None:
    """The numbers of the files of each subset; None where their places name no two."""
    import numpy as np

    rows: dict[Subset, list[int]] = {}
    for number, file in enumerate(files):
        if file.subset is not None:
            rows.setdefault(file.subset, []).append(number)
    return {subset: np.array(numbers) for subset, numbers in rows.items()} if len(rows) > 1 else None


def _by_subset(file: ClassFile) -> int:
    return ("train", "validation", "test").index(file.subset or "train")


def _folders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and not _is_hidden(entry.name))


def _below(root: Path, kind: FileKind, left: Counter[str]) -> Iterator[Path]:
    """The files below a folder, sorted; counts the other ones."""
    for place, folders, names in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(names):
            path = Path(place, name)
            if kind.fits(path):
                yield path
            elif not _is_hidden(name):
                left[f"files that are no {kind.noun}s"] += 1


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _notes(left: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(f"left out: {count:,} {what}" for what, count in sorted(left.items()) if count)


def _nothing(root: Path, kind: FileKind, field: ConfigPath) -> Problem:
    suggestion = f"is it the right folder? Files end in {', '.join(sorted(kind.suffixes))}"
    return Problem("no-rows", f"{root} holds no {kind.noun}s", suggestion, field)
