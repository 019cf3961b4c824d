"""Options that several commands share, and how a result is printed as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

config_argument = click.argument("config", type=click.Path(path_type=Path))
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Change one setting: --set training.epochs=3."
)
trust_option = click.option("--trust", is_flag=True, help="Let the config run code of its own files (`custom`).")
runs_option = click.option(
    "--runs", type=click.Path(path_type=Path, file_okay=True), help="Folder of the runs (DLCLI_RUNS, else ./runs)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress.")
name_option = click.option("--name", help="Name of the run; by default the config's.")

resume_option = click.option(
    "--resume",
    metavar="RUN",
    help="Go on with a run that was stopped (name, folder, `latest`).",
)


def resumable_options(function: Function) -> Function:
    """What a command takes that trains, or goes on with a run; CONFIG may then be left out."""
    given = click.argument("config", type=click.Path(path_type=Path), required=False)
    options = (given, set_option, name_option, runs_option, json_option, quiet_option, trust_option, resume_option)
    for option in reversed(options):
        function = option(function)
    return function


def print_json(data: Mapping[str, Any] | list[Any]) -> None:
    """Writes plain data to stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def require_new_png(path: Path | None) -> None:
    """Refuses a picture that cannot be written; None: one in the current folder.

    Raises:
        UsageError: it exists, is no PNG file, or its folder cannot be written.
    """
    if path is not None and (path.suffix != ".png" or path.exists()):
        reason = "exists, and is not overwritten" if path.exists() else "does not end in .png"
        raise click.UsageError(f"{path} {reason}; name another file with --plot")
    if not os.access((path or Path("plot")).absolute().parent, os.W_OK):
        raise click.UsageError("the plot cannot be written there; name another file with --plot")
