"""Fields and defaults are those of the installed Keras, but for the departures."""

from __future__ import annotations

import inspect

import keras
import pytest

from dlcli.config import catalog
from dlcli.preprocessing.augmentation.departures import DEPARTURES, KERAS_NAMES, NOT_OFFERED


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_fields_and_defaults_are_those_of_keras(name):
    part, layer = catalog.find("augmentation", name), getattr(keras.layers, KERAS_NAMES[name])
    offered = {key: one for key, one in inspect.signature(layer).parameters.items() if key != "kwargs"}
    for field, info in part.model_fields.items():
        if (name, field) in DEPARTURES:
            continue
        if offered[field].default is inspect.Parameter.empty:
            assert info.is_required(), field
        else:
            written = {} if offered[field].default is None else {field: offered[field].default}
            required = {key: 0.1 for key, one in part.model_fields.items() if one.is_required()}
            assert part(**required) == part(**required, **written), field
    assert set(offered) - set(part.model_fields) <= set(NOT_OFFERED)


def test_every_departure_is_one():
    for name, field in DEPARTURES:
        assert field in catalog.find("augmentation", name).model_fields


def test_only_ours_have_no_layer_in_keras():
    assert set(catalog.names("augmentation")) - set(KERAS_NAMES) == {"drop_values", "word_dropout"}
