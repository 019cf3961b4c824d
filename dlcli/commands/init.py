"""`dlcli init`: a first config for a data file."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("init")
@click.argument("file", required=False)
@click.option("--target", help="The column to predict.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the config there.")
def command(file: str | None, target: str | None, output: Path | None) -> None:
    """Look at a data FILE and write a first config.

    The config is commented, and trains as it is. FILE is a csv file or its address. What is not given is asked on a
    terminal. Without --output the config is printed:
    `dlcli init data.csv --target price > price.yaml`.
    """
    from dlcli.workflows.init import draft, look

    asking = sys.stdin.isatty() and sys.stderr.isatty()
    if file is None:
        if not asking:
            raise click.UsageError("Name the data file: dlcli init data.csv --target COLUMN")
        file = click.prompt("Data file (csv)", err=True)
    findings = look(file)
    for note in findings.found.notes:
        click.echo(note, err=True)
    if target is None and asking:
        click.echo(f"{findings.rows:,} rows; columns: {', '.join(findings.columns)}", err=True)
        target = click.prompt("Column to predict", default=findings.columns[-1], err=True)
        if output is None and sys.stdout.isatty():
            output = Path(
                click.prompt("Write the config to", default=f"{findings.file.name.split('.')[0]}.yaml", err=True)
            )
    text = draft(findings, target, beside=output.parent if output else Path())
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise click.UsageError(f"{output} exists; name another file with --output")
    output.write_text(text, encoding="utf-8")
    click.echo(f"{output} written. Next: dlcli train {output}", err=True)
