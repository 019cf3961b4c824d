"""Events as a live line on a terminal, or as plain lines when the output goes elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from dlcli.events import EpochEnded, Event, Listener, Note, Progress, SegmentEnded, UnitEnded, UnitStarted, silent
from dlcli.numbers import number
from dlcli.terminal.console import make_console

SHOWN_VALUES = 4
BAR_WIDTH = 10
TIME_WIDTH = 8
SECONDS_BETWEEN_LINES = 10.0
"""A plain line says how far a long piece of work is whenever so much time has gone by."""


@contextmanager
def progress(*, quiet: bool, as_json: bool) -> Iterator[Listener]:
    """Yields a listener that draws events.

    Args:
        quiet: nothing is drawn.
        as_json: stdout is for the result alone, so that progress goes to stderr.
    """
    if quiet:
        yield silent
        return
    console = make_console(stderr=as_json)
    if not console.is_terminal:
        yield _Lines(console)
        return
    live = _Live(console)
    with live.bars:
        yield live


def values_text(values: Mapping[str, float]) -> str:
    """The values of an epoch, losses first: "loss 0.412  val_loss 0.39  val_accuracy 0.861"."""
    return "  ".join(f"{name} {number(value)}" for name, value in list(values.items())[:SHOWN_VALUES])


class _Lines:
    """One plain line per epoch, or per training when there are several."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._several = False
        self._told = time.monotonic()

    def __call__(self, event: Event) -> None:
        match event:
            case Note():
                self._print(("warning: " if event.warning else "") + event.text)
            case Progress() if time.monotonic() - self._told >= SECONDS_BETWEEN_LINES:
                self._told = time.monotonic()
                self._print(f"{event.what}: {event.done:,} of {event.total:,}")
            case UnitStarted():
                self._several = event.count > 1
            case EpochEnded() if not self._several:
                self._print(
                    f"epoch {event.epoch}/{event.epochs}  {values_text(event.values)}  "
                    f"rate {number(event.learning_rate)}  {event.seconds:.2f}s"
                )
            case UnitEnded() if event.label or event.reason:
                self._print("  ".join(part for part in (event.label, event.reason, values_text(event.scores)) if part))

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False)


class _Live:
    """A bar per training under way, with the newest epoch's values; finished trainings leave a line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[int, tuple[TaskID, str]] = {}
        self._counts: dict[str, TaskID] = {}
        plain = Column(no_wrap=True)
        self.bars = bars.Progress(
            TextColumn("{task.description}", markup=False, table_column=plain),
            BarColumn(bar_width=BAR_WIDTH),
            SpinnerColumn("line"),  # turns also while validation rows are predicted, and nothing else moves
            TextColumn("{task.fields[values]}", markup=False, table_column=plain),
            TimeRemainingColumn(compact=True, table_column=plain),
            console=console,
            transient=True,
        )
        self._waiting: TaskID | None = self.bars.add_task("starting", total=None, values="")

    def __call__(self, event: Event) -> None:
        match event:
            case Note():
                self._console.print(("warning: " if event.warning else "") + event.text, markup=False, style="dim")
            case Progress():
                self._count(event)
            case UnitStarted():
                self._drop(event.index)
                label = f"{event.label} epoch" if event.label else "epoch"
                task = self.bars.add_task(f"{label} 0/{event.epochs}", total=event.epochs, values="")
                self._tasks[event.index] = task, label
                self._stop_waiting()
            case SegmentEnded() if event.index in self._tasks:
                done = event.epoch - 1 + event.share
                self._update(event, done, {"loss": event.loss} if event.epoch == 1 else None)
            case EpochEnded() if event.index in self._tasks:
                self._update(event, event.epoch, event.values)
            case UnitEnded():
                self._drop(event.index)
                self._stop_waiting()
                parts = (event.label, event.reason, values_text(event.scores))
                self._console.print("  ".join(part for part in parts if part), markup=False)

    def _count(self, event: Progress) -> None:
        """A bar of its own until everything is done."""
        task = self._counts.get(event.what)
        if task is None:
            task = self._counts[event.what] = self.bars.add_task(event.what, total=event.total, values="")
        self.bars.update(task, completed=event.done, values=f"{event.done:,} of {event.total:,}")
        if event.done == event.total:
            self.bars.remove_task(self._counts.pop(event.what))

    def _update(self, event: SegmentEnded | EpochEnded, completed: float, values: Mapping[str, float] | None) -> None:
        """Moves a bar on; without values it keeps those that it shows."""
        task, label = self._tasks[event.index]
        if values is not None:
            self.bars.update(task, values=self._line(event, values, label))
        self.bars.update(task, description=f"{label} {event.epoch}/{event.epochs}", completed=completed)

    def _line(self, event: SegmentEnded | EpochEnded, values: Mapping[str, float], label: str) -> str:
        """Losses, metrics, rate and speed, as many as the line has room for."""
        parts = [f"{name} {number(value)}" for name, value in values.items()]
        if isinstance(event, EpochEnded):
            if event.best:
                parts.append("best")
            parts.append(f"rate {number(event.learning_rate)}")
        if event.rows_per_second:
            parts.append(f"{event.rows_per_second:,.0f} rows/s")
        room = self._console.width - len(f"{label} {event.epochs}/{event.epochs}") - BAR_WIDTH - TIME_WIDTH - 5
        line = ""
        for part in parts:
            if len(line) + len(part) + 2 > room:
                break
            line = f"{line}  {part}" if line else part
        return line

    def _stop_waiting(self) -> None:
        """The first training has begun: TensorFlow is there."""
        if self._waiting is not None:
            self.bars.remove_task(self._waiting)
            self._waiting = None

    def _drop(self, index: int) -> None:
        if index in self._tasks:
            self.bars.remove_task(self._tasks.pop(index)[0])
