"""`dlcli runs`: what was run."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import json_option, print_json, runs_option


@click.command("runs")
@runs_option
@json_option
def command(runs: Path | None, as_json: bool) -> None:
    """List the runs and what each reached."""
    from dlcli.workflows.runs import list_runs

    rows = list_runs(runs)
    if as_json:
        print_json(rows)
        return
    from dlcli.terminal.tables import print_runs

    print_runs(rows)
