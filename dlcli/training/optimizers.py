"""Optimizers, with Keras's names, fields and defaults."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from dlcli.part import Number, Optimizer
from dlcli.problems import ConfigError, Problem

if TYPE_CHECKING:
    import keras

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")

MeanGradient = Annotated[Number, Field(ge=0, lt=1, description="Share of the old mean gradient at each step.")]
MeanSquare = Annotated[Number, Field(ge=0, lt=1, description="Share of the old mean square at each step.")]
Epsilon = Annotated[Number, Field(ge=0, description="Added below the fraction, against division by 0.")]
FirstSum = Annotated[Number, Field(ge=0, description="What the sum of squared gradients starts with.")]
Momentum = Annotated[Number, Field(ge=0, le=1, description="Share of the last step that is kept.")]
_DECAY = "Share of each weight taken off at each step, times the learning rate."
WeightDecay = Annotated[Number | None, Field(ge=0, description=_DECAY)]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        message = f"must be a regular expression: {error}"
        raise ValueError(message) from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class KerasOptimizer(Optimizer):
    """Fields that every Keras optimizer has.

    Attributes:
        keras_name: its class in `keras.optimizers`.
    """

    keras_name: ClassVar[str]

    weight_decay: WeightDecay = None
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
        """The Keras optimizer at its `learning_rate`.

        Raises:
            ConfigError: the installed Keras is too old for it.
        """
        import keras

        stock = getattr(keras.optimizers, self.keras_name, None)
        fields = self.model_dump()
        if stock is None or not fields.keys() <= inspect.signature(stock).parameters.keys():
            message = f"{self.part_name} needs a newer Keras than {keras.__version__}"
            raise ConfigError(Problem("keras-too-old", message, "pip install -U keras", ("optimizer", self.part_name)))
        return stock(**fields)


class SGD(KerasOptimizer):
    """Gradient descent, with momentum where asked.

    Each step subtracts `learning_rate` times the gradient; with momentum m: v = m v - rate g, w += v.
    """

    part_name = "sgd"
    keras_name = "SGD"
    example = "sgd: {learning_rate: 0.01, momentum: 0.9}"

    learning_rate: Annotated[Number, Field(gt=0, description="Learning rate before any schedule.")] = 0.01
    momentum: Momentum = 0.0
    nesterov: Annotated[bool, Field(description="Take the gradient where momentum would lead.")] = False


class RMSprop(KerasOptimizer):
    """Divides the gradient by the root of a moving mean of its square.

    Hinton, 2012, Neural Networks for Machine Learning, lecture 6e.
    """

    part_name = "rmsprop"
    keras_name = "RMSprop"
    example = "rmsprop: 0.001"

    rho: MeanSquare = 0.9
    momentum: Momentum = 0.0
    epsilon: Epsilon = 1e-7
    centered: Annotated[bool, Field(description="Divide by the variance of the gradient instead.")] = False


class Adam(KerasOptimizer):
    """Moving means of the gradient and of its square; the usual first choice.

    Kingma and Ba, 2015, arxiv.org/abs/1412.6980.
    """

    part_name = "adam"
    keras_name = "Adam"
    example = "adam: {learning_rate: 0.001}"

    beta_1: MeanGradient = 0.9
    beta_2: MeanSquare = 0.999
    epsilon: Epsilon = 1e-7
    amsgrad: Annotated[bool, Field(description="Use the largest mean square so far.")] = False


class AdamW(KerasOptimizer):
    """Adam that also shrinks every weight a little at each step, apart from the gradient.

    Loshchilov and Hutter, 2019, arxiv.org/abs/1711.05101.
    """

    part_name = "adamw"
    keras_name = "AdamW"
    example = "adamw: {learning_rate: 0.001, weight_decay: 0.01}"

    weight_decay: Annotated[Number, Field(ge=0, description=_DECAY)] = 0.004
    beta_1: MeanGradient = 0.9
    beta_2: MeanSquare = 0.999
    epsilon: Epsilon = 1e-7
    amsgrad: Annotated[bool, Field(description="Use the largest mean square so far.")] = False


class Adamax(KerasOptimizer):
    """Adam with a fading maximum of the gradient in place of the mean of its square.

    Kingma and Ba, 2015, section 7.1, arxiv.org/abs/1412.6980.
    """

    part_name = "adamax"
    keras_name = "Adamax"
    example = "adamax: 0.001"

    beta_1: MeanGradient = 0.9
    beta_2: Annotated[Number, Field(ge=0, lt=1, description="Share of the old maximum that is kept at each step.")] = (
        0.999
    )
    epsilon: Epsilon = 1e-7


class Nadam(KerasOptimizer):
    """Adam with Nesterov's look ahead.

    Dozat, 2016, openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ.
    """

    part_name = "nadam"
    keras_name = "Nadam"
    example = "nadam: 0.001"

    beta_1: MeanGradient = 0.9
    beta_2: MeanSquare = 0.999
    epsilon: Epsilon = 1e-7


class Adagrad(KerasOptimizer):
    """Divides the gradient by the root of the sum of all its squares, so that steps only ever shrink.

    Duchi, Hazan and Singer, 2011, jmlr.org/papers/v12/duchi11a.html.
    """

    part_name = "adagrad"
    keras_name = "Adagrad"
    example = "adagrad: 0.01"

    initial_accumulator_value: FirstSum = 0.1
    epsilon: Epsilon = 1e-7


class Adadelta(KerasOptimizer):
    """As rmsprop, times the root of a moving mean of its own squared steps; the paper's learning rate is 1.

    Zeiler, 2012, arxiv.org/abs/1212.5701.
    """

    part_name = "adadelta"
    keras_name = "Adadelta"
    example = "adadelta: 1.0"

    rho: MeanSquare = 0.95
    epsilon: Epsilon = 1e-7


class Lamb(KerasOptimizer):
    """Adam whose step for each weight tensor is as long as the tensor's norm says; made for large batches.

    You et al., 2020, arxiv.org/abs/1904.00962.
    """

    part_name = "lamb"
    keras_name = "Lamb"
    example = "lamb: {learning_rate: 0.002, weight_decay: 0.01}"

    beta_1: MeanGradient = 0.9
    beta_2: MeanSquare = 0.999
    epsilon: Epsilon = 1e-7


class Lion(KerasOptimizer):
    """Every weight moves by the learning rate, in the direction of the mean gradient.

    Wants a learning rate 3 to 10 times smaller, and a weight decay as much larger, than adamw.
    Chen et al., 2023, arxiv.org/abs/2302.06675.
    """

    part_name = "lion"
    keras_name = "Lion"
    example = "lion: {learning_rate: 0.0002, weight_decay: 0.02}"

    beta_1: Annotated[
        Number, Field(gt=0, le=1, description="Share of the old mean gradient in the direction of a step.")
    ] = 0.9
    beta_2: MeanGradient = 0.99


class Adafactor(KerasOptimizer):
    """Adam without momentum and with less memory: a weight matrix keeps mean squares of its rows and columns only.

    Steps are in proportion to the size of the weights, and shrink as 1 / sqrt(steps) at the latest.
    Shazeer and Stern, 2018, arxiv.org/abs/1804.04235.
    """

    part_name = "adafactor"
    keras_name = "Adafactor"
    example = "adafactor: 0.01"

    beta_2_decay: Annotated[
        Number, Field(le=0, description="At step t, 1 - t^beta_2_decay of the old mean square is kept.")
    ] = -0.8
    epsilon_1: Annotated[Number, Field(gt=0, description="Added to squared gradients, against division by 0.")] = 1e-30
    epsilon_2: Annotated[Number, Field(ge=0, description="Weights count as at least so large.")] = 1e-3
    clip_threshold: Annotated[Number, Field(gt=0, description="Largest root mean square of a step.")] = 1.0
    relative_step: Annotated[bool, Field(description="Lower the learning rate to 1 / sqrt(steps) at most.")] = True


class Ftrl(KerasOptimizer):
    """Follow the regularized leader: for shallow networks on wide, sparse inputs.

    McMahan et al., 2013, research.google.com/pubs/archive/41159.pdf.
    """

    part_name = "ftrl"
    keras_name = "Ftrl"
    example = "ftrl: {learning_rate: 0.05, l1_regularization_strength: 0.001}"

    learning_rate_power: Annotated[
        Number, Field(le=0, description="How steps shrink with the sum of squared gradients; 0: not at all.")
    ] = -0.5
    initial_accumulator_value: FirstSum = 0.1
    l1_regularization_strength: Annotated[
        Number, Field(ge=0, description="Penalty on absolute weights; makes some 0.")
    ] = 0.0
    l2_regularization_strength: Annotated[Number, Field(ge=0, description="Penalty on squared weights.")] = 0.0
    l2_shrinkage_regularization_strength: Annotated[
        Number, Field(ge=0, description="Penalty on squared weights, through the gradient.")
    ] = 0.0
    beta: Annotated[Number, Field(ge=0, description="The beta of the paper: makes early steps smaller.")] = 0.0


class Muon(KerasOptimizer):
    """Momentum whose step for a weight matrix is made orthogonal; all other weights take adamw's steps.

    Other weights: all but matrices (biases, convolutions, normalization), embeddings, and the layers that
    `exclude_layers` names, which should be the output layer.
    Jordan, 2024, kellerjordan.github.io/posts/muon; Liu et al., 2025, arxiv.org/abs/2502.16982.
    """

    part_name = "muon"
    keras_name = "Muon"
    example = "muon: {learning_rate: 0.001, exclude_layers: [dense_3]}"

    weight_decay: WeightDecay = 0.004
    adam_beta_1: MeanGradient = 0.9
    adam_beta_2: MeanSquare = 0.999
    adam_weight_decay: Annotated[Number | None, Field(ge=0, description="weight_decay of adamw's steps.")] = 0.004
    epsilon: Epsilon = 1e-7
    exclude_layers: Annotated[
        tuple[Pattern, ...] | None,
        Field(description="Layers that take adamw's steps, by kind and place (`dense_3`); regular expressions."),
    ] = None
    exclude_embeddings: Annotated[bool, Field(description="Whether embeddings take adamw's steps.")] = True
    muon_a: Annotated[Number, Field(description="Linear coefficient of the orthogonalizing iteration.")] = 3.4445
    muon_b: Annotated[Number, Field(description="Its cubic coefficient.")] = -4.775
    muon_c: Annotated[Number, Field(description="Its quintic coefficient.")] = 2.0315
    adam_lr_ratio: Annotated[
        Number, Field(gt=0, description="Learning rate of adamw's steps over that of the rest.")
    ] = 1.0
    momentum: Annotated[Number, Field(ge=0, lt=1, description="Share of the old gradients at each step.")] = 0.95
    ns_steps: Annotated[int, Field(ge=1, le=100, description="How often the orthogonalizing iteration is done.")] = 5
    nesterov: Annotated[bool, Field(description="Count the newest gradient once more.")] = True
    rms_rate: Annotated[
        Number | None,
        Field(gt=0, description="Root mean square of a step over the learning rate; none: Muon's own scale."),
    ] = 0.2


class ScheduleFreeAdamW(KerasOptimizer):
    """Adam with a running average of the weights in place of a falling learning rate; wants no schedule.

    Keras 3.15 departs from the paper: it takes gradients at the average itself, whatever `beta_1` is, lets all updates
    weigh the same in it, those of the warm-up too, and lets `weight_decay` shrink it alone.
    Defazio et al., 2024, arxiv.org/abs/2405.15682.
    """

    part_name = "schedule_free_adamw"
    keras_name = "ScheduleFreeAdamW"
    example = "schedule_free_adamw: {learning_rate: 0.0025, warmup_steps: 100}"

    learning_rate: Annotated[Number, Field(gt=0, description="Learning rate before any schedule.")] = 0.0025
    beta_1: Annotated[
        Number,
        Field(gt=0, lt=1, description="Share of the average in where the paper takes gradients; no effect in Keras."),
    ] = 0.9
    beta_2: MeanSquare = 0.999
    epsilon: Epsilon = 1e-8
    warmup_steps: Annotated[int, Field(ge=0, description="Updates in which the rate rises from 0 to its value.")] = 0
