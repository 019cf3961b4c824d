"""`dlcli compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import json_option, print_json, require_new_png, runs_option


@click.command("compare")
@click.argument("which", nargs=-1, required=True, metavar="RUN RUN...")
@runs_option
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the curves into this PNG file.")
@json_option
def command(which: tuple[str, ...], runs: Path | None, plot: Path | None, as_json: bool) -> None:
    """Compare runs that were scored on the same rows.

    Shows the settings that differ, the scores, and the difference of each further RUN from the first one,
    with an interval and a test that know that the rows (or folds) are the same. Runs with other
    validation rows or targets are refused.
    """
    if plot is not None:
        require_new_png(plot)
    from dlcli.workflows.compare import compare

    result = compare(*which, runs=runs).as_json()
    if plot is not None and not result["curves"]:
        raise click.UsageError("these runs watched no monitor on validation rows; leave --plot out")
    if plot is not None:
        from dlcli.report.curves_png import plot_curves

        series = {curve["run"]: (curve["epochs"], curve["values"]) for curve in result["curves"]}
        plot_curves(plot, series, result["monitor"])
    if as_json:
        print_json(result | {"plot": str(plot) if plot else None})
        return
    from dlcli.terminal.comparison import print_comparison

    print_comparison(result)
    if plot is not None:
        click.echo(f"plot  {plot}")
