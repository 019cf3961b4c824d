"""A Keras loss around a plain function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


class FunctionLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras comes without types
    """f(y_true, y_pred) as a loss with one value per row.

    A function that gives one value per target is averaged over targets; a single value holds for every row.
    """

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        super().__init__(name="custom")
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Losses (rows,)."""
        losses = ops.convert_to_tensor(self.function(y_true, y_pred))
        if len(losses.shape) == 0:
            return ops.broadcast_to(losses, ops.shape(y_pred)[:1])
        return ops.mean(losses, axis=tuple(range(1, len(losses.shape)))) if len(losses.shape) > 1 else losses
