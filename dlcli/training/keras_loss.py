"""A Keras loss in which rows of some classes count more."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class ClassWeighted(keras.losses.Loss):  # type: ignore[misc]  # Keras comes without types
    """Another loss, each row times the factor of its class. The factors are a variable: graphs outlive them."""

    def __init__(self, loss: keras.losses.Loss, outputs: int) -> None:
        super().__init__(name=loss.name)
        self.loss = loss
        self.factors = keras.Variable(keras.ops.ones((max(2, outputs),)), trainable=False, name="class_factors")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Losses (rows,); `y_true` is class numbers (rows,), or shares: of one class (rows, 1), or of each."""
        if len(y_true.shape) == 1:
            factor = ops.take(self.factors, ops.cast(y_true, "int32"))  # Keras made floats of them
        elif y_true.shape[-1] == 1:
            share = ops.reshape(y_true, (-1,))
            factor = (1 - share) * self.factors[0] + share * self.factors[1]
        else:
            factor = ops.matmul(y_true, self.factors)
        return self.loss.call(y_true, y_pred) * factor
