"""`dlcli lr-find`: which learning rate fits."""

from __future__ import annotations

from pathlib import Path

import click

from dlcli.commands.options import (
    config_argument,
    json_option,
    print_json,
    quiet_option,
    require_new_png,
    set_option,
    trust_option,
)

_RATE = click.FloatRange(min=0, min_open=True)


@click.command("lr-find")
@config_argument
@set_option
@click.option("--min", "lowest", type=_RATE, default=1e-6, show_default=True, help="The first learning rate.")
@click.option("--max", "highest", type=_RATE, default=10.0, show_default=True, help="The last learning rate.")
@click.option("--steps", type=click.IntRange(20, 10_000), default=200, show_default=True, help="Batches in between.")
@click.option(
    "--write",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    type=click.Path(path_type=str),
    help="Write a copy of CONFIG with the first suggestion; by default CONFIG's name with -lr, beside it.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Draw the curve into this PNG file; by default CONFIG's name with -lr-find, in the current folder.",
)
@json_option
@quiet_option
@trust_option
@click.pass_context
def command(
    context: click.Context,
    config: Path,
    overrides: tuple[str, ...],
    lowest: float,
    highest: float,
    steps: int,
    write: str | None,
    plot: Path | None,
    as_json: bool,
    quiet: bool,
    trust: bool,
) -> None:
    """Suggest a learning rate for CONFIG.

    Trains on one batch after the other while the rate rises, until the loss blows up. Uses training rows
    only, scores nothing, makes no run and overwrites no file.
    """
    if lowest >= highest:
        raise click.UsageError(f"--min must lie below --max, got {lowest:g} and {highest:g}")
    require_new_png(plot)
    from dlcli.report.plots import plot_rate_range
    from dlcli.terminal.progress import progress
    from dlcli.terminal.rate_range import print_rate_range
    from dlcli.workflows.lr_find import lr_find, unused

    with progress(quiet=quiet, as_json=as_json) as emit:
        found = lr_find(
            config,
            overrides=overrides,
            lowest=lowest,
            highest=highest,
            steps=steps,
            write=False if write is None else write or True,
            trust=trust,
            emit=emit,
        )
    result = found.as_json()
    if not as_json:
        print_rate_range(result)
    picture = None
    if len(found.curve.rates) > 1:
        picture = plot or unused(Path(f"{config.stem}-lr-find.png"))
        marks = {f"{each.rate:g}: {each.reason}": each.rate for each in found.reading.suggestions}
        plot_rate_range(picture, found.curve.rates, found.curve.losses, found.reading.smoothed, marks)
    if as_json:
        print_json(result | {"plot": str(picture) if picture else None})
    elif picture:
        click.echo(f"plot  {picture}")
    if write is not None and found.copy is None:
        context.exit(1)
