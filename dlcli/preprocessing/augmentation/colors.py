"""Augmentations that change the values of pixels where they are.

Brightness and the like depend on what is black and what is white. Keras's layers are told so by
`value_range`; here it is what preprocessing makes of the darkest and the brightest value in training
rows, per channel: after `rescale` of bytes 0 and 1, after `standardize` some deviations either way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from dlcli.part import Number, RowShape
from dlcli.preprocessing.augmentation import draws
from dlcli.preprocessing.augmentation.images import Around, Both, ImageAugmentation, Share, UpTo
from dlcli.samples import Batch, NetworkInput

_COLORS = 3
_EPSILON = 1e-7


class Colored(ImageAugmentation):
    """A change of values between black and white."""

    def apply(self, batch: Batch, key: Any, given: NetworkInput) -> Batch:
        """The images, each changed in its own way."""
        return batch.with_x(self.change(batch.x, key, given))

    def change(self, x: Any, key: Any, given: NetworkInput) -> Any:
        """Images (rows, height, width, channels) changed; black is `given.low`, white `given.high`."""
        raise NotImplementedError


def _per_row(key: Any, number: int, x: Any, bounds: tuple[float, float] = (0.0, 1.0)) -> Any:
    """A number per image, (rows, 1, 1, 1)."""
    import tensorflow as tf

    return draws.uniform(key, number, [tf.shape(x)[0], 1, 1, 1], bounds)


class RandomContrast(Colored):
    """Moves every pixel away from its channel's mean, or towards it: (x - mean) * c + mean, then clips.

    c is drawn evenly from [1 - lower, 1 + upper]; one number is both. (Keras's layer documents this, and
    with one number only ever raises the contrast.)
    """

    part_name = "random_contrast"
    main_field = "factor"
    example = "random_contrast: 0.2"

    factor: Annotated[Both, Field(description="How far contrast falls and rises; 1 - 0.2 to 1 + 0.2.")]

    def change(self, x: Any, key: Any, given: NetworkInput) -> Any:
        """The mean of an image stays, but for what is clipped."""
        import tensorflow as tf

        contrast = _per_row(key, 0, x, (1 - self.factor[0], 1 + self.factor[1]))
        mean = tf.reduce_mean(x, axis=[1, 2], keepdims=True)
        return tf.clip_by_value((x - mean) * contrast + mean, given.low, given.high)


class RandomBrightness(Colored):
    """Adds a number to all pixels of an image: a share of the way from black to white. Then clips."""

    part_name = "random_brightness"
    main_field = "factor"
    example = "random_brightness: 0.2"

    factor: Annotated[Around, Field(description="Least and most of it: -1 makes black, 1 white; f is [-f, f].")]

    def change(self, x: Any, key: Any, given: NetworkInput) -> Any:
        """Every channel by the same share of its own range."""
        import tensorflow as tf

        added = _per_row(key, 0, x, self.factor) * (given.high - given.low)
        return tf.clip_by_value(x + added, given.low, given.high)


class RandomErasing(Colored):
    """Puts a rectangle of noise, or of one value, over a part of the image.

    Zhong et al., 2017, arxiv.org/abs/1708.04896. Noise is drawn evenly between black and white, as
    there; Keras's layer draws normal noise for values of 0 to 255.
    """

    part_name = "random_erasing"
    main_field = "factor"
    example = "random_erasing: {factor: [1, 1], scale: [0.02, 0.2]}"

    factor: Annotated[
        UpTo, Field(description="Least and most probability, drawn per image; f is [0, f], which erases f / 2 of all.")
    ] = (0.0, 1.0)
    scale: Annotated[UpTo, Field(description="Smallest and largest share of the image that is erased.")] = (0.02, 0.33)
    fill_value: Annotated[Number | None, Field(description="The value, as the network gets it; by default noise.")] = (
        None
    )

    def change(self, x: Any, key: Any, given: NetworkInput) -> Any:
        """Sides are square roots of draws from `scale`; a pixel is erased if its place is inside."""
        import tensorflow as tf

        rows, (height, width) = tf.shape(x)[0], x.shape[1:3]
        sides = tf.sqrt(draws.uniform(key, 0, [rows, 2], self.scale)) * [float(height), float(width)]
        starts = draws.uniform(key, 1, [rows, 2]) * ([float(height), float(width)] - sides)
        chosen = draws.uniform(key, 2, [rows]) < draws.uniform(key, 3, [rows], self.factor)
        ends = tf.where(chosen[:, None], starts + sides, -1.0)
        box = inside(starts, ends, height, width)
        if self.fill_value is not None:
            return tf.where(box, self.fill_value, x)
        noise = draws.uniform(key, 4, tf.shape(x)) * (given.high - given.low) + given.low
        return tf.where(box, noise, x)


def inside(starts: Any, ends: Any, height: int, width: int) -> Any:
    """Gives bool (rows, height, width, 1): the pixels of boxes; starts and ends are (rows, 2), down and across."""
    import tensorflow as tf

    def along(axis: int, size: int) -> Any:
        places = tf.range(size, dtype=starts.dtype)
        return (places >= starts[:, axis, None]) & (places < ends[:, axis, None])

    return along(0, height)[:, :, None, None] & along(1, width)[:, None, :, None]


class Tinted(Colored):
    """A change of colours: of images with red, green and blue."""

    def misfit(self, shape: RowShape | None, *, codes: bool | None) -> tuple[str, str] | None:
        """Images without colours."""
        found = super().misfit(shape, codes=codes)
        channels = shape[-1] if found is None and shape is not None else None
        if channels in (None, _COLORS):
            return found
        message = f"{self.part_name} changes red, green and blue, and the channels of images here are {channels}"
        return message, "take it away"


class RandomGrayscale(Tinted):
    """Takes the colours of some images away: every channel becomes .2989 red + .587 green + .114 blue."""

    part_name = "random_grayscale"
    main_field = "factor"
    example = "random_grayscale: 0.1"

    factor: Annotated[Share, Field(description="Share of the images.")] = 0.5

    def change(self, x: Any, key: Any, given: NetworkInput) -> Any:
        """Grey as of red, green and blue between black and white."""
        import tensorflow as tf

        def grey(colors: Any) -> Any:
            chosen = _per_row(key, 0, x) < self.factor
            return tf.where(chosen, tf.image.rgb_to_grayscale(colors), colors)

        return _in_colors(x, given, grey)


class RandomSaturation(Tinted):
    """Makes colours of an image paler (below 0.5) or stronger (above 0.5): saturation times f / (1 - f)."""

    part_name = "random_saturation"
    main_field = "factor"
    example = "random_saturation: [0.4, 0.6]"

    factor: Annotated[UpTo, Field(description="Least and most of it: 0 is grey, 0.5 no change; f is [0, f].")]

    def change(self, x: Any, key: Any, given: NetworkInput) -> Any:
        """As in the model of hue, saturation and value: the strongest of red, green and blue stays."""
        import tensorflow as tf

        factor = _per_row(key, 0, x, self.factor)

        def saturate(colors: Any) -> Any:
            high = tf.reduce_max(colors, axis=-1, keepdims=True)
            span = high - tf.reduce_min(colors, axis=-1, keepdims=True)
            # No more than full saturation, where the weakest colour is 0.
            most = tf.where(span > 0, tf.math.divide_no_nan(high, span), 1.0)
            return high - (high - colors) * tf.minimum(factor / (1 - factor + _EPSILON), most)

        return _in_colors(x, given, saturate)


class RandomHue(Tinted):
    """Turns all colours of an image along the circle of hues, either way; 1 is half a turn."""

    part_name = "random_hue"
    main_field = "factor"
    example = "random_hue: 0.1"

    factor: Annotated[UpTo, Field(description="Least and most of it; f is [0, f].")]

    def change(self, x: Any, key: Any, given: NetworkInput) -> Any:
        """In the model of hue, saturation and value."""
        import tensorflow as tf

        def turn(colors: Any) -> Any:
            hue, saturation, value = tf.unstack(tf.image.rgb_to_hsv(colors), axis=-1)
            side = tf.where(_per_row(key, 0, x) > 0.5, -0.5, 0.5)
            turned = tf.math.floormod(hue + (side * _per_row(key, 1, x, self.factor))[..., 0], 1.0)
            return tf.image.hsv_to_rgb(tf.stack([turned, saturation, value], axis=-1))

        return _in_colors(x, given, turn)


def _in_colors(x: Any, given: NetworkInput, work: Callable[[Any], Any]) -> Any:
    """What `work` makes of the images with black at 0 and white at 1, in the network's values again."""
    import tensorflow as tf

    span = given.high - given.low
    colors = tf.clip_by_value(tf.math.divide_no_nan(x - given.low, span), 0.0, 1.0)
    return work(colors) * span + given.low
