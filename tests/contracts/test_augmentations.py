"""What holds for every augmentation."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from dlcli.config import catalog
from dlcli.preprocessing.augmentation.composed import Composed
from dlcli.samples import Batch
from tests.preprocessing.augmentation.batches import made, noise, range_of, seed, tensors

NAMES = catalog.names("augmentation")
ROWS = 24


def example(name):
    """The function of a Part's example, and a batch that it can change."""
    part = made(catalog.find("augmentation", name).example)
    x = noise(ROWS, 8, 9, 3)
    if part.misfit(x.shape[1:], codes=False) is not None:
        x = np.ceil(noise(ROWS, 12) * 50)
    batch = Batch(x, np.eye(4)[np.arange(ROWS) % 4], noise(ROWS))
    return Composed((part,), range_of(x.shape[1:])), tensors(batch)


def arrays(batch):
    return [np.asarray(each) for each in batch]


@pytest.mark.parametrize("name", NAMES)
def test_is_a_pure_function_of_its_key(name):
    function, batch = example(name)
    once, again, other = (arrays(function(*batch, seed(key))) for key in ((3, 4), (3, 4), (3, 5)))
    assert all(np.array_equal(one, two) for one, two in zip(once, again, strict=True))
    assert not np.array_equal(once[0], other[0])


@pytest.mark.parametrize("name", NAMES)
def test_keeps_shapes_and_types_and_changes_targets_only_where_it_says_so(name):
    function, batch = example(name)
    x, y, weight = function(*batch, seed())
    assert (x.dtype, x.shape) == (tf.float32, batch.x.shape)
    assert (y.dtype, y.shape) == (tf.float32, batch.y.shape)
    assert np.isfinite(x).all()
    untouched = np.array_equal(y, batch.y) and np.array_equal(weight, batch.weight)
    assert untouched != function.parts[0].mixes_targets
    assert function(batch.x, batch.y, None, seed())[2] is None


@pytest.mark.parametrize("name", NAMES)
def test_changes_equal_rows_of_a_batch_differently(name):
    function, batch = example(name)
    x = np.asarray(batch.x)
    # Mixing equal rows changes nothing: their partners must differ.
    equal = x if function.parts[0].mixes_targets else np.broadcast_to(x[:1], x.shape)
    result = np.asarray(function(tf.constant(equal), *batch[1:], seed())[0])
    assert len(np.unique(result.reshape(ROWS, -1), axis=0)) > 1


@pytest.mark.parametrize("name", NAMES)
def test_works_inside_a_loop_inside_a_graph_and_makes_no_variables(name):
    function, batch = example(name)

    def loop(x, y, weight, key):
        def step(number, kept):
            part = slice(0, 24 - 8 * number)
            changed = function(x[part], y[part], weight[part], tf.random.experimental.stateless_fold_in(key, number))
            return number + 1, kept.write(number, tf.reshape(changed[0], [-1]))

        kept = tf.TensorArray(tf.float32, 2, infer_shape=False, element_shape=(None,))
        return tf.while_loop(lambda number, _: number < 2, step, (0, kept), parallel_iterations=1)[1].concat()

    specs = [tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in batch]
    traced = tf.function(loop, [*specs, tf.TensorSpec((2,), tf.int32)], autograph=False).get_concrete_function()
    assert traced.variables == ()
    keys = [tf.random.experimental.stateless_fold_in(seed(), number) for number in (0, 1)]
    outside = [
        np.ravel(function(*(each[:rows] for each in batch), key)[0]) for rows, key in zip((24, 16), keys, strict=True)
    ]
    assert np.asarray(traced(*batch, seed())) == pytest.approx(np.concatenate(outside), abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_says_whether_xla_can_compile_it(name):
    function, batch = example(name)
    compiled = tf.function(lambda *given: function(*given), autograph=False, jit_compile=True)
    if function.parts[0].compiles:
        once, again = (np.asarray(compiled(*batch, seed())[0]) for _ in range(2))
        assert np.array_equal(once, again)
        assert np.isfinite(once).all()
        assert not np.array_equal(once, batch.x)
    else:
        with pytest.raises((tf.errors.InvalidArgumentError, tf.errors.UnimplementedError)):
            compiled(*batch, seed())
