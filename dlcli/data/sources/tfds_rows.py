"""The rows of a data set of TensorFlow Datasets as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dlcli.data.sources import decoding
from dlcli.data.sources.sequence_columns import Sequences
from dlcli.data.sources.text_columns import Texts
from dlcli.events import Listener, Progress, silent
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Coded
from dlcli.storage import Filling, InMemory, Storage

FIELD: ConfigPath = ("data", "source", "tfds")
_BATCH_ROWS = 1024
_ROWS_AHEAD = 16
_IMAGE_AXES = 3
_NUMBERS = tuple("biuf")
"""Kinds of dtype."""
_ROWS_LOOKED_AT = 1000

AnyFilling = Filling | Texts | Sequences


def problem(code: str, message: str, suggestion: str) -> DataError:
    """What is wrong with the named set."""
    return DataError(Problem(code, message, suggestion, (*FIELD, "name")))


def first_line(error: BaseException) -> str:
    """What an error says, in short."""
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def is_text(feature: Any) -> bool:
    """Whether each of its rows is one text."""
    return getattr(feature, "shape", None) == () and _np_kind(getattr(feature, "np_dtype", None)) == "O"


def differ_in_size(feature: Any) -> bool:
    """Whether a feature holds images of bytes whose height and width may be any."""
    shape = getattr(feature, "shape", None)
    if not isinstance(shape, tuple) or len(shape) != _IMAGE_AXES or shape[-1] not in (1, 3, 4):
        return False
    return None in shape[:2] and bool(feature.np_dtype == "uint8")


class Form(NamedTuple):
    """Of an array: the shape of a row, and the dtype."""

    shape: tuple[int, ...]
    dtype: Any


def forms(builder: Any, keys: tuple[str, ...], size: tuple[int, int] | None) -> dict[str, Form]:
    """The shape of a row, and the dtype, of each feature that is an array of one shape; not of texts and sequences.

    Args:
        builder: of the set.
        keys: of features.
        size: height and width for images that differ in size.

    Raises:
        DataError: there are such images and no size; rows of other features differ in shape, or are no numbers.
    """
    import numpy as np

    found = {}
    for key in keys:
        feature = builder.info.features[key]
        if differ_in_size(feature):
            if size is None:
                raise DataError(decoding.mixed_sizes(f"in {key} of {builder.info.full_name}", (*FIELD, "name")))
            found[key] = Form((*size, feature.shape[-1]), np.dtype(np.uint8))
        elif not is_text(feature) and not _is_sequence(feature):
            _require_numbers_of_one_shape(key, feature)
            coded = _class_names(feature)
            found[key] = Form(tuple(feature.shape), np.dtype(np.int32 if coded else feature.np_dtype))
    return found


def fillings(
    builder: Any, keys: tuple[str, ...], arrays: Mapping[str, Form], rows: int, storage: Storage
) -> dict[str, AnyFilling]:
    """For each feature what its rows are appended to, as many as there will be; `arrays`: what `forms` gives."""
    import numpy as np

    found: dict[str, AnyFilling] = {}
    for key in keys:
        feature = builder.info.features[key]
        if key in arrays:
            found[key] = storage.begin((rows, *arrays[key].shape), arrays[key].dtype)
        else:
            found[key] = Texts(storage) if is_text(feature) else Sequences(storage, np.dtype(feature.np_dtype))
    return found


def columns(builder: Any, filled: Mapping[str, AnyFilling]) -> dict[str, Any]:
    """The features as columns, once every row is there: class labels by name."""
    ended: dict[str, Any] = {key: filling.end() for key, filling in filled.items()}
    names = {key: _class_names(builder.info.features[key]) for key in ended}
    return {key: Coded(values, names[key]) if names[key] else values for key, values in ended.items()}


def mean_nbytes(builder: Any, split: str, keys: tuple[str, ...]) -> dict[str, float]:
    """How many bytes texts and sequences have on average, as the first rows of a split tell."""
    whole = split.split("[")[0].split("+")[0]
    rows = min(_ROWS_LOOKED_AT, builder.info.splits[whole].num_examples)
    some = fillings(builder, keys, {}, rows, InMemory())
    read_split(builder, f"{whole}[:{rows}]", {}, some, Told(silent, rows))
    return {key: column.nbytes / rows for key, column in columns(builder, some).items()}


class Told:
    """Counts rows and says how many there are by now."""

    def __init__(self, emit: Listener, total: int) -> None:
        self._emit, self._total, self._done = emit, total, 0

    def __call__(self, rows: int) -> None:
        """So many more have been read."""
        self._done += rows
        if self._done % _BATCH_ROWS == 0 or self._done == self._total:
            self._emit(Progress("rows read", self._done, self._total))


def read_split(
    builder: Any,
    split: str,
    fits: Mapping[str, Callable[[Any], Any]],
    fillings: Mapping[str, AnyFilling],
    told: Told,
) -> None:
    """Appends features of a split, in its stored order, read in batches; `fits` makes rows of one shape.

    Raises:
        DataError: it cannot be read, or has no rows.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features = {key: builder.info.features[key] for key in fillings}
    try:
        # one file at a time: several would be interleaved, and the order would hang on their number
        config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        rows = builder.as_dataset(split=split, shuffle_files=False, read_config=config)
        rows = rows.map(lambda row: {key: row[key] for key in features}, num_parallel_calls=tf.data.AUTOTUNE)
        if fits:
            each = rows.prefetch(_ROWS_AHEAD).as_numpy_iterator()
            batches = ({key: _alone(row[key], features[key], fits.get(key)) for key in features} for row in each)
        else:
            together = rows.ragged_batch if any(map(_is_sequence, features.values())) else rows.batch
            formed = together(_BATCH_ROWS).map(lambda batch: {key: _parts(batch[key]) for key in features})
            batches = formed.prefetch(2).as_numpy_iterator()
        rows_read = 0
        for batch in batches:
            count = _rows_of(next(iter(batch.values())))
            for key, rows_of_one in batch.items():
                _append(fillings[key], rows_of_one)
            rows_read += count
            told(count)
    except (tf.errors.OpError, ValueError, AssertionError) as error:
        message = f"split {split} of {builder.info.full_name} cannot be read: {first_line(error)}"
        raise problem("damaged-file", message, f"prepare it again (it lies in {builder.data_dir})") from error
    if not rows_read:
        raise problem("no-rows", f"split {split} of {builder.info.full_name} has no rows", "name another split")
    if rows_read != (promised := builder.info.splits[split].num_examples):
        message = f"split {split} of {builder.info.full_name} has {rows_read:,} rows, but should have {promised:,}"
        raise problem("damaged-file", message, f"prepare it again (it lies in {builder.data_dir})")


def _rows_of(batch: Any) -> int:
    """How many rows a batch of one feature has."""
    return len(batch[1]) if isinstance(batch, tuple) else len(batch)


def _is_sequence(feature: Any) -> bool:
    """Whether its rows are whole numbers, any number of them."""
    shape, dtype = getattr(feature, "shape", None), getattr(feature, "np_dtype", None)
    return shape == (None,) and _np_kind(dtype) in ("i", "u")


def _np_kind(dtype: Any) -> str:
    import numpy as np

    try:
        return str(np.dtype(dtype).kind)
    except TypeError:  # text has a dtype of its own
        return ""


def _class_names(feature: Any) -> tuple[str, ...]:
    """What the classes of a label are called; none for any other feature."""
    names = getattr(feature, "names", None) if feature.shape == () else None
    return tuple(map(str, names or ()))


def _alone(value: Any, feature: Any, fit: Callable[[Any], Any] | None) -> Any:
    """One row as a batch, as `_parts` makes it."""
    import numpy as np

    if isinstance(value, bytes):
        return np.array([value], dtype=object)
    array = np.asarray(value if fit is None else fit(value))
    return (array, np.array([len(array)])) if _is_sequence(feature) else array[None]


def _parts(batch: Any) -> Any:
    """A batch of sequences as their values and how many each row has; any other as it is."""
    return (batch.values, batch.row_lengths()) if hasattr(batch, "row_lengths") else batch


def _append(filling: AnyFilling, batch: Any) -> None:
    """Puts a batch of one feature in place."""
    if isinstance(filling, Sequences):
        values, sizes = batch
        filling.append_values(values)
        filling.append_sizes(sizes)
    elif isinstance(filling, Texts):
        filling.append(Coded.of([text.decode("utf-8", "replace") for text in batch]))
    else:
        filling.append(batch)


def _require_numbers_of_one_shape(key: str, feature: Any) -> None:
    shape = getattr(feature, "shape", None)
    if not isinstance(shape, tuple) or None in shape:
        message = f"rows of {key} differ in shape ({shape}), as only images and whole numbers may"
        raise problem("wrong-shape", message, "name other `inputs`, or another set")
    if _np_kind(feature.np_dtype) not in _NUMBERS:
        message = f"{key} holds {feature.dtype} values with shape {shape}: neither numbers nor one text per row"
        raise problem("unknown-values", message, "name other `inputs`, or another set")
