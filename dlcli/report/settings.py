"""The settings of a run, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def settings(resolved: str) -> dict[str, str]:
    """Each value of a config by its path, e.g. `optimizer.adam.learning_rate`, in the file's order.

    Args:
        resolved: the text of `resolved.yaml`. Values are those of the text, letter by letter; lists of them are one.
    """
    import yaml

    # The plainest of loaders: YAML 1.1 would make truth values of words such as `no`, which are text in a config.
    return dict(_flat(yaml.load(resolved, yaml.BaseLoader), ()))  # noqa: S506 - it makes nothing but text


def costs(resolved: str) -> Mapping[str, Mapping[str, str]]:
    """What it costs to take a class for another, by actual and predicted class; empty where the config does not say."""
    import yaml

    found: Any = yaml.load(resolved, yaml.BaseLoader)["evaluation"]["costs"]  # noqa: S506 - it makes nothing but text
    return found if isinstance(found, Mapping) else {}


def _flat(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, (*path, str(name)))
    elif isinstance(value, list) and all(isinstance(inner, str) for inner in value):
        yield ".".join(path), ", ".join(value)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _flat(inner, (*path, str(place)))
    elif value is not None:
        yield ".".join(path), str(value)
