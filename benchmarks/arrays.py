"""The arrays that the benchmarks train on, generated or scikit-learn's; only their shapes matter for the time.

Each maker takes the numbers of training and validation rows and gives the same arrays at every call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
PIXELS = 255
"""The largest pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """Training and validation rows."""

    x: Array
    y: Array
    x_val: Array
    y_val: Array

    def changed(self, x: Callable[[Array], Array]) -> Arrays:
        """The same rows, their inputs passed through a function."""
        return Arrays(x(self.x), self.y, x(self.x_val), self.y_val)


def _divided(x: Array, y: Array, rows: int) -> Arrays:
    return Arrays(x[:rows], y[:rows], x[rows:], y[rows:])


def clouds(shape: tuple[int, ...], classes: int) -> Callable[[int, int], Arrays]:
    """Rows around a centre per class."""

    def make(rows: int, validation: int) -> Arrays:
        rng = np.random.default_rng(0)
        y = rng.integers(0, classes, rows + validation)
        centres = rng.normal(size=(classes, *shape))
        return _divided((centres[y] + rng.normal(size=(len(y), *shape))).astype(np.float32), y, rows)

    return make


def images(classes: int = 10) -> Callable[[int, int], Arrays]:
    """Grey images 28 x 28 x 1, uint8."""

    def make(rows: int, validation: int) -> Arrays:
        rng = np.random.default_rng(0)
        y = rng.integers(0, classes, rows + validation)
        shades = rng.integers(0, PIXELS // 2, (classes, 28, 28, 1), dtype=np.uint8)
        noise = rng.integers(0, PIXELS // 2, (len(y), 28, 28, 1), dtype=np.uint8)
        return _divided(shades[y] + noise, y, rows)

    return make


def linear(features: int) -> Callable[[int, int], Arrays]:
    """Numbers and a noisy sum of them."""

    def make(rows: int, validation: int) -> Arrays:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(rows + validation, features))
        y = x @ rng.normal(size=features) / math.sqrt(features) + 0.1 * rng.normal(size=len(x))
        return _divided(x.astype(np.float32), y, rows)

    return make


def builtin(name: str) -> Callable[[int, int], Arrays]:
    """All rows of a set of scikit-learn; a little noise makes other rows of some of them, to validate on."""

    def make(rows: int, validation: int) -> Arrays:
        from sklearn import datasets

        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        rng = np.random.default_rng(0)
        if y.dtype.kind == "f":
            y = (y - y.mean()) / y.std()
        some = rng.choice(len(x), rows, replace=False)
        others = rng.choice(len(x), validation, replace=False)
        noisy = x[others] + 0.1 * x.std(0) * rng.normal(size=(validation, x.shape[1]))
        return Arrays(x[some], y[some], noisy, y[others])

    return make


def sequences(words: int, length: int) -> Callable[[int, int], Arrays]:
    """Sequences of word numbers, int32, of two kinds that prefer other words."""

    def make(rows: int, validation: int) -> Arrays:
        rng = np.random.default_rng(0)
        y = rng.integers(0, 2, rows + validation)
        drawn = rng.random((len(y), length)) ** (1 + y[:, None])
        return _divided((drawn * words).astype(np.int32), y, rows)

    return make


def multi_hot(words: int, length: int) -> Callable[[int, int], Arrays]:
    """Which words a text has: 0 or 1 per word, uint8."""

    def make(rows: int, validation: int) -> Arrays:
        drawn = sequences(words, length)(rows, validation)

        def coded(x: Array) -> Array:
            hot = np.zeros((len(x), words), np.uint8)
            np.put_along_axis(hot, x, 1, axis=1)
            return hot

        return drawn.changed(coded)

    return make


def standardized(data: Arrays) -> Arrays:
    """Inputs less the mean of the training rows, over their deviation."""
    mean, deviation = data.x.mean(0), data.x.std(0)
    return data.changed(lambda x: ((x - mean) / deviation).astype(np.float32))


def scaled(data: Arrays) -> Arrays:
    """Pixels between 0 and 1."""
    return data.changed(lambda x: x.astype(np.float32) / PIXELS)


def scaled_flat(data: Arrays) -> Arrays:
    """Pixels between 0 and 1, side by side."""
    return data.changed(lambda x: x.reshape(len(x), -1).astype(np.float32) / PIXELS)


def floats(data: Arrays) -> Arrays:
    """Inputs as float32."""
    return data.changed(lambda x: x.astype(np.float32))


def as_is(data: Arrays) -> Arrays:
    """The same."""
    return data
