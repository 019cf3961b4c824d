"""Which engine runs the epochs: a pure function of device, layers and sizes, so that it is always the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["graph", "xla"]
MOST_XLA_WEIGHTS = 1_000_000
FEWEST_XLA_STEPS = 4_000
"""XLA compiles some tenths of a second longer than a graph is traced, and saves .1 ms a step and more."""
_FAST_IN_XLA = frozenset({
    "activation", "batch_normalization", "dense", "dropout", "embedding", "flatten", "gaussian_noise",
    "layer_normalization", "reshape",
})  # fmt: skip
"""Measured on CPU. Convolutions have no fast kernels there: 30 times slower than in a graph."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine, and why it."""

    kind: Kind
    reason: str


def choose(
    asked: Literal["auto", "graph", "xla"],
    layers: Sequence[str],
    weights: int,
    steps: int,
    *,
    precision: str = "float32",
    augmented: bool = False,
    gpu: bool = False,
) -> Choice:
    """Settles `training.engine`.

    Args:
        asked: what the config says.
        layers: names of the network's layers.
        weights: how many numbers they hold.
        steps: batches that the command trains on in all.
        precision: `training.precision`.
        augmented: whether training batches are augmented, which XLA partly refuses or gets wrong.
        gpu: whether a GPU does the work.
    """
    if asked != "auto":
        return Choice(asked, "asked for")
    slow = sorted(set(layers) - _FAST_IN_XLA)
    why_not = {
        "on a GPU XLA was not measured": gpu,
        "augmentation": augmented,
        f"{precision}": precision != "float32",
        f"{', '.join(slow)} is not known to be fast in XLA": bool(slow),
        f"more than {MOST_XLA_WEIGHTS:,} weights": weights > MOST_XLA_WEIGHTS,
        f"{steps:,} steps, fewer than {FEWEST_XLA_STEPS:,}: compiling would not pay": steps < FEWEST_XLA_STEPS,
    }
    for reason, holds in why_not.items():
        if holds:
            return Choice("graph", reason)
    return Choice("xla", f"{steps:,} steps, {weights:,} weights, and no layer that is slow in it")
