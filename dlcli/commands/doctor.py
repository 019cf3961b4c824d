"""`dlcli doctor`: what this machine offers."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import json_option, print_json, runs_option


@click.command("doctor")
@runs_option
@json_option
def command(runs: Path | None, as_json: bool) -> None:
    """Say which versions, devices, threads and folders are used."""
    from dlcli.workflows.doctor import doctor

    result = doctor(runs)
    if as_json:
        print_json(result)
        return
    from dlcli.terminal.doctor import print_doctor

    print_doctor(result)
