"""What a list of steps will do, known from the schema alone: explicit steps, and the problems among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dlcli.part import RowShape, Shape, ShapeError, Step
from dlcli.preprocessing import automatic
from dlcli.preprocessing.automatic import Auto
from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.selection import select
from dlcli.preprocessing.tables import Drop
from dlcli.problems import ConfigPath, Problem
from dlcli.samples import ColumnSchema, Schema

PATH: ConfigPath = ("preprocessing",)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """An explicit step and its place in the written list; `auto` gives several steps with one place."""

    step: Step
    path: ConfigPath


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done.

    Attributes:
        steps: explicit steps, in order.
        problems: everything that is wrong and can be seen without the data.
        unneeded: columns that are dropped before any other step works on them.
        shape: of a row at the end; (None,) for a flat one, whose length only the data show.
        left_gaps: columns of numbers that no step imputes.
    """

    steps: tuple[PlannedStep, ...]
    problems: tuple[Problem, ...]
    unneeded: tuple[str, ...]
    shape: RowShape
    left_gaps: tuple[str, ...]


def plan(steps: Sequence[Step], schema: Schema) -> Plan:
    """Goes through the steps with kinds instead of values."""
    state = _State(schema)
    for position, step in enumerate(steps):
        path = (*PATH, position)
        if isinstance(step, Auto):
            for explicit in state.written_out(step, path):
                state.take(explicit, path)
        else:
            state.take(step, path)
    state.judge_end()
    return Plan(
        tuple(state.steps),
        tuple(state.problems),
        tuple(state.unneeded),
        state.row_shape,
        state.left_gaps,
    )


@dataclass(slots=True)
class _State:
    """The columns after some of the steps."""

    schema: Schema
    kinds: dict[str, str] = field(init=False)
    shapes: dict[str, Shape] = field(init=False)
    steps: list[PlannedStep] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    waiting: set[str] = field(init=False)
    """Columns that `auto` still has to care for."""
    imputed: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    """Columns that a step needs, if only for what it makes of them."""
    unneeded: list[str] = field(default_factory=list)
    more_columns: bool = False
    """Whether there are columns that a step makes, whose names are not known yet."""

    def __post_init__(self) -> None:
        self.kinds = {name: str(column.kind) for name, column in self.schema.columns.items()}
        self.shapes = {name: column.shape for name, column in self.schema.columns.items()}
        self.waiting = set(self.kinds)

    def written_out(self, auto: Auto, path: ConfigPath) -> tuple[Step, ...]:
        """What `auto` means for what is left."""
        names, problems = select(auto, self.kinds, path, more_to_come=auto.columns is None)
        self.problems += problems
        left = {name: self._column(name) for name in names if name in self.waiting}
        return automatic.written_out(left, self.imputed, tuple(self.kinds))

    def _column(self, name: str) -> ColumnSchema:
        """A column as it is by now."""
        raw = self.schema.columns.get(name)
        if raw is not None and raw.kind == self.kinds[name]:
            return raw
        kind: Any = self.kinds[name]
        return ColumnSchema(kind=kind)

    def take(self, step: Step, path: ConfigPath) -> None:
        """Writes a step down and follows what it does to the columns."""
        names, problems = select(step, self.kinds, path, more_to_come=self.more_columns)
        self.problems += problems
        self.steps.append(PlannedStep(step, path))
        if isinstance(step, Drop):
            self.unneeded += [name for name in names if name in self.schema.columns and name not in self.used]
            for name in names:
                del self.kinds[name]
            return
        self.used.update(names)
        if objections := step.objections({name: self.kinds[name] for name in names}):
            self.problems += [replace(problem, path=(*path, *problem.path)) for problem in objections]
            self.more_columns = True
            return
        if isinstance(step, Impute):
            self.imputed.update(names)
            self.more_columns |= step.indicator
            return
        made = step.results(names, tuple(self.kinds))
        self.more_columns |= made is None
        self._replace(step, names, made or {}, path)

    def _replace(
        self, step: Step, names: tuple[str, ...], made: Mapping[str, tuple[str, ...]], path: ConfigPath
    ) -> None:
        """What a step makes of columns takes their place, or stands beside them."""
        origins = {result: name for name, results in made.items() for result in results}
        kinds = {result: step.result_kind or self.kinds[name] for result, name in origins.items()}
        alike = step.result_kind is None
        shapes = {result: self._shape_after(step, name, path) if alike else () for result, name in origins.items()}
        if not step.keeps:
            for name in names:
                self.waiting.discard(name)
                if name not in kinds:
                    del self.kinds[name]
        self.imputed -= {result for result in origins if result not in names or step.reads is not None}
        self.kinds |= kinds
        self.shapes |= shapes
        if not step.finishes:
            self.waiting.update(kinds)

    def _shape_after(self, step: Step, name: str, path: ConfigPath) -> Shape:
        try:
            return step.result_shape(self.shapes[name])
        except ShapeError as error:
            hint = f"name other columns, or leave {step.part_name} out"
            self.problems.append(Problem("wrong-shape", f"{name}: {error}", hint, path))
            return self.shapes[name]

    @property
    def row_shape(self) -> RowShape:
        """The shape of a column with axes of its own, which stands alone; else a flat row."""
        return next((self.shapes[name] for name in self.kinds if len(self.shapes[name]) > 1), (None,))

    @property
    def left_gaps(self) -> tuple[str, ...]:
        """Columns of numbers that are still there and were not imputed."""
        numbers = (*self.schema.of_kind("numeric"), *self.schema.of_kind("image"))
        return tuple(name for name in self.kinds if name in numbers and name not in self.imputed)

    def judge_end(self) -> None:
        """Every column must be numeric, and only a column of its own may have axes of its own."""
        for name, kind in self.kinds.items():
            if kind in ("categorical", "text", "datetime", "sequence"):
                self.problems.append(_not_numeric(name, kind))
        shaped = [name for name in self.kinds if len(self.shapes[name]) > 1]
        if shaped and (len(self.kinds) > 1 or self.more_columns):
            message = f"{shaped[0]} has the shape {_written(self.shapes[shaped[0]])} and stands beside other columns"
            suggestion = f"keep only {shaped[0]}, or drop it: a network has one input"
            self.problems.append(Problem("several-inputs", message, suggestion, PATH))
        if not self.kinds and not self.more_columns and not self.problems:
            self.problems.append(no_columns_left())


def no_columns_left() -> Problem:
    """The steps drop everything."""
    return Problem("no-columns-left", "no column is left after preprocessing", "drop fewer columns", PATH)


def _not_numeric(name: str, kind: str) -> Problem:
    remedy = {
        "categorical": f"add `one_hot: {name}`",
        "text": f"add `tokens: {name}`",
        "sequence": f"add `pad: {name}` or `multi_hot: {name}`",
        "datetime": f"add `date_parts: {name}`, or drop it",
    }[kind]
    return Problem("column-not-numeric", f"{name} is still {kind} at the end of preprocessing", remedy, PATH)


def _written(shape: Shape) -> str:
    return " x ".join(str(size) for size in shape)


def check(steps: Sequence[Step], schema: Schema) -> tuple[Problem, ...]:
    """Everything that is wrong with the steps and can be seen without the data."""
    return plan(steps, schema).problems


def expand(steps: Sequence[Step], schema: Schema) -> tuple[Step, ...]:
    """The steps with `auto` written out as explicit ones."""
    return tuple(planned.step for planned in plan(steps, schema).steps)
