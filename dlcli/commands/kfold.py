"""`dlcli kfold`: a training per fold."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import experiment_options


@click.command("kfold")
@experiment_options
@click.option("--folds", type=click.IntRange(min=2), help="Number of folds; by default the config's (5).")
@click.option("--repeats", type=click.IntRange(min=1), help="Times to shuffle anew; by default the config's (1).")
@click.option("--final", is_flag=True, help="Then train on all rows but the test rows, and open the test set once.")
def command(
    config: Path,
    overrides: tuple[str, ...],
    name: str | None,
    runs: Path | None,
    as_json: bool,
    quiet: bool,
    trust: bool,
    folds: int | None,
    repeats: int | None,
    final: bool,
) -> None:
    """Train a model per fold; say how the score varies.

    Every row but the test rows is scored once per repeat, by a model that never saw it. Within each
    fold a part of the training rows chooses the epoch, so that the scored rows choose nothing.
    """
    from dlcli.terminal.closing import print_run
    from dlcli.terminal.progress import progress
    from dlcli.workflows.kfold import kfold

    with progress(quiet=quiet, as_json=as_json) as emit:
        result = kfold(
            config,
            overrides=overrides,
            name=name,
            runs=runs,
            folds=folds,
            repeats=repeats,
            final=final,
            trust=trust,
            emit=emit,
        )
    print_run(result.path, as_json=as_json)
