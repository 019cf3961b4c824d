"""What `auto` means, written out as explicit steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dlcli.part import Step
from dlcli.preprocessing.categories import OneHot
from dlcli.preprocessing.dates import DateParts
from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.images import Rescale
from dlcli.preprocessing.scales import Standardize
from dlcli.preprocessing.sequences import MultiHot
from dlcli.preprocessing.text import Tokens
from dlcli.samples import KINDS, ColumnSchema


class Auto(Step):
    """The usual step for each column that no earlier step has worked on.

    Numbers: impute median, standardize. Dates: date_parts, which are then numbers. Categories: one_hot.
    Images of whole numbers: rescale; of fractions: standardize. Free text: tokens, tf_idf of 10,000. Sequences
    of codes: multi_hot.
    It is written out as these steps before anything is fitted, and in `resolved.yaml`.
    """

    part_name = "auto"
    example = "auto"
    default_kinds = KINDS
    accepted_kinds = KINDS


def written_out(
    columns: Mapping[str, ColumnSchema], imputed: Collection[str], taken: tuple[str, ...]
) -> tuple[Step, ...]:
    """The steps for these columns, those already imputed not once more.

    Args:
        columns: what there is to work on.
        imputed: columns without gaps.
        taken: the name of every column.
    """
    texts = [name for name, column in columns.items() if column.kind == "text"]
    dates = tuple(name for name, column in columns.items() if column.kind == "datetime")
    parts = DateParts(columns=dates).results(dates, taken) if dates else {}
    numbers = [name for name, column in columns.items() if column.kind == "numeric"]
    gapless = [name for name in numbers if name in imputed or is_whole(columns[name])]
    sequences = [name for name, column in columns.items() if column.kind == "sequence"]
    categories = [name for name, column in columns.items() if column.kind == "categorical"]
    images = [name for name, column in columns.items() if column.kind == "image"]
    whole = [name for name in images if is_whole(columns[name])]
    steps: list[tuple[type[Step], list[str]]] = [
        (DateParts, [*dates]),
        (Impute, _with_parts(columns, parts, [name for name in numbers if name not in gapless])),
        (Rescale, whole),
        (Standardize, _with_parts(columns, parts, [*numbers, *(name for name in images if name not in whole)])),
        (OneHot, categories),
        (Tokens, texts),
        (MultiHot, sequences),
    ]
    return tuple(step(columns=tuple(names)) for step, names in steps if names)


def _with_parts(
    columns: Mapping[str, ColumnSchema], parts: Mapping[str, tuple[str, ...]], names: list[str]
) -> list[str]:
    """The named columns and all parts of dates, in the order of the columns."""
    return [each for name in columns for each in parts.get(name, (name,) if name in names else ())]


def is_whole(column: ColumnSchema) -> bool:
    """Whether a column comes as an integer array, which has no gaps."""
    return column.dtype.startswith(("int", "uint"))
