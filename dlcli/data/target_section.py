"""The `data.target` section: what is predicted, and how its values are meant."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dlcli.part import Section, Written

TargetScale = Literal["standardize", "log1p", "min_max"]


class Target(Section):
    """The target column or columns. A name or a list of names may stand for the whole section.

    Attributes:
        main_field: the field that a bare name or list fills.
    """

    main_field: ClassVar[str] = "column"

    column: Annotated[
        tuple[Written, ...] | None,
        Field(description="Target column, or several; by default the source's own."),
    ] = None
    positive: Annotated[
        Written | None, Field(description="The class that counts as positive in binary tasks; by default the last.")
    ] = None
    classes: Annotated[
        tuple[Written, ...] | None,
        Field(description="The classes in order; by default those found, sorted (numbers as numbers, else as text)."),
    ] = None
    aliases: dict[str, Written] = Field(
        default_factory=dict, description="Other spellings of classes: what is found, and what it means."
    )
    scale: Annotated[
        TargetScale | dict[str, TargetScale] | None,
        Field(
            description="standardize, log1p or min_max, for all targets or by column; fitted on training rows. "
            "The loss is in scaled units, scores and predictions in original ones."
        ),
    ] = None
