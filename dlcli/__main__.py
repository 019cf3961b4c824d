"""The console script: runs a command, turns what went wrong into one message and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

import click

from dlcli import backend
from dlcli.cli import dlcli
from dlcli.problems import DlcliError

INTERRUPTED = 130


def main() -> None:
    """Runs `dlcli` with the arguments of this process."""
    backend.own_this_process()
    # pydantic would look through all installed packages for plugins that we do not use.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line; returns its exit code."""
    try:
        code = dlcli.main(arguments, prog_name="dlcli", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except DlcliError as error:
        from dlcli.terminal.excerpts import print_problems

        print_problems(error.problems, as_json="--json" in arguments)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone (`dlcli runs | head`): not our failure. Python would try to
        # flush again at exit and complain, so what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _terminated(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    """SIGTERM ends a command as Ctrl-C does: what runs is marked as interrupted."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
