"""The step that computes a column of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from dlcli import formula
from dlcli.part import Step
from dlcli.preprocessing import dates, frames
from dlcli.preprocessing.tables import TEXTS, gaps, problem
from dlcli.problems import Problem
from dlcli.samples import Block, Frame


class Expression(Step):
    """A column computed of others, row by row. Learns nothing.

    A formula has + - * / **, comparisons (== != < <= > >=, and, or, not), log exp sqrt abs min max,
    where(condition, then, otherwise) and nan (a gap). Column names that are no words stand in `backquotes`, texts
    in 'single quotes'. Gaps pass through; `x == nan` asks for one. What is not finite (log of 0) becomes a gap.
    A comparison gives 1 or 0. The result stands behind the columns that it was made of, or replaces the
    column of its name: `where(Balance == 0, nan, Balance)` turns a number that stands for a gap into one.
    """

    part_name = "expression"
    example = "expression: {name: family, formula: SibSp + Parch + 1}"
    accepted_kinds = ("numeric", "encoded", "datetime", *TEXTS)
    result_kind = "numeric"
    finishes = False

    name: Annotated[str, Field(min_length=1, description="Name of the result.")]
    formula: Annotated[str, Field(min_length=1, description="What to compute, e.g. `log(Fare + 1) / Age`.")]

    @field_validator("formula")
    @classmethod
    def _reads(cls, value: str) -> str:
        if not formula.parse(value).columns:
            message = f"the formula {value} names no column"
            raise ValueError(message)
        return value

    @field_validator("columns")
    @classmethod
    def _not_used(cls, value: object) -> None:
        if value is not None:
            message = "an expression has no columns but those of its formula: write name and formula"
            raise ValueError(message)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that the formula names."""
        return formula.parse(self.formula).columns

    @property
    def keeps(self) -> bool:
        """The result stands beside what it was made of."""
        return True

    def results(self, names: tuple[str, ...], taken: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """The result, under the first of its columns."""
        del taken
        return dict.fromkeys(names[:1], (self.name,))

    def objections(self, kinds: Mapping[str, str]) -> tuple[Problem, ...]:
        """Numbers count, texts are compared."""
        read = formula.parse(self.formula)
        return tuple(
            problem("wrong-column-kind", message, hint, self, "formula")
            for name, kind in kinds.items()
            for message, hint in _misuses(name, kind, read)
        )

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG002 - there is nothing to learn
        """Nothing."""
        return {}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:  # noqa: ARG002 - as above
        """The frame with the result in float64."""
        from keras import ops

        value = formula.parse(self.formula).evaluate(_Tensors(frame, names), ops)
        made = Block((self.name,), "numeric", ops.cast(value, "float64"))
        if self.name in frame.names:
            return frames.merged(frame, (self.name,), made, keep=False)
        return frames.merged(frame, names, made, keep=True)


def _misuses(name: str, kind: str, read: formula.Formula) -> Iterator[tuple[str, str]]:
    """What a formula asks of a column that its kind cannot give, and what to do."""
    uses = read.uses[name]
    if kind in TEXTS:
        if "number" in uses:
            yield f"{name} is {kind}, and the formula takes it as a number", "compare it with a text: == 'male'"
        if "time" in uses:
            yield f"{name} is {kind} and has no order", f"list it as a date: `datetime: [{name}]` under data"
    elif kind == "datetime":
        for text in read.texts[name]:
            if formula.seconds(text) is None:
                yield f"{name} holds dates, and '{text}' is none", "write '2024-05-31' or '2024-05-31 12:00'"
    elif uses & {"text", "time"}:
        yield f"{name} is numeric, and the formula compares it with a text", "take away the quotes"


class _Tensors:
    """The columns of a frame as a formula reads them: (rows, 1)."""

    def __init__(self, frame: Frame, names: tuple[str, ...]) -> None:
        self._blocks = {name: block for name in names for block in frames.picked(frame, (name,))}

    def number(self, name: str) -> Any:
        import numpy as np
        from keras import ops

        block = self._blocks[name]
        if block.kind == "datetime":
            return dates.seconds(block)
        return ops.where(gaps(block), np.array([np.nan]), frames.as_float(block))

    def text(self, name: str) -> Any:
        return self._blocks[name].tensor

    def time(self, name: str) -> Any:
        return dates.seconds(self._blocks[name])

    def gap(self, name: str) -> Any:
        from keras import ops

        block = self._blocks[name]
        return ops.isnan(dates.seconds(block)) if block.kind == "datetime" else gaps(block)

    def is_time(self, name: str) -> bool:
        return self._blocks[name].kind == "datetime"
