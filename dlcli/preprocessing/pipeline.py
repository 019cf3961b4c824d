"""The steps together: fitted on training rows, applied to any rows, composed as one Keras model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dlcli import backend
from dlcli.events import Note
from dlcli.part import Step
from dlcli.preprocessing import frames, planning, raw_windows
from dlcli.preprocessing.planning import check, expand
from dlcli.preprocessing.raw_windows import rows_alone, rows_of_windows, windows_of
from dlcli.preprocessing.selection import select
from dlcli.preprocessing.tables import MISSING_TEXT, Drop
from dlcli.problems import ConfigError, ConfigPath, DataError, DlcliError, Problem, RefusedError
from dlcli.samples import MISSING, Coded, Frame, Samples, Schema
from dlcli.storage import Filling, InMemory, Nowhere, let_go

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FittedStep", "OutputSpec", "Pipeline", "check", "expand", "fit"]

BYTES_AT_ONCE = 64 * 1024 * 1024
"""How large the float64 form of the rows that are worked on at once may be."""
FITTED_VALUES = 2**24
"""Steps are fitted on so many values of training rows at most: on a random sample of rows where there are more."""
_FEWEST_ROWS = 10_000
"""Steps are fitted on so many training rows at least, where there are so many."""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """What the network gets.

    Attributes:
        shape: shape of one row.
        names: a name per feature; only the column's name if the shape has several axes.
        cardinality: how many integer codes there are, where all inputs are codes; else None.
        origins: the raw column that each of `names` was made of.
    """

    shape: tuple[int, ...]
    names: tuple[str, ...]
    cardinality: int | None
    origins: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class FittedStep:
    """A step, the columns that it works on, and what it learned of them: plain data."""

    step: Step
    columns: tuple[str, ...]
    learned: Mapping[str, Any]

    def apply(self, frame: Frame) -> Frame:
        """The frame after this step."""
        return self.step.apply(frame, self.columns, self.learned)


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """Fitted preprocessing.

    Attributes:
        schema: the raw columns that it needs (those that are only dropped are not among them).
        fitted: the steps, `auto` written out.
        cardinalities: how many codes each raw column of whole numbers has.
        seen: for each column of categories those of the training rows; "" stands for a gap.
        output: what it gives.
        length: how many rows of a series the network takes at once; None for one row without a series.
        notes: what was found in the training rows and should be said.
    """

    schema: Schema
    fitted: tuple[FittedStep, ...]
    cardinalities: Mapping[str, int]
    seen: Mapping[str, tuple[str, ...]]
    output: OutputSpec
    length: int | None = None
    notes: tuple[Note, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The raw columns that it needs, in file order."""
        return tuple(self.schema.columns)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The explicit steps."""
        return tuple(each.step for each in self.fitted)

    @property
    def state(self) -> dict[str, Any]:
        """What was learned, as plain data; `restore` makes the same pipeline of it, to the last bit."""
        return {
            "inputs": list(self.inputs),
            "steps": [
                {"step": each.step.part_name, "columns": list(each.columns), "learned": dict(each.learned)}
                for each in self.fitted
            ],
            "cardinalities": dict(self.cardinalities),
            "seen": {name: list(texts) for name, texts in self.seen.items()},
            **({} if self.length is None else {"length": self.length}),
        }

    @classmethod
    def restore(cls, steps: Sequence[Step], schema: Schema, state: Mapping[str, Any]) -> Pipeline:
        """The pipeline whose `state` this is.

        Raises:
            RefusedError: the state was learned by other steps.
        """
        backend.load()
        explicit = expand(steps, schema)
        written = state["steps"]
        if [step.part_name for step in explicit] != [each["step"] for each in written]:
            message = "the saved state of preprocessing was learned by other steps than those given"
            raise RefusedError(Problem("state-of-other-steps", message, "train again", planning.PATH))
        return _finished(
            Schema(columns={name: schema.columns[name] for name in state["inputs"]}),
            tuple(
                FittedStep(step, tuple(each["columns"]), each["learned"])
                for step, each in zip(explicit, written, strict=True)
            ),
            state["cardinalities"],
            {name: tuple(texts) for name, texts in state["seen"].items()},
            state.get("length"),
        )

    def transform(self, samples: Samples, rows: NDArray[Any] | None = None, dtype: str = "float32") -> NDArray[Any]:
        """What the network gets for these rows, or windows of rows: (rows, *shape), in a dtype that holds it exactly.

        Raises:
            DataError: a gap or a number too large for float32 is left; every such column is named.
        """
        count = samples.rows if rows is None else len(rows)
        filling = InMemory().begin((count, *self.output.shape), dtype)
        self.transform_into(filling, samples, rows)
        return filling.end()

    def require_finite(self, samples: Samples, rows: NDArray[Any] | None = None) -> None:
        """As `transform`, for its check alone.

        Raises:
            DataError: as `transform`.
        """
        self.transform_into(Nowhere(), samples, rows)

    def transform_into(self, filling: Filling, samples: Samples, rows: NDArray[Any] | None = None) -> None:
        """As `transform`, some rows at a time.

        Raises:
            DataError: as `transform`.
        """
        if self.length is None:
            self._transform_into(filling, samples, rows)
            return
        series = rows_of_windows(samples, rows)
        # Each row of a series is worked on once, however many windows hold it.
        single = InMemory().begin((len(series.rows), *self.output.shape[1:]), "float32")
        self._transform_into(single, series.samples, series.rows)
        values = single.end()
        step = self._rows_at_once(math.prod(self.output.shape))
        for start in range(0, len(series.places), step):
            filling.append(values[series.places[start : start + step]])

    def _transform_into(self, filling: Filling, samples: Samples, rows: NDArray[Any] | None) -> None:
        """Single rows (rows, *shape)."""
        import numpy as np
        from keras import ops

        from dlcli.preprocessing import raw_rows

        count = samples.rows if rows is None else len(rows)
        shape = self.output.shape if self.length is None else self.output.shape[1:]
        gaps, infinite = (np.zeros(shape[-1], np.int64) for _ in range(2))
        width = raw_rows.values_per_row(samples, self.schema, slice(None) if rows is None else rows)
        step = self._rows_at_once(max(math.prod(shape), width))
        for start in range(0, count, step):
            part = slice(start, min(start + step, count))
            values = ops.convert_to_numpy(frames.joined(self._run(samples, part if rows is None else rows[part])))
            filling.append(values)
            if not np.isfinite(values).all():
                across = tuple(range(len(shape)))
                gaps += np.isnan(values).sum(axis=across)
                infinite += np.isinf(values).sum(axis=across)
        if gaps.any() or infinite.any():
            raise DataError(self._not_finite(gaps, infinite))

    @staticmethod
    def _rows_at_once(width: float) -> int:
        """How many rows, of so many values each, are worked on at once."""
        return max(1, int(BYTES_AT_ONCE / (8 * max(1, width))))

    def gap_row(self) -> NDArray[np.float32]:
        """What the network gets for a row of nothing but gaps, (*shape); NaN where a gap is left."""
        from keras import ops

        from dlcli.preprocessing import raw_rows

        row = frames.joined(self._run(raw_rows.gaps(self.schema), slice(None)))[0]
        missing: NDArray[np.float32] = ops.convert_to_numpy(ops.broadcast_to(row, self.output.shape))
        return missing

    def _run(self, samples: Samples, rows: Any) -> Frame:
        from dlcli.preprocessing import raw_rows

        frame = raw_rows.frame(samples, self.schema, self.cardinalities, rows)
        for each in self.fitted:
            frame = each.apply(frame)
        return frame

    def _not_finite(self, gaps: NDArray[Any], infinite: NDArray[Any]) -> list[Problem]:
        """One problem per feature; one in all for a column with a shape of its own."""
        names = self.output.names
        if len(names) != len(gaps):
            gaps, infinite = gaps.sum(keepdims=True), infinite.sum(keepdims=True)
        found: list[Problem] = []
        for name, missing, large in zip(names, gaps.tolist(), infinite.tolist(), strict=True):
            if missing:
                message = f"{name} has {_counted(missing, 'gap')} after preprocessing, and a network cannot take a gap"
                found.append(Problem("gap-left", message, f"add `impute: {name}`", planning.PATH))
            if large:
                message = f"{name} has {_counted(large, 'value')} infinite or too large for float32"
                suggestion = f"add `standardize: {name}`, or `impute: {name}`, which takes infinity as a gap"
                found.append(Problem("number-too-large", message, suggestion, planning.PATH))
        return found

    def unseen(self, samples: Samples) -> dict[str, int]:
        """For each text column the rows whose category no training row had, where there are any.

        A gap counts too, where training rows had none.
        """
        import numpy as np

        counts: dict[str, int] = {}
        for name, texts in self.seen.items():
            column: Coded = rows_alone(samples)[name]
            categories = frozenset(texts)
            known = np.array([*(text in categories for text in column.vocabulary), MISSING_TEXT in categories])
            counts[name] = int((~known[column.codes]).sum())  # code -1 picks the gap
        return {name: count for name, count in counts.items() if count}

    def tensors(self, samples: Samples, rows: NDArray[Any] | None = None) -> dict[str, Any]:
        """Raw rows as `model.keras` takes them: a tensor for each input column."""
        from dlcli.preprocessing import raw_rows

        if self.length is not None:
            return raw_windows.tensors(samples, self.schema, rows)
        return raw_rows.tensors(samples, self.schema, slice(None) if rows is None else rows)

    def keras_inputs_and_output(self) -> tuple[dict[str, Any], Any]:
        """Symbolic inputs by column name, and the symbolic tensor that the network gets."""
        from keras import ops

        from dlcli.preprocessing import raw_rows

        inputs = raw_rows.keras_inputs(self.schema, self.length)
        rows = inputs if self.length is None else raw_windows.one_row_each(inputs, self.schema)
        frame = raw_rows.symbolic_frame(rows, self.schema, self.cardinalities)
        for each in self.fitted:
            frame = each.apply(frame)
        output = frames.joined(frame)
        return inputs, output if self.length is None else ops.reshape(output, (-1, *self.output.shape))

    def as_model(self) -> keras.Model:
        """A Keras model from raw rows to what the network gets, without anything of dlcli in it."""
        import keras

        inputs, output = self.keras_inputs_and_output()
        with backend.free_input_names():
            return keras.Model(inputs, output, name="preprocessing")


def fit(steps: Sequence[Step], samples: Samples, schema: Schema, rows: NDArray[Any]) -> Pipeline:
    """Fits the steps on some rows, in order; each sees what the ones before it left.

    Of more than `FITTED_VALUES` values, counted as `raw_rows.values_per_row` does, it takes a simple random sample
    of the rows, the same at every call: what steps learn of 17 million values does not change with more of them, and
    fits into memory.

    Args:
        steps: steps as written or expanded.
        samples: columns as the schema says; other rows than `rows` are never looked at.
        schema: the input columns.
        rows: numbers of the training rows.

    Raises:
        ConfigError: a step names what is not there or cannot do its work.
        DataError: the training rows cannot be used like this.
    """
    from dlcli.preprocessing import raw_rows

    backend.load()
    length = None
    if (windows := windows_of(samples)) is not None:
        series, length = rows_of_windows(samples, rows), windows.length
        samples, rows = series.samples, series.rows
    plan = planning.plan(steps, schema)
    if plan.problems:
        raise ConfigError(plan.problems)
    unneeded = {name: str(schema.columns[name].kind) for name in plan.unneeded}
    needed = Schema(columns={name: column for name, column in schema.columns.items() if name not in unneeded})
    cardinalities = raw_rows.cardinalities(samples, needed, rows)
    rows = _sampled(rows, raw_rows.values_per_row(samples, needed, rows))
    frame = raw_rows.frame(samples, needed, cardinalities, rows)
    remarks = _remarks(samples, needed, rows)
    fitted: list[FittedStep] = []
    for position, planned in enumerate(plan.steps):
        names, problems = select(planned.step, frames.kinds(frame) | unneeded, planned.path)
        if problems:
            raise ConfigError(problems)
        with _Placed(planned.path):
            fitted.append(FittedStep(planned.step, names, planned.step.fit(frame, names)))
        if isinstance(planned.step, Drop):
            unneeded = {name: kind for name, kind in unneeded.items() if name not in names}
        if position + 1 < len(plan.steps):
            frame = fitted[-1].apply(frame)
    seen = {name: _seen(samples[name], rows) for name in needed.of_kind("categorical")}
    pipeline = _finished(needed, tuple(fitted), cardinalities, seen, length)
    return replace(pipeline, notes=remarks)


def _finished(
    schema: Schema,
    fitted: tuple[FittedStep, ...],
    cardinalities: Mapping[str, int],
    seen: Mapping[str, tuple[str, ...]],
    length: int | None,
) -> Pipeline:
    """The pipeline with its output, which one row of zeros shows."""
    from dlcli.preprocessing import raw_rows

    pipeline = Pipeline(schema, fitted, cardinalities, seen, OutputSpec((), (), None))
    frame = pipeline._run(raw_rows.example(schema), slice(None))
    if not frame.blocks:
        raise ConfigError(planning.no_columns_left())
    shape = tuple(int(size) for size in frames.joined(frame).shape[1:])
    names, origins = frames.feature_names(frame), frames.feature_origins(frame)
    if length is not None:
        shape = (length, *shape)
    return replace(pipeline, output=OutputSpec(shape, names, frames.cardinality(frame), origins), length=length)


def _sampled(rows: NDArray[Any], width: float) -> NDArray[Any]:
    """As many of the rows, of so many values each, as steps are fitted on; in order."""
    import numpy as np

    most = max(_FEWEST_ROWS, int(FITTED_VALUES / max(1, width)))
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False))]


def _seen(column: Coded, rows: NDArray[Any]) -> tuple[str, ...]:
    """The categories of the training rows, sorted."""
    import numpy as np

    codes = np.unique(column.codes[rows]).tolist()
    return tuple(sorted({MISSING_TEXT if code == MISSING else column.vocabulary[code] for code in codes}))


def _remarks(samples: Samples, schema: Schema, rows: NDArray[Any]) -> tuple[Note, ...]:
    """Columns that carry nothing, and infinite cells."""
    import numpy as np

    found: list[Note] = []
    for name, column in schema.columns.items():
        if column.dtype == "string":
            empty, infinite = bool((samples[name].codes[rows] < 0).all()), 0
        elif column.kind == "numeric" and column.dtype.startswith("float"):
            values = samples[name][rows]
            empty, infinite = not np.isfinite(values).any(), int(np.isinf(values).sum())
            let_go(samples[name])
        else:
            continue
        if empty:
            found.append(
                Note(f"{name} has no value in any training row, so nothing can be learned from it", warning=True)
            )
        if infinite:
            found.append(
                Note(
                    f"{name} has {_counted(infinite, 'infinite cell')} in training rows; infinity counts as a gap",
                    warning=True,
                )
            )
    return tuple(found)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("s" if count > 1 else "")


class _Placed:
    """Puts a step's place in front of the paths of the problems that it raises."""

    def __init__(self, path: ConfigPath) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DlcliError):
            raise type(error)([replace(problem, path=(*self._path, *problem.path)) for problem in error.problems])
