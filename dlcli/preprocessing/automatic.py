"""What `auto` means, written out as explicit steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dlcli.part import Step
from dlcli.preprocessing.categories import OneHot
from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.images import Rescale
from dlcli.preprocessing.scales import Standardize
from dlcli.preprocessing.tables import Drop
from dlcli.samples import KINDS, ColumnSchema


class Auto(Step):
    """The usual step for each column that no earlier step has worked on.

    Numbers: impute median, standardize. Categories: one_hot. Images of whole numbers: rescale; of
    fractions: standardize. Free text and dates, for which there are no steps: dropped, and said.
    It is written out as these steps before anything is fitted, and in `resolved.yaml`.
    """

    part_name = "auto"
    example = "auto"
    default_kinds = KINDS
    accepted_kinds = KINDS


def written_out(columns: Mapping[str, ColumnSchema], imputed: Collection[str]) -> tuple[Step, ...]:
    """The steps for these columns, those already imputed not once more."""
    useless = [name for name, column in columns.items() if column.kind in ("text", "datetime")]
    numbers = [name for name, column in columns.items() if column.kind == "numeric"]
    gapless = [name for name in numbers if name in imputed or is_whole(columns[name])]
    categories = [name for name, column in columns.items() if column.kind == "categorical"]
    images = [name for name, column in columns.items() if column.kind == "image"]
    whole = [name for name in images if is_whole(columns[name])]
    steps: list[tuple[type[Step], list[str]]] = [
        (Drop, useless),
        (Impute, [name for name in numbers if name not in gapless]),
        (Rescale, whole),
        (Standardize, [name for name in columns if name in numbers or (name in images and name not in whole)]),
        (OneHot, categories),
    ]
    return tuple(step(columns=tuple(names)) for step, names in steps if names)


def is_whole(column: ColumnSchema) -> bool:
    """Whether a column comes as an integer array, which has no gaps."""
    return column.dtype.startswith(("int", "uint"))
