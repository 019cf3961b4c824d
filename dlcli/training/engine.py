"""The engine: a compiled Keras model trained in whole epochs, or segments of them, inside one graph.

`fit` pays for a Python call per batch; here a loop inside the graph takes the batches of an epoch from
tensors that stay on the device and calls the model's own `train_step` on each. In graph mode the weights
end with the bits of `fit(shuffle=False)` fed the same batches. The engine knows nothing of configs, files
or terminals; a Keras user could use it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcli.training.graphs import Augment, Graphs

if TYPE_CHECKING:
    import keras

Array = NDArray[Any]
_SLACK = 64
"""XLA compiles for one number of rows: room for a 64th more lets folds of other sizes share it."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a subset.

    Attributes:
        x: inputs (rows, *shape), as the model or `prepare` takes them.
        y: targets, as the loss takes them.
        weight: (rows,) or None.
    """

    x: Array
    y: Array
    weight: Array | None = None

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True, eq=False)
class Epoch:
    """What an epoch is trained with.

    Attributes:
        order: int32 (rows,), the row numbers in the order in which they are used.
        rates: (batches,) the learning rate of every batch; None leaves it to the optimizer, which must not have a
            schedule of its own otherwise.
        key: two whole numbers that `augment` draws from, together with the number of the batch.
    """

    order: NDArray[np.int32]
    rates: NDArray[np.float64] | None = None
    key: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """What an epoch left.

    Attributes:
        metrics: the model's metrics over the training rows of the epoch, by name.
        predictions: (rows, outputs) of the validation rows.
        losses: (rows,) their losses, without penalties.
        finite: whether every weight is a finite number.
        state: the variables that training goes on from, held on the device; see `Engine.put`.
    """

    metrics: Mapping[str, float]
    predictions: Array
    losses: Array
    finite: bool
    state: Sequence[Any]


class Engine:
    """Trains one compiled model, on one set of rows after the other; what was traced or compiled is kept.

    Args:
        model: a compiled Keras model with one input and one output. Its own `train_step` is what runs.
        row_loss: from targets and predictions to a loss per row, for validation rows.
        xla: whether whole batches are compiled by XLA. Then weights agree with those of `fit` to rounding
            only, and what a layer draws comes from another stream of random numbers.
        prepare: from inputs as they are kept to inputs as the model takes them, inside the graph.
        augment: changes a training batch, inside the graph, after `prepare`.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        row_loss: Callable[[Any, Any], Any] | None = None,
        xla: bool = False,
        prepare: Callable[[Any], Any] | None = None,
        augment: Augment | None = None,
    ) -> None:
        self.model = model
        self.xla = xla
        self.augment = augment
        optimizer = model.optimizer
        optimizer.build(model.trainable_variables)
        self._variables = _unique([*model.variables, *optimizer.variables])
        self._graphs = Graphs(model, self._variables, row_loss, prepare, augment)
        self._optimizer = self._graphs.optimizer
        self._capacity = 0

    def load(self, train: Rows, validation: Rows | None = None, *, batch_size: int) -> None:
        """Takes the rows to train on, and those that are predicted at the end of every epoch."""
        import tensorflow as tf

        self._rows, self._batch_size = len(train), batch_size
        if self.xla and not self._rows <= self._capacity <= 2 * self._rows:
            self._capacity = self._rows + self._rows // _SLACK
        arrays = (train.x, train.y) if train.weight is None else (train.x, train.y, train.weight)
        self._train = tuple(tf.convert_to_tensor(_padded(array, self._capacity)) for array in arrays)
        held = validation or Rows(train.x[:0], train.y[:0])
        self._validation = (tf.convert_to_tensor(held.x), tf.convert_to_tensor(held.y))

    @property
    def batches(self) -> int:
        """Batches of an epoch; the last one may be smaller."""
        return -(-self._rows // self._batch_size)

    @property
    def traces(self) -> int:
        """How many graphs were traced so far."""
        return self._graphs.traces

    def train(self, epoch: Epoch, first: int, last: int) -> None:
        """Trains on the batches [first, last) of an epoch."""
        turns = self._turns(epoch)
        first = self._train_whole_batches(turns, first, last)
        if last > first:
            self._graphs.train(self._train, turns, _bounds(first, last), np.int32(self._batch_size))

    def finish(self, epoch: Epoch, first: int) -> Closed:
        """Trains on the batches from `first` on, predicts the validation rows, reads and resets the metrics."""
        turns, last = self._turns(epoch), self.batches
        first = self._train_whole_batches(turns, first, last)
        if last > first:
            left = self._graphs.finish(
                self._train, turns, _bounds(first, last), np.int32(self._batch_size), self._validation
            )
        else:
            left = self._graphs.close(self._validation)
        metrics, predictions, losses, finite, state = left
        named = {name: float(value) for name, value in metrics.items()}
        return Closed(named, predictions.numpy(), losses.numpy(), bool(finite), state)

    def predict(self, x: Array) -> NDArray[np.float64]:
        """Predictions (rows, outputs), in inference mode."""
        import tensorflow as tf

        predictions: NDArray[np.float64] = self._graphs.predict(tf.convert_to_tensor(x)).numpy().astype(np.float64)
        return predictions

    def metrics(self, *, reset: bool = False) -> dict[str, float]:
        """The model's metrics since they were last reset."""
        found = {name: float(value) for name, value in self.model.get_metrics_result().items()}
        if reset:
            self.model.reset_metrics()
        return found

    def snapshot(self) -> list[Array]:
        """What `put` takes, of now."""
        return copies(self._variables)

    def put(self, state: Sequence[Any]) -> None:
        """Goes back to the `Closed.state` of an earlier epoch."""
        _assign(self._variables, state)
        self.model.reset_metrics()

    def averaged(self, state: Sequence[Any]) -> list[Any]:
        """The model's variables of a state, with the moving averages of weights where the optimizer keeps them."""
        places = {id(variable): place for place, variable in enumerate(self._variables)}
        values = {id(variable): state[places[id(variable)]] for variable in self.model.variables}
        if self._optimizer.use_ema:
            averages = self._optimizer._model_variables_moving_average
            for variable, average in zip(self.model.trainable_variables, averages, strict=True):
                values[id(variable)] = state[places[id(average)]]
        return [values[id(variable)] for variable in self.model.variables]

    def show(self, weights: Sequence[Any]) -> None:
        """Puts variables of the model in place, e.g. those that `averaged` gave."""
        _assign(self.model.variables, weights)

    def restart(self, weights: Sequence[Any]) -> None:
        """Begins a new training with the variables of another model of the same architecture."""
        _assign(self.model.variables, weights)
        optimizer = self.model.optimizer
        fresh = type(optimizer).from_config(optimizer.get_config())
        fresh.build(self.model.trainable_variables)  # some optimizers begin with copies of the weights
        _assign(optimizer.variables, fresh.variables)
        self.model.reset_metrics()

    def state(self) -> dict[str, Any]:
        """A copy of everything that training goes on from, also in the middle of an epoch."""
        return {"variables": copies(self._all_variables())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Puts back what `state` gave.

        Raises:
            ValueError: it is the state of another model.
        """
        x, y, *weight = (tensor[:1] for tensor in self._train)
        outputs = self.model(self._graphs.prepare(x), training=False)
        self.model.compute_metrics(x, y, outputs, *weight)  # Keras makes the variables of metrics at their first use
        every, values = self._all_variables(), state["variables"]
        if [tuple(variable.shape) for variable in every] != [value.shape for value in values]:
            message = "the state is that of another model"
            raise ValueError(message)
        _assign(every, values)

    def _all_variables(self) -> list[Any]:
        return _unique([*self._variables, *(v for metric in self.model.metrics for v in metric.variables)])

    def _train_whole_batches(self, turns: Any, first: int, last: int) -> int:
        """With XLA trains on the batches that are full, whose shape is known; returns the first one left."""
        whole = min(last, self._rows // self._batch_size) if self.xla else first
        if whole <= first:
            return first
        order, key, *rates = turns
        room = -(-self._capacity // self._batch_size)
        turns = _padded(order, self._capacity), key, *(_padded(each, room) for each in rates)
        self._graphs.train_by_xla(self._train, turns, _bounds(first, whole), self._batch_size)
        return whole

    def _turns(self, epoch: Epoch) -> tuple[Array, ...]:
        """Order, key and, where they are given, rates of an epoch as the graphs take them."""
        rates = () if epoch.rates is None else (epoch.rates.astype(np.float32),)
        return epoch.order, np.asarray(epoch.key, np.int32), *rates


def _bounds(first: int, last: int) -> Array:
    return np.array([first, last], np.int32)


def _padded(array: Array, rows: int) -> Array:
    """The array with rows of zeros, which nothing reads, up to a number of rows."""
    missing = rows - len(array)
    return array if missing <= 0 else np.concatenate([array, np.zeros((missing, *array.shape[1:]), array.dtype)])


def copies(values: Sequence[Any]) -> list[Array]:
    """Variables or tensors as arrays of their own."""
    import keras

    return [np.array(keras.ops.convert_to_numpy(value)) for value in values]


def _unique(variables: Sequence[Any]) -> list[Any]:
    """Every variable once."""
    return list({id(variable): variable for variable in variables}.values())


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
