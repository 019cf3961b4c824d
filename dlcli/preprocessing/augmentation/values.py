"""Augmentations of the values in a row: noise, gaps and dropped words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from dlcli.part import Augmentation, Number, RowShape
from dlcli.preprocessing.augmentation import draws
from dlcli.preprocessing.augmentation.images import IMAGE_AXES
from dlcli.problems import ConfigPath, Problem
from dlcli.samples import Batch, NetworkInput

_LISTED = 3
"""How many column names a suggestion lists."""
Rate = Annotated[Number, Field(gt=0, lt=1, description="Probability of each, drawn anew for every row.")]


class GaussianNoise(Augmentation):
    """Adds normal noise to everything that the network gets, in its units: after standardize, in deviations."""

    part_name = "gaussian_noise"
    main_field = "stddev"
    example = "gaussian_noise: 0.1"

    stddev: Annotated[Number, Field(gt=0, description="Standard deviation of the noise.")]

    def misfit(self, shape: RowShape | None, *, codes: bool | None) -> tuple[str, str] | None:  # noqa: ARG002
        """Codes, between which there is nothing."""
        return ("gaussian_noise changes numbers, and an embedding takes codes", "write word_dropout") if codes else None

    def apply(self, batch: Batch, key: Any, given: NetworkInput) -> Batch:  # noqa: ARG002 - others need it
        """Rows and their noise."""
        import tensorflow as tf

        return batch.with_x(batch.x + self.stddev * draws.normal(key, 0, tf.shape(batch.x)))


class DropValues(Augmentation):
    """Makes values missing, so that the network learns what missing looks like.

    A dropped value looks as a gap does after preprocessing: imputed, its indicator 1, or the category
    for gaps. All that was made of one column goes together; the numbers of a column that holds several
    per row go one by one.
    """

    part_name = "drop_values"
    main_field = "rate"
    example = "drop_values: 0.1"

    rate: Rate

    def misfit(self, shape: RowShape | None, *, codes: bool | None) -> tuple[str, str] | None:
        """Images and codes, which have no gaps."""
        if codes:
            return "drop_values makes numbers missing, and an embedding takes codes", "write word_dropout"
        if shape is not None and len(shape) == IMAGE_AXES:
            return "drop_values makes columns of tables missing, and the rows here are images", "write random_erasing"
        return None

    def apply(self, batch: Batch, key: Any, given: NetworkInput) -> Batch:
        """What a gap looks like, in place of the dropped values."""
        import tensorflow as tf

        rows, count = tf.shape(batch.x)[0], max(given.groups) + 1
        dropped = draws.uniform(key, 0, [rows, count]) < self.rate
        if count < len(given.groups):
            dropped = tf.gather(dropped, given.groups, axis=1)
        return batch.with_x(tf.where(tf.reshape(dropped, tf.shape(batch.x)), given.missing, batch.x))


def left_gaps(names: Sequence[str], path: ConfigPath) -> Problem:
    """`drop_values` makes columns missing that nothing imputes."""
    message = f"drop_values makes {names[0]} missing, and preprocessing leaves the gap"
    hint = f"add `impute: {names[0]}`"
    if len(names) > 1:
        message = f"drop_values makes {names[0]} and {len(names) - 1:,} more columns missing, and preprocessing"
        message, hint = f"{message} leaves the gaps", "add `impute`, with columns: " + ", ".join(names[:_LISTED])
    return Problem("does-not-fit", message, hint, path)


class WordDropout(Augmentation):
    """Replaces codes by 0 on their way into an embedding, so that no single word decides.

    0 is what padding has, and what `ordinal` gives to a gap or a category never seen: a word that is
    not there. Bowman et al., 2015, arxiv.org/abs/1511.06349.
    """

    part_name = "word_dropout"
    main_field = "rate"
    example = "word_dropout: 0.1"

    rate: Rate

    def misfit(self, shape: RowShape | None, *, codes: bool | None) -> tuple[str, str] | None:  # noqa: ARG002
        """Numbers that are no codes."""
        if codes is False:
            return "word_dropout drops codes on their way into an embedding, and there are none", "write drop_values"
        return None

    def apply(self, batch: Batch, key: Any, given: NetworkInput) -> Batch:  # noqa: ARG002 - others need it
        """0 in place of the dropped codes."""
        import tensorflow as tf

        dropped = draws.uniform(key, 0, tf.shape(batch.x)) < self.rate
        return batch.with_x(tf.where(dropped, 0.0, batch.x))
