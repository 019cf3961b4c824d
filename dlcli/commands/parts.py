"""`dlcli parts`: what a config can name."""

from __future__ import annotations

import click

from dlcli.commands.options import json_option, print_json, trust_option

_EPOCHS = 100
_RATE = 0.001


@click.command("parts")
@click.argument("family", required=False)
@click.argument("name", required=False)
@click.option("--plot", is_flag=True, help="Draw the learning rate of a schedule, or of all of them (`schedule`).")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="With --plot: a field of the schedule.")
@click.option("--epochs", type=click.IntRange(1, 1_000_000), help=f"With --plot: how many there are [{_EPOCHS}].")
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    help=f"With --plot: the optimizer's [{_RATE}].",
)
@json_option
@trust_option
def command(
    family: str | None,
    name: str | None,
    plot: bool,
    settings: tuple[str, ...],
    epochs: int | None,
    learning_rate: float | None,
    as_json: bool,
    trust: bool,
) -> None:
    """Show what a config can name.

    Without arguments everything; else one FAMILY (`layer`), one Part (`layer dense`) or one section
    of the config (`training`).

    \b
    What a schedule does with the learning rate:
        dlcli parts schedule --plot
        dlcli parts schedule one_cycle --plot --set peak=0.01 --epochs 30
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if plot:
        from dlcli.workflows.schedule_curve import curves

        drawn = curves(
            family, name, settings, epochs=epochs or _EPOCHS, learning_rate=learning_rate or _RATE, trust=trust
        )
        if as_json:
            print_json(drawn if len(drawn) > 1 else drawn[0])
            return
        from dlcli.terminal.schedules import print_schedules

        print_schedules(drawn)
        return
    if settings or epochs or learning_rate:
        message = "--set, --epochs and --learning-rate go with --plot"
        raise click.UsageError(message)
    from dlcli.workflows.parts import describe

    found = describe(family, name)
    if as_json:
        print_json(found)
        return
    from dlcli.terminal.cards import print_parts

    print_parts(found)
