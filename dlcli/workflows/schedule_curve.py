"""What a schedule does with the learning rate, as points to draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from dlcli.config import catalog, writer
from dlcli.config.construction import Construction
from dlcli.config.forms import OneSection, fields
from dlcli.config.layering import override
from dlcli.config.long_form import part_fields
from dlcli.config.nearest import did_you_mean
from dlcli.config.nodes import Mapping, Origin
from dlcli.config.rate_rules import named_rate
from dlcli.config.reader import compose
from dlcli.part import Schedule, Section
from dlcli.problems import ConfigError, Problem
from dlcli.training.schedules import Performance

POINTS = 240
"""Enough for any chart in text; between two of them nothing happens that it could show."""


def curves(
    family: str | None,
    name: str | None,
    settings: Sequence[str] = (),
    *,
    epochs: int = 100,
    learning_rate: float = 0.001,
    trust: bool = False,
) -> list[dict[str, Any]]:
    """The learning rate over the epochs of one schedule, or of every one (`schedule`).

    A schedule is drawn as its example shows it, or, with settings, as they say; fields that must be
    written and are not are those of the example.

    Args:
        family: "schedule" or nothing, or the name of a schedule.
        name: a schedule.
        settings: `field=value` texts, as after `--set`.
        epochs: how many there are.
        learning_rate: the optimizer's.
        trust: whether a `custom` schedule may run.

    Returns:
        For each schedule: `schedule` (name to the fields that are written), `learning_rate` (the optimizer's;
        None if the schedule names its own), `epochs` and `rates` (a point each), and `note`, which is None or
        says what the points do not show.

    Raises:
        ConfigError: there is no such schedule, or the settings do not fit it.
    """
    names = catalog.names("schedule")
    if family in (None, "schedule") and name is None:
        if settings:
            message = "--set changes the fields of one schedule"
            raise ConfigError(Problem("usage", message, "name it: dlcli parts schedule cosine --plot"))
        drawn = [_named(each, (), trust=trust) for each in names if not _class(each).runs_code]
    else:
        drawn = [_named(name if family == "schedule" else family, settings, trust=trust)]
    return [_points(each, epochs, learning_rate) for each in drawn]


def _class(name: str | None) -> type[Schedule]:
    found = catalog.find("schedule", name or "")
    if found is None or not issubclass(found, Schedule):
        hint = did_you_mean(name or "", catalog.names("schedule"))
        raise ConfigError(Problem("usage", f"{name} is no schedule, and only those are drawn", hint))
    return found


def _named(name: str | None, settings: Sequence[str], *, trust: bool) -> Schedule:
    """A schedule with the settings of the command line."""
    part = _class(name)
    if part.runs_code and not trust:
        message = f"the schedule {name} runs code of your own"
        raise ConfigError(Problem("needs-trust", message, "if you trust it, run again with --trust"))
    tree = _example(part)
    if settings:
        shown = " --set ".join(settings)
        required = {key: each for key, each in tree.entries.items() if fields(part)[key].info.is_required()}
        tree = Mapping(Origin(f"--set {shown}", Path.cwd(), (shown,)), 0, 0, len(shown), required)
    # Options name the fields of this Part alone, which are then read like those of a section.
    form = OneSection(cast("type[Section]", part))
    for option in settings:
        changed = override(tree, option, form)
        if isinstance(changed, Problem):
            raise ConfigError(changed)
        tree = changed
    construction = Construction(trusted=trust)
    made = construction.section(tree, form.section, (part.part_name,))
    if construction.problems:
        raise ConfigError(construction.problems)
    assert isinstance(made, Schedule)
    return made


def _example(part: type[Schedule]) -> Mapping:
    """The fields of a schedule's example."""
    top, _ = compose(part.example, Origin("example", Path.cwd(), (part.example,)))
    assert isinstance(top, Mapping)
    (entry,) = top.entries.values()
    node = part_fields(entry.value, part.family, part.part_name)
    assert isinstance(node, Mapping)
    return node


def _points(schedule: Schedule, epochs: int, learning_rate: float) -> dict[str, Any]:
    # The end itself is no moment of training: there some schedules would begin anew.
    moments = [epochs * point / POINTS for point in range(POINTS)] + [epochs * (1 - 1e-9)]
    note = None
    if isinstance(schedule, Performance):
        note = f"it falls from there to {schedule.factor:g} of itself whenever {schedule.monitor} stops improving"
    written = writer.long_form(schedule)[schedule.part_name]
    names_its_own = named_rate(schedule) is not None or schedule.runs_code
    return {
        "schedule": {schedule.part_name: {key: written[key] for key in written if key in schedule.model_fields_set}},
        "learning_rate": None if names_its_own else learning_rate,
        "epochs": moments,
        "rates": [schedule.rate(moment, epochs=epochs, initial=learning_rate) for moment in moments],
        "note": note,
    }
