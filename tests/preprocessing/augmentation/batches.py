"""Augmentations as a config writes them, and batches for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from dlcli.config import catalog
from dlcli.part import Augmentation
from dlcli.preprocessing.augmentation.composed import Composed
from dlcli.samples import Batch, NetworkInput

KEY = (3, 4)
Array = NDArray[Any]


def made(text: str) -> Augmentation:
    """The Part that an item of a config is."""
    item = yaml.safe_load(text)
    name, value = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    part = catalog.find("augmentation", name)
    assert part is not None
    fields = value if isinstance(value, dict) else {part.main_field: value}
    read = part.model_validate({key: tuple(each) if isinstance(each, list) else each for key, each in fields.items()})
    assert isinstance(read, Augmentation)
    return read


def seed(key: tuple[int, int] = KEY) -> Any:
    """A key as the loop hands it out."""
    import tensorflow as tf

    return tf.constant(key, tf.int32)


def range_of(shape: tuple[int, ...], low: float = 0, high: float = 1) -> NetworkInput:
    """Rows of values between black and white; every number by itself, missing ones 0."""
    ends = (np.full(shape[-1], end, np.float32) for end in (low, high))
    return NetworkInput(shape, *ends, np.zeros(shape, np.float32), tuple(range(int(np.prod(shape)))))


def changed(text: str, x: Any, given: NetworkInput | None = None, key: tuple[int, int] = KEY) -> Array:
    """What a list of augmentations makes of rows."""
    x = np.asarray(x, np.float32)
    parts = tuple(made(yaml.safe_dump(item)) for item in yaml.safe_load(f"[{text}]"))
    result = Composed(parts, given or range_of(x.shape[1:]))(*tensors(Batch(x, np.zeros((len(x), 1)), None)), seed(key))
    return np.asarray(result[0])


def tensors(batch: Batch) -> Batch:
    """The batch as float32 tensors."""
    import tensorflow as tf

    return Batch(*(None if each is None else tf.constant(each, tf.float32) for each in batch))


def noise(rows: int, *shape: int) -> Array:
    """Numbers between 0 and 1, always the same."""
    return np.random.default_rng(0).random((rows, *shape)).astype(np.float32)
