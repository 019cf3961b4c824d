"""Rows that lie on disk are trained on with the bits of rows in memory."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.storage import Mapped, OnDisk, room, taken
from dlcli.training import graphs, portions
from dlcli.training.engine import Engine, Epoch, Rows, copies
from dlcli.training.optimizers import Adam
from tests.training.networks import engine, rows

ROWS, BATCH = 45, 10
ORDERS = [np.random.default_rng(seed).permutation(ROWS).astype(np.int32) for seed in range(3)]
RATES = np.linspace(0.01, 0.02, 5)
WEIGHT = np.linspace(0.1, 2, ROWS).astype(np.float32)


@pytest.fixture(params=[1, 2, 3, 100], ids=lambda batches: f"{batches}-batches")
def few_batches_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """So few are read from disk at once, and few rows are predicted at once."""
    monkeypatch.setattr(portions, "CHUNK_BYTES", request.param * BATCH * 4 * 4)
    monkeypatch.setattr(portions, "_CHUNKS", 1)
    monkeypatch.setattr(graphs, "_CHUNK_ROWS", 8)


def on_disk(held: Rows, folder) -> Rows:
    """The same rows, the inputs in a file in which they stand backwards among others."""
    folder.mkdir(exist_ok=True)
    others = np.zeros((3, *held.x.shape[1:]), held.x.dtype)
    with OnDisk(folder) as storage:
        array = storage.keep(np.concatenate([others, held.x[::-1]]))
    return Rows(Mapped(array, np.arange(len(array))[:2:-1]), held.y, held.weight)


def bits(one: Engine) -> list[bytes]:
    return [array.tobytes() for array in copies([*one.model.variables, *one.model.optimizer.variables])]


def trained(train: Rows, validation: Rows, cuts=(), **named) -> tuple[list[bytes], list[np.ndarray]]:
    """What three epochs leave, and what they predict on the way."""
    one = engine(named.pop("optimizer", None), **named)
    one.load(train, validation, batch_size=BATCH)
    seen = []
    for number, order in enumerate(ORDERS):
        epoch, first = Epoch(order, RATES, (number, 1)), 0
        for last in cuts:
            one.train(epoch, first, last)
            first = last
        closed = one.finish(epoch, first)
        seen += [closed.predictions, closed.losses, np.array(sorted(closed.metrics.items()))]
    seen.append(one.predict(validation.x))
    return bits(one), seen


@pytest.mark.usefixtures("few_batches_at_once")
@pytest.mark.parametrize(
    "named",
    [
        {},
        {"xla": True},
        {"optimizer": Adam(learning_rate=0.01, use_ema=True)},
        {"augment": lambda x, y, weight, key: (x + np.float32(0.1) * _noise(x, key), y, weight)},
    ],
    ids=["graph", "xla", "averaged weights", "augmentation"],
)
def test_bits_and_predictions_are_those_of_rows_in_memory(named, tmp_path):
    train, validation = rows(ROWS, weight=WEIGHT), rows(33, seed=9)
    held, seen = trained(train, validation, **named)
    read, found = trained(on_disk(train, tmp_path / "a"), on_disk(validation, tmp_path / "b"), **named)
    assert read == held
    for one, other in zip(found, seen, strict=True):
        assert np.array_equal(one, other)


def _noise(x, key):
    import tensorflow as tf

    return tf.random.stateless_normal(tf.shape(x), key)


@pytest.mark.usefixtures("few_batches_at_once")
@pytest.mark.parametrize("cuts", [(1,), (2, 3), (1, 2, 3, 4), (5,)])
def test_segments_of_any_length_give_the_same_bits(cuts, tmp_path):
    train, validation = rows(ROWS), rows(12, seed=9)
    held, _ = trained(train, validation)
    assert trained(on_disk(train, tmp_path), validation, cuts)[0] == held


@pytest.mark.usefixtures("few_batches_at_once")
def test_a_state_amid_an_epoch_goes_on_with_the_same_bits(tmp_path):
    train = on_disk(rows(ROWS), tmp_path)
    epoch = Epoch(ORDERS[0], RATES)
    whole, stopped, resumed = engine(), engine(), engine()
    for one in (whole, stopped, resumed):
        one.load(train, None, batch_size=BATCH)
    whole.finish(epoch, 0)
    stopped.train(epoch, 0, 3)
    resumed.restore(stopped.state())
    resumed.finish(epoch, 3)
    assert bits(resumed) == bits(whole)


def test_no_more_than_two_portions_are_held(tmp_path, monkeypatch):
    monkeypatch.setattr(portions, "CHUNK_BYTES", BATCH * 4 * 4)
    train = on_disk(rows(400), tmp_path)
    stream = portions.Stream(train.x, (train.y,), BATCH)
    for portion in stream.portions(np.arange(400, dtype=np.int32), 0, 40):
        assert len(portion.data[0]) == BATCH
        assert len(stream._read) <= 2


class TestTensors:
    """Arrays become tensors, large ones without a copy."""

    def test_a_large_array_that_was_given_room_is_not_copied(self):
        array = room((300_000,), np.float32)
        array[:] = 1
        tensor = portions.tensor(array)
        array[0] = 5
        assert tensor.numpy()[:2].tolist() == [5, 1]

    @pytest.mark.parametrize("way", ["begins elsewhere", "read only", "not in a row", "small"])
    def test_any_other_is(self, way):
        array = room((600_002,), np.float32)
        array[:] = 1
        given = {
            "begins elsewhere": array[1:],
            "read only": np.frombuffer(array.tobytes(), np.float32),
            "not in a row": array[::2],
            "small": array[:10],
        }[way]
        tensor = portions.tensor(given)
        array[:] = 5
        assert set(tensor.numpy().tolist()) == {1}
        assert len(tensor) == len(given)

    def test_it_outlives_the_array(self):
        held = room((1_200_000,), np.uint8)
        held[:] = 7
        tensor = portions.tensor(held)
        del held
        room((1_200_000,), np.uint8)[:] = 9
        assert int(tensor[-1]) == 7


def test_taken_rows_are_those_of_the_array():
    array = np.arange(60).reshape(20, 3)
    assert taken(array, np.array([4, 0, 19])).tolist() == array[[4, 0, 19]].tolist()
    assert taken(array, np.array([], np.int64)).shape == (0, 3)
