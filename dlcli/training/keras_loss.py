"""A Keras loss in which rows of some classes count more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ClassWeighted(keras.losses.Loss):  # type: ignore[misc]  # Keras comes without types
    """Another loss, each row times the weight of its class."""

    def __init__(self, loss: keras.losses.Loss, weights: NDArray[np.float32]) -> None:
        super().__init__(name=loss.name)
        self.loss = loss
        self.weights = weights

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Losses (rows,); `y_true` is class numbers (rows,) or (rows, 1), or one bit per class."""
        if len(y_true.shape) > 1 and y_true.shape[-1] > 1:
            classes = ops.argmax(y_true, axis=-1)
        else:
            classes = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        return self.loss.call(y_true, y_pred) * ops.take(ops.convert_to_tensor(self.weights), classes)
