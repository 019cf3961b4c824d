"""`dlcli doctor`: what this machine offers."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import json_option, print_json, runs_option


@click.command("doctor")
@click.option("--clear-cache", is_flag=True, help="Remove what was kept on disk of data beyond memory.")
@runs_option
@json_option
def command(clear_cache: bool, runs: Path | None, as_json: bool) -> None:
    """Say which versions, devices, threads and folders are used."""
    from dlcli.workflows.doctor import doctor

    result = doctor(runs, clear_cache=clear_cache)
    if as_json:
        print_json(result)
        return
    from dlcli.terminal.doctor import print_doctor

    print_doctor(result)
