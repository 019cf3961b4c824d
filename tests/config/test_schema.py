"""The JSON Schema says what the reader takes."""

import json
from typing import Any

import pytest

from dlcli.config import catalog
from dlcli.config.experiment import Experiment
from dlcli.config.forms import fields
from dlcli.config.schema import json_schema


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


def test_is_plain_json(schema: dict[str, Any]) -> None:
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema


def test_knows_every_key_with_its_meaning(schema: dict[str, Any]) -> None:
    assert set(schema["properties"]) == {*fields(Experiment), "extends"}
    assert all(each["description"] for each in schema["properties"].values())


def test_knows_every_part(schema: dict[str, Any]) -> None:
    for family in catalog.families():
        named = [key for form in schema["$defs"][family].get("anyOf", []) for key in form.get("properties", ())]
        assert tuple(named) == catalog.names(family)


def test_says_ranges_and_defaults(schema: dict[str, Any]) -> None:
    training = schema["properties"]["training"]["properties"]
    assert training["epochs"]["minimum"] == 1
    assert training["epochs"]["default"] == 20


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    def references(data: object) -> list[str]:
        if isinstance(data, dict):
            own = [data["$ref"]] if isinstance(data.get("$ref"), str) else []
            return own + [each for value in data.values() for each in references(value)]
        return [each for item in data for each in references(item)] if isinstance(data, list) else []

    assert {each.removeprefix("#/$defs/") for each in references(schema)} <= set(schema["$defs"])
