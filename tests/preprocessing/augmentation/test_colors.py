"""Values of pixels that change where they are."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.preprocessing.augmentation.batches import changed, made, noise, range_of
from tests.preprocessing.augmentation.test_geometry import by_keras

COLORS = noise(16, 5, 6, 3)
GREY = np.full((200, 8, 8, 1), 0.5, np.float32)
LAYERS = keras.layers
ONE = {"value_range": (0, 1)}
PAIRS = [
    ("random_contrast: 0.5", LAYERS.RandomContrast((0.5, 0.5), **ONE)),
    ("random_contrast: [0.2, 0.9]", LAYERS.RandomContrast((0.2, 0.9), **ONE)),
    ("random_brightness: 0.3", LAYERS.RandomBrightness(0.3, **ONE)),
    ("random_brightness: [-0.1, 0.4]", LAYERS.RandomBrightness((-0.1, 0.4), **ONE)),
    ("random_grayscale: 0.5", LAYERS.RandomGrayscale(0.5)),
    ("random_saturation: [0.3, 0.7]", LAYERS.RandomSaturation((0.3, 0.7), **ONE)),
    ("random_hue: 0.4", LAYERS.RandomHue(0.4, **ONE)),
]


@pytest.mark.parametrize(("text", "layer"), PAIRS, ids=[text for text, _ in PAIRS])
def test_changes_values_as_keras_does(text, layer):
    assert changed(text, COLORS) == pytest.approx(by_keras(layer, COLORS), abs=1e-5)


@pytest.mark.parametrize(
    "text", ["random_contrast: 0.5", "random_brightness: 0.3", "random_grayscale", "random_saturation: 1",
             "random_hue: 1", "random_erasing"],
)  # fmt: skip
def test_black_and_white_follow_the_network_s_input(text):
    low, high = np.float32([-1, -2, -3]), np.float32([1, 4, 2])
    given = range_of((5, 6, 3))
    there = given.__class__(given.shape, low, high)
    scaled = changed(text, COLORS * (high - low) + low, there)
    assert scaled == pytest.approx(changed(text, COLORS, given) * (high - low) + low, abs=1e-4)
    assert (scaled >= low - 1e-5).all()
    assert (scaled <= high + 1e-5).all()


def test_brightness_is_the_same_for_all_pixels_of_an_image_and_keeps_the_mean_of_all():
    result = changed("random_brightness: 0.3", GREY)
    assert result.std(axis=(1, 2, 3)).max() < 1e-6
    assert result.mean() == pytest.approx(0.5, abs=0.03)
    assert (result.min(), result.max()) == pytest.approx((0.2, 0.8), abs=0.02)


def test_contrast_falls_and_rises_by_one_number_and_keeps_the_mean_of_each_image():
    images = 0.5 + 0.2 * (noise(200, 8, 8, 1) - 0.5)
    result = changed("random_contrast: 0.4", images)
    assert result.mean(axis=(1, 2, 3)) == pytest.approx(images.mean(axis=(1, 2, 3)), abs=1e-6)
    factor = result.std(axis=(1, 2, 3)) / images.std(axis=(1, 2, 3))
    assert (factor.min(), factor.max()) == pytest.approx((0.6, 1.4), abs=0.02)


def test_erasing_puts_a_rectangle_over_every_second_image():
    result = changed("random_erasing: {factor: 1, scale: [0.1, 0.3], fill_value: -1}", GREY)
    boxes = result == -1
    assert ((result == 0.5) | boxes).all()
    erased = boxes.any(axis=(1, 2, 3))
    assert 0.35 < erased.mean() < 0.65
    area = boxes[erased].mean(axis=(1, 2, 3))
    assert area.min() > 0.03
    assert area.max() < 0.42
    assert area.mean() == pytest.approx(0.2, abs=0.03)
    height, width = (boxes[erased].any(axis=(axis, 3)).sum(axis=1) for axis in (2, 1))
    assert (height * width == boxes[erased].sum(axis=(1, 2, 3))).all()


def test_erasing_with_noise_keeps_the_mean_of_grey_images():
    result = changed("random_erasing: {factor: [1, 1]}", GREY)
    assert result.mean() == pytest.approx(0.5, abs=0.01)
    assert ((result != 0.5).any(axis=(1, 2, 3))).all()
    assert 0 <= result.min() < 0.05
    assert 0.95 < result.max() <= 1


def test_grayscale_takes_colours_away_from_a_share_of_images():
    result = changed("random_grayscale: 0.25", noise(400, 4, 4, 3))
    assert np.ptp(result, axis=-1).max(axis=(1, 2)).min() < 1e-6
    assert (np.ptp(result, axis=-1).max(axis=(1, 2)) < 1e-6).mean() == pytest.approx(0.25, abs=0.08)


def test_colours_need_three_channels():
    assert made("random_hue: 0.1").misfit((28, 28, 1), codes=None) is not None
    assert made("random_hue: 0.1").misfit((28, 28, 3), codes=None) is None
    assert made("random_hue: 0.1").misfit((None, None, None), codes=None) is None
