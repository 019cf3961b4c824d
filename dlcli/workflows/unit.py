"""One training: rows of a data set in; a fitted pipeline, a trained network and its history out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli import backend
from dlcli.config.experiment import Experiment
from dlcli.data.target_scale import FittedScale
from dlcli.evaluation import scores
from dlcli.events import Listener, Note, UnitStarted
from dlcli.network import build, heads, losses
from dlcli.network.sections import Output
from dlcli.part import Loss
from dlcli.preprocessing import pipeline
from dlcli.problems import Problem, TrainingError
from dlcli.seeds import Seeds
from dlcli.task import CLASSIFICATION, Goal, Task
from dlcli.training import loop
from dlcli.training.engine import Engine
from dlcli.training.stopping import LAST
from dlcli.workflows.dataset import Dataset

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which rows a unit trains and validates on.

    Attributes:
        train, validation: row numbers; no validation rows means that nothing is chosen.
        seeds: of the weights, the order and dropout.
        epochs: how many to run; by default the config's. The schedule is always the config's.
        label, index, count: which of several units this is.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    seeds: Seeds
    epochs: int | None = None
    label: str = ""
    index: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a unit leaves."""

    goal: Goal
    fitted: pipeline.Pipeline
    scale: FittedScale
    model: keras.Model
    engine: Engine
    outcome: loop.Outcome
    notes: tuple[Note, ...]

    def predict(self, dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predictions of rows, in the units of the target: see `Metric.compute` for their shape."""
        return decode(self.goal, self.scale, self.engine.predict(self.fitted.transform(dataset.samples, rows)))

    def export(self) -> keras.Model:
        """The model that takes raw rows and gives predictions in the units of the target."""
        import keras

        inputs, tensor = self.fitted.keras_inputs_and_output()
        # The same layers without what training compiled: plain Keras could not load that.
        network = keras.Model(self.model.inputs, self.model.outputs, name="network")
        (output,) = network([tensor])
        if self.scale.kinds:
            output = self.scale.inverse_ops(keras.ops.cast(output, "float64"))
        with backend.free_input_names():
            return keras.Model(inputs, output, name="dlcli")


class DivergedUnitError(TrainingError):
    """The loss stayed non-finite; `trained` holds the weights of the last good epoch."""

    def __init__(self, problems: Iterable[Problem], trained: Trained) -> None:
        super().__init__(problems)
        self.trained = trained


def decode(goal: Goal, scale: FittedScale, output: NDArray[Any]) -> NDArray[np.float64]:
    """What a network gives, (rows, outputs), as predictions in the units of the target."""
    values = scale.decode(np.asarray(output, dtype=np.float64))
    return values[:, 0] if goal.task is Task.BINARY else values


def train_unit(experiment: Experiment, dataset: Dataset, assignment: Assignment, emit: Listener) -> Trained:
    """Fits preprocessing on the training rows, builds the network and trains it.

    Raises:
        DivergedUnitError: the loss stayed non-finite.
    """
    import keras

    keras.backend.clear_session(free_memory=False)
    train, validation, goal = assignment.train, assignment.validation, dataset.answer.goal
    fitted, network = plan(experiment, dataset, train)
    scale = dataset.answer.fit(train)
    loss = experiment.loss or heads.default_loss(goal.task)
    model = build.build(
        network.layers,
        fitted.output.shape,
        assignment.seeds,
        precision=experiment.training.precision,
        bias=_prior_bias(experiment, dataset, train, scale, network),
    )
    engine = Engine(
        model,
        experiment.optimizer.build(),
        loss.build(),
        class_weight=_class_weights(experiment, dataset, train),
    )
    epochs = assignment.epochs or experiment.training.epochs
    emit(UnitStarted(epochs, assignment.label, assignment.index, assignment.count))
    diverged: loop.DivergedError | None = None
    try:
        outcome = loop.run(
            engine,
            _rows(train, fitted, scale, dataset, loss),
            _rows(validation, fitted, scale, dataset, loss) if len(validation) else None,
            _settings(experiment, epochs, chooses=assignment.epochs is None),
            assignment.seeds,
            score=_scorer(experiment, goal, scale, dataset, validation),
            score_train=_scorer(experiment, goal, scale, dataset, train),
            emit=emit,
        )
    except loop.DivergedError as error:
        outcome, diverged = error.outcome, error
    notes = (*fitted.notes, *(Note(text) for text in network.notes))
    trained = Trained(goal, fitted, scale, model, engine, outcome, notes)
    if diverged is not None:
        raise DivergedUnitError(diverged.problems, trained) from diverged
    return trained


def plan(experiment: Experiment, dataset: Dataset, train: NDArray[np.int64]) -> tuple[pipeline.Pipeline, build.Network]:
    """Preprocessing fitted on training rows, and the layers of the network that takes what it gives.

    Raises:
        ConfigError: a column is not numeric at the end of preprocessing, or a layer cannot take its input.
    """
    fitted = pipeline.fit(experiment.preprocessing, dataset.samples, dataset.schema, train)
    network = build.resolve(
        experiment.architecture,
        experiment.output,
        dataset.answer.goal,
        fitted.output.shape,
        regularization=experiment.regularization,
        cardinality=fitted.output.cardinality,
    )
    return fitted, network


def _rows(
    rows: NDArray[np.int64], fitted: pipeline.Pipeline, scale: FittedScale, dataset: Dataset, loss: Loss
) -> loop.Rows:
    """Rows as the engine takes them."""
    truth = scale.encode(dataset.answer.values[rows])
    weight = None if dataset.weight is None else dataset.weight[rows]
    return loop.Rows(fitted.transform(dataset.samples, rows), losses.encode(loss, dataset.answer.goal, truth), weight)


def _prior_bias(
    experiment: Experiment, dataset: Dataset, train: NDArray[np.int64], scale: FittedScale, network: build.Network
) -> NDArray[np.float32] | None:
    if not isinstance(experiment.output, Output) or experiment.output.bias != "prior":
        return None
    activation = getattr(network.layers[-1], "activation", None) or heads.default_activation(dataset.answer.goal.task)
    truth = scale.encode(dataset.answer.values[train])
    weight = None if dataset.weight is None else dataset.weight[train]
    return heads.prior_bias(dataset.answer.goal, truth, weight, activation)


def _class_weights(experiment: Experiment, dataset: Dataset, train: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """A factor per class number: `balanced` is rows / (classes x rows of the class), as scikit-learn's."""
    wanted, goal = experiment.training.class_weight, dataset.answer.goal
    if wanted is None or goal.task not in CLASSIFICATION:
        return None
    if wanted == "balanced":
        counts = np.bincount(dataset.answer.values[train], minlength=len(goal.classes))
        return len(train) / (len(goal.classes) * np.maximum(counts, 1))
    return np.array([wanted.get(name, 1.0) for name in goal.classes])


def _settings(experiment: Experiment, epochs: int, *, chooses: bool) -> loop.LoopSettings:
    """The loop's settings; with a fixed number of epochs nothing is watched and the last weights are kept."""
    training, initial = experiment.training, experiment.optimizer.learning_rate
    schedule, planned = experiment.schedule, experiment.training.epochs
    metrics = experiment.metrics or ()
    directions = dict(zip(scores.labels(metrics), (metric.greater_is_better for metric in metrics), strict=True))

    def rates(epoch: float) -> float:
        return initial if schedule is None else schedule.rate(epoch, epochs=planned, initial=initial)

    watched = (experiment.select, experiment.early_stopping.monitor if experiment.early_stopping else None)
    return loop.LoopSettings(
        epochs=epochs,
        batch_size=training.batch_size,
        rates=rates,
        shuffle=training.shuffle,
        early_stopping=experiment.early_stopping if chooses else None,
        select=experiment.select if chooses else LAST,
        divergence=experiment.divergence,
        time_limit=training.time_limit,
        directions=directions,
        train_monitors=chooses and any(name in directions for name in watched),
    )


def _scorer(
    experiment: Experiment, goal: Goal, scale: FittedScale, dataset: Dataset, rows: NDArray[np.int64]
) -> loop.Score:
    """Scores what the network gives for rows, in the units of the target."""
    truth = dataset.answer.values[rows]
    weight = None if dataset.weight is None else dataset.weight[rows]

    def score(output: NDArray[np.float64]) -> Mapping[str, float]:
        prediction = decode(goal, scale, output)
        return scores.score(experiment.metrics or (), goal, truth, prediction, weight, experiment.evaluation.threshold)

    return score
