"""Layers that Keras has: from our fields to Keras's arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from dlcli.part import Activation, Constraint, Initializer, Layer, Regularizer, Shape, ShapeError

if TYPE_CHECKING:
    import keras

    from dlcli.seeds import SeedStream


def _pair(value: object) -> object:
    """Reads one number as two equal ones, as Keras does."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, value)
    return (*value, *value) if isinstance(value, tuple | list) and len(value) == 1 else value


Pair = Annotated[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]], BeforeValidator(_pair)]
"""Height and width; one number stands for both."""


class StockLayer(Layer):
    """A layer that Keras has.

    Attributes:
        keras_name: its class in `keras.layers`.
        draws: whether it draws numbers while it trains, and so takes a seed.
    """

    keras_name: ClassVar[str]
    draws: ClassVar[bool] = False

    def build(self, seeds: SeedStream) -> keras.Layer:
        """The Keras layer; whatever it draws comes from `seeds`."""
        import keras

        arguments = {name: _argument(getattr(self, name), seeds) for name in type(self).model_fields}
        if self.draws:
            arguments["seed"] = seeds.draw("dropout")
        return getattr(keras.layers, self.keras_name)(**arguments)


def _argument(value: Any, seeds: SeedStream) -> Any:
    """What Keras takes for the value of a field."""
    if isinstance(value, Initializer):
        return value.build(seeds.draw("weights"))
    if isinstance(value, Activation | Regularizer | Constraint):
        return value.build()
    return value


def require_rank(shape: Shape, rank: int, layer: str, meaning: str) -> None:
    """Checks the number of axes of one row.

    Raises:
        ShapeError: it is another one.
    """
    if len(shape) != rank:
        message = f"{layer} needs rows of shape {meaning}, got {describe(shape)}"
        raise ShapeError(message)


def describe(shape: Shape) -> str:
    """A shape as Python writes it."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
