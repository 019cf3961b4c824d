"""Losses, with Keras's fields and defaults; `mse`, `mae`, `msle` and `mape` by their short names.

Networks give probabilities and one number per row and target, so `from_logits` and `axis` are not offered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from dlcli import custom_code
from dlcli.part import CodePath, Loss, Number
from dlcli.task import ALL_TASKS, NUMBERS, Goal, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_YES_NO = frozenset({Task.BINARY, Task.MULTILABEL})
_ONE_OF_MANY = frozenset({Task.MULTICLASS})
LabelSmoothing = Annotated[
    Number, Field(ge=0, le=1, description="Share of each label that is spread over all classes.")
]


class StockLoss(Loss):
    """A loss that Keras has.

    Attributes:
        keras_name: its class in `keras.losses`.
    """

    keras_name: ClassVar[str]

    def build(self) -> Any:
        """The `keras.losses.Loss`."""
        import keras

        return getattr(keras.losses, self.keras_name)(**self.model_dump())


class BinaryCrossentropy(StockLoss):
    """-[y log p + (1 - y) log(1 - p)], the mean over labels."""

    part_name = "binary_crossentropy"
    keras_name = "BinaryCrossentropy"
    example = "binary_crossentropy"
    tasks = _YES_NO | {Task.BOUNDED_REGRESSION}

    label_smoothing: LabelSmoothing = 0.0


class BinaryFocalCrossentropy(StockLoss):
    """Binary crossentropy in which easy rows count less. Lin et al., 2017, arxiv.org/abs/1708.02002."""

    part_name = "binary_focal_crossentropy"
    keras_name = "BinaryFocalCrossentropy"
    example = "binary_focal_crossentropy: {gamma: 2}"
    tasks = _YES_NO

    apply_class_balancing: Annotated[bool, Field(description="Whether alpha weights the classes.")] = False
    alpha: Annotated[Number, Field(ge=0, le=1, description="Weight of the positive class.")] = 0.25
    gamma: Annotated[Number, Field(ge=0, description="How much less easy rows count; 0: not at all.")] = 2.0
    label_smoothing: LabelSmoothing = 0.0


class SparseCategoricalCrossentropy(StockLoss):
    """-log of the true class's probability; labels as class numbers."""

    part_name = "sparse_categorical_crossentropy"
    keras_name = "SparseCategoricalCrossentropy"
    example = "sparse_categorical_crossentropy"
    tasks = _ONE_OF_MANY
    encoding = "index"


class CategoricalCrossentropy(StockLoss):
    """-log of the true class's probability; labels as one bit per class."""

    part_name = "categorical_crossentropy"
    keras_name = "CategoricalCrossentropy"
    example = "categorical_crossentropy: {label_smoothing: 0.1}"
    tasks = _ONE_OF_MANY
    encoding = "one_hot"

    label_smoothing: LabelSmoothing = 0.0


class CategoricalFocalCrossentropy(StockLoss):
    """Categorical crossentropy in which easy rows count less."""

    part_name = "categorical_focal_crossentropy"
    keras_name = "CategoricalFocalCrossentropy"
    example = "categorical_focal_crossentropy: {gamma: 2}"
    tasks = _ONE_OF_MANY
    encoding = "one_hot"

    alpha: Annotated[Number, Field(ge=0, description="Weight of every class.")] = 0.25
    gamma: Annotated[Number, Field(ge=0, description="How much less easy rows count; 0: not at all.")] = 2.0
    label_smoothing: LabelSmoothing = 0.0


class CategoricalGeneralizedCrossEntropy(StockLoss):
    """(1 - p^q) / q for the true class's probability p: robust against wrong labels.

    Zhang and Sabuncu, 2018, arxiv.org/abs/1805.07836.
    """

    part_name = "categorical_generalized_cross_entropy"
    keras_name = "CategoricalGeneralizedCrossEntropy"
    example = "categorical_generalized_cross_entropy: {q: 0.7}"
    tasks = _ONE_OF_MANY
    encoding = "index"

    q: Annotated[Number, Field(gt=0, lt=1, description="0 is like crossentropy, 1 like the mean absolute error.")] = 0.5


class CategoricalHinge(StockLoss):
    """max(0, 1 + the largest other class - the true class)."""

    part_name = "categorical_hinge"
    keras_name = "CategoricalHinge"
    example = "categorical_hinge"
    tasks = _ONE_OF_MANY
    encoding = "one_hot"


class KLDivergence(StockLoss):
    """The sum over classes of y log(y / p)."""

    part_name = "kl_divergence"
    keras_name = "KLDivergence"
    example = "kl_divergence"
    tasks = _ONE_OF_MANY
    encoding = "one_hot"


class MeanSquaredError(StockLoss):
    """The mean of (y - p)^2."""

    part_name = "mse"
    keras_name = "MeanSquaredError"
    example = "mse"
    tasks = NUMBERS


class MeanAbsoluteError(StockLoss):
    """The mean of |y - p|: less moved by outliers than mse."""

    part_name = "mae"
    keras_name = "MeanAbsoluteError"
    example = "mae"
    tasks = NUMBERS


class MeanSquaredLogarithmicError(StockLoss):
    """The mean of (log(y + 1) - log(p + 1))^2, for values above 0."""

    part_name = "msle"
    needs_amounts = True
    keras_name = "MeanSquaredLogarithmicError"
    example = "msle"
    tasks = NUMBERS


class MeanAbsolutePercentageError(StockLoss):
    """100 times the mean of |(y - p) / y|, for values away from 0."""

    part_name = "mape"
    keras_name = "MeanAbsolutePercentageError"
    example = "mape"
    tasks = NUMBERS


class Huber(StockLoss):
    """Squared for errors up to delta, linear beyond."""

    part_name = "huber"
    keras_name = "Huber"
    example = "huber: {delta: 1.0}"
    tasks = NUMBERS

    delta: Annotated[Number, Field(gt=0, description="The error from which on the loss is linear.")] = 1.0


class LogCosh(StockLoss):
    """The mean of log cosh(p - y): like mse for small errors, like mae for large ones."""

    part_name = "log_cosh"
    keras_name = "LogCosh"
    example = "log_cosh"
    tasks = NUMBERS


class Poisson(StockLoss):
    """The mean of p - y log p, for counts; the output must be above 0 (softplus, exponential)."""

    part_name = "poisson"
    needs_amounts = True
    keras_name = "Poisson"
    example = "poisson"
    tasks = NUMBERS


class CosineSimilarity(StockLoss):
    """Minus the cosine between target and prediction, for several targets: only the direction counts."""

    part_name = "cosine_similarity"
    keras_name = "CosineSimilarity"
    example = "cosine_similarity"
    tasks = NUMBERS


class CustomLoss(Loss):
    """A function f(y_true, y_pred) from a Python file, one loss per row.

    Classes come as numbers: (rows,) for multiclass, else (rows, targets).
    """

    part_name = "custom"
    main_field = "object"
    example = 'custom: {object: "losses.py:quantile"}'
    runs_code = True
    tasks = ALL_TASKS

    object: Annotated[CodePath, Field(description="file.py:Name of a function of y_true and y_pred.")]
    arguments: dict[str, Any] = Field(default_factory=dict, description="Further arguments of the function.")

    def build(self) -> Any:
        """The `keras.losses.Loss`."""
        from functools import partial

        from dlcli.network.keras_losses import FunctionLoss

        return FunctionLoss(partial(custom_code.load(self.object), **self.arguments))


def encode(loss: Loss, goal: Goal, truth: NDArray[Any]) -> NDArray[Any]:
    """The truth as the loss takes it.

    Args:
        loss: the loss.
        goal: task and classes.
        truth: class numbers (rows,) or values (rows, targets), as `data.target` gives them.

    Returns:
        int32 (rows,) for class numbers; float32 (rows, classes) for one_hot, (rows, targets) otherwise.
    """
    import numpy as np

    if goal.task is not Task.MULTICLASS:
        return np.ascontiguousarray(truth, dtype=np.float32).reshape(len(truth), -1)
    if loss.encoding == "one_hot":
        bits: NDArray[np.float32] = np.eye(goal.outputs, dtype=np.float32)[truth]
        return bits
    return np.ascontiguousarray(truth, dtype=np.int32)
