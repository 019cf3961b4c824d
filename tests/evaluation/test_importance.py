"""Permutation importance: what a column is worth, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dlcli.evaluation.importance import MOST_COLUMNS, REPEATS, Importance, permutation_importance
from dlcli.evaluation.metrics import Accuracy, LogLoss, MeanSquaredError, RocAuc
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric
from dlcli.problems import DataError
from dlcli.samples import Coded, Samples
from dlcli.task import Goal, Task

Floats = NDArray[np.float64]
Predict = Callable[[Samples], Floats]
YES_NO = Goal(Task.BINARY, ("y",), ("no", "yes"))
PRICE = Goal(Task.REGRESSION, ("price",))


def table(rows: int, columns: int = 3, seed: int = 0) -> Samples:
    values = np.random.default_rng(seed).normal(size=(columns, rows))
    return Samples.of({f"x{number}": column for number, column in enumerate(values)})


def sure(samples: Samples) -> Floats:
    """A model that looks at x0 alone."""
    return np.asarray(np.where(samples["x0"] > 0, 0.9, 0.1))


def blurred(samples: Samples) -> Floats:
    """A model that looks at x0, and a little at noise."""
    return np.asarray(1 / (1 + np.exp(-2 * samples["x0"] - 0.5 * samples["x1"])))


def importance(samples: Samples, truth: NDArray[np.int64], predict: Predict, metric: Metric) -> Importance:
    rows = ScoredRows(YES_NO, truth, predict(samples), None, 0.5)
    return permutation_importance(metric, rows, samples, predict, np.random.default_rng(1))


def test_the_column_that_decides_the_target_gets_the_whole_drop() -> None:
    samples = table(400)
    truth = (samples["x0"] > 0).astype(np.int64)
    found = importance(samples, truth, sure, Accuracy())
    assert [feature.name for feature in found.features] == ["x0", "x1", "x2"]
    first, *others = found.features
    chance = 2 * truth.mean() * (1 - truth.mean())  # a shuffled answer is wrong as often as two rows differ
    assert first.drop == pytest.approx(chance, abs=0.02)
    assert first.interval.low is not None
    assert first.interval.low > 0.4
    assert [feature.drop for feature in others] == [0.0, 0.0]


@pytest.mark.parametrize("metric", [Accuracy(), LogLoss(), RocAuc()], ids=lambda metric: metric.part_name)
def test_intervals_of_noise_columns_hold_zero(metric: Metric) -> None:
    held = 0
    for seed in range(40):
        samples = table(120, seed=seed)
        # The model takes something from x1, of which the target knows nothing: shuffling it costs nothing on average.
        truth = (np.random.default_rng(seed).random(120) < blurred(samples)).astype(np.int64)
        noise = samples["x1"].copy()
        fooled = Samples.of(dict(samples.columns) | {"x1": np.random.default_rng(seed + 999).permutation(noise)})
        found = {feature.name: feature for feature in importance(fooled, truth, blurred, metric).features}
        low, high = found["x1"].interval.low, found["x1"].interval.high
        held += low is None or high is None or low <= 0 <= high
    assert held >= 36


def test_a_column_that_the_model_ignores_has_no_interval_of_width_zero() -> None:
    samples = table(50)
    found = importance(samples, (samples["x0"] > 0).astype(np.int64), sure, Accuracy())
    ignored = found.features[-1]
    assert (ignored.interval.low, ignored.interval.reason) == (None, "no row moves the score")


def test_an_error_that_rises_is_a_drop_above_zero() -> None:
    samples = table(200)
    truth = samples["x0"][:, None]

    def predict(given: Samples) -> Floats:
        return np.asarray(given["x0"][:, None])

    rows = ScoredRows(PRICE, truth, predict(samples), None, 0.5)
    found = permutation_importance(MeanSquaredError(), rows, samples, predict, np.random.default_rng(0))
    assert found.features[0].drop == pytest.approx(2 * truth.var(), rel=0.1)  # E (x - x')^2


def test_the_drop_is_that_of_shuffling_by_hand() -> None:
    samples = table(30)
    truth = (samples["x0"] + samples["x1"] > 0).astype(np.int64)
    calls: list[Samples] = []

    def predict(given: Samples) -> Floats:
        calls.append(given)
        return blurred(given)

    found = importance(samples, truth, predict, LogLoss())
    base = ScoredRows(YES_NO, truth, blurred(samples), None, 0.5)
    (shuffled,) = calls[1:]  # all columns in one call
    parts = [shuffled.take(np.arange(start, start + 30)) for start in range(0, shuffled.rows, 30)]
    assert len(parts) == 3 * REPEATS
    scores = [replace(base, prediction=blurred(part)).score(LogLoss()) for part in parts[:REPEATS]]
    x0 = next(feature for feature in found.features if feature.name == "x0")
    assert x0.drop == pytest.approx(np.mean(scores) - base.score(LogLoss()), abs=1e-12)


def test_a_shuffle_keeps_the_values_and_moves_each_row() -> None:
    samples = Samples.of({"a": np.arange(20.0), "word": Coded.of(list("abcdefghijklmnopqrst"))})
    seen: list[Samples] = []

    def predict(given: Samples) -> Floats:
        seen.append(given)
        return np.full(given.rows, 0.5)

    importance(samples, np.tile([0, 1], 10), predict, Accuracy())
    shuffled = seen[-1]["a"].reshape(2, REPEATS, 20)[0]
    assert (np.sort(shuffled) == np.arange(20)).all()
    assert (shuffled != np.arange(20)).all()
    assert set(seen[-1]["word"].texts().reshape(2, -1)[1]) == set("abcdefghijklmnopqrst")


def test_the_same_generator_gives_the_same_numbers() -> None:
    samples = table(60)
    truth = (samples["x0"] > 0).astype(np.int64)
    first, again = (importance(samples, truth, blurred, LogLoss()).as_json() for _ in range(2))
    assert first == again


def test_of_many_rows_a_sample_is_scored() -> None:
    samples = table(5_000)
    assert importance(samples, (samples["x0"] > 0).astype(np.int64), sure, Accuracy()).rows == 2_000


def test_of_many_columns_those_that_move_the_predictions_are_kept() -> None:
    samples = table(60, columns=MOST_COLUMNS + 50)
    last = f"x{MOST_COLUMNS + 49}"

    def predict(given: Samples) -> Floats:
        return np.asarray(1 / (1 + np.exp(-given[last])))

    found = importance(samples, (samples[last] > 0).astype(np.int64), predict, Accuracy())
    assert (len(found.features), found.left_out) == (MOST_COLUMNS, 50)
    assert found.features[0].name == last


def test_so_many_values_that_it_would_take_too_long_are_refused() -> None:
    wide = np.broadcast_to(np.uint8(0), (40, 1_000_000))
    samples = Samples.of({"image": wide, "age": np.arange(40.0)})
    with pytest.raises(DataError, match="too long"):
        importance(samples, np.tile([0, 1], 20), lambda given: np.full(given.rows, 0.5), Accuracy())


def test_a_single_column_is_refused() -> None:
    samples = table(40, columns=1)
    with pytest.raises(DataError, match="at least 2 input columns"):
        importance(samples, np.tile([0, 1], 20), sure, Accuracy())


def test_rows_of_one_group_count_as_one() -> None:
    samples = table(20)
    repeated = samples.take(np.repeat(np.arange(20), 30))
    truth = (repeated["x0"] + 0.5 * repeated["x1"] > 0).astype(np.int64)
    rows = ScoredRows(YES_NO, truth, blurred(repeated), None, 0.5)
    grouped = replace(rows, groups=np.repeat(np.arange(20), 30))
    widths = []
    for each in (rows, grouped):
        found = permutation_importance(LogLoss(), each, repeated, blurred, np.random.default_rng(0)).features[0]
        assert found.interval.low is not None
        assert found.interval.high is not None
        widths.append(found.interval.high - found.interval.low)
    assert widths[1] > 3 * widths[0]


def test_fewer_than_five_groups_have_no_interval() -> None:
    samples = table(40)
    truth = (samples["x0"] > 0).astype(np.int64)
    rows = ScoredRows(YES_NO, truth, blurred(samples), None, 0.5, groups=np.repeat(np.arange(4), 10))
    found = permutation_importance(LogLoss(), rows, samples, blurred, np.random.default_rng(0)).features[0]
    assert (found.interval.low, found.interval.reason) == (None, "takes at least 5 groups")


def test_rows_in_time_order_have_an_interval_that_knows_it() -> None:
    samples = table(200)
    truth = (samples["x0"] > 0).astype(np.int64)
    rows = ScoredRows(YES_NO, truth, blurred(samples), None, 0.5, ordered=True)
    found = permutation_importance(LogLoss(), rows, samples, blurred, np.random.default_rng(0)).features[0]
    assert found.interval.method == "cosine t over time"


def test_weights_of_zero_take_rows_out() -> None:
    samples = table(100)
    truth = (samples["x0"] > 0).astype(np.int64)
    weight = np.ones(100)
    weight[50:] = 0
    rows = ScoredRows(YES_NO, np.where(weight > 0, truth, 1 - truth), sure(samples), weight, 0.5)
    found = permutation_importance(Accuracy(), rows, samples, sure, np.random.default_rng(0))
    assert found.features[0].name == "x0"
    assert found.features[0].drop > 0.4
    assert found.features[-1].drop == 0


def test_intervals_cover_the_true_drop() -> None:
    def truth_of(samples: Samples, generator: np.random.Generator) -> NDArray[np.int64]:
        chance = 1 / (1 + np.exp(-1.2 * samples["x0"] - 0.5 * samples["x1"]))
        return (generator.random(samples.rows) < chance).astype(np.int64)

    generator = np.random.default_rng(5)
    many = table(400_000, seed=6)
    answers = truth_of(many, generator)
    moved = Samples.of(dict(many.columns) | {"x0": np.roll(many["x0"], 1)})
    losses = [ScoredRows(YES_NO, answers, blurred(each), None, 0.5).score(LogLoss()) for each in (many, moved)]
    drop, covered, tries = losses[1] - losses[0], 0, 400
    for seed in range(tries):
        samples = table(100, seed=100 + seed)
        found = importance(samples, truth_of(samples, generator), blurred, LogLoss())
        x0 = next(feature.interval for feature in found.features if feature.name == "x0")
        assert x0.low is not None
        assert x0.high is not None
        covered += x0.low <= drop <= x0.high
    assert 0.91 < covered / tries < 0.98
