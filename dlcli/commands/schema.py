"""`dlcli schema`: the JSON Schema of the config language, for editors."""

from __future__ import annotations

import click

from dlcli.commands.options import print_json


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of configs.

    Editors check and complete with it: save it as dlcli.schema.json and begin a config with
    `# yaml-language-server: $schema=dlcli.schema.json`.
    """
    from dlcli.workflows.parts import config_schema

    print_json(config_schema())
