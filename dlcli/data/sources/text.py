"""The `text` source: text files in one folder per class."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from dlcli.data.sources.files import expand, folder, source_for
from dlcli.part import FilePath, Source
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Coded, Found, Samples, Subset

_FIELD: ConfigPath = ("data", "source", "text")
_TEXT = "text"
_LABEL = "label"
_SUFFIX = ".txt"
_SHOWN = 5
_SUBSETS: Mapping[str, Subset] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
"""Folders above those of the classes, and the subsets that they hold."""


def _known_encoding(text: str) -> str:
    try:
        codecs.lookup(text)
    except (LookupError, ValueError):
        message = "must be an encoding that Python knows, such as utf-8, latin-1 or utf-16"
        raise ValueError(message) from None
    return text


class _File(NamedTuple):
    """A file, the class that its folder names (None: none), and the subset above that (None: none)."""

    path: Path
    label: str | None = None
    subset: Subset | None = None


class Text(Source):
    """Text files: one folder per class, whose name is the `label`; each .txt file in it is a row.

    With `train/` and `validation/` or `test/` above the folders of the classes, the subsets are those. Rows come
    in the order of the paths. The column `text` holds each file whole; a file that is empty or blank is missing.
    Hidden files are passed over; files of other endings, and texts beside the folders, are left out and said.
    """

    part_name = "text"
    main_field = "path"
    example = "text: {path: reviews, encoding: latin-1}"

    path: Annotated[FilePath, Field(description="Folder with a folder per class.")]
    encoding: Annotated[
        str, AfterValidator(_known_encoding), Field(description="Encoding of the files; a byte-order mark is dropped.")
    ] = "utf-8"

    def read(self) -> Found:
        """Reads every file.

        Raises:
            DataError: the folder is absent or holds no classes, or a file is no text in that encoding.
        """
        root = folder(self.path, (*_FIELD, "path"))
        left: Counter[str] = Counter()
        files = list(_by_class(root, left))
        if not files:
            raise DataError(_no_texts(root, left))
        return self._of_files(files, _notes(left))

    def other_file(self, path: str) -> Source:
        """Texts in a folder (with classes or without), a .txt file, a glob of them, or a table with a column `text`."""
        if Path(path).is_dir() or Path(path).suffix.lower() == _SUFFIX:
            return NewTexts(path=path, encoding=self.encoding)
        return source_for(path)

    def _of_files(self, files: Sequence[_File], notes: tuple[str, ...]) -> Found:
        """Rows of files; a column `label` where every one has a class."""
        import numpy as np

        columns = {_TEXT: Coded.of([self._content(file.path) for file in files])}
        labels = [file.label for file in files]
        if None not in labels:
            columns[_LABEL] = Coded.of(labels)
        rows: dict[Subset, list[int]] = {}
        for number, file in enumerate(files):
            if file.subset is not None:
                rows.setdefault(file.subset, []).append(number)
        return Found(
            Samples.of(columns),
            subsets={subset: np.array(numbers) for subset, numbers in rows.items()} if len(rows) > 1 else None,
            target=(_LABEL,) if _LABEL in columns else (),
            inputs=(_TEXT,),
            notes=notes,
            files=(Path(self.path),),
        )

    def _content(self, path: Path) -> str | None:
        try:
            text = path.read_bytes().decode(self.encoding).removeprefix("\ufeff")
        except OSError as error:
            message = f"cannot read {path}: {error.strerror}"
            raise DataError(Problem("cannot-read", message, "check its permissions", (*_FIELD, "path"))) from error
        except UnicodeError as error:
            suggestion = "write `encoding: latin-1` (or what the files are in), or save the file as UTF-8"
            message = f"{path} is not {self.encoding} text"
            raise DataError(Problem("wrong-encoding", message, suggestion, (*_FIELD, "encoding"))) from error
        return text if text.strip() else None


class NewTexts(Text):
    """Texts to predict: a folder, a file or a glob. Classes may be absent."""

    def read(self) -> Found:
        """Reads every file; `label` is there where each lies in the folder of a class.

        Raises:
            DataError: there is no such folder or file, or no text in it.
        """
        root, left = Path(self.path), Counter[str]()
        if not root.is_dir():
            return self._of_files([_File(path) for path in expand((self.path,), (*_FIELD, "path"))], ())
        if any(_is_text(entry) for entry in root.iterdir()):
            files = [_File(path) for path in _below(root, left)]
        else:
            files = list(_by_class(root, left))
        if not files:
            raise DataError(_no_texts(root, left))
        return self._of_files(files, _notes(left))


def _by_class(root: Path, left: Counter[str]) -> Iterator[_File]:
    """The files of one folder per class, at any depth in it, or of `train/`, `validation/`, `test/` with such folders.

    Counts what is left out.
    """
    folders = _folders(root)
    places: dict[Path, Subset | None] = {root: None}
    if any(_SUBSETS.get(each.name) == "train" and _folders(each) for each in folders):
        if others := [each.name for each in folders if each.name not in _SUBSETS]:
            message = f"{root} holds folders of subsets and, beside them, {', '.join(others[:_SHOWN])}"
            suggestion = "keep train, validation and test alone in it, with a folder per class in each"
            raise DataError(Problem("unknown-subset", message, suggestion, (*_FIELD, "path")))
        places = {each: _SUBSETS[each.name] for each in sorted(folders, key=_subset_order)}
    for place, subset in places.items():
        for each in _folders(place):
            paths = list(_below(each, left))
            left[f"folders without a text: {each.relative_to(root)}"] += not paths
            yield from (_File(path, each.name, subset) for path in paths)
        beside = sum(_is_text(entry) for entry in place.iterdir())
        left[f"texts that lie in {place.name}/ beside the folders of the classes"] += beside


def _subset_order(place: Path) -> int:
    return ("train", "validation", "test").index(_SUBSETS[place.name])


def _folders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and not _is_hidden(entry.name))


def _below(root: Path, left: Counter[str]) -> Iterator[Path]:
    """The texts below a folder, sorted; counts the other files."""
    for place, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(files):
            path = Path(place, name)
            if _is_text(path):
                yield path
            elif not _is_hidden(name):
                left[f"files that do not end in {_SUFFIX}"] += 1


def _is_text(path: Path) -> bool:
    return path.suffix.lower() == _SUFFIX and not _is_hidden(path.name) and not path.is_dir()


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _notes(left: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(f"left out: {count:,} {what}" for what, count in sorted(left.items()) if count)


def _no_texts(root: Path, left: Mapping[str, int]) -> Problem:
    field: ConfigPath = (*_FIELD, "path")
    if any(count and what.startswith("texts") for what, count in left.items()):
        message = f"{root} holds texts, but no folder per class with texts in it"
        suggestion = "put the texts of each class into a folder that is called like the class"
        return Problem("no-classes", message, suggestion, field)
    return Problem("no-rows", f"{root} holds no {_SUFFIX} files", "is it the right folder?", field)
