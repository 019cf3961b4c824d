"""Flat rows as images."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.data.layout import lay_out
from dlcli.problems import DataError
from dlcli.samples import Coded, Samples

FLAT = Samples.of({f"p{number}": Coded.of([str(number), "255"]) for number in range(4)} | {"y": Coded.of(["a", "b"])})
PIXELS = ("p0", "p1", "p2", "p3")


def test_columns_of_pixels_become_one_image_of_bytes() -> None:
    samples, inputs = lay_out(FLAT, PIXELS, (2, 2, 1), "last")
    assert inputs == ("image",)
    assert list(samples) == ["y", "image"]
    assert samples["image"].dtype == np.uint8
    assert samples["image"][0, :, :, 0].tolist() == [[0, 1], [2, 3]]


def test_other_numbers_become_float32() -> None:
    samples, _ = lay_out(Samples.of({"a": np.array([0.5]), "b": np.array([300.0])}), ("a", "b"), (2,), "last")
    assert (samples["image"].dtype, samples["image"].tolist()) == (np.float32, [[0.5, 300.0]])


def test_an_array_of_vectors_keeps_its_name() -> None:
    samples, inputs = lay_out(Samples.of({"x": np.arange(12).reshape(1, 12)}), ("x",), (3, 2, 2), "first")
    assert (inputs, samples["x"].shape) == (("x",), (1, 2, 2, 3))
    assert samples["x"][0, :, :, 1].tolist() == [[4, 5], [6, 7]]


def test_a_shape_that_does_not_fit_is_a_problem() -> None:
    with pytest.raises(DataError, match=r"4 input columns hold 4 numbers, but shape \[3, 2\] needs 6"):
        lay_out(FLAT, PIXELS, (3, 2), "last")


def test_text_has_no_shape() -> None:
    with pytest.raises(DataError, match='column y holds "a"'):
        lay_out(FLAT, (*PIXELS, "y"), (5,), "last")


def test_without_shape_and_channels_nothing_changes() -> None:
    samples, inputs = lay_out(FLAT, PIXELS, None, "last")
    assert (list(samples), inputs) == (list(FLAT), PIXELS)
