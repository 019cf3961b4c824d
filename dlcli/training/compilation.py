"""How a Keras model is compiled for the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

BARE_LOSS = "bare_loss"
"""The metric that holds the loss without penalties and class weights, so that runs compare."""


def compile_model(
    model: keras.Model, optimizer: keras.Optimizer, loss: keras.losses.Loss, *, class_weighted: bool = False
) -> None:
    """Compiles a model so that its only metric is the bare loss.

    Args:
        model: with one output.
        optimizer: wrapped to scale the loss where a layer computes in float16, which loses small gradients.
        loss: a Keras loss.
        class_weighted: whether rows of some classes count more, see `weigh_classes`.
    """
    import keras

    from dlcli.training.keras_loss import ClassWeighted

    # Keras would scale the loss only where the whole process runs in half precision.
    if any(layer.compute_dtype == "float16" for layer in model.layers):
        optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
    model.compile(
        optimizer=optimizer,
        loss=ClassWeighted(loss, model.output_shape[-1]) if class_weighted else loss,
        weighted_metrics=[keras.metrics.MeanMetricWrapper(loss.call, name=BARE_LOSS)],
        jit_compile=False,
        auto_scale_loss=False,
    )


def weigh_classes(model: keras.Model, factors: NDArray[Any]) -> None:
    """Sets by how much the loss of a row of each class is multiplied, in training only."""
    model.loss.factors.assign(np.asarray(factors, np.float32))
