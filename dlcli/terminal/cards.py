"""Descriptions of what a config can name."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from dlcli.terminal.console import make_console


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def print_parts(found: dict[str, Any]) -> None:
    """Draws what `workflows.parts.describe` found."""
    console = make_console()
    if "families" in found:
        table = _table("family", "parts")
        for family, names in found["families"].items():
            table.add_row(family, ", ".join(names))
        console.print(table)
        sections = _table("section", "fields")
        for section, names in found["sections"].items():
            sections.add_row(section, ", ".join(names))
        console.print()
        console.print(sections)
        console.print("\nMore: dlcli parts layer, dlcli parts layer dense, dlcli parts training", style="dim")
    elif "parts" in found:
        table = _table(found["family"], "meaning")
        for name, meaning in found["parts"].items():
            table.add_row(name, meaning)
        console.print(table)
    else:
        _print_part(console, found)


def _print_part(console: Console, part: dict[str, Any]) -> None:
    console.print(f"{part['name']}  ({part['family']})", style="bold", markup=False)
    console.print(part["meaning"], markup=False)
    if part["fields"]:
        console.print()
        table = _table("field", "default", "takes", "meaning")
        for name, field in part["fields"].items():
            default = "required" if field["required"] else str(field["default"]).lower()
            table.add_row(name + (" (main)" if field["main"] else ""), default, field["range"], field["meaning"])
        console.print(table)
    if part["example"]:
        console.print(f"\nexample:  {part['example']}", markup=False)
