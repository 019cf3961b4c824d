"""Problems as data, and one error class per exit code.

Whoever finds a problem describes it; only `terminal` and the JSON output draw it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

ConfigPath = tuple[str | int, ...]
"""Where a value stands in a config: keys and list positions, e.g. ("architecture", 0, "dense", "units")."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line of a file (or of a `--set` option). Line and column count from 1."""

    file: str
    line: int
    column: int
    length: int = 1
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with what to do about it.

    Attributes:
        code: a stable word, e.g. "value-out-of-range".
        message: what is wrong, with the value.
        suggestion: what to type or do; empty if there is nothing to add.
        path: the config path that it is about; the position follows from it.
        place: the position, once it is known.
    """

    code: str
    message: str
    suggestion: str = ""
    path: ConfigPath = ()
    place: Place | None = None

    def at(self, place: Place | None) -> Problem:
        """The same problem with its position filled in."""
        return replace(self, place=place)

    def as_json(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        place = self.place
        return {
            "code": self.code,
            "message": self.message,
            "suggestion": self.suggestion or None,
            "path": ".".join(str(step) for step in self.path) or None,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "length": place.length if place else None,
            "excerpt": place.excerpt if place else None,
        }


class DlcliError(Exception):
    """Something the user can mend: one or more problems and the exit code that they lead to."""

    exit_code: ClassVar[int] = 1

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(problem.message for problem in self.problems))


class TrainingError(DlcliError):
    """Training failed; the last good model is kept."""

    exit_code = 1


class ConfigError(DlcliError):
    """The config or the command line is wrong."""

    exit_code = 2


class DataError(DlcliError):
    """The data cannot be used as the config says."""

    exit_code = 3


class RefusedError(DlcliError):
    """Refused, to protect a result."""

    exit_code = 4


class InterruptedRunError(DlcliError):
    """Stopped by the user."""

    exit_code = 130
