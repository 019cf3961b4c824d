"""Reads a config: text to a typed experiment whose every value knows where it was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlcli.config import rules
from dlcli.config.construction import Construction, TooManyProblemsError
from dlcli.config.experiment import Experiment
from dlcli.config.forms import OneSection
from dlcli.config.layering import Layers, override, set_name
from dlcli.config.nodes import Mapping, place_of
from dlcli.config.rate_rules import settled
from dlcli.config.rules import Facts
from dlcli.problems import ConfigError, Problem

_FORM = OneSection(Experiment)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A config that was read.

    Attributes:
        experiment: what it says, with every default.
        path: its file.
        texts: the file and those that it extends, as written.
    """

    experiment: Experiment
    path: Path
    texts: tuple[tuple[Path, str], ...]
    _tree: Mapping

    def locate(self, problem: Problem) -> Problem:
        """The problem at the place of its config path, or of the nearest part of it that is written."""
        if problem.place or not problem.path or str(problem.path[0]) not in self._tree.entries:
            return problem  # nothing of it is written, and the place of something else would mislead
        return problem.at(place_of(self._tree, problem.path))


def load(
    path: Path | str,
    overrides: Sequence[str] = (),
    *,
    trusted: bool = False,
    command: str = "train",
    facts: Facts | None = None,
    text: str | None = None,
) -> Document:
    """Reads a config with what it extends and the `--set` options.

    Args:
        path: the YAML file.
        overrides: `path=value` texts, later ones win.
        trusted: whether Parts that run code of the user's files are allowed.
        command: for which command the rules between fields are checked.
        facts: what is known beyond what is written.
        text: what is read in place of the file's own text.

    Raises:
        ConfigError: with every problem of the config, sorted by place.
    """
    path = Path(path)
    layers = Layers(_FORM)
    tree = layers.read(path, text)
    problems = layers.problems
    for option in overrides if tree is not None else ():
        changed = override(tree, option, _FORM) if tree is not None else None
        if isinstance(changed, Problem):
            problems.append(changed)
        else:
            tree = changed
    if tree is None:
        raise ConfigError(_in_order(problems))
    tree = set_name(tree, path.stem)
    construction = Construction(trusted=trusted)
    try:
        experiment = construction.section(tree, Experiment)
        between = rules.check(experiment, facts or Facts(), command)
    except TooManyProblemsError:
        between = []
    problems = [*problems, *construction.problems, *between]
    if problems:
        raise ConfigError(_in_order([each if each.place else each.at(place_of(tree, each.path)) for each in problems]))
    return Document(settled(experiment), path, tuple(layers.texts), tree)


def _in_order(problems: Sequence[Problem]) -> list[Problem]:
    """By file, line and column, the main file first; problems of options last."""
    order = {file: number for number, file in enumerate(dict.fromkeys(p.place.file for p in problems if p.place))}

    def key(problem: Problem) -> tuple[bool, int, int, int]:
        place = problem.place
        if place is None:
            return False, 0, 0, 0
        return place.file.startswith("--set"), order[place.file], place.line, place.column

    return sorted(problems, key=key)
