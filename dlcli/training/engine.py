"""The engine: a Keras model trained an epoch at a time. Arrays and rates in, loss and predictions out.

It knows nothing of configs, files or terminals; a Keras user could use it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

Array = NDArray[Any]
_BARE = "bare_loss"
_PREDICTION_ROWS = 8192
_PREDICTION_VALUES = 2**20
"""Most values of one prediction batch, so that what convolutions make of them fits into memory."""


@dataclass(frozen=True, slots=True, eq=False)
class _Feed:
    """A dataset that gives the rows in the order of a variable, built once for the whole training."""

    arrays: tuple[Array | None, ...]
    batch_size: int
    order: Any
    dataset: Any

    def is_of(self, arrays: tuple[Array | None, ...], batch_size: int) -> bool:
        same = all(ours is theirs for ours, theirs in zip(self.arrays, arrays, strict=True))
        return same and self.batch_size == batch_size


class Engine:
    """Trains one model.

    Args:
        model: an uncompiled Keras model with one input and one output; it is compiled here.
        optimizer: a Keras optimizer; its learning rate is set for every batch.
        loss: a Keras loss.
        class_weight: a factor of the loss by class number, in training only.
    """

    def __init__(
        self, model: keras.Model, optimizer: keras.Optimizer, loss: Any, *, class_weight: Array | None = None
    ) -> None:
        import keras
        import tensorflow as tf

        from dlcli.training.keras_loss import ClassWeighted

        self.model = model
        self._loss = loss
        # Half precision loses small gradients; Keras scales the loss only where the whole process runs in it.
        if any(layer.compute_dtype == "float16" for layer in model.layers):
            optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
        optimizer.build(model.trainable_variables)
        weighted = loss if class_weight is None else ClassWeighted(loss, np.asarray(class_weight, np.float32))
        model.compile(
            optimizer=optimizer,
            loss=weighted,
            weighted_metrics=[keras.metrics.MeanMetricWrapper(loss.call, name=_BARE)],
            jit_compile=False,
            auto_scale_loss=False,
        )
        self._averages = getattr(optimizer, "inner_optimizer", optimizer).use_ema
        self._unaveraged: list[Array] | None = None
        self._feed: _Feed | None = None
        rows = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        # Concrete: TensorFlow would count the engines of one process as traces of one function, and complain.
        self._predict = tf.function(lambda x: model(x, training=False)).get_concrete_function(rows)

    def train_epoch(
        self,
        x: Array,
        y: Array,
        weight: Array | None,
        order: NDArray[np.int32],
        rates: NDArray[np.float64],
        batch_size: int,
    ) -> float:
        """Trains on every row once.

        Args:
            x: inputs (rows, *shape), float32.
            y: targets, as the loss takes them.
            weight: (rows,) or None.
            order: the row numbers in the order in which they are used.
            rates: the learning rate of every batch.
            batch_size: rows of a batch; the last one may be smaller.

        Returns:
            The mean loss over the epoch, weighted by `weight` alone: no penalties, no class weights.
        """
        import keras

        if self._feed is None or not self._feed.is_of((x, y, weight), batch_size):
            self._feed = _feed(x, y, weight, batch_size)
        self._feed.order.assign(order)
        if self._unaveraged is not None:
            _assign(self.model.trainable_variables, self._unaveraged)
        optimizer = self.model.optimizer
        optimizer.learning_rate = float(rates[0])

        def set_rate(batch: int, logs: object = None) -> None:  # noqa: ARG001 - Keras names both
            optimizer.learning_rate = float(rates[batch])

        def keep_unaveraged(epoch: int, logs: object = None) -> None:  # noqa: ARG001 - Keras names both
            self._unaveraged = _copies(self.model.trainable_variables)

        hooks: dict[str, Any] = {}
        if np.any(rates != rates[0]):
            hooks["on_train_batch_begin"] = set_rate
        if self._averages:
            # `fit` ends by putting the averages in place of the weights: good for scoring, not for training on.
            hooks["on_epoch_end"] = keep_unaveraged
        callbacks = [keras.callbacks.LambdaCallback(**hooks)] if hooks else None
        history = self.model.fit(self._feed.dataset, epochs=1, verbose=0, shuffle=False, callbacks=callbacks)
        return float(history.history[_BARE][0])

    def predict(self, x: Array) -> NDArray[np.float64]:
        """Predictions (rows, outputs), in inference mode."""
        import tensorflow as tf

        values = max(1, int(np.prod(x.shape[1:])))
        rows = max(1, min(_PREDICTION_ROWS, _PREDICTION_VALUES // values))
        parts = [
            self._predict(tf.convert_to_tensor(x[start : start + rows], tf.float32)).numpy()
            for start in range(0, len(x), rows)
        ]
        if not parts:
            return np.zeros((0, *self.model.output_shape[1:]))
        return np.concatenate(parts).astype(np.float64)

    def loss(self, y: Array, predictions: NDArray[np.float64], weight: Array | None) -> float:
        """The mean loss of predictions, weighted by `weight` alone: no penalties, no class weights."""
        import tensorflow as tf

        losses = self._loss.call(tf.convert_to_tensor(y), tf.convert_to_tensor(predictions, tf.float32))
        return float(np.average(losses.numpy().astype(np.float64), weights=weight))

    def variables(self) -> list[Array]:
        """A copy of all variables of the model: weights, moving statistics, states of random numbers."""
        return _copies(self.model.variables)

    def restore(self, snapshot: list[Array]) -> None:
        """Puts back what `variables` gave."""
        _assign(self.model.variables, snapshot)

    def state(self) -> dict[str, list[Array]]:
        """A copy of all that training goes on from: `variables` and the optimizer's."""
        return {
            "model": self.variables(),
            "optimizer": _copies(self.model.optimizer.variables),
            "unaveraged": list(self._unaveraged or []),
        }

    def restore_state(self, state: dict[str, list[Array]]) -> None:
        """Puts back what `state` gave."""
        self.restore(state["model"])
        _assign(self.model.optimizer.variables, state["optimizer"])
        self._unaveraged = list(state["unaveraged"]) or None


def _feed(x: Array, y: Array, weight: Array | None, batch_size: int) -> _Feed:
    """Rows stay where they are; each batch is gathered while the one before is trained on."""
    import tensorflow as tf

    rows = len(x)
    with tf.device("CPU:0"):
        tensors = [tf.convert_to_tensor(x, tf.float32), tf.convert_to_tensor(y)]
        if weight is not None:
            tensors.append(tf.convert_to_tensor(weight, tf.float32))
        order = tf.Variable(tf.zeros(rows, tf.int32), trainable=False)

        def batch(first: Any) -> tuple[Any, ...]:
            picked = order[first : tf.minimum(first + batch_size, rows)]
            return tuple(tf.gather(tensor, picked) for tensor in tensors)

        starts = tf.data.Dataset.range(0, rows, batch_size, output_type=tf.int32)
        dataset = starts.map(batch).prefetch(tf.data.AUTOTUNE)
    return _Feed((x, y, weight), batch_size, order, dataset)


def _copies(variables: list[Any]) -> list[Array]:
    import keras

    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: list[Any], values: list[Array]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
