"""Images from whole numbers to what a network takes."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.preprocessing import pipeline
from dlcli.preprocessing.automatic import Auto
from dlcli.preprocessing.images import Rescale
from dlcli.preprocessing.tables import Standardize
from dlcli.problems import ConfigError
from tests.preprocessing.columns import rows, table


def images(count: int = 12, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 6, 5, channels)).astype(np.uint8)


def test_rescale_brings_pixels_to_0_to_1_and_keeps_the_shape():
    pixels = images()
    samples, schema = table({"image": pixels})
    fitted = pipeline.fit((Rescale(),), samples, schema, rows(12))
    result = fitted.transform(samples)
    assert fitted.output == pipeline.OutputSpec((6, 5, 1), ("image",), None)
    assert result.dtype == np.float32
    assert result == pytest.approx(pixels / 255, abs=1e-7)


def test_rescale_reads_a_fraction():
    assert Rescale(scale="1/16").scale == 1 / 16


def test_standardize_works_per_channel():
    samples, schema = table({"image": images(channels=3)})
    result = pipeline.fit((Rescale(), Standardize()), samples, schema, rows(12)).transform(samples)
    assert result.mean(axis=(0, 1, 2)) == pytest.approx([0, 0, 0], abs=1e-6)
    assert result.std(axis=(0, 1, 2)) == pytest.approx([1, 1, 1], abs=1e-6)


def test_auto_rescales_whole_numbers_and_standardizes_fractions():
    _, whole = table({"image": images()})
    _, fractions = table({"image": images() / np.float32(255)})
    assert [step.part_name for step in pipeline.expand((Auto(),), whole)] == ["rescale"]
    assert [step.part_name for step in pipeline.expand((Auto(),), fractions)] == ["standardize"]


def test_the_exported_model_takes_whole_numbers():
    samples, schema = table({"image": images()})
    fitted = pipeline.fit((Rescale(), Standardize()), samples, schema, rows(8))
    exported = fitted.as_model()
    assert exported.inputs[0].dtype == "uint8"
    assert np.array_equal(exported(fitted.tensors(samples)).numpy(), fitted.transform(samples))


def test_an_image_beside_a_table_is_a_problem():
    samples, schema = table({"image": images(), "age": list(range(12))})
    with pytest.raises(ConfigError, match="image has the shape 6 x 5 x 1 and stands beside other columns"):
        pipeline.fit((Rescale(), Standardize()), samples, schema, rows(12))
