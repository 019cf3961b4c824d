"""The saved model on raw rows: tensors in, predictions in the units of the target out."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dlcli import backend
from dlcli.config.experiment import Experiment
from dlcli.network.layers.custom import CustomLayer
from dlcli.preprocessing.custom import CustomStep
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.problems import ConfigError, Problem
from dlcli.samples import Samples
from dlcli.seeds import Seeds
from dlcli.task import Goal, Task

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

BATCH_VALUES = 2**22
"""Raw values in one batch of predictions."""
BATCH_ROWS = 32
"""Rows in the batch whose prediction is timed."""
_CALLS = 3


def load_model(path: Path, experiment: Experiment, *, trust: bool) -> keras.Model:
    """Loads a model in Keras's safe mode, in which it cannot run code of its own.

    Args:
        path: a `.keras` file.
        experiment: whose layers of the user's own it may hold.
        trust: load also what runs code.

    Raises:
        ConfigError: it is no model, or would run code and is not trusted.
    """
    import keras

    own = [step.layer() for step in experiment.preprocessing if isinstance(step, CustomStep)]
    own += [layer.build(Seeds(0).stream()) for layer in experiment.architecture if isinstance(layer, CustomLayer)]
    classes = {type(layer).__name__: type(layer) for layer in own}
    try:
        with backend.free_input_names():
            model: keras.Model = keras.models.load_model(path, classes, compile=False, safe_mode=not trust)
    except Exception as error:
        # Keras raises ValueError, TypeError, KeyError, OSError or BadZipFile for files that it cannot read.
        if "unsafe" in str(error) or "lambda" in str(error).lower():
            message = f"{path} holds code of its own (a Lambda layer) that would run when it is loaded"
            raise ConfigError(Problem("unsafe-model", message, "if you trust it, run again with --trust")) from error
        damaged = path.is_file() and "not found" in str(error)
        reason = "it is no Keras model" if damaged else (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(Problem("no-model", f"{path} cannot be loaded: {reason}", "train again")) from error
    return model


def predict(
    model: keras.Model, fitted: Pipeline, samples: Samples, rows: NDArray[np.int64], goal: Goal
) -> NDArray[np.float64]:
    """Predictions of typed rows; see `Metric.compute` for their shape.

    Raises:
        DataError: a gap is left after preprocessing, of which a network would make a number all the same.
    """
    fitted.require_finite(samples, rows)
    function = _compiled(model)
    raw = sum(max(1, int(np.prod(column.shape))) for column in fitted.schema.columns.values())
    # A text is one value that becomes thousands.
    values = max(raw * (fitted.length or 1), int(np.prod(fitted.output.shape)))
    size = max(1, BATCH_VALUES // values)
    parts = [function(fitted.tensors(samples, rows[start : start + size])) for start in range(0, len(rows), size)]
    outputs = np.concatenate([part.numpy() for part in parts]).astype(np.float64) if parts else np.zeros((0, 1))
    return outputs[:, 0] if goal.task is Task.BINARY else outputs


@functools.lru_cache(maxsize=1)
def _compiled(model: keras.Model) -> Callable[[dict[str, Any]], Any]:
    """The model as a graph, which is traced once though the model is asked for many predictions in a row."""
    import tensorflow as tf

    return cast(
        "Callable[[dict[str, Any]], Any]", tf.function(functools.partial(model, training=False), reduce_retracing=True)
    )


def seconds(model: keras.Model, fitted: Pipeline, samples: Samples) -> tuple[float, float]:
    """What a call of the model takes on this machine: for one raw row, and for a batch of `BATCH_ROWS`.

    The least of a few calls in Python, without `tf.function`, as a small service would call it.
    """
    return _fastest(model, fitted.tensors(samples, np.arange(1))), _fastest(
        model, fitted.tensors(samples, np.arange(BATCH_ROWS) % samples.rows)
    )


def _fastest(model: keras.Model, rows: dict[str, Any]) -> float:
    found = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        model(rows, training=False)
        found.append(time.perf_counter() - started)
    return min(found)
