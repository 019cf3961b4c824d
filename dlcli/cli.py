"""The click group. A command's module is imported when it is called or listed, its work when it runs."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

import click

from dlcli import __version__

COMMANDS = (
    "init",
    "check",
    "lr-find",
    "train",
    "kfold",
    "evaluate",
    "diagnose",
    "compare",
    "report",
    "predict",
    "runs",
    "parts",
    "schema",
    "doctor",
)


class _Commands(click.Group):
    """Finds `dlcli a-name` in `dlcli.commands.a_name`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"dlcli.commands.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Adds the nearest command to click's answer to an unknown one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMANDS, n=1)
            if not near or "Did you mean" in error.message:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dlcli")
def dlcli() -> None:
    """Trains and honestly evaluates Keras models from YAML configs.

    \b
    Start:  dlcli init data.csv --target price > my.yaml
            dlcli train my.yaml
            dlcli evaluate            (opens the sealed test set)
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
