"""How a saved model is loaded and called, as code that runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dlcli.report.markdown import bullets, code, plain
from dlcli.runs.record import Record
from dlcli.samples import ColumnSchema
from dlcli.task import Goal, Task

_MOST_LINES = 20
"""More columns than these are written together, by what they hold."""


def usage(record: Record, *, has_model: bool) -> Iterator[str]:
    """How to call the model of a run, in Markdown."""
    schema, goal = record.data_schema, record.goal
    if not has_model or schema is None or goal is None:
        yield "This run has no model of its own."
        return
    yield (
        "`model.keras` takes raw rows, text and gaps included, and loads in plain Keras without dlcli. Call it with "
        "tensors: `predict` on numpy arrays would round numbers to float32."
    )
    state = record.preprocessing_state
    length = state.get("length") if isinstance(state, dict) else None
    columns = _windows(schema.columns, length) if isinstance(length, int) else schema.columns
    yield code("\n".join(_lines(columns)), "python")
    yield bullets([f"It gives {_output(goal)}", "A missing number is NaN, a missing text is empty"])
    yield "Or without Python:"
    yield code(shlex.join(["dlcli", "predict", record.name, "new.csv"]), "sh")


def _lines(columns: dict[str, ColumnSchema]) -> Iterator[str]:
    yield "import keras"
    yield "import tensorflow as tf"
    yield ""
    yield 'model = keras.models.load_model("model.keras")'
    yield "row = {"
    if len(columns) <= _MOST_LINES:
        for name, column in columns.items():
            yield f"    {name!r}: {_tensor(column)},"
    else:
        alike: dict[str, list[str]] = {}
        for name, column in columns.items():
            alike.setdefault(_tensor(column), []).append(name)
        for tensor, names in alike.items():
            yield f"    **dict.fromkeys({names!r}, {tensor}),"
    yield "}"
    yield "print(model(row))"


def _windows(columns: dict[str, ColumnSchema], length: int) -> dict[str, ColumnSchema]:
    """The columns of a window of rows of a series."""
    return {name: column.model_copy(update={"shape": (length, *column.shape)}) for name, column in columns.items()}


def _tensor(column: ColumnSchema) -> str:
    """One row of nothing in particular."""
    if column.dtype == "string":
        words = ", ".join(['"text"'] * (column.shape[0] if column.shape else 1))
        return f"tf.constant([[{words}]])"
    shape = list(column.shape or (1,))
    return f"tf.zeros({[1, *shape]}, tf.{column.dtype})" if column.shape else f"tf.constant([[0]], tf.{column.dtype})"


def _output(goal: Goal) -> str:
    if goal.task is Task.BINARY:
        return f"the probability of {plain(goal.classes[1])} \\[rows, 1\\]"
    if goal.task is Task.MULTICLASS:
        return f"the probability of each class \\[rows, {goal.outputs}\\], in the order above"
    if goal.task is Task.MULTILABEL:
        return f"the probability of each label \\[rows, {goal.outputs}\\], in the order above"
    return f"{', '.join(plain(name) for name in goal.names[:5])} in their own units \\[rows, {goal.outputs}\\]"
