"""Fields and defaults of Parts are those of the installed Keras, but for the departures."""

import inspect

import keras
import pytest

from dlcli.network import activations, initializers, losses, penalties
from dlcli.network.departures import DEPARTURES, NOT_OFFERED
from dlcli.network.layers import convolution, dense, normalization, pooling, regularization, shaping
from dlcli.part import Activation, Initializer, Layer, Loss, Optimizer, Part
from dlcli.training import optimizers

LAYER_MODULES = (dense, convolution, pooling, normalization, regularization, shaping)


def parts(family: type[Part], *modules: object) -> list[type[Part]]:
    found = [value for module in modules for value in vars(module).values() if inspect.isclass(value)]
    named = [part for part in found if issubclass(part, family) and "part_name" in vars(part)]
    return [part for part in dict.fromkeys(named) if part.part_name not in ("auto", "custom")]


def pairs() -> list[tuple[type[Part], object]]:
    stock = [
        (parts(Layer, *LAYER_MODULES), keras.layers),
        (parts(Initializer, initializers), keras.initializers),
        (parts(Loss, losses), keras.losses),
        (parts(Optimizer, optimizers), keras.optimizers),
    ]
    found = [(part, getattr(room, part.keras_name)) for family, room in stock for part in family]
    found += [(part, getattr(keras.activations, part.part_name)) for part in parts(Activation, activations)]
    bounds = {"l1": "L1", "l2": "L2", "l1_l2": "L1L2"}
    found += [(getattr(penalties, name), getattr(keras.regularizers, name)) for name in bounds.values()]
    names = ("MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm")
    return found + [(getattr(penalties, name), getattr(keras.constraints, name)) for name in names]


def as_keras_writes(value: object, like: object) -> object:
    if isinstance(value, Part):
        return {"random_uniform": "uniform"}.get(value.part_name, value.part_name)
    if isinstance(value, tuple) and isinstance(like, int):
        return value[0]
    return value


@pytest.mark.parametrize(("part", "stock"), pairs(), ids=lambda value: getattr(value, "part_name", ""))
def test_fields_and_defaults_are_those_of_keras(part, stock):
    signature = inspect.signature(stock.__init__ if inspect.isclass(stock) else stock).parameters
    offered = {name: one for name, one in signature.items() if name not in ("self", "x", "args", "kwargs")}
    for name, field in part.model_fields.items():
        assert name in offered, f"Keras has no {name}"
        if (part.part_name, name) in DEPARTURES:
            continue
        if offered[name].default is inspect.Parameter.empty:
            assert field.is_required(), name
        else:
            default = field.get_default(call_default_factory=True)
            assert as_keras_writes(default, offered[name].default) == offered[name].default, name
    if issubclass(part, Activation) and part.keras_layer is None:
        return  # Keras can save fields of a function only where a layer holds them.
    assert set(offered) - set(part.model_fields) <= set(NOT_OFFERED)


def test_every_departure_is_one():
    layers = {part.part_name: part for part in parts(Layer, *LAYER_MODULES)}
    for name, field in DEPARTURES:
        assert field in layers[name].model_fields


@pytest.mark.parametrize("part", parts(Activation, activations), ids=lambda part: part.part_name)
def test_every_activation_is_known_to_keras(part):
    assert callable(keras.activations.get(part().build()))
