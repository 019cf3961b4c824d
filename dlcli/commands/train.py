"""`dlcli train`: one training."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import resumable_options


@click.command("train")
@resumable_options
@click.option("--evaluate", is_flag=True, help="Open the sealed test set afterwards; the look is written down.")
@click.option("--refit", is_flag=True, help="Train once more on training and validation rows together.")
@click.option("--repeat", type=click.IntRange(min=1), default=1, help="Train with so many seeds; say how scores vary.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, help="Seeds trained side by side, in processes (1).")
def command(
    config: Path | None,
    overrides: tuple[str, ...],
    name: str | None,
    runs: Path | None,
    as_json: bool,
    quiet: bool,
    trust: bool,
    resume: str | None,
    evaluate: bool,
    refit: bool,
    repeat: int,
    jobs: int,
) -> None:
    """Train the model that CONFIG describes.

    Validation rows choose the epoch; the test rows stay sealed until `--evaluate` or `dlcli evaluate`.
    A run that was stopped, or whose machine died, goes on with `--resume` and ends with the same numbers.
    """
    from dlcli.terminal.closing import print_run
    from dlcli.terminal.progress import progress
    from dlcli.workflows.train import train

    with progress(quiet=quiet, as_json=as_json) as emit:
        result = train(
            config,
            overrides=overrides,
            name=name,
            runs=runs,
            evaluate=evaluate,
            refit=refit,
            repeat=repeat,
            jobs=jobs,
            trust=trust,
            resume=resume,
            emit=emit,
        )
    print_run(result.path, as_json=as_json)
