"""`dlcli evaluate`: opens the sealed test set."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import json_option, runs_option, trust_option


@click.command("evaluate")
@click.argument("run", default="latest")
@runs_option
@json_option
@trust_option
def command(run: str, runs: Path | None, as_json: bool, trust: bool) -> None:
    """Open the sealed test set of RUN.

    RUN is a name or a folder; by default the latest run that has a model. Each look at the test rows is
    written to the ledger in the folder of the runs before the score is computed: a model chosen by looking
    often looks better than it is.
    """
    from dlcli.terminal.closing import print_run
    from dlcli.terminal.progress import progress
    from dlcli.workflows.evaluate import evaluate

    with progress(quiet=False, as_json=as_json) as emit:
        result = evaluate(run, runs=runs, trust=trust, emit=emit)
    print_run(result.path, as_json=as_json)
