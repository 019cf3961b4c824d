"""`dlcli diagnose`: what limits a run's score, and what to try next."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import json_option, print_json, runs_option


@click.command("diagnose")
@click.argument("run", default="latest")
@runs_option
@click.option(
    "--write",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the first proposal that changes the config as a config of its own.",
)
@json_option
def command(run: str, runs: Path | None, write: Path | None, as_json: bool) -> None:
    """Say where the error of RUN is, and what to try next.

    RUN is a name or a folder of a run that has ended, also of one that diverged; by default the latest run.
    Reads its curves and scores, compares the errors on training, validation and (once opened) test rows with
    what can be reached (`evaluation.human_level`), and proposes changes of the config. Trains and scores nothing.
    """
    from dlcli.workflows.diagnose import diagnose

    result = diagnose(run, runs=runs, write=write).as_json()
    if as_json:
        print_json(result)
        return
    from dlcli.terminal.diagnosis import print_diagnosis

    print_diagnosis(result)
