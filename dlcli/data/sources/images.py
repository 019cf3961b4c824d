"""The `images` source: image files in one folder per class, or named by a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from dlcli.data.sources import class_folders, remote
from dlcli.data.sources.files import expand, folder, source_for
from dlcli.events import Listener, silent
from dlcli.part import FilePath, Source, Written
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import MISSING, Coded, Extent, Found, Samples
from dlcli.storage import InMemory, Storage

if TYPE_CHECKING:
    from dlcli.data.sources import decoding
    from dlcli.data.sources.class_folders import ClassFile

_FIELD: ConfigPath = ("data", "source", "images")
_IMAGE = "image"
_LABEL = "label"
_ROWS_SHOWN = 5
_Pixels = Annotated[int, Field(ge=1)]


class Images(Source):
    """Image files: one folder per class, whose name is the `label`; or a table with a column of their paths.

    With `train/` and `validation/` or `test/` above the folders of the classes, the subsets are those. Every
    file becomes the column `image`, uint8 (height, width, channels): turned upright as its EXIF says, palettes
    as colours, transparent parts laid on white (unless `channels` is 4), 16 bits as 8, of an animation the first
    picture. Without `channels` an image has 1 where every file is grey, else 3. Files that differ in size need
    `size`. Damaged files are a problem that names them.
    """

    part_name = "images"
    main_field = "path"
    example = "images: {path: photos, size: [96, 96], resize: crop}"

    path: Annotated[
        FilePath | None,
        Field(description="Folder with a folder per class; beside a `table`: the folder that its paths start from."),
    ] = None
    table: Annotated[
        FilePath | None, Field(description="Table (csv, parquet) with a row per image; its other columns come along.")
    ] = None
    column: Annotated[Written | None, Field(description="Column of the table that holds the paths.")] = None
    size: Annotated[
        tuple[_Pixels, _Pixels] | None,
        Field(description="Height and width that every image is brought to; by default that of the files."),
    ] = None
    channels: Annotated[
        Literal[1, 3, 4] | None,
        Field(description="1: grey, 3: colour, 4: colour and opacity; by default 1 where every file is grey, else 3."),
    ] = None
    resize: Annotated[
        Literal["stretch", "pad", "crop"],
        Field(description="How an image of other proportions comes to `size`: stretched, on black, or cut."),
    ] = "stretch"

    @model_validator(mode="after")
    def _says_where(self) -> Images:
        if self.path is None and self.table is None:
            message = "needs `path`, a folder with a folder per class, or `table` and `column`"
            raise ValueError(message)
        if (self.table is None) != (self.column is None):
            message = "needs both `table` and `column`, or neither"
            raise ValueError(message)
        return self

    def read(self) -> Found:
        """Decodes every image.

        Raises:
            DataError: files are absent or damaged, or differ in size while `size` is not written.
        """
        return self.read_into(InMemory(), silent)

    def read_into(self, storage: Storage, emit: Listener) -> Found:
        """As `read`; the pixels go to `storage`."""
        if self.table is not None:
            return self._of_table(self.table, storage, emit)
        listing = self._listing()
        return self._of_files(listing.files, listing.notes, storage, emit)

    def extent(self) -> Extent | None:
        """A byte for each channel of each pixel."""
        from dlcli.data.sources import decoding, image_paths

        if self.table is None:
            files = [image.path for image in self._listing().files]
        else:
            read = source_for(self.table).read()
            paths = self._paths(read.samples, self.table)
            files = list(image_paths.located(paths.vocabulary, self._root(read), (*_FIELD, "column")))
        nbytes = decoding.nbytes(files, decoding.Form(self.size, self.channels, self.resize))
        tables = () if self.table is None else read.files
        return None if nbytes is None else Extent((*tables, *files), nbytes)

    def other_file(self, path: str) -> Source:
        """Images in a folder (with classes or without), one image, a list of paths (.txt), a glob, or a table of paths.

        An .npz file is read as arrays.
        """
        if Path(path).suffix == ".npz":
            return source_for(path)
        tables = (".csv", ".tsv", ".parquet", ".gz", ".xz")
        if self.table is not None and Path(path).suffix in tables:
            return self.model_copy(update={"table": path})
        return NewImages(path=path, size=self.size, channels=self.channels, resize=self.resize)

    def _listing(self) -> class_folders.Listing:
        assert self.path is not None
        return class_folders.by_class(folder(self.path, (*_FIELD, "path")), _kind(), (*_FIELD, "path"))

    def _root(self, table: Found) -> Path:
        """The folder that paths in a table are relative to."""
        return Path(folder(self.path, (*_FIELD, "path"))) if self.path is not None else table.files[0].parent

    def _of_files(self, images: Sequence[ClassFile], notes: tuple[str, ...], storage: Storage, emit: Listener) -> Found:
        """Rows of image files; a column `label` where every one has a class."""
        not_test = sum(image.subset != "test" for image in images)  # which stand first
        found = self._decoded([image.path for image in images], (*_FIELD, "path"), storage, emit, not_test)
        columns: dict[str, Any] = {_IMAGE: found.pixels}
        if (labels := class_folders.labels(images)) is not None:
            columns[_LABEL] = labels
        assert self.path is not None
        return Found(
            Samples.of(columns),
            subsets=class_folders.subsets(images),
            target=(_LABEL,) if _LABEL in columns else (),
            inputs=(_IMAGE,),
            notes=(*notes, *found.notes),
            files=() if remote.is_remote(self.path) else (Path(self.path),),
            settings=self._settings(found.pixels),
            row_names=tuple(str(image.path) for image in images),
        )

    def _of_table(self, table: str, storage: Storage, emit: Listener) -> Found:
        """Rows of a table, each with the image that it names."""
        from dlcli.data.sources import image_paths

        assert self.column is not None
        read = source_for(table, strip=True).read()
        paths = self._paths(read.samples, table)
        files = image_paths.located(paths.vocabulary, self._root(read), (*_FIELD, "column"))
        if len(files) == len(paths):
            found = self._decoded([files[code] for code in paths.codes], (*_FIELD, "column"), storage, emit)
            pixels = found.pixels
        else:  # a file that several rows name is decoded once
            found = self._decoded(files, (*_FIELD, "column"), InMemory(), emit)
            pixels = storage.keep(found.pixels[paths.codes])
        others = {name: column for name, column in read.samples.items() if name != self.column}
        return Found(
            Samples.of({_IMAGE: pixels, **others}),
            target=(_LABEL,) if _LABEL in others else (),
            inputs=(_IMAGE,),
            notes=(*read.notes, *found.notes),
            files=read.files,
            settings=self._settings(found.pixels),
            row_names=tuple(str(files[code]) for code in paths.codes),
        )

    def _paths(self, samples: Samples, table: str) -> Coded:
        """The column of paths, with nothing but those that occur in its vocabulary.

        Raises:
            DataError: it is not there, holds no text, or has gaps.
        """
        import numpy as np

        paths = samples.columns.get(self.column or "")
        if not isinstance(paths, Coded):
            what = "no column" if paths is None else "no text in the column"
            message = f"{table} has {what} {self.column}"
            suggestion = f"its columns: {', '.join(samples)}"
            raise DataError(Problem("missing-column", message, suggestion, (*_FIELD, "column")))
        if self.column != _IMAGE and _IMAGE in samples:
            message = f"{table} has a column {_IMAGE}, which is what the images of {self.column} are to be called"
            raise DataError(Problem("duplicate-column", message, "rename it", (*_FIELD, "table")))
        gaps = np.flatnonzero(paths.codes == MISSING)
        if len(gaps):
            shown = ", ".join(str(row + 1) for row in gaps[:_ROWS_SHOWN])
            message = f"{len(gaps):,} rows of {table} name no image: row {shown}" + ", ..." * (len(gaps) > _ROWS_SHOWN)
            raise DataError(Problem("missing-value", message, "fill those rows, or remove them", (*_FIELD, "column")))
        used, codes = np.unique(paths.codes, return_inverse=True)
        return Coded(codes.reshape(-1).astype(np.int32), tuple(paths.vocabulary[code] for code in used))

    def _decoded(
        self,
        files: Sequence[Path],
        field: ConfigPath,
        storage: Storage,
        emit: Listener,
        deciding: int | None = None,
    ) -> decoding.Decoded:
        from dlcli.data.sources import decoding

        form = decoding.Form(self.size, self.channels, self.resize)
        return decoding.decode(files, form, field, storage, emit, deciding)

    @staticmethod
    def _settings(pixels: Any) -> dict[str, Any]:
        """What the files decided, to be read alike for ever."""
        return {"size": tuple(pixels.shape[1:3]), "channels": pixels.shape[3]}


class NewImages(Images):
    """Images to predict: a folder, an image, a list of paths or a glob. Classes may be absent."""

    def read_into(self, storage: Storage, emit: Listener) -> Found:
        """Decodes every image; `label` is there where each lies in the folder of a class."""
        from dlcli.data.sources import image_paths

        assert self.path is not None
        place, field = Path(self.path), (*_FIELD, "path")
        if not place.is_dir():
            paths = expand((self.path,), field)
            lists = [path.suffix.lower() == ".txt" for path in paths]
            files = [
                file
                for path, is_list in zip(paths, lists, strict=True)
                for file in (image_paths.listed(path, field) if is_list else (path,))
            ]
            return self._of_files([class_folders.ClassFile(file) for file in files], (), storage, emit)
        listing = class_folders.of_new_rows(place, _kind(), field)
        return self._of_files(listing.files, listing.notes, storage, emit)


def _kind() -> class_folders.FileKind:
    from dlcli.data.sources.decoding import SUFFIXES

    return class_folders.FileKind("image", SUFFIXES)
