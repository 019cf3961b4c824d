"""`dlcli parts`: what a config can name."""

from __future__ import annotations

import click

from dlcli.commands.options import json_option, print_json


@click.command("parts")
@click.argument("family", required=False)
@click.argument("name", required=False)
@json_option
def command(family: str | None, name: str | None, as_json: bool) -> None:
    """Show what a config can name: all families, one FAMILY (`layer`), or one Part (`layer dense`)."""
    from dlcli.workflows.parts import describe

    found = describe(family, name)
    if as_json:
        print_json(found)
        return
    from dlcli.terminal.cards import print_parts

    print_parts(found)
