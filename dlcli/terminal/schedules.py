"""Schedules as charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlcli.numbers import number
from dlcli.terminal.console import make_console
from dlcli.terminal.curves import chart, printable, room, sparkline

_LINE_WIDTH = 48


def print_schedules(drawn: Sequence[dict[str, Any]]) -> None:
    """Draws what `workflows.schedule_curve.curves` gave: a chart of one schedule, a line for each of several."""
    console = make_console()
    if len(drawn) > 1:
        widest = max(len(_name(each)) for each in drawn)
        text = "\n".join(f"{_name(each):<{widest}}  {sparkline(each['rates'], _LINE_WIDTH)}" for each in drawn)
        text += "\n\nEach between its lowest and its highest rate. More: dlcli parts schedule cosine --plot"
    else:
        (one,) = drawn
        drawing = chart(
            one["epochs"],
            one["rates"],
            width=room(console),
            x_label="epoch",
            y_label="learning rate",
            lowest=0.0,
        )
        text = "\n".join([*_described(one), drawing])
    console.print(printable(text, console), markup=False)


def _name(drawn: dict[str, Any]) -> str:
    return str(next(iter(drawn["schedule"])))


def _described(drawn: dict[str, Any]) -> list[str]:
    (fields,) = drawn["schedule"].values()
    written = [f"{name}: {_value(value)}" for name, value in fields.items() if value is not None]
    lines = [f"{_name(drawn)}: {{{', '.join(written)}}}"]
    if drawn["learning_rate"] is not None:
        lines.append(f"from the optimizer's rate, {number(drawn['learning_rate'])}")
    return [*lines, *([drawn["note"]] if drawn["note"] else []), ""]


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return number(value) if isinstance(value, float) else str(value)
