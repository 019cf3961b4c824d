"""Several augmentations as one function of a batch and a key, and what they must know of the network's input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress, pairwise
from typing import TYPE_CHECKING, Any

from dlcli.part import Augmentation
from dlcli.preprocessing.augmentation import draws, geometry
from dlcli.preprocessing.augmentation.colors import Colored
from dlcli.preprocessing.augmentation.geometry import Geometric
from dlcli.preprocessing.augmentation.values import DropValues, left_gaps
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.problems import ConfigError, Problem
from dlcli.samples import Batch, NetworkInput, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """Augmentations one after the other: pure functions of tensors, for any number of rows.

    Part number i draws from `fold_in(key, i)`; geometric neighbours are one interpolation.

    Attributes:
        parts: in the order in which they act.
        given: what they know of the network's input.
    """

    parts: tuple[Augmentation, ...]
    given: NetworkInput

    def __call__(self, x: Any, y: Any, weight: Any, key: Any) -> tuple[Any, Any, Any]:
        """The augmented batch.

        Args:
            x: float32 (rows, *shape), as the network gets it.
            y: targets as the loss takes them.
            weight: (rows,) or None.
            key: int32 (2,), a stateless TensorFlow seed.
        """
        batch = Batch(x, y, weight)
        for numbers in _runs(self.parts):
            keys = [draws.fold_in(key, number) for number in numbers]
            moves = [part for part in (self.parts[number] for number in numbers) if isinstance(part, Geometric)]
            if len(moves) > 1:
                batch = geometry.together(moves, keys, batch)
            else:
                batch = self.parts[numbers[0]].apply(batch, keys[0], self.given)
        return tuple(batch)

    @property
    def key(self) -> str:
        """What a graph that holds this function depends on."""
        return repr((*self.parts, self.given.shape, self.given.groups))

    def held(self) -> Composed:
        """The same with what was learned in variables: a graph that holds it can go on with other numbers."""
        import tensorflow as tf

        learned = {name: tf.Variable(value, trainable=False) for name, value in self._learned().items()}
        return replace(self, given=replace(self.given, **learned))

    def take(self, other: Composed) -> None:
        """Goes on with what another one of the same `key` has learned; this one is `held`."""
        for name, value in other._learned().items():
            self._learned()[name].assign(value)

    def _learned(self) -> dict[str, Any]:
        values = {name: getattr(self.given, name) for name in ("low", "high", "missing")}
        return {name: value for name, value in values.items() if value is not None}


def _runs(parts: Sequence[Augmentation]) -> list[list[int]]:
    """Part numbers, neighbours together that are one map."""
    runs: list[list[int]] = [[0]] if parts else []
    for before, number in pairwise(range(len(parts))):
        part, last = parts[number], parts[before]
        moves = [each for each in (parts[place] for place in runs[-1]) if isinstance(each, Geometric)]
        if isinstance(part, Geometric) and isinstance(last, Geometric) and geometry.joins(moves, part):
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def compose(
    parts: Sequence[Augmentation], pipeline: Pipeline, samples: Samples, rows: NDArray[np.int64], *, codes: bool
) -> Composed | None:
    """The augmentations of a unit, all that they must know taken from preprocessing and training rows.

    Args:
        parts: as the config lists them.
        pipeline: fitted on the training rows.
        samples: raw columns.
        rows: numbers of the training rows; others are never looked at.
        codes: whether an embedding takes what the pipeline gives.

    Returns:
        None if there is none.

    Raises:
        ConfigError: rows like these cannot be augmented so.
    """
    found: list[Problem] = []
    shape = pipeline.output.shape
    for number, part in enumerate(parts):
        misfit = part.misfit(shape, codes=codes)
        if misfit is not None:
            found.append(Problem("does-not-fit", *misfit, ("augmentation", number, part.part_name)))
    low = high = missing = None
    groups: tuple[int, ...] = ()
    if not found and any(isinstance(part, Colored) for part in parts):
        low, high = _black_and_white(pipeline, samples, rows)
    if not found and any(isinstance(part, DropValues) for part in parts):
        missing, groups = pipeline.gap_row(), _groups(pipeline)
        found += _cannot_be_missing(parts, pipeline, missing)
    if found:
        raise ConfigError(found)
    return Composed(tuple(parts), NetworkInput(shape, low, high, missing, groups)) if parts else None


def _black_and_white(pipeline: Pipeline, samples: Samples, rows: NDArray[np.int64]) -> tuple[Any, Any]:
    """What preprocessing makes of the darkest and the brightest value in training rows; (channels,) each.

    The channels of whole numbers, which are colours, have one range; those of fractions, which may have
    different units, have one each.
    """
    import numpy as np

    from dlcli.preprocessing import moments

    (name,) = pipeline.inputs
    column, values = pipeline.schema.columns[name], samples[name]
    ends = np.zeros((2, *column.shape), column.dtype)
    if column.dtype.startswith(("int", "uint")):
        parts = (values[rows[start : start + _ROWS_AT_ONCE]] for start in range(0, len(rows), _ROWS_AT_ONCE))
        lows, highs = zip(*((part.min(), part.max()) for part in parts), strict=True)
        ends[0], ends[1] = min(lows), max(highs)
    else:
        ends[0], ends[1] = moments.extremes(values[rows])
    made = pipeline.transform(Samples({name: ends}, 2)).reshape(2, -1, pipeline.output.shape[-1])
    return made.min(axis=(0, 1)), made.max(axis=(0, 1))


def _groups(pipeline: Pipeline) -> tuple[int, ...]:
    """For each number of a row, in order, which other ones go missing together with it."""
    import math

    origins = pipeline.output.origins
    if pipeline.length is not None:  # each number of each row of a window by itself
        return tuple(range(math.prod(pipeline.output.shape)))
    if len(origins) == 1 and math.prod(pipeline.output.shape) > 1:
        return tuple(range(math.prod(pipeline.output.shape)))
    groups: dict[object, int] = {}
    found = []
    for place, origin in enumerate(origins):
        shape = pipeline.schema.columns[origin].shape
        one_by_one = bool(shape) and origins.count(origin) == math.prod(shape)
        found.append(groups.setdefault((origin, place) if one_by_one else origin, len(groups)))
    return tuple(found)


def _cannot_be_missing(
    parts: Sequence[Augmentation], pipeline: Pipeline, missing: NDArray[np.float32]
) -> list[Problem]:
    """A problem if there are columns whose gaps do not pass preprocessing."""
    import numpy as np

    gaps = [bool(np.isnan(missing[..., number]).any()) for number in range(missing.shape[-1])]
    if not any(gaps):
        return []
    origins = pipeline.output.origins
    names = origins if len(origins) != len(gaps) else compress(origins, gaps)
    place = next(number for number, part in enumerate(parts) if isinstance(part, DropValues))
    return [left_gaps(tuple(dict.fromkeys(names)), ("augmentation", place, DropValues.part_name))]
