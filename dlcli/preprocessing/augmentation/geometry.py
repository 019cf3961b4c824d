"""Augmentations that move pixels.

Each is an affine map from places of the result to places of the image. Neighbours in a config that fill
what comes from outside in the same way are one map and one interpolation: faster, and sharper than one
interpolation after the other. Alone, each gives what Keras's layer gives for the same random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from dlcli.part import Number, RowShape
from dlcli.preprocessing.augmentation import draws
from dlcli.preprocessing.augmentation.images import Around, AroundZoom, ImageAugmentation, UpTo
from dlcli.samples import Batch, NetworkInput

FillMode = Literal["reflect", "constant", "wrap", "nearest"]
Interpolation = Literal["bilinear", "nearest"]
Borders = tuple[Interpolation, FillMode, float]


class Map(NamedTuple):
    """(x, y) of the result comes from (a0 x + a1 y + a2, b0 x + b1 y + b2) of the image; tensors (rows,)."""

    a0: Any
    a1: Any
    a2: Any
    b0: Any
    b1: Any
    b2: Any

    def after(self, first: Map) -> Map:
        """The map of an image that `first` has changed already."""
        # Written out: a matrix product may be rounded to 10 bits on a GPU, which moves pixels.
        return Map(
            first.a0 * self.a0 + first.a1 * self.b0,
            first.a0 * self.a1 + first.a1 * self.b1,
            first.a0 * self.a2 + first.a1 * self.b2 + first.a2,
            first.b0 * self.a0 + first.b1 * self.b0,
            first.b0 * self.a1 + first.b1 * self.b1,
            first.b0 * self.a2 + first.b1 * self.b2 + first.b2,
        )


class Geometric(ImageAugmentation):
    """A change that is an affine map."""

    compiles = False

    @property
    def borders(self) -> Borders | None:
        """How values between and outside of pixels are found; None if the map needs none."""
        return None

    def map(self, key: Any, rows: Any, height: int, width: int) -> Map:
        """A map per row."""
        raise NotImplementedError

    def apply(self, batch: Batch, key: Any, given: NetworkInput) -> Batch:  # noqa: ARG002 - others need it
        """The images, each moved in its own way."""
        return together([self], [key], batch)


def joins(parts: Sequence[Geometric], part: Geometric) -> bool:
    """Whether a Part can be one map with those before it."""
    borders = {each.borders for each in (*parts, part)} - {None}
    return len(borders) <= 1


def together(parts: Sequence[Geometric], keys: Sequence[Any], batch: Batch) -> Batch:
    """Several changes as one map, each with its own key; one interpolation."""
    import tensorflow as tf

    rows, (height, width) = tf.shape(batch.x)[0], batch.x.shape[1:3]
    whole: Map | None = None
    for part, key in zip(parts, keys, strict=True):
        step = part.map(key, rows, height, width)
        whole = step if whole is None else step.after(whole)
    assert whole is not None
    borders = next((part.borders for part in parts if part.borders is not None), ("nearest", "nearest", 0.0))
    interpolation, fill_mode, fill_value = borders
    nothing = tf.zeros([rows])
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=batch.x,
        transforms=tf.stack([*(tf.broadcast_to(each, [rows]) for each in whole), nothing, nothing], axis=1),
        output_shape=[height, width],
        fill_value=fill_value,
        interpolation=interpolation.upper(),
        fill_mode=fill_mode.upper(),
    )
    return batch.with_x(tf.ensure_shape(moved, batch.x.shape))


class RandomFlip(Geometric):
    """Mirrors images; `horizontal` is left to right. Each direction for half of the images, independently.

    (Keras's layer turns an image upside down exactly when it mirrors it.)
    """

    part_name = "random_flip"
    main_field = "mode"
    example = "random_flip: horizontal"
    compiles = True

    mode: Annotated[
        Literal["horizontal", "vertical", "horizontal_and_vertical"], Field(description="The direction, or both.")
    ] = "horizontal_and_vertical"

    def _coins(self, key: Any, rows: Any) -> tuple[Any, Any]:
        """Two of bool (rows,): whether a row is mirrored left to right, and upside down."""
        import tensorflow as tf

        across, down = (draws.uniform(key, number, [rows]) <= 0.5 for number in (0, 1))
        never = tf.zeros([rows], tf.bool)
        return (never if self.mode == "vertical" else across), (never if self.mode == "horizontal" else down)

    def map(self, key: Any, rows: Any, height: int, width: int) -> Map:
        """To width - 1 - x and height - 1 - y."""
        import tensorflow as tf

        across, down = (tf.cast(coin, tf.float32) for coin in self._coins(key, rows))
        return Map(1 - 2 * across, 0.0, (width - 1) * across, 0.0, 1 - 2 * down, (height - 1) * down)

    def apply(self, batch: Batch, key: Any, given: NetworkInput) -> Batch:  # noqa: ARG002 - others need it
        """Without interpolation, which alone would be slower."""
        import tensorflow as tf

        coins = self._coins(key, tf.shape(batch.x)[0])
        # Without the axis of a single channel tf.reverse is three times faster.
        grey = batch.x.shape[3] == 1
        x = batch.x[..., 0] if grey else batch.x
        for axis, coin, other in ((2, coins[0], "vertical"), (1, coins[1], "horizontal")):
            if self.mode != other:
                x = tf.where(tf.reshape(coin, [-1] + [1] * (len(x.shape) - 1)), tf.reverse(x, [axis]), x)
        return batch.with_x(x[..., None] if grey else x)


class Bordered(Geometric):
    """A map that needs values between and outside of pixels."""

    fill_mode: Annotated[
        FillMode, Field(description="What is outside: the image reflected, a constant, repeated, or its edge.")
    ] = "reflect"
    interpolation: Annotated[Interpolation, Field(description="How values between pixels are found.")] = "bilinear"
    fill_value: Annotated[
        Number, Field(description="The constant, as the network gets it: after standardize 0 is the mean.")
    ] = 0.0

    @property
    def borders(self) -> Borders:
        """The three fields; the constant counts only where it is used."""
        return self.interpolation, self.fill_mode, self.fill_value if self.fill_mode == "constant" else 0.0


class RandomRotation(Bordered):
    """Turns images about their centre by an angle drawn evenly, in parts of a full turn.

    0.05 turns by up to 18 degrees either way; [0, 0.25] only counterclockwise.
    """

    part_name = "random_rotation"
    main_field = "factor"
    example = "random_rotation: 0.05"

    factor: Annotated[Around, Field(description="Smallest and largest angle, 1 a full turn; f is [-f, f].")]

    def map(self, key: Any, rows: Any, height: int, width: int) -> Map:
        """A rotation about ((width - 1) / 2, (height - 1) / 2)."""
        import math

        import tensorflow as tf

        angle = draws.uniform(key, 0, [rows], (self.factor[0] * 360, self.factor[1] * 360)) * (math.pi / 180)
        cos, sin = tf.cos(angle), tf.sin(angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        return Map(cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos)


class RandomZoom(Bordered):
    """Zooms images out (above 0) or in (below 0) about their centre, by shares of their size.

    With `height_factor` alone both directions zoom alike.
    """

    part_name = "random_zoom"
    main_field = "height_factor"
    example = "random_zoom: 0.1"

    height_factor: Annotated[
        AroundZoom, Field(description="Smallest and largest zoom; f is [-f, f]. 0.1 shows 1.1 times the height.")
    ]
    width_factor: Annotated[
        AroundZoom | None, Field(description="The same for the width; by default as drawn for the height.")
    ] = None

    def map(self, key: Any, rows: Any, height: int, width: int) -> Map:
        """A scaling about the centre."""
        down = 1 + draws.uniform(key, 0, [rows], self.height_factor)
        across = down if self.width_factor is None else 1 + draws.uniform(key, 1, [rows], self.width_factor)
        return Map(across, 0.0, (width - 1) / 2 * (1 - across), 0.0, down, (height - 1) / 2 * (1 - down))


class RandomTranslation(Bordered):
    """Shifts images by shares of their height and width, drawn evenly and independently."""

    part_name = "random_translation"
    main_field = "height_factor"
    example = "random_translation: 0.1"

    height_factor: Annotated[Around, Field(description="Smallest and largest shift down; f is [-f, f].")]
    width_factor: Annotated[
        Around | None, Field(description="Smallest and largest shift to the right; by default height_factor's.")
    ] = None

    def map(self, key: Any, rows: Any, height: int, width: int) -> Map:
        """A shift."""
        down = height * draws.uniform(key, 0, [rows], self.height_factor)
        right = width * draws.uniform(key, 1, [rows], self.width_factor or self.height_factor)
        return Map(1.0, 0.0, -right, 0.0, 1.0, -down)


class RandomShear(Bordered):
    """Slants images by shares of their size, to either side.

    About the centre; Keras's layer slants about the upper left corner, which shifts the image too.
    """

    part_name = "random_shear"
    example = "random_shear: {x_factor: 0.1}"

    x_factor: Annotated[UpTo, Field(description="Least and most slant of vertical lines; f is [0, f].")] = (0.0, 0.0)
    y_factor: Annotated[UpTo, Field(description="Least and most slant of horizontal lines; f is [0, f].")] = (0.0, 0.0)

    def map(self, key: Any, rows: Any, height: int, width: int) -> Map:
        """To x + slant y and y + slant x, from the centre; both to one side, drawn by a coin."""
        import tensorflow as tf

        side = tf.where(draws.uniform(key, 0, [rows]) > 0.5, -1.0, 1.0)
        vertical = side * draws.uniform(key, 1, [rows], self.y_factor)
        horizontal = side * draws.uniform(key, 2, [rows], self.x_factor)
        x, y = (width - 1) / 2, (height - 1) / 2
        return Map(1.0, horizontal, -horizontal * y, vertical, 1.0, -vertical * x)


class RandomCrop(Bordered):
    """Cuts a window out at a random place of the image, widened by `padding` pixels on every side.

    `random_crop: 4` shifts by up to 4 whole pixels each way, as is usual for small photographs. With
    `height` and `width` the window is smaller, and is then stretched to the image's size, because the
    network takes one size only.
    """

    part_name = "random_crop"
    main_field = "padding"
    example = "random_crop: 4"

    height: Annotated[int | None, Field(ge=1, description="Height of the window; by default the image's.")] = None
    width: Annotated[int | None, Field(ge=1, description="Width of the window; by default the image's.")] = None
    padding: Annotated[int, Field(ge=0, description="Pixels that the image is widened by, on every side.")] = 0
    fill_mode: Annotated[
        FillMode, Field(description="What the image is widened by: a constant, itself reflected or repeated, its edge.")
    ] = "constant"

    def misfit(self, shape: RowShape | None, *, codes: bool | None) -> tuple[str, str] | None:
        """Windows that are too large, or have only one place."""
        found = super().misfit(shape, codes=codes)
        if found is not None:
            return found
        height, width = (shape or (None, None))[:2]
        sides = (("height", self.height, height), ("width", self.width, width))
        if not self.padding and all(window in (None, size) for _, window, size in sides):
            return "random_crop has nothing to choose: the window is as large as the image", "write padding: 4"
        for name, window, size in sides:
            if window is not None and size is not None and window > size + 2 * self.padding:
                widened = f"{size + 2 * self.padding} with padding" if self.padding else f"{size}"
                message = f"random_crop cuts windows of {name} {window} out of images of {name} {widened}"
                return message, f"write {name}: {size}, or a larger padding"
        return None

    def map(self, key: Any, rows: Any, height: int, width: int) -> Map:
        """The outermost pixels of the result are those of the window, so that nothing beyond it shows."""
        a0, a2 = self._axis(draws.uniform(key, 1, [rows]), width, self.width or width)
        b1, b2 = self._axis(draws.uniform(key, 0, [rows]), height, self.height or height)
        return Map(a0, 0.0, a2, 0.0, b1, b2)

    def _axis(self, place: Any, size: int, window: int) -> tuple[float, Any]:
        """Scale and start along one axis; the window begins at a whole pixel."""
        import tensorflow as tf

        places = size + 2 * self.padding - window + 1
        return (window - 1) / max(1, size - 1), tf.floor(place * places) - self.padding
