"""Rows that a trained model has not seen, read with the run's schema: nothing is inferred again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dlcli.data.kinds import convert
from dlcli.data.layout import SHAPED, Channels, lay_out
from dlcli.data.sources.images import Images, NewImages
from dlcli.data.sources.npz import Npz
from dlcli.data.sources.text import NewTexts, Text
from dlcli.part import Source
from dlcli.problems import DataError, Problem
from dlcli.samples import Found, Samples, Schema


@dataclass(frozen=True, slots=True, eq=False)
class NewRows:
    """Rows to predict, or to score a model on.

    Attributes:
        samples: the schema's columns, typed.
        found: the file as it stands, target included if it has one.
        misfits: by column, how many cells do not fit its kind and count as missing.
    """

    samples: Samples
    found: Found
    misfits: dict[str, int]


def read_new_rows(
    source: Source,
    path: Path,
    schema: Schema,
    *,
    inputs: tuple[str, ...] = (),
    shape: tuple[int, ...] | None = None,
    channels: Channels = "last",
    arrays: tuple[str, ...] = (),
) -> NewRows:
    """Reads a file as the run's source was read.

    The target may be absent; columns that the schema does not name are ignored. The only array of an
    .npz file serves as the only input, whatever its name. Where the only input is an image of bytes, or a text,
    the rows may be image files, or a folder of text files, wherever those of the run came from.

    Args:
        source: the run's source.
        path: the file, or a folder.
        schema: the run's schema.
        inputs: the input columns before `data.shape` joined them, if it did.
        shape: `data.shape` of the run.
        channels: `data.channels` of the run.
        arrays: which of an .npz file to read, where it has them all; by default those of the schema.

    Raises:
        DataError: the file cannot be read, or lacks a column.
    """
    files = _one_file_each(source, path.absolute(), schema)
    reader = files or source.other_file(str(path.absolute()))
    found = (reader.only(arrays or tuple(schema.columns)) if isinstance(reader, Npz) else reader).read()
    samples = found.samples
    if len(schema.columns) == 1 and (files or path.suffix == ".npz"):
        given = found.inputs or tuple(samples)
        if len(given) == 1:
            samples = Samples({next(iter(schema.columns)): samples[given[0]]}, samples.rows)
    if files is None and (shape is not None or channels == "first"):
        before = inputs if SHAPED in schema.columns and SHAPED not in samples else tuple(schema.columns)
        if absent := [name for name in before if name not in samples]:
            message = f"column missing: {', '.join(absent)}"
            raise DataError(Problem("missing-column", message, f"columns that are there: {', '.join(samples)}"))
        samples, _ = lay_out(samples.select(before), before, shape, channels)
    typed, misfits = convert(samples, schema)
    return NewRows(typed, found, misfits)


def _one_file_each(source: Source, path: Path, schema: Schema) -> Source | None:
    """What reads rows that are a file each, where those of the run stood in an array or a table; else None."""
    from dlcli.data.sources.decoding import SUFFIXES

    (column, *others), is_folder = schema.columns.values(), path.is_dir()
    if others or isinstance(source, (Images, Text)):
        return None
    if column.kind == "text" and is_folder:
        return NewTexts(path=str(path))
    is_picture = column.kind == "image" and column.dtype == "uint8" and column.shape[2:] in ((1,), (3,), (4,))
    if is_picture and (is_folder or path.suffix.lower() in SUFFIXES):
        return NewImages.model_validate({"path": str(path), "size": column.shape[:2], "channels": column.shape[2]})
    return None
