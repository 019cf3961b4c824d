"""Which modules define the Parts of a family, and Parts by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from dlcli import part
from dlcli.part import Part

MODULES: dict[str, tuple[str, ...]] = {
    "source": tuple(
        f"dlcli.data.sources.{name}"
        for name in ("builtin", "delimited", "parquet", "npz", "tfds", "images", "text", "custom")
    ),
    "split": ("dlcli.data.splits",),
    "preprocessing": tuple(
        f"dlcli.preprocessing.{name}"
        for name in (
            "tables",
            "gaps",
            "scales",
            "categories",
            "codes",
            "bins",
            "periodic",
            "combinations",
            "dates",
            "expressions",
            "images",
            "text",
            "sequences",
            "custom",
            "automatic",
        )
    ),
    "augmentation": tuple(
        f"dlcli.preprocessing.augmentation.{name}" for name in ("geometry", "colors", "mixing", "values")
    ),
    "layer": tuple(
        f"dlcli.network.layers.{name}"
        for name in ("dense", "convolution", "pooling", "normalization", "regularization", "shaping", "custom")
    ),
    "activation": ("dlcli.network.activations",),
    "initializer": ("dlcli.network.initializers",),
    "regularizer": ("dlcli.network.penalties",),
    "constraint": ("dlcli.network.penalties",),
    "loss": ("dlcli.network.losses",),
    "optimizer": ("dlcli.training.optimizers",),
    "schedule": ("dlcli.training.schedules",),
    "metric": tuple(
        f"dlcli.evaluation.metrics.{name}"
        for name in (
            "right_rows",
            "class_shares",
            "agreement",
            "areas",
            "label_orders",
            "probabilities",
            "value_errors",
            "explained",
            "deviances",
            "custom",
        )
    ),
    "search": (),
    "distribution": (),
}
"""Modules by family. A new module with Parts is a line here."""

CLASSES: dict[str, type[Part]] = {
    "source": part.Source,
    "split": part.Split,
    "preprocessing": part.Step,
    "augmentation": part.Augmentation,
    "layer": part.Layer,
    "activation": part.Activation,
    "initializer": part.Initializer,
    "regularizer": part.Regularizer,
    "constraint": part.Constraint,
    "loss": part.Loss,
    "optimizer": part.Optimizer,
    "schedule": part.Schedule,
    "metric": part.Metric,
    "search": part.Search,
    "distribution": part.Distribution,
}
"""The class that every Part of a family derives from."""

NOUNS = {"preprocessing": "preprocessing step", "distribution": "distribution of values"}
"""What one Part of a family is called, where that is not the family's name."""


def families() -> tuple[str, ...]:
    """Every family of Parts."""
    return tuple(MODULES)


def names(family: str) -> tuple[str, ...]:
    """The Parts of a family, in the order of their definition."""
    return tuple(_parts(family))


def find(family: str, name: str) -> type[Part] | None:
    """A Part by its name."""
    return _parts(family).get(name)


def written(family: str, name: str) -> str | None:
    """What a config says for the name that a Part has elsewhere; None if none is known under it."""
    return next((part.other_names[name] for part in _parts(family).values() if name in part.other_names), None)


def noun(family: str) -> str:
    """What one Part of a family is called in a sentence."""
    return NOUNS.get(family, family)


@cache
def _parts(family: str) -> dict[str, type[Part]]:
    """Imports a family's modules and collects the Parts that they define."""
    found: dict[str, type[Part]] = {}
    for name in MODULES[family]:
        for each in vars(import_module(name)).values():
            if _is_part(each, family) and each.__module__ == name:
                found[each.part_name] = each
    return found


def _is_part(each: object, family: str) -> bool:
    return (
        isinstance(each, type) and issubclass(each, Part) and "part_name" in vars(each) and each.family == family
    )  # a class without a name of its own is shared by several Parts
