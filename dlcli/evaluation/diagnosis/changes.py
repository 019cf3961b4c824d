"""How a config can change: the parts that make a network learn faster, less by heart, or more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Plain = Mapping[str, Any]
"""A part of a config as plain data, to lay over the whole."""
Layer = str | dict[str, Any]
_WIDTHS = {"dense": "units", "conv2d": "filters"}
_FEWEST_UNITS, _LEAST_UNITS, _MOST_UNITS = 4, 32, 1024
_WIDER = 4
_LARGE_NETWORK = 1_000
"""Parameters from which on dropout is the first penalty to try; smaller networks take l2."""
_GENTLE_L2, _FIRM_L2, _LARGEST_L2 = 1e-3, 1e-2, 0.1
_DROPOUT, _MUCH_DROPOUT = 0.3, 0.5
_STRONG_L2, _STRONG_L1, _STRONG_DROPOUT = 0.1, 1e-2, 0.5


@dataclass(frozen=True, slots=True)
class Setup:
    """What a config has, as far as remedies depend on it.

    Attributes:
        architecture: the layers, as short as a config can write them.
        keeps_last: whether the last of them is the output layer, and so stays.
        optimizer: its name.
        rate: its learning rate.
        usual_rate: what its learning rate is by default.
        schedule: name of the schedule, if there is one.
        own_rate: whether the schedule names rates itself: its peak, or each one.
        epochs: at most so many.
        patience: of early stopping, if there is any.
        l1, l2, dropout: the largest anywhere in the network.
        max_norm: whether norms are bounded for all layers.
        batch_normalization: whether there is a layer of it.
        augmented: whether training rows are changed at random.
        images: whether the inputs are images.
        unscaled: the preprocessing steps, where numbers enter the network as they are; else None.
        large_target: whether a number is predicted whose unscaled values spread over more than 10.
        split: name of the split; split_seed: what it draws from.
        sizes: its `train`, `validation` and `test` as written.
        drawn: whether it draws rows by lot, so that validation rows can differ from training rows by chance only.
        subset_column: the column by which a predefined split divides.
        ordered, grouped: whether rows depend on each other in time, or within groups.
        folds: of a k-fold; None for a training.
        parameters: numbers in the network.
    """

    architecture: tuple[Layer, ...]
    keeps_last: bool
    optimizer: str
    rate: float
    usual_rate: float
    schedule: str | None
    own_rate: Literal["peak", "all"] | None
    epochs: int
    patience: int | None
    l1: float
    l2: float
    dropout: float
    max_norm: bool
    batch_normalization: bool
    augmented: bool
    images: bool
    unscaled: tuple[Any, ...] | None
    large_target: bool
    split: str
    split_seed: int
    sizes: Mapping[str, float | None]
    drawn: bool
    subset_column: str | None
    ordered: bool
    grouped: bool
    folds: int | None
    parameters: int | None


def rate(setup: Setup, rate: float) -> Plain:
    """The snippet that sets another learning rate, wherever the config names it."""
    rate = float(f"{rate:.2g}")
    snippet: dict[str, Any] = {"optimizer": {setup.optimizer: {"learning_rate": rate}}}
    if setup.own_rate == "peak":
        snippet["schedule"] = {setup.schedule: {"peak": rate}}
    elif setup.own_rate == "all":
        snippet["schedule"] = None
    return snippet


def relaxed(setup: Setup) -> Plain | None:
    """Less of what holds the network back, if there is much of it."""
    if not (setup.l2 >= _STRONG_L2 or setup.l1 >= _STRONG_L1 or setup.dropout >= _STRONG_DROPOUT or setup.max_norm):
        return None
    snippet: dict[str, Any] = {"regularization": {"l1": 0.0, "l2": 0.0, "dropout": 0.0, "max_norm": None}}
    layers = [_unpenalised(layer) for layer in setup.architecture if not _is(layer, "dropout")]
    if layers != list(setup.architecture):
        snippet["architecture"] = layers
    return snippet


def _unpenalised(layer: Layer) -> Layer:
    """A layer without penalties of its own."""
    if isinstance(layer, str):
        return layer
    name, fields = next(iter(layer.items()))
    if not isinstance(fields, dict):
        return layer
    kept = {key: value for key, value in fields.items() if not key.endswith(("_regularizer", "_constraint"))}
    return {name: kept}


def penalty(setup: Setup, *, firm: bool) -> Plain:
    """Penalties that the network does not have yet, or more of those that it has."""
    l2 = _FIRM_L2 if firm else _GENTLE_L2
    penalty = {"l2": l2 if setup.l2 < l2 else min(3 * setup.l2, _LARGEST_L2)}
    if (setup.parameters or 0) >= _LARGE_NETWORK:
        penalty["dropout"] = _DROPOUT if setup.dropout < _DROPOUT else _MUCH_DROPOUT
    return penalty


def larger(setup: Setup) -> list[Layer] | None:
    """Wider hidden layers, and a second dense one where there is only one."""
    layers, last = _hidden(setup)
    widths = [_width(layer) for layer in layers]
    if not any(widths):
        return [*layers, {"dense": _LEAST_UNITS}, {"dense": _LEAST_UNITS}, *last]
    larger = [
        layer if width is None else _with_width(layer, max(width, min(_WIDER * width, _MOST_UNITS), _LEAST_UNITS))
        for layer, width in zip(layers, widths, strict=True)
    ]
    dense = [layer for layer in larger if _is(layer, "dense")]
    if len(dense) == 1 and _is(larger[-1], "dense"):
        larger.append({"dense": _width(dense[0])})
    return [*larger, *last] if larger != layers else None


def smaller(setup: Setup) -> list[Layer] | None:
    """Half as wide hidden layers."""
    layers, last = _hidden(setup)
    widths = [_width(layer) for layer in layers]
    if not any(width and width >= 2 * _FEWEST_UNITS for width in widths):
        return None
    smaller = [
        layer if width is None else _with_width(layer, min(width, max(width // 2, _FEWEST_UNITS)))
        for layer, width in zip(layers, widths, strict=True)
    ]
    return [*smaller, *last]


def _hidden(setup: Setup) -> tuple[list[Layer], list[Layer]]:
    """The layers that may change, and those that may not."""
    layers = list(setup.architecture)
    return (layers[:-1], layers[-1:]) if setup.keeps_last else (layers, [])


def _is(layer: Layer, name: str) -> bool:
    return layer == name or (isinstance(layer, dict) and name in layer)


def _width(layer: Layer) -> int | None:
    """Units or filters of a layer that has them."""
    if isinstance(layer, str):
        return None
    name, value = next(iter(layer.items()))
    if name not in _WIDTHS:
        return None
    return int(value[_WIDTHS[name]] if isinstance(value, dict) else value)


def _with_width(layer: Layer, width: int) -> Layer:
    assert isinstance(layer, dict)
    name, value = next(iter(layer.items()))
    return {name: {**value, _WIDTHS[name]: width} if isinstance(value, dict) else width}
