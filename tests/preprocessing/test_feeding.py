"""How rows are kept for the engine."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from dlcli.preprocessing import feeding, pipeline
from dlcli.preprocessing.images import Rescale
from dlcli.preprocessing.scales import Standardize
from tests.preprocessing.columns import rows, table

MANY = feeding.LARGEST_FLOATS // (4 * 6 * 5) + 1


def images(dtype: str = "uint8") -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, (12, 6, 5, 1)).astype(dtype)


def feed(columns, *steps, count: int = MANY) -> tuple[feeding.Feed, pipeline.Pipeline, object]:
    samples, schema = table(columns)
    fitted = pipeline.fit(steps, samples, schema, rows(12))
    return feeding.feed(fitted, count), fitted, samples


def test_many_small_whole_numbers_stay_as_they_are_until_the_graph_prepares_them():
    pixels = images()
    kept, fitted, samples = feed({"image": pixels}, Rescale())
    held = kept.rows(samples, rows(7))
    assert held.dtype == np.uint8
    assert np.array_equal(held, pixels[:7])
    assert kept.kept_as == "uint8, prepared in the graph"
    inside = tf.function(kept.prepare)(tf.constant(held)).numpy()
    assert np.array_equal(inside, fitted.transform(samples, rows(7)))


@pytest.mark.parametrize(
    ("columns", "count"),
    [
        ({"image": images()}, 1000),
        ({"image": images("float32")}, MANY),
        ({"image": images("int32")}, MANY),
        ({"age": list(range(12)), "height": list(range(12))}, 10**8),
    ],
    ids=["few", "fractions", "as large as floats", "a table"],
)
def test_all_else_is_worked_out_beforehand(columns, count):
    kept, fitted, samples = feed(columns, Standardize(), count=count)
    assert kept.kept_as == "float32"
    assert np.array_equal(kept.rows(samples, rows(7)), fitted.transform(samples, rows(7)))
    assert kept.prepare(1.5) == 1.5


def test_learned_numbers_are_no_constants_of_a_graph():
    kept, _, _ = feed({"image": images()}, Rescale(), Standardize())
    assert kept.kept_as == "float32"


def test_a_graph_that_prepares_depends_on_the_steps():
    one, _, _ = feed({"image": images()}, Rescale())
    same, _, _ = feed({"image": images() // 2}, Rescale())
    other, _, _ = feed({"image": images()}, Rescale(scale=0.5))
    assert one.key == same.key != other.key
