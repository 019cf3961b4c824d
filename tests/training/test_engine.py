"""The engine: what an epoch does, bit by bit."""

import hashlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from dlcli.network.build import build, resolve
from dlcli.network.losses import MeanSquaredError
from dlcli.seeds import Seeds
from dlcli.task import Goal, Task
from dlcli.training.engine import Engine
from dlcli.training.optimizers import SGD, Adam
from tests.training.networks import LOSS, engine, rows

ORDER = np.arange(45, dtype=np.int32)
RATES = np.full(5, 0.01)


def epoch(one: Engine, data, order=ORDER, rates=RATES, batch_size=10) -> float:
    return one.train_epoch(data.x, data.y, data.weight, order, rates, batch_size)


def digest(one: Engine) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in one.variables())).hexdigest()


def train_and_digest() -> str:
    one, data = engine(), rows()
    for number in range(3):
        epoch(one, data, Seeds(1).generator("order", number).permutation(ORDER), np.linspace(0.01, 0.02, 5))
    return digest(one)


def linear_engine(optimizer, slope: float, intercept: float) -> Engine:
    network = resolve([], None, Goal(Task.REGRESSION, ("price",)), (1,))
    model = build(network.layers, (1,), Seeds(0), bias=np.array([intercept], np.float32))
    model.layers[-1].kernel.assign([[slope]])
    return Engine(model, optimizer.build(), MeanSquaredError().build())


def test_same_seeds_give_the_same_bits_again_and_in_another_process():
    here = train_and_digest()
    assert train_and_digest() == here
    code = "from tests.training.test_engine import train_and_digest; print(train_and_digest())"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_epoch_gives_the_bits_of_keras_fit():
    ours, theirs, data = engine(), engine(), rows()
    order = np.random.default_rng(5).permutation(ORDER)
    epoch(ours, data, order)
    theirs.model.optimizer.learning_rate = 0.01
    theirs.model.fit(data.x[order], data.y[order], batch_size=10, shuffle=False, verbose=0)
    assert digest(ours) == digest(theirs)


def test_full_batch_step_on_three_houses_is_that_of_the_textbook():
    size = np.array([[0.6], [0.8], [1.1]], np.float32)
    price = np.array([[1.1], [1.2], [2.1]], np.float32)
    one = linear_engine(SGD(), 1.0, 0.0)
    # Keras's mse is a third of the sum of squares, so three times the rate makes the same step.
    loss = one.train_epoch(size, price, None, np.arange(3, dtype=np.int32), np.array([0.3]), 3)
    assert loss == pytest.approx(1.41 / 3)
    assert np.concatenate([array.ravel() for array in one.variables()]).tolist() == pytest.approx([1.344, 0.38])


def test_every_batch_has_its_own_rate():
    one = linear_engine(SGD(), 0.0, 0.0)
    x, y = np.ones((2, 1), np.float32), np.ones((2, 1), np.float32)
    one.train_epoch(x, y, None, np.arange(2, dtype=np.int32), np.array([0.0, 0.1]), 1)
    assert np.concatenate([array.ravel() for array in one.variables()]).tolist() == pytest.approx([0.2, 0.2])


def test_loss_is_bare_and_weighted_by_rows_alone():
    weight = np.linspace(0.1, 2, 45).astype(np.float32)
    data = rows(weight=weight)
    still = np.zeros(5)
    factors = np.array([1.0, 5.0, 9.0])
    plain, weighted = engine(Adam()), engine(Adam(), class_weight=factors)
    bare = epoch(plain, data, rates=still)
    assert bare == epoch(weighted, data, rates=still)
    assert plain.model.get_metrics_result()["loss"] > bare


def test_class_weight_is_the_same_as_more_weight_on_the_rows_of_the_class():
    factors = np.array([1.0, 5.0, 9.0], np.float32)
    data = rows()
    by_class, by_row = engine(class_weight=factors), engine()
    epoch(by_class, data)
    epoch(by_row, rows(weight=factors[data.y]))
    for one, other in zip(by_class.variables(), by_row.variables(), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_predictions_are_float64_and_do_not_depend_on_their_number():
    one, data = engine(), rows()
    predictions = one.predict(data.x)
    assert (predictions.dtype, predictions.shape) == (np.float64, (45, 3))
    assert one.predict(data.x[:7]) == pytest.approx(predictions[:7], abs=1e-6)
    assert one.predict(data.x[:0]).shape == (0, 3)


def test_loss_of_predictions_is_the_weighted_mean():
    one, weight = engine(), np.linspace(0, 1, 45)
    data = rows(weight=weight)
    predictions = one.predict(data.x)
    expected = np.average(-np.log(predictions[np.arange(45), data.y]), weights=weight)
    assert one.loss(data.y, predictions, weight) == pytest.approx(expected, rel=1e-5)


def test_nothing_is_traced_again_after_the_first_epoch():
    one, data, traces = engine(), rows(), []
    inner = one.model.train_step
    one.model.train_step = lambda batch: (traces.append(1), inner(batch))[1]
    for number in range(3):
        epoch(one, data, rates=np.linspace(0.01, 0.02 + number, 5))
        one.predict(data.x)
    first = len(traces)
    epoch(one, data)
    assert len(traces) == first <= 2


def test_restored_state_goes_on_with_the_same_bits():
    one, data = engine(Adam(use_ema=True)), rows()
    epoch(one, data)
    state = one.state()
    epoch(one, data)
    after = digest(one)
    one.restore_state(state)
    epoch(one, data)
    assert digest(one) == after


def test_averaged_weights_score_but_do_not_train():
    plain, averaged, data = engine(), engine(Adam(learning_rate=0.01, use_ema=True, ema_momentum=0.9)), rows()
    for _ in range(3):
        losses = epoch(plain, data), epoch(averaged, data)
        assert losses[0] == losses[1]
    assert digest(plain) != digest(averaged)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains(precision):
    one, data = engine(precision=precision), rows()
    first = epoch(one, data)
    for _ in range(9):
        last = epoch(one, data)
    assert last < first
    scaled = isinstance(one.model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (precision == "mixed_float16")


def test_gradient_accumulation_trains():
    one, data = engine(Adam(gradient_accumulation_steps=2)), rows()
    assert np.isfinite(epoch(one, data))
    assert LOSS.encoding == "index"
