"""`dlcli kfold`: a training per fold."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import resumable_options


@click.command("kfold")
@resumable_options
@click.option("--folds", type=click.IntRange(min=2), help="Number of folds; by default the config's (5).")
@click.option("--repeats", type=click.IntRange(min=1), help="Times to shuffle anew; by default the config's (1).")
@click.option("--final", is_flag=True, help="Then train on all rows but the test rows, and open the test set once.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, help="Folds trained side by side, in processes (1).")
def command(
    config: Path | None,
    overrides: tuple[str, ...],
    name: str | None,
    runs: Path | None,
    as_json: bool,
    quiet: bool,
    trust: bool,
    folds: int | None,
    repeats: int | None,
    final: bool,
    jobs: int,
    resume: str | None,
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
            jobs=jobs,
            resume=resume,
            trust=trust,
            emit=emit,
        )
    print_run(result.path, as_json=as_json)
