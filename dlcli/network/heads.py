"""From the task to the last layer, the loss and the first metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dlcli.network import activations, losses
from dlcli.network.layers.dense import Dense
from dlcli.network.sections import Output
from dlcli.part import Activation, Loss
from dlcli.task import Goal, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ACTIVATIONS: Mapping[Task, type[Activation]] = {
    Task.BINARY: activations.Sigmoid,
    Task.MULTICLASS: activations.Softmax,
    Task.MULTILABEL: activations.Sigmoid,
    Task.REGRESSION: activations.Linear,
    Task.BOUNDED_REGRESSION: activations.Sigmoid,
    Task.FORECAST: activations.Linear,
}
_LOSSES: Mapping[Task, type[Loss]] = {
    Task.BINARY: losses.BinaryCrossentropy,
    Task.MULTICLASS: losses.SparseCategoricalCrossentropy,
    Task.MULTILABEL: losses.BinaryCrossentropy,
    Task.REGRESSION: losses.MeanSquaredError,
    Task.BOUNDED_REGRESSION: losses.MeanSquaredError,
    Task.FORECAST: losses.MeanSquaredError,
}
MetricItem = str | Mapping[str, Mapping[str, str]]
"""A metric as a config writes it: a name, or a name with fields."""
_METRICS: Mapping[Task, tuple[MetricItem, ...]] = {
    Task.BINARY: ("accuracy", "roc_auc"),
    Task.MULTICLASS: ("accuracy",),
    Task.MULTILABEL: ({"f1": {"average": "macro"}}, "mean_average_precision"),
    Task.REGRESSION: ("mae", "rmse", "r2"),
    Task.BOUNDED_REGRESSION: ("mae",),
    Task.FORECAST: ("mae", "mase"),
}


def default_activation(task: Task) -> Activation:
    """The activation of the output layer."""
    return _ACTIVATIONS[task]()


def head(goal: Goal, output: Output) -> Dense:
    """The output layer; what `output` leaves open comes from the task."""
    activation = output.activation
    if activation is None or isinstance(activation, activations.Auto):
        activation = default_activation(goal.task)
    return Dense(units=output.units or goal.outputs, activation=activation)


def default_loss(task: Task, *, fractions: bool = False) -> Loss:
    """The loss of a task; with `fractions` one that takes targets that are fractions of classes."""
    if fractions and task is Task.MULTICLASS:
        return losses.CategoricalCrossentropy()
    return _LOSSES[task]()


def default_metrics(task: Task) -> tuple[MetricItem, ...]:
    """The metrics of a task, the first one first, as a config would write them."""
    return _METRICS[task]


def prior_bias(
    goal: Goal, truth: NDArray[Any], weight: NDArray[np.float64] | None, activation: Activation
) -> NDArray[np.float32]:
    """The bias with which the output layer, its weights still near 0, predicts the shares or means of the rows.

    Args:
        goal: task and classes.
        truth: class numbers (rows,), or values (rows, targets) in the scale of the loss; training rows only.
        weight: (rows,) or None.
        activation: of the output layer; the bias is found for sigmoid, softmax, and as it is for others.

    Returns:
        One number per output.
    """
    import numpy as np

    if goal.task is Task.MULTICLASS:
        shares = np.bincount(truth, weights=weight, minlength=goal.outputs)
        shares = shares / shares.sum()
        logits: NDArray[np.float64] = np.log(np.clip(shares, 1e-7, None))
        return logits.astype(np.float32)
    values = np.asarray(truth, dtype=np.float64).reshape(len(truth), -1)
    means: NDArray[np.float64] = np.average(values, axis=0, weights=weight)
    if isinstance(activation, activations.Sigmoid):
        means = np.clip(means, 1e-7, 1 - 1e-7)
        means = np.log(means / (1 - means))
    return means.astype(np.float32)
