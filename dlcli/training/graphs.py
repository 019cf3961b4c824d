"""The graphs of one model: a loop over batches, predictions, the end of an epoch. Traced when first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

Augment = Callable[[Any, Any, Any, Any], tuple[Any, Any, Any]]
"""From x, y, weight (or None) and a key to x, y, weight of the augmented batch."""
_CHUNK_ROWS = 8192
_CHUNK_VALUES = 2**20
"""Most values of one prediction batch, so that what convolutions make of them fits into memory."""


class Graphs:
    """What runs inside TensorFlow: tensors in, tensors out. `Engine` holds the arrays and says when.

    Each attribute is a function that is traced once for the types and shapes of its arguments, whatever the
    number of rows, so that folds share a trace and the last batch may be smaller.
    """

    def __init__(
        self,
        model: keras.Model,
        variables: Sequence[Any],
        row_loss: Callable[[Any, Any], Any] | None,
        prepare: Callable[[Any], Any] | None,
        augment: Augment | None,
    ) -> None:
        self._model = model
        self._variables = variables
        self._row_loss = row_loss
        self.prepare = prepare or (lambda x: x)
        self._augment = augment
        self.optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        self.train = _Traced(self._train)
        self.train_by_xla = _Traced(self._train, xla=True)
        self.predict = _Traced(self._predict)
        self.close = _Traced(self._close)
        self.validate = _Traced(self._validate)
        self.finish = _Traced(self._finish)

    @property
    def traces(self) -> int:
        """How many there are by now."""
        functions = (self.train, self.train_by_xla, self.predict, self.validate, self.close, self.finish)
        return sum(function.traces for function in functions)

    def _train(self, data: Any, turns: Any, bounds: Any, size: Any) -> None:
        """Trains on the batches between two bounds, counted from the third, whose rows stand first.

        `size` is a Python number where shapes must be known.
        """
        import tensorflow as tf

        order, key, *rates = turns
        rows = tf.shape(order)[0]

        def step(place: Any) -> Any:
            start = place * size
            if isinstance(size, int):
                picked = tf.slice(order, [start], [size])
            else:
                picked = order[start : tf.minimum(start + size, rows)]
            x, y, weight = (*(tf.gather(tensor, picked) for tensor in data), None)[:3]
            x = self.prepare(x)
            if self._augment is not None:
                x, y, weight = self._augment(
                    x, y, weight, tf.random.experimental.stateless_fold_in(key, bounds[2] + place)
                )
            if rates:
                self.optimizer.learning_rate.assign(rates[0][place])
            self._model.train_step((x, y) if weight is None else (x, y, weight))
            return place + 1

        with _named_generator():
            tf.while_loop(lambda place: place < bounds[1], step, [bounds[0]], parallel_iterations=1)

    def _predict(self, x: Any) -> Any:
        """Predictions in inference mode, some rows at a time."""
        import tensorflow as tf

        size = rows_predicted_at_once(x.shape[1:])

        def some(rows: Any) -> Any:
            return self._model(self.prepare(rows), training=False)

        def step(number: Any, parts: Any) -> tuple[Any, Any]:
            return number + 1, parts.write(number, some(x[number * size : (number + 1) * size]))

        chunks = tf.maximum(1, -(-tf.shape(x)[0] // size))
        row = self._model.outputs[0].shape[1:]
        parts = tf.TensorArray(self._model.outputs[0].dtype, chunks, element_shape=(None, *row), infer_shape=False)
        _, parts = tf.while_loop(lambda number, _: number < chunks, step, [0, parts], parallel_iterations=1)
        return parts.concat()

    def _close(self, validation: Any) -> Any:
        """The end of an epoch."""
        import tensorflow as tf

        metrics = self._model.get_metrics_result()
        self._model.reset_metrics()
        state = [tf.identity(variable.value) for variable in self._variables]
        floats = [value for value in state if value.dtype.is_floating]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in floats])
        predictions, losses = self._validate(validation)
        return metrics, predictions, losses, finite, state

    def _validate(self, validation: Any) -> Any:
        """Predictions and losses; where the optimizer averages weights, those predict and then step back."""
        import tensorflow as tf

        variables = self._model.trainable_variables
        weights = [tf.identity(variable.value) for variable in variables]
        if self.optimizer.use_ema:
            self.optimizer.finalize_variable_values(variables)
        x, y = validation
        predictions = self.predict(x)
        if self.optimizer.use_ema:
            for variable, weight in zip(variables, weights, strict=True):
                variable.assign(weight)
        return predictions, predictions[:0] if self._row_loss is None else self._row_loss(y, predictions)

    def _finish(self, data: Any, turns: Any, bounds: Any, size: Any, validation: Any) -> Any:
        """The rest of an epoch and its end, in one call."""
        self.train(data, turns, bounds, size)
        return self._close(validation)


def rows_predicted_at_once(shape: Sequence[int]) -> int:
    """How many rows of a shape make one prediction batch."""
    return max(1, min(_CHUNK_ROWS, _CHUNK_VALUES // max(1, int(np.prod(shape)))))


class _Traced:
    """A function traced once per types and shapes of its arguments, but for the number of rows.

    Whole numbers of Python among the arguments are constants of the trace.
    """

    def __init__(self, function: Callable[..., Any], *, xla: bool = False) -> None:
        self._function = function
        self._xla = xla
        self._traces: dict[Any, Any] = {}

    @property
    def traces(self) -> int:
        """How often it was traced."""
        return len(self._traces)

    def __call__(self, *arguments: Any) -> Any:
        import tensorflow as tf

        flat = tf.nest.flatten(arguments)
        key = tuple(
            each if isinstance(each, int) else (tf.as_dtype(each.dtype), tuple(each.shape[1:])) for each in flat
        )
        trace = self._traces.get(key)
        if trace is None:
            trace = self._traces[key] = self._trace(arguments, flat)
        return trace(*(each for each in flat if not isinstance(each, int)))

    def _trace(self, arguments: Any, flat: list[Any]) -> Any:
        import tensorflow as tf

        def packed(*tensors: Any) -> Any:
            left = iter(tensors)
            every = [each if isinstance(each, int) else next(left) for each in flat]
            return self._function(*tf.nest.pack_sequence_as(arguments, every))

        specs = [
            tf.TensorSpec((None, *each.shape[1:]) if len(each.shape) else (), each.dtype)
            for each in flat
            if not isinstance(each, int)
        ]
        function = tf.function(packed, specs, autograph=False, jit_compile=True if self._xla else None)
        return function.get_concrete_function()


@contextmanager
def _named_generator() -> Iterator[None]:
    """Names the generator of random numbers while a graph is traced.

    Keras's dropout asks TensorFlow to choose one. It chooses Philox, which XLA on CPU compiles into code that is
    30 times slower if it was chosen than if it was asked for. The numbers are the same.
    """
    import tensorflow as tf

    names = {"stateless_uniform": "alg", "stateless_normal": "alg", "stateless_truncated_normal": "alg"}
    places = [(tf.random, name, argument) for name, argument in names.items()]
    places.append((tf.nn.experimental, "stateless_dropout", "rng_alg"))
    kept = [getattr(module, name) for module, name, _ in places]

    def named(function: Any, argument: str) -> Any:
        return lambda *values, **fields: function(*values, **({argument: "philox"} | fields))

    try:
        for (module, name, argument), function in zip(places, kept, strict=True):
            setattr(module, name, named(function, argument))
        yield
    finally:
        for (module, name, _), function in zip(places, kept, strict=True):
            setattr(module, name, function)
