"""`dlcli predict`: new rows in, predictions out."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dlcli.commands.options import runs_option, trust_option


@click.command("predict")
@click.argument("run")
@click.argument("file")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write there instead of to the terminal.")
@runs_option
@trust_option
def command(run: str, file: str, output: Path | None, runs: Path | None, trust: bool) -> None:
    """Predict the rows of FILE with the model of RUN.

    RUN is a name, a folder or `latest`. FILE is csv, parquet or npz, here or at an address (https://, s3://,
    gs://), and needs the input columns of the training data; the target column may be missing. Images: a folder,
    an image, a .txt file with one path a line, or a quoted pattern ("new/*.jpg"). Texts: a folder of .txt files.
    The result is CSV: a line per row with the predicted class and the probability of each, or the predicted numbers.
    """
    from dlcli.terminal.progress import progress
    from dlcli.workflows.predict import predict

    with progress(quiet=False, as_json=True) as emit:
        result = predict(run, file, runs=runs, trust=trust, emit=emit)
    if output is None:
        result.write_csv(sys.stdout)
    else:
        result.save_csv(output)
        click.echo(f"{result.rows:,} predictions written to {output}", err=True)
