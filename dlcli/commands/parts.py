"""`dlcli parts`: what a config can name."""

from __future__ import annotations

import click

from dlcli.commands.options import json_option, print_json


@click.command("parts")
@click.argument("family", required=False)
@click.argument("name", required=False)
@json_option
def command(family: str | None, name: str | None, as_json: bool) -> None:
    """Show what a config can name.

    Without arguments everything; else one FAMILY (`layer`), one Part (`layer dense`) or one section
    of the config (`training`).
    """
    from dlcli.workflows.parts import describe

    found = describe(family, name)
    if as_json:
        print_json(found)
        return
    from dlcli.terminal.cards import print_parts

    print_parts(found)
