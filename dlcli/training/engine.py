"""The engine: a compiled Keras model trained in whole epochs, or segments of them, inside one graph.

`fit` pays for a Python call per batch; here a loop inside the graph takes the batches of an epoch from
tensors that stay on the device and calls the model's own `train_step` on each. In graph mode the weights
end with the bits of `fit(shuffle=False)` fed the same batches. The engine knows nothing of configs, files
or terminals; a Keras user could use it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcli.storage import Mapped
from dlcli.training.graphs import Augment, Graphs
from dlcli.training.portions import Held, Portion, Stream, padded, prediction_parts, tensor, tensor_of

if TYPE_CHECKING:
    import keras

Array = NDArray[Any]
_SLACK = 64
"""XLA compiles for one number of rows: room for a 64th more lets folds of other sizes share it."""
_LARGE_BYTES = 64 * 1024 * 1024
"""Rows that take more are not copied to make that room; what was compiled for more rows may still want it."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a subset.

    Attributes:
        x: inputs (rows, *shape), as the model or `prepare` takes them; `Mapped` where they lie on disk.
        y: targets, as the loss takes them.
        weight: (rows,) or None.
    """

    x: Array | Mapped
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
        self._rows, self._batch_size = len(train), batch_size
        others = (train.y,) if train.weight is None else (train.y, train.weight)
        if isinstance(train.x, Mapped):
            stream = Stream(train.x, others, batch_size, same_size=self.xla)
            self._train: Held | Stream = stream
            self._capacity = stream.rows
        else:
            if self.xla and not self._rows <= self._capacity <= 2 * self._rows:
                slack = self._rows // _SLACK if train.x.nbytes <= _LARGE_BYTES else 0
                self._capacity = self._rows + slack
            self._train = Held(tuple(tensor(padded(array, self._capacity)) for array in (train.x, *others)))
        self._validation = validation or Rows(self._train.example()[0].numpy()[:0], train.y[:0])
        few = len(list(prediction_parts(self._validation.x))) == 1
        self._held = list(self._read(self._validation)) if few else None

    def release(self) -> None:
        """Forgets the rows that `load` took, so that others have room."""
        del self._train, self._validation, self._held

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
        for arguments in self._steps(epoch, first, last):
            self._graphs.train(*arguments)

    def finish(self, epoch: Epoch, first: int) -> Closed:
        """Trains on the batches from `first` on, predicts the validation rows, reads and resets the metrics."""
        arguments: tuple[Any, ...] = ()
        for following in self._steps(epoch, first, self.batches):
            if arguments:
                self._graphs.train(*arguments)
            arguments = following
        parts = iter(self._held or self._read(self._validation))
        part = next(parts)
        left = self._graphs.finish(*arguments, part) if arguments else self._graphs.close(part)
        metrics, predictions, losses, finite, state = left
        more = [self._graphs.validate(part) for part in parts]
        named = {name: float(value) for name, value in metrics.items()}
        return Closed(
            named,
            _joined([predictions, *(each for each, _ in more)]),
            _joined([losses, *(each for _, each in more)]),
            bool(finite),
            state,
        )

    def predict(self, x: Array | Mapped) -> NDArray[np.float64]:
        """Predictions (rows, outputs), in inference mode."""
        return _joined([self._graphs.predict(tensor_of(x, part)) for part in prediction_parts(x)]).astype(np.float64)

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
        x, y, *weight = self._train.example()
        outputs = self.model(self._graphs.prepare(x), training=False)
        self.model.compute_metrics(x, y, outputs, *weight)  # Keras makes the variables of metrics at their first use
        every, values = self._all_variables(), state["variables"]
        if [tuple(variable.shape) for variable in every] != [value.shape for value in values]:
            message = "the state is that of another model"
            raise ValueError(message)
        _assign(every, values)

    def _all_variables(self) -> list[Any]:
        return _unique([*self._variables, *(v for metric in self.model.metrics for v in metric.variables)])

    def _steps(self, epoch: Epoch, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        """What the graph `train` takes, one after the other; with XLA all batches but a smaller last one are done."""
        for portion in self._train.portions(epoch.order, first, last):
            begin = self._train_by_xla(epoch, portion) if self.xla else portion.first
            if portion.last > begin:
                turns, size = self._turns(epoch, portion), np.int32(self._batch_size)
                yield portion.data, turns, _bounds(begin, portion.last, portion.base), size

    def _train_by_xla(self, epoch: Epoch, portion: Portion) -> int:
        """Trains on the batches that are full, whose shape is known; returns the first one left."""
        whole = min(portion.last, self._rows // self._batch_size)
        if whole <= portion.first:
            return portion.first
        order, key, *rates = self._turns(epoch, portion)
        room = -(-self._capacity // self._batch_size)
        turns = padded(order, self._capacity), key, *(padded(each, room) for each in rates)
        bounds = _bounds(portion.first, whole, portion.base)
        self._graphs.train_by_xla(portion.data, turns, bounds, self._batch_size)
        return whole

    def _turns(self, epoch: Epoch, portion: Portion) -> tuple[Array, ...]:
        """Order, key and, where they are given, rates of a portion as the graphs take them."""
        key = np.asarray(epoch.key, np.int32)
        if epoch.rates is None:
            return portion.order, key
        batches = -(-len(portion.order) // self._batch_size)
        return portion.order, key, epoch.rates[portion.base : portion.base + batches].astype(np.float32)

    @staticmethod
    def _read(rows: Rows) -> Iterator[tuple[Any, Any]]:
        """Inputs and targets to predict, some at a time."""
        import tensorflow as tf

        for part in prediction_parts(rows.x):
            yield tensor_of(rows.x, part), tf.convert_to_tensor(rows.y[part])


def _bounds(first: int, last: int, base: int) -> Array:
    return np.array([first - base, last - base, base], np.int32)


def _joined(parts: Sequence[Any]) -> Array:
    arrays: list[Array] = [part.numpy() for part in parts]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


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
