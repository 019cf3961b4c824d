"""The trainings that `engine.py` times: their arrays, the network in Keras and the same one as a config.

Validation rows come on top of the rows that a title names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import arrays
import numpy as np
from arrays import PIXELS, Arrays

_TINY = 20
"""A tiny trial has so many times fewer rows."""

TRANSLATION, ROTATION = 0.1, 0.05


@dataclass(frozen=True, slots=True)
class Workload:
    """One training.

    Attributes:
        key, title: short and long name.
        epochs: as many as a person would ask for; the engine may choose its ways by that.
        make: arrays as a person has them, from the numbers of training and validation rows.
        ready: the same as a person would hand them to `fit`.
        layers: the hidden layers in Keras, in their order.
        outputs: units, activation, loss and metric of the output layer in Keras.
        config: architecture, preprocessing and augmentation as the config has them.
        augment: layers in front of the network that act in training only.
        convolutional: XLA has no fast convolutions on a CPU, so `jit_compile` is hopeless.
        divisor: of the numbers of a batch in a tf.data pipeline; None: a good user would not try one.
    """

    key: str
    title: str
    epochs: int
    batch_size: int
    rows: int
    validation: int
    make: Callable[[int, int], Arrays]
    ready: Callable[[Arrays], Arrays]
    layers: Callable[[], list[Any]]
    outputs: tuple[int, str, str, str]
    config: str
    augment: Callable[[], list[Any]] | None = None
    convolutional: bool = False
    divisor: float | None = None

    @property
    def batches(self) -> int:
        """Batches of an epoch, the smaller last one included."""
        return math.ceil(self.rows / self.batch_size)

    @property
    def loss(self) -> str:
        """The loss's name."""
        return self.outputs[2]

    @property
    def metric(self) -> str:
        """The metric's name, the same on both sides."""
        return self.outputs[3]

    def tiny(self) -> Workload:
        """The same with few rows and epochs."""
        least = self.batch_size + 1
        rows, validation = max(least, self.rows // _TINY), max(least, self.validation // _TINY)
        return replace(self, rows=min(rows, self.rows), validation=min(validation, self.validation), epochs=4)

    def arrays(self) -> Arrays:
        """The rows, the same at every call."""
        return self.make(self.rows, self.validation)

    def network(self, input_shape: Sequence[int], *, augmented: bool) -> Any:
        """The uncompiled Keras model."""
        import keras

        units, activation, _, _ = self.outputs
        front = self.augment() if self.augment and augmented else []
        output = keras.layers.Dense(units, activation=activation)
        return keras.Sequential([keras.Input(tuple(input_shape)), *front, *self.layers(), output])

    def write_config(self, folder: Path, data: Arrays) -> Path:
        """Writes the arrays and the config of the same training; gives the config's path."""
        np.savez(folder / "data.npz", x=data.x, y=data.y, x_val=data.x_val, y_val=data.y_val)
        task = {"softmax": "multiclass", "sigmoid": "binary", "linear": "regression"}[self.outputs[1]]
        path = folder / f"{self.key}.yaml"
        path.write_text(
            "data: {source: {npz: {path: data.npz, inputs: x, target: y, validation: [x_val, y_val]}}}\n"
            "split: {predefined: {test: 0}}\n"
            f"task: {task}\n"
            f"{self.config}\n"
            "optimizer: adam\n"
            f"metrics: [{self.metric}]\n"
            f"training: {{epochs: {self.epochs}, batch_size: {self.batch_size}}}\n"
        )
        return path


_AMOUNT = (1, "linear", "mse", "mae")
_YES_NO = (1, "sigmoid", "binary_crossentropy", "accuracy")


def _classes(count: int) -> tuple[int, str, str, str]:
    return count, "softmax", "sparse_categorical_crossentropy", "accuracy"


def _relu(units: int) -> Any:
    """A dense layer, initialized as dlcli does, so that losses can be compared."""
    import keras

    return keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal")


def _dense(*units: int) -> Callable[[], list[Any]]:
    return lambda: [_relu(count) for count in units]


def _convnet(filters: Sequence[int], units: int) -> Callable[[], list[Any]]:
    """Convolutions 3 x 3 with pooling between them, then a dense layer."""

    def layers() -> list[Any]:
        from keras.layers import Conv2D, Flatten, MaxPooling2D

        convolutions = [Conv2D(count, 3, activation="relu", kernel_initializer="he_normal") for count in filters]
        stack = [layer for each in convolutions for layer in (each, MaxPooling2D())][:-1]
        return [*stack, Flatten(), _relu(units)]

    return layers


def _embedding(words: int, size: int, units: int) -> Callable[[], list[Any]]:
    def layers() -> list[Any]:
        from keras.layers import Embedding, GlobalAveragePooling1D

        return [Embedding(words, size), GlobalAveragePooling1D(), _relu(units)]

    return layers


def _augmentation() -> list[Any]:
    from keras.layers import RandomRotation, RandomTranslation

    return [RandomTranslation(TRANSLATION, TRANSLATION), RandomRotation(ROTATION)]


def _listed(units: Sequence[int]) -> str:
    return ", ".join(f"dense: {count}" for count in units)


def _table_config(*units: int) -> str:
    return f"preprocessing: [standardize]\narchitecture: [{_listed(units)}]"


def _convnet_config(filters: Sequence[int], units: int) -> str:
    stack = ", max_pooling2d, ".join(f"conv2d: {count}" for count in filters)
    return f"preprocessing: [rescale]\narchitecture: [{stack}, flatten, dense: {units}]"


_AUGMENTATION_CONFIG = (
    f"augmentation: [random_translation: {{height_factor: {TRANSLATION}, width_factor: {TRANSLATION}}}, "
    f"random_rotation: {ROTATION}]"
)

WORKLOADS = (
    Workload(
        "a",
        "Wine 178x13, 16-16, batch 16",
        epochs=200,
        batch_size=16,
        rows=178,
        validation=44,
        make=arrays.builtin("wine"),
        ready=arrays.standardized,
        layers=_dense(16, 16),
        outputs=_classes(3),
        config=_table_config(16, 16),
    ),
    Workload(
        "b",
        "regression 442x10, 64-64, batch 16",
        epochs=200,
        batch_size=16,
        rows=442,
        validation=110,
        make=arrays.builtin("diabetes"),
        ready=arrays.standardized,
        layers=_dense(64, 64),
        outputs=_AMOUNT,
        config=_table_config(64, 64),
    ),
    Workload(
        "c",
        "table 10,000x12, 6-6, batch 10",
        epochs=50,
        batch_size=10,
        rows=10_000,
        validation=2_500,
        make=arrays.clouds((12,), 2),
        ready=arrays.standardized,
        layers=_dense(6, 6),
        outputs=_YES_NO,
        config=_table_config(6, 6),
    ),
    Workload(
        "d",
        "table 16,512x8, 64-64, batch 32",
        epochs=50,
        batch_size=32,
        rows=16_512,
        validation=4_128,
        make=arrays.linear(8),
        ready=arrays.standardized,
        layers=_dense(64, 64),
        outputs=_AMOUNT,
        config=_table_config(64, 64),
    ),
    Workload(
        "e",
        "images 60,000x784 bytes, 50-50, batch 100",
        epochs=20,
        batch_size=100,
        rows=60_000,
        validation=10_000,
        make=arrays.images(),
        ready=arrays.scaled_flat,
        layers=_dense(50, 50),
        outputs=_classes(10),
        config=f"preprocessing: [rescale]\narchitecture: [flatten, {_listed((50, 50))}]",
    ),
    Workload(
        "f",
        "15,000x784, 512, batch 128",
        epochs=50,
        batch_size=128,
        rows=15_000,
        validation=3_750,
        make=arrays.clouds((784,), 10),
        ready=arrays.as_is,
        layers=_dense(512),
        outputs=_classes(10),
        config=f"preprocessing: none\narchitecture: [{_listed((512,))}]",
    ),
    Workload(
        "g",
        "convnet 32-64-64, 2,000 images, batch 64",
        epochs=10,
        batch_size=64,
        rows=2_000,
        validation=500,
        make=arrays.images(),
        ready=arrays.scaled,
        layers=_convnet((32, 64, 64), 64),
        outputs=_classes(10),
        config=_convnet_config((32, 64, 64), 64),
        convolutional=True,
        divisor=PIXELS,
    ),
    Workload(
        "h",
        "multi-hot 3,072x10,000, 16-16, batch 512",
        epochs=20,
        batch_size=512,
        rows=3_072,
        validation=768,
        make=arrays.multi_hot(10_000, 230),
        ready=arrays.floats,
        layers=_dense(16, 16),
        outputs=_YES_NO,
        config=f"preprocessing: none\narchitecture: [{_listed((16, 16))}]",
        divisor=1,
    ),
    Workload(
        "i",
        "augmented convnet 16-32, 2,000 images, batch 64",
        epochs=10,
        batch_size=64,
        rows=2_000,
        validation=500,
        make=arrays.images(),
        ready=arrays.scaled,
        layers=_convnet((16, 32), 32),
        outputs=_classes(10),
        config=f"{_AUGMENTATION_CONFIG}\n{_convnet_config((16, 32), 32)}",
        augment=_augmentation,
        convolutional=True,
        divisor=PIXELS,
    ),
    Workload(
        "j",
        "text 8,000x100 words, embedding 16, batch 64",
        epochs=20,
        batch_size=64,
        rows=8_000,
        validation=2_000,
        make=arrays.sequences(5_000, 100),
        ready=arrays.as_is,
        layers=_embedding(5_000, 16, 16),
        outputs=_YES_NO,
        # the mean over words, by the pooling of images
        config="preprocessing: none\narchitecture: [embedding: {input_dim: 5000, output_dim: 16}, "
        "reshape: [100, 1, 16], global_average_pooling2d, dense: 16]",
    ),
)
COMPARED = "abcdefgh"
"""The workloads that the geometric means are over."""
