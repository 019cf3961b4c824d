"""The engine: what an epoch does, bit by bit."""

import hashlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlcli.network.build import build, resolve
from dlcli.network.layers.dense import Dense
from dlcli.network.losses import MeanSquaredError
from dlcli.seeds import Seeds
from dlcli.task import Goal, Task
from dlcli.training import optimizers
from dlcli.training.compilation import BARE_LOSS, compile_model
from dlcli.training.engine import Engine, Epoch, Rows, copies
from dlcli.training.optimizers import SGD, Adam
from tests.training.networks import engine, model, rows

ROWS, BATCH, BATCHES = 45, 10, 5
ORDER = np.random.default_rng(5).permutation(ROWS).astype(np.int32)
EPOCH = Epoch(ORDER, np.full(BATCHES, 0.01))
OPTIMIZERS = [
    each
    for each in vars(optimizers).values()
    if isinstance(each, type) and issubclass(each, optimizers.KerasOptimizer) and "part_name" in vars(each)
]


def loaded(one: Engine, data=None, validation=None, batch_size=BATCH) -> Engine:
    one.load(data or rows(ROWS), validation, batch_size=batch_size)
    return one


def arrays(one) -> list[np.ndarray]:
    """Weights, moving statistics, states of random numbers, and all that the optimizer keeps."""
    found = one.model if isinstance(one, Engine) else one
    return copies([*found.variables, *found.optimizer.variables])


def digest(one) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays(one))).hexdigest()


def largest_difference(one, other) -> float:
    pairs = zip(arrays(one), arrays(other), strict=True)
    return max(float(np.abs(a.astype(float) - b.astype(float)).max()) for a, b in pairs)


def train_and_digest() -> str:
    one = loaded(engine())
    for number in range(3):
        order = Seeds(1).generator("order", number).permutation(ORDER)
        one.finish(Epoch(order, np.linspace(0.01, 0.02, BATCHES)), 0)
    return digest(one)


def stock(layers, shape, optimizer="adam", loss="sparse_categorical_crossentropy"):
    """A plain Keras model, as anybody would write it, the same each time."""
    keras.utils.set_random_seed(4)
    one = keras.Sequential([keras.Input(shape), *layers()])
    one.compile(optimizer, loss, jit_compile=False)
    # Built by `fit`, inside its graph, ScheduleFreeAdamW would begin with zeros instead of copies of the weights.
    one.optimizer.build(one.trainable_variables)
    return one


def images(count=45, side=8):
    rng = np.random.default_rng(0)
    return Rows(rng.normal(size=(count, side, side, 1)).astype(np.float32), rng.integers(0, 3, count).astype(np.int32))


def sequences(count=45, steps=6):
    rng = np.random.default_rng(0)
    return Rows(rng.integers(0, 9, (count, steps)).astype(np.float32), rng.integers(0, 3, count).astype(np.int32))


K = keras.layers
FAMILIES = {
    "dense": (rows, lambda: [K.Dense(8, "relu"), K.Dense(3, "softmax")]),
    "dropout": (rows, lambda: [K.Dense(8, "relu"), K.Dropout(0.3, seed=1), K.Dense(3, "softmax")]),
    "gaussian noise": (rows, lambda: [K.GaussianNoise(0.1, seed=1), K.Dense(3, "softmax")]),
    "batch normalization": (
        rows,
        lambda: [K.Dense(8, use_bias=False), K.BatchNormalization(), K.ReLU(), K.Dense(3, "softmax")],
    ),
    "layer normalization": (rows, lambda: [K.Dense(8), K.LayerNormalization(), K.Dense(3, "softmax")]),
    "penalty": (rows, lambda: [K.Dense(8, "relu", kernel_regularizer="l2"), K.Dense(3, "softmax")]),
    "constraint": (rows, lambda: [K.Dense(8, "relu", kernel_constraint="max_norm"), K.Dense(3, "softmax")]),
    "convolution": (
        images,
        lambda: [K.Conv2D(4, 3, activation="relu"), K.MaxPooling2D(), K.Flatten(), K.Dense(3, "softmax")],
    ),
    "convolution with batch normalization and dropout": (
        images,
        lambda: [
            K.Conv2D(4, 3), K.BatchNormalization(), K.ReLU(), K.GlobalAveragePooling2D(), K.Dropout(0.2, seed=2),
            K.Dense(3, "softmax"),
        ],
    ),
    "embedding": (sequences, lambda: [K.Embedding(9, 4), K.GlobalAveragePooling1D(), K.Dense(3, "softmax")]),
    "recurrent": (sequences, lambda: [K.Embedding(9, 4), K.LSTM(5), K.Dense(3, "softmax")]),
    "attention": (sequences, lambda: [K.Embedding(9, 4), SelfAttention(), K.Flatten(), K.Dense(3, "softmax")]),
}  # fmt: skip


class SelfAttention(K.Layer):
    def build(self, shape):
        self.attention = K.MultiHeadAttention(2, 2, dropout=0.1, seed=3)
        self.attention.build(shape, shape)

    def call(self, x, training=False):
        return self.attention(x, x, training=training)


def fitted(one, data, epochs=3):
    """What Keras's `fit` makes of the same batches."""
    x, y = data.x[ORDER], data.y[ORDER]
    weight = None if data.weight is None else data.weight[ORDER]
    one.fit(x, y, sample_weight=weight, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0)
    return one


def ours(one, data, epochs=3, **named) -> Engine:
    made = loaded(Engine(one, **named), data)
    for _ in range(epochs):
        made.finish(Epoch(ORDER), 0)
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_graph_ends_with_the_bits_of_fit_for_every_layer_family(family):
    data, layers = FAMILIES[family]
    theirs = fitted(stock(layers, data().x.shape[1:]), data())
    assert digest(ours(stock(layers, data().x.shape[1:]), data())) == digest(theirs)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda each: each.part_name)
def test_graph_ends_with_the_bits_of_fit_for_every_optimizer(optimizer):
    layers = FAMILIES["dropout"][1]
    theirs = fitted(stock(layers, (4,), optimizer().build()), rows())
    assert digest(ours(stock(layers, (4,), optimizer().build()), rows())) == digest(theirs)


@pytest.mark.parametrize(
    "fields",
    [
        {"clipnorm": 0.1},
        {"clipvalue": 0.01},
        {"global_clipnorm": 0.1},
        {"weight_decay": 0.01},
        {"gradient_accumulation_steps": 2},
        {"loss_scale_factor": 8.0},
        {"use_ema": True, "ema_overwrite_frequency": 4},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_graph_ends_with_the_bits_of_fit_for_every_optimizer_feature(fields):
    layers = FAMILIES["dense"][1]
    theirs = fitted(stock(layers, (4,), Adam(**fields).build()), rows())
    made = ours(stock(layers, (4,), Adam(**fields).build()), rows())
    if "use_ema" in fields:  # `fit` puts the averages in place of the weights at its end
        made.model.optimizer.finalize_variable_values(made.model.trainable_variables)
    assert digest(made) == digest(theirs)


def test_graph_ends_with_the_bits_of_fit_for_weighted_rows():
    layers, data = FAMILIES["dense"][1], rows(weight=np.linspace(0.1, 2, ROWS).astype(np.float32))
    assert digest(ours(stock(layers, (4,)), data)) == digest(fitted(stock(layers, (4,)), data))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_graph_ends_with_the_bits_of_fit_in_half_precision(policy):
    def layers():
        return [K.Dense(8, "relu", dtype=policy), K.Dense(3, "softmax", dtype="float32")]

    def made():
        one = stock(layers, (4,))
        one.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()), one.loss, jit_compile=False)
        return one

    assert digest(ours(made(), rows())) == digest(fitted(made(), rows()))


def test_a_schedule_of_the_optimizers_own_is_left_to_it():
    layers = FAMILIES["dense"][1]

    def made():
        return stock(layers, (4,), keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 12)))

    assert digest(ours(made(), rows())) == digest(fitted(made(), rows()))


def test_a_train_step_of_the_users_own_is_what_runs():
    class Halved(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True)) / 2
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return {"loss": loss}

    def made():
        keras.utils.set_random_seed(4)
        inputs = keras.Input((4,))
        one = Halved(inputs, K.Dense(3, "softmax")(inputs))
        one.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
        return one

    assert digest(ours(made(), rows())) == digest(fitted(made(), rows()))


def test_metrics_are_those_of_fit_and_begin_anew_each_epoch():
    def made():
        one = stock(FAMILIES["dense"][1], (4,))
        one.compile("adam", one.loss, metrics=["accuracy"], jit_compile=False)
        return one

    data = rows()
    theirs = made().fit(data.x[ORDER], data.y[ORDER], batch_size=BATCH, epochs=3, shuffle=False, verbose=0).history
    one = loaded(Engine(made()), data)
    closed = [one.finish(Epoch(ORDER), 0).metrics for _ in range(3)]
    assert {name: [each[name] for each in closed] for name in theirs} == theirs


@pytest.mark.parametrize("cuts", [(1,), (2, 3), (1, 2, 3, 4), (4, 5)])
@pytest.mark.parametrize("xla", [False, True])
def test_segments_of_any_length_give_the_same_bits(cuts, xla):
    whole, cut = loaded(engine(xla=xla)), loaded(engine(xla=xla))
    for _ in range(2):
        whole.finish(EPOCH, 0)
        first = 0
        for last in cuts:
            cut.train(EPOCH, first, last)
            first = last
        cut.finish(EPOCH, first)
    assert digest(cut) == digest(whole)


def test_same_seeds_give_the_same_bits_again_and_in_another_process():
    here = train_and_digest()
    assert train_and_digest() == here
    code = "from tests.training.test_engine import train_and_digest; print(train_and_digest())"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


@pytest.mark.parametrize("family", ["dense", "batch normalization", "embedding", "penalty", "layer normalization"])
def test_xla_stays_within_rounding_over_a_hundred_steps_where_nothing_draws(family):
    data, layers = FAMILIES[family]
    graph, xla = (ours(stock(layers, data().x.shape[1:]), data(), epochs=20, xla=xla) for xla in (False, True))
    assert largest_difference(graph, xla) < 1e-5


def test_xla_compiles_once_for_folds_of_different_sizes():
    one = loaded(engine(xla=True), rows(200))
    for count in (200, 201, 199, 203):
        data = rows(count, seed=count)
        apart = loaded(engine(xla=True), data)
        one.restart([variable.value for variable in model().variables])
        loaded(one, data)
        for each in (one, apart):
            each.finish(Epoch(np.arange(count, dtype=np.int32), np.full(21, 0.01)[: each.batches]), 0)
        assert digest(one) == digest(apart)
    assert one.traces == 5  # the loop by XLA and in the graph, predictions, and two ways to end an epoch


@pytest.mark.parametrize("xla", [False, True])
def test_restarted_engine_has_the_bits_of_a_new_one(xla):
    used, new = loaded(engine(xla=xla), rows(seed=7)), loaded(engine(xla=xla))
    for _ in range(2):
        used.finish(EPOCH, 0)
    traces = used.traces
    used.restart([variable.value for variable in model().variables])
    loaded(used)
    for _ in range(2):
        used.finish(EPOCH, 0)
        new.finish(EPOCH, 0)
    assert digest(used) == digest(new)
    assert used.traces == traces


def linear_engine(optimizer, slope: float, intercept: float) -> Engine:
    network = resolve([], None, Goal(Task.REGRESSION, ("price",)), (1,))
    one = build(network.layers, (1,), Seeds(0), bias=np.array([intercept], np.float32))
    one.layers[-1].kernel.assign([[slope]])
    compile_model(one, optimizer.build(), MeanSquaredError().build())
    return Engine(one, row_loss=one.loss.call)


def weights(one: Engine) -> list[float]:
    return np.concatenate([array.ravel() for array in copies(one.model.variables)]).tolist()


def test_full_batch_step_on_three_houses_is_that_of_the_textbook():
    size = np.array([[0.6], [0.8], [1.1]], np.float32)
    price = np.array([[1.1], [1.2], [2.1]], np.float32)
    one = loaded(linear_engine(SGD(), 1.0, 0.0), Rows(size, price), batch_size=3)
    # Keras's mse is a third of the sum of squares, so three times the rate makes the same step.
    closed = one.finish(Epoch(np.arange(3, dtype=np.int32), np.array([0.3])), 0)
    assert closed.metrics[BARE_LOSS] == pytest.approx(1.41 / 3)
    assert weights(one) == pytest.approx([1.344, 0.38])


def test_every_batch_has_its_own_rate():
    ones = np.ones((2, 1), np.float32)
    one = loaded(linear_engine(SGD(), 0.0, 0.0), Rows(ones, ones), batch_size=1)
    one.finish(Epoch(np.arange(2, dtype=np.int32), np.array([0.0, 0.1])), 0)
    assert weights(one) == pytest.approx([0.2, 0.2])


def test_loss_is_bare_and_weighted_by_rows_alone():
    data, still = rows(weight=np.linspace(0.1, 2, ROWS).astype(np.float32)), Epoch(ORDER, np.zeros(BATCHES))
    plain, weighted = engine(Adam()), engine(Adam(), class_weight=np.array([1.0, 5.0, 9.0]))
    bare = loaded(plain, data).finish(still, 0).metrics
    other = loaded(weighted, data).finish(still, 0).metrics
    assert bare[BARE_LOSS] == other[BARE_LOSS]
    assert bare["loss"] > bare[BARE_LOSS]
    assert other["loss"] > bare["loss"]


def test_class_weight_is_the_same_as_more_weight_on_the_rows_of_the_class():
    factors = np.array([1.0, 5.0, 9.0], np.float32)
    by_class, by_row = loaded(engine(class_weight=factors)), loaded(engine(), rows(weight=factors[rows().y]))
    for one in (by_class, by_row):
        one.finish(EPOCH, 0)
    assert largest_difference(by_class, by_row) < 1e-5


def test_end_of_an_epoch_predicts_the_validation_rows_and_their_losses():
    held = rows(20, seed=1)
    one = loaded(engine(), validation=held)
    closed = one.finish(EPOCH, 0)
    assert closed.predictions == pytest.approx(one.predict(held.x), abs=1e-7)
    assert closed.losses == pytest.approx(-np.log(closed.predictions[np.arange(20), held.y]), rel=1e-5)
    assert closed.finite


def test_weights_that_are_no_numbers_are_noticed():
    one = loaded(engine(SGD()))
    assert not one.finish(Epoch(ORDER, np.full(BATCHES, np.inf)), 0).finite


def test_predictions_are_float64_and_do_not_depend_on_their_number():
    one, data = loaded(engine()), rows()
    predictions = one.predict(data.x)
    assert (predictions.dtype, predictions.shape) == (np.float64, (ROWS, 3))
    assert one.predict(data.x[:7]) == pytest.approx(predictions[:7], abs=1e-6)
    assert one.predict(data.x[:0]).shape == (0, 3)
    many = np.repeat(data.x, 400, axis=0)
    assert one.predict(many) == pytest.approx(np.repeat(predictions, 400, axis=0), abs=1e-6)


def test_nothing_is_traced_again_after_the_first_epoch():
    one, held = engine(), rows(20, seed=1)
    for count in (45, 45, 37, 60):
        loaded(one, rows(count), held)
        for number in range(2):
            rates = np.linspace(0.01, 0.02 + number, one.batches)
            one.finish(Epoch(np.arange(count, dtype=np.int32), rates), 0)
            one.predict(held.x)
        if count == 45:
            traces = one.traces
    assert one.traces == traces


def test_training_goes_back_to_an_earlier_epoch_with_the_same_bits():
    one = loaded(engine(Adam(use_ema=True)))
    earlier = one.finish(EPOCH, 0).state
    one.finish(EPOCH, 0)
    after = digest(one)
    one.put(earlier)
    one.finish(EPOCH, 0)
    assert digest(one) == after


def test_state_in_the_middle_of_an_epoch_goes_on_with_the_same_bits_and_metrics():
    one, other = loaded(engine(Adam(use_ema=True))), loaded(engine(Adam(use_ema=True)))
    one.finish(EPOCH, 0)
    one.train(EPOCH, 0, 3)
    other.restore(one.state())
    ends = one.finish(EPOCH, 3), other.finish(EPOCH, 3)
    assert digest(one) == digest(other)
    assert ends[0].metrics == ends[1].metrics


def test_state_of_another_model_is_refused():
    with pytest.raises(ValueError, match="another model"):
        loaded(engine()).restore(loaded(engine(layers=[Dense(units=5)])).state())


def test_averaged_weights_predict_but_do_not_train():
    held = rows(20, seed=1)
    plain, averaged = engine(), engine(Adam(learning_rate=0.01, use_ema=True, ema_momentum=0.9))
    for _ in range(3):
        ends = [loaded(one, validation=held).finish(EPOCH, 0) for one in (plain, averaged)]
        assert ends[0].metrics == ends[1].metrics
    trained = [copies(one.model.trainable_variables) for one in (plain, averaged)]
    assert all(np.array_equal(a, b) for a, b in zip(*trained, strict=True))
    assert not np.allclose(ends[0].predictions, ends[1].predictions)
    averaged.show(averaged.averaged(ends[1].state))
    assert averaged.predict(held.x) == pytest.approx(ends[1].predictions, abs=1e-7)


def test_inputs_are_prepared_and_augmented_inside_the_graph():
    def augment(x, y, weight, key):
        return x + tf.random.stateless_normal(tf.shape(x), key), y, weight

    data = rows()
    small = Rows((data.x * 10).astype(np.int8), data.y)
    seen = []
    for key in ((1, 2), (1, 2), (3, 4)):
        one = engine(prepare=lambda x: tf.cast(x, tf.float32) / 10, augment=augment)
        loaded(one, small)
        one.finish(Epoch(ORDER, np.full(BATCHES, 0.01), key), 0)
        seen.append(digest(one))
    assert seen[0] == seen[1] != seen[2]
