"""Augmentations that mix each row with a partner from its batch, and their targets with them.

A mixed row has the loss of one row for each share of a target: with weights w and v of the two rows and
the share s of the first one, s w times the loss for its target and (1 - s) v times that for the other's.
So the mixed row has the weight s w + (1 - s) v, and targets are mixed in proportion s w to (1 - s) v: a
row without weight leaves no trace in a target.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from dlcli.part import Augmentation, Number, RowShape
from dlcli.preprocessing.augmentation import draws
from dlcli.preprocessing.augmentation.colors import inside
from dlcli.preprocessing.augmentation.images import ImageAugmentation
from dlcli.samples import Batch, NetworkInput

Alpha = Annotated[
    Number, Field(gt=0, description="Shares are drawn from Beta(alpha, alpha): below 1 near 0 or 1, 1 evenly.")
]


class MixUp(Augmentation):
    """Blends each row with another one of its batch, and their targets in the same proportion.

    Zhang et al., 2017, arxiv.org/abs/1710.09412. Classes become fractions: the default loss of
    multiclass is then categorical_crossentropy.
    """

    part_name = "mix_up"
    main_field = "alpha"
    example = "mix_up: 0.2"
    mixes_targets = True
    compiles = False

    alpha: Alpha = 0.2

    def misfit(self, shape: RowShape | None, *, codes: bool | None) -> tuple[str, str] | None:  # noqa: ARG002
        """Codes, between which there is nothing."""
        return ("mix_up blends numbers, and an embedding takes codes", "write word_dropout") if codes else None

    def apply(self, batch: Batch, key: Any, given: NetworkInput) -> Batch:  # noqa: ARG002 - others need it
        """Rows become share * row + (1 - share) * partner."""
        import tensorflow as tf

        rows = tf.shape(batch.x)[0]
        partner = draws.permutation(key, 0, rows)
        share = draws.beta(key, 1, rows, self.alpha)
        own = _beside(share, batch.x)
        return mixed(batch.with_x(own * batch.x + (1 - own) * tf.gather(batch.x, partner)), partner, share)


class CutMix(ImageAugmentation):
    """Puts a rectangle of another image of its batch into each image, and mixes targets by area.

    Yun et al., 2019, arxiv.org/abs/1905.04899. Classes become fractions, by the exact share of pixels.
    (Keras's layer draws alpha itself, evenly up to `factor`, for each batch.)
    """

    part_name = "cut_mix"
    main_field = "alpha"
    example = "cut_mix: 1.0"
    mixes_targets = True
    compiles = False

    alpha: Alpha = 1.0

    def apply(self, batch: Batch, key: Any, given: NetworkInput) -> Batch:  # noqa: ARG002 - others need it
        """A box of share 1 - s has sides of sqrt(1 - s) of the image's, in whole pixels."""
        import tensorflow as tf

        rows, (height, width) = tf.shape(batch.x)[0], batch.x.shape[1:3]
        partner = draws.permutation(key, 0, rows)
        size = tf.constant([height, width], tf.float32)
        sides = tf.round(tf.sqrt(1 - draws.beta(key, 1, rows, self.alpha))[:, None] * size)
        starts = tf.floor(draws.uniform(key, 3, [rows, 2]) * (size - sides + 1))
        box = inside(starts, starts + sides, height, width)
        share = 1 - tf.reduce_prod(sides, axis=1) / (height * width)
        return mixed(batch.with_x(tf.where(box, tf.gather(batch.x, partner), batch.x)), partner, share)


def mixed(batch: Batch, partner: Any, share: Any) -> Batch:
    """The batch with targets and weights mixed; `share` (rows,) is that of the row itself."""
    import tensorflow as tf

    x, y, weight = batch
    if weight is not None:
        own, other = share * weight, (1 - share) * tf.gather(weight, partner)
        weight = own + other
        share = tf.where(weight > 0, tf.math.divide_no_nan(own, weight), share)
    share = _beside(tf.cast(share, y.dtype), y)
    return Batch(x, share * y + (1 - share) * tf.gather(y, partner), weight)


def _beside(share: Any, tensor: Any) -> Any:
    """A number per row, with the axes of a tensor of rows."""
    import tensorflow as tf

    return tf.reshape(share, [-1] + [1] * (len(tensor.shape) - 1))
