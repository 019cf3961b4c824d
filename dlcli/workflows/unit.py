"""One training: rows of a data set in; a fitted pipeline, a trained network and its history out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli import backend
from dlcli.config.experiment import Experiment
from dlcli.data.target_scale import FittedScale
from dlcli.evaluation import scores
from dlcli.evaluation.decision import Decision, decide, temper_ops
from dlcli.evaluation.rows import ScoredRows
from dlcli.events import Listener, Note, UnitStarted
from dlcli.network import build, heads, losses
from dlcli.network.layers.dense import Embedding
from dlcli.network.sections import Output
from dlcli.part import Loss
from dlcli.preprocessing import feeding, pipeline
from dlcli.preprocessing.augmentation.composed import Composed, compose
from dlcli.problems import Problem, TrainingError
from dlcli.runs.record import LayerFacts
from dlcli.seeds import Seeds
from dlcli.task import CLASSIFICATION, Goal, Task
from dlcli.training import choice, loop
from dlcli.training.checkpoint import State
from dlcli.training.compilation import compile_model, weigh_classes
from dlcli.training.engine import Engine, Rows
from dlcli.training.reuse import Bench
from dlcli.training.schedules import Performance
from dlcli.training.stopping import LAST, EarlyStopping, selection_monitor
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
        rate_factors: by how much the rates of each epoch differ from the schedule's, as in an earlier training
            in which scores decided that; none: scores decide.
        engine: what a resumed training must be run by; by default the config's.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    seeds: Seeds
    epochs: int | None = None
    label: str = ""
    index: int = 0
    count: int = 1
    rate_factors: tuple[float, ...] = ()
    engine: choice.Choice | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A unit before its first epoch.

    Attributes:
        goal, fitted, scale: task, preprocessing and target scale, fitted on the training rows.
        feed: how rows are kept for the engine.
        engine: at the initial weights.
        choice: what runs the epochs, and why.
        loss: how the targets are encoded for it.
        notes: worth saying once.
    """

    experiment: Experiment
    dataset: Dataset
    assignment: Assignment
    goal: Goal
    fitted: pipeline.Pipeline
    scale: FittedScale
    feed: feeding.Feed
    engine: Engine
    choice: choice.Choice
    loss: Loss
    notes: tuple[Note, ...]

    @property
    def layers(self) -> tuple[LayerFacts, ...]:
        """The layers of the network, the first first."""
        return tuple(
            LayerFacts(name=layer.name, shape=tuple(layer.output.shape[1:]), parameters=layer.count_params())
            for layer in self.engine.model.layers[1:]  # the first one of Keras is the input
        )

    def rows(self, rows: NDArray[np.int64]) -> Rows:
        """Rows as the engine takes them."""
        dataset = self.dataset
        truth = self.scale.encode(dataset.answer.values[rows])
        weight = None if dataset.weight is None else dataset.weight[rows].astype(np.float32)
        return Rows(self.feed.rows(dataset.samples, rows), losses.encode(self.loss, self.goal, truth), weight)

    def score(self, rows: NDArray[np.int64]) -> loop.Score:
        """Scores what the network gives for rows, in the units of the target."""
        metrics, threshold = self.experiment.metrics or (), self.experiment.evaluation.fixed_threshold
        truth = self.dataset.answer.values[rows]
        weight = None if self.dataset.weight is None else self.dataset.weight[rows]

        def score(output: NDArray[np.float64]) -> Mapping[str, float]:
            prediction = decode(self.goal, self.scale, output)
            return scores.score(metrics, ScoredRows(self.goal, truth, prediction, weight, threshold))

        return score


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a unit leaves; the engine's model holds the chosen weights."""

    unit: Ready
    outcome: loop.Outcome

    @property
    def fitted(self) -> pipeline.Pipeline:
        """The fitted preprocessing."""
        return self.unit.fitted

    def predict(self, dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predictions of rows, in the units of the target: see `Metric.compute` for their shape."""
        unit = self.unit
        return decode(unit.goal, unit.scale, unit.engine.predict(unit.feed.rows(dataset.samples, rows)))

    def decide(self) -> Decision:
        """The threshold and the temperature: as the config fixes them, or as the validation rows choose them."""
        unit, evaluation = self.unit, self.unit.experiment.evaluation
        dataset = unit.dataset
        rows = unit.assignment.validation if evaluation.chooses else np.zeros(0, dtype=np.int64)
        return decide(
            unit.goal,
            dataset.answer.values[rows],
            self.predict(dataset, rows) if len(rows) else np.zeros((0, unit.goal.outputs)),
            None if dataset.weight is None else dataset.weight[rows],
            threshold=evaluation.threshold,
            calibrate=evaluation.calibrate is not None,
            chosen_on="validation",
        )

    def export(self, decision: Decision) -> keras.Model:
        """The model that takes raw rows and gives predictions: in the units of the target, at the temperature."""
        import keras

        inputs, tensor = self.fitted.keras_inputs_and_output()
        model, scale = self.unit.engine.model, self.unit.scale
        # The same layers without what training compiled: plain Keras could not load that.
        network = keras.Model(model.inputs, model.outputs, name="network")
        (output,) = network([tensor])
        if scale.kinds:
            output = scale.inverse_ops(keras.ops.cast(output, "float64"))
        output = temper_ops(self.unit.goal, output, decision.temperature)
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


def set_up(experiment: Experiment, dataset: Dataset, assignment: Assignment, bench: Bench) -> Ready:
    """Fits preprocessing on the training rows, builds the network, and finds or makes an engine for it.

    Raises:
        ConfigError, DataError: as `plan`.
    """
    train, goal, training = assignment.train, dataset.answer.goal, experiment.training
    if training.deterministic:
        backend.make_deterministic()
    fitted, network = plan(experiment, dataset, train)
    scale = dataset.answer.fit(train)
    mixed = any(part.mixes_targets for part in experiment.augmentation)
    loss = experiment.loss or heads.default_loss(goal.task, fractions=mixed)
    codes = isinstance(next(iter(network.layers), None), Embedding)
    augment = compose(experiment.augmentation, fitted, dataset.samples, train, codes=codes)
    feed = feeding.feed(fitted, len(train), dataset.shelf)
    model = build.build(
        network.layers,
        fitted.output.shape,
        assignment.seeds,
        precision=training.precision,
        bias=_prior_bias(experiment, dataset, train, scale, network),
    )
    chosen = _choice(experiment, assignment, network, model.count_params())
    factors = _class_weights(experiment, dataset, train)

    def make(model: keras.Model) -> Engine:
        built = loss.build()
        compile_model(model, experiment.optimizer.build(), built, class_weighted=factors is not None)
        held = augment.held() if augment else None
        return Engine(model, row_loss=built.call, xla=chosen.kind == "xla", prepare=feed.prepare, augment=held)

    parts = (*network.layers, experiment.optimizer, loss)
    key = (
        fitted.output.shape,
        *parts,
        training.precision,
        factors is None,
        chosen.kind,
        feed.key,
        augment and augment.key,
    )
    engine = bench.engine(repr(key), model, make)
    if isinstance(engine.augment, Composed) and augment:
        engine.augment.take(augment)
    if factors is not None:
        weigh_classes(engine.model, factors)
    notes = (*fitted.notes, *(Note(text) for text in network.notes))
    return Ready(experiment, dataset, assignment, goal, fitted, scale, feed, engine, chosen, loss, notes)


def train_unit(  # noqa: PLR0913 - a training, and how it is watched, kept and stopped
    experiment: Experiment,
    dataset: Dataset,
    assignment: Assignment,
    emit: Listener,
    bench: Bench,
    *,
    ready: Callable[[Ready], None] = lambda ready: None,  # noqa: ARG005 - nobody wants to know
    resume: State | None = None,
    keep: Callable[[State], None] | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Trained:
    """Fits preprocessing on the training rows, builds the network and trains it.

    Args:
        experiment: what is trained.
        dataset: on what.
        assignment: on which rows.
        emit: hears of the start and of every epoch.
        bench: whose engines are used again. What is returned is valid until the bench trains once more.
        ready: called before the first epoch.
        resume: see `loop.run`, as for the next two.
        keep: gets the state.
        interrupted: whether to stop.

    Raises:
        DivergedUnitError: the loss stayed non-finite.
        KeyboardInterrupt: `interrupted` said so.
    """
    unit = set_up(experiment, dataset, assignment, bench)
    ready(unit)
    validation = assignment.validation
    epochs = assignment.epochs or experiment.training.epochs
    emit(UnitStarted(epochs, assignment.label, assignment.index, assignment.count))
    diverged: loop.DivergedError | None = None
    try:
        outcome = loop.run(
            unit.engine,
            unit.rows(assignment.train),
            unit.rows(validation) if len(validation) else None,
            _settings(experiment, assignment, epochs),
            assignment.seeds,
            score=unit.score(validation),
            score_train=unit.score(assignment.train),
            emit=emit,
            resume=resume,
            keep=keep,
            interrupted=interrupted,
        )
    except loop.DivergedError as error:
        outcome, diverged = error.outcome, error.with_traceback(None)  # which would hold on to the rows
    unit.engine.release()
    trained = Trained(unit, outcome)
    if diverged is not None:
        raise DivergedUnitError(diverged.problems, trained) from diverged
    return trained


def decided_rates(experiment: Experiment, outcome: loop.Outcome) -> tuple[float, ...]:
    """What scores made of the rates of each epoch, for a training that has no scores to decide; () where none did."""
    return outcome.rate_factors if isinstance(experiment.schedule, Performance) else ()


def validation_chooses(experiment: Experiment) -> bool:
    """Whether validation rows, where there are any, choose the epoch, a rate, the threshold or the temperature."""
    selected = selection_monitor(experiment.select, experiment.early_stopping, has_validation=True)
    watched = (selected, *(section.monitor for section in _watching(experiment)))
    return experiment.evaluation.chooses or any(monitor.startswith("val_") for monitor in watched)


def _watching(experiment: Experiment) -> tuple[EarlyStopping | Performance, ...]:
    """What acts on a monitor while the network trains."""
    performance = experiment.schedule if isinstance(experiment.schedule, Performance) else None
    return tuple(each for each in (experiment.early_stopping, performance) if each)


def _choice(experiment: Experiment, assignment: Assignment, network: build.Network, weights: int) -> choice.Choice:
    training = experiment.training
    if assignment.engine:
        return assignment.engine
    size = loop.rows_per_batch(training.batch_size, len(assignment.train))
    steps = training.epochs * -(-len(assignment.train) // size) * assignment.count
    return choice.choose(
        training.engine,
        [layer.part_name for layer in network.layers],
        weights,
        steps,
        precision=training.precision,
        augmented=bool(experiment.augmentation),
        gpu=backend.has_gpu(),
    )


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


def _settings(experiment: Experiment, assignment: Assignment, epochs: int) -> loop.LoopSettings:
    """The loop's settings; with a fixed number of epochs nothing is watched and the last weights are kept."""
    training, metrics, chooses = experiment.training, experiment.metrics or (), assignment.epochs is None
    directions = dict(zip(scores.labels(metrics), (metric.greater_is_better for metric in metrics), strict=True))
    watched = (experiment.select, *(section.monitor for section in _watching(experiment)))
    return loop.LoopSettings(
        epochs=epochs,
        batch_size=training.batch_size,
        learning_rate=experiment.optimizer.learning_rate,
        schedule=experiment.schedule,
        rate_factors=assignment.rate_factors,
        planned_epochs=training.epochs,
        shuffle=training.shuffle,
        early_stopping=experiment.early_stopping if chooses else None,
        select=experiment.select if chooses else LAST,
        divergence=experiment.divergence,
        time_limit=training.time_limit,
        checkpoint_every=training.checkpoint_every,
        directions=directions,
        train_monitors=chooses and any(name in directions for name in watched),
    )
