"""A Keras loss in which rows of some classes count more."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class ClassWeighted(keras.losses.Loss):  # type: ignore[misc]  # Keras comes without types
    """Another loss, in which the target's share of each class counts as often as the factor of that class says.

    A row of one class is its loss times the factor. A row of several, as `mix_up` makes them, is what rows of one
    class each, weighted by share times factor, are together: exactly so for losses that are linear in the target, as
    crossentropies are, with label smoothing too. The factors are a variable: graphs outlive them.
    """

    def __init__(self, loss: keras.losses.Loss, outputs: int) -> None:
        super().__init__(name=loss.name)
        self.loss = loss
        self.factors = keras.Variable(keras.ops.ones((max(2, outputs),)), trainable=False, name="class_factors")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Losses (rows,); `y_true` is class numbers (rows,), or shares: of one class (rows, 1), or of each."""
        if len(y_true.shape) == 1:
            factor = ops.take(self.factors, ops.cast(y_true, "int32"))  # Keras made floats of them
            return self.loss.call(y_true, y_pred) * factor
        binary = y_true.shape[-1] == 1
        counted = (ops.concatenate([1 - y_true, y_true], axis=-1) if binary else y_true) * self.factors
        total = ops.sum(counted, axis=-1, keepdims=True)
        shares = ops.divide_no_nan(counted, total)
        return self.loss.call(shares[:, 1:] if binary else shares, y_pred) * total[:, 0]
