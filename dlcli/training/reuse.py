"""Compiled models used again: one trace for all folds and repeats of one architecture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from dlcli.training.engine import Engine

_MOST_ENGINES = 4
"""Each keeps a model and its graphs in memory; a search over architectures meets most of them only once."""


class Bench:
    """This process's engines by what they were made from. Reusing one never changes a number."""

    def __init__(self) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()

    def engine(self, key: str, model: keras.Model, make: Callable[[keras.Model], Engine]) -> Engine:
        """An engine that trains on from the variables of a model.

        Args:
            key: everything that the graphs depend on, but for the variables.
            model: a new, uncompiled model.
            make: makes an engine of such a model, where there is none of this key yet.
        """
        found = self._engines.get(key)
        if found is None:
            found = self._engines[key] = make(model)
            if len(self._engines) > _MOST_ENGINES:
                self._engines.popitem(last=False)
        else:
            found.restart([variable.value for variable in model.variables])
        self._engines.move_to_end(key)
        return found
