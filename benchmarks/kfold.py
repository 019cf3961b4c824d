"""Times k-fold cross-validation: hand-written Keras against dlcli, alternated in one warm process.

    python benchmarks/kfold.py [--rounds 3] [--only wine,regression,housing] [--json FILE] [--tiny]

Counted is everything from the call to the result, on both sides: reading the rows, standardizing them in each
fold, building, compiling, training, taking the best epoch's weights, predicting and scoring the held-out rows;
on dlcli's side also dividing the rows and keeping the run. Importing TensorFlow and its first operation come
before. Both get the same rows in each fold: those that train, those that choose the epoch, those that are scored.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timing
from numpy.typing import NDArray

from dlcli import kfold
from dlcli.config.document import load
from dlcli.events import EpochEnded, Event, UnitEnded, silent
from dlcli.network.shapes import parameters
from dlcli.workflows.fold import Fold
from dlcli.workflows.kfold import divide
from dlcli.workflows.preparation import prepare
from dlcli.workflows.unit import plan

Array = NDArray[Any]
OnFold = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One cross-validation.

    Attributes:
        rows, features: of the generated regression; no rows: scikit-learn's wine.
        layers: units of dense layers, and rates of dropout, in their order.
        rate: the learning rate of Adam.
        bar: the ratio that is wanted.
    """

    name: str
    title: str
    folds: int
    epochs: int
    batch_size: int
    layers: tuple[int | float, ...]
    bar: float
    rate: float = 0.001
    rows: int = 0
    features: int = 13
    repeats: int = 1

    @property
    def outputs(self) -> tuple[int, str, str, str]:
        """Units, activation, loss and metric."""
        if self.rows:
            return 1, "linear", "mse", "mae"
        return 3, "softmax", "sparse_categorical_crossentropy", "accuracy"

    def write(self, folder: Path) -> Path:
        """Writes the rows and the config; gives the config's path."""
        x, y = self._arrays()
        np.savez(folder / "data.npz", x=x, y=y)
        layers = ", ".join(f"dense: {each}" if isinstance(each, int) else f"dropout: {each}" for each in self.layers)
        path = folder / f"{self.name}.yaml"
        path.write_text(
            "data: {source: {npz: {path: data.npz, target: y}}}\n"
            f"task: {'regression' if self.rows else 'multiclass'}\n"
            f"split: {{{'random' if self.rows else 'stratified'}: {{validation: 0.2, test: 0}}}}\n"
            "preprocessing: [standardize]\n"
            f"architecture: [{layers}]\n"
            f"optimizer: {{adam: {self.rate}}}\n"
            f"metrics: [{self.outputs[3]}]\n"
            f"training: {{epochs: {self.epochs}, batch_size: {self.batch_size}}}\n"
            f"kfold: {{folds: {self.folds}, repeats: {self.repeats}, inner: 0.2}}\n"
        )
        return path

    def _arrays(self) -> tuple[Array, Array]:
        if not self.rows:
            from sklearn.datasets import load_wine

            x, y = load_wine(return_X_y=True)
            return x, y
        rng = np.random.default_rng(0)
        x = rng.normal(size=(self.rows, self.features))
        return x, x @ rng.normal(size=self.features) + np.abs(x[:, 0]) + 0.3 * rng.normal(size=self.rows)


CASES = (
    Case("wine", "Wine 178x13, 5 folds x 50 epochs", 5, 50, 16, (32, 0.2, 16), bar=9, rate=0.005),
    Case("regression", "regression 404x13, 4 folds x 100 epochs", 4, 100, 16, (64, 64), bar=9, rows=404),
    Case("housing", "regression 20,640x8, 4 folds x 20 epochs", 4, 20, 32, (64, 64), bar=14, rows=20_640, features=8),
)


@dataclass(frozen=True, slots=True)
class Result:
    """One cross-validation: its seconds, the mean score over folds, epochs run in all."""

    seconds: float
    score: float
    epochs: int


def network(case: Case, features: int) -> Any:
    """The compiled Keras model."""
    import keras

    units, activation, loss, metric = case.outputs
    hidden = [
        keras.layers.Dense(each, activation="relu", kernel_initializer="he_normal")
        if isinstance(each, int)
        else keras.layers.Dropout(each)
        for each in case.layers
    ]
    model = keras.Sequential([keras.Input((features,)), *hidden, keras.layers.Dense(units, activation=activation)])
    model.compile(optimizer=keras.optimizers.Adam(case.rate), loss=loss, metrics=[metric])
    return model


def by_keras(case: Case, config: Path, folds: list[Fold], on_fold: OnFold = lambda: None) -> Result:
    """Cross-validation as a Keras user writes it."""
    import keras

    start = time.perf_counter()
    with np.load(config.parent / "data.npz") as arrays:
        x, y = arrays["x"], arrays["y"]
    scores, epochs = [], 0
    for fold in folds:
        mean, deviation = x[fold.train].mean(0), x[fold.train].std(0)
        ready = ((x - mean) / deviation).astype(np.float32)
        model = network(case, x.shape[1])
        # a patience that never ends: only for the weights of the best epoch
        best = keras.callbacks.EarlyStopping("val_loss", patience=case.epochs, restore_best_weights=True)
        history = model.fit(
            ready[fold.train],
            y[fold.train],
            validation_data=(ready[fold.inner], y[fold.inner]),
            epochs=case.epochs,
            batch_size=case.batch_size,
            callbacks=[best],
            verbose=0,
        )
        prediction = model.predict(ready[fold.scored], verbose=0)
        truth = y[fold.scored]
        right = np.abs(prediction[:, 0] - truth) if case.rows else prediction.argmax(1) == truth
        scores.append(float(right.mean()))
        epochs += len(history.epoch)
        on_fold()
    return Result(time.perf_counter() - start, statistics.fmean(scores), epochs)


def by_dlcli(case: Case, config: Path, on_fold: OnFold = lambda: None) -> Result:
    """Cross-validation as a user of dlcli runs it."""
    scores, epochs = [], 0

    def listen(event: Event) -> None:
        nonlocal epochs
        if isinstance(event, EpochEnded):
            epochs += 1
        if isinstance(event, UnitEnded):
            scores.append(event.scores[case.outputs[3]])
            on_fold()

    start = time.perf_counter()
    kfold(config, runs=config.parent / "runs", emit=listen)
    return Result(time.perf_counter() - start, statistics.fmean(scores), epochs)


def divided(config: Path) -> tuple[list[Fold], int]:
    """The rows of each fold as dlcli divides them, and the numbers that its network holds."""
    experiment, dataset = prepare(load(config, command="kfold"), "kfold", silent)
    folds = divide(experiment, dataset)
    fitted, found = plan(experiment, dataset, folds[0].train)
    return folds, sum(parameters(found.layers, fitted.output.shape))


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """Both sides on one case.

    Raises:
        ValueError: they did not do the same work.
    """
    with tempfile.TemporaryDirectory() as name:
        config = case.write(Path(name))
        folds, numbers = divided(config)
        if (built := network(case, case.features).count_params()) != numbers:
            message = f"{case.name}: networks of {built} and {numbers} numbers"
            raise ValueError(message)
        keras_side = partial(by_keras, case, config, folds)
        results = timing.alternate({"keras": keras_side, "dlcli": partial(by_dlcli, case, config)}, rounds)
    planned = case.folds * case.repeats * case.epochs
    if any(each.epochs != planned for side in results.values() for each in side):
        message = f"{case.name}: {planned} epochs were planned: {results}"
        raise ValueError(message)
    seconds = {side: statistics.median(each.seconds for each in measured) for side, measured in results.items()}
    return {
        "title": case.title,
        "seconds": seconds,
        "rounds": {side: [each.seconds for each in measured] for side, measured in results.items()},
        "score": {side: statistics.median(each.score for each in measured) for side, measured in results.items()},
        "rows": [len(folds[0].train), len(folds[0].inner), len(folds[0].scored)],
        "parameters": numbers,
        "ratio": seconds["keras"] / seconds["dlcli"],
        "bar": case.bar,
    }


HEADER = ("total seconds", "rows of a fold", "Keras", "dlcli", "ratio", "wanted", "score: Keras", "dlcli")


def shown(found: dict[str, Any]) -> list[str]:
    """A line of the table."""
    seconds, score = found["seconds"], found["score"]
    return [
        found["title"],
        "+".join(f"{rows:,}" for rows in found["rows"]),
        *(f"{seconds['keras']:.2f}", f"{seconds['dlcli']:.2f}", f"{found['ratio']:.1f}", f"{found['bar']:g}"),
        *(f"{score['keras']:.3f}", f"{score['dlcli']:.3f}"),
    ]


def warm_up() -> None:
    """Imports TensorFlow and runs a first operation."""
    import tensorflow as tf

    tf.constant(0.0) + 1


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description="Total seconds of k-fold: hand-written Keras against dlcli.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="cases, for example wine,housing")
    parser.add_argument("--tiny", action="store_true", help="two epochs and few rows: does everything run?")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = [case.name for case in CASES]
    chosen = options.only.split(",") if options.only else names
    if unknown := set(chosen) - set(names):
        parser.error(f"no case {', '.join(sorted(unknown))}")
    begun = timing.begin("k-fold")
    warm_up()
    found = {}
    for case in CASES:
        if case.name in chosen:
            wanted = replace(case, epochs=2, rows=min(case.rows, 400)) if options.tiny else case
            found[case.name] = measure(wanted, options.rounds)
            timing.say("  ".join(shown(found[case.name])))
    timing.say("\n" + timing.table(HEADER, [shown(each) for each in found.values()]))
    timing.write_json(options.json, {"setting": begun, "cases": found})


if __name__ == "__main__":
    main()
