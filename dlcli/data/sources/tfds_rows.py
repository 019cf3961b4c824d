"""The rows of a data set of TensorFlow Datasets as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from dlcli.data.sources import decoding
from dlcli.data.sources.text_columns import Texts
from dlcli.events import Listener, Progress
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Coded, Ragged
from dlcli.storage import Filling, Storage

FIELD: ConfigPath = ("data", "source", "tfds")
_BATCH_ROWS = 1024
_ROWS_AHEAD = 16
_IMAGE_AXES = 3


def problem(code: str, message: str, suggestion: str) -> DataError:
    """What is wrong with the named set."""
    return DataError(Problem(code, message, suggestion, (*FIELD, "name")))


def first_line(error: BaseException) -> str:
    """What an error says, in short."""
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


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


def forms(builder: Any, keys: tuple[str, ...], size: tuple[int, int] | None) -> Iterator[tuple[str, Form]]:
    """The shape of a row, and the dtype, of each feature that is an array of one shape.

    Args:
        builder: of the set.
        keys: of features.
        size: height and width for images that differ in size.

    Raises:
        DataError: there are such images and no size, or rows of other features differ in shape.
    """
    import numpy as np

    for key in keys:
        feature = builder.info.features[key]
        if differ_in_size(feature):
            if size is None:
                raise DataError(decoding.mixed_sizes(f"in {key} of {builder.info.full_name}", (*FIELD, "name")))
            yield key, Form((*size, feature.shape[-1]), np.dtype(np.uint8))
        elif getattr(feature, "shape", ()) and not _is_sequence(feature):
            _require_one_shape(key, feature)
            if _np_kind(feature.np_dtype) in "biuf":
                yield key, Form(tuple(feature.shape), np.dtype(feature.np_dtype))


def text_keys(builder: Any, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some features of which each row is one text."""
    features = {key: builder.info.features[key] for key in keys}
    return tuple(
        key
        for key, feature in features.items()
        if getattr(feature, "shape", None) == () and _np_kind(getattr(feature, "np_dtype", None)) == "O"
    )


class TextFilling:
    """A column of UTF-8 texts, filled a batch of rows at a time."""

    def __init__(self, storage: Storage) -> None:
        self._texts = Texts(storage)

    def append(self, rows: Any) -> None:
        """The next rows, each bytes."""
        self._texts.append(Coded.of([cell.decode("utf-8", "replace") for cell in rows]))

    def end(self) -> Coded:
        """The column, once every row is there."""
        return self._texts.end()


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
    keys: tuple[str, ...],
    fits: Mapping[str, Callable[[Any], Any]],
    fillings: Mapping[str, Filling | TextFilling],
    told: Told,
) -> dict[str, Any]:
    """The named features of a split, in its stored order, read in batches; `fits` makes rows of one shape.

    Those that `fillings` has are appended there.

    Raises:
        DataError: a feature's rows differ in shape, or its kind is not known.
    """
    import numpy as np
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features = {key: builder.info.features[key] for key in keys}
    for key, feature in features.items():
        if key not in fits:
            _require_one_shape(key, feature)
    try:
        # one file at a time: several would be interleaved, and the order would hang on their number
        config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        rows = builder.as_dataset(split=split, shuffle_files=False, read_config=config)
        rows = rows.map(lambda row: {key: row[key] for key in keys}, num_parallel_calls=tf.data.AUTOTUNE)
        if fits:
            each = rows.prefetch(_ROWS_AHEAD).as_numpy_iterator()
            batches = ({key: _alone(row[key], features[key], fits.get(key)) for key in keys} for row in each)
        else:
            together = rows.ragged_batch if any(map(_is_sequence, features.values())) else rows.batch
            formed = together(_BATCH_ROWS).map(lambda batch: {key: _parts(batch[key]) for key in keys})
            batches = formed.prefetch(2).as_numpy_iterator()
        rows_read = 0
        parts: dict[str, list[Any]] = {key: [] for key in keys if key not in fillings}
        for batch in batches:
            count = _rows_of(batch[keys[0]])
            for key in keys:
                if key in fillings:
                    fillings[key].append(batch[key])
                else:
                    parts[key].append(batch[key])
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
    return {
        key: _sequences(found) if _is_sequence(features[key]) else column(key, np.concatenate(found), features[key])
        for key, found in parts.items()
    }


def _rows_of(batch: Any) -> int:
    """How many rows a batch of one feature has."""
    return len(batch[1]) - 1 if isinstance(batch, tuple) else len(batch)


def _is_sequence(feature: Any) -> bool:
    """Whether its rows are whole numbers, any number of them."""
    shape, dtype = getattr(feature, "shape", None), getattr(feature, "dtype", None)
    return shape == (None,) and _np_kind(dtype) in "iu"


def _np_kind(dtype: Any) -> str:
    import numpy as np

    try:
        return str(np.dtype(dtype).kind)
    except TypeError:  # text has a dtype of its own
        return ""


def _alone(value: Any, feature: Any, fit: Callable[[Any], Any] | None) -> Any:
    """One row as a batch, as `_parts` makes it."""
    import numpy as np

    array = np.asarray(value if fit is None else fit(value))
    return (array, np.array([0, len(array)])) if _is_sequence(feature) else array[None]


def _parts(batch: Any) -> Any:
    """A batch of sequences as their values and where each row starts; any other as it is."""
    return (batch.values, batch.row_splits) if hasattr(batch, "row_splits") else batch


def _sequences(batches: list[Any]) -> Ragged:
    import numpy as np

    return Ragged.joined([Ragged(values, starts, np.diff(starts)[:, None]) for values, starts in batches])


def _require_one_shape(key: str, feature: Any) -> None:
    shape = getattr(feature, "shape", None)
    if _is_sequence(feature):
        return
    if not isinstance(shape, tuple) or None in shape:
        message = f"rows of {key} differ in shape ({shape}); images and sequences of one size can be read"
        raise problem("wrong-shape", message, "name other `inputs`, or another set")


def column(key: str, values: Any, feature: Any) -> Any:
    """One feature as a column: labels and text coded, images uint8."""
    from dlcli.data.sources.arrays import column

    if isinstance(values, Coded):
        return values
    names = getattr(feature, "names", None)
    if names and values.ndim == 1:
        return Coded(values.astype("int32"), tuple(str(name) for name in names))
    return column(key, values, (*FIELD, "inputs"))


def joined(parts: list[Any]) -> Any:
    """The parts of one column below each other."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Ragged):
        return Ragged.joined(parts)
    if isinstance(parts[0], Coded):  # class labels, the same in every part
        return Coded(np.concatenate([part.codes for part in parts]), parts[0].vocabulary)
    return np.concatenate(parts)
