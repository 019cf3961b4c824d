"""The `tfds` source: data sets prepared by TensorFlow Datasets."""

from __future__ import annotations

import difflib
import logging
import math
import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from dlcli.data.sources import decoding
from dlcli.data.sources.files import source_for
from dlcli.events import Listener, Progress, silent
from dlcli.part import FilePath, Source, Written
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Coded, Extent, Found, Ragged, Samples, Subset
from dlcli.storage import Filling, InMemory, Storage

_FIELD: ConfigPath = ("data", "source", "tfds")
_BATCH_ROWS = 1024
_ROWS_AHEAD = 16
_IMAGE_AXES = 3
NETWORK_PROBE = ("storage.googleapis.com", 443)
NETWORK_PROBE_SECONDS = 3.0
_Pixels = Annotated[int, Field(ge=1)]
DOWNLOAD_SILENCE_SECONDS = 60.0
"""A connection that is silent for so long counts as broken, so that a download never hangs."""


class Tfds(Source):
    """A data set of TensorFlow Datasets, which is downloaded and prepared where there is a network.

    Columns have the names of its features; class labels come by name, images as uint8.
    """

    part_name = "tfds"
    main_field = "name"
    example = "tfds: mnist"

    name: Annotated[Written, Field(description="Name of the set, with its config if it has several: name/config.")]
    data_dir: Annotated[
        FilePath | None,
        Field(description="Where prepared sets lie; by default TFDS_DATA_DIR, else TFDS's own place."),
    ] = None
    version: Annotated[Written | None, Field(description="Version; by default the newest.")] = None
    inputs: Annotated[
        tuple[Written, ...] | None, Field(description="Feature keys; by default the first of the supervised pair.")
    ] = None
    target: Annotated[
        Written | None, Field(description="Feature key; by default the second of the supervised pair.")
    ] = None
    train: Annotated[Written, Field(description="Split that holds the training rows, or a slice of it.")] = "train"
    validation: Annotated[
        Written | None, Field(description="Split that holds the validation rows; by default `validation`, if any.")
    ] = None
    test: Annotated[Written | None, Field(description="Split that holds the test rows; by default `test`, if any.")] = (
        None
    )
    size: Annotated[
        tuple[_Pixels, _Pixels] | None,
        Field(description="Height and width for images that differ in size; others stay as they are."),
    ] = None
    resize: Annotated[
        Literal["stretch", "pad", "crop"],
        Field(description="How an image of other proportions comes to `size`: stretched, on black, or cut."),
    ] = "stretch"

    def read(self) -> Found:
        """Reads all named splits into memory, preparing the set first if it is not there.

        Raises:
            DataError: there is no such set, version, split or feature, or it cannot be prepared.
        """
        return self.read_into(InMemory(), silent)

    def read_into(self, storage: Storage, emit: Listener) -> Found:
        """As `read`; arrays go to `storage`."""
        with self._prepared() as builder:
            inputs, target = self._keys(builder)
            splits = self._splits(builder)
            keys = (*inputs, *((target,) if target else ()))
            counts = {subset: builder.info.splits[split].num_examples for subset, split in splits.items()}
            total = sum(counts.values())
            arrays = {key: storage.begin((total, *form.shape), form.dtype) for key, form in self._forms(builder, keys)}
            told = _Told(emit, total)
            parts = {subset: self._read_split(builder, split, keys, arrays, told) for subset, split in splits.items()}
        subsets, start = {}, 0
        for subset, count in counts.items():
            subsets[subset] = range(start, start + count)
            start += count
        columns = {
            key: _column(key, arrays[key].end(), builder.info.features[key])
            if key in arrays
            else _joined([part[key] for part in parts.values()])
            for key in keys
        }
        return Found(
            Samples.of(columns),
            subsets=_as_arrays(subsets) if len(subsets) > 1 else None,
            target=(target,) if target else (),
            inputs=inputs,
            notes=(f"{builder.info.full_name} from {builder.data_dir}",),
            settings={"version": str(builder.info.version)},
        )

    def extent(self) -> Extent | None:
        """As long as the arrays of fixed size; texts and sequences are read into memory."""
        with self._prepared() as builder:
            inputs, target = self._keys(builder)
            rows = sum(builder.info.splits[split].num_examples for split in self._splits(builder).values())
            forms = self._forms(builder, (*inputs, *((target,) if target else ())))
            files = tuple(sorted(path for path in Path(str(builder.data_dir)).glob("*") if path.is_file()))
        return Extent(files, rows * sum(math.prod(form.shape) * form.dtype.itemsize for _, form in forms))

    @contextmanager
    def _prepared(self) -> Iterator[Any]:
        """The builder of the set, which is made ready if it is not yet; nothing is printed meanwhile."""
        from dlcli import backend

        backend.load()
        with _quiet():
            builder = self._builder()
            if not _is_prepared(builder):
                self._prepare(builder)
            yield builder

    def _forms(self, builder: Any, keys: tuple[str, ...]) -> Iterator[tuple[str, _Form]]:
        """The shape of a row, and the dtype, of each feature that is an array of one shape."""
        import numpy as np

        for key in keys:
            feature = builder.info.features[key]
            if _differ_in_size(feature):
                if self.size is None:
                    raise DataError(decoding.mixed_sizes(f"in {key} of {self.name}", (*_FIELD, "name")))
                yield key, _Form((*self.size, feature.shape[-1]), np.dtype(np.uint8))
            elif getattr(feature, "shape", ()) and not _is_sequence(feature):
                _require_one_shape(key, feature)
                if _np_kind(feature.np_dtype) in "biuf":
                    yield key, _Form(tuple(feature.shape), np.dtype(feature.np_dtype))

    def _read_split(
        self, builder: Any, split: str, keys: tuple[str, ...], arrays: Mapping[str, Filling], told: _Told
    ) -> dict[str, Any]:
        """The named features of a split but those that are appended to arrays; images that differ in size at `size`."""
        mixed = tuple(key for key in keys if _differ_in_size(builder.info.features[key]))
        fit = partial(decoding.brought_to, size=self.size or (1, 1), fit=self.resize)
        return _read_split(builder, split, keys, dict.fromkeys(mixed, fit), arrays, told)

    def other_file(self, path: str) -> Source:
        """A csv or npz file with the same columns."""
        return source_for(path)

    @property
    def _place(self) -> Path:
        """The folder that is looked into."""
        named = self.data_dir or os.environ.get("TFDS_DATA_DIR")
        return Path(named).expanduser() if named else Path.home() / "tensorflow_datasets"

    def _builder(self) -> Any:
        import tensorflow_datasets as tfds

        name = f"{self.name}:{self.version}" if self.version else self.name
        if ":" in self.name.split("/")[0]:
            raise _problem("unknown-set", f"{self.name} is not a name of TensorFlow Datasets", "write `version: ...`")
        try:
            return tfds.builder(name, data_dir=str(self._place), try_gcs=False)
        except tfds.core.DatasetNotFoundError as error:
            known = tfds.list_builders(with_community_datasets=False)
            near = difflib.get_close_matches(self.name.split("/")[0], known, n=1)
            suggestion = f"did you mean {near[0]}?" if near else "https://www.tensorflow.org/datasets/catalog lists all"
            message = f"TensorFlow Datasets knows no {self.name}, and {self._place} holds no such set"
            raise _problem("unknown-set", message, suggestion) from error
        except Exception as error:
            message = f"TensorFlow Datasets cannot open {name} in {self._place}: {_first_line(error)}"
            raise _problem("unknown-set", message, "correct the name or `version`") from error

    def _prepare(self, builder: Any) -> None:
        """Downloads and prepares.

        Raises:
            DataError: there is no network, or it fails.
        """
        looked = f"{self.name} is not prepared: looked in {builder.data_dir}"
        command = (
            "python -c \"import tensorflow_datasets as tfds; tfds.builder('"
            f"{self.name}', data_dir='{self._place}').download_and_prepare()\""
        )
        remedy = (
            f"where there is a network, run {command} and copy that folder here, "
            "or let TFDS_DATA_DIR (or `data_dir`) name the folder that holds it"
        )
        if not _network_answers():
            raise _problem("set-not-prepared", f"{looked}, and there is no network to download it", remedy)
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(DOWNLOAD_SILENCE_SECONDS)
        try:
            builder.download_and_prepare()
        except Exception as error:
            message = f"{looked}, and preparing it failed: {_first_line(error)}"
            raise _problem("set-not-prepared", message, remedy) from error
        finally:
            socket.setdefaulttimeout(before)

    def _keys(self, builder: Any) -> tuple[tuple[str, ...], str | None]:
        """Feature keys of inputs and target.

        Raises:
            DataError: one is not there, or the set does not say which they are.
        """
        features = builder.info.features
        keys = tuple(features.keys()) if hasattr(features, "keys") else ()
        pair = builder.info.supervised_keys
        inputs = self.inputs or (_flat(pair[0]) if pair else ())
        target = self.target or (pair[1] if pair and isinstance(pair[1], str) else None)
        if not inputs and target:
            inputs = tuple(key for key in keys if key != target)
        if not inputs:
            message = f"{self.name} does not say what its inputs and its target are"
            raise _problem("missing-column", message, f"write `inputs` and `target`; features: {', '.join(keys)}")
        for key in (*inputs, *((target,) if target else ())):
            if key not in keys:
                message = f"{self.name} has no feature {key}"
                raise _problem("missing-column", message, f"its features: {', '.join(keys)}")
        return tuple(key for key in inputs if key != target), target

    def _splits(self, builder: Any) -> dict[Subset, str]:
        """Which of the set's splits is which subset."""
        there = tuple(str(split) for split in builder.info.splits)
        chosen: dict[Subset, str] = {"train": self.train}
        others: dict[Subset, str | None] = {"validation": self.validation, "test": self.test}
        for subset, named in others.items():
            if named or subset in there:
                chosen[subset] = named or subset
        for split in chosen.values():
            if split.split("[")[0].split("+")[0] not in there:
                message = f"{self.name} has no split {split}"
                raise _problem("unknown-subset", message, f"its splits: {', '.join(there)}")
        return chosen


def _problem(code: str, message: str, suggestion: str) -> DataError:
    return DataError(Problem(code, message, suggestion, (*_FIELD, "name")))


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def _flat(names: Any) -> tuple[str, ...]:
    """The keys in one side of a supervised pair, which may be nested."""
    if isinstance(names, str):
        return (names,)
    items = names.values() if isinstance(names, Mapping) else names
    return tuple(key for item in items for key in _flat(item))


def _is_prepared(builder: Any) -> bool:
    return Path(str(builder.data_dir)).is_dir() and bool(builder.info.splits)


def _network_answers() -> bool:
    """Whether a download can be tried; behind a proxy only trying tells."""
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True
    try:
        socket.create_connection(NETWORK_PROBE, timeout=NETWORK_PROBE_SECONDS).close()
    except OSError:
        return False
    return True


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps TFDS's progress bars, logs and TensorFlow's remarks from the terminal."""
    from dlcli import backend

    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryFile() as unread, backend.stderr_to(unread):
            import tensorflow_datasets as tfds

            tfds.disable_progress_bar()
            yield
    finally:
        logger.setLevel(level)


def _differ_in_size(feature: Any) -> bool:
    """Whether a feature holds images of bytes whose height and width may be any."""
    shape = getattr(feature, "shape", None)
    if not isinstance(shape, tuple) or len(shape) != _IMAGE_AXES or shape[-1] not in (1, 3, 4):
        return False
    return None in shape[:2] and bool(feature.np_dtype == "uint8")


class _Form(NamedTuple):
    """Of an array: the shape of a row, and the dtype."""

    shape: tuple[int, ...]
    dtype: Any


class _Told:
    """Counts rows and says how many there are by now."""

    def __init__(self, emit: Listener, total: int) -> None:
        self._emit, self._total, self._done = emit, total, 0

    def __call__(self, rows: int) -> None:
        self._done += rows
        if self._done % _BATCH_ROWS == 0 or self._done == self._total:
            self._emit(Progress("rows read", self._done, self._total))


def _read_split(
    builder: Any,
    split: str,
    keys: tuple[str, ...],
    fits: Mapping[str, Callable[[Any], Any]],
    arrays: Mapping[str, Filling],
    told: _Told,
) -> dict[str, Any]:
    """The named features of a split, in its stored order, read in batches; `fits` makes rows of one shape.

    Those that `arrays` has are appended there.

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
        parts: dict[str, list[Any]] = {key: [] for key in keys if key not in arrays}
        for batch in batches:
            count = _rows_of(batch[keys[0]])
            for key in keys:
                if key in arrays:
                    arrays[key].append(batch[key])
                else:
                    parts[key].append(batch[key])
            rows_read += count
            told(count)
    except (tf.errors.OpError, ValueError, AssertionError) as error:
        message = f"split {split} of {builder.info.full_name} cannot be read: {_first_line(error)}"
        raise _problem("damaged-file", message, f"prepare it again (it lies in {builder.data_dir})") from error
    if not rows_read:
        raise _problem("no-rows", f"split {split} of {builder.info.full_name} has no rows", "name another split")
    if rows_read != (promised := builder.info.splits[split].num_examples):
        message = f"split {split} of {builder.info.full_name} has {rows_read:,} rows, but should have {promised:,}"
        raise _problem("damaged-file", message, f"prepare it again (it lies in {builder.data_dir})")
    return {
        key: _sequences(found) if _is_sequence(features[key]) else _column(key, np.concatenate(found), features[key])
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
        raise _problem("wrong-shape", message, "name other `inputs`, or another set")


def _column(key: str, values: Any, feature: Any) -> Any:
    """One feature as a column: labels and text coded, images uint8."""
    from dlcli.data.sources.arrays import column

    names = getattr(feature, "names", None)
    if names and values.ndim == 1:
        return Coded(values.astype("int32"), tuple(str(name) for name in names))
    if values.dtype.kind == "O" and values.ndim == 1:
        return Coded.of([cell.decode("utf-8", "replace") for cell in values])
    return column(key, values, (*_FIELD, "inputs"))


def _joined(parts: list[Any]) -> Any:
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Ragged):
        return Ragged.joined(parts)
    if isinstance(parts[0], Coded):
        if all(part.vocabulary == parts[0].vocabulary for part in parts):
            return Coded(np.concatenate([part.codes for part in parts]), parts[0].vocabulary)
        return Coded.of([text for part in parts for text in part.texts()])
    return np.concatenate(parts)


def _as_arrays(subsets: Mapping[Subset, range]) -> dict[Subset, Any]:
    import numpy as np

    return {subset: np.arange(rows.start, rows.stop) for subset, rows in subsets.items()}
