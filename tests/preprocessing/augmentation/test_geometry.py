"""Pixels that move: as Keras's layers move them, and on images whose result is known."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.preprocessing.augmentation.batches import KEY, changed, made, noise, seed

IMAGES = noise(16, 7, 9, 2)
RAMP = np.broadcast_to(np.arange(8, dtype=np.float32)[:, None], (64, 6, 8, 1))
"""64 images that grow from left to right."""
CONSTANT = np.full((64, 8, 8, 1), 0.25, np.float32)


class Keyed(keras.random.SeedGenerator):
    """Lets a layer of Keras draw what our Part of the same key draws."""

    def __init__(self, key):
        self.key, self.draws = key, 0

    def next(self, ordered=True):  # noqa: ARG002 - Keras passes it
        self.draws += 1
        return tf.random.experimental.stateless_fold_in(self.key, self.draws - 1)


def by_keras(layer, images, key=KEY):
    """What a layer of Keras makes of images, as the first Part of a list."""
    generator = Keyed(tf.random.experimental.stateless_fold_in(seed(key), 0))
    drawn = layer.get_random_transformation(tf.constant(images), training=True, seed=generator)
    return np.asarray(layer.transform_images(tf.constant(images), drawn, training=True))


LAYERS = keras.layers
PAIRS = [
    ("random_flip: horizontal", LAYERS.RandomFlip("horizontal")),
    ("random_rotation: 0.1", LAYERS.RandomRotation(0.1)),
    ("random_rotation: [0.2, 0.3]", LAYERS.RandomRotation((0.2, 0.3))),
    ("random_rotation: {factor: 0.1, fill_mode: nearest}", LAYERS.RandomRotation(0.1, fill_mode="nearest")),
    ("random_rotation: {factor: 0.1, fill_mode: wrap}", LAYERS.RandomRotation(0.1, fill_mode="wrap")),
    (
        "random_rotation: {factor: 0.1, fill_mode: constant, fill_value: 0.5}",
        LAYERS.RandomRotation(0.1, fill_mode="constant", fill_value=0.5),
    ),
    ("random_rotation: {factor: 0.1, interpolation: nearest}", LAYERS.RandomRotation(0.1, interpolation="nearest")),
    ("random_zoom: 0.3", LAYERS.RandomZoom(0.3)),
    ("random_zoom: {height_factor: 0.3, width_factor: [-0.2, 0.1]}", LAYERS.RandomZoom(0.3, (-0.2, 0.1))),
    ("random_translation: {height_factor: 0.2, width_factor: 0.1}", LAYERS.RandomTranslation(0.2, 0.1)),
    ("random_translation: {height_factor: [0, 0.5], width_factor: 0}", LAYERS.RandomTranslation((0, 0.5), 0.0)),
]


@pytest.mark.parametrize(("text", "layer"), PAIRS, ids=[text for text, _ in PAIRS])
def test_moves_pixels_as_keras_does(text, layer):
    assert changed(text, IMAGES) == pytest.approx(by_keras(layer, IMAGES), abs=2e-5)


def test_shear_is_that_of_keras_about_the_centre():
    layer = LAYERS.RandomShear((0.0, 0.3), (0.0, 0.2))
    generator = Keyed(tf.random.experimental.stateless_fold_in(seed(), 0))
    slant = np.asarray(layer.get_random_transformation(IMAGES, training=True, seed=generator)["shear_factor"])
    x, y = 4.0, 3.0
    one, none = np.ones(16), np.zeros(16)
    maps = np.stack([one, slant[:, 0], -slant[:, 0] * y, slant[:, 1], one, -slant[:, 1] * x, none, none], axis=1)
    expected = keras.ops.image.affine_transform(IMAGES, maps.astype(np.float32), fill_mode="reflect")
    assert changed("random_shear: {x_factor: 0.3, y_factor: 0.2}", IMAGES) == pytest.approx(expected, abs=2e-5)
    assert (slant < 0).any()
    assert (slant > 0).any()


def test_a_flip_mirrors_half_of_the_images():
    result = changed("random_flip: horizontal", RAMP)
    mirrored = (result == RAMP[:, :, ::-1]).all(axis=(1, 2, 3))
    kept = (result == RAMP).all(axis=(1, 2, 3))
    assert (mirrored ^ kept).all()
    assert 16 < mirrored.sum() < 48


def test_a_vertical_flip_leaves_rows_of_pixels_as_they_are():
    assert (changed("random_flip: vertical", RAMP) == RAMP).all()


def test_flips_in_both_directions_are_independent():
    corner = np.zeros((400, 4, 4, 1), np.float32)
    corner[:, 0, 0] = 1
    ends = changed("random_flip", corner)[:, [0, 0, 3, 3], [0, 3, 0, 3], 0]
    assert ends.sum(axis=1) == pytest.approx(np.ones(400))
    assert ends.mean(axis=0) == pytest.approx([0.25] * 4, abs=0.08)


@pytest.mark.parametrize(
    "text",
    ["random_rotation: 0.5", "random_zoom: 0.5", "random_translation: 0.5", "random_shear: {x_factor: 0.5}"],
)
def test_a_constant_image_stays_constant(text):
    assert changed(text, CONSTANT) == pytest.approx(CONSTANT, abs=1e-6)


def test_a_quarter_turn_is_counterclockwise():
    turned = changed("random_rotation: [0.25, 0.25]", RAMP[:, :, :6])
    assert turned == pytest.approx(np.rot90(RAMP[:, :, :6], axes=(1, 2)), abs=1e-4)


def test_a_translation_down_moves_pixels_down():
    down = changed(
        "random_translation: {height_factor: [0.5, 0.5], width_factor: 0, fill_mode: constant}", IMAGES[:, :6]
    )
    assert down[:, 3:] == pytest.approx(IMAGES[:, :3], abs=1e-6)
    assert (down[:, :3] == 0).all()


def test_a_translation_of_one_number_draws_both_directions_independently():
    one = changed("random_translation: 0.2", IMAGES)
    assert one == pytest.approx(changed("random_translation: {height_factor: 0.2, width_factor: 0.2}", IMAGES))
    assert one != pytest.approx(changed("random_translation: {height_factor: 0.2, width_factor: 0}", IMAGES))


def test_neighbours_are_one_map_and_one_interpolation():
    twice = changed("random_rotation: [0.125, 0.125], random_rotation: [0.125, 0.125]", IMAGES[:, :, :7])
    assert twice == pytest.approx(np.rot90(IMAGES[:, :, :7], axes=(1, 2)), abs=1e-4)


def test_the_first_of_two_maps_acts_first():
    shift = "random_translation: {height_factor: 0, width_factor: [0.5, 0.5], fill_mode: constant}"
    turn = "random_rotation: {factor: [0.25, 0.25], fill_mode: constant}"
    square = IMAGES[:, :6, :6]
    shifted = np.concatenate([np.zeros((16, 6, 3, 2)), square[:, :, :3]], axis=2)
    assert changed(f"{shift}, {turn}", square) == pytest.approx(np.rot90(shifted, axes=(1, 2)), abs=1e-4)


def test_a_flip_joins_its_neighbours():
    both = changed("random_rotation: [0.25, 0.25], random_flip: horizontal", IMAGES[:, :, :7])
    turned = np.rot90(IMAGES[:, :, :7], axes=(1, 2))
    mirrored = np.abs(both - turned).max(axis=(1, 2, 3)) > 1e-3
    expected = np.where(mirrored[:, None, None, None], turned[:, :, ::-1], turned)
    assert both == pytest.approx(expected, abs=1e-4)
    assert 0 < mirrored.sum() < 16


def test_maps_with_other_borders_stay_apart():
    grey = "random_translation: {height_factor: [1, 1], width_factor: 0, fill_mode: constant, fill_value: 0.5}"
    assert changed(f"{grey}, random_zoom: 0.1", IMAGES) == pytest.approx(np.full_like(IMAGES, 0.5), abs=1e-6)


def test_a_padded_crop_shifts_by_whole_pixels():
    result = changed("random_crop: 2", noise(200, 5, 6, 1))
    padded = np.pad(noise(200, 5, 6, 1), ((0, 0), (2, 2), (2, 2), (0, 0)))
    places = set()
    for image, around in zip(result, padded, strict=True):
        fits = [(y, x) for y in range(5) for x in range(5) if np.array_equal(around[y : y + 5, x : x + 6], image)]
        assert len(fits) == 1
        places.update(fits)
    assert len(places) == 25


def test_a_smaller_window_is_stretched_to_the_size_of_the_image():
    result = changed("random_crop: {height: 3, width: 4}", RAMP)
    assert result.shape == RAMP.shape
    assert set(result[..., 0, 0].ravel()) == {0, 1, 2, 3, 4}
    expected = result[..., :1, 0] + np.arange(8) * 3 / 7
    assert result[..., 0] == pytest.approx(np.broadcast_to(expected, (64, 6, 8)), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "shape", "said"),
    [
        ("random_crop: 4", (28, 28, 1), None),
        ("random_crop: {height: 24, width: 24}", (28, 28, 1), None),
        ("random_crop: {height: 24, width: 24}", (None, None, None), None),
        ("random_crop", None, "nothing to choose"),
        ("random_crop: {height: 28, width: 28}", (28, 28, 1), "nothing to choose"),
        ("random_crop: {height: 30}", (28, 28, 1), "windows of height 30 out of images of height 28"),
        ("random_crop: {height: 30, padding: 1}", (28, 28, 1), None),
        ("random_flip", (784,), "rows here are flat"),
        ("random_flip", (None,), "rows here are flat"),
        ("random_flip", (28, 28), "of shape (28, 28)"),
        ("random_flip", None, None),
    ],
)
def test_says_what_rows_it_cannot_change(text, shape, said):
    misfit = made(text).misfit(shape, codes=None)
    assert misfit is None if said is None else said in misfit[0]
