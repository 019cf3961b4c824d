"""`dlcli report`: everything about a run that a person keeps."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import json_option, print_json, runs_option, trust_option


@click.command("report")
@click.argument("run", default="latest")
@click.option("--open", "show", is_flag=True, help="Open the report in the browser.")
@click.option(
    "--mlflow",
    metavar="[STORE]",
    is_flag=False,
    flag_value="",
    help="Also write the run into an MLflow store: its address, or by default MLFLOW_TRACKING_URI's or MLflow's own.",
)
@runs_option
@json_option
@trust_option
def command(run: str, show: bool, mlflow: str | None, runs: Path | None, as_json: bool, trust: bool) -> None:
    """Write the report of RUN.

    RUN is a name or a folder; by default the latest run. Its folder gets one page that holds everything
    (`report.html`), `model_card.md`, `plots/`, and `tensorboard/` for `tensorboard --logdir runs`. Scores stay
    as they are, and a sealed test set stays sealed.
    """
    from dlcli.terminal.progress import progress
    from dlcli.workflows.write_report import write_report

    with progress(quiet=False, as_json=as_json) as emit:
        result = write_report(run, runs=runs, mlflow=mlflow is not None and (mlflow or True), trust=trust, emit=emit)
    if as_json:
        print_json(result.as_json())
    else:
        click.echo(f"report  {result.page}")
        if result.mlflow is not None:
            logged = result.mlflow
            click.echo(
                f"mlflow  {logged.outcome}: run {logged.run_id} of experiment {logged.experiment} in {logged.store}"
            )
    if show and not _opened(result.page):
        click.echo("there is no browser to open it with", err=True)


def _opened(page: Path) -> bool:
    import webbrowser

    return webbrowser.open(page.as_uri())
