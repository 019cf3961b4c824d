"""Times epochs: hand-written Keras, plain and tuned, against dlcli, alternated in one process.

    python benchmarks/engine.py [--rounds 3] [--only a,b] [--seconds 3] [--json FILE] [--tiny]

Per round each method trains from scratch; the clock is read from outside whenever an epoch ends, validation
included: by a callback of `fit`, and by a listener of `dlcli.train`, which is called with a config and a file of
arrays as a user calls it. The first epoch, with building and compiling (and reading, in dlcli's case), is shown
apart. A method of Keras may stop after five more epochs once it has been measured for some seconds; dlcli
trains all epochs of the config. Both use the threads that TensorFlow chooses.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import timing
from arrays import Arrays
from workloads import COMPARED, WORKLOADS, Workload

from dlcli import train
from dlcli.events import EpochEnded, Event

LEAST_EPOCHS = 5
HOPELESS = 4
"""A tuned way that took so many times longer than plain `fit` is left out of later rounds."""
BARS = {"plain": (8.0, 1.5), "tuned": (4.0, 1.0)}
"""Geometric mean and smallest ratio that are wanted."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a Keras user can turn: an epoch per call, XLA, a tf.data pipeline instead of arrays."""

    epoch_per_call: bool = False
    jit: bool = False
    pipeline: bool = False


TUNINGS = {
    "fit": Tuning(),
    "steps": Tuning(epoch_per_call=True),
    "jit": Tuning(jit=True),
    "steps+jit": Tuning(epoch_per_call=True, jit=True),
    "tf.data": Tuning(pipeline=True),
    "tf.data+steps": Tuning(epoch_per_call=True, pipeline=True),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One training.

    Attributes:
        first: seconds from the call to the end of the first epoch.
        epoch: median seconds of a later one; mean: their mean.
        epochs: how many were run.
        loss: on validation rows after epoch `LEAST_EPOCHS`, or the last one.
        parameters: numbers in the network.
        engine: what ran it.
    """

    first: float
    epoch: float
    mean: float
    epochs: int
    loss: float
    parameters: int
    engine: str = ""

    @staticmethod
    def of(start: float, ends: Sequence[float], losses: Sequence[float], parameters: int, engine: str) -> Measured:
        """From the times of a training."""
        mean = (ends[-1] - ends[0]) / (len(ends) - 1)
        loss = losses[min(LEAST_EPOCHS, len(losses)) - 1]
        return Measured(ends[0] - start, timing.epoch_seconds(ends), mean, len(ends), loss, parameters, engine)


def by_keras(work: Workload, raw: Arrays, data: Arrays, tuning: Tuning, seconds: float) -> Measured:
    """Trains as a Keras user does, on arrays that were made ready before; a pipeline makes raw ones ready."""
    import keras

    keras.backend.clear_session()
    ends: list[float] = []
    losses: list[float] = []
    start = time.perf_counter()
    model = work.network(data.x.shape[1:], augmented=not tuning.pipeline)
    model.compile(
        optimizer="adam",
        loss=work.loss,
        metrics=[work.metric],
        steps_per_execution=work.batches if tuning.epoch_per_call else 1,
        jit_compile=True if tuning.jit else "auto",
    )

    def epoch_ended(epoch: int, logs: Mapping[str, float]) -> None:
        ends.append(time.perf_counter())
        losses.append(logs["val_loss"])
        model.stop_training = epoch >= LEAST_EPOCHS and ends[-1] - ends[0] >= seconds

    rows: dict[str, Any] = {"x": data.x, "y": data.y, "batch_size": work.batch_size}
    if tuning.pipeline:
        rows = {"x": pipeline(work, raw), "shuffle": False}
    model.fit(
        **rows,
        validation_data=(data.x_val, data.y_val),
        epochs=work.epochs,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=epoch_ended)],
    )
    return Measured.of(start, ends, losses, model.count_params(), "fit")


def pipeline(work: Workload, raw: Arrays) -> Any:
    """Training rows by tf.data: shuffled, and made ready batch by batch while the one before is trained on."""
    import keras
    import tensorflow as tf

    augmentation = keras.Sequential(work.augment()) if work.augment else None

    def ready(x: Any, y: Any) -> tuple[Any, Any]:
        x = tf.cast(x, tf.float32) / work.divisor
        return (x if augmentation is None else augmentation(x, training=True)), y

    rows = tf.data.Dataset.from_tensor_slices((raw.x, raw.y)).shuffle(len(raw.x)).batch(work.batch_size)
    return rows.map(ready, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def by_dlcli(work: Workload, config: Path) -> Measured:
    """Trains as a user of dlcli does.

    Raises:
        ValueError: it did not train what the config says.
    """
    ends: list[float] = []
    losses: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochEnded):
            ends.append(time.perf_counter())
            losses.append(event.values["val_loss"])

    start = time.perf_counter()
    run = train(config, runs=config.parent / "runs", emit=listen)
    record = json.loads((run.path / "record.json").read_text())
    rows = {"train": work.rows, "validation": work.validation, "test": 0}
    if record["rows"] != rows or len(ends) != work.epochs:
        message = f"{work.key}: dlcli trained {len(ends)} epochs on {record['rows']}"
        raise ValueError(message)
    return Measured.of(start, ends, losses, record["parameters"], record["engine"])


def tunings(work: Workload) -> dict[str, Tuning]:
    """The ways of `fit` that are tried: no XLA for convolutions, which it has no fast kernels for on a CPU."""
    return {
        name: tuning
        for name, tuning in TUNINGS.items()
        if not (tuning.jit and work.convolutional) and (work.divisor or not tuning.pipeline)
    }


def hopeless(results: Mapping[str, list[Measured]]) -> set[str]:
    """Ways that the first round has shown to be far slower than plain `fit`."""
    limit = HOPELESS * results["fit"][0].epoch
    return {name for name in results if name in TUNINGS and results[name][0].epoch > limit}


def measure(work: Workload, rounds: int, seconds: float) -> dict[str, Any]:
    """All methods on one workload.

    Raises:
        ValueError: the networks differ.
    """
    raw = work.arrays()
    ready = work.ready(raw)
    with tempfile.TemporaryDirectory() as folder:
        config = work.write_config(Path(folder), raw)
        ways = {name: partial(by_keras, work, raw, ready, tuning, seconds) for name, tuning in tunings(work).items()}
        results = timing.alternate({**ways, "dlcli": partial(by_dlcli, work, config)}, rounds, hopeless)
    if len({result.parameters for each in results.values() for result in each}) > 1:
        found = {name: each[0].parameters for name, each in results.items()}
        message = f"{work.key}: networks of different sizes: {found}"
        raise ValueError(message)
    return {"title": work.title, "epochs": work.epochs, "batches": work.batches, **summary(work, results)}


def summary(work: Workload, results: Mapping[str, list[Measured]]) -> dict[str, Any]:
    """Medians over rounds, and ratios of medians."""
    methods: dict[str, dict[str, Any]] = {
        name: {
            "epoch": statistics.median(each.epoch for each in measured),
            "mean": statistics.median(each.mean for each in measured),
            "first": statistics.median(each.first for each in measured),
            "epochs_run": measured[0].epochs,
            "val_loss": statistics.median(each.loss for each in measured),
            "rounds": [each.epoch for each in measured],
        }
        for name, measured in results.items()
    }
    tuned = min((name for name in methods if name not in ("fit", "dlcli")), key=lambda name: methods[name]["epoch"])
    ours = methods["dlcli"]

    def whole(method: Mapping[str, Any]) -> float:
        seen = method["epochs_run"]
        return float(method["first"] + (seen - 1) * method["mean"] + (work.epochs - seen) * method["epoch"])

    return {
        "parameters": results["dlcli"][0].parameters,
        "engine": results["dlcli"][0].engine,
        "tuned": tuned,
        "methods": methods,
        "plain_ratio": methods["fit"]["epoch"] / ours["epoch"],
        "tuned_ratio": methods[tuned]["epoch"] / ours["epoch"],
        "whole_ratio": whole(methods["fit"]) / whole(ours),
    }


HEADER = ("milliseconds an epoch", "fit", "best fit", "", "dlcli", "", "ratio", "to best", *("1st s", "dlcli"), "whole")
"""`1st s`: first epoch of fit, then of dlcli; `whole`: ratio for all epochs of the config, compiling included."""


def shown(key: str, found: Mapping[str, Any]) -> list[str]:
    """A line of the table."""
    methods, tuned = found["methods"], found["tuned"]
    return [
        f"{key} {found['title']}",
        *(f"{1000 * methods['fit']['epoch']:.1f}", f"{1000 * methods[tuned]['epoch']:.1f}", tuned),
        *(f"{1000 * methods['dlcli']['epoch']:.1f}", found["engine"]),
        *(f"{found['plain_ratio']:.1f}", f"{found['tuned_ratio']:.1f}"),
        *(f"{methods['fit']['first']:.1f}", f"{methods['dlcli']['first']:.1f}"),
        f"{found['whole_ratio']:.1f}",
    ]


def uneven(key: str, found: Mapping[str, Any]) -> str | None:
    """A warning where dlcli's median says less than its epochs took."""
    ours = found["methods"]["dlcli"]
    if ours["mean"] <= 1.5 * ours["epoch"]:
        return None
    return f"{key}: dlcli's epochs took {1000 * ours['mean']:.1f} ms on average, the median says less"


def against_bars(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Geometric mean and minimum of the ratios over the workloads that are compared; prints them."""
    compared = [each for key, each in found.items() if key in COMPARED]
    result = {}
    for name, (mean_bar, least_bar) in BARS.items():
        ratios = [each[f"{name}_ratio"] for each in compared]
        if not ratios:
            continue
        mean, least = timing.geometric_mean(ratios), min(ratios)
        result[name] = {"geometric_mean": mean, "least": least}
        timing.say(
            f"{name} fit / dlcli over {len(ratios)} of {len(COMPARED)} workloads: "
            f"geometric mean {mean:.2f} (wanted {mean_bar:g}), least {least:.2f} (wanted {least_bar:g})"
        )
    return result


def main() -> int:
    """Measures what the command line asks for; 1 if a workload could not be measured."""
    parser = argparse.ArgumentParser(description="Seconds per epoch: Keras's fit against dlcli.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="workloads, for example a,b")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a way of fit is measured per round")
    parser.add_argument("--tiny", action="store_true", help="few rows and epochs: does everything run?")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chosen = set(options.only.split(",")) if options.only else {work.key for work in WORKLOADS}
    if unknown := chosen - {work.key for work in WORKLOADS}:
        parser.error(f"no workload {', '.join(sorted(unknown))}")
    begun = timing.begin("engine")
    found: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for work in WORKLOADS:
        if work.key not in chosen:
            continue
        try:
            found[work.key] = measure(work.tiny() if options.tiny else work, options.rounds, options.seconds)
        except Exception as error:  # the other workloads are still worth measuring
            failed[work.key] = f"{type(error).__name__}: {error}"
            timing.say(f"{work.key} {work.title}: {failed[work.key]}")
            continue
        timing.say("  ".join(shown(work.key, found[work.key])))
    timing.say("\n" + timing.table(HEADER, [shown(key, each) for key, each in found.items()]))
    for key, each in found.items():
        if warning := uneven(key, each):
            timing.say(warning)
    bars = against_bars(found)
    timing.write_json(options.json, {"setting": begun, "workloads": found, "failed": failed, **bars})
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
