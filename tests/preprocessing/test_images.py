"""Images from whole numbers to what a network takes."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.preprocessing import feeding, pipeline, planning
from dlcli.preprocessing.automatic import Auto
from dlcli.preprocessing.images import Grayscale, Rescale, Resize
from dlcli.preprocessing.scales import Standardize
from dlcli.preprocessing.tables import Drop
from dlcli.problems import ConfigError
from dlcli.samples import ColumnSchema, Samples, Schema
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


def test_resize_averages_and_keeps_the_range():
    pixels = np.zeros((2, 4, 4, 1), np.uint8)
    pixels[1] = 200
    samples, schema = table({"image": pixels})
    fitted = pipeline.fit((Resize(size=(2, 3)),), samples, schema, rows(2))
    result = fitted.transform(samples)
    assert fitted.output.shape == (2, 3, 1)
    assert result[0] == pytest.approx(0)
    assert result[1] == pytest.approx(200)


def test_grayscale_weighs_the_colours_and_leaves_grey_alone():
    colours = np.zeros((3, 1, 1, 3), np.uint8)
    colours[np.arange(3), 0, 0, np.arange(3)] = 100
    samples, schema = table({"image": colours, "other": colours[..., :1]})
    fitted = pipeline.fit((Drop(columns=("other",)), Grayscale()), samples, schema, rows(3))
    assert fitted.transform(samples).ravel() == pytest.approx([29.9, 58.7, 11.4], abs=1e-4)
    fitted = pipeline.fit((Drop(columns=("image",)), Grayscale()), samples, schema, rows(3))
    assert fitted.transform(samples).ravel() == pytest.approx([100, 0, 0])


def test_shapes_after_these_steps_are_known_from_the_schema():
    _, schema = table({"image": images(channels=3)})
    assert planning.plan((Resize(size=(9, 8)), Grayscale(), Rescale()), schema).shape == (9, 8, 1)
    _, schema = table({"image": images(channels=2)})
    (problem,) = planning.plan((Grayscale(),), schema).problems
    assert "not rows of shape [6, 5, 2]" in problem.message


def test_resize_takes_every_frame_of_a_video():
    frames = images(channels=3)
    video = np.stack([frames, frames[::-1]], axis=1)
    samples, schema = table({"image": frames})
    alone = pipeline.fit((Resize(size=(3, 2)), Grayscale()), samples, schema, rows(12)).transform(samples)
    columns = {"clip": ColumnSchema(kind="image", shape=video.shape[1:], dtype="uint8")}
    samples, schema = Samples.of({"clip": video}), Schema(columns=columns)
    fitted = pipeline.fit((Resize(size=(3, 2)), Grayscale()), samples, schema, rows(12))
    assert fitted.output.shape == (2, 3, 2, 1)
    assert np.array_equal(fitted.transform(samples)[:, 0], alone)


def test_the_exported_model_takes_images_at_their_own_size_and_loads_in_safe_mode(tmp_path):
    import keras

    samples, schema = table({"image": images(channels=3)})
    steps = (Resize(size=(3, 4)), Grayscale(), Rescale(), Standardize())
    fitted = pipeline.fit(steps, samples, schema, rows(8))
    fitted.as_model().save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.inputs[0].shape == (None, 6, 5, 3)
    assert np.abs(loaded(fitted.tensors(samples)).numpy() - fitted.transform(samples)).max() <= 1e-6


def test_resized_bytes_are_prepared_before_training(monkeypatch):
    monkeypatch.setattr(feeding, "LARGEST_FLOATS", 0)
    samples, schema = table({"image": images()})
    kept = [
        feeding.feed(pipeline.fit(steps, samples, schema, rows(12)), 12).column
        for steps in ((Rescale(),), (Resize(size=(3, 3)), Rescale()))
    ]
    assert kept == ["image", None]
