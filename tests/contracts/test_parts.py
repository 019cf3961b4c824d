"""What holds for everything that a config can name."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
import yaml

import dlcli
from dlcli.config import catalog
from dlcli.part import Part

PARTS = [(family, name) for family in catalog.families() for name in catalog.names(family)]
PACKAGE = Path(dlcli.__file__).parent


def part(family: str, name: str) -> type[Part]:
    found = catalog.find(family, name)
    assert found is not None
    return found


@pytest.mark.parametrize(("family", "name"), PARTS)
def test_says_what_it_is_and_what_each_field_means(family: str, name: str) -> None:
    cls = part(family, name)
    assert inspect.getdoc(cls)
    assert cls.__doc__ != Part.__doc__
    undocumented = [field for field, info in cls.model_fields.items() if not info.description]
    assert undocumented == []


@pytest.mark.parametrize(("family", "name"), PARTS)
def test_has_an_example_that_names_it(family: str, name: str) -> None:
    written = yaml.safe_load(part(family, name).example)
    assert written == name or list(written) == [name]


@pytest.mark.parametrize(("family", "name"), PARTS)
def test_main_field_is_one_of_its_fields(family: str, name: str) -> None:
    cls = part(family, name)
    names = {info.alias or field for field, info in cls.model_fields.items()}
    assert cls.main_field is None or cls.main_field in names


def test_no_part_is_missing_from_the_catalog() -> None:
    written = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                for line in node.body:
                    if isinstance(line, ast.Assign) and [getattr(t, "id", "") for t in line.targets] == ["part_name"]:
                        written.add((ast.literal_eval(line.value), node.name))
    registered = {(name, part(family, name).__name__) for family, name in PARTS}
    assert written == registered
