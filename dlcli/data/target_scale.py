"""Scaling of number targets: fitted on training rows, undone for scores, predictions and the exported model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data.target_section import TargetScale


@dataclass(frozen=True, slots=True)
class FittedScale:
    """How each target is scaled: (value, or its log1p where `logarithm`, minus `offset`) / `factor`.

    Attributes:
        kinds: the scale of each target, None where it stays as it is.
        offsets, factors: one per target.
    """

    kinds: tuple[TargetScale | None, ...] = ()
    offsets: tuple[float, ...] = ()
    factors: tuple[float, ...] = ()

    @property
    def is_identity(self) -> bool:
        """Whether nothing is scaled."""
        return all(kind is None for kind in self.kinds)

    @classmethod
    def fit(cls, kinds: Sequence[TargetScale | None], values: NDArray[np.float64]) -> FittedScale:
        """Learns from training values (rows, targets); a target without spread keeps its size."""
        pairs = [_fit_one(kind, values[:, number]) for number, kind in enumerate(kinds)]
        return cls(tuple(kinds), tuple(offset for offset, _ in pairs), tuple(factor for _, factor in pairs))

    def encode(self, values: NDArray[Any]) -> NDArray[Any]:
        """Original to scaled units, (rows, targets); class numbers pass through."""
        if self.is_identity:
            return values
        scaled = np.where(self._logarithm, np.log1p(np.where(self._logarithm, values, 0.0)), values)
        return np.asarray((scaled - np.array(self.offsets)) / np.array(self.factors))

    def decode(self, predictions: NDArray[Any]) -> NDArray[Any]:
        """Scaled to original units, (rows, targets), in float64."""
        if self.is_identity:
            return predictions
        plain = predictions.astype(np.float64) * np.array(self.factors) + np.array(self.offsets)
        with np.errstate(over="ignore"):  # a diverged network may say anything; infinity is caught where it matters
            return np.where(self._logarithm, np.expm1(np.where(self._logarithm, plain, 0.0)), plain)

    def inverse_ops(self, tensor: Any) -> Any:
        """`decode` for tensors, eager or symbolic, made of `keras.ops` only."""
        if self.is_identity:
            return tensor
        from keras import ops

        factors, offsets = (np.array(numbers, dtype=np.float32) for numbers in (self.factors, self.offsets))
        plain = ops.add(ops.multiply(tensor, factors), offsets)
        if not self._logarithm.any():
            return plain
        logarithm = np.broadcast_to(self._logarithm, (1, len(self.kinds)))
        return ops.where(logarithm, ops.expm1(ops.where(logarithm, plain, 0.0)), plain)

    @property
    def _logarithm(self) -> NDArray[np.bool_]:
        return np.array([kind == "log1p" for kind in self.kinds])

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"kinds": list(self.kinds), "offsets": list(self.offsets), "factors": list(self.factors)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FittedScale:
        """Reads what `as_json` wrote."""
        return cls(tuple(data["kinds"]), tuple(data["offsets"]), tuple(data["factors"]))


def _fit_one(kind: TargetScale | None, values: NDArray[np.float64]) -> tuple[float, float]:
    """Offset and factor of one target."""
    if kind == "standardize":
        offset, spread = float(values.mean()), float(values.std())
    elif kind == "min_max":
        offset, spread = float(values.min()), float(values.max() - values.min())
    else:
        return 0.0, 1.0
    return offset, spread if spread > 0 else 1.0
