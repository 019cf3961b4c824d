"""Optimizers, with Keras's names, fields and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, model_validator

from dlcli.part import Number, Optimizer

if TYPE_CHECKING:
    import keras

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


class KerasOptimizer(Optimizer):
    """Fields that every Keras optimizer has.

    Attributes:
        keras_name: its class in `keras.optimizers`.
    """

    keras_name: ClassVar[str]

    weight_decay: Annotated[
        Number | None, Field(ge=0, description="Share of each weight taken off at each step, times the learning rate.")
    ] = None
    clipnorm: Annotated[Number | None, Field(gt=0, description="Largest norm of the gradient of one weight.")] = None
    clipvalue: Annotated[Number | None, Field(gt=0, description="Largest absolute entry of a gradient.")] = None
    global_clipnorm: Annotated[Number | None, Field(gt=0, description="Largest norm of all gradients together.")] = None
    use_ema: Annotated[
        bool, Field(description="Keep a moving average of the weights, used for validation and kept at the end.")
    ] = False
    ema_momentum: Annotated[Number, Field(ge=0, le=1, description="Share of the old average at each step.")] = 0.99
    ema_overwrite_frequency: Annotated[
        int | None, Field(ge=1, description="Steps after which training goes on from the averaged weights.")
    ] = None
    loss_scale_factor: Annotated[
        Number | None, Field(gt=0, description="Factor of the loss while gradients are computed, then taken out.")
    ] = None
    gradient_accumulation_steps: Annotated[
        int | None, Field(ge=2, description="Batches whose gradients are averaged for one update.")
    ] = None

    @model_validator(mode="after")
    def _one_clip(self) -> KerasOptimizer:
        """Keras takes one kind of clipping at a time."""
        written = [name for name in _CLIPS if getattr(self, name) is not None]
        if len(written) > 1:
            message = f"only one kind of clipping can be used, got {' and '.join(written)}"
            raise ValueError(message)
        return self

    def build(self) -> keras.Optimizer:
        """The Keras optimizer at its `learning_rate`."""
        import keras

        return getattr(keras.optimizers, self.keras_name)(**self.model_dump())


class SGD(KerasOptimizer):
    """Gradient descent, with momentum where asked.

    Each step subtracts `learning_rate` times the gradient; with momentum m: v = m v - rate g, w += v.
    """

    part_name = "sgd"
    keras_name = "SGD"
    example = "sgd: {learning_rate: 0.01, momentum: 0.9}"

    learning_rate: Annotated[Number, Field(gt=0, description="Learning rate before any schedule.")] = 0.01
    momentum: Annotated[Number, Field(ge=0, le=1, description="Share of the last step that is kept.")] = 0.0
    nesterov: Annotated[bool, Field(description="Take the gradient where momentum would lead.")] = False


class RMSprop(KerasOptimizer):
    """Divides the gradient by the root of a moving mean of its square."""

    part_name = "rmsprop"
    keras_name = "RMSprop"
    example = "rmsprop: 0.001"

    rho: Annotated[Number, Field(ge=0, lt=1, description="Share of the old mean square at each step.")] = 0.9
    momentum: Annotated[Number, Field(ge=0, le=1, description="Share of the last step that is kept.")] = 0.0
    epsilon: Annotated[Number, Field(ge=0, description="Added below the fraction, against division by 0.")] = 1e-7
    centered: Annotated[bool, Field(description="Divide by the variance of the gradient instead.")] = False


class Adam(KerasOptimizer):
    """Moving means of the gradient and of its square; the usual first choice.

    Kingma and Ba, 2015, arxiv.org/abs/1412.6980.
    """

    part_name = "adam"
    keras_name = "Adam"
    example = "adam: {learning_rate: 0.001}"

    beta_1: Annotated[Number, Field(ge=0, lt=1, description="Share of the old mean gradient at each step.")] = 0.9
    beta_2: Annotated[Number, Field(ge=0, lt=1, description="Share of the old mean square at each step.")] = 0.999
    epsilon: Annotated[Number, Field(ge=0, description="Added below the fraction, against division by 0.")] = 1e-7
    amsgrad: Annotated[bool, Field(description="Use the largest mean square so far.")] = False
