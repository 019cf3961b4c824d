"""`dlcli check`: every problem of a config, before anything runs."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import config_argument, json_option, print_json, set_option, trust_option


@click.command("check")
@config_argument
@set_option
@click.option("--data", "with_data", is_flag=True, help="Also read the data: a data card, leaks, the network's sizes.")
@json_option
@trust_option
def command(config: Path, overrides: tuple[str, ...], with_data: bool, as_json: bool, trust: bool) -> None:
    """Say everything that is wrong with CONFIG at once."""
    from dlcli.workflows.check import check

    result = check(config, overrides=overrides, data=with_data, trust=trust)
    if as_json:
        print_json(result)
    elif with_data:
        from dlcli.terminal.data_card import print_data

        print_data(result)
    else:
        click.echo(f"{config}: no problems; the data were not read (--data does that)")
