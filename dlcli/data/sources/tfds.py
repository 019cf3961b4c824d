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
from typing import Annotated, Any, Literal

from pydantic import Field

from dlcli.data.sources import decoding, tfds_rows
from dlcli.data.sources.files import source_for
from dlcli.data.sources.tfds_rows import (
    Told,
    differ_in_size,
    first_line,
    forms,
    is_text,
    mean_nbytes,
    problem,
    read_split,
)
from dlcli.events import Listener, silent
from dlcli.part import FilePath, Source, Written
from dlcli.samples import Extent, Found, Samples, Subset
from dlcli.storage import InMemory, Storage

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
            fillings = tfds_rows.fillings(builder, keys, forms(builder, keys, self.size), total, storage)
            told = Told(emit, total)
            for split in splits.values():
                read_split(builder, split, self._fits(builder, keys), fillings, told)
            columns = tfds_rows.columns(builder, fillings)
        subsets, start = {}, 0
        for subset, count in counts.items():
            subsets[subset] = range(start, start + count)
            start += count
        return Found(
            Samples.of(columns),
            subsets=_as_arrays(subsets) if len(subsets) > 1 else None,
            target=(target,) if target else (),
            inputs=inputs,
            notes=(f"{builder.info.full_name} from {builder.data_dir}",),
            settings={"version": str(builder.info.version)},
        )

    def extent(self) -> Extent | None:
        """As long as the arrays of fixed size, and about as long as texts and sequences."""
        with self._prepared() as builder:
            inputs, target = self._keys(builder)
            splits = self._splits(builder)
            rows = sum(builder.info.splits[split].num_examples for split in splits.values())
            keys = (*inputs, *((target,) if target else ()))
            arrays = forms(builder, keys, self.size)
            files = tuple(sorted(path for path in Path(str(builder.data_dir)).glob("*") if path.is_file()))
            others = tuple(key for key in keys if key not in arrays)
            sizes = mean_nbytes(builder, splits["train"], others) if others else {}
            texts = sum(size for key, size in sizes.items() if is_text(builder.info.features[key]))
        fixed = sum(math.prod(form.shape) * form.dtype.itemsize for form in arrays.values())
        return Extent(files, math.ceil(rows * (fixed + sum(sizes.values()))), meanwhile_bytes=math.ceil(rows * texts))

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

    def _fits(self, builder: Any, keys: tuple[str, ...]) -> dict[str, Callable[[Any], Any]]:
        """For each feature of images that differ in size what brings one to `size`."""
        fit = partial(decoding.brought_to, size=self.size or (1, 1), fit=self.resize)
        return {key: fit for key in keys if differ_in_size(builder.info.features[key])}

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
            raise problem("unknown-set", f"{self.name} is not a name of TensorFlow Datasets", "write `version: ...`")
        try:
            return tfds.builder(name, data_dir=str(self._place), try_gcs=False)
        except tfds.core.DatasetNotFoundError as error:
            known = tfds.list_builders(with_community_datasets=False)
            near = difflib.get_close_matches(self.name.split("/")[0], known, n=1)
            suggestion = f"did you mean {near[0]}?" if near else "https://www.tensorflow.org/datasets/catalog lists all"
            message = f"TensorFlow Datasets knows no {self.name}, and {self._place} holds no such set"
            raise problem("unknown-set", message, suggestion) from error
        except Exception as error:
            message = f"TensorFlow Datasets cannot open {name} in {self._place}: {first_line(error)}"
            raise problem("unknown-set", message, "correct the name or `version`") from error

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
            raise problem("set-not-prepared", f"{looked}, and there is no network to download it", remedy)
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(DOWNLOAD_SILENCE_SECONDS)
        try:
            builder.download_and_prepare()
        except Exception as error:
            message = f"{looked}, and preparing it failed: {first_line(error)}"
            raise problem("set-not-prepared", message, remedy) from error
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
            raise problem("missing-column", message, f"write `inputs` and `target`; features: {', '.join(keys)}")
        for key in (*inputs, *((target,) if target else ())):
            if key not in keys:
                message = f"{self.name} has no feature {key}"
                raise problem("missing-column", message, f"its features: {', '.join(keys)}")
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
                raise problem("unknown-subset", message, f"its splits: {', '.join(there)}")
        return chosen


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


def _as_arrays(subsets: Mapping[Subset, range]) -> dict[Subset, Any]:
    import numpy as np

    return {subset: np.arange(rows.start, rows.stop) for subset, rows in subsets.items()}
