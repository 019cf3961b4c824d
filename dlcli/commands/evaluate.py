"""`dlcli evaluate`: opens the sealed test set, or scores a model on another file."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import json_option, runs_option, trust_option


@click.command("evaluate")
@click.argument("run", default="latest")
@click.option(
    "--data",
    metavar="FILE",
    help="Score the model on the rows of another csv or npz file instead: same columns, target included.",
)
@runs_option
@json_option
@trust_option
def command(run: str, data: str | None, runs: Path | None, as_json: bool, trust: bool) -> None:
    """Open the sealed test set of RUN.

    RUN is a name or a folder; by default the latest run that has a model. Each look at test rows is
    written to the ledger in the folder of the runs before the score is computed: a model chosen by looking
    often looks better than it is. Rows of another file count as test rows; their scores are kept in the run's
    folder `evaluations`.
    """
    from dlcli.terminal.closing import print_evaluation, print_run
    from dlcli.terminal.progress import progress
    from dlcli.workflows.evaluate import evaluate

    with progress(quiet=False, as_json=as_json) as emit:
        result = evaluate(run, data=data, runs=runs, trust=trust, emit=emit)
    (print_run if data is None else print_evaluation)(result.path, as_json=as_json)
