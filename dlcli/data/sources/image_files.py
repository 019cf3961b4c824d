"""Which image files there are, and what their places say: folders per class, subsets above them, lists of paths."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlcli.data.sources.decoding import SUFFIXES
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Subset

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
_MISSING_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image, the class that its folder names (None: none), and the subset above that (None: none)."""

    path: Path
    label: str | None
    subset: Subset | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The images of a folder, sorted by place, and what was left out."""

    images: tuple[ImageFile, ...]
    notes: tuple[str, ...] = ()


def by_class(root: Path, field: ConfigPath) -> Listing:
    """The images of one folder per class, at any depth in it, or of `train/`, `validation/`, `test/` with such folders.

    Hidden files are passed over; other files that are no images, and images beside the folders, are left out and said.

    Raises:
        DataError: there are no folders with images, or folders of subsets and others beside each other.
    """
    folders = _folders(root)
    found: dict[Path, Subset | None] = {root: None}
    if any(SUBSET_FOLDERS.get(folder.name) == "train" and _folders(folder) for folder in folders):
        if others := [folder.name for folder in folders if folder.name not in SUBSET_FOLDERS]:
            message = f"{root} holds folders of subsets and, beside them, {', '.join(others[:_MISSING_SHOWN])}"
            suggestion = "keep train, validation and test alone in it, with a folder per class in each"
            raise DataError(Problem("unknown-subset", message, suggestion, field))
        found = {folder: SUBSET_FOLDERS[folder.name] for folder in folders}
    images: list[ImageFile] = []
    left: Counter[str] = Counter()
    empty: list[str] = []
    for place, subset in found.items():
        for folder in _folders(place):
            files = list(_images(folder, left))
            images += [ImageFile(path, folder.name, subset) for path in files]
            empty += [] if files else [str(folder.relative_to(root))]
        loose = [file for file in place.iterdir() if _is_image(file)]
        left[f"images that lie in {place.name}/ beside the folders of the classes"] += len(loose)
    if not images:
        raise DataError(_no_images(root, left, field))
    notes = [f"left out: {count:,} {what}" for what, count in sorted(left.items()) if count]
    notes += [f"no image in {', '.join(empty)}"] if empty else []
    return Listing(tuple(sorted(images, key=_by_subset)), tuple(notes))


def flat(root: Path, field: ConfigPath) -> Listing:
    """All images of a folder, at any depth, without classes.

    Raises:
        DataError: there are none.
    """
    left: Counter[str] = Counter()
    images = tuple(ImageFile(path, None) for path in _images(root, left))
    if not images:
        raise DataError(Problem("no-rows", f"{root} holds no images", "is it the right folder?", field))
    return Listing(images, tuple(f"left out: {count:,} {what}" for what, count in sorted(left.items())))


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


def _by_subset(image: ImageFile) -> int:
    return ("train", "validation", "test").index(image.subset or "train")


def _folders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and not _is_hidden(entry.name))


def _images(root: Path, left: Counter[str]) -> Iterator[Path]:
    """The images below a folder, sorted; counts the other files."""
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(files):
            path = Path(folder, name)
            if _is_image(path):
                yield path
            elif not _is_hidden(name):
                left["files that are no images"] += 1


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not _is_hidden(path.name) and not path.is_dir()


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _no_images(root: Path, left: Counter[str], field: ConfigPath) -> Problem:
    if any(count and what.startswith("images") for what, count in left.items()):
        message = f"{root} holds images, but no folder per class with images in it"
        suggestion = "put the images of each class into a folder that is called like the class, or name a `table`"
        return Problem("no-classes", message, suggestion, field)
    return Problem("no-rows", f"{root} holds no images", "is it the right folder?", field)
