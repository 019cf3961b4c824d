"""Who may import whom. Siblings never meet; workflows join them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "dlcli"
FLOOR = frozenset(
    {
        "backend",
        "custom_code",
        "events",
        "formula",
        "numbers",
        "part",
        "problems",
        "samples",
        "seeds",
        "storage",
        "task",
        "words",
    }
)
PARTS = frozenset({"data", "evaluation", "network", "preprocessing", "training"})
ROOMS: dict[str, frozenset[str]] = {
    "cli": frozenset({"commands", "terminal"}),
    "__main__": frozenset({"cli", "commands", "terminal"}),
    "commands": frozenset({"terminal", "report", "workflows"}),
    "terminal": frozenset({"runs"}),
    "report": frozenset({"runs"}),
    "workflows": frozenset({"config", "report", "runs"}) | PARTS,
    "config": PARTS,
    "runs": frozenset(),
    "evaluation": frozenset(),
    "training": frozenset(),
    "network": frozenset(),
    "preprocessing": frozenset(),
    "data": frozenset(),
}


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "dlcli":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.split(".")[1] for name in (a.name for a in node.names) if name.startswith("dlcli."))


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_room_imports_only_what_lies_below_it(file: Path) -> None:
    room = room_of(file)
    if room == "__init__":
        return  # the Python API names the workflows
    allowed = FLOOR if room in FLOOR else ROOMS[room] | FLOOR | {room}
    assert set(imported_rooms(file)) - {"__version__"} <= allowed


def test_every_folder_is_a_known_room() -> None:
    assert {room_of(file) for file in FILES} - {"__init__"} <= ROOMS.keys() | FLOOR
