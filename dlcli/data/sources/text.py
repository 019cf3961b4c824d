"""The `text` source: text files in one folder per class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from dlcli.data.sources import class_folders
from dlcli.data.sources.class_folders import ClassFile, FileKind
from dlcli.data.sources.files import Encoding, expand, folder, source_for
from dlcli.data.sources.text_columns import Texts
from dlcli.events import Listener, Progress, silent
from dlcli.part import FilePath, Source
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Coded, Extent, Found, Samples
from dlcli.storage import InMemory, Storage

_FIELD: ConfigPath = ("data", "source", "text")
_TEXT = "text"
_LABEL = "label"
_KIND = FileKind("text", (".txt",))
_SIGNS_AT_ONCE = 2**22


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
    encoding: Annotated[Encoding, Field(description="Encoding of the files; a byte-order mark is dropped.")] = "utf-8"

    def read(self) -> Found:
        """Reads every file.

        Raises:
            DataError: the folder is absent or holds no classes, or a file is no text in that encoding.
        """
        return self.read_into(InMemory(), silent)

    def read_into(self, storage: Storage, emit: Listener) -> Found:
        """As `read`; many long texts go to `storage`."""
        root = folder(self.path, (*_FIELD, "path"))
        listing = class_folders.by_class(root, _KIND, (*_FIELD, "path"))
        return self._of_files(listing.files, listing.notes, storage, emit)

    def extent(self) -> Extent:
        """As long as the files."""
        root = folder(self.path, (*_FIELD, "path"))
        paths = tuple(file.path for file in class_folders.by_class(root, _KIND, (*_FIELD, "path")).files)
        nbytes = sum(path.stat().st_size for path in paths)
        return Extent(paths, nbytes, meanwhile_bytes=nbytes)

    def other_file(self, path: str) -> Source:
        """Texts in a folder (with classes or without), a .txt file, a glob of them, or a table with a column `text`."""
        if Path(path).is_dir() or Path(path).suffix.lower() in _KIND.suffixes:
            return NewTexts(path=path, encoding=self.encoding)
        return source_for(path)

    def _of_files(self, files: Sequence[ClassFile], notes: tuple[str, ...], storage: Storage, emit: Listener) -> Found:
        """Rows of files; a column `label` where every one has a class."""
        texts = Texts(storage)
        some: list[str | None] = []
        signs = 0
        for number, file in enumerate(files, 1):
            some.append(self._content(file.path))
            signs += len(some[-1] or "")
            if signs > _SIGNS_AT_ONCE or number == len(files):
                texts.append(Coded.of(some))
                emit(Progress("texts read", number, len(files)))
                some, signs = [], 0
        columns = {_TEXT: texts.end()}
        if (labels := class_folders.labels(files)) is not None:
            columns[_LABEL] = labels
        return Found(
            Samples.of(columns),
            subsets=class_folders.subsets(files),
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

    def read_into(self, storage: Storage, emit: Listener) -> Found:
        """Reads every file; `label` is there where each lies in the folder of a class.

        Raises:
            DataError: there is no such folder or file, or no text in it.
        """
        root = Path(self.path)
        if not root.is_dir():
            files = [ClassFile(path) for path in expand((self.path,), (*_FIELD, "path"))]
            return self._of_files(files, (), storage, emit)
        listing = class_folders.of_new_rows(root, _KIND, (*_FIELD, "path"))
        return self._of_files(listing.files, listing.notes, storage, emit)
