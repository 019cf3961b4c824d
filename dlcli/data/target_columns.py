"""The target columns of a source as they stand: spelt as meant, known or missing."""

from __future__ import annotations

import difflib
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.data import literals
from dlcli.data.target_section import Target
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import MISSING, Coded, Found

MissingTarget = Literal["refuse", "drop"]
PATH: ConfigPath = ("data", "target")
NAMES_SHOWN = 12
"""So many names are told in a sentence."""


def names_of(section: Target | None, found: Found) -> tuple[str, ...]:
    """The target columns.

    Raises:
        DataError: none is named, or one is not there.
    """
    names = (section.column if section else None) or found.target
    there = tuple(found.samples)
    if not names:
        message = "no target is named, and the source has none of its own"
        raise DataError(Problem("missing-target", message, f"write `target: ...` under data; {listed(there)}", PATH))
    absent = [name for name in names if name not in there]
    if absent:
        near = difflib.get_close_matches(absent[0], there, n=1)
        suggestion = f"did you mean {near[0]}?" if near else listed(there)
        if not near and all(literals.numbers([name])[1].all() for name in there):
            suggestion += "; those look like data: is there no header? (`header: false`)"
        message = f"target column not there: {', '.join(absent)}"
        raise DataError(Problem("missing-target", message, suggestion, PATH))
    return names


def columns_of(section: Target, found: Found) -> dict[str, Any]:
    """Target columns, aliases applied; a column of vectors becomes one target per element."""
    columns: dict[str, Any] = {}
    for name in names_of(section, found):
        column = found.samples[name]
        if isinstance(column, Coded):
            columns[name] = _renamed(column, section.aliases)
        elif column.ndim == 1 or column.shape[1:] == (1,):
            column = column.reshape(len(column))
            columns[name] = _renamed(as_coded(column), section.aliases) if section.aliases else column
        elif column.ndim == 2:
            columns |= {f"{name}_{number}": column[:, number] for number in range(column.shape[1])}
        else:
            message = f"target {name} has rows of shape {column.shape[1:]}; a number, a class or a vector can be learnt"
            raise DataError(Problem("wrong-shape", message, "name another target", PATH))
    return columns


def _renamed(column: Coded, aliases: dict[str, str]) -> Coded:
    """The column with other spellings replaced by what they mean."""
    meant = [aliases.get(word, word) for word in column.vocabulary]
    vocabulary = tuple(dict.fromkeys(meant))
    number = {word: code for code, word in enumerate(vocabulary)}
    table = np.array([*(number[word] for word in meant), MISSING], dtype=np.int32)
    return Coded(table[column.codes], vocabulary)


def as_coded(column: Any) -> Coded:
    """A column as text: numbers as they are usually written, NaN as missing; of vectors each element."""
    if isinstance(column, Coded):
        return column
    column = column.reshape(-1)
    known = np.isfinite(column) if column.dtype.kind == "f" else np.ones(len(column), dtype=bool)
    values, inverse = np.unique(column[known].astype(np.float64), return_inverse=True)
    codes = np.full(len(column), MISSING, dtype=np.int32)
    codes[known] = inverse
    return Coded(codes, tuple(literals.as_texts(values)))


def is_known(column: Any) -> NDArray[np.bool_]:
    """Which rows of a target column have a value (rows,)."""
    if isinstance(column, Coded):
        blank = np.array([word.lower() == "nan" for word in column.vocabulary] + [True])
        return np.asarray(~blank[column.codes])
    return np.isfinite(column) if column.dtype.kind == "f" else np.ones(len(column), dtype=bool)


def missing_notes(names: tuple[str, ...], rows: int, known: int, rule: MissingTarget) -> tuple[str, ...]:
    """What to say of the rows without a target, which are left out.

    Raises:
        DataError: they are to be refused, or no row has one.
    """
    missing = rows - known
    if not missing:
        return ()
    found = f"{missing:,} of {rows:,} rows have no {' or '.join(names)}"
    if rule == "refuse" or not known:
        suggestion = "fill them, or write `missing_target: drop` under data to leave them out" if known else ""
        raise DataError(Problem("missing-target", found, suggestion or "name another target", PATH))
    return (f"{found}: left out",)


def listed(names: tuple[str, ...]) -> str:
    """The columns that are there, for a sentence."""
    return f"columns: {shown(list(names))}"


def shown(names: list[str]) -> str:
    """Names for a sentence, cut when there are many."""
    more = f", ... ({len(names)} in all)" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
